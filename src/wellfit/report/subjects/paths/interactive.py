"""The interactive paths: accuracy by the swept number, with every variant's values at the pointer."""

from __future__ import annotations

from typing import Any

import numpy as np

from wellfit.base import FloatArray, StudyDetails, StudySummary, SweepPath
from wellfit.report import wording
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.interactive import Chart, add_renderer, bokeh_models, empty_chart
from wellfit.report.subjects.paths.numbers import STROKES, Stroke, path_marks, path_reference

__all__ = ["charts"]


def charts(summary: StudySummary, details: StudyDetails) -> dict[str, Chart]:
    """``chart-path-0`` and so on -> the chart of a path."""
    return {f"chart-path-{at}": _path_chart(path) for at, path in enumerate(details.paths)}


def _path_chart(path: SweepPath) -> Chart:
    """Mean and interval of every split, and the chosen values."""
    chart = empty_chart(path.key, "accuracy, percent", x_axis_type="log" if path.logarithmic else "linear", height=360)
    points = []
    for split in ("test", "validation", "train"):
        mean, low, high = (100 * column for column in path.metrics[f"{split}_accuracy"])
        stroke = STROKES[split]
        source, color = _source(path, mean, low, high), LIGHT[stroke.role]
        band = bokeh_models().VArea(x="x", y1="bottom", y2="top", fill_color=color, fill_alpha=0.13)
        line = bokeh_models().Line(x="x", y="mean", line_color=color, line_width=2, line_dash=_dash(stroke, 2))
        point = bokeh_models().Scatter(x="x", y="mean", size=7, fill_color=color, line_color=color)
        add_renderer(chart, band, source, f"{split}-band", stroke.label, stroke.role).level = "underlay"
        add_renderer(chart, line, source, split, stroke.label, stroke.role)
        points.append(add_renderer(chart, point, source, f"{split}-point", stroke.label, stroke.role))
    rows = [("", "@variant, $name"), (path.key, "@value"), ("mean", "@mean{0.00} %"), ("95 % interval", "@interval")]
    chart.add_tools(bokeh_models().HoverTool(renderers=points, tooltips=rows))
    for name, at in path_marks(path).items():
        _add_span(chart, name, "height", float(path.values[at]))
    if (reference := path_reference(path)) is not None:
        _add_span(chart, "reference", "width", 100 * reference)
    return chart


def _add_span(chart: Chart, name: str, dimension: str, place: float) -> None:
    """Add a straight line across the whole chart."""
    stroke = STROKES[name]
    style = {"line_color": LIGHT[stroke.role], "line_dash": _dash(stroke, 1), "level": "underlay", "tags": [name]}
    chart.add_layout(bokeh_models().Span(location=place, dimension=dimension, **style))


def _dash(stroke: Stroke, width: int) -> Any:
    """Dashes and gaps as Bokeh takes them, in pixels."""
    return [width * part for part in stroke.dash] or "solid"


def _source(path: SweepPath, mean: FloatArray, low: FloatArray, high: FloatArray) -> Any:
    bottom, top = (np.where(np.isfinite(bound), bound, mean) for bound in (low, high))
    bounds = [wording.interval((a / 100, b / 100)) or wording.NOTHING for a, b in zip(low, high, strict=True)]
    return bokeh_models().ColumnDataSource(
        {
            "x": path.values.astype(np.float64),
            "mean": mean.astype(np.float32),
            "bottom": bottom.astype(np.float32),
            "top": top.astype(np.float32),
            "variant": list(path.variants),
            "value": [f"{value:g}" for value in path.values],
            "interval": bounds,
        }
    )
