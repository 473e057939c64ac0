"""What the text of one cell is: a number, or a missing value."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["MISSING", "is_missing", "is_number"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

MISSING: Final = frozenset(
    ",na,n/a,nan,-nan,+nan,#n/a,#na,<na>,null,none,?,-,--,.,inf,-inf,+inf,infinity,-infinity,+infinity".split(",")  # noqa: SIM905
)
"""Texts that mean a missing value, in lower case."""


def is_missing(text: str) -> bool:
    """Whether a cell's text means a missing value."""
    return text.strip().lower() in MISSING


def is_number(text: str, decimal: str = ".") -> bool:
    """Whether a cell is a finite number.

    Example:
      >>> is_number("-1.5e3"), is_number("1,5", ","), is_number("nan")
      (True, True, False)
    """
    return _NUMBER.fullmatch(text.strip().replace(decimal, ".", 1) if decimal != "." else text.strip()) is not None
