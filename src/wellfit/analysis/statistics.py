"""Intervals, tests and verdicts that count both sources of chance: the seeds, and the finite test set.

Scores are arrays of one row a seed and one column a test image, crossed: every seed is judged on every image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp, log, sqrt
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Comparison, FloatArray, Verdict
from wellfit.errors import DataError, StudyFileError

__all__ = [
    "MARGIN",
    "PairedDifference",
    "compare_with_first",
    "holm",
    "paired_comparison",
    "t_interval",
    "two_way_interval",
    "verdict",
    "wilson_interval",
]

Interval = tuple[float, float]

MARGIN: Final = 0.001
"""Differences in accuracy smaller than this (0.1 points) are of no practical interest."""

_SMALLEST_P: Final = 1e-100  # what is smaller is given as this: no test set supports such a claim anyway


class PairedDifference(NamedTuple):
    """The mean paired difference, its 95 % and 90 % intervals, and the two-sided p-value; None with one seed."""

    difference: float
    interval: Interval | None
    interval90: Interval | None
    p_value: float | None


def t_interval(values: Iterable[float], level: float = 0.95) -> Interval | None:
    """The interval of a mean over seeds: ``mean +- t(S - 1) * sd / sqrt(S)``.

    It counts the chance of the seeds alone; use ``two_way_interval`` for what was measured on test images.

    Assumes values independent and near normal. Source: Student (1908), "The probable error of a mean".

    Args:
      values: one number a seed, at least two.
      level: the share of such intervals that hold the true mean.

    Returns:
      ``(low, high)``, or None with fewer than two values.

    Raises:
      DataError: a value is NaN or infinite.
      StudyFileError: ``level`` is not between 0 and 1.

    Example: mean 3, standard deviation 1, three seeds: ``3 +- 4.303 * 1 / sqrt(3)``.
      >>> low, high = t_interval([2.0, 3.0, 4.0])
      >>> round(low, 3), round(high, 3)
      (0.516, 5.484)
    """
    alpha = _alpha(level)
    array = np.asarray(list(values), dtype=np.float64)  # (S,)
    if not np.isfinite(array).all():
        raise DataError("an interval of values that hold NaN or infinity; leave diverged runs out")
    if array.size < 2:
        return None
    half = _t_quantile(array.size - 1, alpha) * float(array.std(ddof=1)) / sqrt(array.size)
    return float(array.mean()) - half, float(array.mean()) + half


def wilson_interval(successes: float, n: float, level: float = 0.95) -> Interval:
    """The interval of a share: all p with ``|successes / n - p| <= z * sqrt(p (1 - p) / n)``.

    It stays within [0, 1] and is honest near its ends, where ``p +- z * se`` is not: ten of ten is no certainty.

    Assumes ``n`` independent trials. Source: Wilson (1927), JASA 22:209-212.

    Args:
      successes: how many trials succeeded; a fraction where ``n`` is an effective sample size.
      n: how many trials there were.
      level: the share of such intervals that hold the true share.

    Returns:
      ``(low, high)``.

    Raises:
      DataError: not ``0 <= successes <= n`` with ``n > 0``.
      StudyFileError: ``level`` is not between 0 and 1.

    Example: ten right of ten; the lower end is ``n / (n + z**2) = 10 / 13.84``.
      >>> low, high = wilson_interval(10, 10)
      >>> round(low, 4), high
      (0.7225, 1.0)
    """
    if not (0 <= successes <= n and n > 0):
        raise DataError(f"{successes} successes of {n} trials; give 0 <= successes <= n and n > 0")
    z2 = _t_quantile(np.inf, _alpha(level)) ** 2
    center = (successes + z2 / 2) / (n + z2)
    half = sqrt(z2 * (successes * (n - successes) / n + z2 / 4)) / (n + z2)
    # At the ends the formula gives 0 and 1, but for rounding.
    return 0.0 if successes == 0 else max(center - half, 0.0), 1.0 if successes == n else min(center + half, 1.0)


def two_way_interval(scores: NDArray[Any], level: float = 0.95) -> tuple[float, Interval | None]:
    """The mean over seeds and test images, and its interval for new seeds and new images.

    Seeds and images are crossed random effects, ``score = mean + seed + image + rest``. From the two-way analysis of
    variance of S seeds and n images, with the mean squares ``MS``,

        Var(mean) = MS_seed / (S n) + MS_image / (S n) - MS_rest / (S n) = V_seed + V_image.

    ``V_seed = MS_seed / (S n)`` has S - 1 degrees of freedom; ``V_image``, what remains, has many. The interval is

        mean +- sqrt(t(S - 1)**2 * V_seed + t(f)**2 * V_image),    f = images whose mean score is not 0, less one,

    and never narrower than that of the images alone. For normal effects its coverage is at least ``level`` for every S
    from 2. Satterthwaite's degrees of freedom, the usual way, fall short: with 2 or 3 seeds a nominal 5 % test errs in
    up to 11 % or 9 % of studies. Safety costs width: hardly any from 10 seeds on, up to an eighth with 5, a third with
    3. Two seeds are valid but seldom of use: t(1) = 12.7. ``f`` keeps differences honest that rest on few images.

    Boolean scores are correctness and their mean is a share. Its interval is Wilson's, with the sample size at which
    simple chance would be as wide as the interval above (Korn & Graubard 1998, Survey Methodology 24:193-201), and the
    number of images where every score is the same.

    Assumes seeds drawn independently, images drawn independently, seed means near normal. Sources: Cornfield & Tukey
    (1956), Ann. Math. Stat. 27:907-949; Banerjee (1960), Sankhya 22:357-358, for the sum of squared t quantiles.

    Args:
      scores: one row a seed, one column an image; bool, or any real number such as a paired difference.  # (S, n)
      level: the share of such intervals that hold the true mean.

    Returns:
      The mean and ``(low, high)``; None in the interval's place with one seed.

    Raises:
      DataError: not an array of at least one seed and two images, or it holds NaN or infinity.
      StudyFileError: ``level`` is not between 0 and 1.

    Example: three seeds with means 1, 2, 3, no difference between images: the t interval of the three means.
      >>> mean, (low, high) = two_way_interval(np.array([[1, 1], [2, 2], [3, 3]]))
      >>> mean, round(low, 3), round(high, 3)
      (2.0, -0.484, 4.484)
    """
    scores = np.asarray(scores)
    alpha = _alpha(level)
    sources = _sources(scores)
    if sources.seeds < 2:
        return sources.mean, None
    half = sqrt(_half_squared(sources, alpha))
    if scores.dtype != np.bool_:
        return sources.mean, (sources.mean - half, sources.mean + half)
    spread = sources.mean * (1 - sources.mean)
    most = float(scores.size)
    n = min(spread * (_t_quantile(np.inf, alpha) / half) ** 2, most) if half > 0 else most
    n = n if spread > 0 else float(scores.shape[1])
    return sources.mean, wilson_interval(min(sources.mean * n, n), n, level)


def paired_comparison(first: NDArray[Any], second: NDArray[Any]) -> PairedDifference:
    """The mean of ``first - second``, paired by seed and by image, with its intervals and p-value.

    The intervals are those of ``two_way_interval`` of the differences; the p-value is the smallest ``alpha`` whose
    ``1 - alpha`` interval leaves out 0. Both answer for new seeds and new images of the same kind. Two that agree on
    all of n images may still differ on others: the standard error is never taken to be below ``sqrt(2) / (n + 2)``,
    which is what one image won and one image lost, added to those that were seen, would bring.

    Assumes what ``two_way_interval`` assumes, and about ten images or more on which the two differ.

    Source: Bonett & Price (2012), J. Educ. Behav. Stat. 37:479-488, for the images that are added.

    Args:
      first, second: correctness, bool, the same seeds and images in the same order.  # (S, n)

    Returns:
      The difference, its 95 % and 90 % intervals and the two-sided p-value, all but the first None with one seed.

    Raises:
      DataError: the shapes differ, or what ``two_way_interval`` raises.

    Example: of four images, the first has all right with both seeds, the second one wrong with each.
      >>> first = np.array([[True, True, True, True], [True, True, True, True]])
      >>> second = np.array([[True, True, True, False], [True, True, False, True]])
      >>> result = paired_comparison(first, second)
      >>> result.difference, round(result.p_value, 2)
      (0.25, 0.33)
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        raise DataError(f"a paired comparison of arrays shaped {first.shape} and {second.shape}; give the same seeds "
                        "and the same images to both")  # fmt: skip
    sources = _sources(first.astype(np.float64) - second.astype(np.float64))
    sources = sources._replace(least=2 / (first.shape[1] + 2) ** 2)
    if sources.seeds < 2:
        return PairedDifference(sources.mean, None, None, None)
    half, half90 = sqrt(_half_squared(sources, 0.05)), sqrt(_half_squared(sources, 0.10))
    return PairedDifference(
        sources.mean,
        (sources.mean - half, sources.mean + half),
        (sources.mean - half90, sources.mean + half90),
        _p_value(sources),
    )


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """P-values adjusted for their number, so that the chance of any false alarm among them stays at the level.

    With the m values in ascending order, the i-th becomes ``max over j <= i of min(1, (m - j + 1) * p_j)``.

    Assumes nothing of how the tests depend on each other. Source: Holm (1979), Scand. J. Statist. 6:65-70.

    Args:
      p_values: in any order; None is a test that could not be made, stays None and does not count.

    Returns:
      The adjusted values in the same order.

    Raises:
      DataError: a value outside [0, 1].

    Example: ``3 * 0.01``, ``2 * 0.03``, and 0.04 lifted to its predecessor.
      >>> holm([0.04, 0.01, 0.03])
      (0.06, 0.03, 0.06)
    """
    made = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(made):
        if not 0 <= p <= 1:
            raise DataError(f"a p-value of {p} at position {i}; p-values lie between 0 and 1")
        largest = max(largest, min(1.0, (len(made) - rank) * p))
        adjusted[i] = largest
    return tuple(adjusted)


