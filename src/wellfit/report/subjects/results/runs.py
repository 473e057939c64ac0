"""Every run in a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.parts import Paragraph, Part, Table
from wellfit.report.subjects.results.numbers import known_only, run_columns, run_row

__all__ = ["fragment", "parts"]

MOST: Final = 60
"""Rows of a written form; the page lists every run."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """Every run, or of more than `MOST` those that diverged or have not ended."""
    table = _table(summary)
    if len(table.rows) <= MOST:
        return [table] if table.rows else []
    unusual = tuple(row for row in table.rows if row[2] in ("diverged", "pending"))[:MOST]
    listed = f"{len(table.rows):,} runs; wellfit show --json and Results.runs() list all of them."
    return [Paragraph(listed, kind="small"), *([Table(table.headings, unusual)] if unusual else [])]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """Every run."""
    table = _table(summary)
    what = "what is known" if summary.elsewhere else "epochs, accuracies, loss and seconds"
    gist = f"{wording.count(len(table.rows), 'run')}: {what} of each"
    return {"table": table, "gist": gist} if table.rows else {}


def _table(summary: StudySummary) -> Table:
    rows = tuple((variant.name, *run_row(run)) for variant in summary.variants for run in variant.runs)
    table = Table(("Variant", *run_columns(summary.metric)), rows)
    return known_only(table) if summary.elsewhere else table
