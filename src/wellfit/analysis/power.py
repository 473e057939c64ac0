"""How many more seeds would probably decide an undecided comparison."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from wellfit.analysis.crossed import VarianceComponents, half_squared, with_seeds
from wellfit.analysis.verdicts import equivalence_alpha
from wellfit.base import MARGIN, FloatArray
from wellfit.errors import StudyFileError

__all__ = ["further_seeds"]

_GRID: Final = 25  # values of the unknown variance to average over


def further_seeds(
    components: VarianceComponents,
    comparisons: int = 1,
    margin: float = MARGIN,
    probability: float = 0.8,
    most: int = 100,
) -> int | None:
    """How many more seeds would probably turn an undecided comparison into better, worse or equivalent.

    The S seeds so far are kept; m new ones are predicted from them. With s**2 the variance of the seeds' differences
    and f its degrees of freedom, the mean over all S + m follows the predictive distribution

        mean' = mean + sigma sqrt(m / (S (S + m))) N(0, 1),    sigma**2 = s**2 f / chi2(f).

    The half-width of the interval is then that of S + m seeds, m of which have the variance sigma**2: the part due to
    seeds shrinks; that due to examples stays, except where seeds so far have not judged all of them, or where repeated
    judgments are known to tell more (``crossed.with_seeds``). The result is the smallest m for which better, worse and
    equivalent together have the requested ``probability`` (predictive power). Adding seeds because the first ones did
    not decide is a second analysis of the study: its level needs ``sequential``.

    Assumes what ``paired_comparison`` assumes, normal differences between seeds, and a flat prior for the true
    difference. In simulations from that prior at least four in five were decided, as promised; where true differences
    are small beside the spread of the seeds, so that the observed difference is mostly luck, two in three
    (``docs/statistics.md``). Holm's correction is approximated by its first step, Bonferroni's.

    Source: Spiegelhalter, Freedman & Blackburn (1986), Controlled Clinical Trials 7:8-17; Geisser (1993), "Predictive
    inference".

    Args:
      components: of the difference, as ``comparisons.paired_components`` gives them.
      comparisons: how many the study makes.
      margin: largest difference of no practical interest.
      probability: required probability of a decision.
      most: largest number of further seeds to consider.

    Returns:
      At least 1. None with fewer than two seeds, which show no spread, and if even ``most`` would not suffice: the
      difference is too small for so few test examples, or about as large as the margin.

    Raises:
      StudyFileError: not ``comparisons >= 1``, ``margin >= 0`` and ``0 < probability < 1``.

    Example: three seeds that differ by 0.8 points on average over 2000 images.
      >>> from wellfit.analysis.comparisons import difference_components
      >>> second = np.ones((3, 2000), dtype=bool)
      >>> second[0, :4] = second[1, 4:24] = second[2, 24:48] = False
      >>> further_seeds(difference_components(np.ones((3, 2000), dtype=bool), second))
      9
    """
    if comparisons < 1 or not margin >= 0 or not 0 < probability < 1:
        raise StudyFileError(f"{comparisons} comparisons, a margin of {margin} and a probability of {probability}; "
                             "use at least 1, at least 0, and a number between 0 and 1")  # fmt: skip
    if components.seeds < 2:
        return None
    alphas = 0.05 / comparisons, equivalence_alpha(comparisons)
    enough = (m for m in range(1, most + 1) if _decision_probability(components, m, alphas, margin) >= probability)
    return next(enough, None)


def _decision_probability(components: VarianceComponents, m: int, alphas: tuple[float, float], margin: float) -> float:
    """The predictive probability that m further seeds decide the comparison."""
    from scipy.special import ndtr

    S, df = components.seeds, components.seed_df
    grown = with_seeds(components, S + m)
    ratios = _variance_ratios(df)  # true over estimated variance of the seeds (GRID,)
    sd = np.sqrt(components.seed * ratios * m / (S + m))  # (GRID,)
    grown = grown._replace(seed=grown.seed * (df + m * ratios) / (df + m))  # (GRID,)
    beyond, inside = (np.sqrt(half_squared(grown, alpha)) for alpha in alphas)  # (GRID,) each
    within = np.minimum(np.maximum(margin - inside, 0.0), beyond)  # (GRID,)
    bounds = np.stack([-beyond, -within, within, beyond])  # (4, GRID)
    with np.errstate(over="ignore"):  # without variation between seeds, infinitely many deviations away
        worse, low, high, not_better = ndtr((bounds - components.mean) / np.maximum(sd, np.finfo(float).tiny))
    return float(np.mean(worse + (high - low) + (1 - not_better)))


@lru_cache
def _variance_ratios(df: float) -> FloatArray:
    """Equally probable values of ``df / chi2(df)``."""
    from scipy.special import chdtri

    ratios: FloatArray = df / chdtri(df, (np.arange(_GRID) + 0.5) / _GRID)  # (GRID,)
    return ratios
