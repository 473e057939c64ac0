"""The sets that an audit compares, and small numeric views of their examples."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Dataset, IntArray, Splits

__all__ = [
    "ExampleSet",
    "Floats",
    "Sets",
    "column_name",
    "distances",
    "pooled",
    "row_hashes",
    "sample",
    "some_of",
]

Floats = NDArray[np.float32]

_BLOCK: Final = 2**22  # values converted at a time: 16 MB of float32
_VALUES: Final = 5 * 10**8  # values of a set that one check looks at
_FEWEST: Final = 500  # examples that it looks at anyway


@dataclass(frozen=True, eq=False)
class ExampleSet:
    """One set of examples.

    Args:
      name: ``"training"``, ``"validation"`` or ``"test"``.
      x: as in ``Dataset``.  # (n, ...)
      y: labels.  # (n,)
    """

    name: str
    x: NDArray[Any]  # (n, ...)
    y: IntArray  # (n,)

    @cached_property
    def hashes(self) -> list[bytes]:
        """The hash of every example."""
        return row_hashes(self.x)


@dataclass(frozen=True, eq=False)
class Sets:
    """A data set, its splits, and the three sets of examples.

    Args:
      dataset, splits: with folds, those of one seed.
      tested: the number of examples that all folds test together; None where every seed has the same test set.
      learned: the labels of the training examples that runs learn from; None for the whole training split.  # (n,)
      metric: what variants are compared on.
    """

    dataset: Dataset
    splits: Splits
    tested: int | None = None
    learned: IntArray | None = None
    metric: str = "accuracy"

    @property
    def counts(self) -> IntArray:
        """How many examples of each class runs learn from.  # (K,)"""
        learned = self.training.y if self.learned is None else self.learned
        return np.bincount(learned, minlength=len(self.dataset.classes))

    @cached_property
    def training(self) -> ExampleSet:
        """The training split."""
        rows = self.splits.train
        return ExampleSet("training", self.dataset.x_train[rows], self.dataset.y_train[rows])

    @cached_property
    def validation(self) -> ExampleSet:
        """The validation split."""
        rows = self.splits.validation
        return ExampleSet("validation", self.dataset.x_train[rows], self.dataset.y_train[rows])

    @cached_property
    def test(self) -> ExampleSet:
        """The test set."""
        return ExampleSet("test", self.dataset.x_test, self.dataset.y_test)

    @property
    def all(self) -> tuple[ExampleSet, ...]:
        """Training, validation and test."""
        return self.training, self.validation, self.test

    @property
    def given(self) -> tuple[ExampleSet, ...]:
        """The sets that may come from other files than the training set: test, and validation unless drawn from it."""
        return (self.test,) if self.dataset.validation_rows is None else (self.validation, self.test)

    @property
    def images(self) -> bool:
        """Whether the examples are images."""
        return self.dataset.x_train.ndim > 2

    @cached_property
    def numeric(self) -> list[int]:
        """The positions of the columns of a table that hold numbers, not categories."""
        columns = self.dataset.columns
        return [j for j in range(self.dataset.x_train.shape[1]) if not (columns and columns[j].categories)]


def row_hashes(x: NDArray[Any], size: int = 16) -> list[bytes]:
    """Return a hash of every row; with 128 bits, the probability of a collision among a million rows is about 1e-27.

    Args:
      x: examples.  # (n, ...)
      size: bytes of a hash.
    """
    plain = x if x.dtype.kind == "u" else x + 0  # -0.0 becomes 0.0
    if plain.dtype.kind == "f":
        plain[np.isnan(plain)] = np.nan  # one bit pattern for all missing values
    flat = np.ascontiguousarray(plain).reshape(len(x), -1)
    return [hashlib.blake2b(row.data, digest_size=size).digest() for row in flat]


def column_name(dataset: Dataset, column: int) -> str:
    """The name of a column of a table; without names, its number from 1.

    Args:
      column: its position.
    """
    return dataset.columns[column].name if dataset.columns else f"column {column + 1}"


def sample(rows: int, most: int) -> IntArray:
    """Draw at most ``most`` of the rows 0 to ``rows - 1``: always the same ones, ascending.

    Example:
      >>> sample(3, 5).tolist(), len(sample(1000, 5))
      ([0, 1, 2], 5)
    """
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.Generator(np.random.PCG64([0, 20])).choice(rows, most, replace=False))


def some_of(part: ExampleSet, most: int) -> ExampleSet:
    """At most ``most`` examples of a set, fewer if they are large; always the same ones."""
    size = max(1, part.x[:1].size)
    rows = sample(len(part.y), min(most, max(_FEWEST, _VALUES // size)))
    return part if len(rows) == len(part.y) else ExampleSet(part.name, part.x[rows], part.y[rows])


def pooled(x: NDArray[Any], side: int) -> Floats:
    """Reduce images by averaging cells of equal size, until no side is longer than ``side``.

    Args:
      x: images.  # (n, H, W) or (n, H, W, C)

    Returns:
      The reduced images, with their channels first.  # (n, C, h, w)

    Example:
      >>> pooled(np.arange(16).reshape(1, 4, 4), 2).tolist()
      [[[[2.5, 4.5], [10.5, 12.5]]]]
    """
    stacked = x[..., None] if x.ndim == 3 else x  # (n, H, W, C)
    n, height, width, channels = stacked.shape
    down, across = _averaging(height, side), _averaging(width, side)  # (H, h), (W, w)
    small = np.empty((n, channels, down.shape[1], across.shape[1]), np.float32)
    step = max(1, _BLOCK // (height * width * channels))
    for start in range(0, n, step):
        block = stacked[start : start + step].astype(np.float32)  # (b, H, W, C)
        if down.shape[0] > down.shape[1] or across.shape[0] > across.shape[1]:
            block = np.tensordot(np.tensordot(block, across, (2, 0)), down, (1, 0))  # (b, C, w, h)
            small[start : start + step] = block.swapaxes(2, 3)
        else:
            small[start : start + step] = np.moveaxis(block, 3, 1)
    return small


def _averaging(length: int, side: int) -> Floats:
    """The matrix that averages ``length`` values in cells: ``(length, cells)``; the last cell may be narrower."""
    width = -(-length // side)
    cell = np.arange(length) // width  # (length,)
    matrix = (cell[:, None] == np.arange(cell[-1] + 1)).astype(np.float32)  # (length, cells)
    averaging: Floats = matrix / matrix.sum(axis=0)
    return averaging


def distances(a: Floats, b: Floats) -> Floats:
    """Squared Euclidean distances between the rows of two matrices.

    Args:
      a, b: rows.  # (n, D), (m, D)

    Returns:
      Not negative.  # (n, m)
    """
    squares: Floats = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)  # (n, m)
    squares -= 2 * (a @ b.T)
    np.maximum(squares, 0, out=squares)
    return squares
