"""The comparisons, and the further evidence on each pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.parts import Part
from wellfit.report.subjects.results.numbers import comparison_table, evidence_table, without_constant

__all__ = ["fragment", "parts"]

SAID_ONCE: Final = ("Against", "Metric")
"""Columns that the section's note says in a sentence where they are the same in every row."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The comparisons; nothing if there is none."""
    table = without_constant(comparison_table(summary), SAID_ONCE)
    return [table] if table.rows else []


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """The comparisons, and the evidence, which is too wide for paper."""
    table = without_constant(comparison_table(summary), SAID_ONCE)
    if not table.rows:
        return {}
    evidence = without_constant(evidence_table(summary), (*SAID_ONCE, "Seeds"))  # the key figures say how many
    gist = f"Difference, interval, p-value and verdict of {wording.count(len(table.rows), 'comparison')}"
    return {"table": table, "evidence": evidence, "gist": gist}
