"""From the rows of a table to the features of a model: missing values, categories, constant columns, huge numbers.

Everything is fitted on the training rows alone. Other rows can neither add a category nor move a median.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Column, Dataset, IntArray, Preparation, PreparedColumn
from wellfit.data.rounding import float32_blurs
from wellfit.errors import DataError

__all__ = [
    "IDENTITY",
    "MOST_CATEGORIES",
    "binary_features",
    "count_missing",
    "count_unseen",
    "fit_preparation",
    "is_identity",
    "prepare",
    "prepared_dataset",
    "refitted",
]

IDENTITY: Final = Preparation((), {}, ())
"""The preparation of images: none."""

MOST_CATEGORIES: Final = 1000
"""A column of more categories is left out: each would be a feature."""

_BLOCK: Final = 64  # columns whose medians are computed at a time


def fit_preparation(dataset: Dataset, train_rows: IntArray) -> Preparation:
    """Fit the preparation of a data set on its training rows.

    - Missing numbers become the median, missing categories the most frequent one (of equals, the first). A column with
      missing values among the training rows also gets an indicator: 1 where a value was missing.
    - Each category of the training rows becomes a feature that is 0 or 1, even if there are only two, so that a row
      with another category has zeros alone.
    - Columns that are the same in all training rows, have no value in them, or have more than 1,000 categories are left
      out. Arrays without column names keep all columns.
    - Numbers that float32 would blur, like 1.7e9 ± 1,000, are centered at their median.

    Args:
      dataset: the data; only the training rows are read.
      train_rows: rows of ``x_train``.  # (n,)

    Raises:
      DataError: no column is left.

    Example:
      >>> x = np.array([[1, 0], [np.nan, 1], [3, 1]], np.float32)
      >>> columns = (Column("age"), Column("color", ("blue", "red")))
      >>> y = np.zeros(3, np.int32)
      >>> data = Dataset("toy", x, y, x, y, ("a",), None, "Toy", "memory", "", columns)
      >>> fit_preparation(data, np.arange(3)).features
      ('age', 'age is missing', 'color = blue', 'color = red')
    """
    if len(dataset.input_shape) != 1:
        return IDENTITY
    x, columns = dataset.x_train, dataset.columns or _unnamed(dataset.input_shape[0])
    kept: list[PreparedColumn] = []
    left_out: dict[str, str] = {}
    for start in range(0, len(columns), _BLOCK):
        block = np.ascontiguousarray(x[train_rows, start : start + _BLOCK].T)  # (B, n)
        for j, values in enumerate(block, start):
            reason = _useless(values, columns[j]) if dataset.columns else ""
            if reason:
                left_out[columns[j].name] = reason
            else:
                kept.append(_fit(j, columns[j], values))
    if not kept:
        reasons = "; ".join(f"{name} ({why})" for name, why in list(left_out.items())[:5])
        raise DataError(f"{dataset.source}: no column is left to learn from: {reasons}; give other columns")
    return Preparation(tuple(kept), left_out, tuple(name for column in kept for name in _feature_names(column)))


def refitted(preparation: Preparation, dataset: Dataset, train_rows: IntArray) -> Preparation:
    """The same features for other training rows: what fills in missing values is fitted on these.

    Centers, which only keep digits that float32 would lose, stay. Networks of all folds then have the same inputs. What
    the training rows of a fold never show, for example a rare category, is a constant feature there, see
    ``scaling.fit_scaling``.

    Args:
      preparation: of all examples; which columns, categories and indicators there are.
      dataset, train_rows: as for ``fit_preparation``.

    Example:
      >>> x = np.array([[1], [2], [9]], np.float32)
      >>> data = Dataset("toy", x, np.zeros(3, int), x, np.zeros(3, int), ("a",), None, "Toy", "memory", "")
      >>> refitted(fit_preparation(data, np.arange(3)), data, np.arange(2)).columns[0].fill
      1.5
    """
    if is_identity(preparation):
        return preparation
    columns = dataset.columns or _unnamed(dataset.input_shape[0])
    kept = []
    for column in preparation.columns:
        values = dataset.x_train[train_rows, column.column]  # (n,)
        fill = _fit(column.column, columns[column.column], values)
        if column.categories:
            common = fill.categories[int(fill.fill)] if fill.categories else column.categories[0]
            kept.append(dataclasses.replace(column, fill=float(column.categories.index(common))))
        else:
            kept.append(dataclasses.replace(column, fill=fill.fill))
    return dataclasses.replace(preparation, columns=tuple(kept))


def _unnamed(count: int) -> tuple[Column, ...]:
    return tuple(Column(f"x{j + 1}") for j in range(count))


def _useless(values: NDArray[Any], column: Column) -> str:
    """Why a column can teach nothing; empty if it can."""
    if (
        len(column.categories) > MOST_CATEGORIES
        and (size := len(np.unique(values[~np.isnan(values)]))) > MOST_CATEGORIES
    ):
        return f"{size:,} categories in the training examples"
    if values.dtype.kind == "f" and np.isnan(values).all():
        return "no value in any training example"
    if (values == values[0]).all():  # never true of a missing value
        return "the same value in every training example"
    return ""


def _fit(j: int, column: Column, values: NDArray[Any]) -> PreparedColumn:
    """Fit one column to its training values.  # (n,)"""
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)  # (n,)
    present = values[~missing]
    indicator = bool(missing.any())
    if column.categories:
        seen, counts = np.unique(present.astype(np.int64), return_counts=True)
        texts = tuple(column.categories[k] for k in seen.tolist())
        return PreparedColumn(j, column.name, float(counts.argmax()), 0.0, indicator, texts)
    median = float(np.median(present.astype(np.float64))) if len(present) else 0.0
    center = median if values.dtype == np.float64 and _blurred(present) else 0.0
    return PreparedColumn(j, column.name, median, center, indicator)


