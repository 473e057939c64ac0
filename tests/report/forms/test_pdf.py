"""The PDF: A4, fonts embedded as TrueType, the same bytes for the same study."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from matplotlib.backends.backend_pdf import RendererPdf

import documents
import summaries
from wellfit.report.document import Document
from wellfit.report.forms.pdf import write_pdf
from wellfit.report.forms.typesetting import Page, typeset


def unpacked(path: Path) -> bytes:
    """What the file's compressed pages hold."""
    data = path.read_bytes()
    found = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    parts = []
    for stream in found:
        with suppress(zlib.error):
            parts.append(zlib.decompress(stream))
    return b"\n".join(part for part in parts if b" Tf" in part)


def test_pages_fonts_and_the_same_bytes(tmp_path: Path) -> None:
    document = documents.document(summaries.study(variants=("baseline", "l2")))
    path = write_pdf(document, tmp_path / "new" / "report.pdf")
    data = path.read_bytes()
    assert data.startswith(b"%PDF-1.")
    pages = typeset(document)
    assert len(re.findall(rb"/Type /Page\b(?!s)", data)) == len(pages) > 5
    assert len(re.findall(rb"/MediaBox \[ 0 0 595\.27\d* 841\.8\d* \]", data)) == len(pages)
    assert b"/FontFile2" in data  # TrueType, embedded
    assert b"/Type3" not in data
    assert b"CreationDate" not in data
    assert write_pdf(document, tmp_path / "again.pdf").read_bytes() == data
    assert {p.name for p in (tmp_path / "new").iterdir()} == {"report.pdf"}


def test_what_is_saved_of_the_page_is_restored(tmp_path: Path) -> None:
    """Every figure is drawn in a graphics state of its own: as many are restored as were saved."""
    streams = unpacked(write_pdf(documents.document(summaries.study(variants=("baseline", "l2"))), tmp_path / "a.pdf"))
    saved, restored = (len(re.findall(rb"(?:^|\s)%s(?=\s)" % op, streams)) for op in (b"q", b"Q"))
    assert saved == restored > 20


@pytest.mark.filterwarnings("ignore:Glyph")
def test_what_is_set_is_written_and_names_stay_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of every page, in the order of the pages, and the names of the data wherever they stand."""
    written: list[tuple[str, object]] = []
    pages: list[Page] = []
    draw = RendererPdf.draw_text

    def draw_text(renderer: Any, gc: Any, x: float, y: float, s: str, *more: Any, **named: Any) -> None:
        written.append((s, named.get("ismath", more[2] if len(more) > 2 else False)))
        draw(renderer, gc, x, y, s, *more, **named)

    def typeset_pages(document: Document) -> list[Page]:
        pages.extend(typeset(document))
        return pages

    monkeypatch.setattr(RendererPdf, "draw_text", draw_text)
    monkeypatch.setattr("wellfit.report.forms.pdf.typeset", typeset_pages)
    summary = summaries.hostile()
    data = write_pdf(documents.document(summary), tmp_path / "report.pdf").read_bytes()
    rest = iter(text for text, _ in written)
    lines = [line.text for page in pages for line in page.lines]
    assert len(lines) > 400
    assert all(line in rest for line in lines)  # each is found after the one before
    said = Counter(text for text, _ in written)
    for name in summary.classes[:4]:
        assert said[name] >= 5  # in tables and in figures
    assert not [text for text, mathematics in written if mathematics and "$" in text]
    assert not re.search(rb"/(?:JavaScript|JS|URI|Launch|OpenAction|AA|Link|GoTo[RE]?|EmbeddedFiles?)\b", data)


@pytest.mark.parametrize("made", [summaries.empty, summaries.running, summaries.diverged])
def test_every_state(made: object, tmp_path: Path) -> None:
    document = documents.document(made(), full=False)  # type: ignore[operator]
    assert write_pdf(document, tmp_path / "report.pdf").stat().st_size > 10_000
