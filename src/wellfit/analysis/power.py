"""How many more seeds would probably decide an undecided comparison."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.comparisons import MARGIN, difference_components
from wellfit.analysis.crossed import VarianceComponents, half_squared, t_quantile, with_seeds
from wellfit.base import FloatArray
from wellfit.errors import StudyFileError

__all__ = ["further_seeds"]

_GRID: Final = 25  # values of the unknown variance to average over


def further_seeds(
    first: NDArray[Any],
    second: NDArray[Any],
    comparisons: int = 1,
    margin: float = MARGIN,
    probability: float = 0.8,
    most: int = 100,
) -> int | None:
    """How many more seeds would probably turn an undecided comparison into better, worse or equivalent.

    The S seeds so far are kept; m new ones on the same test images are predicted from them. With s**2 the variance of
    the seeds' differences, the mean over all S + m follows the predictive distribution

        mean' = mean + sigma sqrt(m / (S (S + m))) N(0, 1),    sigma**2 = s**2 (S - 1) / chi2(S - 1).

    The half-width of the interval is then that of S + m seeds, m of which have the variance sigma**2: the part due to
    seeds shrinks, the part due to images stays. The result is the smallest m for which better, worse and equivalent
    together have the requested ``probability`` (predictive power). Adding seeds because the first ones did not decide
    is a second analysis of the study: its level needs ``sequential``.

    Assumes what ``paired_comparison`` assumes, normal differences between seeds, and a flat prior for the true
    difference. In simulations from that prior at least four in five were decided, as promised; where true differences
    are small beside the spread of the seeds, so that the observed difference is mostly luck, two in three
    (``docs/statistics.md``). Holm's correction is approximated by its first step, Bonferroni's.

    Source: Spiegelhalter, Freedman & Blackburn (1986), Controlled Clinical Trials 7:8-17; Geisser (1993), "Predictive
    inference".

    Args:
      first, second: correctness, bool, the same seeds and images in the same order.  # (S, n)
      comparisons: how many the study makes.
      margin: largest difference of no practical interest.
      probability: required probability of a decision.
      most: largest number of further seeds to consider.

    Returns:
      At least 1. None with fewer than two seeds, which show no spread, and if even ``most`` would not suffice: the
      difference is too small for so few test images, or about as large as the margin.

    Raises:
      DataError: as in ``paired_comparison``.
      StudyFileError: not ``comparisons >= 1``, ``margin >= 0`` and ``0 < probability < 1``.

    Example: three seeds that differ by 0.8 points on average over 2000 images.
      >>> second = np.ones((3, 2000), dtype=bool)
      >>> second[0, :4] = second[1, 4:24] = second[2, 24:48] = False
      >>> further_seeds(np.ones((3, 2000), dtype=bool), second)
      9
    """
    if comparisons < 1 or not margin >= 0 or not 0 < probability < 1:
        raise StudyFileError(f"{comparisons} comparisons, a margin of {margin} and a probability of {probability}; "
                             "use at least 1, at least 0, and a number between 0 and 1")  # fmt: skip
    components = difference_components(first, second)
    if components.seeds < 2:
        return None
    alpha = 0.05 / comparisons
    enough = (m for m in range(1, most + 1) if _decision_probability(components, m, alpha, margin) >= probability)
    return next(enough, None)


def _decision_probability(components: VarianceComponents, m: int, alpha: float, margin: float) -> float:
    """The predictive probability that m further seeds decide the comparison."""
    from scipy.special import ndtr

    S = components.seeds
    grown = with_seeds(components, S + m)
    ratios = _variance_ratios(S - 1)  # true over estimated variance of the seeds (GRID,)
    sd = np.sqrt(components.seed * ratios * m / (S + m))  # (GRID,)
    seed = grown.seed * (S - 1 + m * ratios) / (S - 1 + m)  # (GRID,)
    beyond = _half_widths(grown, seed, alpha)  # (GRID,)
    within = np.minimum(np.maximum(margin - _half_widths(grown, seed, 0.10), 0.0), beyond)  # (GRID,)
    bounds = np.stack([-beyond, -within, within, beyond])  # (4, GRID)
    with np.errstate(over="ignore"):  # without variation between seeds, infinitely many deviations away
        worse, low, high, not_better = ndtr((bounds - components.mean) / np.maximum(sd, np.finfo(float).tiny))
    return float(np.mean(worse + (high - low) + (1 - not_better)))


def _half_widths(components: VarianceComponents, seed: FloatArray, alpha: float) -> FloatArray:
    """The root of ``half_squared`` for many seed variances at once: it is linear in them, above a floor."""
    floor = half_squared(components._replace(seed=0.0), alpha)
    images = t_quantile(components.image_df, alpha) ** 2 * components.image
    estimated = t_quantile(components.seeds - 1, alpha) ** 2 * seed + images
    halves: FloatArray = np.sqrt(np.maximum(estimated, floor))  # as seed
    return halves


@lru_cache
def _variance_ratios(df: int) -> FloatArray:
    """Equally probable values of ``df / chi2(df)``."""
    from scipy.special import chdtri

    ratios: FloatArray = df / chdtri(df, (np.arange(_GRID) + 0.5) / _GRID)  # (GRID,)
    return ratios
