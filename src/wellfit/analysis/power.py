"""How many more seeds would probably decide what is undecided."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.comparisons import MARGIN, difference_sources
from wellfit.analysis.crossed import Sources, half_squared, t_quantile, with_seeds
from wellfit.base import FloatArray
from wellfit.errors import StudyFileError

__all__ = ["further_seeds"]

_GRID: Final = 25  # values of the unknown variance that are averaged over


def further_seeds(
    first: NDArray[Any],
    second: NDArray[Any],
    comparisons: int = 1,
    margin: float = MARGIN,
    probability: float = 0.8,
    most: int = 100,
) -> int | None:
    """How many seeds more would probably turn an undecided comparison into better, worse or equivalent.

    What S seeds have shown stays; m new ones on the same test images are predicted from it. With the variance s**2 of
    the seeds' differences, the mean over all S + m lies about the present one as

        mean' = mean + sigma sqrt(m / (S (S + m))) N(0, 1),    sigma**2 = s**2 (S - 1) / chi2(S - 1),

    the predictive distribution. The half-width of the interval then is that of S + m seeds, m of which have the
    variance sigma**2: the seeds' part shrinks, the images' stays. Counted is the smallest m for which better, worse
    and equivalent together have the ``probability`` asked for (predictive power). Adding seeds because the first did
    not decide is a second look at the study: its level needs ``sequential``.

    Assumes what ``paired_comparison`` assumes, normal differences between seeds, and before the study no true
    difference likelier than another. In simulations like that at least four in five were decided, as promised; where
    true differences are small beside the spread of the seeds, so that what was observed is mostly luck, two in three
    (``docs/statistics.md``). Holm's correction is taken as Bonferroni's, its first step.

    Source: Spiegelhalter, Freedman & Blackburn (1986), Controlled Clinical Trials 7:8-17; Geisser (1993), "Predictive
    inference".

    Args:
      first, second: correctness, bool, the same seeds and images in the same order.  # (S, n)
      comparisons: how many the study has.
      margin: the largest difference that does not matter.
      probability: how probably it is to be decided.
      most: the most further seeds that are considered.

    Returns:
      The number of further seeds, 1 or more; None with fewer than two seeds, which show no spread, and where even
      ``most`` would not do: the difference is too small for so few test images, or about as large as the margin.

    Raises:
      DataError: as ``paired_comparison``.
      StudyFileError: not ``comparisons >= 1``, ``margin >= 0`` and ``0 < probability < 1``.

    Example: three seeds that differ by 0.8 points on average, of 2000 images.
      >>> second = np.ones((3, 2000), dtype=bool)
      >>> second[0, :4] = second[1, 4:24] = second[2, 24:48] = False
      >>> further_seeds(np.ones((3, 2000), dtype=bool), second)
      9
    """
    if comparisons < 1 or not margin >= 0 or not 0 < probability < 1:
        raise StudyFileError(f"{comparisons} comparisons, a margin of {margin} and a probability of {probability}; "
                             "give 1 or more, 0 or more, and a share between 0 and 1")  # fmt: skip
    found = difference_sources(first, second)
    if found.seeds < 2:
        return None
    enough = (m for m in range(1, most + 1) if _decided(found, m, 0.05 / comparisons, margin) >= probability)
    return next(enough, None)


def _decided(found: Sources, m: int, alpha: float, margin: float) -> float:
    """The predictive probability that m further seeds decide."""
    from scipy.special import ndtr

    S = found.seeds
    then = with_seeds(found, S + m)
    ratios = _variance_ratios(S - 1)  # of the seeds' true variance and the estimated one (GRID,)
    sd = np.sqrt(found.seed * ratios * m / (S + m))  # (GRID,)
    seed = then.seed * (S - 1 + m * ratios) / (S - 1 + m)  # (GRID,)
    beyond = _halves(then, seed, alpha)  # (GRID,)
    within = np.minimum(np.maximum(margin - _halves(then, seed, 0.10), 0.0), beyond)  # (GRID,)
    ends = np.stack([-beyond, -within, within, beyond])  # (4, GRID)
    worse, low, high, not_better = ndtr((ends - found.mean) / np.maximum(sd, np.finfo(float).tiny))
    return float(np.mean(worse + (high - low) + (1 - not_better)))


def _halves(found: Sources, seed: FloatArray, alpha: float) -> FloatArray:
    """The root of ``half_squared`` for many variances of the seeds at once: it is linear in them, above a floor."""
    floor = half_squared(found._replace(seed=0.0), alpha)
    images = t_quantile(found.image_df, alpha) ** 2 * found.image
    halves: FloatArray = np.sqrt(np.maximum(t_quantile(found.seeds - 1, alpha) ** 2 * seed + images, floor))  # as seed
    return halves


@lru_cache
def _variance_ratios(df: int) -> FloatArray:
    """Equally probable values of ``df / chi2(df)``."""
    from scipy.special import chdtri

    ratios: FloatArray = df / chdtri(df, (np.arange(_GRID) + 0.5) / _GRID)  # (GRID,)
    return ratios
