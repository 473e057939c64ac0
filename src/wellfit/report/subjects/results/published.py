"""The numbers that the study's source reports, and those measured here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.parts import Part
from wellfit.report.subjects.results.numbers import published_table

__all__ = ["fragment", "parts"]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The table; nothing if the source reports nothing."""
    table = published_table(summary)
    return [table] if table.rows else []


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """The same table, and which of its rows are variants."""
    table = published_table(summary)
    marked = [variant.name for variant in summary.variants]
    return {"table": table, "marked": marked} if table.rows else {}
