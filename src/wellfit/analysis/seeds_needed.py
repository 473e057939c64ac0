"""How many seeds a planned comparison takes: its power seed by seed, and the limit that the test examples set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf, isfinite, sqrt
from typing import Final

import numpy as np

from wellfit.analysis.crossed import t_quantile
from wellfit.analysis.power import Chance, Design, minimum_detectable, reach
from wellfit.analysis.verdicts import equivalence_alpha
from wellfit.errors import StudyFileError

__all__ = ["MOST_SEEDS", "PowerCurve", "PowerRow", "power_curve", "power_of", "typical_disagreement"]

MOST_SEEDS: Final = 1000
"""No study is advised to train more."""

LASTING: Final = Chance().lasting
_OF_ERRORS: Final = 0.75  # variants on Fashion-MNIST, 88 % right, disagree on 9 % of the examples
_SHOWN: Final = (2, 3, 5, 7, 10, 15, 20, 30, 50, 100)


@dataclass(frozen=True)
class PowerRow:
    """What a number of seeds decides.

    Args:
      seeds: their number; infinite for the limit that the test examples set.
      power: the probability that the true difference gets the right verdict, "better" or "worse".
      difference: the smallest true difference that gets it with the wanted probability.
      margin: the smallest margin within which equally good variants are called equivalent with that probability.
    """

    seeds: float
    power: float
    difference: float
    margin: float


@dataclass(frozen=True)
class PowerCurve:
    """The power of a planned comparison, and what it rests on.

    Args:
      accuracy: of the variants, about.
      difference: the true difference to decide.
      examples: test examples, the same for every seed.
      seeds: the planned number.
      comparisons: how many the study makes.
      seed_sd: standard deviation over the seeds of one variant's measured accuracy.
      disagreement, lasting: as in ``power.Chance``.
      difference_sd: standard deviation over the seeds of the true difference, what ``seed_sd`` leaves of it.
      probability: the wanted power.
      planned: the row of ``seeds``.
      rows: those of other numbers of seeds, ascending, with that of ``seeds``.
      endless: the limit of more and more seeds on these test examples.
      needed: the smallest number of seeds with the wanted power; None if it is above ``MOST_SEEDS`` or does not exist.
    """

    accuracy: float
    difference: float
    examples: int
    seeds: int
    comparisons: int
    seed_sd: float
    disagreement: float
    lasting: float
    difference_sd: float
    probability: float
    planned: PowerRow
    rows: tuple[PowerRow, ...]
    endless: PowerRow
    needed: int | None


def typical_disagreement(accuracy: float) -> float:
    """The share of the examples on which exactly one of two variants is usually right: three quarters of the errors.

    Measured: 9 % on Fashion-MNIST (88 % right); on the digits (97 % right) 0.9 % in the median and 3.2 % at most, where
    this gives 2.2 %. It is never more than for variants whose answers have nothing in common, ``2 p (1 - p)``.

    Example:
      >>> round(typical_disagreement(0.88), 3), round(typical_disagreement(0.1), 3)
      (0.09, 0.18)
    """
    return min(_OF_ERRORS * (1 - accuracy), 2 * accuracy * (1 - accuracy))


def power_of(design: Design, chance: Chance, difference: float) -> float:
    """The probability that a true difference gets the right verdict, "better" or "worse".

    With D the disagreement, L its lasting share, n examples and S seeds, the estimated difference is normal with the
    variance ``sd**2 / S + L D / n + (1 - L) D / (n S)``. It gets the verdict where it exceeds the half-width
    ``sqrt(t(S - 1)**2 seed + t'**2 (examples - overlap))`` of ``crossed.half_squared`` at the error rate
    ``0.05 / comparisons``, averaged over what the seeds' variance may be estimated to be. That is the first and hardest
    step of the correction: verdicts after the first are a little more powerful.

    Source: the method of the verdicts, ``crossed``; Lehr (1992), Stat. Med. 11:1099-1102, for the habit of 80 %.

    Args:
      design: at least two seeds.
      chance: how much variants differ by chance.
      difference: the true one, positive.

    Example: what ``minimum_detectable`` finds has 80 %.
      >>> from wellfit.analysis.power import minimum_detectable
      >>> design = Design(5, 10_000)
      >>> round(power_of(design, Chance(), minimum_detectable(design).difference), 3)
      0.8
    """
    from scipy.special import ndtr

    sd, beyond, _ = reach(design, chance)
    return float(np.mean(ndtr((difference - beyond) / sd)))


def power_curve(
    accuracy: float,
    difference: float,
    examples: int,
    *,
    seed_sd: float = 0.003,
    seeds: int = 5,
    variants: int = 2,
    disagreement: float | None = None,
    lasting: float = LASTING,
    probability: float = 0.8,
) -> PowerCurve:
    """The power of comparing each variant with the first, for a range of seeds.

    The measured accuracies of one variant differ from seed to seed for two reasons: the networks are more or less good,
    and answers flip from seed to seed. So ``2 seed_sd**2`` is the variance of the measured difference over the seeds,
    and of this ``(1 - lasting) disagreement / examples`` is due to flips, which more examples average out. The
    rest is the variance of the true difference; seeds are counted as independent between variants, which overstates it
    where common random numbers help.

    Args:
      accuracy: of the variants, about; a share of 1.
      difference: the true difference to decide; a share of 1, as all the following.
      examples: test examples, the same for every seed.
      seed_sd: standard deviation over the seeds of one variant's accuracy, as measured on such a test set.
      seeds: the planned number.
      variants: each is compared with the first.
      disagreement: share of the examples on which exactly one of two variants is right; ``typical_disagreement`` if
        None.
      lasting: the part of it that is the same with every seed.
      probability: the wanted power.

    Raises:
      StudyFileError: a number outside its range, or a difference larger than the disagreement.

    Example: half a point on 10,000 examples.
      >>> found = power_curve(0.88, 0.005, 10_000)
      >>> found.needed, round(100 * found.endless.difference, 1)
      (22, 0.4)
    """
    if disagreement is None and 0 < accuracy < 1:
        disagreement = max(typical_disagreement(accuracy), abs(difference))
    _check(accuracy, difference, examples, seed_sd, seeds, variants, disagreement, lasting, probability)
    assert disagreement is not None
    flips = (1 - lasting) * disagreement / examples
    chance = Chance(disagreement, lasting, sqrt(max(2 * seed_sd**2 - flips, 0.0)))
    comparisons = variants - 1
    row = partial(_row, examples, comparisons, chance, difference, probability)
    endless = _endless(examples, comparisons, chance, difference, probability)
    numbers = sorted({*_SHOWN, seeds})
    rows = tuple(row(number) for number in numbers)
    return PowerCurve(
        accuracy=accuracy,
        difference=difference,
        examples=examples,
        seeds=seeds,
        comparisons=comparisons,
        seed_sd=seed_sd,
        disagreement=disagreement,
        lasting=lasting,
        difference_sd=chance.seed_sd,
        probability=probability,
        planned=rows[numbers.index(seeds)],
        rows=rows,
        endless=endless,
        needed=_needed(examples, comparisons, chance, difference, probability, endless.power),
    )


def _row(
    examples: int, comparisons: int, chance: Chance, difference: float, probability: float, seeds: int
) -> PowerRow:
    design = Design(seeds, examples, comparisons=comparisons)
    found = minimum_detectable(design, chance, probability=probability)
    power = power_of(design, chance, difference) if seeds > 1 else 0.0
    return PowerRow(seeds, power, found.difference, found.margin)


def _endless(examples: int, comparisons: int, chance: Chance, difference: float, probability: float) -> PowerRow:
    """What remains with any number of seeds: the examples on which the two differ with every seed."""
    from scipy.special import ndtr, ndtri

    sd = sqrt(chance.disagreement * chance.lasting / examples)
    df = max(chance.disagreement * examples - 1, 1.0)
    floor = 2 / (examples + 2) ** 2

    def half(alpha: float) -> float:
        return max(t_quantile(df, alpha) * sd, t_quantile(inf, alpha) * sqrt(floor))

    beyond, inside = half(0.05 / comparisons), half(equivalence_alpha(comparisons))
    power = float(ndtr((difference - beyond) / sd)) if sd > 0 else float(difference > beyond)
    both = -float(ndtri((1 - probability) / 2))  # equally good variants stay within as many deviations on both sides
    return PowerRow(inf, power, beyond + float(ndtri(probability)) * sd, inside + both * sd)


def _needed(
    examples: int, comparisons: int, chance: Chance, difference: float, probability: float, limit: float
) -> int | None:
    """By bisection: more seeds never lower the power."""
    if limit < probability:
        return None

    def enough(seeds: int) -> bool:
        return power_of(Design(seeds, examples, comparisons=comparisons), chance, difference) >= probability

    low, high = 1, MOST_SEEDS  # not enough, enough
    if not enough(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _check(
    accuracy: float,
    difference: float,
    examples: int,
    seed_sd: float,
    seeds: int,
    variants: int,
    disagreement: float | None,
    lasting: float,
    probability: float,
) -> None:
    """Refuse what is outside of its range, each with its fix."""
    wrong = (
        (not 0 < accuracy < 1, f"an accuracy of {accuracy:g}; use a share between 0 and 1, such as 0.88"),
        (not 0 < difference < 1, f"a difference of {difference:g}; use a share between 0 and 1: 0.005 is half a point"),
        (not 2 <= examples <= 10**9, f"{examples} test examples; use at least 2 and at most a billion"),
        (
            not (isfinite(seed_sd) and 0 <= seed_sd < 1),
            f"a standard deviation of {seed_sd:g} over the seeds; use a share of 1 of at least 0: 0.003 is 0.3 points",
        ),
        (not 1 <= seeds <= MOST_SEEDS, f"{seeds} seeds; use 1 to {MOST_SEEDS:,}"),
        (not 2 <= variants <= MOST_SEEDS, f"{variants} variants; use 2 to {MOST_SEEDS:,}"),
        (
            disagreement is not None and not 0 < disagreement <= 1,
            f"a disagreement of {disagreement}; use the share of the examples on which exactly one of two variants is "
            "right, above 0 and at most 1",
        ),
        (
            not 0 <= lasting <= 1,
            f"a lasting share of {lasting:g}; use the part of the disagreement that every seed repeats, 0 to 1",
        ),
        (not 0.1 <= probability < 1, f"a wanted power of {probability:g}; use a share from 0.1 to 0.99, such as 0.8"),
        (
            disagreement is not None and difference > disagreement,
            f"a difference of {difference:g} with a disagreement of {disagreement}; two variants cannot differ by more "
            "than the share of the examples on which exactly one is right",
        ),
    )
    for is_wrong, message in wrong:
        if is_wrong:
            raise StudyFileError(message)
