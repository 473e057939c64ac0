"""Figures for a paper: one column wide, 8 pt text, as vectors.

A figure is drawn on a narrow sheet with the text of every other form, then the sheet is scaled to the column.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape

from wellfit.errors import StoreError, UnknownNameError
from wellfit.files import replacing
from wellfit.report.marks.fonts import quiet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["COLUMN", "SHEET", "is_narrow", "one_column", "save_figure", "save_pdf", "save_svg", "wrapped"]

COLUMN: Final = 3.4
"""Inches of a column, in the usual two-column layouts."""

SCALE: Final = 0.8
"""From the sheet to the column: labels of 10 pt become 8 pt."""

SHEET: Final = COLUMN / SCALE
"""Inches of the sheet that a narrow figure is drawn on."""

MARGIN: Final = 0.03
"""Inches around what is drawn."""

IMAGE_DPI: Final = 300
"""Of pictures within a figure."""

_NARROW: ContextVar[bool] = ContextVar("narrow", default=False)


@contextmanager
def one_column() -> Iterator[None]:
    """Draw figures for one column while the context lasts: narrow, with shorter rows and wrapped labels.

    Example:
      >>> with one_column():
      ...     is_narrow()
      True
      >>> is_narrow()
      False
    """
    before = _NARROW.set(True)
    try:
        yield
    finally:
        _NARROW.reset(before)


def is_narrow() -> bool:
    """Whether figures are drawn for one column."""
    return _NARROW.get()


def wrapped(text: str, characters: int) -> str:
    r"""Text of a narrow figure in lines of at most so many characters; any other figure has the room.

    Example:
      >>> wrapped("a long label", 8)
      'a long label'
      >>> with one_column():
      ...     wrapped("a long label", 8)
      'a long\nlabel'
    """
    if not is_narrow():
        return text
    return "\n".join("\n".join(textwrap.wrap(line, characters)) for line in text.split("\n"))


def save_figure(path: str | Path, draw: Callable[[], Figure]) -> Path:
    """Write a figure for a paper, whole or not at all.

    Args:
      path: of the file, ``.svg`` or ``.pdf``.
      draw: draws it, once the path is known to be one.

    Raises:
      UnknownNameError: another ending.
      StoreError: the file cannot be written.
    """
    from wellfit.report.marks.static import alt_text

    target, savers = Path(path), {"pdf": save_pdf, "svg": save_svg}
    form = target.suffix[1:].lower()
    if form not in savers:
        raise UnknownNameError("format", form, savers, str(path))
    try:
        with quiet():
            figure = draw()
            with replacing(target) as temporary:
                savers[form](figure, temporary, alt_text(figure))
    except OSError as error:
        fix = "free disk space, fix the permissions, or choose another file"
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}; {fix}") from None
    return target


def save_svg(figure: Figure, file: Path | IO[bytes], title: str = "") -> None:
    """Save a figure as SVG, as wide as a column; the same figure gives the same bytes.

    Letters are outlines: they look the same in every program, whatever fonts it has. A PDF has text that can be
    searched.

    Args:
      title: kept inside the file for those who cannot see it: the alt text.
    """
    import io

    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    left, bottom, width, height = _drawn(figure)
    buffer = io.StringIO()
    canvas: Any = FigureCanvasSVG(figure)
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "wellfit"}):
        canvas.print_svg(buffer, metadata={"Date": None})
    top = 72 * (figure.get_figheight() - bottom - height)
    view = f"{72 * left:.2f} {top:.2f} {72 * width:.2f} {72 * height:.2f}"
    scale = _scale(width)
    size = f'width="{width * scale:.4f}in" height="{height * scale:.4f}in" viewBox="{view}"'
    text = re.sub(r'width="[\d.]+pt" height="[\d.]+pt" viewBox="[^"]*"', size, buffer.getvalue(), count=1)
    text = re.sub(r"(<svg [^>]*>)", rf"\1\n <title>{_escaped(title)}</title>", text, count=1)
    data = text.encode()
    if isinstance(file, Path):
        file.write_bytes(data)
    else:
        file.write(data)


def save_pdf(figure: Figure, file: Path | IO[bytes], title: str = "") -> None:
    """Save a figure as a PDF page as wide as a column, with its fonts inside (TrueType, no bitmaps).

    Args:
      title: kept inside the file: the alt text.
    """
    import matplotlib
    from matplotlib.backends import backend_mixed, backend_pdf

    left, bottom, width, height = _drawn(figure)
    scale = _scale(width)
    pdfs: Any = backend_pdf  # untyped
    mixed: Any = backend_mixed
    pdfs.FigureCanvasPdf(figure)
    about = {"Title": title, "CreationDate": None, "Creator": "wellfit", "Producer": "matplotlib"}
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        pdf = pdfs.PdfFile(file, metadata=about)
        try:
            pdf.newPage(width * scale, height * scale)
            pdf.width, pdf.height = figure.get_size_inches()  # where lines end: at the sheet, not at the page
            pdf.output(scale, 0, 0, scale, -72 * left * scale, -72 * bottom * scale, pdfs.Op.concat_matrix)
            plain = pdfs.RendererPdf(pdf, IMAGE_DPI, figure.get_figheight(), figure.get_figwidth())
            renderer = mixed.MixedModeRenderer(figure, *figure.get_size_inches(), IMAGE_DPI, plain)
            figure.draw(renderer)
            renderer.finalize()
            pdf.finalize()
        finally:
            pdf.close()


# --- Parts ------------------------------------------------------------------------------------------------------------


def _drawn(figure: Figure) -> tuple[float, float, float, float]:
    """Left, bottom, width and height in inches of the sheet: all of its width, and what is drawn of its height."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.dpi = 72
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")  # else drawing it again would move everything a little
    box = figure.get_tightbbox(canvas.get_renderer())
    left, right = min(0.0, box.x0 - MARGIN), max(figure.get_figwidth(), box.x1 + MARGIN)
    return left, box.y0 - MARGIN, right - left, box.height + 2 * MARGIN


def _scale(width: float) -> float:
    """From inches of a drawing to those of the column; what does not fit is smaller."""
    return min(SCALE, COLUMN / width)


def _escaped(text: str) -> str:
    plain = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)
    return escape(plain).replace("\\", r"\\")
