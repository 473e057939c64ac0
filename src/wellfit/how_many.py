"""``wellfit.power``: how many seeds a comparison takes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from wellfit.analysis.seeds_needed import LASTING, PowerCurve, PowerRow, power_curve

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Power", "power"]


@dataclass(frozen=True)
class Power(PowerCurve):
    """The power of a planned comparison, as ``wellfit.power`` returns it; printed, it says so in sentences.

    Example:
      >>> import wellfit
      >>> found = wellfit.power(accuracy=0.88, difference=0.005, examples=10_000)
      >>> round(found.planned.power, 2), found.needed
      (0.39, 22)
    """

    @property
    def sentences(self) -> tuple[str, ...]:
        """The power, the seeds needed, the limit of the test set, and what is assumed."""
        from wellfit.narrative.seeds_needed import power_sentences

        return power_sentences(self)

    def table(self) -> pd.DataFrame:
        """One row per number of seeds: ``power``, the smallest ``difference`` and ``margin``; the last has all seeds.

        Shares of 1. The index of the last row is infinite: the limit that the test examples set.
        """
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in (*self.rows, self.endless)]).set_index("seeds")

    def to_json(self) -> dict[str, Any]:
        """Plain data; what is infinite is None."""
        return {key: _plain(value) for key, value in vars(self).items()} | {"sentences": list(self.sentences)}

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def _plain(value: Any) -> Any:
    if isinstance(value, PowerRow):
        return {key: _plain(part) for key, part in vars(value).items()}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def power(
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
) -> Power:
    """How many seeds a comparison takes: its power, and the smallest difference that it can decide.

    The method is that of the verdicts: both sources of chance, seeds and test examples, adjusted for the number of
    comparisons. ``docs/how-many-seeds.md`` explains it.

    Args:
      accuracy: of the variants, about; a share of 1.
      difference: the true difference to decide; a share of 1, as all the following.
      examples: test examples, the same for every seed.
      seed_sd: standard deviation over the seeds of one variant's accuracy, as measured on such a test set.
      seeds: the planned number.
      variants: each is compared with the first.
      disagreement: share of the examples on which exactly one of two variants is right, with one seed; by default three
        quarters of the errors.
      lasting: the part of the disagreement that every seed repeats.
      probability: the wanted power.

    Raises:
      StudyFileError: a number outside its range, or a difference larger than the disagreement.

    Example:
      >>> import wellfit
      >>> print(wellfit.power(0.88, 0.005, 10_000).sentences[1])
      Deciding 0.50 points with 80 % power takes 22 seeds.
    """
    found = power_curve(
        accuracy,
        difference,
        examples,
        seed_sd=seed_sd,
        seeds=seeds,
        variants=variants,
        disagreement=disagreement,
        lasting=lasting,
        probability=probability,
    )
    return Power(**vars(found))
