"""What a section of a written report is made of: plain text and figures; each form escapes the text itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Code", "Drawing", "Paragraph", "Part", "Table"]


@dataclass(frozen=True)
class Paragraph:
    """Sentences, after a few words in bold where ``head`` is not empty.

    Args:
      kind: ``"lead"`` is the answer, set larger; ``"notice"`` is to be read before the numbers; ``"small"`` explains a
        table or a figure.
    """

    text: str
    head: str = ""
    kind: Literal["text", "lead", "notice", "small"] = "text"


@dataclass(frozen=True)
class Table:
    """A table of text.

    Args:
      headings: one a column; empty for a table of names and values.
      text: how many columns from the left hold text and are aligned left; the others hold numbers.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: int = 1


@dataclass(frozen=True)
class Drawing:
    """A figure.

    Args:
      name: of its file, without suffix.
      caption: what it shows, in one line.
      draw: draws it; it is called once for each form that shows it.
      width: of the page; two half ones in a row stand side by side.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]
    width: Literal["full", "half"] = "full"


@dataclass(frozen=True)
class Code:
    """Text that is shown as it is, in a monospaced font."""

    text: str


Part = Paragraph | Table | Drawing | Code
