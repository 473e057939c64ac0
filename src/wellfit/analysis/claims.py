"""What a single published accuracy, or the difference of two, can show: the chance of its test set and of its seed."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import NamedTuple

import numpy as np

from wellfit.analysis.crossed import Interval, VarianceComponents, t_quantile
from wellfit.analysis.intervals import exact_interval
from wellfit.analysis.power import Chance
from wellfit.analysis.seeds_needed import MOST_SEEDS, typical_disagreement
from wellfit.errors import StudyFileError

__all__ = ["ClaimEvidence", "Seeds", "claim_evidence", "seeds_of"]

LASTING = Chance().lasting


class Seeds(NamedTuple):
    """How single runs of a recipe differ by their seed.

    Args:
      variance: of the measured accuracy over the seeds.
      flips: the part of it that comes from answers that flip from seed to seed on these examples.
      df: the degrees of freedom with which it is known; infinite if it is given.
    """

    variance: float
    flips: float
    df: float = inf


@dataclass(frozen=True)
class ClaimEvidence:
    """What one published accuracy shows, or two.

    Args:
      accuracy: as published, of one run.
      examples: test examples that it was measured on.
      on_examples: 95 % interval for this one network on new examples.
      seed_sd: standard deviation of the measured accuracy over seeds; None if not known.
      interval: 95 % interval of the recipe's mean accuracy over seeds, on new examples; None without ``seed_sd``.
      other: the accuracy that it is compared with, of one run on the same examples.
      comparisons: among how many differences this one is the one that is claimed.
      disagreement: the share of the examples on which exactly one of the two runs is right.
      difference_on_examples: interval of the difference of these two networks, at ``5 % / comparisons``.
      difference_interval: interval of the difference of the two recipes; None without ``seed_sd``.
      least: the smallest difference of two single runs that would show anything, by the widest interval that is known.
    """

    accuracy: float
    examples: int
    on_examples: Interval
    seed_sd: float | None
    interval: Interval | None
    other: float | None
    comparisons: int
    disagreement: float
    difference_on_examples: Interval | None
    difference_interval: Interval | None
    least: float

    @property
    def difference(self) -> float | None:
        """The published difference; None without ``other``."""
        return None if self.other is None else self.accuracy - self.other

    @property
    def shown(self) -> bool:
        """Whether the difference of the two recipes excludes 0, with both sources of chance."""
        return self.difference_interval is not None and not (
            self.difference_interval[0] <= 0 <= self.difference_interval[1]
        )


def seeds_of(components: VarianceComponents, each: float, examples: int) -> Seeds:
    """The variance over the seeds that single runs of a study show, for a test set of another size.

    Args:
      components: of the variant's scores, at least two seeds.
      each: how many examples each seed judges.
      examples: of the published number.

    Example: five seeds on 100 examples, for a test set four times as large.
      >>> seeds_of(VarianceComponents(0.9, 5, 100, 4e-6, 10e-6, 1e-6, 9e-6, 99, 4), 100, 400)
      Seeds(variance=1.6250000000000002e-05, flips=1.25e-06, df=4)
    """
    S = components.seeds
    flips = S * components.overlap * each / examples
    lasting = S * max(components.seed - components.overlap, 0.0)
    return Seeds(lasting + flips, flips, components.seed_df)


def claim_evidence(
    accuracy: float,
    examples: int,
    *,
    other: float | None = None,
    seed_sd: float | None = None,
    seeds: Seeds | None = None,
    variants: int = 2,
    disagreement: float | None = None,
) -> ClaimEvidence:
    """What single runs show.

    The accuracy p of one run on n examples varies about the recipe's mean by ``p (1 - p) / n`` for its examples and by
    the variance over the seeds, of which the flips of answers are counted once. The half-width of the interval is, as
    in ``crossed.half_squared`` for one seed,

        sqrt(t**2 seeds + z**2 (examples - flips)),

    in Clopper and Pearson's form. For the difference of two runs on the same examples, ``examples`` is the disagreement
    divided by n, and the seeds of both count. The disagreement is not published: it is at least the difference, and
    usually three quarters of the errors (``seeds_needed.typical_disagreement``).

    Source: Banerjee (1960), Sankhya 22:357-358; Korn & Graubard (1998), Survey Methodology 24:193-201; McNemar (1947),
    Psychometrika 12:153-157, for two networks on the same examples.

    Args:
      accuracy: as published; a share of 1.
      examples: test examples.
      other: the accuracy of another recipe on the same examples.
      seed_sd: standard deviation over the seeds of one recipe's accuracy.
      seeds: the same from comparable runs; takes precedence.
      variants: that the winner was chosen from; each difference is corrected for the others.
      disagreement: share of the examples on which exactly one of the two runs is right.

    Raises:
      StudyFileError: a number outside its range, or a disagreement smaller than the difference.

    Example: 88.35 % against 88.03 % on 10,000 images, with seeds that differ by 0.3 points.
      >>> found = claim_evidence(0.8835, 10_000, other=0.8803, seed_sd=0.003)
      >>> [round(100 * bound, 1) for bound in found.difference_interval], found.shown
      ([-0.6, 1.2], False)
    """
    if disagreement is None and 0 < accuracy < 1:
        gap = 0.0 if other is None else abs(accuracy - other)
        mean = accuracy if other is None else (accuracy + other) / 2
        disagreement = max(typical_disagreement(mean) if 0 < mean < 1 else gap, gap)
    _check(accuracy, examples, other, seed_sd, variants, disagreement)
    assert disagreement is not None
    if seeds is None and seed_sd is not None:
        seeds = Seeds(seed_sd**2, min((1 - LASTING) * disagreement / 2 / examples, seed_sd**2))
    comparisons, alpha = variants - 1, 0.05 / (variants - 1)
    sampling = t_quantile(inf, alpha) * sqrt(disagreement / examples)
    both = None if seeds is None else _half(seeds, 2, disagreement / examples, alpha)
    published = None if other is None else accuracy - other
    return ClaimEvidence(
        accuracy=accuracy,
        examples=examples,
        on_examples=exact_interval(accuracy * examples, examples),
        seed_sd=None if seeds is None else sqrt(seeds.variance),
        interval=None if seeds is None else _around(accuracy, examples, seeds),
        other=other,
        comparisons=comparisons,
        disagreement=disagreement,
        difference_on_examples=None if published is None else _clipped(published, sampling),
        difference_interval=None if published is None or both is None else _clipped(published, both),
        least=sampling if both is None else both,
    )


def _half(seeds: Seeds, runs: int, examples: float, alpha: float) -> float:
    """The half-width of the interval for as many runs, one of each recipe."""
    t, z = t_quantile(seeds.df, alpha), t_quantile(inf, alpha)
    return sqrt(max(t**2 * runs * seeds.variance + z**2 * max(examples - runs * seeds.flips, 0.0), z**2 * examples))


def _around(accuracy: float, examples: int, seeds: Seeds) -> Interval:
    """The interval of the recipe's mean accuracy, as that of a proportion of equal width."""
    spread = accuracy * (1 - accuracy)
    half = _half(seeds, 1, spread / examples, 0.05)
    n = min(spread * (t_quantile(inf, 0.05) / half) ** 2, float(examples))
    return exact_interval(accuracy * n, n)