def _blurred(values: NDArray[np.float64]) -> bool:
    """Whether float32 would blur a column."""
    if not len(values):
        return False
    whole = bool((values == np.floor(values)).all())
    return bool(float32_blurs(values.min(), values.max(), whole=whole))


def _feature_names(column: PreparedColumn) -> Iterator[str]:
    yield from (f"{column.name} = {text}" for text in column.categories)
    if not column.categories:
        yield column.name
    if column.indicator:
        yield f"{column.name} is missing"


def is_identity(preparation: Preparation) -> bool:
    """Whether nothing is prepared.

    Example:
      >>> is_identity(IDENTITY)
      True
    """
    return not preparation.columns


def binary_features(preparation: Preparation) -> NDArray[np.bool_]:
    """Which features are 0 or 1: categories and indicators.

    Returns:
      Empty for images.  # (D',)

    Example:
      >>> binary_features(Preparation((PreparedColumn(0, "age", 30.0, indicator=True),), {}, ("age", "age is missing")))
      array([False,  True])
    """
    flags = [
        flag
        for column in preparation.columns
        for flag in [*([True] * len(column.categories) or [False]), *([True] if column.indicator else [])]
    ]
    return np.array(flags, dtype=bool)


def prepare(preparation: Preparation, columns: Sequence[Column], x: NDArray[Any]) -> NDArray[Any]:
    """Turn the rows of a table into features; images come out as they are.

    Args:
      preparation: from ``fit_preparation``.
      columns: of ``x``, in the order of the table that the preparation was fitted on; their categories may be others.
        Empty for arrays without column names.
      x: rows of a table, NaN where a value is missing, or images.  # (N, D) or (N, ...)

    Returns:
      Float32, without missing values; the array itself if there is nothing to change.  # (N, D')

    Raises:
      DataError: the rows have another number of columns than the preparation was fitted on, or a number that float32
        cannot hold.

    Example:
      >>> age = PreparedColumn(0, "age", 30.0, indicator=True)
      >>> preparation = Preparation((age,), {}, ("age", "age is missing"))
      >>> prepare(preparation, (Column("age"),), np.array([[18], [np.nan]])).tolist()
      [[18.0, 0.0], [30.0, 1.0]]
    """
    if is_identity(preparation):
        return x
    width = len(preparation.columns) + len(preparation.left_out)
    if x.ndim != 2 or x.shape[1] != width:
        raise DataError(f"the rows have {x.shape[1:]} values, but the table has {width} columns; give the same columns")
    plain = all(not (c.categories or c.indicator or c.center) for c in preparation.columns)
    if plain and not preparation.left_out and x.dtype != np.float64 and not _any_missing(x):
        return x
    features = np.zeros((len(x), len(preparation.features)), np.float32)  # (N, D')
    at = 0
    for column in preparation.columns:
        values = x[:, column.column]  # (N,)
        missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
        if column.categories:
            place = np.where(missing, int(column.fill), _places(column, columns, values))  # (N,), -1 for others
            rows = np.flatnonzero(place >= 0)
            features[rows, at + place[rows]] = 1
        else:
            features[:, at] = _numbers(column, np.where(missing, column.fill, values))
        at += max(1, len(column.categories))
        if column.indicator:
            features[:, at] = missing
            at += 1
    return features


