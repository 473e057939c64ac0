"""The report as a PDF to hand in: A4, figures as vectors, fonts embedded; the same store gives the same bytes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wellfit import __version__
from wellfit.files import OnWriting, ignore_progress, replacing
from wellfit.report.document import Document
from wellfit.report.forms.line_breaking import text_width
from wellfit.report.forms.typesetting import HEIGHT, WIDTH, Line, Page, Placed, typeset
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.fonts import FONTS, families

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["write_pdf"]

SETTINGS: Final[dict[Any, Any]] = {
    "pdf.fonttype": 42,
    "pdf.compression": 6,
    "pdf.use14corefonts": False,
    "pdf.inheritcolor": False,
}
"""matplotlib's: fonts as TrueType, which every printer and reader takes, and text that can be searched and copied."""

IMAGE_DPI: Final = 250


def write_pdf(document: Document, path: str | os.PathLike[str], tell: OnWriting = ignore_progress) -> Path:
    """Write a report as a PDF.

    Args:
      document: what is shown.
      path: the file; it appears in one step.
      tell: is told how far it is.

    Returns:
      The file.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    about = {"Title": document.title, "Subject": f"wellfit study {document.name}", "Creator": f"wellfit {__version__}"}
    metadata = {**about, "CreationDate": None}  # no date: the same store gives the same bytes
    with mpl.rc_context(SETTINGS), replacing(path) as temporary, PdfPages(temporary, metadata=metadata) as pages:
        tell("setting the pages", 0.0)
        made = typeset(document)
        for number, page in enumerate(made, 1):
            tell(f"page {number} of {len(made)}", number / (len(made) + 2))  # then the fonts, which take a while too
            pages.savefig(_drawn(page), dpi=IMAGE_DPI)
        tell("fonts", (len(made) + 1) / (len(made) + 2))
    return Path(path)


def _drawn(page: Page) -> Figure:
    """A page as a figure of its own."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), frameon=False)
    for rule in page.rules:
        ends = [rule.x / WIDTH, (rule.x + rule.width) / WIDTH]
        line = Line2D(ends, [rule.y / HEIGHT] * 2, color=LIGHT["rule"], linewidth=0.6)
        figure.add_artist(line)
    figure.add_artist(_letters(page.lines))
    for placed in page.figures:
        figure.add_artist(_inlay(placed))
    return figure


def _letters(lines: Sequence[Line]) -> Any:
    """An artist that writes lines where they stand: they are set already, so none needs a layout of its own."""
    from matplotlib.artist import Artist
    from matplotlib.colors import to_rgba
    from matplotlib.font_manager import FontProperties

    class Letters(Artist):
        def draw(self, renderer: Any) -> None:
            gc = renderer.new_gc()
            for line in lines:
                font = FontProperties(family=families(line.text, line.face), weight=FONTS[line.face][1], size=line.size)
                wide = text_width(line.text, line.size, line.face) if line.right else 0.0
                gc.set_foreground(to_rgba(line.color), isRGBA=True)
                renderer.draw_text(gc, line.x - wide, line.y, line.text, font, 0.0)
            gc.restore()

    return Letters()


def _inlay(placed: Placed) -> Any:
    """An artist that draws one figure into the page of another, made smaller as a whole, letters and lines too."""
    from matplotlib.artist import Artist
    from matplotlib.backends.backend_pdf import GraphicsContextPdf, Op

    class Inlay(Artist):
        def draw(self, renderer: Any) -> None:
            pdf = renderer.draw_path.__self__  # what writes the file; matplotlib hands it over wrapped
            output, outer = pdf.file.output, pdf.gc
            output(*outer.finalize())  # back to the page's own state, without a clip
            output(Op.gsave, placed.scale, 0, 0, placed.scale, placed.x, placed.y, Op.concat_matrix)
            pdf.gc = GraphicsContextPdf(pdf.file)  # type: ignore[no-untyped-call]
            pdf.gc.copy_properties(outer)
            placed.figure.dpi = 72  # a PDF's own unit
            placed.figure.draw(renderer)
            output(*pdf.gc.finalize(), Op.grestore)
            pdf.gc = outer

    return Inlay()
