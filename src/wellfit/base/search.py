"""Adaptive search: what a study file asks of it, each configuration that it tried, and what it found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Interval

from wellfit.base.ranges import OrOff, Seed, Text
from wellfit.base.recipe import Monitor

__all__ = ["FIRST_SEED", "Range", "SearchResult", "SearchSpec", "Trial", "TrialState"]

FIRST_SEED = 2_000_000_000
"""The first seed of a search; a study's own seeds are smaller, so that its winner is judged on fresh ones."""

Trials = Annotated[int, Interval(ge=2, le=10_000)]
Halving = Annotated[int, Interval(ge=2, le=100)]
SearchSeeds = Annotated[int, Interval(ge=1, le=100)]

TrialState = Literal["finished", "ended", "diverged", "refused"]


@dataclass(frozen=True)
class Range:
    """The range of a number that is searched; the bounds of a setting that takes whole numbers are whole.

    Args:
      low: the smallest value.
      high: the largest value.
      log: whether to search it on a logarithmic scale.
    """

    low: float
    high: float
    log: bool = False


@dataclass(frozen=True)
class SearchSpec:
    """[search]: which configurations to try before the study is judged, and how.

    Args:
      space: what is searched: the key of a setting of a variant, with a dot within a table (``"model.hidden"``), and
        its range or a list of choices.
      trials: configurations that are tried.
      batch: configurations that are asked of the sampler at once, and trained as one population.
      sampler: ``"tpe"`` (tree-structured Parzen estimator), ``"gp"`` (Gaussian process, needs PyTorch) or
        ``"random"``, of Optuna.
      seeds: trainings of each configuration; each seed validates on a fold of its own where the study has folds.
      halving: the share of a batch that goes on at every rung: 3 keeps the better third. ``false`` trains all to
        the end.
      objective: the validation metric whose mean over the seeds is searched for; by default ``"val_accuracy"``, or
        ``"val_loss"`` where the study compares log losses or Brier scores.
      sampler_seed: seed of the sampler.
      name: of the variant that the best configuration becomes.
    """

    space: dict[str, Range | tuple[Any, ...]] = field(default_factory=dict)
    trials: Trials = 40
    batch: Trials = 10
    sampler: Literal["tpe", "gp", "random"] = "tpe"
    seeds: SearchSeeds = 2
    halving: OrOff[Halving] = 3
    objective: Monitor = "val_accuracy"
    sampler_seed: Seed = 0
    name: Text = "found"

    @property
    def metric(self) -> str:
        """The objective as the name of a score: ``"validation_accuracy"`` or ``"validation_loss"``."""
        return self.objective.replace("val_", "validation_")

    @property
    def own_seeds(self) -> tuple[int, ...]:
        """The seeds that every configuration is trained with."""
        return tuple(range(FIRST_SEED, FIRST_SEED + self.seeds))

    def better(self, value: float) -> float:
        """A value of the objective such that the larger is the better."""
        return value if self.objective == "val_accuracy" else -value


@dataclass(frozen=True)
class Trial:
    """A configuration that a search tried.

    Args:
      number: from 0, in the order of the search.
      values: key of the space -> the value that was tried.
      state: ``"finished"`` after all epochs, ``"ended"`` early because others promised more, ``"diverged"``, or
        ``"refused"`` because its values do not fit the data or one another.
      rung: how many rungs it was trained to, from 1; 0 if it was refused.
      epochs: of that rung.
      scores: the objective on validation by seed, in the order of the seeds; None for a seed without one.
    """

    number: int
    values: Mapping[str, Any]
    state: TrialState
    rung: int
    epochs: int
    scores: tuple[float | None, ...]

    @property
    def mean(self) -> float | None:
        """The mean score over the seeds; None if any diverged, or none was trained."""
        known = [score for score in self.scores if score is not None]
        return math.fsum(known) / len(known) if len(known) == len(self.scores) else None


@dataclass(frozen=True)
class SearchResult:
    """What a search tried and found, and what is left of it on fresh seeds.

    Args:
      trials: all configurations that were tried.
      asked: how many the study asks for.
      metric: ``"validation_accuracy"`` or ``"validation_loss"``.
      seeds: trainings of each configuration.
      name: of the variant that the best configuration becomes.
      best: the number of that trial; None before any is finished.
      trained: epochs that the search trained, over all trainings.
      whole: epochs that training all of its configurations to the end would have taken.
      fresh: the mean of the metric of the best configuration on the study's own seeds; None before.
      fresh_seeds: their number.
      fresh_diverged: how many more of the study's own seeds diverged.
      shared: the share of the validation examples of the study's own seeds on which the search validated, too: 1 for
        one split; None before the study is trained.
    """

    trials: tuple[Trial, ...]
    asked: int
    metric: str
    seeds: int
    name: str
    best: int | None = None
    trained: int = 0
    whole: int = 0
    fresh: float | None = None
    fresh_seeds: int = 0
    fresh_diverged: int = 0
    shared: float | None = None

    @property
    def found(self) -> float | None:
        """The mean of the metric of the best configuration in the search; None before any is finished."""
        return None if self.best is None else self.trials[self.best].mean

    @property
    def curse(self) -> float | None:
        """How much worse the best configuration is on fresh seeds than in the search; None before it is known."""
        if self.found is None or self.fresh is None:
            return None
        return self.found - self.fresh if self.metric == "validation_accuracy" else self.fresh - self.found
