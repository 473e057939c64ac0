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
    """The same table, and the position of every variant for its swatch."""
    table = published_table(summary)
    indices = {variant.name: index for index, variant in enumerate(summary.variants)}
    return {"table": table, "indices": indices} if table.rows else {}
