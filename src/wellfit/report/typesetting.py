"""Lines, tables and figures set on pages of paper: what stands where, in points, before anything is drawn.

Widths are those of the font that matplotlib carries, so that nothing is wider than it is given room for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from wellfit.report.colors import LIGHT
from wellfit.report.document import Code, Document, Drawing, Paragraph, Section, TableData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FONTS", "HEIGHT", "WIDTH", "Line", "Page", "Placed", "Rule", "break_lines", "column_widths", "text_width", "typeset"]

WIDTH, HEIGHT = 595.276, 841.890
"""A4, in points."""

LEFT, TOP, BOTTOM = 56.0, 62.0, 58.0
MEASURE: Final = WIDTH - 2 * LEFT
LEADING: Final = 1.42
FIGURE_SCALE: Final = MEASURE / (8.6 * 72)
"""Most figures are 8.6 inches wide; narrower ones keep the size of their letters."""

FONTS: Final = {"": ("DejaVu Sans", "normal"), "bold": ("DejaVu Sans", "bold"), "mono": ("DejaVu Sans Mono", "normal")}
"""Face -> family and weight."""

TEXT: Final = {"lead": (12.0, "ink"), "text": (9.2, "ink"), "notice": (9.2, "bad"), "small": (8.2, "muted")}
"""Kind of a paragraph -> size and color."""


@dataclass(frozen=True)
class Line:
    """A line of text: where its baseline begins or, aligned right, ends; from the lower left corner of the page."""

    x: float
    y: float
    text: str
    size: float
    face: str = ""
    color: str = LIGHT["ink"]
    right: bool = False


@dataclass(frozen=True)
class Rule:
    """A thin horizontal line."""

    x: float
    y: float
    width: float


@dataclass(frozen=True, eq=False)
class Placed:
    """A figure: its lower left corner, and what its size is multiplied with."""

    x: float
    y: float
    scale: float
    figure: Figure


@dataclass
class Page:
    """All that stands on a page."""

    lines: list[Line] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    figures: list[Placed] = field(default_factory=list)


def typeset(document: Document) -> list[Page]:
    """Set a document on pages: the question and the answer first, then section by section.

    Args:
      document: what is shown.

    Returns:
      The pages, with running titles and page numbers.
    """
    setter = _Setter()
    setter.lines(f"wellfit study   {document.name}   {document.state}", 8.5, color=LIGHT["muted"])
    setter.down(8)
    setter.lines(document.title, 19, "bold", leading=1.25)
    setter.down(12)
    for at, section in enumerate(document.sections):
        _section(setter, section, titled=at > 0)
    pages = setter.pages
    for number, page in enumerate(pages, 1):
        page.lines.append(Line(WIDTH - LEFT, 30, f"{number} / {len(pages)}", 8, "", LIGHT["muted"], right=True))
        page.lines.append(Line(LEFT, 30, shortened(f"wellfit study {document.name}", 8, MEASURE - 60), 8, "", LIGHT["muted"]))
        if number > 1:
            title = shortened(document.title, 8, MEASURE)
            page.lines.append(Line(LEFT, HEIGHT - 38, title, 8, "", LIGHT["muted"]))
            page.rules.append(Rule(LEFT, HEIGHT - 44, MEASURE))
    return pages


# --- Widths -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _advance(character: str, face: str) -> float:
    """How far a character moves on, at one point of size."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    family, weight = FONTS[face]
    font = get_font(findfont(FontProperties(family=family, weight=weight)))
    font.set_size(64, 72)
    return float(font.load_char(ord(character)).linearHoriAdvance) / 65536 / 64


def text_width(text: str, size: float, face: str = "") -> float:
    """The width of a line of text.

    Args:
      text: the line.
      size: of the font, in points.
      face: one of `FONTS`.

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
    for word in text.split():
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
    least = [max(text_width(w, size, "bold") for c in column for w in (c.split() or [""])) + 0.5 for column in columns]
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
      'a long…'
    """
    if text_width(text, size, face) <= width:
        return text
    kept = len(text)
    while kept and text_width(f"{text[:kept].rstrip()}…", size, face) > width:
        kept -= 1
    return f"{text[:kept].rstrip()}…"


# --- Setting ----------------------------------------------------------------------------------------------------------


