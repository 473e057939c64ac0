"""The interactive charts of the page, drawn by Bokeh from data that lie in the page itself.

All charts are roots of one Bokeh document, so that their epoch axes move together. Names of renderers tell the page's
script what they are (``v3-validation`` is the fourth variant's validation curve). Colors are those of `LIGHT`; tags of
glyphs name them, line first, so that the script can exchange them for the page's own when the reader prefers it dark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from wellfit.base import StudySummary
from wellfit.report import wording
from wellfit.report.colors import LIGHT, SERIES, series_color
from wellfit.report.figure_data import Curve, IntervalRow, curve_data, gap_data, interval_data

__all__ = ["Charts", "bokeh_library", "build_charts"]

Chart = Any
"""A ``bokeh.plotting.figure``; untyped, for its stubs refuse what it accepts."""

FONT: Final = "system-ui, sans-serif"
TOOLS: Final = "box_zoom,reset,save"
DASHES: Final = ("solid", "dashed", "dotted", "dotdash")


@dataclass(frozen=True)
class Charts:
    """Charts as plain data, to be written into a page.

    Args:
      document: a Bokeh document as JSON, safe inside a script element: no ``<`` is left in it.
      roots: id of an element of the page -> id of the chart to be shown there.
    """

    document: str
    roots: Mapping[str, str]


def build_charts(summary: StudySummary) -> Charts:
    """The charts of a study: intervals of the test accuracy, and loss, log loss, accuracy and gap by epoch.

    Args:
      summary: the study.

    Returns:
      One chart for each of ``chart-intervals``, ``chart-loss``, ``chart-log-loss``, ``chart-accuracy`` and
      ``chart-gap``; those that have nothing to show are left out.
    """
    from bokeh.core.json_encoder import serialize_json
    from bokeh.document import Document

    charts = {}
    if any(variant.mean for variant in summary.variants):
        charts["chart-intervals"] = _interval_chart(summary)
    if any(len(history) for runs in summary.histories.values() for history in runs.values()):
        charts |= _curve_charts(summary)
    document = Document()
    for chart in charts.values():
        document.add_root(chart)
    text = serialize_json(document.to_json(deferred=False)).replace("<", "\\u003c")
    return Charts(text, {element: chart.id for element, chart in charts.items()})


def bokeh_library() -> str:
    """The source of BokehJS, minified, without widgets, tables, WebGL and MathJax, to stand inside a script element."""
    from bokeh.resources import Resources

    return "\n".join(Resources(mode="inline", components=["bokeh"], minified=True).js_raw)


def _models() -> Any:
    """``bokeh.models``, untyped: its stubs refuse what its classes accept."""
    from bokeh import models

    return models


def _plotting() -> Any:
    """``bokeh.plotting``, untyped likewise."""
    from bokeh import plotting

    return plotting


# --- Curves -----------------------------------------------------------------------------------------------------------


def _curve_charts(summary: StudySummary) -> dict[str, Chart]:
    """Four charts with one epoch axis and one crosshair; both loss charts draw from the same sources."""
    epochs = _models().Range1d(1, max(2, summary.epochs), bounds="auto")
    cursor = _models().Span(dimension="height", line_color=LIGHT["muted"], line_width=1, line_dash="dotted")
    loss = _sources(summary, "loss", 1.0)
    made = {
        "chart-loss": (_empty("cross-entropy loss", epochs, cursor, "linear"), loss),
        "chart-log-loss": (_empty("cross-entropy loss, log axis", epochs, cursor, "log"), loss),
        "chart-accuracy": (_empty("accuracy, percent", epochs, cursor, "linear"), _sources(summary, "accuracy", 100.0)),
        "chart-gap": (_empty("training − validation, points", epochs, cursor, "linear"), _gap_sources(summary)),
    }
    for chart, sources in made.values():
        for name, (index, source) in sources.items():
            _add_curve(chart, name, index, source)
        _add_hover(chart)
    return {element: chart for element, (chart, _) in made.items()}


def _sources(summary: StudySummary, metric: str, scale: float) -> dict[str, tuple[int, Any]]:
    """Renderer name -> position of the variant, and the data of its curve."""
    return {
        f"v{index}-{split}": (index, _source(curve_data(summary, v.name, f"{split}_{metric}"), scale, v.name, said))
        for index, v in enumerate(summary.variants)
        for split, said in (("train", "training"), ("validation", "validation"))
    }


def _gap_sources(summary: StudySummary) -> dict[str, tuple[int, Any]]:
    return {
        f"v{index}-gap": (index, _source(gap_data(summary, variant.name), 100.0, variant.name, "gap"))
        for index, variant in enumerate(summary.variants)
    }


def _source(curve: Curve, scale: float, variant: str, split: str) -> Any:

    size = len(curve.epochs)
    digits = 3 if scale == 1.0 else 2
    ranges = [f"{a:.{digits}f} to {b:.{digits}f}" if np.isfinite(a) else wording.NOTHING
              for a, b in zip(scale * curve.low, scale * curve.high, strict=True)]  # fmt: skip
    return _models().ColumnDataSource(
        {
            "epoch": curve.epochs.astype(np.int32),
            "mean": (scale * curve.mean).round(6),
            # A band of no width where one run is left, because an area cannot be drawn through NaN.
            "low": (scale * np.where(curve.n >= 2, curve.low, curve.mean)).round(6),
            "high": (scale * np.where(curve.n >= 2, curve.high, curve.mean)).round(6),
            "n": curve.n.astype(np.int32),
            "range": ranges,
            "variant": [variant] * size,
            "split": [split] * size,
        }
    )


def _add_curve(chart: Chart, name: str, index: int, source: Any) -> None:
    color = series_color(index)
    shared = {"source": source, "color": color, "tags": [f"s{index % SERIES}"]}
    chart.varea("epoch", "low", "high", name=f"{name}-band", fill_alpha=0.13, level="underlay", **shared)
    dash = [6, 4] if name.endswith("train") else DASHES[index // SERIES % len(DASHES)]
    chart.line("epoch", "mean", name=name, line_width=2, line_dash=dash, **shared)


def _add_hover(chart: Chart) -> None:

    lines = [r for r in chart.renderers if not r.name.endswith("-band")]
    rows = [("", "@variant, @split"), ("epoch", "@epoch (@n runs)"), ("mean", "@mean{0.000}"), ("range", "@range")]
    chart.add_tools(
        _models().HoverTool(renderers=lines, tooltips=rows, line_policy="nearest", point_policy="snap_to_data")
    )


def _empty(label: str, epochs: Any, cursor: Any, scale: str) -> Chart:
    chart = _plotting().figure(
        height=300, x_range=epochs, y_axis_type=scale, x_axis_label="epoch", y_axis_label=label,
        tools=TOOLS, toolbar_location="above",
    )  # fmt: skip
    chart.add_tools(_models().CrosshairTool(dimensions="height", overlay=cursor))
    _style(chart)
    chart.xgrid.visible = False
    chart.xaxis.ticker.desired_num_ticks = 6
    chart.xaxis.ticker.min_interval = 1  # there are no half epochs
    chart.y_range.only_visible = True  # what is switched off leaves its room to the rest
    if scale == "log":
        chart.yaxis.ticker.mantissas = [1, 2, 5]
    return chart


# --- Intervals --------------------------------------------------------------------------------------------------------


def _interval_chart(summary: StudySummary) -> Chart:
    """One row a variant, its name and numbers written above its interval, so that it also fits a phone."""
    rows = interval_data(summary)
    chart = _plotting().figure(
        height=64 + 58 * len(rows), x_axis_label="test accuracy, percent", tools=TOOLS, toolbar_location="above",
        x_range=_models().DataRange1d(range_padding=0.06), y_range=_models().Range1d(-0.45, len(rows) - 0.2),
    )  # fmt: skip
    _style(chart)
    chart.yaxis.visible = False
    chart.ygrid.visible = False
    if rows[0].mean is not None:
        first = _models().Span(
            location=100 * rows[0].mean, dimension="height", line_color=LIGHT["muted"], line_dash="dotted"
        )
        chart.add_layout(first)
    for row in rows:
        _add_interval(chart, row, len(rows) - 1 - row.index)
    return chart


def _add_interval(chart: Chart, row: IntervalRow, y: int) -> None:

    color, tags = series_color(row.index), [f"s{row.index % SERIES}"]
    said = f"{wording.percent(row.mean)}  {wording.interval(row.interval)}" if row.mean is not None else "no result"
    font = {"text_font_size": "13px", "text_font": FONT, "text_color": LIGHT["ink"]}
    chart.add_layout(_models().Label(x=4, x_units="screen", y=y, y_offset=11, text=f"{row.variant}   {said}", **font))
    if row.interval is not None:
        low, high = (100 * bound for bound in row.interval)
        chart.segment([low], [y], [high], [y], color=color, line_width=4, line_alpha=0.5, line_cap="round", tags=tags)
    said_by: list[tuple[list[float], float, list[str], dict[str, Any]]] = [
        ([100 * x for x in row.runs.values()], y - 0.17, [f"seed {s}" for s in row.runs], {"size": 7, "fill_alpha": 0}),
        ([] if row.mean is None else [100 * row.mean], y, ["mean over seeds"], {"size": 11}),
        ([] if row.published is None else [100 * row.published], y, ["published"],
         {"size": 9, "marker": "diamond", "line_width": 1.5}),
    ]  # fmt: skip
    for values, height, names, looks in said_by:
        if not values:
            continue
        published = names == ["published"]
        source = _models().ColumnDataSource(
            {"x": values, "y": [height] * len(values), "who": names, "variant": [row.variant] * len(values)}
        )
        colors = {"fill_color": LIGHT["paper"], "line_color": LIGHT["ink"]} if published else {"color": color}
        drawn = chart.scatter("x", "y", source=source, tags=["ink", "paper"] if published else tags, **colors, **looks)
        tooltips = [("", "@variant, @who"), ("test accuracy", "@x{0.00} %")]
        chart.add_tools(_models().HoverTool(renderers=[drawn], tooltips=tooltips))


def _style(chart: Chart) -> None:
    """Calm: no frame, no logo, quiet grid, and no tool that would take a finger's swipe from the page."""
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
