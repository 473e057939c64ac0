"""What a design can decide: before training, and how many more seeds would probably decide an open comparison."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np

from wellfit.analysis.crossed import VarianceComponents, half_squared, with_seeds
from wellfit.analysis.pooling import LEAST_SEEDS, prior_df
from wellfit.analysis.sequential import InterimAnalysis, nominal_level
from wellfit.analysis.verdicts import equivalence_alpha
from wellfit.base import MARGIN, FloatArray
from wellfit.errors import StudyFileError

__all__ = ["Chance", "Design", "Detectable", "decided_at_last", "further_seeds", "minimum_detectable", "reach"]

_GRID: Final = 25  # values of the unknown variance to average over
_STEP: Final = 1e-9  # with two seeds power rises in steps of 1 / 25; what reaches a step counts as having passed it


class Design(NamedTuple):
    """Who judges what.

    Args:
      seeds: their number.
      examples: test examples that the seeds judge between them, or groups of them.
      folds: 1 if every seed judges all examples; else every seed judges one of so many parts.
      comparisons: how many the study makes.
    """

    seeds: int
    examples: int
    folds: int = 1
    comparisons: int = 1


class Chance(NamedTuple):
    """How far two equally good variants differ by chance; the defaults are typical of variants of one network.

    Measured: 18 variants on the digits (97 % right) disagree with the first on 0.1 to 3.2 % of the examples, 0.9 % in
    the median, with a ``seed_sd`` of 0 to 0.9 points; variants on Fashion-MNIST (88 % right) on about 9 %, with 0.4
    points. A smallest difference grows as the root of the disagreement.

    Args:
      disagreement: the share of the examples on which exactly one of the two is right, with one seed.
      lasting: the part of it that is the same with every seed.
      seed_sd: standard deviation over the seeds of the true difference in accuracy.
    """

    disagreement: float = 0.03
    lasting: float = 0.25
    seed_sd: float = 0.003


class Detectable(NamedTuple):
    """What a design decides with the requested probability.

    Args:
      difference: the smallest true difference that is called better or worse; infinite with fewer than two seeds.
      margin: the smallest margin within which equally good variants are called equivalent.
      equivalent: whether that is at most the study's margin.
    """

    difference: float
    margin: float
    equivalent: bool


def minimum_detectable(
    design: Design, chance: Chance | None = None, margin: float = MARGIN, probability: float = 0.8
) -> Detectable:
    """The smallest true difference that a design decides, for a user who has not trained anything yet.

    The method is that of the verdicts: the expected variance components, the seeds' part known with the design's
    degrees of freedom (pooled if there are enough comparisons), Bonferroni's level, which is the first and hardest step
    of the correction.

    Args:
      design: seeds, examples, folds and comparisons.
      chance: how much variants differ by chance; typical values by default.
      margin: largest difference of no practical interest.
      probability: required probability of the verdict.

    Raises:
      StudyFileError: not at least one seed, fold and comparison, two examples, shares between 0 and 1.

    Example: the digits, five seeds and one comparison: all 1797 in five folds, against the same fifth for every seed.
      >>> folds, fixed = Design(5, 1797, folds=5), Design(5, 359)
      >>> [round(100 * minimum_detectable(design).difference, 1) for design in (folds, fixed)]
      [1.6, 2.0]
    """
    from scipy.optimize import brentq

    chance = chance or Chance()
    if min(design.seeds, design.folds, design.comparisons) < 1 or design.examples < 2 or not 0 < probability < 1:
        raise StudyFileError(f"{design} decided with probability {probability}; use at least one seed, fold and "
                             "comparison, two examples, and a probability between 0 and 1")  # fmt: skip
    if not (0 < chance.disagreement <= 1 and 0 <= chance.lasting <= 1 and chance.seed_sd >= 0 and margin >= 0):
        raise StudyFileError(f"{chance} with a margin of {margin}; use shares between 0 and 1, a standard deviation "
                             "and a margin of at least 0")  # fmt: skip
    if design.seeds < 2:
        return Detectable(np.inf, np.inf, False)
    sd, beyond, inside = reach(design, chance)
    most, wanted = float(max(beyond.max(), inside.max())) + 10 * sd, probability - _STEP

    def different(by: float) -> float:
        return float(np.mean(_normal((by - beyond) / sd) + _normal((-by - beyond) / sd))) - wanted

    def alike(within: float) -> float:
        room = np.maximum(within - inside, 0) / sd  # (GRID,)
        return float(np.mean(_normal(room) - _normal(-room))) - wanted

    smallest, reached = (float(brentq(chance_of, 0, most)) for chance_of in (different, alike))
    return Detectable(smallest, reached, reached <= margin)


def reach(design: Design, chance: Chance) -> tuple[float, FloatArray, FloatArray]:
    """The spread of the estimated difference, and how far from 0, or within the margin, it must lie for a verdict.

    Args:
      design: at least two seeds.
      chance: how much variants differ by chance.

    Returns:
      The standard deviation; the half-widths of the intervals for "better" or "worse", and for "equivalent", for
      equally probable values of the seeds' variance as the study will estimate it.  # (GRID,) each

    Example: one comparison of five seeds on a fifth of the digits.
      >>> sd, beyond, _ = reach(Design(5, 359), Chance())
      >>> round(100 * sd, 2), round(100 * float(beyond.mean()), 2)
      (0.59, 1.47)
    """
    expected = _expected(design, chance)
    sd = float(np.sqrt(expected.seed + max(expected.examples - expected.overlap, 0)))
    known: Any = expected.seed / _variance_ratios(expected.seed_df)  # as the study will estimate it (GRID,)
    estimated = expected._replace(seed=known)
    alphas = 0.05 / design.comparisons, equivalence_alpha(design.comparisons)
    beyond, inside = (np.sqrt(half_squared(estimated, alpha)) for alpha in alphas)  # (GRID,) each
    return sd, beyond, inside


def _normal(x: Any) -> Any:
    """The normal distribution function."""
    from scipy.special import ndtr

    return ndtr(x)


def _expected(design: Design, chance: Chance) -> VarianceComponents:
    """The variance components to expect of a difference."""
    S, n, folds, comparisons = design
    same, other = chance.disagreement * chance.lasting, chance.disagreement * (1 - chance.lasting)
    rounds = S / folds
    judged = n * min(rounds, 1.0)
    examples = chance.disagreement / judged if rounds <= 1 else same / n + other / (n * rounds)
    shared = max(S - folds, 0) / max(S - 1, 1) * same / n  # the covariance of two seeds that judge the same examples
    overlap = (chance.disagreement * folds / n - shared) / S
    prior = 0.0
    if S >= LEAST_SEEDS:
        prior = prior_df(comparisons, S - 1)
    df = max(chance.disagreement * judged - 1, 1.0)  # examples on which the two differ
    seed, floor = chance.seed_sd**2 / S + overlap, 2 / (judged + 2) ** 2
    return VarianceComponents(0.0, S, int(judged), seed, examples, overlap, same / n, df, S - 1 + prior, floor)


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


def decided_at_last(
    components: VarianceComponents, interim: InterimAnalysis, comparisons: int = 1, margin: float = MARGIN
) -> float:
    """The predictive probability that an undecided comparison is decided by the last planned interim analysis.

    As in ``further_seeds``, at the level of the last analysis. Analyses on the way decide hardly more: what is beyond
    their boundaries usually stays there.

    Args:
      components: of the difference, as ``comparisons.paired_components`` gives them.
      interim: the analysis so far, and its plan.
      comparisons: how many the study makes.
      margin: largest difference of no practical interest.

    Returns:
      0 with fewer than two seeds or at the last analysis.

    Example: two variants that hardly differ will not be told apart by 20 seeds.
      >>> from wellfit.analysis.comparisons import difference_components
      >>> hard = np.arange(5)[:, None] * 7
      >>> first, second = ((np.arange(2000) + hard + shift) % 2000 >= 100 for shift in (0, 1))
      >>> round(decided_at_last(difference_components(first, second), InterimAnalysis(1, (5, 10, 15, 20))), 2)
      0.0
    """
    last = interim._replace(number=len(interim.seeds))
    more = last.seeds[-1] - components.seeds
    if components.seeds < 2 or more < 1:
        return 0.0
    alphas = 0.05 / comparisons, equivalence_alpha(comparisons)
    different, alike = (nominal_level(last, alpha) for alpha in alphas)
    return _decision_probability(components, more, (different, alike), margin)


def _decision_probability(components: VarianceComponents, m: int, alphas: tuple[float, float], margin: float) -> float:
    """The predictive probability that m further seeds decide the comparison."""
    from scipy.special import ndtr

    S, df = components.seeds, components.seed_df
    grown = with_seeds(components, S + m)
    ratios = _variance_ratios(df)  # true over estimated variance of the seeds (GRID,)
    sd = np.sqrt(components.seed * ratios * m / (S + m))  # (GRID,)
    seed: Any = grown.seed * (df + m * ratios) / (df + m)  # (GRID,)
    grown = grown._replace(seed=seed)
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
