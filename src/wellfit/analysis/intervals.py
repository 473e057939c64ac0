"""Intervals of one variant: over its seeds, over the test images, and over both sources of chance together."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import Interval, checked_alpha, half_squared, sources, t_quantile
from wellfit.errors import DataError

__all__ = ["t_interval", "two_way_interval", "wilson_interval"]


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
    alpha = checked_alpha(level)
    array = np.asarray(list(values), dtype=np.float64)  # (S,)
    if not np.isfinite(array).all():
        raise DataError("an interval of values that hold NaN or infinity; leave diverged runs out")
    if array.size < 2:
        return None
    half = t_quantile(array.size - 1, alpha) * float(array.std(ddof=1)) / sqrt(array.size)
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
    z2 = t_quantile(np.inf, checked_alpha(level)) ** 2
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

    This is the default, and ``bootstrap.two_way_bootstrap`` the second opinion, because it does not fall short. In
    2000 simulated studies of 10,000 images, an accuracy of 0.88, and networks whose true accuracy varies by 0.3 points,
    with 3, 5 and 10 seeds this interval held the truth in 98.2, 96.4 and 95.7 %, the bootstrap's in 95.7, 95.3 and
    96.1 %. Where it varies by 1 point: 96.5, 96.4 and 96.0 %, and the bootstrap's 85.2, 90.8 and 94.0 % (Monte Carlo
    error 0.5). Few seeds cannot tell which of the two cases one has.

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
    alpha = checked_alpha(level)
    found = sources(scores)
    if found.seeds < 2:
        return found.mean, None
    half = sqrt(half_squared(found, alpha))
    if scores.dtype != np.bool_:
        return found.mean, (found.mean - half, found.mean + half)
    spread = found.mean * (1 - found.mean)
    most = float(scores.size)
    n = min(spread * (t_quantile(np.inf, alpha) / half) ** 2, most) if half > 0 else most
    n = n if spread > 0 else float(scores.shape[1])
    return found.mean, wilson_interval(min(found.mean * n, n), n, level)
