"""Seeds and test examples as random effects: the variance each contributes to a mean, and the interval it gives.

Scores come seed by seed. Every seed judges every example (crossed), or only those of its fold (nested), or, with more
seeds than folds, those of a fold of a further partition. One formula covers all three. The modules ``intervals``,
``comparisons`` and ``power`` build on this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.steps import step_of
from wellfit.base import FloatArray, IntArray, TestRows, VarianceComponents
from wellfit.errors import DataError, StudyFileError

__all__ = [
    "Interval",
    "VarianceComponents",
    "alpha_of",
    "checked_alpha",
    "half_squared",
    "p_value",
    "seed_components",
    "t_quantile",
    "variance_components",
    "with_seeds",
]

Interval = tuple[float, float]

_SMALLEST_P: Final = 1e-100  # smaller values are reported as this; no test set supports such a claim anyway
_INFORMATIVE: Final = 0.05  # of the largest score; an example with less tells next to nothing
_LASTING: Final = 0.5  # assumed of examples judged once; 18 variants on the digits show 0 to 0.43, 0.17 on average
_HALVINGS: Final = 55  # of log(1e-100): a relative error of 1e-14


class _Sums(NamedTuple):
    """What one pass over the scores gathers."""

    means: FloatArray  # (S,)
    sizes: FloatArray  # (S,)
    raw: FloatArray  # sum of the scores of each example or group (G,)
    across: FloatArray  # the same, of scores minus their seed's mean (G,)
    within: float  # sum of squares of the same, seed by seed
    judged: NDArray[np.bool_]  # (n,)
    counted: NDArray[np.bool_]  # whether any seed judged it (G,)


def variance_components(
    scores: Iterable[NDArray[Any]], tested: TestRows | None = None, step: float | None = None
) -> VarianceComponents:
    """The variance of a mean over seeds and examples, for any pattern of who judges what.

    Assumes ``score = mean + seed + example + residual``, all drawn independently; with groups, examples of one group
    may depend on each other in any way. With the scores minus their seed's mean summed by example (or group), over all
    seeds for ``C = sum of squared sums`` and within each seed for ``D``, and N scores of S seeds altogether,

        examples = C / N**2,    overlap = (S D - C) / ((S - 1) N**2),    seed = variance of the seeds' means / S.

    The variance of the mean is ``seed + examples - overlap``. If every seed judges every example this is the two-way
    analysis of variance; if each judges a fold of its own, ``overlap = examples`` and the variance is ``seed``.
    Memory grows with the number of examples, not with the number of seeds.

    A seed's mean contains the example itself. Within a seed, ``m / (m - 1)`` for m examples (or groups) makes up for
    that. Across R rounds of K folds, the sum of an example's scores loses the means of R folds that all contain it and
    share ``1 + (m - 1)**2 / (G - 1)`` of G examples two by two, so that of ``C`` is left, on average over the folds,

        kept = 1 - (1 - 1 / R) K / G + (1 - 1 / R) (G - K) / (G (G - 1)),

    by which ``C`` is divided for ``examples``. That is 1 for one round and if every seed judges everything, and far
    from 1 only for repeated folds of few groups: 0.78 for ten groups in two rounds of five folds. What varies
    independently from seed to seed loses less, so the quotient errs on the side of more variance.

    Where only the score of each seed is known, a number without an axis, the seeds alone count: ``seed_components``.

    Source: Cornfield & Tukey (1956), Ann. Math. Stat. 27:907-949, for the expected mean squares; Liang & Zeger (1986),
    Biometrika 73:13-22, for sums over groups.

    Args:
      scores: one array per seed; any real numbers.  # (m,) each, or () each
      tested: which examples they belong to, in the order of its seeds; None if every seed judges all examples.
      step: to which numbers without an axis are known; by default as ``steps.step_of`` finds it in them.

    Raises:
      DataError: no seed, or one with fewer than two examples; another number of scores than of rows; NaN or infinity.

    Example: three seeds that differ, examples that do not.
      >>> components = variance_components(np.array([[1, 1], [2, 2], [3, 3]]))
      >>> components.mean, round(components.seed, 4), components.examples
      (2.0, 0.3333, 0.0)
    """
    given = iter(scores)
    first = next(given, None)
    if first is not None and np.ndim(first) == 0:
        known = [float(one) for one in (first, *given)]
        return seed_components(known, step_of(known) if step is None else step)
    sums = _sums(given if first is None else chain([first], given), tested)
    S, N = len(sums.means), float(sums.sizes.sum())
    weights = sums.sizes / N  # (S,)
    mean = float(weights @ sums.means)
    seed = float(np.sum((weights * (sums.means - mean)) ** 2)) * S / max(S - 1, 1)
    judged = int(np.count_nonzero(sums.judged))
    rounds = N / judged
    across = float(sums.across @ sums.across) / _kept(int(np.count_nonzero(sums.counted)), S / rounds, rounds)
    examples = across / N**2
    overlap = max(S * sums.within - across, 0.0) / (max(S - 1, 1) * N**2)
    if rounds > 1:
        lasting = min(max((across - sums.within) / N**2 * rounds / (rounds - 1), 0.0), examples)
    else:  # every example was judged once: what a second judgment would show is not known
        lasting = _LASTING * examples * judged / len(sums.judged)
    df = max(_clusters(sums, tested) - max(round(S / rounds), 1), 1.0)
    sizes = np.abs(sums.raw)
    informative = max(int(np.count_nonzero(sizes >= max(_INFORMATIVE * sizes.max(), np.finfo(float).tiny))) - 1, 1)
    return VarianceComponents(mean, S, judged, seed, examples, overlap, lasting, min(df, informative), max(S - 1, 1))


def seed_components(values: Sequence[float], step: float = 0.0) -> VarianceComponents:
    """The components of a mean of which each seed's value is known, and nothing of single examples.

    The seeds alone count, so that ``half_squared`` gives the interval of Student's t, and ``p_value`` its test.

    Args:
      values: one per seed.  # (S,)
      step: to which the values are known; the standard error is at least half of that.

    Raises:
      DataError: no value, NaN or infinity.

    Example: the t interval 3 +- 2.484, and no example.
      >>> components = seed_components([2.0, 3.0, 4.0])
      >>> round(float(half_squared(components, 0.05)) ** 0.5, 3), components.examples, components.judged
      (2.484, 0.0, 0)
    """
    x, S = np.asarray(values, dtype=np.float64), len(values)  # (S,)
    if not S or not np.isfinite(x).all():
        raise DataError("scores of no seed, or with NaN or infinity; pass a number for each, without diverged runs")
    seed = float(x.var(ddof=1)) / S if S > 1 else 0.0
    return VarianceComponents(float(x.mean()), S, 0, seed, 0.0, 0.0, 0.0, 1.0, max(S - 1, 1), (step / 2) ** 2)


def _sums(scores: Iterable[NDArray[Any]], tested: TestRows | None) -> _Sums:
    """One pass over the scores, a seed at a time."""
    rows = None if tested is None else list(tested.rows.values())
    groups = None if tested is None or tested.groups is None else np.unique(tested.groups, return_inverse=True)[1]
    means: list[float] = []
    sizes: list[int] = []
    within, judged, raw, across = 0.0, np.zeros(0, bool), np.zeros(0), np.zeros(0)
    for s, one in enumerate(scores):
        x = np.asarray(one, dtype=np.float64)  # (m,)
        if x.ndim != 1 or len(x) < 2:
            raise DataError(f"scores of shape {x.shape} for a seed; pass one row per seed and one column per test "
                            "example, at least two")  # fmt: skip
        if not means:
            judged = np.zeros(len(x) if tested is None else tested.examples, dtype=bool)  # (n,)
            raw = np.zeros(len(judged) if groups is None else int(groups.max()) + 1)  # (G,)
            across = np.zeros_like(raw)  # (G,)
        at: Any = slice(None) if rows is None else rows[s] if s < len(rows) else np.zeros(0, int)
        if len(judged[at]) != len(x):
            raise DataError(f"{len(x)} scores of a seed that judges {len(judged[at])} test examples; pass one score "
                            "for each")  # fmt: skip
        judged[at] = True
        means.append(float(x.mean()))
        if not np.isfinite(means[-1]):
            raise DataError("the scores contain NaN or infinity; leave out diverged runs")
        sizes.append(len(x))
        of_group, centered, count = _by_group(x, means[-1], None if groups is None else groups[at], len(raw))
        centered *= np.sqrt(count / max(count - 1, 1))  # else too small, by the mean that was removed
        within += float(centered @ centered)
        where: Any = at if groups is None else slice(None)
        raw[where] += of_group
        across[where] += centered
    if not means:
        raise DataError("scores of no seed; pass at least one")
    counted = judged if groups is None else np.bincount(groups[judged], minlength=len(raw)) > 0  # (G,)
    return _Sums(np.array(means), np.array(sizes, dtype=np.float64), raw, across, within, judged, counted)


def _kept(clusters: int, folds: float, rounds: float) -> float:
    """What removing the seeds' means leaves of the squared sums across seeds: see ``variance_components``."""
    if clusters - folds < 1:
        return 1.0
    G, K, R = clusters, folds, rounds
    return max(1 - K / G * (1 - 1 / R) + (1 - 1 / R) * (G - K) / (G * (G - 1)), 0.5)