def _any_missing(x: NDArray[Any]) -> bool:
    return x.dtype.kind == "f" and bool(np.isnan(x).any())


def _places(column: PreparedColumn, columns: Sequence[Column], values: NDArray[Any]) -> NDArray[np.int64]:
    """The position of each value among the training categories; -1 for other categories.  # (N,)"""
    known = {text: place for place, text in enumerate(column.categories)}
    texts = columns[column.column].categories
    of_text = np.array([*(known.get(text, -1) for text in texts), -1], dtype=np.int64)  # the last is of missing values
    places: NDArray[np.int64] = of_text[np.nan_to_num(values, nan=len(texts)).astype(np.int64)]
    return places


def _numbers(column: PreparedColumn, values: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        numbers = (values - column.center if column.center else values).astype(np.float32)  # (N,)
    if not np.isfinite(numbers).all():
        wrong = float(values[int(np.argmin(np.isfinite(numbers)))])
        raise DataError(f"column {column.name}: {wrong:g} is too large for float32; divide the column by a constant")
    return numbers


def prepared_dataset(dataset: Dataset, preparation: Preparation) -> Dataset:
    """A data set with features instead of the columns of its table.

    Returns:
      The data set itself if nothing changes; otherwise its ``columns`` name the features.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> digits = load_dataset("digits")
      >>> prepared_dataset(digits, fit_preparation(digits, np.arange(100))) is digits
      True
    """
    x_train, x_test = (prepare(preparation, dataset.columns, x) for x in (dataset.x_train, dataset.x_test))
    if x_train is dataset.x_train and x_test is dataset.x_test:
        return dataset
    names = tuple(Column(name) for name in preparation.features) if dataset.columns else ()
    return dataclasses.replace(dataset, x_train=x_train, x_test=x_test, columns=names)


def count_missing(preparation: Preparation, x: NDArray[Any]) -> dict[str, int]:
    """The number of missing values that ``prepare`` fills in, by column; columns without any are not listed.

    Args:
      x: rows of a table.  # (N, D)

    Example:
      >>> count_missing(Preparation((PreparedColumn(0, "age", 30.0),), {}, ("age",)), np.array([[18], [np.nan]]))
      {'age': 1}
    """
    if x.dtype.kind != "f":
        return {}
    counts = {column.name: int(np.isnan(x[:, column.column]).sum()) for column in preparation.columns}
    return {name: count for name, count in counts.items() if count}


def count_unseen(preparation: Preparation, columns: Sequence[Column], x: NDArray[Any]) -> dict[str, int]:
    """The number of values whose category is not among the training rows, by column; others are not listed.

    Args:
      columns, x: as for ``prepare``.

    Example:
      >>> color = PreparedColumn(0, "color", 0.0, categories=("red",))
      >>> columns = (Column("color", ("blue", "red")),)
      >>> count_unseen(Preparation((color,), {}, ("color = red",)), columns, np.array([[0.0], [1.0], [np.nan]]))
      {'color': 1}
    """
    counts: dict[str, int] = {}
    for column in preparation.columns:
        if column.categories:
            values = x[:, column.column]
            count = int((_places(column, columns, values[~np.isnan(values)]) < 0).sum())
            if count:
                counts[column.name] = count
    return counts
