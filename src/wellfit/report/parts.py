"""The parts of a section of a written report: plain text and figures; each form escapes the text itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from wellfit.base import StudySummary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Cell", "Code", "Drawing", "Paragraph", "Part", "Table", "Words", "file_name"]


@dataclass(frozen=True)
class Cell:
    """A mean and its 95 % interval as text: what the page's tables show and sort by.

    Args:
      interval: in brackets; empty if there is none.
      value: to sort by; None if there is no finite number.
    """

    mean: str
    interval: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Paragraph:
    """Sentences, after a few words in bold where ``head`` is not empty.

    Args:
      kind: ``"lead"`` is the answer, set larger; ``"small"`` explains a table or a figure.
    """

    text: str
    head: str = ""
    kind: Literal["text", "lead", "small"] = "text"


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
      width: of the page; two of half the width in a row appear side by side.
      detail: whether a brief report leaves it out.
    """

    name: str
    caption: str
    draw: Callable[[], Figure]
    width: Literal["full", "half"] = "full"
    detail: bool = False


@dataclass(frozen=True)
class Code:
    """Text that is shown as it is, in a monospaced font.

    Args:
      boxed: it is the code that made what follows.
    """

    text: str
    boxed: bool = False


@dataclass(frozen=True)
class Words:
    """Markdown, as ``own_words`` reads it.

    Args:
      own: whether the authors of the study wrote it.
    """

    text: str
    own: bool = False


Part = Paragraph | Table | Drawing | Code | Words


def file_name(summary: StudySummary, variant: str) -> str:
    """A variant as part of a file's name: its position, which makes it unique, and the safe characters of its name.

    Example:
      >>> from wellfit.base import VariantSummary
      >>> v = VariantSummary("l2=0.001 <a/b>", {}, 1, (), {}, {}, 0.0, {})
      >>> s = StudySummary("s", "?", "d", "running", (), 5, 3.0, "", (v,), (), (), "", {}, {}, (), {}, {})
      >>> file_name(s, "l2=0.001 <a/b>")
      '1-l2=0.001-a-b'
    """
    position = [v.name for v in summary.variants].index(variant) + 1
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "=.+_") else "-" for c in variant)
    joined = "-".join(part for part in safe.split("-") if part)[:60].strip(".")
    return f"{position}-{joined}".rstrip("-")