def _by_group(x: FloatArray, mean: float, group: IntArray | None, groups: int) -> tuple[FloatArray, FloatArray, int]:
    """The scores and the centered scores, summed by group if there are groups, and how many of these a seed judges."""
    if group is None:
        return x, x - mean, len(x)
    sizes: IntArray = np.bincount(group, minlength=groups)  # (G,)
    of_group = np.bincount(group, weights=x, minlength=groups).astype(np.float64)  # (G,)
    return of_group, of_group - mean * sizes, int(np.count_nonzero(sizes))


def _clusters(sums: _Sums, tested: TestRows | None) -> float:
    """The number of independent examples, or of groups; fewer if a few large groups hold most examples."""
    if tested is None or tested.groups is None:
        return float(np.count_nonzero(sums.judged))
    sizes = np.unique(tested.groups[sums.judged], return_counts=True)[1].astype(np.float64)  # (G,)
    return float(sizes.sum() ** 2 / np.sum(sizes**2))


def with_seeds(components: VarianceComponents, seeds: int) -> VarianceComponents:
    """The components expected with another number of seeds, on the same examples and what their folds add.

    Example: twice the seeds halve the variance due to seeds and leave that due to examples.
      >>> few = VarianceComponents(0.9, 5, 100, 4e-6, 10e-6, 1e-6, 9e-6, 99, 4)
      >>> with_seeds(few, 10)[1:7]
      (10, 100, 2e-06, 9.5e-06, 5e-07, 9e-06)
    """
    share = components.seeds / seeds
    if components.overlap < components.examples * (1 - 1e-9):
        examples = components.lasting + (components.examples - components.lasting) * share
    else:  # folds that do not overlap yet: further seeds bring new examples until all are judged, then new judgments
        full = components.lasting / _LASTING
        rounds = full / (components.examples * share) if full > 0 else 1.0
        again = components.lasting + (full - components.lasting) / rounds
        examples = components.examples * share if rounds <= 1 else again
    return components._replace(
        seeds=seeds,
        seed=components.seed * share,
        examples=examples,
        overlap=components.overlap * share,
        seed_df=components.seed_df + seeds - components.seeds,
    )


