"""A table as read, before anything is decided about its columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from wellfit.base import ColumnKey, IntArray
from wellfit.data.parts import listed
from wellfit.errors import DataError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "name_columns", "position", "positions"]


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a table, all of them, in order.

    Args:
      frame: its columns are labeled 0, 1, ...
      names: of the columns, all different; "column 3" where there is no name.
      named: whether the names say something: not without a header, nor for names such as 0, 1, 2 or V1, V2.
      header: whether the names come from the table.
      where: the file, for error messages.
      lines: the line or the number of each row.  # (N,)
      unit: how a row is named by it: "line {}", "row {}" or "row {} (from 0)".
      facts: as in ``Dataset``.
      bare: the names as written; several may be the same.
      absent: columns of the training table that this table lacks; they are filled with NaN.
      decimal: the decimal mark, "," or "."; empty where no cell shows it, and for tables that are no text.
      written: gives the cells of a column as they are written; None where they are kept in no other form.
    """

    frame: pd.DataFrame
    names: tuple[str, ...]
    named: bool
    header: bool
    where: str
    lines: IntArray
    unit: str = "line {}"
    facts: tuple[tuple[str, str], ...] = ()
    bare: tuple[str, ...] = ()
    absent: frozenset[int] = frozenset()
    decimal: str = ""
    written: Callable[[int], NDArray[Any]] | None = None

    def at(self, row: int) -> str:
        """Where a row stands, for error messages: "line 7"."""
        return self.unit.format(self.lines[row])


def name_columns(header: tuple[str, ...], columns: int) -> tuple[tuple[str, ...], str]:
    """Give every column a name of its own.

    Args:
      header: the names as written, with repetitions and gaps; empty without a header.
      columns: the number of columns.

    Returns:
      The names, and a fact on those that stood more than once, or "".

    Example:
      >>> name_columns(("a", "b", "a", ""), 4)
      (('a (column 1)', 'b', 'a (column 3)', 'column 4'), 'a stands twice')
    """
    header = header or ("",) * columns
    counts = Counter(name for name in header if name)
    names = [
        f"{name} (column {at})" if counts[name] > 1 else name or f"column {at}"
        for at, name in enumerate(header, start=1)
    ]
    taken = Counter(names)
    names = [f"{name} (column {at})" if taken[name] > 1 else name for at, name in enumerate(names, start=1)]
    often = {2: "twice"}
    repeated = [f"{name} stands {often.get(n, f'{n} times')}" for name, n in counts.items() if n > 1]
    return tuple(names), listed(repeated)


def position(table: Table, key: ColumnKey, setting: str) -> int:
    """The position of a column that a setting names.

    Args:
      key: a name as written, or in another case; or a number from 1, -1 is the last.
      setting: for error messages, for example "label".

    Raises:
      DataError: no such column, or more than one.
    """
    count = len(table.names)
    if isinstance(key, int):
        if key == 0 or abs(key) > count:
            raise DataError(
                f"{table.where}: [data] {setting} = {key}, but the {count} columns are numbered from 1 "
                f"(or from -1, backwards); the first is {table.names[0]!r}"
            )
        return key - 1 if key > 0 else count + key
    bare = table.bare or table.names
    for names in (table.names, bare):
        exact = [at for at, name in enumerate(names) if name == key]
        if len(exact) == 1:
            return exact[0]
    wanted = key.strip().casefold()
    alike = [at for at, name in enumerate(bare) if name.strip().casefold() == wanted]
    if len(alike) == 1:
        return alike[0]
    if alike:
        numbers = ", ".join(str(at + 1) for at in alike)
        raise DataError(
            f"{table.where}: [data] {setting} = {key!r} may be column {numbers}; give the number, "
            f"for example {setting} = {alike[0] + 1}"
        )
    if not table.header:
        raise DataError(
            f"{table.where}: [data] {setting} = {key!r}, but the table has no header; give the column's number, "
            "1 is the first and -1 the last"
        )
    close = nearest(key, table.names)
    hint = f"; did you mean {close!r}?" if close else ""
    raise DataError(
        f"{table.where}: [data] {setting} = {key!r}, but there is no such column{hint} "
        f"(columns: {listed(table.names, 12)})"
    )


def positions(table: Table, keys: tuple[ColumnKey, ...], setting: str) -> tuple[int, ...]:
    """The positions of the columns that a setting names, in the order of the table."""
    return tuple(sorted({position(table, key, setting) for key in keys}))
