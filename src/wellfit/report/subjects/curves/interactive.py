"""The interactive learning curves: the same charts on the page and, with data that grow, on the live page."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.colors import series_color, slots_of
from wellfit.report.marks.interactive import (
    Chart,
    Columns,
    add_curve,
    add_renderer,
    add_source,
    bokeh_models,
    curve_columns,
    epoch_chart,
    series_role,
)
from wellfit.report.numbers import METRICS, Curve, curve_data, has_epochs, last_epoch
from wellfit.report.subjects.curves.numbers import SPLITS, gap_data, stopped_at

__all__ = ["CHARTS", "charts", "live_charts", "live_columns"]

CHARTS: Final = {
    "chart-loss": "cross-entropy loss",
    "chart-log-loss": "cross-entropy loss, log axis",
    "chart-accuracy": "accuracy, percent",
    "chart-gap": "training − validation, points",
}
"""Id of the chart's element -> label of its value axis."""

GAP: Final = ("chart-gap", "gap", "gap")

HEIGHT: Final = 440
"""Pixels of a chart."""


class Line(NamedTuple):
    """One curve: its chart, the position and slot of its variant, its split (or ``"gap"``), and its name."""

    chart: str
    variant: int
    slot: int
    split: str
    name: str

    @property
    def tag(self) -> str:
        """The tag of its renderer."""
        return f"v{self.variant}-{self.split}"


def charts(summary: StudySummary, details: StudyDetails) -> dict[str, Chart]:
    """The charts of a study as it is: id of an element -> chart; empty before the first epoch."""
    if not has_epochs(summary):
        return {}
    drawn = _empty_charts(summary)
    for line in _lines(summary):
        if len((curve := _curve(summary, line)).epochs):
            add_curve(drawn[line.chart], line.tag, line.name, line.slot, _columns(curve, line))
    for metric in METRICS:
        for index in range(len(summary.variants)):
            _add_stops(drawn[f"chart-{metric}"], summary, index, metric)
    drawn["chart-log-loss"].renderers = drawn["chart-loss"].renderers
    return drawn


def live_charts(summary: StudySummary) -> dict[str, Chart]:
    """The charts of a study that is training: with a renderer for every curve, also for those without an epoch yet.

    Returns:
      Id of an element -> chart.
    """
    drawn = _empty_charts(summary)
    for line in _lines(summary):
        columns = _live_columns(_curve(summary, line), line)
        _add_live(drawn[line.chart], line, columns)
    drawn["chart-log-loss"].renderers = drawn["chart-loss"].renderers
    return drawn


def live_columns(summary: StudySummary, index: int) -> dict[str, dict[str, list[float]]]:
    """The curves of one variant as they are now, as plain data with six digits.

    Args:
      index: position of the variant.

    Returns:
      Element id of the chart and tag of the line, with a space between -> column -> values.
    """
    return {
        f"{line.chart} {line.tag}": {
            name: [float(f"{value:.6g}") for value in values.tolist()]
            for name, values in _live_columns(_curve(summary, line), line).items()
        }
        for line in _variant_lines(summary, index)
    }


# --- Both ----------------------------------------------------------------------------------------------------------


def _empty_charts(summary: StudySummary) -> dict[str, Chart]:
    """Four charts that share the epoch axis."""
    last = last_epoch(summary)
    epochs = bokeh_models().Range1d(1, max(2, last), bounds="auto")
    return {
        name: epoch_chart(label, last, "log" if name == "chart-log-loss" else "linear", epochs=epochs, height=HEIGHT)
        for name, label in CHARTS.items()
    }


def _lines(summary: StudySummary) -> list[Line]:
    """All curves in the order in which they are drawn: those of the first variant above all others."""
    return [line for index in reversed(range(len(summary.variants))) for line in _variant_lines(summary, index)]


def _variant_lines(summary: StudySummary, index: int) -> list[Line]:
    name = summary.variants[index].name
    splits = [(f"chart-{metric}", split, shown) for metric in METRICS for split, shown in SPLITS.items()]
    slot = slots_of(summary)[name]
    return [Line(chart, index, slot, split, f"{name}, {shown}") for chart, split, shown in (*splits, GAP)]


def _curve(summary: StudySummary, line: Line) -> Curve:
    name = summary.variants[line.variant].name
    if line.split == "gap":
        return gap_data(summary, name)
    return curve_data(summary, name, f"{line.split}_{line.chart.removeprefix('chart-')}")


def _columns(curve: Curve, line: Line) -> Columns:
    return curve_columns(curve, 1.0 if line.chart == "chart-loss" else 100.0, line.slot)


# --- The page only -------------------------------------------------------------------------------------------------


def _add_stops(chart: Chart, summary: StudySummary, index: int, metric: str) -> None:
    """Add a triangle at the readout epoch of every run that early stopping ended."""
    name = summary.variants[index].name
    if not (stopped := stopped_at(summary, name)):
        return
    runs = summary.histories[name]
    values = [float(METRICS[metric][0] * runs[seed][f"validation_{metric}"][at - 1]) for seed, at in stopped.items()]
    columns = {"epoch": list(stopped.values()), "mean": values, "low": values, "high": values, "n": [1] * len(values)}
    slot = slots_of(summary)[name]
    color = series_color(slot)
    mark = bokeh_models().Scatter(
        x="epoch", y="mean", marker="inverted_triangle", size=9, fill_color=color, line_color=color
    )
    source = add_source(chart, columns)
    add_renderer(chart, mark, source, f"v{index}-stop", f"{name}, read here", series_role(slot))


# --- The live page only --------------------------------------------------------------------------------------------


def _live_columns(curve: Curve, line: Line) -> Columns:
    """The columns of a curve, and the size of the point at its last epoch."""
    return {**_columns(curve, line), "tip": np.where(curve.epochs == curve.epochs.max(initial=0), 6, 0)}


def _add_live(chart: Chart, line: Line, columns: Columns) -> None:
    """Add a curve and the point at its last epoch."""
    color, role = series_color(line.slot), series_role(line.slot)
    renderers = add_curve(chart, line.tag, line.name, line.slot, columns)
    point = bokeh_models().Scatter(x="epoch", y="mean", size="tip", fill_color=color, line_color=color, line_alpha=0)
    add_renderer(chart, point, renderers[1].data_source, f"{line.tag}-tip", line.name, role)
