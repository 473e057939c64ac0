"""Runs, their histories and their records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from wellfit.base.data import FloatArray
from wellfit.base.histograms import Histograms
from wellfit.base.recipe import Recipe

__all__ = ["HISTORY_COLUMNS", "History", "RunRecord", "RunSpec", "RunState"]

RunState = Literal["finished", "stopped", "diverged", "pending"]
"""``finished``: reached its last epoch; ``stopped``: ended by its early-stopping rule; ``diverged``: NaN or inf."""

HISTORY_COLUMNS: Final = (
    "running_loss",  # mean over the epoch's batches while the weights change, with penalty, as Keras reports it
    "running_accuracy",  # likewise, with dropout active
    "train_loss",  # inference mode, on a fixed stratified sample of the training split, penalty excluded
    "train_accuracy",
    "validation_loss",  # inference mode, on the validation split, penalty excluded
    "validation_accuracy",
    "penalty",  # the l1 and l2 penalties, at the end of the epoch
    "weight_norm",  # Euclidean norm of all kernels together, at the end of the epoch
    "gradient_norm",  # Euclidean norm of the whole gradient before clipping, mean over every eighth step
    "small_weights",  # fraction of kernel weights with magnitude below 1e-3
    "dead_units",  # fraction of relu units (channels) that are positive for no example of the training sample
    "learning_rate",  # of the epoch's last step
)
"""The metrics recorded for every epoch of every run.

Losses are cross-entropies in nats (the running loss is the recipe's own loss); accuracies are fractions."""


@dataclass(frozen=True)
class RunSpec:
    """One run: a variant trained from a seed.

    Args:
      variant: the variant's name.
      seed: fixes initial weights, batch order and noise, the same for every variant.
      recipe: the variant's complete recipe.
    """

    variant: str
    seed: int
    recipe: Recipe


@dataclass(frozen=True, eq=False)
class History:
    """The history of one run: a float64 column for each of ``HISTORY_COLUMNS``, with a value per epoch.

    Example:
      >>> import numpy as np
      >>> h = History({"validation_loss": np.array([0.9, 0.7, 0.8])})
      >>> len(h), float(h["validation_loss"].min())
      (3, 0.7)
    """

    columns: Mapping[str, FloatArray]  # name -> (epochs,)

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    def __getitem__(self, name: str) -> FloatArray:
        return self.columns[name]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __reduce__(self) -> tuple[type[History], tuple[dict[str, FloatArray]]]:
        """For pickle, which takes no read-only mapping."""
        return History, (dict(self.columns),)


@dataclass(frozen=True, eq=False)
class RunRecord:
    """The result of training a run.

    Args:
      state: how it ended.
      epochs: number of epochs that it trained.
      readout_epoch: the epoch, counted from 1, whose weights are the run's; 0 if it diverged.
      history: its epochs until its end.
      scores: metric -> value of the run's weights: loss and accuracy on the training sample and the validation split.
        Equal to the history at the readout epoch, unless the weights are an average; empty if it diverged.
      weights: the weights at the readout and the statistics of batch normalization, keyed ``"dense_1/kernel"`` and so
        on, float32; empty if it diverged.
      seconds: its share of its population's training time.
      trajectory: the name of its trajectory, which runs that differ only in their readout share.
      histograms: of the weights after each epoch, of every array; empty where they were not counted.
    """

    spec: RunSpec
    state: RunState
    epochs: int
    readout_epoch: int
    history: History
    scores: Mapping[str, float]
    weights: Mapping[str, FloatArray]
    seconds: float
    trajectory: str
    histograms: Histograms = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether it has a network that can predict: it did not diverge, and was read."""
        return self.state != "diverged" and self.readout_epoch > 0
