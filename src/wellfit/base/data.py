"""Data sets, splits, scaling, and the training data that the engine receives."""

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
    """Images or feature rows with class labels, including the test set, which is evaluated only once.

    Args:
      name: short name, for example ``"fashion-mnist"``.
      x_train: training examples, uint8 or float32.  # (N, H, W), (N, H, W, C) or (N, D)
      y_train: training labels, int32, from 0.  # (N,)
      x_test: test examples, like ``x_train``.  # (M, ...)
      y_test: test labels.  # (M,)
      classes: class names, by label.
      pixel_max: the largest possible pixel value (255 for bytes, 16 for the digits); None for feature rows.
      title: the name shown in headings.
      source: where the data were read from, for the report.
      hash: hexadecimal SHA-256 over names, shapes and bytes of the four arrays.
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
    """A stratified, seeded split of the training examples into training and validation, independent of row order.

    Args:
      train: rows of ``Dataset.x_train`` for training, ascending.  # (n,)
      validation: rows for validation, ascending.  # (v,)
      sample: the rows in ``train`` on which training metrics are measured in inference mode.  # (s,)
      seed: the seed of the split; the same for every run of a study.
      hash: hexadecimal SHA-256 over the three index arrays.
    """

    train: IntArray  # (n,)
    validation: IntArray  # (v,)
    sample: IntArray  # (s,)
    seed: int
    hash: str


@dataclass(frozen=True, eq=False)
class Scaling:
    """The scaling ``(x - shift) * factor`` that precedes every model, fitted on the training split alone.

    Args:
      kind: ``"unit"`` (pixels divided by their maximum) or ``"standardize"`` (mean 0, deviation 1, by feature).
      shift: float32, one number or one per feature.  # () or input_shape
      factor: float32, like ``shift``.  # () or input_shape
    """

    kind: Literal["unit", "standardize"]
    shift: FloatArray
    factor: FloatArray


@dataclass(frozen=True, eq=False)
class TrainingData:
    """All data that the engine receives: the training and validation splits, unscaled, and the scaling.

    Args:
      x_train, y_train: the training split.  # (n, ...), (n,)
      x_validation, y_validation: the validation split.  # (v, ...), (v,)
      sample: positions in ``x_train`` on which training metrics are measured in inference mode.  # (s,)
      classes: number of classes.
      scaling: part of every model trained on these data.
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