def verdict(
    difference: float,
    interval90: Interval | None,
    p_adjusted: float | None,
    margin: float = MARGIN,
    level: float = 0.05,
) -> Verdict:
    """What the evidence allows one to say of two variants.

    ``better`` or ``worse`` by the sign of the difference where ``p_adjusted < level``; else ``equivalent`` where the
    90 % interval lies within ``+-margin`` (two one-sided tests at 5 %); else ``undecided``, as with one seed.

    Assumes what the interval and the p-value assume. Source: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15:657-680.

    Args:
      difference: the mean paired difference.
      interval90: its 90 % interval, or None.
      p_adjusted: its p-value after ``holm``, or None.
      margin: the largest difference that does not matter.
      level: the chance of a false "better" or "worse".

    Raises:
      StudyFileError: a negative ``margin``, or a ``level`` that is not between 0 and 1.

    Example:
      >>> verdict(0.006, (0.003, 0.009), 0.01), verdict(0.0, (-0.0004, 0.0004), 1.0)
      ('better', 'equivalent')
    """
    _alpha(level)
    if not margin >= 0:
        raise StudyFileError(
            f"a margin of {margin}; give the largest accuracy difference that does not matter, 0 or more"
        )
    if p_adjusted is not None and p_adjusted < level:
        return "better" if difference > 0 else "worse"
    if interval90 is not None and -margin <= interval90[0] and interval90[1] <= margin:
        return "equivalent"
    return "undecided"


