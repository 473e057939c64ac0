"""The PDF: A4, fonts embedded as TrueType, the same bytes for the same study."""

from __future__ import annotations

import re
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

import documents
import summaries
from wellfit.report.pdf import write_pdf
from wellfit.report.typesetting import typeset


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
@pytest.mark.parametrize("made", [summaries.empty, summaries.running, summaries.diverged, summaries.hostile])
def test_every_state(made: object, tmp_path: Path) -> None:
    document = documents.document(made(), full=False)  # type: ignore[operator]
    assert write_pdf(document, tmp_path / "report.pdf").stat().st_size > 10_000
