"""Lines, tables and figures set on pages of paper: what stands where, in points, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from wellfit.report.document import Document, Section
from wellfit.report.forms.line_breaking import break_lines, column_widths, shortened
from wellfit.report.marks.colors import LIGHT
from wellfit.report.parts import Code, Drawing, Paragraph
from wellfit.report.parts import Table as TableData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["HEIGHT", "WIDTH", "Line", "Page", "Placed", "Rule", "typeset"]

WIDTH, HEIGHT = 595.276, 841.890
"""A4, in points."""

LEFT, TOP, BOTTOM = 56.0, 62.0, 58.0
MEASURE: Final = WIDTH - 2 * LEFT
LEADING: Final = 1.42
FIGURE_SCALE: Final = MEASURE / (8.6 * 72)
"""Most figures are 8.6 inches wide; narrower ones keep the size of their letters."""

COLUMN: Final = (MEASURE - 14) / 2
"""The width of one of two figures side by side."""

SMALLEST: Final = 0.72
"""How much smaller than otherwise a figure may become to stand beside another."""

SQUEEZED: Final = 0.8
"""How much smaller than otherwise a figure may become to stand on the page that its words stand on."""

WHOLE: Final = 0.4
"""Tables up to this share of a page are not broken."""

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
    setter.lines(f"wellfit study {document.name}, {document.state}", 8.5, color=LIGHT["muted"])
    setter.down(8)
    setter.lines(document.title, 19, "bold", leading=1.25)
    setter.down(12)
    for at, section in enumerate(document.sections):
        _section(setter, section, titled=at > 0)
    pages = setter.pages
    for number, page in enumerate(pages, 1):
        page.lines.append(Line(WIDTH - LEFT, 30, f"{number} / {len(pages)}", 8, "", LIGHT["muted"], right=True))
        name = shortened(f"wellfit study {document.name}", 8, MEASURE - 60)
        page.lines.append(Line(LEFT, 30, name, 8, "", LIGHT["muted"]))
        if number > 1:
            title = shortened(document.title, 8, MEASURE)
            page.lines.append(Line(LEFT, HEIGHT - 38, title, 8, "", LIGHT["muted"]))
            page.rules.append(Rule(LEFT, HEIGHT - 44, MEASURE))
    return pages


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
        self, text: str, size: float, face: str = "", color: str = LIGHT["ink"], leading: float = LEADING
    ) -> None:
        for line in break_lines(text, size, MEASURE, face):
            self.room(leading * size)
            self.y -= leading * size
            self.page.lines.append(Line(LEFT, self.y + 0.3 * size, line, size, face, color))


def _section(setter: _Setter, section: Section, titled: bool) -> None:
    """A section, its heading kept with what follows it, as far as the first figure or table."""
    rest = [_Placeable.of(part) if isinstance(part, Drawing) else part for part in section.parts]
    if titled:
        setter.down(20)
        setter.room(30 + _together(rest))
        setter.lines(section.title, 14, "bold", leading=1.3)
        setter.down(5)
    while rest:
        part = rest.pop(0)
        if isinstance(part, _Placeable):
            beside = rest[0] if rest and isinstance(rest[0], _Placeable) and part.pairs_with(rest[0]) else None
            _drawings(setter, [part, beside] if beside else [part])
            rest = rest[1:] if beside else rest
        elif isinstance(part, Paragraph):
            _paragraph(setter, part)
        elif isinstance(part, TableData):
            _table(setter, part)
        else:
            _code(setter, part)


def _together(parts: list[Any]) -> float:
    """The height of a section's first words and of the figure or the rows that they introduce."""
    height = 0.0
    for part in parts:
        if isinstance(part, _Placeable):
            return height + SQUEEZED * part.scale * part.height + 30
        if isinstance(part, TableData) and part.rows:
            return height + _Grid(part).least
        if not isinstance(part, Paragraph) or part.kind != "small":
            break
        height += len(break_lines(part.text, TEXT["small"][0], MEASURE)) * LEADING * TEXT["small"][0] + 6
    return height + 50


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


