"""The parts of interactive charts: empty charts, curves, marks, tooltips, and their form as JSON.

The tag of a renderer tells the page's scripts what it draws: ``v3-validation`` is the fourth variant's validation
curve, ``v3-validation-band`` its range and ``v3-validation-mark`` the marks on it. Charts by epoch have a tag too: the
scripts read the values at the pointer from their curves. Colors are those of `LIGHT`. The
tags of a glyph name their roles, first the line's and then the fill's if it differs, so that a script can replace the
colors in dark mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.report.marks.colors import LIGHT, SERIES, series_color, series_form
from wellfit.report.numbers import Curve

__all__ = [
    "Chart",
    "Columns",
    "add_curve",
    "add_marks",
    "add_renderer",
    "add_source",
    "bokeh_library",
    "bokeh_models",
    "charts_json",
    "curve_columns",
    "empty_chart",
    "epoch_chart",
    "series_role",
]

Chart = Any
"""A ``bokeh.plotting.figure``; untyped because Bokeh's stubs reject valid arguments."""

Columns = Mapping[str, NDArray[Any]]

FONT: Final = "system-ui, sans-serif"
TOOLS: Final = "box_zoom,reset,save"

MARKERS: Final = (("circle", 5, True), ("circle", 7, False), ("diamond", 10, True), ("square", 7, False))
"""Marker, size in pixels and whether it is filled, for every form of `series_form`."""

MARKS: Final = 5
"""About how many marks a curve has."""


def bokeh_models() -> Any:
    """``bokeh.models``, untyped because Bokeh's stubs reject valid arguments."""
    from bokeh import models

    return models


def bokeh_library() -> str:
    """BokehJS for a script element: minified, without widgets, tables, WebGL and MathJax."""
    from bokeh.resources import Resources

    return "\n".join(Resources(mode="inline", components=["bokeh"], minified=True).js_raw)


def charts_json(charts: Mapping[str, Chart]) -> str:
    """Charts as one Bokeh document in JSON for a script element: no ``<`` is left in it."""
    from bokeh.core.json_encoder import serialize_json
    from bokeh.core.serialization import Serializer
    from bokeh.document import Document

    # charts that were added to the document would each be searched for models and given a theme, half of the time
    document = {**Document().to_json(deferred=False), "roots": Serializer(deferred=False).encode([*charts.values()])}
    return serialize_json(document).replace("<", "\\u003c")


def series_role(slot: int) -> str:
    """The role of a variant's color, by its slot.

    Example:
      >>> series_role(8)
      's1'
    """
    return f"s{slot % SERIES}"


def add_renderer(chart: Chart, glyph: Any, source: Any, tag: str, name: str, *roles: str) -> Any:
    """Add a renderer without the four extra glyphs for selections that ``bokeh.plotting`` would add.

    Args:
      tag: what it draws, for scripts.
      name: what a tooltip calls it.
      roles: of the line's color, and of the fill's if it differs.
    """
    glyph.tags = list(roles)
    view = next((of.view for of in chart.renderers[-2:] if of.data_source is source), None)
    if view is None and chart.renderers:
        view = bokeh_models().CDSView(filter=chart.renderers[0].view.filter)
    return chart.add_glyph(source, glyph, tags=[tag], name=name, **({} if view is None else {"view": view}))


def add_source(chart: Chart, columns: Mapping[str, Any]) -> Any:
    """Data for the next renderer of a chart. All of a chart share the models that say that everything is drawn and
    nothing is selected: a page has hundreds of curves, and each model takes time to make, to write and to read.
    """
    first = chart.renderers[0].data_source if chart.renderers else None
    shared = {} if first is None else {"selected": first.selected, "selection_policy": first.selection_policy}
    return bokeh_models().ColumnDataSource(columns, **shared)


