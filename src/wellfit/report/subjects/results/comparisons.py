"""The comparisons, and the further evidence on each pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.parts import Part
from wellfit.report.subjects.results.numbers import comparison_table, evidence_table

__all__ = ["fragment", "parts"]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The comparisons; nothing if there is none."""
    table = comparison_table(summary)
    return [table] if table.rows else []


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """The comparisons, and the evidence, which is too wide for paper."""
    table = comparison_table(summary)
    return {"table": table, "evidence": evidence_table(summary)} if table.rows else {}
