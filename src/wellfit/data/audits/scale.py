"""Whether a test or validation set is scaled differently, for example because only one set was divided by 255."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Finding
from wellfit.data.audits.sets import ExampleSet, Sets, column_name, sample
from wellfit.data.parts import listed

__all__ = ["scale_shift"]

_SHIFT: Final = 2.0  # factor by which the held-out set's range, mean or spread must differ from the training set's
_COLUMN: Final = 5.0  # the same for a single column
_APART: Final = 3.0  # interquartile ranges between the medians of a single column
_OVERLAP: Final = 0.4  # the two distributions of a single column must differ by this Kolmogorov-Smirnov distance
_ROWS: Final = 2000  # of each set


def scale_shift(sets: Sets, held: ExampleSet) -> Iterator[Finding]:
    """Compare the scale of a held-out set with that of the training set.

    Args:
      held: the test set or the given validation set.
    """
    message = _pixel_shift(sets.training.x, held.x) if sets.images else _row_shift(sets, held)
    if message:
        yield Finding(
            "scale-shift-between-splits",
            "error",
            f"The {held.name} set is scaled differently: {message}.",
            "Provide both sets unscaled and in the same units; wellfit scales inside the model, by the statistics of "
            "the training split.",
        )


def _pixel_shift(train: NDArray[Any], held: NDArray[Any]) -> str:
    """Compare overall range and mean, since all pixels have the same unit."""
    (low, high, mean), (held_low, held_high, held_mean) = (
        (float(x.min()), float(x.max()), float(x.mean(dtype=np.float64))) for x in (train, held)
    )
    if abs(held_mean - mean) <= 5 * _standard_error(held) and held_low >= low and held_high > low + (high - low) / 2:
        return ""  # so few or so varied images have such a mean by chance
    factor = _factor(high - low, held_high - held_low)
    if factor < _SHIFT:
        factor = max(factor, _factor(mean - low, held_mean - held_low))
    if factor < _SHIFT and abs(held_mean - mean) <= (high - low) / 2:
        return ""
    return (
        f"its pixels range from {held_low:g} to {held_high:g} (mean {held_mean:.3g}), those of the training set from "
        f"{low:g} to {high:g} (mean {mean:.3g}), a factor of {factor:.3g}"
    )


def _standard_error(x: NDArray[Any]) -> float:
    """The standard error of the mean pixel, from the means of the images."""
    means = x.reshape(len(x), -1).mean(axis=1, dtype=np.float64)
    return float(means.std()) / math.sqrt(len(x))


def _row_shift(sets: Sets, held: ExampleSet) -> str:
    """Compare quartiles feature by feature, since features have different units and tails.

    The median over features is robust to a few unusual ones; features with equal quartiles (sparse ones) are skipped.
    If it shows nothing, single columns are named that differ far more.
    """
    numeric = sets.numeric
    if len(held.y) < 20 or not numeric:  # with fewer rows, quartiles can differ by this factor by chance
        return ""
    some = [part.x[sample(len(part.y), _ROWS)][:, numeric] for part in (sets.training, held)]
    quartiles, held_quartiles = (_quartiles(x) for x in some)  # (3, D) each, NaN for columns without values
    spread, held_spread = (q[2] - q[0] for q in (quartiles, held_quartiles))  # (D,)
    telling = np.flatnonzero((spread > 0) & (held_spread > 0))
    if not len(telling):
        return ""
    ratios = held_spread[telling] / spread[telling]  # (t,)
    shifts = np.abs(held_quartiles[1] - quartiles[1])[telling] / spread[telling]  # (t,)
    ratio, shift = float(np.median(ratios)), float(np.median(shifts))
    # The interquartile range of n normal values varies by 1.17 / sqrt(n) of its size; four such errors are allowed.
    by_chance = math.exp(4 * 1.17 * math.sqrt(1 / len(some[0]) + 1 / len(some[1])))
    if _factor(ratio, 1) >= max(_SHIFT, by_chance) or shift >= 1:
        return (
            f"the interquartile range of its features is {ratio:.3g} times that of the training features, and their "
            f"median lies {shift:.3g} such ranges away (median over {len(telling)} "
            f"{'feature' if len(telling) == 1 else 'features'})"
        )
    columns = [
        f"{column_name(sets.dataset, numeric[j])} (interquartile range {r:.3g} times that of the training set, median "
        f"{s:.3g} such ranges away)"
        for j, r, s in zip(telling.tolist(), ratios.tolist(), shifts.tolist(), strict=True)
        if (_factor(r, 1) >= _COLUMN or s >= _APART) and _apart(some[0][:, j], some[1][:, j])
    ]
    return f"{len(columns)} of {len(telling)} columns differ: {listed(columns)}" if columns else ""


def _quartiles(x: NDArray[Any]) -> NDArray[np.float64]:
    """The quartiles of every column, without missing values: ``(3, D)``."""
    if not np.isnan(x).any():
        return np.percentile(x.astype(np.float64), [25, 50, 75], axis=0)
    columns = [column[~np.isnan(column)].astype(np.float64) for column in x.T]
    return np.stack([np.percentile(c, [25, 50, 75]) if len(c) else np.full(3, np.nan) for c in columns], axis=1)


def _apart(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether the distribution functions of two columns differ by much more than sampling explains."""
    a, b = np.sort(a[~np.isnan(a)]), np.sort(b[~np.isnan(b)])
    both = np.concatenate([a, b])
    largest = np.abs(np.searchsorted(a, both, "right") / len(a) - np.searchsorted(b, both, "right") / len(b)).max()
    # Smirnov's bound: equal distributions differ by more than this in one of 100,000 pairs of samples.
    return float(largest) > max(_OVERLAP, 2.5 * math.sqrt(1 / len(a) + 1 / len(b)))


def _factor(a: float, b: float) -> float:
    """Return the ratio of the larger to the smaller of two positive numbers."""
    if a == b:
        return 1.0
    return max(a, b) / min(a, b) if min(a, b) > 0 else math.inf
