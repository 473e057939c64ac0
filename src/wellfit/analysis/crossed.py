"""Seeds and test images as crossed sources of chance: what variance each brings to a mean, and how wide that makes it.

Scores are arrays of one row a seed and one column a test image, crossed: every seed is judged on every image. The
methods of ``intervals``, ``comparisons`` and ``power`` stand on this.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, log
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray
from wellfit.errors import DataError, StudyFileError

__all__ = ["Interval", "Sources", "checked_alpha", "half_squared", "p_value", "sources", "t_quantile", "with_seeds"]

Interval = tuple[float, float]

_SMALLEST_P: Final = 1e-100  # what is smaller is given as this: no test set supports such a claim anyway


class Sources(NamedTuple):
    """The mean of an array of scores and where its chance comes from."""

    mean: float
    seeds: int
    seed: float  # V_seed: variance of the mean that the seeds bring, the rest included
    image: float  # V_image: what the images bring beyond it, not below 0
    image_alone: float  # variance of the mean if the seeds were fixed
    image_df: int
    least: float = 0.0  # the variance of the mean is not taken to be below it


def sources(scores: NDArray[Any]) -> Sources:
    """The two-way analysis of variance, without ever forming the residuals.

    Assumes ``score = mean + seed + image + rest``, all drawn independently. Source: Cornfield & Tukey (1956), Ann.
    Math. Stat. 27:907-949, for the expected mean squares.

    Args:
      scores: one row a seed, one column an image; any real numbers.  # (S, n)

    Raises:
      DataError: not an array of at least one seed and two images, or it holds NaN or infinity.

    Example: three seeds that differ, images that do not.
      >>> found = sources(np.array([[1, 1], [2, 2], [3, 3]]))
      >>> found.mean, round(found.seed, 4), found.image
      (2.0, 0.3333, 0.0)
    """
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
    return Sources(mean, S, seed, max(alone - residual, 0.0), alone, max(informative - 1, 1))


def with_seeds(found: Sources, seeds: int) -> Sources:
    """What the sources are expected to be with another number of seeds, on the same images: seeds average out.

    Args:
      found: as measured.
      seeds: how many seeds there would be.

    Example: twice the seeds halve their variance, and leave that of the images.
      >>> with_seeds(Sources(0.9, 5, 4e-6, 9e-6, 10e-6, 99), 10)
      Sources(mean=0.9, seeds=10, seed=2e-06, image=9e-06, image_alone=9.5e-06, image_df=99, least=0.0)
    """
    share = found.seeds / seeds
    alone = found.image + (found.image_alone - found.image) * share
    return found._replace(seeds=seeds, seed=found.seed * share, image_alone=alone)


def half_squared(found: Sources, alpha: float) -> float:
    """The squared half-width of the ``1 - alpha`` interval of ``intervals.two_way_interval``.

    Args:
      found: of at least two seeds.
      alpha: the share of intervals that may miss.

    Example: seeds alone, the square of ``t(2) * sd / sqrt(3)``.
      >>> round(half_squared(sources(np.array([[1, 1], [2, 2], [3, 3]])), 0.05) ** 0.5, 3)
      2.484
    """
    t_image = t_quantile(found.image_df, alpha)
    t_seed = t_quantile(found.seeds - 1, alpha)
    estimated = max(t_seed**2 * found.seed + t_image**2 * found.image, t_image**2 * found.image_alone)
    return max(estimated, t_quantile(np.inf, alpha) ** 2 * found.least)


def p_value(found: Sources) -> float:
    """The ``alpha`` at which the interval's end is 0: the half-width falls as ``alpha`` grows, so there is one.

    Args:
      found: of at least two seeds.

    Returns:
      Between 1e-100 and 1, two-sided.

    Example: what the t test of three seeds gives where images do not matter.
      >>> round(p_value(sources(np.array([[1, 1], [2, 2], [3, 3]]))), 4)
      0.0742
    """
    from scipy.optimize import brentq

    target = found.mean**2
    if target == 0:
        return 1.0
    if half_squared(found, _SMALLEST_P) <= target:
        return _SMALLEST_P
    return exp(brentq(lambda a: half_squared(found, exp(a)) - target, log(_SMALLEST_P), 0.0, xtol=1e-12))


@lru_cache(maxsize=1024)
def t_quantile(df: float, alpha: float) -> float:
    """The two-sided ``alpha`` quantile of Student's t; of the normal distribution where ``df`` is infinite.

    Example:
      >>> round(t_quantile(4, 0.05), 3), round(t_quantile(float("inf"), 0.05), 3)
      (2.776, 1.96)
    """
    from scipy.special import ndtri, stdtrit

    return float(-ndtri(alpha / 2) if np.isinf(df) else -stdtrit(df, alpha / 2))


def checked_alpha(level: float) -> float:
    """The share that may miss, of a level that is a share between 0 and 1.

    Raises:
      StudyFileError: ``level`` is not between 0 and 1.

    Example:
      >>> checked_alpha(0.75)
      0.25
    """
    if not 0 < level < 1:
        raise StudyFileError(f"a level of {level}; give a share between 0 and 1, such as 0.95")
    return 1 - level
