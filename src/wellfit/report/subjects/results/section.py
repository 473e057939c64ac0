"""The table of the variants: one for the page, three that fit the width of a written form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.narrative.techniques import techniques_in
from wellfit.report import wording
from wellfit.report.parts import Part, Table
from wellfit.report.subjects.results.numbers import accuracy_heading, variant_rows

__all__ = ["fragment", "parts", "score_table"]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """Accuracies and verdicts, then losses and costs, then what each variant changes."""
    rows = variant_rows(summary)
    costs = tuple(
        (
            *(row.name, row.loss.mean, row.loss.interval or wording.NOTHING, row.best_epoch.mean),
            *(row.best_epoch.interval or wording.NOTHING, row.parameters.mean, row.seconds.mean),
            row.runs or "all ended",
        )
        for row in rows
    )
    headings = ("Variant", "Test loss", "95 % interval", "Best epoch", "Range", "Parameters", "Seconds", "Runs")
    changes = tuple((row.name, wording.in_one_line(row.settings)) for row in rows)
    return [
        score_table(summary),
        Table(headings, costs),
        Table(("Variant", "Changes to the base recipe"), changes, text=2),
    ]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """Every variant with everything, in one table."""
    return {
        "rows": variant_rows(summary),
        "compared": wording.capitalized(wording.compared(summary)),
        "training": accuracy_heading("Training", summary.metric),
        "validation": accuracy_heading("Validation", summary.metric),
        "techniques": techniques_in(summary),
    }


def score_table(summary: StudySummary) -> Table:
    """Scores, gap and verdict, with a first column of letters where variants were compared."""
    rows = variant_rows(summary)
    other = summary.metric != "accuracy"
    lettered = any(row.letters for row in rows)
    name = wording.capitalized(wording.compared(summary))
    beside = tuple(
        accuracy_heading(of, summary.metric) for of in ("Test", "Validation", "Training")[0 if other else 1 :]
    )
    headings = ("Variant", name, "95 % interval", *beside, "Gap, points", "Verdict")
    cells = tuple(
        (
            *((row.letters,) if lettered else ()),
            *(row.name, row.test.mean, row.test.interval or wording.NOTHING),
            *((row.accuracy.mean,) if other else ()),
            *(row.validation.mean, row.train.mean),
            *(row.gap.mean, row.verdict),
        )
        for row in rows
    )
    return Table(("", *headings) if lettered else headings, cells, text=2 if lettered else 1)
