"""What the authors of a report say in it themselves: their names, the course, and their own text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["MOST_AUTHORS", "MOST_FORMULAS", "MOST_LETTERS", "MOST_TEXT", "OwnWords"]

MOST_AUTHORS: Final = 50
MOST_LETTERS: Final = 200
"""Characters of a name or a course."""

MOST_TEXT: Final = 100_000
"""Characters of the text of all sections together: about 40 pages."""

MOST_FORMULAS: Final = 500
"""Formulas in all sections together. Drawing one takes about 15 ms and 4 kB of the page: 500 take 8 s and 2 MB."""


@dataclass(frozen=True)
class OwnWords:
    """What a study's authors say in its report; no part of what makes a study the same study.

    Args:
      authors: their names, in order.
      course: for which the report is handed in.
      text: section, as its authors named it -> their words in Markdown; ``"introduction"`` precedes the report.
    """

    authors: tuple[str, ...] = ()
    course: str = ""
    text: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything is said."""
        return bool(self.authors or self.course or self.text)
