"""Intervals of one variant: over its seeds, over the test images, over both, of a median, and for one more run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import Interval, checked_alpha, half_squared, t_quantile, variance_components
from wellfit.base import IntArray, TestRows
from wellfit.errors import DataError

__all__ = [
    "MedianInterval",
    "exact_interval",
    "median_interval",
    "prediction_interval",
    "t_interval",
    "two_way_interval",
    "wilson_interval",
]


_ENOUGH: Final = 10  # groups with a wrong answer, to know how alike a group's examples are


class MedianInterval(NamedTuple):
    """A median, the two order statistics that bracket it, and the probability that they contain the true median."""

    median: float
    low: float
    high: float
    coverage: float


def t_interval(values: Iterable[float], level: float = 0.95) -> Interval | None:
    """The interval of a mean over seeds: ``mean +- t(S - 1) * sd / sqrt(S)``.

    It covers the variation between seeds only; use ``two_way_interval`` for scores measured on test images.

    Assumes independent, nearly normal values. Source: Student (1908), "The probable error of a mean".

    Args:
      values: one number per seed.
      level: nominal coverage.

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
    alpha = checked_alpha(level)
    array = np.asarray(list(values), dtype=np.float64)  # (S,)
    if not np.isfinite(array).all():
        raise DataError("the values of an interval contain NaN or infinity; leave out diverged runs")
    if array.size < 2:
        return None
    half = t_quantile(array.size - 1, alpha) * float(array.std(ddof=1)) / sqrt(array.size)
    return float(array.mean()) - half, float(array.mean()) + half


def prediction_interval(values: Iterable[float]) -> Interval | None:
    """The 95 % prediction interval of one more run: ``mean +- t(S - 1) * sd * sqrt(1 + 1 / S)``.

    It covers the variation between seeds only: the run is judged on the same test images.

    Assumes independent, nearly normal values. Source: Geisser (1993), "Predictive inference", ch. 2.

    Args:
      values: one number per seed.

    Returns:
      ``(low, high)``, or None with fewer than two values.

    Raises:
      DataError: a value is NaN or infinite.

    Example: twice as wide as the interval of the mean of three, since ``sqrt(1 + 1 / 3) = 2 * sqrt(1 / 3)``.
      >>> low, high = prediction_interval([2.0, 3.0, 4.0])
      >>> round(low, 3), round(high, 3)
      (-1.968, 7.968)
    """
    array = np.asarray(list(values), dtype=np.float64)  # (S,)
    of_mean = t_interval(array)
    if of_mean is None:
        return None
    half = (of_mean[1] - of_mean[0]) / 2 * sqrt(array.size + 1)
    return float(array.mean()) - half, float(array.mean()) + half


def wilson_interval(successes: float, n: float, level: float = 0.95) -> Interval:
    """The interval of a proportion: all p with ``|successes / n - p| <= z * sqrt(p (1 - p) / n)``.

    It stays within [0, 1] and remains valid near the ends, where ``p +- z * se`` fails: ten of ten is no certainty.

    Assumes independent trials. Source: Wilson (1927), JASA 22:209-212.

    Args:
      successes: a fraction if ``n`` is an effective sample size.
      n: number of trials.
      level: nominal coverage.

    Raises:
      DataError: not ``0 <= successes <= n`` with ``n > 0``.
      StudyFileError: ``level`` is not between 0 and 1.

    Example: ten of ten correct; the lower end is ``n / (n + z**2) = 10 / 13.84``.
      >>> low, high = wilson_interval(10, 10)
      >>> round(low, 4), high
      (0.7225, 1.0)
    """
    if not (0 <= successes <= n and n > 0):
        raise DataError(f"{successes} successes of {n} trials; need 0 <= successes <= n and n > 0")
    z2 = t_quantile(np.inf, checked_alpha(level)) ** 2
    center = (successes + z2 / 2) / (n + z2)
    half = sqrt(z2 * (successes * (n - successes) / n + z2 / 4)) / (n + z2)
    # At the ends the formula gives 0 and 1 up to rounding.
    return 0.0 if successes == 0 else max(center - half, 0.0), 1.0 if successes == n else min(center + half, 1.0)


def exact_interval(successes: float, n: float, level: float = 0.95) -> Interval:
    """The interval of a proportion that covers it with at least the nominal probability, for every n and proportion.

    Its ends are the proportions at which as few, or as many, successes have a probability of ``alpha / 2``. Wilson's
    is a little shorter, but near 0 and 1 covers in fewer than 93 % of cases: 91 % at 99.5 % of 100.

    Assumes independent trials. Source: Clopper & Pearson (1934), Biometrika 26:404-413.

    Args:
      successes: a fraction if ``n`` is an effective sample size.
      n: number of trials.
      level: nominal coverage.

    Raises:
      DataError: not ``0 <= successes <= n`` with ``n > 0``.
      StudyFileError: ``level`` is not between 0 and 1.

    Example: ten of ten correct; the lower end is ``0.025 ** (1 / 10)``.
      >>> low, high = exact_interval(10, 10)
      >>> round(low, 4), high
      (0.6915, 1.0)
    """
    from scipy.special import betaincinv

    if not (0 <= successes <= n and n > 0):
        raise DataError(f"{successes} successes of {n} trials; need 0 <= successes <= n and n > 0")
    tail, failures = checked_alpha(level) / 2, n - successes
    low = float(betaincinv(successes, failures + 1, tail)) if successes > 0 else 0.0
    return low, float(betaincinv(successes + 1, failures, 1 - tail)) if failures > 0 else 1.0


