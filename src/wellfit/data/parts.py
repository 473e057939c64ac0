"""What a reader returns: the sets of a data set as they are in the files, before labels and pixels are interpreted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Column, Header, IntArray

__all__ = ["SET_WORDS", "Part", "RawData", "SetName", "listed", "named_rows"]

SetName = Literal["train", "validation", "test"]

SET_WORDS: Final[Mapping[str, SetName]] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("validation", "validate", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}
"""The words by which people name sets, in the names of files, folders and arrays."""

_NAMED: Final = 5  # rows that a message lists


@dataclass(frozen=True, eq=False)
class Part:
    """One set of examples, as read.

    Args:
      x: any real type; in rows of a table, NaN is a missing value and categories are positions in their column's
        ``categories``.  # (N, ...)
      labels: integers, floats with whole values, booleans, bytes or strings, or one-hot rows.  # (N,) or (N, K)
      where: the source, for error messages.
      groups: the group of each example, integers or strings.  # (N,)
      lines: the line of each example in its file, for error messages; without it, rows are counted from 0.  # (N,)
    """

    x: NDArray[Any]
    labels: NDArray[Any]
    where: str
    groups: NDArray[Any] | None = None
    lines: IntArray | None = None


@dataclass(frozen=True, eq=False)
class RawData:
    """A data set as read from files or given as arrays.

    Args:
      train, test, validation: the sets; None where there is none.
      columns: of a table whose columns have names, in the order of the features; the same for all sets.
      classes: names of the labels 0, 1, ...; empty if the labels are names, or are their own names.
      pixel_max: the largest possible pixel value, if the files say it.
      facts: as in ``Dataset``.
      header: of a table.
    """

    train: Part
    test: Part | None = None
    validation: Part | None = None
    columns: tuple[Column, ...] = ()
    classes: tuple[str, ...] = ()
    pixel_max: float | None = None
    facts: tuple[tuple[str, str], ...] = ()
    header: Header | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The sets that there are: training, validation, test."""
        return tuple(part for part in (self.train, self.validation, self.test) if part is not None)


def listed(texts: Iterable[str], most: int = 6) -> str:
    """The first texts, and how many more there are.

    Example:
      >>> listed(["a", "b", "c"], 2)
      'a, b and 1 more'
    """
    texts = list(texts)
    return ", ".join(texts[:most]) + (f" and {len(texts) - most:,} more" if len(texts) > most else "")


def named_rows(part: Part, rows: NDArray[np.bool_]) -> str:
    """Name the rows of a mask for a message: at most five, by their lines in the file if these are known.

    Args:
      rows: at least one is true.  # (N,)

    Example:
      >>> part = Part(np.zeros((9, 1)), np.zeros(9), "memory")
      >>> named_rows(part, np.arange(9) > 1), named_rows(part, np.arange(9) == 3)
      ('rows 2, 3, 4, 5, 6 and 2 more (counted from 0)', 'row 3 (counted from 0)')
    """
    at = np.flatnonzero(rows)
    numbers = at if part.lines is None else part.lines[at]
    kind, ending = ("row", " (counted from 0)") if part.lines is None else ("line", "")
    listed = ", ".join(str(int(n)) for n in numbers[:_NAMED])
    more = f" and {len(at) - _NAMED:,} more" if len(at) > _NAMED else ""
    return f"{kind}{'s' if len(at) > 1 else ''} {listed}{more}{ending}"