def compare_with_first(
    correctness: Mapping[str, Mapping[int, NDArray[np.bool_]]], margin: float = MARGIN
) -> tuple[Comparison, ...]:
    """Compare every other variant with the first, over the seeds that both have; Holm's correction over all of them.

    A variant that shares no seed with the first has no entry. With one shared seed the entry is the bare difference,
    undecided. Seeds that one of the two lost, by divergence, are left out of both: it speaks of runs that end well.

    Assumes and follows ``paired_comparison``, ``holm`` and ``verdict``.

    Args:
      correctness: variant -> seed -> whether each test image was classified correctly.  # bool (M,)
      margin: the largest difference in accuracy that does not matter.

    Returns:
      One comparison a variant, in their order, of the metric ``"test_accuracy"``.

    Raises:
      DataError: runs that were judged on different numbers of test images.
      StudyFileError: a negative ``margin``.

    Example: one seed cannot tell.
      >>> right, wrong = np.array([True, True]), np.array([True, False])
      >>> (comparison,) = compare_with_first({"baseline": {0: wrong}, "l2": {0: right}})
      >>> comparison.variant, comparison.difference, comparison.verdict
      ('l2', 0.5, 'undecided')
    """
    if not correctness:
        return ()
    sizes = {len(image) for runs in correctness.values() for image in runs.values()}
    if len(sizes) > 1:
        raise DataError(f"runs judged on different numbers of test images ({', '.join(map(str, sorted(sizes)))}); "
                        "judge all of them on the same test set")  # fmt: skip
    against, *others = correctness
    pairs: dict[str, PairedDifference] = {}
    for name in others:
        seeds = sorted(correctness[against].keys() & correctness[name].keys())
        if seeds:
            both = [np.stack([correctness[v][s] for s in seeds]) for v in (name, against)]  # 2 x (S, M)
            pairs[name] = paired_comparison(*both)
    adjusted = holm([pair.p_value for pair in pairs.values()])
    return tuple(
        Comparison(
            variant=name,
            against=against,
            metric="test_accuracy",
            difference=pair.difference,
            interval=pair.interval,
            p_value=pair.p_value,
            p_adjusted=p,
            verdict=verdict(pair.difference, pair.interval90, p, margin),
        )
        for (name, pair), p in zip(pairs.items(), adjusted, strict=True)
    )


