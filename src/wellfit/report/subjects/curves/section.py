"""The learning curves in the report: all variants together, then one by one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.pictures import Sheet
from wellfit.report.marks.static import own_axes
from wellfit.report.marks.svg import inline_svg
from wellfit.report.numbers import METRICS, has_epochs, shown_first, with_few_curves
from wellfit.report.parts import Drawing, Part
from wellfit.report.subjects.curves.numbers import stopped_at, value_limits
from wellfit.report.subjects.curves.static import plot_curves, plot_gap, plot_small

__all__ = ["chips", "fragment", "parts"]

OVERLAY = (8.6, 3.25)
"""Inches of a written form's figure of all variants."""

SMALL = (5.4, 3.3)
"""Inches of the page's figure of all variants."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """Loss, accuracy and gap of several variants in one figure each, then in a panel per variant."""
    if not has_epochs(summary):
        return []
    few = with_few_curves(summary)
    names = [name for name, seeds in few.histories.items() if seeds]
    key = "Solid: validation; dashed: training"
    ticks = "ticks at the foot: each seed's epoch of lowest validation loss"
    return [
        Drawing("loss", f"Loss by epoch. {key}.", lambda: plot_curves(few, "loss", own_axes(None, OVERLAY))),
        Drawing("accuracy", f"Accuracy by epoch. {key}.",
                lambda: plot_curves(few, "accuracy", own_axes(None, OVERLAY))),
        Drawing("gap", "Gap by epoch: training minus validation accuracy.",
                lambda: plot_gap(few, own_axes(None, OVERLAY))),
        Drawing("loss-curves", f"Loss of each variant. {key}; {ticks}.",
                partial(plot_curves, summary, "loss", names=names)),
        Drawing("accuracy-curves", f"Accuracy of each variant. {key}; {ticks}.",
                partial(plot_curves, summary, "accuracy", names=names)),
    ]  # fmt: skip


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The figures without JavaScript, the panels of every variant, and the choices of the interactive charts."""
    if not has_epochs(summary):
        return {}
    few = with_few_curves(summary)
    limits = {metric: value_limits(summary, metric) for metric in METRICS}
    return {
        "chips": chips(summary),
        "figures": {
            "loss": inline_svg(plot_curves(few, "loss", own_axes(None, SMALL))),
            "accuracy": inline_svg(plot_curves(few, "accuracy", own_axes(None, SMALL))),
            "gap": inline_svg(plot_gap(few, own_axes(None, SMALL))),
        },
        "panels": [
            (i, v.name, [inline_svg(plot_small(summary, v.name, metric, limits=limits[metric])) for metric in METRICS])
            for i, v in enumerate(summary.variants)
            if i in shown_first(summary)  # as in the written forms; the interactive charts have all
        ],
        "stops": any(stopped_at(summary, v.name) for v in summary.variants),
    }


def chips(summary: StudySummary) -> list[tuple[int, str, bool]]:
    """Position, name, and whether its curves are drawn at first, of every variant."""
    shown = shown_first(summary)
    return [(index, v.name, index in shown) for index, v in enumerate(summary.variants)]