class _Grid:
    """A table with its columns' widths and its cells broken into lines."""

    def __init__(self, table: TableData) -> None:
        self.size, self.gap = (7.6, 9.0) if len(table.rows[0]) < 10 else (6.6, 6.0)
        self.text = table.text
        self.widths = column_widths(table, self.size, MEASURE, self.gap)
        self.head = self._broken(table.headings) if table.headings else None
        self.rows = [self._broken(row) for row in table.rows]

    def _broken(self, row: tuple[str, ...]) -> list[list[str]]:
        return [break_lines(cell, self.size, width, "bold") for cell, width in zip(row, self.widths, strict=True)]

    def height(self, row: list[list[str]] | None) -> float:
        return 0.0 if row is None else 1.3 * self.size * max(map(len, row)) + 5

    @property
    def least(self) -> float:
        """What must stand together: all of a small table, the headings and a row of a large one."""
        whole = self.height(self.head) + sum(map(self.height, self.rows))
        return whole if whole < WHOLE * HEIGHT else self.height(self.head) + self.height(self.rows[0])


def _table(setter: _Setter, table: TableData) -> None:
    """Rows with their cells broken where they must; the headings again on every page."""
    if not table.rows:
        return
    grid = _Grid(table)
    setter.down(3)
    setter.room(grid.least)
    _row(setter, grid, grid.head)
    for row in grid.rows:
        before = len(setter.pages)
        setter.room(grid.height(row))
        if len(setter.pages) > before:
            _row(setter, grid, grid.head)
        _row(setter, grid, row)
    setter.down(10)


def _row(setter: _Setter, grid: _Grid, row: list[list[str]] | None) -> None:
    if row is None:
        return
    head, top, x = row is grid.head, setter.y, LEFT
    for at, (lines, width) in enumerate(zip(row, grid.widths, strict=True)):
        right = at >= grid.text
        face = "bold" if head or (at == 0 and grid.head is None) else ""
        color = LIGHT["muted"] if head else LIGHT["ink"]
        for n, line in enumerate(lines, 1):
            y = top - n * 1.3 * grid.size - 0.5
            setter.page.lines.append(Line(x + width if right else x, y, line, grid.size, face, color, right))
        x += width + grid.gap
    setter.y = top - grid.height(row)
    setter.page.rules.append(Rule(LEFT, setter.y + 0.5, x - grid.gap - LEFT))


@dataclass(frozen=True, eq=False)
class _Placeable:
    """A figure that was made, its size in points, and the scale at which its letters have the size of all others."""

    figure: Figure
    caption: str
    width: float
    height: float
    scale: float

    @classmethod
    def of(cls, part: Drawing) -> _Placeable:
        figure = part.draw()
        width, height = (72 * float(inches) for inches in figure.get_size_inches())
        highest = HEIGHT - TOP - BOTTOM - 60  # a heading and a caption stand on the same page
        return cls(figure, part.caption, width, height, min(FIGURE_SCALE, MEASURE / width, highest / height))

    def pairs_with(self, other: _Placeable) -> bool:
        """Whether two small figures of one size may stand side by side, and still be read."""
        same = abs(self.width - other.width) < 0.1 * self.width and abs(self.height - other.height) < 0.1 * self.height
        return same and COLUMN / max(self.width, other.width) >= SMALLEST * FIGURE_SCALE


def _drawings(setter: _Setter, row: list[_Placeable]) -> None:
    """One figure or two side by side, their captions below them, never apart."""
    measure = MEASURE if len(row) == 1 else COLUMN
    scale = min(min(one.scale, measure / one.width) for one in row)
    captions = [break_lines(one.caption, 8.2, measure) for one in row]
    below = max(map(len, captions)) * LEADING * 8.2
    height = max(scale * one.height for one in row)
    left = (setter.y - BOTTOM - below) / height
    if SQUEEZED <= left < 1 and not setter.fresh:
        scale, height = scale * left, height * left
    setter.room(height + below)
    top = setter.y
    for at, (one, lines) in enumerate(zip(row, captions, strict=True)):
        x = LEFT + at * (MEASURE - COLUMN)
        setter.page.figures.append(Placed(x, top - scale * one.height, scale, one.figure))
        for n, line in enumerate(lines, 1):
            y = top - height - n * LEADING * 8.2 + 2.5
            setter.page.lines.append(Line(x, y, line, 8.2, "", LIGHT["muted"]))
    setter.y = top - height - below
    setter.down(12)