class _Sources(NamedTuple):
    """The mean of an array of scores and where its chance comes from."""

    mean: float
    seeds: int
    seed: float  # V_seed: variance of the mean that the seeds bring, the rest included
    image: float  # V_image: what the images bring beyond it, not below 0
    image_alone: float  # variance of the mean if the seeds were fixed
    image_df: int
    least: float = 0.0  # the variance of the mean is not taken to be below it


def _sources(scores: NDArray[Any]) -> _Sources:
    """The two-way analysis of variance of (S, n) scores, without ever forming the residuals."""
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise DataError(f"scores shaped {scores.shape}; give one row a seed and one column a test image, two or more")
    x: FloatArray = scores.astype(np.float64)  # (S, n)
    S, n = x.shape
    mean = float(x.mean())
    if not np.isfinite(mean):
        raise DataError("scores that hold NaN or infinity; leave diverged runs out")
    image_means = x.mean(axis=0)  # (n,)
    informative = int(np.count_nonzero(image_means))
    x -= mean
    by_seed = n * float(np.sum(x.mean(axis=1) ** 2))
    by_image = S * float(np.sum((image_means - mean) ** 2))
    rest = max(float(np.vdot(x, x)) - by_seed - by_image, 0.0)
    seed = by_seed / max(S - 1, 1) / (S * n)
    alone = by_image / (n - 1) / (S * n)
    residual = rest / max((S - 1) * (n - 1), 1) / (S * n)
    return _Sources(mean, S, seed, max(alone - residual, 0.0), alone, max(informative - 1, 1))


def _half_squared(sources: _Sources, alpha: float) -> float:
    """The squared half-width of the ``1 - alpha`` interval."""
    t_image = _t_quantile(sources.image_df, alpha)
    t_seed = _t_quantile(sources.seeds - 1, alpha)
    estimated = max(t_seed**2 * sources.seed + t_image**2 * sources.image, t_image**2 * sources.image_alone)
    return max(estimated, _t_quantile(np.inf, alpha) ** 2 * sources.least)


def _p_value(sources: _Sources) -> float:
    """The ``alpha`` at which the interval's end is 0: the half-width falls as ``alpha`` grows, so there is one."""
    from scipy.optimize import brentq

    target = sources.mean**2
    if target == 0:
        return 1.0
    if _half_squared(sources, _SMALLEST_P) <= target:
        return _SMALLEST_P
    return exp(brentq(lambda a: _half_squared(sources, exp(a)) - target, log(_SMALLEST_P), 0.0, xtol=1e-12))


def _t_quantile(df: float, alpha: float) -> float:
    """The two-sided ``alpha`` quantile of Student's t; of the normal distribution where ``df`` is infinite."""
    from scipy.special import ndtri, stdtrit

    return float(-ndtri(alpha / 2) if np.isinf(df) else -stdtrit(df, alpha / 2))


def _alpha(level: float) -> float:
    if not 0 < level < 1:
        raise StudyFileError(f"a level of {level}; give a share between 0 and 1, such as 0.95")
    return 1 - level
