"""Rows of a later table, such as a file to predict, read like the training table: the same columns in the same order.

What a column holds was decided by the training table and is not decided again: numbers with their unit, categories with
their texts. Columns that the model does not use need not be there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import isnan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Column, Header, Reading
from wellfit.data.parts import listed
from wellfit.data.tables.columns import column_texts, is_truth, numbers_like
from wellfit.data.tables.labels import label_values
from wellfit.data.tables.names import id_name, label_rank
from wellfit.data.tables.table import Table
from wellfit.data.tables.values import plain_number
from wellfit.errors import DataError, nearest

__all__ = ["Identifier", "Rows", "hashable", "rows_like"]


class Identifier(NamedTuple):
    """A column whose values tell the rows apart, such as ``PassengerId``.

    Args:
      name: of the column.
      values: as the table has them; texts as they are written, where it is a text.  # (N,)
    """

    name: str
    values: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a later table.

    Args:
      x: float64; NaN is a missing value, and all of a column that the model does not use.  # (N, D)
      columns: of ``x``; their categories are those of this table.
      labels: whole numbers, floats or texts; None if the table has no label column, or an empty one.  # (N,)
      unlabeled: where a label is missing; empty without labels.  # (N,)
      identifier: the column that tells the rows apart; None if there is none.
      names: of the rows, for messages: "line 7".
      notes: what was changed, in words.
    """

    x: NDArray[np.float64]
    columns: tuple[Column, ...]
    labels: NDArray[Any] | None
    unlabeled: NDArray[np.bool_]
    identifier: Identifier | None
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def rows_like(
    table: Table, header: Header | None, columns: Sequence[Column], used: Collection[str], reading: Reading
) -> Rows:
    """Read the rows of a table like those of the training table.

    Args:
      table: as read; its columns may be in another order, and it may have others.
      header: of the training table; None if the training data were an array, whose columns are matched by position.
      columns: of the training data; empty if they have no names.
      used: the names of the columns that the model uses.
      reading: as for the training table; only ``missing`` matters here.

    Raises:
      DataError: a column that is missing, a cell that is not a number among numbers, another unit, or no rows.

    Example:
      >>> import pandas as pd
      >>> from wellfit.base import DEFAULT_READING
      >>> from wellfit.data.tables.frames import table_of
      >>> table = table_of(pd.DataFrame({"color": ["red"], "size": [3]}), DEFAULT_READING, "the frame")
      >>> header = Header(("size", "color", "kind"), 2, (0, 1), True)
      >>> columns = Column("size"), Column("color", ("blue",))
      >>> rows = rows_like(table, header, columns, {"size", "color"}, DEFAULT_READING)
      >>> rows.x.tolist(), rows.columns[1].categories
      ([[3.0, 0.0]], ('red',))
    """
    if not len(table.lines):
        raise DataError(f"{table.where}: has no rows; give one row per example")
    if header is None:
        columns = columns or tuple(Column(f"column {at}") for at in range(1, len(used) + 1))
        places, label = _in_order(table, columns)
    else:
        places, label = _by_name(table, header) if header.written else _by_place(table, header)
    needed = [column.name for column in columns if column.name in used or header is None]
    _check_all_there(table, [name for name in needed if name not in places], set(places.values()))
    x = np.full((len(table.lines), len(columns)), np.nan)  # (N, D)
    own: list[Column] = []
    notes: list[str] = []
    grouped = header is not None and header.decimal == "."
    for at, column in enumerate(columns):
        categories: tuple[str, ...] = ()
        if column.name in needed:
            x[:, at], categories = _values(table, places[column.name], column, reading, grouped)
            if not column.categories and not column.truth and is_truth(table, places[column.name], reading):
                notes.append(f"{column.name}: true and false, where the training table has numbers, count as 1 and 0")
        own.append(replace(column, categories=categories))
    labels, unlabeled = (None, np.zeros(0, bool)) if label is None else label_values(table, label, reading)
    if unlabeled.all():
        labels, unlabeled = None, np.zeros(0, bool)
    taken = {places[name] for name in needed} | ({label} if label is not None else set())
    lines = tuple(map(table.at, range(len(x))))
    return Rows(x, tuple(own), labels, unlabeled, _identifier(table, taken), lines, tuple(notes))


