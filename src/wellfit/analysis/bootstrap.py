"""The two-way bootstrap: seeds and test examples resampled independently of each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import Interval, checked_alpha
from wellfit.base import FloatArray, IntArray, TestRows
from wellfit.errors import DataError

__all__ = ["Bootstrap", "two_way_bootstrap"]

_CHUNK: Final = 2**22  # numbers held at once: 32 MiB
_MANY: Final = 2000  # patterns; fewer cost nothing to speak of


class Bootstrap(NamedTuple):
    """The mean score, its percentile interval, and the two-sided p-value of a mean of 0; None with one seed."""

    mean: float
    interval: Interval | None
    p_value: float | None


def two_way_bootstrap(
    scores: Iterable[NDArray[Any]],
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
    tested: TestRows | None = None,
) -> Bootstrap:
    """The mean over seeds and examples with its pigeonhole-bootstrap interval.

    Each draw resamples S seeds and n examples (or groups) with replacement, independently, and takes the mean of the
    cells where they cross, those that a seed does not judge left out. The interval runs from the ``alpha / 2`` to the
    ``1 - alpha / 2`` quantile of these means; the p-value is
    ``min(1, 2 min(1 + #{mean <= 0}, 1 + #{mean >= 0}) / (draws + 1))``.

    Examples with identical scores under every seed are interchangeable, so only their counts are resampled: the
    distribution is exactly the same, and the cost hardly grows with n when scores are right or wrong.

    Makes no assumption about the distribution of the scores, but needs many seeds: with few it underestimates their
    variance by the factor ``(S - 1) / S`` and uses no t quantile. Where seeds dominate the variance, its coverage falls
    well below ``level``; ``docs/statistics.md`` has the rates. The default is therefore
    ``intervals.two_way_interval``, and this is a second opinion that does not assume normality.

    Source: Owen (2007), "The pigeonhole bootstrap", Ann. Appl. Stat. 1:386-411; Davison & Hinkley (1997), "Bootstrap
    methods and their application", ch. 4, for the p-value.

    Args:
      scores: one array per seed; bool or real, for example paired differences.  # (m,) each
      level: nominal coverage.
      draws: number of bootstrap samples.
      seed: of the random generator.
      tested: which examples they belong to, in the order of its seeds; None if every seed judges all examples.

    Raises:
      DataError: fewer than one seed, two examples or 100 draws, or NaN or infinity among the scores.
      StudyFileError: ``level`` is not between 0 and 1.

    Example: every example is right under every seed, except one that the last of three seeds gets wrong.
      >>> scores = np.ones((3, 50), dtype=bool)
      >>> scores[2, 49] = False
      >>> mean, (low, high), _ = two_way_bootstrap(scores)
      >>> round(mean, 4), round(low, 4), high
      (0.9933, 0.96, 1.0)
    """
    rows = [np.asarray(one) for one in scores]
    alpha = checked_alpha(level)
    if not rows or any(one.ndim != 1 or len(one) < 2 for one in rows):
        raise DataError(f"scores of shapes {sorted({one.shape for one in rows})}; pass one row per seed and one column "
                        "per test example, at least two")  # fmt: skip
    if not all(np.isfinite(one).all() for one in rows):
        raise DataError("the scores contain NaN or infinity; leave out diverged runs")
    if draws < 100:
        raise DataError(f"{draws} bootstrap draws; use at least 100, or 2000 for a 95 % interval")
    mean = float(sum(one.sum(dtype=np.float64) for one in rows) / sum(map(len, rows)))
    if len(rows) < 2:
        return Bootstrap(mean, None, None)
    means = _resampled_means(*_clusters(rows, tested), draws, seed)  # (draws,)
    low, high = np.quantile(means, [alpha / 2, 1 - alpha / 2])
    zero = 1e-12 * max(float(np.abs(one).max()) for one in rows)  # a mean that differs by rounding only counts as 0
    tail = min(int(np.sum(means <= zero)), int(np.sum(means >= -zero)))
    return Bootstrap(mean, (float(low), float(high)), min(1.0, 2 * (1 + tail) / (draws + 1)))


def _clusters(rows: list[NDArray[Any]], tested: TestRows | None) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Sums of scores and numbers of judgments, by seed and example or group; None if every seed judges all once."""
    if tested is None:
        return np.stack(rows), None
    groups = np.arange(tested.examples) if tested.groups is None else np.unique(tested.groups, return_inverse=True)[1]
    G, S = int(groups.max()) + 1, len(rows)
    sums, counts = np.zeros((S, G), rows[0].dtype if tested.groups is None else np.float64), np.zeros((S, G), np.int32)
    for s, (one, at) in enumerate(zip(rows, tested.rows.values(), strict=True)):
        if tested.groups is None:
            sums[s, at], counts[s, at] = one, 1
        else:
            sums[s] = np.bincount(groups[at], weights=one, minlength=G)
            counts[s] = np.bincount(groups[at], minlength=G)
    judged = counts.any(axis=0)  # (G,)
    return sums[:, judged], counts[:, judged]


def _resampled_means(sums: NDArray[Any], counts: NDArray[Any] | None, draws: int, seed: int) -> FloatArray:
    rng = np.random.default_rng(seed)
    S, n = sums.shape
    patterns, times = _distinct_columns(sums if counts is None else np.concatenate([sums, counts]))  # (S, P), (P,)
    chunk = max(1, _CHUNK // len(times))
    means = []
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        seeds = rng.multinomial(S, np.full(S, 1 / S), size=size)  # (size, S)
        examples = _counts(rng, times, n, size)  # (size, P)
        totals = _totals(seeds, examples, patterns[:S])  # (size,)
        judged = np.full(size, float(S * n)) if counts is None else _totals(seeds, examples, patterns[S:])  # (size,)
        means.append(np.divide(totals, judged, out=np.zeros(size), where=judged > 0))
    resampled: FloatArray = np.concatenate(means)  # (draws,)
    return resampled


def _counts(rng: np.random.Generator, times: IntArray, n: int, size: int) -> IntArray:
    """How often each pattern occurs among n resampled examples.  # (size, P)

    Where most examples have a pattern of their own, n draws take a fifth of the time of P binomial ones.
    """
    P = len(times)
    if P < _MANY or n > 8 * P:
        return rng.multinomial(n, times / n, size=size)
    pattern = np.repeat(np.arange(P), times)  # (n,)
    return np.stack([np.bincount(pattern[rng.integers(n, size=n, dtype=np.int32)], minlength=P) for _ in range(size)])


def _totals(seeds: IntArray, examples: IntArray, patterns: NDArray[Any]) -> FloatArray:
    """The sum over the resampled cells of each draw.  # (size,)"""
    total: FloatArray = np.zeros(len(seeds))  # (size,)
    for columns, part in _blocks(patterns):
        total += np.einsum("dp,dp->d", seeds.astype(part.dtype) @ part, examples[:, columns], dtype=np.float64)
    return total


def _distinct_columns(scores: NDArray[Any]) -> tuple[NDArray[Any], IntArray]:
    """The distinct columns and how often each occurs.  # (S, P), (P,)"""
    ordered = scores[:, np.lexsort(scores)]  # (S, n), equal columns side by side
    first = np.concatenate([[True], (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)])  # (n,)
    starts = np.flatnonzero(first)  # (P,)
    return ordered[:, starts], np.diff(starts, append=scores.shape[1])


def _blocks(patterns: NDArray[Any]) -> Iterator[tuple[slice, FloatArray]]:
    """A few columns at a time, as float64; small integers as float32, whose sums are exact too.  # (S, p) each"""
    small = patterns.dtype.itemsize == 1 and len(patterns) < 2**16
    width = max(1, _CHUNK // len(patterns))
    for begin in range(0, patterns.shape[1], width):
        columns = slice(begin, begin + width)
        yield columns, patterns[:, columns].astype(np.float32 if small else np.float64)