def half_squared(components: VarianceComponents, alpha: Any) -> Any:
    """The squared half-width of the ``1 - alpha`` interval, ``t**2 seed + t'**2 (examples - overlap)``.

    Here t and t' are the quantiles for ``seed_df`` and ``df``. Never less than ``t'**2 examples``, the interval if all
    seeds were alike, nor than ``z**2 floor``.

    Student's t lies on the whole of ``seed``, its overlap with the examples included. To lay it on the excess of
    ``seed`` over ``overlap`` alone, and a normal quantile on the rest, errs in up to 7.4 % of studies at a nominal 5 %
    with five folds, and in five times the nominal rate after Holm's correction over 18 comparisons, if seeds and
    examples contribute alike. No test that holds its level for every balance of the two is more than 5 points more
    powerful than this one (five folds, 5 %; by linear programming over all tests, ``docs/statistics.md``).

    Source: Banerjee (1960), Sankhya 22:357-358, for the sum of squared t quantiles.

    Args:
      components: from at least two seeds.
      alpha: error rate of the interval; a float or an array.

    Example: with seeds alone, the square of ``t(2) * sd / sqrt(3)``.
      >>> round(float(half_squared(variance_components(np.array([[1, 1], [2, 2], [3, 3]])), 0.05)) ** 0.5, 3)
      2.484
    """
    t_seed, t_examples, z = (_quantile(df, alpha) for df in (components.seed_df, components.df, np.inf))
    rest = np.maximum(components.examples - components.overlap, 0.0)
    both = t_seed**2 * components.seed + t_examples**2 * rest
    return np.maximum(np.maximum(both, t_examples**2 * components.examples), z**2 * components.floor)


