"""The interactive charts of the page, drawn by Bokeh from data that lie in the page itself.

Charts that belong together (the curves, whose epoch axes move together) are the roots of one Bokeh document; the page's
script opens a document when its place comes near. Tags of renderers tell the script what they are: ``v3-validation``
is the fourth variant's validation curve. Colors are those of `LIGHT`; tags of glyphs name them, so that the script can
exchange them for the page's own when the reader prefers it dark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from wellfit.base import FloatArray, StudySummary
from wellfit.details import StudyDetails, SweepPath
from wellfit.report import wording
from wellfit.report.colors import LIGHT, SERIES, series_color
from wellfit.report.figure_data import Curve, curve_data, gap_data, last_epoch

__all__ = ["Charts", "bokeh_library", "build_charts"]

Chart = Any
"""A ``bokeh.plotting.figure``; untyped, for its stubs refuse what it accepts."""

FONT: Final = "system-ui, sans-serif"
FIRM: Final = 0.005
"""The share of the predictions from which a bin of a reliability diagram is joined to others: one point is no line."""

TOOLS: Final = "box_zoom,reset,save"
DASHES: Final = ("solid", "dotted", "dotdash")
PATH_SPLITS: Final = (("test", "s1", "solid"), ("validation", "s2", "solid"), ("train", "s0", [6, 4]))


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
        made["calibration"] = {"chart-reliability": _reliability_chart(summary, details)}
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


def _models() -> Any:
    """``bokeh.models``, untyped: its stubs refuse what its classes accept."""
    from bokeh import models

    return models


def _draw(chart: Chart, glyph: Any, source: Any, what: str, name: str, role: str) -> Any:
    """Add a renderer: its tag says what it is, its name what a tooltip calls it, its glyph's tag its color's role.

    ``bokeh.plotting`` would add four more glyphs to each, for selections that there are not: five times the text.
    """
    glyph.tags = [role]
    return chart.add_glyph(source, glyph, tags=[what], name=name)


# --- By epoch ---------------------------------------------------------------------------------------------------------


def _curve_charts(summary: StudySummary) -> dict[str, Chart]:
    """Four charts with one epoch axis and one crosshair; both loss charts have the same renderers."""
    epochs = _models().Range1d(1, max(2, last_epoch(summary)), bounds="auto")
    cursor = _models().Span(dimension="height", line_color=LIGHT["muted"], line_width=1, line_dash="dotted")
    made = {
        "chart-loss": _epochs("cross-entropy loss", epochs, cursor, "linear"),
        "chart-log-loss": _epochs("cross-entropy loss, log axis", epochs, cursor, "log"),
        "chart-accuracy": _epochs("accuracy, percent", epochs, cursor, "linear"),
        "chart-gap": _epochs("training − validation, points", epochs, cursor, "linear"),
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
        _add_hover(chart)
    return made


def _norms_chart(summary: StudySummary) -> Chart:
    epochs = _models().Range1d(1, max(2, last_epoch(summary)), bounds="auto")
    chart = _epochs("norm of all weights", epochs, None, "linear")
    for index, v in enumerate(summary.variants):
        _add_curve(chart, f"v{index}-norm", v.name, index, curve_data(summary, v.name, "weight_norm"), 1.0)
    _add_hover(chart)
    return chart


def _add_curve(chart: Chart, what: str, name: str, index: int, curve: Curve, scale: float) -> None:
    if not len(curve.epochs):
        return
    several = curve.n >= 2
    source = _models().ColumnDataSource(
        {
            "epoch": curve.epochs.astype(np.int32),
            "mean": (scale * curve.mean).astype(np.float32),
            # A band of no width where one run is left, because an area cannot be drawn through NaN.
            "low": (scale * np.where(several, curve.low, curve.mean)).astype(np.float32),
            "high": (scale * np.where(several, curve.high, curve.mean)).astype(np.float32),
            "n": curve.n.astype(np.int32),
        }
    )
    color, role = series_color(index), f"s{index % SERIES}"
    band = _models().VArea(x="epoch", y1="low", y2="high", fill_color=color, fill_alpha=0.13)
    _draw(chart, band, source, f"{what}-band", name, role).level = "underlay"
    training = what.endswith("train")
    dash = [6, 4] if training else DASHES[index // SERIES % len(DASHES)]
    line = _models().Line(
        x="epoch", y="mean", line_color=color, line_width=1.5 if training else 2.2, line_dash=dash, line_join="round"
    )
    _draw(chart, line, source, what, name, role)


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
    source = _models().ColumnDataSource({"epoch": epochs, "mean": values, **ones})
    color, role = series_color(index), f"s{index % SERIES}"
    mark = _models().Scatter(
        x="epoch", y="mean", marker="inverted_triangle", size=9, fill_color=color, line_color=color
    )
    _draw(chart, mark, source, f"v{index}-stop", f"{variant.name}, read here", role)


def _add_hover(chart: Chart) -> None:
    lines = [r for r in chart.renderers if not r.tags[0].endswith("-band")]
    rows = [("", "$name"), ("epoch", "@epoch (runs: @n)"), ("mean", "@mean{0.000}"),
            ("range", "@low{0.000} to @high{0.000}")]  # fmt: skip
    chart.add_tools(
        _models().HoverTool(renderers=lines, tooltips=rows, line_policy="nearest", point_policy="snap_to_data")
    )


def _epochs(label: str, epochs: Any, cursor: Any, scale: str) -> Chart:
    chart = _empty("epoch", label, x_range=epochs, y_axis_type=scale)
    if cursor is not None:
        chart.add_tools(_models().CrosshairTool(dimensions="height", overlay=cursor))
    chart.xgrid.visible = False
    chart.xaxis.ticker.desired_num_ticks = 6
    chart.xaxis.ticker.min_interval = 1  # there are no half epochs
    chart.y_range.only_visible = True  # what is switched off leaves its room to the rest
    if scale == "log":
        chart.yaxis.ticker.mantissas = [1, 2, 5]
    return chart


# --- By setting, and by confidence ------------------------------------------------------------------------------------


def _path_chart(path: SweepPath) -> Chart:
    """Accuracy by the swept number: mean and interval of every split, and the values that were chosen."""
    chart = _empty(path.key, "accuracy, percent", x_axis_type="log" if path.logarithmic else "linear", height=360)
    drawn = []
    for split, role, dash in PATH_SPLITS:
        mean, low, high = (100 * column for column in path.metrics[f"{split}_accuracy"])
        said = "training" if split == "train" else split
        source, color = _path_source(path, mean, low, high), LIGHT[role]
        band = _models().VArea(x="x", y1="bottom", y2="top", fill_color=color, fill_alpha=0.13)
        line = _models().Line(x="x", y="mean", line_color=color, line_width=2, line_dash=dash)
        point = _models().Scatter(x="x", y="mean", size=7, fill_color=color, line_color=color)
        _draw(chart, band, source, f"{split}-band", said, role).level = "underlay"
        _draw(chart, line, source, split, said, role)
        drawn.append(_draw(chart, point, source, f"{split}-point", said, role))
    rows = [("", "@variant, $name"), (path.key, "@value"), ("mean", "@mean{0.00} %"), ("95 % interval", "@interval")]
    chart.add_tools(_models().HoverTool(renderers=drawn, tooltips=rows))
    for at, dash in ((path.chosen, "solid"), (path.one_standard_error, "dashed")):
        if at is not None:
            chart.add_layout(_models().Span(location=float(path.values[at]), dimension="height", line_dash=dash,
                                            line_color=LIGHT["muted"], level="underlay"))  # fmt: skip
    if "test_accuracy" in path.reference:
        chart.add_layout(_models().Span(location=100 * path.reference["test_accuracy"][0], dimension="width",
                                        line_dash="dotted", line_color=LIGHT["muted"]))  # fmt: skip
    return chart


def _path_source(path: SweepPath, mean: FloatArray, low: FloatArray, high: FloatArray) -> Any:
    bottom, top = (np.where(np.isfinite(bound), bound, mean) for bound in (low, high))
    return _models().ColumnDataSource(
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


def _reliability_chart(summary: StudySummary, details: StudyDetails) -> Chart:
    """How often each variant was right, by how sure it was."""
    chart = _empty("how sure, percent", "how often right, percent", height=380)
    lines = []
    for index, variant in enumerate(summary.variants):
        found = details.calibration.get(variant.name)
        if found is None:
            continue
        share = found.count / max(int(found.count.sum()), 1)  # (B,)
        columns = {
            "sure": (100 * found.confidence).astype(np.float32),
            "right": (100 * found.accuracy).astype(np.float32),
            "size": (4 + 14 * np.sqrt(share)).astype(np.float32),
        }
        firm = share >= FIRM
        source = _models().ColumnDataSource({**columns, "count": [f"{n:,}" for n in found.count]})
        color, role = series_color(index), f"s{index % SERIES}"
        dash = DASHES[index // SERIES % len(DASHES)]
        line = _models().Line(x="sure", y="right", line_color=color, line_width=2, line_dash=dash)
        point = _models().Scatter(x="sure", y="right", size="size", fill_color=color, line_color=color, fill_alpha=0.6)
        through = _models().ColumnDataSource({name: values[firm] for name, values in columns.items()})
        _draw(chart, line, through, f"v{index}-reliability", variant.name, role)
        lines.append(_draw(chart, point, source, f"v{index}-reliability-points", variant.name, role))
    chart.add_layout(_models().Slope(gradient=1, y_intercept=0, line_color=LIGHT["muted"], line_dash="dotted"))
    rows = [("", "$name"), ("sure", "@sure{0.0} %"), ("right", "@right{0.0} %"), ("predictions", "@count")]
    chart.add_tools(_models().HoverTool(renderers=lines, tooltips=rows))
    return chart


def _empty(xlabel: str, ylabel: str, height: int = 300, **options: Any) -> Chart:
    """Calm: no frame, no logo, quiet grid, and no tool that would take a finger's swipe from the page."""
    from bokeh import plotting

    chart: Any = plotting.figure(
        height=height, x_axis_label=xlabel, y_axis_label=ylabel, tools=TOOLS, toolbar_location="above", **options
    )
    chart.sizing_mode = "stretch_width"
    chart.min_width = 0
    chart.background_fill_alpha = 0
    chart.border_fill_alpha = 0
    chart.outline_line_color = None
    chart.toolbar.logo = None
    chart.toolbar.autohide = True
    chart.toolbar.active_drag = None
    for axis in chart.axis:
        axis.axis_line_color = LIGHT["rule"]
        axis.major_tick_line_color = None
        axis.minor_tick_line_color = None
        axis.axis_label_text_color = LIGHT["muted"]
        axis.major_label_text_color = LIGHT["muted"]
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = axis.major_label_text_font_size = "12px"
        axis.axis_label_text_font = axis.major_label_text_font = FONT
    chart.grid.grid_line_color = LIGHT["rule"]
    return chart
