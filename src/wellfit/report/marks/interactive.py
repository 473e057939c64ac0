"""What the interactive charts of the report and of the live page are made of: empty charts, curves, tooltips.

Tags of renderers tell the pages' scripts what they are: ``v3-validation`` is the fourth variant's validation curve,
``v3-validation-band`` its range and ``v3-validation-mark`` the marks on it. Colors are those of `LIGHT`; tags of glyphs
name them, first the line's and then the filling's where it is another, so that a script can exchange them for the
page's own when the reader prefers it dark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.report.marks.colors import LIGHT, SERIES, series_color, series_form
from wellfit.report.numbers import Curve

__all__ = [
    "Chart",
    "Columns",
    "add_curve",
    "add_hover",
    "add_marks",
    "add_renderer",
    "bokeh_models",
    "curve_columns",
    "empty_chart",
    "epoch_chart",
    "series_role",
]

Chart = Any
"""A ``bokeh.plotting.figure``; untyped, for its stubs refuse what it accepts."""

Columns = Mapping[str, NDArray[Any]]

FONT: Final = "system-ui, sans-serif"
TOOLS: Final = "box_zoom,reset,save"

MARKERS: Final = (("circle", 5, True), ("circle", 7, False), ("diamond", 10, True), ("square", 7, False))
"""Marker, size and whether it is filled, of every form of `series_form`."""

MARKS: Final = 5
"""About how many marks a curve has."""


def bokeh_models() -> Any:
    """``bokeh.models``, untyped: its stubs refuse what its classes accept."""
    from bokeh import models

    return models


def series_role(index: int) -> str:
    """The role of a variant's color, by its position in the study.

    Example:
      >>> series_role(8)
      's1'
    """
    return f"s{index % SERIES}"


def add_renderer(chart: Chart, glyph: Any, source: Any, what: str, name: str, *roles: str) -> Any:
    """Add a renderer: its tag says what it is, its name what a tooltip calls it, its glyph's tags its colors' roles.

    ``bokeh.plotting`` would add four more glyphs to each, for selections that there are not: five times the text.

    Args:
      chart: where it is drawn.
      glyph: how.
      source: its data.
      what: its tag.
      name: its name.
      roles: of its line's color, and of its filling's where that is another.

    Returns:
      The renderer.
    """
    glyph.tags = list(roles)
    return chart.add_glyph(source, glyph, tags=[what], name=name)


def curve_columns(curve: Curve, scale: float, index: int) -> dict[str, NDArray[Any]]:
    """The data of a curve.

    Args:
      curve: mean, range and number of runs by epoch.
      scale: what its values are multiplied by.
      index: position of the variant in the study.

    Returns:
      ``epoch``, ``mean``, ``low``, ``high``, ``n``, and ``mark``, the size of the mark at an epoch: 0 at most of them.
    """
    several, count = curve.n >= 2, len(curve.epochs)
    size = MARKERS[series_form(index)][1]
    step = max(1, count // MARKS)
    marked = (np.arange(count) + index) % step == 0  # neighbors in the study are not marked at one place
    if series_form(index) == 0 and count > 1:
        marked[:] = False  # a bare line; of a single epoch there is none, and the mark is all there is to see
    return {
        "epoch": curve.epochs.astype(np.int32),
        "mean": (scale * curve.mean).astype(np.float32),
        # A band of no width where one run is left, because an area cannot be drawn through NaN.
        "low": (scale * np.where(several, curve.low, curve.mean)).astype(np.float32),
        "high": (scale * np.where(several, curve.high, curve.mean)).astype(np.float32),
        "n": curve.n.astype(np.int32),
        "mark": np.where(marked, size, 0).astype(np.int32),
    }


def add_curve(chart: Chart, what: str, name: str, index: int, source: Any) -> list[Any]:
    """Add the band and the line of a curve.

    Args:
      chart: where they are drawn.
      what: the line's tag; one that ends in ``train`` is dashed.
      name: what a tooltip calls it.
      index: position of the variant in the study.
      source: columns as `curve_columns` makes them.

    Returns:
      The two renderers.
    """
    color, role = series_color(index), series_role(index)
    band = bokeh_models().VArea(x="epoch", y1="low", y2="high", fill_color=color, fill_alpha=0.13)
    behind = add_renderer(chart, band, source, f"{what}-band", name, role)
    behind.level = "underlay"
    training = what.endswith("train")
    line = bokeh_models().Line(x="epoch", y="mean", line_color=color, line_width=1.5 if training else 2.2,
                               line_dash=[6, 4] if training else "solid", line_join="round")  # fmt: skip
    return [behind, add_renderer(chart, line, source, what, name, role)]


def add_marks(chart: Chart, what: str, name: str, index: int, source: Any, **places: Any) -> Any:
    """Add the marks of a variant: the same as beside its name.

    Args:
      chart: where they are drawn.
      what: their tag.
      name: what a tooltip calls them.
      index: position of the variant in the study.
      source: where the columns are.
      places: columns of ``x``, ``y`` and ``size``, and further settings of the glyph.

    Returns:
      The renderer.
    """
    color, role = series_color(index), series_role(index)
    marker, _, filled = MARKERS[series_form(index)]
    fill, filling = (color, role) if filled else (LIGHT["paper"], "paper")
    glyph = bokeh_models().Scatter(marker=marker, line_color=color, line_width=1.6, fill_color=fill, **places)
    return add_renderer(chart, glyph, source, what, name, role, filling)


def add_hover(chart: Chart) -> None:
    """Let a chart of curves tell its values at the pointer: of five curves at most, or nobody could read it."""
    lines = [r for r in chart.renderers if not r.tags[0].endswith(("-band", "-mark"))]
    rows = [("", "$name"), ("epoch", "@epoch (runs: @n)"), ("mean", "@mean{0.000}"),
            ("range", "@low{0.000} to @high{0.000}")]  # fmt: skip
    policies = {"line_policy": "nearest", "point_policy": "snap_to_data", "limit": 5}
    chart.add_tools(bokeh_models().HoverTool(renderers=lines, tooltips=rows, **policies))


def epoch_chart(label: str, epochs: Any, cursor: Any, scale: str) -> Chart:
    """An empty chart by epoch.

    Args:
      label: of the value axis.
      epochs: the range of the epoch axis, which charts may share.
      cursor: an upright line at the pointer, which charts may share; None for none.
      scale: of the value axis, ``"linear"`` or ``"log"``.

    Returns:
      The chart.
    """
    chart = empty_chart("epoch", label, x_range=epochs, y_axis_type=scale)
    if cursor is not None:
        chart.add_tools(bokeh_models().CrosshairTool(dimensions="height", overlay=cursor))
    chart.xgrid.visible = False
    chart.xaxis.ticker.desired_num_ticks = 4  # narrow charts have room for four long numbers
    chart.xaxis.ticker.min_interval = 1  # there are no half epochs
    chart.y_range.only_visible = True  # what is switched off leaves its room to the rest
    if scale == "log":
        chart.yaxis.ticker.mantissas = [1, 2, 5]
    return chart


def empty_chart(xlabel: str, ylabel: str, height: int = 300, **options: Any) -> Chart:
    """A calm chart: no frame, no logo, quiet grid, and no tool that would take a finger's swipe from the page.

    Args:
      xlabel, ylabel: of the axes.
      height: in pixels; it is as wide as its place.
      options: further arguments of ``bokeh.plotting.figure``.

    Returns:
      The chart.
    """
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