class _Setter:
    """Where the next line goes: it begins a new page where the page is full."""

    def __init__(self) -> None:
        self.pages = [Page()]
        self.y = HEIGHT - TOP

    @property
    def page(self) -> Page:
        return self.pages[-1]

    @property
    def fresh(self) -> bool:
        return self.y >= HEIGHT - TOP

    def room(self, height: float) -> None:
        """Begin a new page where this much does not fit on this one."""
        if self.y - height < BOTTOM and not self.fresh:
            self.pages.append(Page())
            self.y = HEIGHT - TOP

    def down(self, height: float) -> None:
        if not self.fresh:
            self.y -= height

    def lines(
        self, text: str, size: float, face: str = "", color: str = LIGHT["ink"], leading: float = LEADING, indent: float = 0.0
    ) -> None:
        for line in break_lines(text, size, MEASURE - indent, face):
            self.room(leading * size)
            self.y -= leading * size
            self.page.lines.append(Line(LEFT + indent, self.y + 0.3 * size, line, size, face, color))


def _section(setter: _Setter, section: Section, titled: bool) -> None:
    if titled:
        setter.down(20)
        setter.room(34 + (_drawn_height(section.parts[0]) if isinstance(section.parts[0], Drawing) else 60))
        setter.lines(section.title, 14, "bold", leading=1.3)
        setter.down(5)
    for part in section.parts:
        if isinstance(part, Paragraph):
            _paragraph(setter, part)
        elif isinstance(part, TableData):
            _table(setter, part)
        elif isinstance(part, Drawing):
            _drawing(setter, part)
        else:
            _code(setter, part)


def _paragraph(setter: _Setter, part: Paragraph) -> None:
    size, color = TEXT[part.kind]
    if part.head:
        setter.room(2.6 * LEADING * size)
        setter.lines(part.head, size, "bold")
    setter.lines(part.text, size, color=LIGHT[color])
    setter.down(6)


def _code(setter: _Setter, part: Code) -> None:
    for line in part.text.splitlines():
        setter.lines(line, 8, "mono")
    setter.down(8)


def _table(setter: _Setter, table: TableData) -> None:
    """Rows with their cells broken where they must; the headings again on every page."""
    if not table.rows:
        return
    size, gap = (7.6, 9.0) if len(table.rows[0]) < 10 else (6.6, 6.0)
    widths = column_widths(table, size, MEASURE, gap)
    setter.down(3)
    if table.headings:
        _row(setter, table, table.headings, widths, size, gap, head=True, below=2.6 * size)
    for row in table.rows:
        lines = max(len(break_lines(c, size, w, "bold")) for c, w in zip(row, widths, strict=True))
        before = len(setter.pages)
        setter.room(lines * 1.3 * size + 5)
        if len(setter.pages) > before and table.headings:
            _row(setter, table, table.headings, widths, size, gap, head=True, below=2.6 * size)
        _row(setter, table, row, widths, size, gap, head=False, below=0)
    setter.down(10)


def _row(
    setter: _Setter, table: TableData, row: tuple[str, ...], widths: list[float], size: float, gap: float, *, head: bool, below: float
) -> None:
    cells = [break_lines(cell, size, width, "bold") for cell, width in zip(row, widths, strict=True)]
    height = max(map(len, cells)) * 1.3 * size + 5
    setter.room(height + below)
    top, x = setter.y, LEFT
    for at, (lines, width) in enumerate(zip(cells, widths, strict=True)):
        right = at >= table.text
        face = "bold" if head or (at == 0 and not table.headings) else ""
        color = LIGHT["muted"] if head else LIGHT["ink"]
        for n, line in enumerate(lines):
            y = top - (n + 1) * 1.3 * size - 0.5
            setter.page.lines.append(Line(x + width if right else x, y, line, size, face, color, right))
        x += width + gap
    setter.y = top - height
    setter.page.rules.append(Rule(LEFT, setter.y + 0.5, sum(widths) + gap * (len(widths) - 1)))


def _drawn_height(part: Drawing) -> float:
    """What a figure takes before it is drawn: most of them are about so high."""
    return 250.0 if part.name else 0.0


def _drawing(setter: _Setter, part: Drawing) -> None:
    """A figure and its caption below it, never apart; a very high one is made smaller."""
    figure = part.draw()
    width, height = (72 * float(inches) for inches in figure.get_size_inches())
    caption = break_lines(part.caption, 8.2, MEASURE)
    below = len(caption) * LEADING * 8.2 + 12
    highest = HEIGHT - TOP - BOTTOM - below
    scale = min(FIGURE_SCALE, MEASURE / width, highest / height)
    setter.room(scale * height + below)
    setter.y -= scale * height
    setter.page.figures.append(Placed(LEFT, setter.y, scale, figure))
    setter.lines(part.caption, 8.2, color=LIGHT["muted"])
    setter.down(12)
