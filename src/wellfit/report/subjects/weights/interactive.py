"""The interactive chart of the norm of the weights by epoch."""

from __future__ import annotations

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.colors import slots_of
from wellfit.report.marks.interactive import Chart, add_curve, curve_columns, epoch_chart
from wellfit.report.numbers import curve_data, has_epochs, last_epoch

__all__ = ["charts"]


def charts(summary: StudySummary, details: StudyDetails) -> dict[str, Chart]:
    """``chart-norms`` -> the norm of all kernels by epoch, one curve per variant; empty before the first epoch."""
    if not has_epochs(summary):
        return {}
    chart = epoch_chart("norm of all weights", last_epoch(summary))
    slots = slots_of(summary)
    for index, v in reversed([*enumerate(summary.variants)]):  # the first variant above all others
        curve = curve_data(summary, v.name, "weight_norm")
        if len(curve.epochs):
            add_curve(chart, f"v{index}-norm", v.name, slots[v.name], curve_columns(curve, 1.0, slots[v.name]))
    return {"chart-norms": chart}
