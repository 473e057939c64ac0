"""The report as a PDF to hand in, typeset by typst: A4, vector figures, embedded fonts, the same bytes every time.

`pdf.typ` beside this file is the layout. It gets the document as JSON, so that no name is ever read as markup.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, Final

from wellfit.errors import WellfitError
from wellfit.files import OnWriting, ignore_progress, replacing
from wellfit.report.document import Document
from wellfit.report.forms.own_words import words_data
from wellfit.report.marks import fonts
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.fonts import FAMILY
from wellfit.report.marks.static import alt_text
from wellfit.report.marks.svg import svg_text
from wellfit.report.parts import Drawing, Paragraph, Part, Table, Words

__all__ = ["check_typst", "write_pdf"]

IMAGE_DPI: Final = 250
"""Of images within figures; everything else is vectors."""

DRAWN: Final = 0.9
"""The share of the time that the figures take; typesetting takes the rest."""


def write_pdf(document: Document, path: str | os.PathLike[str], progress: OnWriting = ignore_progress) -> Path:
    """Write a report as a PDF.

    Args:
      path: the file; it appears in one step.
      progress: called with what is being written and the share that is done.

    Raises:
      WellfitError: typst is not installed.
    """
    typst = check_typst()
    report = json.dumps(_as_data(document, progress), ensure_ascii=False)
    progress("pages", DRAWN)
    pdf = _typeset(typst, report)
    with replacing(path) as temporary:
        temporary.write_bytes(pdf)
    return Path(path)


def _typeset(typst: ModuleType, report: str) -> bytes:
    """The PDF, with the fonts of its letters and no others: the same bytes regardless of what else is installed."""
    template = resources.files("wellfit.report.forms").joinpath("pdf.typ").read_bytes()
    inputs = {"report": report, "fonts": json.dumps([FAMILY, *fonts.fallbacks(report)])}
    with TemporaryDirectory() as folder:  # typst takes folders; matplotlib's own also holds a font of boxes
        for number, file in enumerate(fonts.files(report)):
            shutil.copyfile(file, Path(folder) / f"{number}{Path(file).suffix}")
        known = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
        pdf: bytes = typst.compile(template, format="pdf", font_paths=known, sys_inputs=inputs)
    return pdf


def check_typst() -> ModuleType:
    """The package that typesets; a command asks for it before it trains or draws anything.

    Raises:
      WellfitError: it is not installed.
    """
    try:
        import typst
    except ImportError:
        message = 'a PDF needs typst, which is not installed; install it with: pip install "wellfit[pdf]"'
        raise WellfitError(message) from None
    return typst


def _as_data(document: Document, progress: OnWriting) -> dict[str, Any]:
    """What `pdf.typ` reads."""
    total = len(document.drawings)
    count = 0
    sections = []
    for section in document.written:
        parts = []
        for row in _rows(section.parts):
            parts.append(_part(row))
            count += sum(isinstance(part, Drawing) for part in row)
            progress(f"figure {count} of {total}", DRAWN * count / max(1, total))
        notes = " ".join(section.notes)
        sections.append({"title": section.title, "words": words_data(section.words), "notes": notes, "parts": parts})
    about = {
        key: getattr(document, key) for key in ("title", "name", "state", "notices", "authors", "byline", "left_out")
    }
    return {**about, "introduction": words_data(document.introduction), "colors": LIGHT, "sections": sections}


def _rows(parts: Iterable[Part]) -> list[list[Part]]:
    """Parts one below the other; two drawings of half the width make one row."""
    rows: list[list[Part]] = []
    for part in parts:
        half = isinstance(part, Drawing) and part.width == "half"
        before = rows[-1] if rows else []
        if half and len(before) == 1 and isinstance(before[0], Drawing) and before[0].width == "half":
            before.append(part)
        else:
            rows.append([part])
    return rows


def _part(row: list[Part]) -> dict[str, Any]:
    part = row[0]
    if isinstance(part, Drawing):
        return {"kind": "drawings", "items": [_drawing(one) for one in row if isinstance(one, Drawing)]}
    if isinstance(part, Paragraph):
        return {"kind": "paragraph", "style": part.kind, "head": part.head, "text": part.text}
    if isinstance(part, Table):
        return {"kind": "table", "headings": part.headings, "rows": part.rows, "text": part.text}
    if isinstance(part, Words):
        return {"kind": "words", "own": part.own, "blocks": words_data(part.text)}
    return {"kind": "code", "text": part.text, "boxed": part.boxed}


def _drawing(drawing: Drawing) -> dict[str, Any]:
    figure = drawing.draw()
    width, height = (72 * float(inches) for inches in figure.get_size_inches())
    size = {"width": width, "height": height, "half": drawing.width == "half"}
    svg = svg_text(figure, IMAGE_DPI)
    svg = svg.replace("<text style", '<text xml:space="preserve" style')  # spaces set names and marks apart
    return {"svg": svg, "alt": alt_text(figure), "caption": drawing.caption, **size}
