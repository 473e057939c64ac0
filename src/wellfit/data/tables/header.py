"""Where the names of the columns stand: in the first row, below titles, or nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from wellfit.data.parts import listed
from wellfit.data.tables.cells import is_missing, is_number

__all__ = ["names_columns", "titled", "titles_above"]

_MOST_TITLES: Final = 5


def names_columns(names: list[str], rows: list[list[str]], decimal: str = ".") -> bool:
    """Whether the first row names the columns that the other rows fill."""
    numbers = [is_number(name, decimal) for name in names]
    if all(number or not name for number, name in zip(numbers, names, strict=True)):
        return _counts(names, rows, decimal)
    filled = [[row[at].strip() for row in rows if not is_missing(row[at])] for at in range(len(names))]
    below = [sum(is_number(cell, decimal) for cell in cells) >= 0.9 * max(len(cells), 1) for cells in filled]
    words = [at for at, name in enumerate(names) if name and not numbers[at] and not is_missing(name)]
    named = [at for at in words if below[at] and filled[at]]
    measured = [at for at in range(len(names)) if below[at] and filled[at]]
    counted = [name for at, name in enumerate(names) if numbers[at]]
    counts = _consecutive(counted) and (len(counted) > 2 or counted[0] == "0")
    fresh = len(words) and sum(names[at] not in filled[at] for at in words) > 0.5 * len(words)
    if named:
        return len(named) >= 0.5 * len(measured) or counts
    if counted:
        return counts and bool(fresh)
    return len(rows) > 1 and len(set(names)) == len(names) and bool(fresh)


def _counts(names: list[str], rows: list[list[str]], decimal: str) -> bool:
    """Whether a row of numbers alone is a header such as pandas writes for an array: 0, 1, 2, ..."""
    counted = [name for name in names if name]
    if not _consecutive(counted) or names[1:] != (counted if not names[0] else counted[1:]):
        return False
    if len(counted) > 5 or not names[0]:
        return True
    fractions = [
        sum(not cell.strip().lstrip("+-").isdigit() for cell in column) > 0.5 * len(column)
        for column in zip(*rows, strict=True)
    ]
    return any(fractions)


def _consecutive(names: list[str]) -> bool:
    """Whether the names count up by one."""
    if len(names) < 2 or not all(name.isascii() and name.isdigit() and len(name) < 10 for name in names):
        return False
    values = [int(name) for name in names]
    return values == list(range(values[0], values[0] + len(values)))


def titles_above(rows: list[list[str]]) -> int:
    """How many rows above the header are titles: of one text or none, above a header with a name for every column.

    Args:
      rows: the first rows of a table; some may consist of empty cells.

    Example:
      >>> titles_above([["Apples of 2024", "", ""], ["weight", "size", "sort"], ["1.5", "7", "fuji"]])
      1
    """
    top = 0
    while top < min(_MOST_TITLES, len(rows) - 2) and _is_title(rows[top]):
        top += 1
    if not top:
        return 0
    header, *rest = rows[top:]
    width = Counter(map(len, rest)).most_common(1)[0][0]
    rest = [row for row in rest if len(row) == width]
    used = [at for at in range(width) if any(row[at].strip() for row in rest)]
    padded = any(len(row) > 1 for row in rows[:top])
    if len(header) != width or len(used) < 2 + padded:  # of two columns, one may have no name
        return 0
    names = [header[at].strip() for at in used]
    below = [[row[at] for at in used] for row in rest]
    whole = all(names[1:])  # a column of row numbers has no name
    return top if whole and any(names_columns(names, below, decimal) for decimal in ".,") else 0


def titled(titles: Sequence[str]) -> str:
    """The fact about titles.

    Example:
      >>> titled(["Apples of 2024"])
      'above the header, left out: Apples of 2024'
    """
    return f"above the header, left out: {listed([title[:60] for title in titles])}"


def _is_title(row: list[str]) -> bool:
    filled = [cell for cell in row if cell.strip()]
    return len(filled) < 2 and not any(is_number(cell) or is_missing(cell) for cell in filled)
