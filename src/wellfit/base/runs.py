"""What a training leaves behind: a run, its history, its record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from wellfit.base.data import FloatArray
from wellfit.base.recipe import Recipe

__all__ = ["HISTORY_COLUMNS", "History", "RunRecord", "RunSpec", "RunState"]

RunState = Literal["finished", "stopped", "diverged", "pending"]
"""``finished``: read after its last epoch; ``stopped``: its early-stopping rule ended it; ``diverged``: NaN or inf."""

HISTORY_COLUMNS: Final = (
    "running_loss",  # mean over the epoch's batches while the weights change, penalty included, as Keras prints it
    "running_accuracy",  # the same of the accuracy, dropout on
    "train_loss",  # inference mode, on a fixed stratified sample of the training split, penalty excluded
    "train_accuracy",
    "validation_loss",  # inference mode, on the validation split, penalty excluded
    "validation_accuracy",
    "penalty",  # what l1 and l2 add to the loss, at the end of the epoch
    "weight_norm",  # Euclidean norm of all kernels together, at the end of the epoch
    "gradient_norm",  # Euclidean norm of the whole gradient before clipping, mean over every eighth step
    "small_weights",  # share of kernel weights nearer to zero than 1e-3
    "dead_units",  # share of relu units (channels) that no example of the training sample makes positive
    "learning_rate",  # of the epoch's last step
)
"""What is recorded of every epoch of every run.

Losses are cross-entropies in nats (the running loss is the recipe's own loss), accuracies are shares of 1."""


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
    """Every epoch of one run, a float64 column each, ``HISTORY_COLUMNS`` by name.

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


@dataclass(frozen=True, eq=False)
class RunRecord:
    """What is known of a run once it was trained.

    Args:
      spec: the run.
      state: how it ended.
      epochs: epochs that it went through before it ended.
      readout_epoch: the epoch, from 1, whose weights are the run's; 0 if it diverged.
      history: its epochs up to its end.
      scores: metric -> value of the run's weights: loss and accuracy of the training sample and of the validation
        split, as in the history's row of the readout epoch unless the weights are an average; empty if it diverged.
      weights: the weights at the readout, and the statistics of batch normalization: ``"dense_1/kernel"`` and so on,
        float32; empty if it diverged.
      seconds: its share of the time that its population took.
      trajectory: name of the trajectory that it was read from; runs of one trajectory share it.
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
