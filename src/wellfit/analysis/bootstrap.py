"""The two-way bootstrap: seeds and test images resampled independently of each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import Interval, checked_alpha
from wellfit.base import FloatArray, IntArray
from wellfit.errors import DataError

__all__ = ["Bootstrap", "two_way_bootstrap"]

_CHUNK: Final = 2**22  # numbers held at once: 32 MiB


class Bootstrap(NamedTuple):
    """The mean score, its percentile interval, and the two-sided p-value of a mean of 0; None with one seed."""

    mean: float
    interval: Interval | None
    p_value: float | None


def two_way_bootstrap(scores: NDArray[Any], level: float = 0.95, draws: int = 2000, seed: int = 0) -> Bootstrap:
    """The mean over seeds and images with its pigeonhole-bootstrap interval.

    Each draw resamples S seeds and n images with replacement, independently, and takes the mean of the cells where they
    cross. The interval runs from the ``alpha / 2`` to the ``1 - alpha / 2`` quantile of these means; the p-value is
    ``min(1, 2 min(1 + #{mean <= 0}, 1 + #{mean >= 0}) / (draws + 1))``.

    Images with identical scores under every seed are interchangeable, so only their counts are resampled: the
    distribution is exactly the same, and the cost hardly grows with n when scores are right or wrong.

    Makes no assumption about the distribution of the scores, but needs many seeds: with few it underestimates their
    variance by the factor ``(S - 1) / S`` and uses no t quantile. Where seeds dominate the variance, its coverage falls
    well below ``level``; ``docs/statistics.md`` has the rates. The default is therefore
    ``intervals.two_way_interval``, and this is a second opinion that does not assume normality.

    Source: Owen (2007), "The pigeonhole bootstrap", Ann. Appl. Stat. 1:386-411; Davison & Hinkley (1997), "Bootstrap
    methods and their application", ch. 4, for the p-value.

    Args:
      scores: one row per seed, one column per image; bool or real, for example paired differences.  # (S, n)
      level: nominal coverage.
      draws: number of bootstrap samples.
      seed: of the random generator.

    Raises:
      DataError: fewer than one seed, two images or 100 draws, or NaN or infinity among the scores.
      StudyFileError: ``level`` is not between 0 and 1.

    Example: every image is right under every seed, except one that the last of three seeds gets wrong.
      >>> scores = np.ones((3, 50), dtype=bool)
      >>> scores[2, 49] = False
      >>> mean, (low, high), _ = two_way_bootstrap(scores)
      >>> round(mean, 4), round(low, 4), high
      (0.9933, 0.96, 1.0)
    """
    scores = np.asarray(scores)
    alpha = checked_alpha(level)
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise DataError(f"scores of shape {scores.shape}; pass one row per seed and one column per test image, "
                        "at least two")  # fmt: skip
    if not np.isfinite(scores).all():
        raise DataError("the scores contain NaN or infinity; leave out diverged runs")
    if draws < 100:
        raise DataError(f"{draws} bootstrap draws; use at least 100, or 2000 for a 95 % interval")
    mean = float(scores.mean())
    if len(scores) < 2:
        return Bootstrap(mean, None, None)
    means = _resampled_means(scores, draws, seed)  # (draws,)
    low, high = np.quantile(means, [alpha / 2, 1 - alpha / 2])
    zero = 1e-12 * float(np.abs(scores).max())  # a mean that differs from 0 by rounding only counts as 0
    tail = min(int(np.sum(means <= zero)), int(np.sum(means >= -zero)))
    return Bootstrap(mean, (float(low), float(high)), min(1.0, 2 * (1 + tail) / (draws + 1)))


def _resampled_means(scores: NDArray[Any], draws: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    S, n = scores.shape
    patterns, counts = _distinct_columns(scores)  # (S, P), (P,)
    chunk = max(1, _CHUNK // len(counts))
    means = []
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        seeds = rng.multinomial(S, np.full(S, 1 / S), size=size)  # (size, S)
        images = rng.multinomial(n, counts / n, size=size)  # (size, P)
        sums = sum(
            (np.sum((seeds @ part) * images[:, columns], axis=1) for columns, part in _blocks(patterns)),
            np.zeros(size),
        )  # (size,)
        means.append(sums / (S * n))
    resampled: FloatArray = np.concatenate(means)  # (draws,)
    return resampled


def _distinct_columns(scores: NDArray[Any]) -> tuple[NDArray[Any], IntArray]:
    """The distinct columns and how often each occurs.  # (S, P), (P,)"""
    ordered = scores[:, np.lexsort(scores)]  # (S, n), equal columns side by side
    first = np.concatenate([[True], (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)])  # (n,)
    starts = np.flatnonzero(first)  # (P,)
    return ordered[:, starts], np.diff(starts, append=scores.shape[1])


def _blocks(patterns: NDArray[Any]) -> Iterator[tuple[slice, FloatArray]]:
    """A few columns at a time, as float64.  # (S, p) each"""
    width = max(1, _CHUNK // len(patterns))
    for begin in range(0, patterns.shape[1], width):
        columns = slice(begin, begin + width)
        yield columns, patterns[:, columns].astype(np.float64)
