"""What the subjects' section.py do not say yet, as the first edition said it; it goes as soon as they do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report import document_figures, wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Drawing, Paragraph, Part, Table
from wellfit.report.subjects.data import numbers as page_data
from wellfit.report.subjects.mistakes import page as page_mistakes
from wellfit.report.subjects.results import numbers as rows


def parts(name: str, summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The written parts of a section."""
    found = {
        "mistakes": lambda: _drawings(document_figures.galleries(summary, details)),
        "data": lambda: _data(summary, details),
    }
    return found[name]()


def fragment(name: str, summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """All that the page's templates took, where the section has something to show."""
    made = _page(summary, details, dict(sheets))
    shows = made.get(name)
    return {**made, "details": details} if shows else {}


def charts(name: str, summary: StudySummary, details: StudyDetails) -> dict[str, Any]:
    """The interactive charts of a section."""
    return {}


def _drawings(found: Any) -> list[Part]:
    return [Drawing(name, caption, draw) for name, caption, draw in found]


SCORES = 4


def _data(summary: StudySummary, details: StudyDetails) -> list[Part]:
    if details.look is None:
        return []
    splits = tuple(f"{split} examples" for split in details.look.counts)
    table = tuple((row.name, *row.counts) for row in page_data.data_rows(summary, details.look, None))
    drawn = _drawings(document_figures.data(summary, details.look))
    counted = [Table(("Class", *splits), table)] if len(table) <= page_data.LARGEST else []
    return [Paragraph(page_data.data_facts(details.look), kind="small"), *drawn, *counted]


def _page(summary: StudySummary, details: StudyDetails, sheets: dict[str, Sheet]) -> dict[str, Any]:
    """What each section shows, by the section's id; a section with nothing to show is empty."""
    pictures = sheets.get("mistakes")
    gallery = page_mistakes.mistakes_data(details.mistakes, pictures) if details.mistakes and pictures else None
    look = details.look
    return {
        "paragraphs": _paragraphs(summary),
        "variants": rows.variant_rows(summary),
        "mistakes": page_mistakes.gallery_groups(gallery, summary.classes, pictures) if gallery and pictures else [],
        "mistakes_data": gallery,
        "data": page_data.data_rows(summary, look, sheets.get("examples")) if look is not None else [],
        "data_facts": page_data.data_facts(look) if look is not None else "",
        "findings": sorted(summary.findings, key=wording.urgency),
        "command": summary.provenance.get("command", ""),
        "provenance": {k: v for k, v in summary.provenance.items() if k != "command"},
        "settings": json.dumps(summary.settings, indent=2, default=str, ensure_ascii=False),
    }


def _paragraphs(summary: StudySummary) -> list[str]:
    """The answer: what was found, then how sure it is; a summary without these sentences has its verdict."""
    if len(summary.conclusion) > 1:
        found, *more = (sentence.text for sentence in summary.conclusion[1:])
        return [found, " ".join(more)] if more else [found]
    return [p for p in re.split(r"\n\s*\n", summary.verdict) if p.strip()]