def _values(
    table: Table, at: int, column: Column, reading: Reading, grouped: bool
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The values of one column, and the texts of its categories."""
    try:
        if not column.categories:
            return numbers_like(table, at, column, reading, grouped=grouped), ()
        texts = column_texts(table, at, reading)
    except DataError as error:  # its further advice is about settings for training
        raise DataError(str(error).partition(", or ")[0]) from None
    known = {
        plain_number(text): text for text in reversed(column.categories)
    }  # 1.0 here may be 1 in the training table
    categories = (text if text in column.categories else known.get(plain_number(text), text) for text in texts.texts)
    return np.where(texts.codes < 0, np.nan, texts.codes), tuple(categories)


# --- Which column is which --------------------------------------------------------------------------------------------


def _by_name(table: Table, header: Header) -> tuple[dict[str, int], int | None]:
    """The places of the training table's columns by their names, and that of the label."""
    if not table.header:
        raise DataError(
            f"{table.where}: has no header, but the columns of the training data have names; add a first row with them"
        )
    exact = {name: at for at, name in enumerate(table.names)}
    cases = Counter(name.casefold() for name in table.names)
    for name in header.names:
        if name not in exact and cases[name.casefold()] > 1:
            raise DataError(f"{table.where}: {cases[name.casefold()]} columns could be {name!r}; name one exactly so")
    folded = {name.casefold(): at for at, name in enumerate(table.names)}
    found = {name: exact.get(name, folded.get(name.casefold())) for name in header.names}
    places = {name: at for name, at in found.items() if at is not None}
    return places, places.get(header.names[header.label])


def _by_place(table: Table, header: Header) -> tuple[dict[str, int], int | None]:
    """The same where names say nothing: the table has all columns of the training table, or all but the label."""
    count, wanted = len(table.names), len(header.names)
    if count == wanted:
        return {name: at for at, name in enumerate(header.names)}, header.label
    if count == wanted - 1:
        others = [name for at, name in enumerate(header.names) if at != header.label]
        return {name: at for at, name in enumerate(others)}, None
    raise DataError(
        f"{table.where}: has {count} columns, but the training table has {wanted} with its label; give the same columns"
    )


def _in_order(table: Table, columns: Sequence[Column]) -> tuple[dict[str, int], int | None]:
    """The same for an array's columns: those of the table in order, apart from one that is called label."""
    labels = [at for at, name in enumerate(table.bare) if label_rank(name, table.names) == "certain"]
    label = labels[0] if len(labels) == 1 and len(table.names) == len(columns) + 1 else None
    others = [at for at in range(len(table.names)) if at != label]
    if len(others) != len(columns):
        raise DataError(
            f"{table.where}: has {len(table.names)} columns, but the model was trained on {len(columns):,} features; "
            "give these columns alone"
        )
    return {column.name: at for column, at in zip(columns, others, strict=True)}, label


def _check_all_there(table: Table, missing: Sequence[str], known: Collection[int]) -> None:
    if not missing:
        return
    others = [name for at, name in enumerate(table.names) if at not in known]
    close = nearest(missing[0], others) if len(missing) == 1 else None
    hint = f"; is it {close!r}? Name it alike" if close else "; add what is missing"
    raise DataError(
        f"{table.where}: lacks {len(missing)} column{'s' if len(missing) > 1 else ''} that the model needs "
        f"({listed(missing)}){hint}"
    )


def _identifier(table: Table, taken: Collection[int]) -> Identifier | None:
    """The column that tells the rows apart.

    The first with the name of an identifier that differs in every row; or else the first column, if it does; or else
    the first with such a name, which then has the same value in several rows.
    """
    rest = [at for at in range(len(table.names)) if at not in taken]
    named = [at for at in rest if table.header and id_name(table.names[at]) == "id"]
    first = [at for at in rest if at == 0]
    written = {at: _written(table, at) for at in dict.fromkeys((*named, *first))}
    cells = {at: values for at, values in written.items() if hashable(values)}
    named = [at for at in named if at in cells]
    apart = [at for at, values in cells.items() if _all_there(values) and len(set(values.tolist())) == len(values)]
    chosen = next((at for at in (*apart, *named) if _any_there(cells[at])), None)
    return None if chosen is None else Identifier(table.names[chosen], cells[chosen])


def _written(table: Table, at: int) -> NDArray[Any]:
    """The cells of a column as they are written; in tables that are no text, whole numbers stay whole."""
    if table.written is not None:
        return table.written(at)
    column = table.frame.iloc[:, at]
    if column.dtype.kind == "f" and column.isna().any():  # pandas makes floats of whole numbers with gaps
        return np.array(["" if np.isnan(n) else f"{int(n)}" if n.is_integer() else f"{n}" for n in column], object)
    values: NDArray[Any] = column.to_numpy()
    return values


def hashable(values: NDArray[Any]) -> bool:
    """Whether values can tell rows apart; lists, dicts and arrays in the cells of a DataFrame cannot.

    Example:
      >>> hashable(np.array([3, "b"], object)), hashable(np.array([{}, "b"], object))
      (True, False)
    """
    try:
        set(values.tolist())
    except TypeError:
        return False
    return True


def _all_there(values: NDArray[Any]) -> bool:
    return not any(map(_is_empty, values.tolist()))


def _any_there(values: NDArray[Any]) -> bool:
    return not all(map(_is_empty, values.tolist()))


def _is_empty(value: Any) -> bool:
    import pandas as pd

    return value is pd.NA or (isinstance(value, float) and isnan(value)) or value in (None, "")
