"""What we learn from: a data set, its splits, the scaling fitted on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Dataset", "FloatArray", "IntArray", "Scaling", "Splits", "TrainingData"]

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images or feature rows with class labels, and the test set that is opened once.

    Args:
      name: short name, such as ``"fashion-mnist"``.
      x_train: training examples, uint8 or float32.  # (N, H, W), (N, H, W, C) or (N, D)
      y_train: training labels, int32, from 0.  # (N,)
      x_test: test examples, as ``x_train``.  # (M, ...)
      y_test: test labels.  # (M,)
      classes: the name of every class, by label.
      pixel_max: the largest value that a pixel can take (255 for bytes, 16 for the digits); None for feature rows.
      title: the data set's name as a headline shows it.
      source: where it was read from, for the report.
      hash: SHA-256 over names, shapes and bytes of the four arrays, in hexadecimal.
    """

    name: str
    x_train: NDArray[Any]  # (N, ...)
    y_train: IntArray  # (N,)
    x_test: NDArray[Any]  # (M, ...)
    y_test: IntArray  # (M,)
    classes: tuple[str, ...]
    pixel_max: float | None
    title: str
    source: str
    hash: str

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(int(n) for n in self.x_train.shape[1:])


@dataclass(frozen=True, eq=False)
class Splits:
    """Which training examples train and which validate: stratified, seeded, hashed; never from row order.

    Args:
      train: rows of ``Dataset.x_train`` that train, ascending.  # (n,)
      validation: rows that validate, ascending.  # (v,)
      sample: rows of ``train`` on which training metrics are measured in inference mode.  # (s,)
      seed: the seed of the split; the same for every run of a study.
      hash: SHA-256 over the three index arrays, in hexadecimal.
    """

    train: IntArray  # (n,)
    validation: IntArray  # (v,)
    sample: IntArray  # (s,)
    seed: int
    hash: str


@dataclass(frozen=True, eq=False)
class Scaling:
    """``(x - shift) * factor``: the first layer of every model, fitted on the training split alone.

    Args:
      kind: ``"unit"`` (pixels divided by their maximum) or ``"standardize"`` (mean 0, deviation 1, by feature).
      shift: float32, one number or one per feature.  # () or input_shape
      factor: float32, likewise.  # () or input_shape
    """

    kind: Literal["unit", "standardize"]
    shift: FloatArray
    factor: FloatArray


@dataclass(frozen=True, eq=False)
class TrainingData:
    """All that the engine ever sees of the data: the training and the validation split, unscaled, and the scaling.

    Args:
      x_train, y_train: the training split.  # (n, ...), (n,)
      x_validation, y_validation: the validation split.  # (v, ...), (v,)
      sample: positions in ``x_train`` on which training metrics are measured in inference mode.  # (s,)
      classes: how many classes there are.
      scaling: the scaling that belongs to every model trained on these data.
    """

    x_train: NDArray[Any]  # (n, ...)
    y_train: IntArray  # (n,)
    x_validation: NDArray[Any]  # (v, ...)
    y_validation: IntArray  # (v,)
    sample: IntArray  # (s,)
    classes: int
    scaling: Scaling

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(int(n) for n in self.x_train.shape[1:])
