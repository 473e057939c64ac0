"""Data sets, splits, preparation, scaling, and the training data that the engine receives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wellfit.errors import DataError

__all__ = [
    "Column",
    "Dataset",
    "FloatArray",
    "Header",
    "IntArray",
    "Pool",
    "Preparation",
    "PreparedColumn",
    "Scaling",
    "Splits",
    "TestRows",
    "TrainingData",
]

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Column:
    """A column of a table, as ``Dataset`` holds it.

    Args:
      name: from the header, or ``"column 3"``.
      categories: the texts of a column of categories, sorted; the data hold positions in it. Empty for numbers.
      unit: the sign or unit that was left out behind or before each number, for example ``"%"``.
      truth: whether the table has true and false, which the data hold as 1 and 0.
    """

    name: str
    categories: tuple[str, ...] = ()
    unit: str = ""
    truth: bool = field(default=False, repr=False)


@dataclass(frozen=True)
class Header:
    """The columns of the table that a data set was read from, by which later tables are matched.

    Args:
      names: of all columns, in order: features, columns left out, label and group.
      label: position of the label column.
      features: positions of the features.
      written: whether the names come from the table; otherwise they count its columns.
      decimal: the decimal mark of a text table, "," or "."; empty where no cell shows it.
    """

    names: tuple[str, ...]
    label: int
    features: tuple[int, ...]
    written: bool
    decimal: str = ""


@dataclass(frozen=True, eq=False)
class Pool:
    """The examples of data without a test set of their own, before a part of them was held out as one.

    Folds are drawn from them. A given validation set comes last.

    Args:
      held_out: which of them were held out, ascending.  # (M,)
      size: their number.
      groups: the group of each; None without groups.  # (size,)

    Example:
      >>> len(Pool(np.array([1]), 3))
      3
    """

    held_out: IntArray
    size: int
    groups: IntArray | None = None

    def __len__(self) -> int:
        return self.size

    def places(self) -> IntArray:
        """Where each example is among those of ``x_train``, followed by those of ``x_test``.  # (size,)

        Example: of three examples, the middle one was held out.
          >>> Pool(np.array([1]), 3).places().tolist()
          [0, 2, 1]
        """
        places = np.empty(self.size, np.int64)
        kept = np.ones(self.size, bool)
        kept[self.held_out] = False
        places[kept] = np.arange(self.size - len(self.held_out))
        places[self.held_out] = np.arange(self.size - len(self.held_out), self.size)
        return places


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images or feature rows with class labels, including the test set, which is evaluated only once.

    Args:
      name: short name, for example ``"fashion-mnist"``.
      x_train: training examples: uint8 or float32 images, or float32 or float64 rows of a table, in which NaN is a
        missing value.  # (N, H, W), (N, H, W, C) or (N, D)
      y_train: training labels, int32, from 0.  # (N,)
      x_test: test examples, like ``x_train``.  # (M, ...)
      y_test: test labels.  # (M,)
      classes: class names, by label.
      pixel_max: the largest possible pixel value (255 for bytes, 16 for the digits); None for feature rows.
      title: the name shown in headings.
      source: where the data were read from, for the report.
      hash: hexadecimal SHA-256 over names, shapes and bytes of the four arrays, and over what follows.
      columns: of a table whose columns have names; empty for images and bare arrays.
      validation_rows: rows of ``x_train`` that were given as the validation set, ascending; None if none were.  # (v,)
      groups: the group of each training example, from 0; a split never divides a group. None without groups.  # (N,)
      test_groups: the group of each test example, numbered like ``groups``; a group without a training example has a
        further number, an example without a group -1. None without groups, or where the test set was held out.  # (M,)
      facts: what reading the files decided or changed, as pairs of a short name and a text: ("label column",
        "Churn, the last of 3 columns"), ("rows dropped", ...), ("files skipped", ...).
      pool: what the test set was held out from; None for data that have a test set of their own.
      header: of the table that the data were read from; None for images and arrays.

    Raises:
      DataError: the parts contradict each other, for example after ``dataclasses.replace`` of some of them.
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
    columns: tuple[Column, ...] = ()
    validation_rows: IntArray | None = None  # (v,)
    groups: IntArray | None = None  # (N,)
    test_groups: IntArray | None = None  # (M,)
    facts: tuple[tuple[str, str], ...] = ()
    pool: Pool | None = None
    header: Header | None = None

    def __post_init__(self) -> None:
        if found := _contradiction(self):
            fix = "change all of them together, or make the data set with wellfit.make_dataset"
            raise DataError(f"{self.name}: the data set contradicts itself: {found}; {fix}")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(int(n) for n in self.x_train.shape[1:])

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.input_shape))
        sizes = f"{len(self.x_train):,} training and {len(self.x_test):,} test examples of shape {shape}"
        return f"Dataset({self.name!r}, {sizes}, {len(self.classes)} classes)"


def _contradiction(data: Dataset) -> str:
    """Which parts of a data set do not belong together; empty if all do."""
    N, M = len(data.y_train), len(data.y_test)
    lengths = (
        ("x_train", data.x_train, "y_train", N),
        ("x_test", data.x_test, "y_test", M),
        ("groups", data.groups, "y_train", N),
        ("test_groups", data.test_groups, "y_test", M),
    )
    for name, values, labels, count in lengths:
        if values is not None and len(values) != count:
            return f"the length of {name} is {len(values):,}, that of {labels} is {count:,}"
    given = np.zeros(0, np.int64) if data.validation_rows is None else data.validation_rows  # (v,)
    if len(given) and not 0 <= given.min() <= given.max() < N:
        return f"validation_rows is not within the {N:,} rows of x_train"
    if data.pool is None:
        return ""
    pool, v = data.pool, len(given)
    if (len(pool), len(pool.held_out)) != (N + M, M):
        return (
            f"pool has {len(pool):,} examples, {len(pool.held_out):,} of them held out, but x_train has {N:,} and "
            f"x_test {M:,}"
        )
    if not np.array_equal(given, np.arange(N - v, N)) or (v and pool.held_out.max(initial=-1) >= len(pool) - v):
        return "validation_rows is not the end of pool"
    if not _same_groups(None if pool.groups is None else np.delete(pool.groups, pool.held_out), data.groups):
        return "groups is not that of pool"
    return ""


def _same_groups(one: IntArray | None, other: IntArray | None) -> bool:
    """Whether two numberings of the same examples stand for the same groups."""
    if one is None or other is None:
        return one is other
    return np.array_equal(np.unique(one, return_inverse=True)[1], np.unique(other, return_inverse=True)[1])


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
class TestRows:
    """Which test examples each seed judges: all of them, or those of its fold.

    Args:
      rows: seed -> positions among the test examples, ascending; every variant has the same.  # (m,) each
      examples: the number of test examples that any seed can judge.
      groups: the group of each test example, whose members are not independent; None without groups.  # (examples,)

    Example: two seeds that judge half of four examples each.
      >>> tested = TestRows({0: np.array([0, 2]), 1: np.array([1, 3])}, 4)
      >>> tested.only([1]).rows[1].tolist()
      [1, 3]
    """

    __test__ = False  # no test class, whatever pytest makes of the name

    rows: Mapping[int, IntArray]
    examples: int
    groups: IntArray | None = None  # (examples,)

    def only(self, seeds: Sequence[int]) -> TestRows:
        """The same for some seeds, in their order."""
        return replace(self, rows={seed: self.rows[seed] for seed in seeds})


@dataclass(frozen=True)
class PreparedColumn:
    """How one column of a table becomes features.

    Args:
      column: its position in the table.
      name: as in ``Column``.
      fill: what replaces a missing value: the median, or the position in ``categories`` of the most frequent one.
      center: subtracted before rounding to float32; 0 unless the numbers are so large that float32 would blur them.
      indicator: whether a further feature says where a value was missing.
      categories: the categories of the training rows, one feature each (others become zeros); empty for numbers.
    """

    column: int
    name: str
    fill: float
    center: float = 0.0
    indicator: bool = False
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preparation:
    """How the rows of a table become the features of a model, fitted on the training rows alone.

    Args:
      columns: the columns that are used, in order; empty for images, which need no preparation.
      left_out: the other columns: name -> why.
      features: the names of the features that come out: those of a column, then its indicator, column by column.
    """

    columns: tuple[PreparedColumn, ...]
    left_out: Mapping[str, str]
    features: tuple[str, ...]


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
