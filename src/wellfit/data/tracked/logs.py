"""Tables that loggers write, one for each run: metrics by epoch or step, with empty cells."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from wellfit.base import DEFAULT_READING
from wellfit.data.tables.files import load_table
from wellfit.data.tables.table import Table
from wellfit.errors import DataError

__all__ = ["columns_of", "curves_in", "header_of", "last_of", "table_of"]

_MOST_HEADER: Final = 1 << 16


def header_of(path: Path) -> tuple[str, ...]:
    """The names in the first line of a table, in lower case; empty if it is none.

    Raises nothing: whoever reads the file reports what is wrong.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(_MOST_HEADER).decode("utf-8-sig")
        if not line.isprintable() and not line.rstrip("\r\n").replace("\t", " ").isprintable():
            return ()
        separator = max(",;\t", key=line.count)
        return tuple(name.strip().lower() for name in next(csv.reader([line], delimiter=separator), ()))
    except (OSError, ValueError, csv.Error):
        return ()


def table_of(path: Path) -> Table:
    """A table with a header.

    Raises:
      DataError: no table, or one without a header.
    """
    table = load_table(path, DEFAULT_READING)
    if not table.header:
        raise DataError(f"{path}: has no header; keep the first line, which names the columns")
    return table


def columns_of(table: Table) -> dict[str, int]:
    """Name -> position of the columns.

    Raises:
      DataError: two columns of a name.
    """
    found: dict[str, int] = {}
    for at, name in enumerate(table.bare or table.names):
        if found.setdefault(name.strip(), at) != at:
            raise DataError(f"{table.where}: has two columns {name.strip()!r}; keep one of them")
    return found


def curves_in(table: Table, axis: str) -> dict[str, dict[int, float]]:
    """Metric -> step -> value: of cells of a step the last that is not empty; columns of texts are left out.

    Args:
      table: with a column of steps.
      axis: its name.

    Raises:
      DataError: a step that is not a whole number from 0.
    """
    import pandas as pd

    columns = columns_of(table)
    if axis not in columns:
        raise DataError(f"{table.where}: has no column {axis}; give the file as the logger wrote it")
    steps = pd.to_numeric(table.frame[table.frame.columns[columns[axis]]], errors="coerce").ffill().bfill()
    wrong = ~((steps >= 0) & (steps == steps.round()) & (steps < 2**53))
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise DataError(f"{table.where}, {table.at(row)}: {axis} is not a whole number from 0; repair the line")
    found = {}
    for name, at in columns.items():
        if name == axis:
            continue
        values = table.frame[table.frame.columns[at]]
        if values.dtype.kind in "iuf":
            known = values.notna()
            pairs = zip(steps[known].tolist(), values[known].tolist(), strict=True)
            if of := {int(step): float(value) for step, value in pairs}:
                found[name] = of
    return found


def last_of(curves: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
    """The value of each metric at its last step.

    Example:
      >>> last_of({"val_acc": {0: 0.5, 2: 0.75, 1: 0.25}})
      {'val_acc': 0.75}
    """
    return {name: of[max(of)] for name, of in curves.items()}
