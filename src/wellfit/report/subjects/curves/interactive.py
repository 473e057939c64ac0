"""The interactive charts of the page, drawn by Bokeh from data that lie in the page itself.

Charts that belong together (the curves, whose epoch axes move together) are the roots of one Bokeh document; the page's
script opens a document when its place comes near; its tags: `wellfit.report.marks.interactive`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wellfit.base import FloatArray, StudyDetails, StudySummary, SweepPath
from wellfit.report import wording
from wellfit.report.marks.colors import LIGHT, series_color
from wellfit.report.marks.interactive import (
    Chart,
    add_curve,
    add_hover,
    add_marks,
    add_renderer,
    bokeh_models,
    curve_columns,
    empty_chart,
    epoch_chart,
    series_role,
)
from wellfit.report.numbers import Curve, curve_data, gap_data, last_epoch
from wellfit.report.subjects.calibration.interactive import charts as calibration_charts
from wellfit.report.subjects.paths.strokes import PATH_STROKES, Stroke, path_marks, path_reference

__all__ = ["Charts", "bokeh_library", "build_charts"]


@dataclass(frozen=True)
class Charts:
    """Charts as plain data, to be written into a page.

    Args:
      documents: name -> a Bokeh document as JSON, safe inside a script element: no ``<`` is left in it.
      roots: name of the document -> id of an element of the page -> id of the chart to be shown there.
    """

    documents: Mapping[str, str]
    roots: Mapping[str, Mapping[str, str]]


def build_charts(summary: StudySummary, details: StudyDetails) -> Charts:
    """The charts of a study; those that have nothing to show are left out.

    Args:
      summary: the study.
      details: its details.

    Returns:
      Documents ``"curves"`` (in ``chart-loss``, ``chart-log-loss``, ``chart-accuracy`` and ``chart-gap``), ``"paths"``
      (``chart-path-0`` and so on), ``"calibration"`` (``chart-reliability``) and ``"weights"`` (``chart-norms``).
    """
    made: dict[str, dict[str, Chart]] = {}
    if any(len(history) for runs in summary.histories.values() for history in runs.values()):
        made["curves"] = _curve_charts(summary)
        made["weights"] = {"chart-norms": _norms_chart(summary)}
    if details.paths:
        made["paths"] = {f"chart-path-{i}": _path_chart(path) for i, path in enumerate(details.paths)}
    if details.calibration:
        made["calibration"] = calibration_charts(summary, details)
    return Charts(
        {name: _document(charts) for name, charts in made.items()},
        {name: {element: chart.id for element, chart in charts.items()} for name, charts in made.items()},
    )


def bokeh_library() -> str:
    """The source of BokehJS, minified, without widgets, tables, WebGL and MathJax, to stand inside a script element."""
    from bokeh.resources import Resources

    return "\n".join(Resources(mode="inline", components=["bokeh"], minified=True).js_raw)


def _document(charts: Mapping[str, Chart]) -> str:
    from bokeh.core.json_encoder import serialize_json
    from bokeh.document import Document

    document = Document()
    for chart in charts.values():
        document.add_root(chart)
    return serialize_json(document.to_json(deferred=False)).replace("<", "\\u003c")


# --- By epoch ---------------------------------------------------------------------------------------------------------


def _curve_charts(summary: StudySummary) -> dict[str, Chart]:
    """Four charts with one epoch axis and one crosshair; both loss charts have the same renderers."""
    epochs = bokeh_models().Range1d(1, max(2, last_epoch(summary)), bounds="auto")
    cursor = bokeh_models().Span(dimension="height", line_color=LIGHT["muted"], line_width=1, line_dash="dotted")
    made = {
        "chart-loss": epoch_chart("cross-entropy loss", epochs, cursor, "linear"),
        "chart-log-loss": epoch_chart("cross-entropy loss, log axis", epochs, cursor, "log"),
        "chart-accuracy": epoch_chart("accuracy, percent", epochs, cursor, "linear"),
        "chart-gap": epoch_chart("training − validation, points", epochs, cursor, "linear"),
    }
    for index, v in enumerate(summary.variants):
        for metric, scale in (("loss", 1.0), ("accuracy", 100.0)):
            for split, said in (("train", "training"), ("validation", "validation")):
                curve = curve_data(summary, v.name, f"{split}_{metric}")
                _add_curve(made[f"chart-{metric}"], f"v{index}-{split}", f"{v.name}, {said}", index, curve, scale)
            _add_stops(made[f"chart-{metric}"], summary, index, metric, scale)
        _add_curve(made["chart-gap"], f"v{index}-gap", f"{v.name}, gap", index, gap_data(summary, v.name), 100.0)
    made["chart-log-loss"].renderers = made["chart-loss"].renderers
    for chart in made.values():
        add_hover(chart)
    return made


def _norms_chart(summary: StudySummary) -> Chart:
    epochs = bokeh_models().Range1d(1, max(2, last_epoch(summary)), bounds="auto")
    chart = epoch_chart("norm of all weights", epochs, None, "linear")
    for index, v in enumerate(summary.variants):
        _add_curve(chart, f"v{index}-norm", v.name, index, curve_data(summary, v.name, "weight_norm"), 1.0)
    add_hover(chart)
    return chart


def _add_curve(chart: Chart, what: str, name: str, index: int, curve: Curve, scale: float) -> None:
    if not len(curve.epochs):
        return
    columns = curve_columns(curve, scale, index)
    source = bokeh_models().ColumnDataSource(columns)
    add_curve(chart, what, name, index, source)
    if columns["mark"].any():
        add_marks(chart, f"{what}-mark", name, index, source, x="epoch", y="mean", size="mark")


def _add_stops(chart: Chart, summary: StudySummary, index: int, metric: str, scale: float) -> None:
    """A triangle where a rule has stopped a run, at the epoch whose weights were read."""
    variant = summary.variants[index]
    stopped = {run.seed: run.readout_epoch for run in variant.runs if run.state == "stopped" and run.readout_epoch}
    if not stopped:
        return
    histories = summary.histories[variant.name]
    values = [float(scale * histories[seed][f"validation_{metric}"][read - 1]) for seed, read in stopped.items()]
    epochs = list(stopped.values())
    ones = {"low": values, "high": values, "n": [1] * len(values)}
    source = bokeh_models().ColumnDataSource({"epoch": epochs, "mean": values, **ones})
    color, role = series_color(index), series_role(index)
    mark = bokeh_models().Scatter(
        x="epoch", y="mean", marker="inverted_triangle", size=9, fill_color=color, line_color=color
    )
    add_renderer(chart, mark, source, f"v{index}-stop", f"{variant.name}, read here", role)


# --- By setting, and by confidence ------------------------------------------------------------------------------------


def _path_chart(path: SweepPath) -> Chart:
    """Accuracy by the swept number: mean and interval of every split, and the values that were chosen."""
    chart = empty_chart(path.key, "accuracy, percent", x_axis_type="log" if path.logarithmic else "linear", height=360)
    drawn = []
    for split in ("test", "validation", "train"):
        mean, low, high = (100 * column for column in path.metrics[f"{split}_accuracy"])
        said, role = PATH_STROKES[split].said, PATH_STROKES[split].role
        source, color = _path_source(path, mean, low, high), LIGHT[role]
        band = bokeh_models().VArea(x="x", y1="bottom", y2="top", fill_color=color, fill_alpha=0.13)
        line = bokeh_models().Line(
            x="x", y="mean", line_color=color, line_width=2, line_dash=_dash(PATH_STROKES[split], 2)
        )
        point = bokeh_models().Scatter(x="x", y="mean", size=7, fill_color=color, line_color=color)
        add_renderer(chart, band, source, f"{split}-band", said, role).level = "underlay"
        add_renderer(chart, line, source, split, said, role)
        drawn.append(add_renderer(chart, point, source, f"{split}-point", said, role))
    rows = [("", "@variant, $name"), (path.key, "@value"), ("mean", "@mean{0.00} %"), ("95 % interval", "@interval")]
    chart.add_tools(bokeh_models().HoverTool(renderers=drawn, tooltips=rows))
    for name, at in path_marks(path).items():
        _add_span(chart, name, "height", float(path.values[at]))
    if (beside := path_reference(path)) is not None:
        _add_span(chart, "reference", "width", 100 * beside)
    return chart


def _add_span(chart: Chart, name: str, dimension: str, place: float) -> None:
    """A straight line through the whole chart of a path, one of `PATH_STROKES`."""
    stroke = PATH_STROKES[name]
    look = {"line_color": LIGHT[stroke.role], "line_dash": _dash(stroke, 1), "level": "underlay", "tags": [name]}
    chart.add_layout(bokeh_models().Span(location=place, dimension=dimension, **look))


def _dash(stroke: Stroke, width: int) -> Any:
    """Dashes and gaps as Bokeh takes them, in pixels."""
    return [width * part for part in stroke.dash] or "solid"


def _path_source(path: SweepPath, mean: FloatArray, low: FloatArray, high: FloatArray) -> Any:
    bottom, top = (np.where(np.isfinite(bound), bound, mean) for bound in (low, high))
    return bokeh_models().ColumnDataSource(
        {
            "x": path.values.astype(np.float64),
            "mean": mean.astype(np.float32),
            "bottom": bottom.astype(np.float32),
            "top": top.astype(np.float32),
            "variant": list(path.variants),
            "value": [f"{value:g}" for value in path.values],
            "interval": [
                wording.interval((a / 100, b / 100)) or wording.NOTHING for a, b in zip(low, high, strict=True)
            ],
        }
    )
