"""Calibration in the report: the table of scores and the reliability diagrams."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.colors import slots_of
from wellfit.report.marks.svg import inline_svg
from wellfit.report.numbers import has_epochs, highlighted, of_variants, shown_first
from wellfit.report.parts import Drawing, Part, Table, file_name
from wellfit.report.subjects.calibration.numbers import score_columns, score_rows
from wellfit.report.subjects.calibration.static import plot_reliability, plot_small

__all__ = ["fragment", "parts"]

UNBROKEN: Final = "\u00a0"
"""A space that no line break divides."""

WIDE: Final = 4
"""Columns of scores that fit the width of a written form."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The scores, in as many tables as they need, then the diagrams of a few variants."""
    columns, rows = score_columns(details), score_rows(summary, details)
    if not rows or not columns:
        return []
    texts = [
        tuple(f"{cell.mean} {cell.interval.replace(' ', UNBROKEN)}".rstrip() for cell in row.cells) for row in rows
    ]
    tables = [
        Table(
            ("Variant", *(column.title for column in columns[start : start + WIDE])),
            tuple((row.name, *cells[start : start + WIDE]) for row, cells in zip(rows, texts, strict=True)),
        )
        for start in range(0, len(columns), WIDE)
    ]
    slots = slots_of(summary)
    drawings = [
        Drawing(
            f"reliability-{file_name(summary, name)}",
            f"Reliability diagram of {name}.",
            partial(plot_reliability, details.calibration[name], slot=slots[name]),
            "half",
        )
        for name in highlighted(summary)
        if name in details.calibration
    ]
    return [*tables, *drawings]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """The scores of every variant, and small diagrams of the variants that are shown first."""
    rows, shown, slots = score_rows(summary, details), shown_first(summary), slots_of(summary)
    panels = [
        (index, name, inline_svg(plot_small(calibration, slot=slots[name])))
        for index, name, calibration in of_variants(summary, details.calibration)
        if index in shown
    ]
    columns = score_columns(details)
    return {"rows": rows, "columns": columns, "panels": panels, "curves": has_epochs(summary)} if rows else {}
