"""The techniques that the study's variants use: what each does, its formula and its settings, from its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.narrative.techniques import Technique, techniques_in
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Code, Paragraph, Part

__all__ = ["fragment", "parts"]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """A paragraph and a formula for each; nothing where variants differ in epochs, batch size or data alone."""
    return [part for technique in techniques_in(summary) for part in _quoted(technique)]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The same, each folded under its name."""
    used = techniques_in(summary)
    return {"techniques": used, "gist": "What each technique does, its formula and its settings"} if used else {}


def _quoted(technique: Technique) -> list[Part]:
    described = f"{technique.summary} {technique.given}".rstrip()
    return [Paragraph(described, f"{technique.title}."), Code(technique.formula)]