def curve_columns(curve: Curve, scale: float, slot: int) -> dict[str, NDArray[Any]]:
    """The data of a curve.

    Args:
      scale: factor for the values.
      slot: of the variant, from `slots`.

    Returns:
      ``epoch``, ``mean``, ``low``, ``high``, ``n``, and ``mark``: size of the mark at an epoch, 0 at most of them.
    """
    several, count = curve.n >= 2, len(curve.epochs)
    size = MARKERS[series_form(slot)][1]
    step = max(1, count // MARKS)
    marked = (np.arange(count) + slot) % step == 0  # neighbors have their marks at different epochs
    if series_form(slot) == 0 and count > 1:
        marked[:] = False  # a bare line; a single epoch makes no line and needs its mark
    return {
        "epoch": curve.epochs.astype(_least(curve.epochs)),
        "mean": (scale * curve.mean).astype(np.float32),
        # Bokeh cannot draw an area through NaN: where one run is left, the band has no width.
        "low": (scale * np.where(several, curve.low, curve.mean)).astype(np.float32),
        "high": (scale * np.where(several, curve.high, curve.mean)).astype(np.float32),
        "n": curve.n.astype(_least(curve.n)),
        "mark": np.where(marked, size, 0).astype(np.uint8),
    }


def _least(values: IntArray) -> type[np.unsignedinteger[Any]]:
    """The smallest type of whole numbers that holds them: a page has hundreds of columns."""
    most = int(values.max(initial=0))
    return np.uint8 if most < 2**8 else np.uint16 if most < 2**16 else np.uint32


def add_curve(chart: Chart, tag: str, name: str, slot: int, columns: Columns) -> list[Any]:
    """Add a curve: its band, its line, and its marks if it has any or may get them.

    Args:
      tag: the line's; a line whose tag ends in ``train`` is dashed.
      name: what a tooltip calls it.
      slot: of the variant, from `slots`.
      columns: from `curve_columns`.

    Returns:
      The renderers; the second one is the line.
    """
    color, role = series_color(slot), series_role(slot)
    marked = bool(series_form(slot) or columns["mark"].any())
    source = add_source(chart, {key: of for key, of in columns.items() if marked or key != "mark"})
    band = bokeh_models().VArea(x="epoch", y1="low", y2="high", fill_color=color, fill_alpha=0.13)
    behind = add_renderer(chart, band, source, f"{tag}-band", name, role)
    behind.level = "underlay"
    training = tag.endswith("train")
    line = bokeh_models().Line(x="epoch", y="mean", line_color=color, line_width=1.5 if training else 2.2,
                               line_dash=[6, 4] if training else "solid", line_join="round")  # fmt: skip
    renderers = [behind, add_renderer(chart, line, source, tag, name, role)]
    if marked:
        renderers.append(add_marks(chart, f"{tag}-mark", name, slot, source, x="epoch", y="mean", size="mark"))
    return renderers


def add_marks(chart: Chart, tag: str, name: str, slot: int, source: Any, **glyph: Any) -> Any:
    """Add the marks of a variant, in the form that its name has.

    Args:
      slot: of the variant, from `slots`.
      glyph: columns of ``x``, ``y`` and ``size``, and further settings.
    """
    color, role = series_color(slot), series_role(slot)
    marker, _, filled = MARKERS[series_form(slot)]
    fill, filling = (color, role) if filled else (LIGHT["paper"], "paper")
    scatter = bokeh_models().Scatter(marker=marker, line_color=color, line_width=1.6, fill_color=fill, **glyph)
    return add_renderer(chart, scatter, source, tag, name, role, filling)


def epoch_chart(label: str, last: int, scale: str = "linear", *, epochs: Any = None, height: int = 300) -> Chart:
    """An empty chart by epoch. The page's script fits its value axis to the curves that are shown.

    Args:
      label: of the value axis.
      last: the last epoch.
      scale: of the value axis, ``"linear"`` or ``"log"``.
      epochs: the range of the epoch axis, if charts share it.
      height: in pixels.
    """
    epochs = bokeh_models().Range1d(1, max(2, last), bounds="auto") if epochs is None else epochs
    values = bokeh_models().Range1d(0.1, 1.0)
    chart = empty_chart("epoch", label, height, x_range=epochs, y_range=values, y_axis_type=scale)
    chart.tags = ["by-epoch"]
    chart.xgrid.visible = False
    chart.xaxis.ticker.desired_num_ticks = 4  # narrow charts have room for four long numbers
    chart.xaxis.ticker.min_interval = 1  # no half epochs
    if scale == "log":
        # Bokeh's own ticks are evenly spaced on short axes, and leave the lower half without any
        chart.yaxis.ticker = [mantissa * 10.0**power for power in range(-9, 4) for mantissa in (1, 1.5, 2, 3, 5, 7)]
        chart.yaxis.formatter = bokeh_models().BasicTickFormatter(precision=9, use_scientific=False)
        chart.yaxis.major_label_policy = bokeh_models().NoOverlap()
    return chart


def empty_chart(xlabel: str, ylabel: str, height: int = 300, **options: Any) -> Chart:
    """A plain chart: no frame, no logo, a faint grid, and no active drag tool, so that a swipe scrolls the page.

    Args:
      height: in pixels; the width is that of its container.
      options: further arguments of ``bokeh.plotting.figure``.
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
    chart.grid.level = "image"  # below everything
    return chart
