"""Precision, recall and F1 by class: the figures, and the page's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.numbers import highlighted
from wellfit.report.parts import Drawing, Paragraph, Part, Table, file_name
from wellfit.report.subjects.classes.numbers import class_panels, gain_rows, hardest
from wellfit.report.subjects.classes.static import plot_per_class

__all__ = ["fragment", "parts"]

LARGEST: Final = 30
"""Classes up to which each has a row that can be read on paper."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """A figure for each of a few variants and a table of their F1; nothing for more classes than fit on paper."""
    panels = [panel for panel in class_panels(summary, details) if panel.name in highlighted(summary)]
    if len(summary.classes) > LARGEST or not panels:
        return []
    drawings = [
        Drawing(
            f"classes-{file_name(summary, panel.name)}",
            f"{panel.name}: recall with its 95 % interval, precision, and the gain in recall.",
            partial(plot_per_class, details.by_class[panel.name], summary.classes),
        )
        for panel in panels
    ]
    scores = zip(*([row.f1 for row in panel.rows] for panel in panels), strict=True)
    rows = tuple((name, *f1) for name, f1 in zip(summary.classes, scores, strict=True))
    table = Table(("Class", *(panel.name for panel in panels)), rows)
    return [*drawings, Paragraph("F1 in percent, means over the seeds.", kind="small"), table]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """A table for every variant, and one of the gains of all but the first."""
    panels = class_panels(summary, details)
    if not panels:
        return {}
    few = hardest([details.by_class[panel.name] for panel in panels])
    panels = tuple(replace(panel, rows=tuple(panel.rows[k] for k in few)) for panel in panels)
    gains = gain_rows(panels)
    gist = f"Scores of every class{f', and what every variant gains over {summary.variants[0].name}' if gains else ''}"
    names = [summary.classes[k] for k in few]
    left_out = (
        f"Of {len(summary.classes):,} classes, the {len(few)} with the lowest recall, on average over the variants; "
        "wellfit show with --table per-class has all."
        if len(few) < len(summary.classes)
        else ""
    )
    return {"panels": panels, "gains": gains, "gist": gist, "names": names, "left_out": left_out}
