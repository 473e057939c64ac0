"""Columns by which rows of a table may belong together: those of a patient, for example."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wellfit.data.parts import listed
from wellfit.data.tables.names import id_name, is_owner_name
from wellfit.data.tables.table import Table

__all__ = ["belonging"]

_FEWEST: Final = 5  # values


def belonging(table: Table, places: Iterable[int]) -> tuple[tuple[str, str], ...]:
    """The fact that names such columns: each value appears in two rows or more on average.

    Args:
      places: of the columns that are judged, by their names and how often their values repeat.

    Returns:
      One fact or none, as in ``Dataset``.

    Example:
      >>> import pandas as pd
      >>> from wellfit.base import DEFAULT_READING
      >>> from wellfit.data.tables.frames import table_of
      >>> table = table_of(pd.DataFrame({"patient": [*"abcde"] * 3, "age": 4}), DEFAULT_READING, "the frame")
      >>> belonging(table, [0, 1])[0][1]
      'patient (5 values in 15 rows): [data] group = "patient", so that no set divides them'
    """
    rows, found = len(table.lines), []
    for at in places:
        name = table.bare[at] if table.bare else ""
        if not name or not (id_name(name) == "id" or is_owner_name(name)):
            continue
        column = table.frame.iloc[:, at]
        distinct = int(column.nunique()) if column.dtype.kind != "f" or bool((column % 1 == 0).all()) else rows
        if _FEWEST <= distinct <= rows / 2:
            found.append(f'{name} ({distinct:,} values in {rows:,} rows): [data] group = "{name}"')
    if not found:
        return ()
    return (("rows that may belong together", f"{listed(found)}, so that no set divides them"),)
