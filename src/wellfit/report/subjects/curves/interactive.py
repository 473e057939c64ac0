"""The interactive learning curves: the same charts on the page and, with data that grow, on the live page."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.colors import LIGHT, series_color
from wellfit.report.marks.interactive import (
    Chart,
    Columns,
    add_curve,
    add_hover,
    add_renderer,
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

EMPTY: Final = {"chart-loss": (0.1, 1.0), "chart-accuracy": (0.0, 100.0), "chart-gap": (-1.0, 1.0)}
"""Range of the value axis before the first epoch."""


class Line(NamedTuple):
    """One curve: its chart, the position of its variant, its split (or ``"gap"``), and its name in tooltips."""

    chart: str
    variant: int
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
            add_curve(drawn[line.chart], line.tag, line.name, line.variant, _columns(curve, line))
    for metric in METRICS:
        for index in range(len(summary.variants)):
            _add_stops(drawn[f"chart-{metric}"], summary, index, metric)
    _complete(drawn)
    return drawn


def live_charts(summary: StudySummary, shown: Collection[int]) -> dict[str, Chart]:
    """The charts of a study that is training: with a renderer for every curve, also for those without an epoch yet.

    Args:
      summary: the study as it is now.
      shown: the variants, by position, that are drawn at first.

    Returns:
      Id of an element -> chart.
    """
    drawn = _empty_charts(summary)
    for line in _lines(summary):
        columns = _live_columns(_curve(summary, line), line)
        _add_live(drawn[line.chart], line, columns, line.variant in shown)
    if not has_epochs(summary):
        for name, ends in EMPTY.items():
            _add_placeholder(drawn[name], *ends)
    _complete(drawn)
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
    """Four charts that share the epoch axis and the line at the pointer."""
    last = last_epoch(summary)
    epochs = bokeh_models().Range1d(1, max(2, last), bounds="auto")
    cursor = bokeh_models().Span(dimension="height", line_color=LIGHT["muted"], line_width=1, line_dash="dotted")
    return {
        name: epoch_chart(label, last, "log" if name == "chart-log-loss" else "linear", epochs=epochs, cursor=cursor)
        for name, label in CHARTS.items()
    }


def _complete(drawn: dict[str, Chart]) -> None:
    """Let both loss charts have the same renderers, and every chart its tooltip."""
    drawn["chart-log-loss"].renderers = drawn["chart-loss"].renderers
    for chart in drawn.values():
        add_hover(chart)


def _lines(summary: StudySummary) -> list[Line]:
    return [line for index in range(len(summary.variants)) for line in _variant_lines(summary, index)]


def _variant_lines(summary: StudySummary, index: int) -> list[Line]:
    name = summary.variants[index].name
    splits = [(f"chart-{metric}", split, shown) for metric in METRICS for split, shown in SPLITS.items()]
    return [Line(chart, index, split, f"{name}, {shown}") for chart, split, shown in (*splits, GAP)]


def _curve(summary: StudySummary, line: Line) -> Curve:
    name = summary.variants[line.variant].name
    if line.split == "gap":
        return gap_data(summary, name)
    return curve_data(summary, name, f"{line.split}_{line.chart.removeprefix('chart-')}")


def _columns(curve: Curve, line: Line) -> Columns:
    return curve_columns(curve, 1.0 if line.chart == "chart-loss" else 100.0, line.variant)


# --- The page only -------------------------------------------------------------------------------------------------


def _add_stops(chart: Chart, summary: StudySummary, index: int, metric: str) -> None:
    """Add a triangle at the readout epoch of every run that early stopping ended."""
    name = summary.variants[index].name
    if not (stopped := stopped_at(summary, name)):
        return
    runs = summary.histories[name]
    values = [float(METRICS[metric][0] * runs[seed][f"validation_{metric}"][at - 1]) for seed, at in stopped.items()]
    columns = {"epoch": list(stopped.values()), "mean": values, "low": values, "high": values, "n": [1] * len(values)}
    color = series_color(index)
    mark = bokeh_models().Scatter(
        x="epoch", y="mean", marker="inverted_triangle", size=9, fill_color=color, line_color=color
    )
    source = bokeh_models().ColumnDataSource(columns)
    add_renderer(chart, mark, source, f"v{index}-stop", f"{name}, read here", series_role(index))


# --- The live page only --------------------------------------------------------------------------------------------


def _live_columns(curve: Curve, line: Line) -> Columns:
    """The columns of a curve, and the size of the point at its last epoch."""
    return {**_columns(curve, line), "tip": np.where(curve.epochs == curve.epochs.max(initial=0), 6, 0)}


def _add_live(chart: Chart, line: Line, columns: Columns, visible: bool) -> None:
    """Add a curve and the point at its last epoch."""
    color, role = series_color(line.variant), series_role(line.variant)
    renderers = add_curve(chart, line.tag, line.name, line.variant, columns)
    point = bokeh_models().Scatter(x="epoch", y="mean", size="tip", fill_color=color, line_color=color, line_alpha=0)
    source = renderers[1].data_source
    renderers.append(add_renderer(chart, point, source, f"{line.tag}-band", line.name, role))  # no tooltip either
    for renderer in renderers:
        renderer.visible = visible


def _add_placeholder(chart: Chart, low: float, high: float) -> None:
    """Add two invisible points, because Bokeh draws no axes without data; the page removes them with the first."""
    source = bokeh_models().ColumnDataSource({"x": [1, 1], "y": [low, high]})
    point = bokeh_models().Scatter(x="x", y="y", fill_alpha=0, line_alpha=0)
    add_renderer(chart, point, source, "empty-band", "", "muted")