def alpha_of(components: VarianceComponents, half: Any) -> Any:
    """The ``alpha`` whose interval has a given half-width; unique, because the width shrinks as ``alpha`` grows.

    Args:
      components: from at least two seeds.
      half: the half-width, at least 0; a float or an array.

    Returns:
      Between 1e-100 and 1.

    Example: Student's t with 2 degrees of freedom.
      >>> round(float(alpha_of(variance_components(np.array([[1, 1], [2, 2], [3, 3]])), 2.484)), 3)
      0.05
    """
    target = np.square(half)
    low = np.full(np.broadcast_shapes(np.shape(target), np.shape(components.mean)), np.log(_SMALLEST_P))
    high = np.zeros_like(low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        wider = half_squared(components, np.exp(middle)) > target
        low, high = np.where(wider, middle, low), np.where(wider, high, middle)
    return np.exp(high)


def p_value(components: VarianceComponents) -> Any:
    """The ``alpha`` whose interval ends at 0.

    Args:
      components: from at least two seeds.

    Returns:
      Two-sided, between 1e-100 and 1.

    Example: the t test over three seeds, since the examples do not matter here.
      >>> round(float(p_value(variance_components(np.array([[1, 1], [2, 2], [3, 3]])))), 4)
      0.0742
    """
    return alpha_of(components, np.abs(components.mean))


def _quantile(df: Any, alpha: Any) -> Any:
    """``t_quantile`` for arrays."""
    from scipy.special import ndtri, stdtrit

    if np.ndim(df) == 0 and np.isinf(df):
        return -ndtri(np.divide(alpha, 2))
    return -stdtrit(df, np.divide(alpha, 2))


@lru_cache(maxsize=1024)
def t_quantile(df: float, alpha: float) -> float:
    """The two-sided ``alpha`` quantile of Student's t; of the normal distribution if ``df`` is infinite.

    Example:
      >>> round(t_quantile(4, 0.05), 3), round(t_quantile(float("inf"), 0.05), 3)
      (2.776, 1.96)
    """
    return float(_quantile(df, alpha))


def checked_alpha(level: float) -> float:
    """``1 - level``, checked.

    Raises:
      StudyFileError: ``level`` is not between 0 and 1.

    Example:
      >>> checked_alpha(0.75)
      0.25
    """
    if not 0 < level < 1:
        raise StudyFileError(f"a level of {level}; use a number between 0 and 1, for example 0.95")
    return 1 - level
