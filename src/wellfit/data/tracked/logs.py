"""Tables that loggers write, one for each run: metrics by epoch or step, with empty cells."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING
from wellfit.data.tables.files import load_table, without_settings
from wellfit.data.tables.table import Table
from wellfit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_rising", "columns_of", "curves_in", "header_of", "last_of", "table_of"]

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
    with without_settings():
        table = load_table(path, DEFAULT_READING, as_written=True)
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

    A cell with the text nan is a value, since the run diverged; an empty one is none.

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
    cells = table.frame[table.frame.columns[columns[axis]]]
    numbers = pd.to_numeric(cells, errors="coerce")
    steps = numbers.ffill().bfill()
    wrong = ~((steps >= 0) & (steps == steps.round()) & (steps < 2**53)) | (numbers.isna() & ~_empty(cells))
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise DataError(f"{table.where}, {table.at(row)}: {axis} is not a whole number from 0; repair the line")
    found = {}
    for name, at in columns.items():
        if name == axis:
            continue
        values = table.frame[table.frame.columns[at]]
        if values.dtype.kind in "iuf":
            known = values.notna() | _said_nan(table, at)
            pairs = zip(steps[known].tolist(), values[known].tolist(), strict=True)
            if of := {int(step): float(value) for step, value in pairs}:
                found[name] = of
    return found


def _empty(cells: pd.Series[Any]) -> pd.Series[bool]:
    return cells.isna() | (cells.astype(str).str.strip() == "")


def _said_nan(table: Table, at: int) -> NDArray[np.bool_]:
    """Which cells of a column have the text nan, as loggers write what is not a number."""
    if table.written is None:
        return np.zeros(len(table.frame), bool)
    return np.array([str(cell).strip().lower() == "nan" for cell in table.written(at)], bool)


def check_rising(table: Table, axis: str) -> None:
    """Refuse steps that are missing, repeat or fall: several trainings, or damage, whose last value is another one's.

    Raises:
      DataError: a step that is empty, or not larger than the one before; the message says in which line.
    """
    import pandas as pd

    columns = columns_of(table)
    if axis not in columns:
        return  # whoever reads the curves says so
    cells = table.frame[table.frame.columns[columns[axis]]]
    if (empty := _empty(cells)).any():
        row = int(np.flatnonzero(empty)[0])
        raise DataError(f"{table.where}, {table.at(row)}: no {axis}; repair the line, or remove it")
    steps = pd.to_numeric(cells, errors="coerce").dropna()
    if len(fallen := np.flatnonzero(np.diff(steps.to_numpy()) <= 0)):
        row = int(steps.index[fallen[0] + 1])
        before, here = (f"{steps.iloc[fallen[0] + at]:g}" for at in (0, 1))
        raise DataError(f"{table.where}, {table.at(row)}: {axis} {here} follows {axis} {before}; where a training "
                        "started over in the file, keep the lines of one, and where it was resumed, the later line of "
                        "each")  # fmt: skip


def last_of(curves: Mapping[str, Mapping[int, float]]) -> dict[str, float]:
    """The value of each metric at its last step.

    Example:
      >>> last_of({"val_acc": {0: 0.5, 2: 0.75, 1: 0.25}})
      {'val_acc': 0.75}
    """
    return {name: of[max(of)] for name, of in curves.items()}
