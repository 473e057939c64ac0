"""Text broken to a measure: how wide a line is, where it breaks, how wide the columns of a table are, in points.

Widths are those of the fonts that draw the text, so that nothing is wider than it is given room for.
"""

from __future__ import annotations

from functools import lru_cache

from wellfit.report.marks.fonts import measured
from wellfit.report.parts import Table as TableData

__all__ = ["break_lines", "column_widths", "shortened", "text_width"]


@lru_cache(maxsize=4096)
def _advance(character: str, face: str) -> float:
    """How far a character moves on, at one point of size."""
    font = measured(character, face)
    font.set_size(64, 72)
    glyph = font.load_glyph(font.get_char_index(ord(character)))  # glyph 0, an empty box, where there is none
    return float(glyph.linearHoriAdvance) / 65536 / 64


def text_width(text: str, size: float, face: str = "") -> float:
    """The width of a line of text.

    Args:
      text: the line.
      size: of the font, in points.
      face: one of `wellfit.report.marks.fonts.FONTS`.

    Returns:
      Points; kerning, which would make it narrower, is left out.

    Example:
      >>> text_width("mm", 10) == 2 * text_width("m", 10) > text_width("ii", 10)
      True
    """
    return size * sum(_advance(character, face) for character in text)


def break_lines(text: str, size: float, width: float, face: str = "") -> list[str]:
    """Break a text into lines that are not wider than a measure; a word that is wider alone is broken too.

    Example:
      >>> break_lines("one two three", 10, 45)
      ['one two', 'three']
    """
    made: list[str] = []
    line = ""
    for word in text.split(" "):  # not where a space does not break
        if not word:
            continue
        longer = f"{line} {word}" if line else word
        if text_width(longer, size, face) <= width:
            line = longer
            continue
        if line:
            made.append(line)
        line = word
        while text_width(line, size, face) > width and len(line) > 1:
            fits = next((n for n in range(len(line) - 1, 1, -1) if text_width(line[:n], size, face) <= width), 1)
            made.append(line[:fits])
            line = line[fits:]
    return [*made, line] if line or not made else made


def column_widths(table: TableData, size: float, width: float, gap: float) -> list[float]:
    """How wide each column of a table is, so that all of them fit; where they do not, long cells are to be broken.

    Args:
      table: the table.
      size: of the font, in points.
      width: what all columns and the gaps between them may take.
      gap: between two columns.

    Returns:
      A width a column.
    """
    lines = [table.headings, *table.rows] if table.headings else list(table.rows)
    columns = list(zip(*lines, strict=True))
    # headings are bold, and bold is wider: every cell is measured so
    wanted = [max(text_width(cell, size, "bold") for cell in column) + 0.5 for column in columns]
    least = [max(text_width(w, size, "bold") for c in column for w in c.split(" ")) + 0.5 for column in columns]
    room = width - gap * (len(columns) - 1)
    if sum(wanted) <= room:
        return wanted
    if sum(least) >= room:
        return [room * x / sum(least) for x in least]
    share = (room - sum(least)) / (sum(wanted) - sum(least))
    return [low + share * (high - low) for low, high in zip(least, wanted, strict=True)]


def shortened(text: str, size: float, width: float, face: str = "") -> str:
    """A text cut to one line.

    Example:
      >>> shortened("a long title", 10, 40)
      'a lon…'
    """
    if text_width(text, size, face) <= width:
        return text
    kept = len(text)
    while kept and text_width(f"{text[:kept].rstrip()}…", size, face) > width:
        kept -= 1
    return f"{text[:kept].rstrip()}…"