def two_way_interval(
    scores: Iterable[NDArray[Any]], level: float = 0.95, tested: TestRows | None = None, step: float | None = None
) -> tuple[float, Interval | None]:
    """The mean over seeds and test examples, with an interval for new seeds and new examples.

    From the variance components of ``crossed.variance_components``, with S seeds, the interval is

        mean +- sqrt(t(S - 1)**2 * seed + t(f)**2 * (examples - overlap)),

    and never narrower than that for examples alone; ``f`` allows for few informative examples, or few groups. For
    normal effects its coverage is at least ``level`` for every S from 2 on and every balance of the two sources.
    Satterthwaite's degrees of freedom, the usual choice, fall short: with 2 or 3 seeds a nominal 5 % test rejects in up
    to 11 % or 9 % of studies. Two seeds are valid but seldom useful: t(1) = 12.7.

    This is the default because its coverage does not fall short; ``bootstrap.two_way_bootstrap`` is the second opinion.
    ``docs/statistics.md`` has the coverage of both in simulated studies.

    Boolean scores are correctness, and their mean is a proportion. Its interval is then ``exact_interval``, with the
    sample size at which binomial sampling would give the width above (Korn & Graubard 1998, Survey Methodology
    24:193-201), at most the number of examples: judging an example with further seeds makes it no other example. With
    groups it is at most their number if fewer than ten hold a wrong answer (or a right one): such a sample does not
    tell how alike the examples of a group are.

    Assumes seeds and examples drawn independently, and seed means near normal. An accident that no seed of the study
    met with, such as a failure of one seed in ten, is not covered. Sources: Cornfield & Tukey (1956), Ann. Math. Stat.
    27:907-949; Banerjee (1960), Sankhya 22:357-358, for the sum of squared t quantiles.

    Args:
      scores: one array per seed; bool or real, for example paired differences.  # (m,) each
      level: nominal coverage.
      tested: which examples they belong to, in the order of its seeds; None if every seed judges all examples.
      step: as for ``crossed.variance_components``.

    Returns:
      The mean and ``(low, high)``, or the mean and None with one seed.

    Raises:
      DataError: as in ``crossed.variance_components``.
      StudyFileError: ``level`` is not between 0 and 1.

    Example: three seeds with means 1, 2, 3 and examples that do not differ: the t interval of the three means.
      >>> mean, (low, high) = two_way_interval(np.array([[1, 1], [2, 2], [3, 3]]))
      >>> mean, round(low, 3), round(high, 3)
      (2.0, -0.484, 4.484)
    """
    rows = [np.asarray(one) for one in scores]
    alpha = checked_alpha(level)
    components = variance_components(rows, tested, step)
    mean = components.mean
    if components.seeds < 2:
        return mean, None
    half = sqrt(half_squared(components, alpha))
    if rows[0].dtype != np.bool_:  # of differences, losses, or runs whose score alone is known
        return mean, (mean - half, mean + half)
    spread, n = mean * (1 - mean), float(components.judged)
    if spread > 0:
        n = min(spread * (t_quantile(np.inf, alpha) / half) ** 2, n) if half > 0 else n
    if tested is not None and tested.groups is not None and _fewest_groups(rows, tested) < _ENOUGH:
        n = min(n, components.df + 1)
    return mean, exact_interval(min(mean * n, n), n, level)


def _fewest_groups(rows: Sequence[NDArray[np.bool_]], tested: TestRows) -> int:
    """In how many groups any answer is wrong, or is right, whichever is less."""
    groups = np.zeros(0, int) if tested.groups is None else tested.groups
    found: list[set[int]] = [set(), set()]
    for one, at in zip(rows, tested.rows.values(), strict=True):
        for kind in (False, True):
            found[kind].update(np.unique(groups[at][one == kind]).tolist())
    return min(map(len, found))


def median_interval(values: Sequence[float] | IntArray, level: float = 0.95) -> MedianInterval:
    """The median and the narrowest pair of order statistics that contains the true median often enough.

    ``P(x_(k) <= median <= x_(n+1-k)) = 1 - 2 P(Binomial(n, 1/2) < k)`` for any distribution. With fewer than six values
    no pair reaches 95 %: the interval then runs from the smallest to the largest, and ``coverage`` states its actual
    level, 94 % for five values and 75 % for three.

    For an even number of values the median is the lower of the two middle ones, so that it is one of the values (an
    epoch at which a run can be stopped). Infinity means "later than all others".

    Assumes independent values. Source: Thompson (1936), Ann. Math. Stat. 7:122-128; Conover (1999), section 3.2.

    Args:
      values: at least one.
      level: coverage to reach if possible.

    Example:
      >>> median_interval([7, 9, 8, 12, 8])
      MedianInterval(median=8.0, low=7.0, high=12.0, coverage=0.9375)
    """
    from scipy.special import bdtr

    ordered = np.sort(np.asarray(values, dtype=np.float64))  # (n,)
    n = len(ordered)
    reached = [k for k in range(1, (n + 1) // 2 + 1) if 1 - 2 * float(bdtr(k - 1, n, 0.5)) >= level]
    k = max(reached, default=1)
    coverage = max(0.0, 1 - 2 * float(bdtr(k - 1, n, 0.5)))
    return MedianInterval(float(ordered[(n - 1) // 2]), float(ordered[k - 1]), float(ordered[n - k]), coverage)
