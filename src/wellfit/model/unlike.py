"""What of later examples is unlike all that a model was trained on; it predicts them all the same, with a note."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Column, Preparation, Scaling
from wellfit.data.parts import listed
from wellfit.data.preparation import binary_features, count_unseen
from wellfit.narrative.phrases import counted

__all__ = ["unlike_training"]

_FAR: Final = 10.0
"""Standard deviations from the mean of the training examples. Of a hundred thousand normal values, the farthest is 4 to
5 away; years in a column of ages, or grams for kilograms, are hundreds."""

_NAMED: Final = 5
"""Columns that a note names."""


def unlike_training(
    preparation: Preparation,
    scaling: Scaling,
    columns: Sequence[Column],
    x: NDArray[Any],
    known: Sequence[Column],
) -> list[str]:
    """Notes on categories that no training example has, values that are never missing there, and numbers far away.

    Args:
      preparation, scaling: of the model.
      columns: of ``x``; empty for images and arrays.
      x: rows of a table.  # (N, D)
      known: the columns of the training data, with their categories.

    Example:
      >>> from wellfit.base import PreparedColumn
      >>> age = Preparation((PreparedColumn(0, "age", 30.0),), {}, ("age",))
      >>> scaling = Scaling("standardize", np.float32([30]), np.float32([0.1]))
      >>> x = np.array([[31.0], [np.nan], [1980.0]])
      >>> for note in unlike_training(age, scaling, [Column("age")], x, [Column("age")]):
      ...     print(note)
      age: missing in 1 row, but never in training; the median of the training examples, 30, is used instead
      age: far outside the training examples in 1 row (1980), more than 10 standard deviations from their mean, 30
    """
    if not columns or not preparation.columns:
        return []
    return [
        *_unseen(preparation, columns, x, known),
        *_shortened(_missing(preparation, x), "missing where they never were in training"),
        *_shortened(_far(preparation, scaling, x), "far outside the training examples"),
    ]


def _unseen(preparation: Preparation, columns: Sequence[Column], x: NDArray[Any], known: Sequence[Column]) -> list[str]:
    notes = []
    for name, count in count_unseen(preparation, columns, x).items():
        at = [column.name for column in columns].index(name)
        before = set(known[at].categories)
        new = [text for text in columns[at].categories if text not in before]
        rows = counted(count, "row")
        notes.append(
            f"{name}: {listed(map(repr, new))} in {rows} occurs in no training example and counts as none of the "
            "categories"
        )
    return notes


def _missing(preparation: Preparation, x: NDArray[Any]) -> list[tuple[str, str]]:
    """Column and note, where values are missing that no training example lacked."""
    notes = []
    for column in preparation.columns:
        count = int(np.isnan(x[:, column.column].astype(np.float64)).sum())
        if count and not column.indicator:
            fill = (
                f"the most frequent category, {column.categories[int(column.fill)]!r},"
                if column.categories
                else f"the median of the training examples, {column.fill:g},"
            )
            notes.append(
                (column.name, f"missing in {counted(count, 'row')}, but never in training; {fill} is used instead")
            )
    return notes


def _far(preparation: Preparation, scaling: Scaling, x: NDArray[Any]) -> list[tuple[str, str]]:
    """Column and note, where numbers lie far outside what the model was trained on."""
    if scaling.kind != "standardize" or np.ndim(scaling.shift) == 0:
        return []
    numeric = np.flatnonzero(~binary_features(preparation))
    notes = []
    for column, feature in zip((c for c in preparation.columns if not c.categories), numeric, strict=True):
        values = x[:, column.column].astype(np.float64)  # (N,)
        mean = column.center + float(scaling.shift[feature])
        with np.errstate(invalid="ignore"):
            far = np.abs(values - mean) * float(scaling.factor[feature]) > _FAR  # (N,) False where missing
        if count := int(far.sum()):
            farthest = values[far][np.argmax(np.abs(values[far] - mean))]
            rows, up_to = counted(count, "row"), "up to " if count > 1 else ""
            text = (
                f"far outside the training examples in {rows} ({up_to}{farthest:g}), "
                f"more than {_FAR:g} standard deviations from their mean, {mean:.3g}"
            )
            notes.append((column.name, text))
    return notes


def _shortened(notes: Sequence[tuple[str, str]], what: str) -> list[str]:
    """A line a column, or one line for all where there are many."""
    if len(notes) <= _NAMED:
        return [f"{name}: {text}" for name, text in notes]
    return [f"{len(notes)} columns have values that are {what}: {listed(name for name, _ in notes)}"]
