"""Seeds and test images as crossed random effects: the variance each contributes to a mean, and the interval it gives.

Scores are arrays with one row per seed and one column per test image; every seed is judged on every image. The modules
``intervals``, ``comparisons`` and ``power`` build on this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import exp, log
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray
from wellfit.errors import DataError, StudyFileError

__all__ = [
    "Interval",
    "VarianceComponents",
    "checked_alpha",
    "half_squared",
    "p_value",
    "t_quantile",
    "variance_components",
    "with_seeds",
]

Interval = tuple[float, float]

_BLOCK: Final = 2**20  # scores in float64 at once: 8 MiB
_SMALLEST_P: Final = 1e-100  # smaller values are reported as this; no test set supports such a claim anyway


class VarianceComponents(NamedTuple):
    """The mean of an array of scores and the variance components of that mean."""

    mean: float
    seeds: int
    seed: float  # V_seed: variance of the mean due to the seeds, residual included
    image: float  # V_image: additional variance due to the images, at least 0
    image_alone: float  # variance of the mean if the seeds were fixed
    image_df: int
    floor: float = 0.0  # smallest variance that the mean is credited with


def variance_components(scores: NDArray[Any]) -> VarianceComponents:
    """Two-way analysis of variance, without ever forming the residuals.

    Assumes ``score = mean + seed + image + residual`` with all effects drawn independently.

    Source: Cornfield & Tukey (1956), Ann. Math. Stat. 27:907-949, for the expected mean squares.

    Args:
      scores: one row per seed, one column per image; any real numbers.  # (S, n)

    Raises:
      DataError: fewer than one seed or two images, or NaN or infinity among the scores.

    Example: three seeds that differ, images that do not.
      >>> components = variance_components(np.array([[1, 1], [2, 2], [3, 3]]))
      >>> components.mean, round(components.seed, 4), components.image
      (2.0, 0.3333, 0.0)
    """
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise DataError(f"scores of shape {scores.shape}; pass one row per seed and one column per test image, "
                        "at least two")  # fmt: skip
    S, n = scores.shape
    of_images = sum((x.sum(axis=0) for x in _blocks(scores)), np.zeros(n))  # (n,)
    mean = float(of_images.sum()) / (S * n)
    if not np.isfinite(mean):
        raise DataError("the scores contain NaN or infinity; leave out diverged runs")
    image_means = of_images / S  # (n,)
    informative = int(np.count_nonzero(image_means))
    squares = by_seed = 0.0
    for x in _blocks(scores):
        centered = np.subtract(x, mean, out=x)  # (s, n); first, so that little cancels below
        squares += float(np.vdot(centered, centered))
        by_seed += n * float(np.sum(centered.mean(axis=1) ** 2))
    by_image = S * float(np.sum((image_means - mean) ** 2))
    rest = max(squares - by_seed - by_image, 0.0)
    seed = by_seed / max(S - 1, 1) / (S * n)
    alone = by_image / (n - 1) / (S * n)
    residual = rest / max((S - 1) * (n - 1), 1) / (S * n)
    return VarianceComponents(mean, S, seed, max(alone - residual, 0.0), alone, max(informative - 1, 1))


def _blocks(scores: NDArray[Any]) -> Iterator[FloatArray]:
    """Copies of a few rows at a time, as float64.  # (s, n) each"""
    rows = max(1, _BLOCK // scores.shape[1])
    for begin in range(0, len(scores), rows):
        yield scores[begin : begin + rows].astype(np.float64)


def with_seeds(components: VarianceComponents, seeds: int) -> VarianceComponents:
    """The components expected with another number of seeds on the same images.

    Example: twice the seeds halve the variance due to seeds and leave the variance due to images.
      >>> with_seeds(VarianceComponents(0.9, 5, 4e-6, 9e-6, 10e-6, 99), 10)
      VarianceComponents(mean=0.9, seeds=10, seed=2e-06, image=9e-06, image_alone=9.5e-06, image_df=99, floor=0.0)
    """
    share = components.seeds / seeds
    alone = components.image + (components.image_alone - components.image) * share
    return components._replace(seeds=seeds, seed=components.seed * share, image_alone=alone)


def half_squared(components: VarianceComponents, alpha: float) -> float:
    """The squared half-width of the ``1 - alpha`` interval of ``intervals.two_way_interval``.

    Args:
      components: from at least two seeds.
      alpha: error rate of the interval.

    Example: with seeds alone, the square of ``t(2) * sd / sqrt(3)``.
      >>> round(half_squared(variance_components(np.array([[1, 1], [2, 2], [3, 3]])), 0.05) ** 0.5, 3)
      2.484
    """
    t_image = t_quantile(components.image_df, alpha)
    t_seed = t_quantile(components.seeds - 1, alpha)
    both = t_seed**2 * components.seed + t_image**2 * components.image
    estimated = max(both, t_image**2 * components.image_alone)
    return max(estimated, t_quantile(np.inf, alpha) ** 2 * components.floor)


def p_value(components: VarianceComponents) -> float:
    """The ``alpha`` whose interval ends at 0; unique, because the half-width shrinks as ``alpha`` grows.

    Args:
      components: from at least two seeds.

    Returns:
      Two-sided, between 1e-100 and 1.

    Example: the t test over three seeds, since the images do not matter here.
      >>> round(p_value(variance_components(np.array([[1, 1], [2, 2], [3, 3]]))), 4)
      0.0742
    """
    from scipy.optimize import brentq

    target = components.mean**2
    if target == 0:
        return 1.0
    if half_squared(components, _SMALLEST_P) <= target:
        return _SMALLEST_P
    return exp(brentq(lambda a: half_squared(components, exp(a)) - target, log(_SMALLEST_P), 0.0, xtol=1e-12))


@lru_cache(maxsize=1024)
def t_quantile(df: float, alpha: float) -> float:
    """The two-sided ``alpha`` quantile of Student's t; of the normal distribution if ``df`` is infinite.

    Example:
      >>> round(t_quantile(4, 0.05), 3), round(t_quantile(float("inf"), 0.05), 3)
      (2.776, 1.96)
    """
    from scipy.special import ndtri, stdtrit

    return float(-ndtri(alpha / 2) if np.isinf(df) else -stdtrit(df, alpha / 2))


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