def _clipped(difference: float, half: float) -> Interval:
    low, high = np.clip([difference - half, difference + half], -1, 1)
    return float(low), float(high)


def _check(
    accuracy: float,
    examples: int,
    other: float | None,
    seed_sd: float | None,
    variants: int,
    disagreement: float | None,
) -> None:
    """Refuse what is outside of its range, each with its fix."""
    gap = 0.0 if other is None else abs(accuracy - other)
    wrong = (
        (not 0 < accuracy < 1, f"an accuracy of {accuracy:g}; use a share between 0 and 1, such as 0.8835"),
        (
            other is not None and not 0 < other < 1,
            f"another accuracy of {other}; use a share between 0 and 1, such as 0.8803",
        ),
        (not 2 <= examples <= 10**9, f"{examples} test examples; use at least 2 and at most a billion"),
        (
            seed_sd is not None and not (isfinite(seed_sd) and 0 <= seed_sd < 1),
            f"a standard deviation of {seed_sd} over the seeds; use a share of 1 of at least 0: 0.003 is 0.3 points",
        ),
        (not 2 <= variants <= MOST_SEEDS, f"{variants} variants; use 2 to {MOST_SEEDS:,}"),
        (
            disagreement is not None and not gap <= disagreement <= 1,
            f"a disagreement of {disagreement}; use the share of the examples on which exactly one of the two runs is "
            f"right, from {gap:g}, their difference, to 1",
        ),
        (disagreement == 0, "a disagreement of 0; use the share of the examples on which exactly one run is right"),
    )
    for is_wrong, message in wrong:
        if is_wrong:
            raise StudyFileError(message)
