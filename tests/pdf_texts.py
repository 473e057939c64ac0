"""The text of a PDF, as a reader of the file would search it."""

from __future__ import annotations

from pathlib import Path

from pypdf import PdfReader


def squeezed(text: str) -> str:
    """Text without white space: a PDF breaks lines where it likes."""
    return "".join(text.split())


def pdf_text(path: Path) -> str:
    """All pages of a PDF, `squeezed`."""
    return squeezed("".join(page.extract_text() for page in PdfReader(path).pages))
