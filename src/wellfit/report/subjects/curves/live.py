"""The learning curves of the live page: Bokeh charts whose data are replaced as a study trains."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import numpy as np

from wellfit.base import StudySummary
from wellfit.report.marks.colors import LIGHT, series_color, series_form
from wellfit.report.marks.interactive import (
    Columns,
    add_curve,
    add_hover,
    add_marks,
    add_renderer,
    bokeh_models,
    curve_columns,
    epoch_chart,
    series_role,
)
from wellfit.report.numbers import Curve, curve_data, gap_data, last_epoch

__all__ = ["CHARTS", "LiveCharts"]

CHARTS: Final = ("loss", "log-loss", "accuracy", "gap")
"""The charts by name, in the order of the page."""

EMPTY: Final = {"loss": (0.1, 1.0), "accuracy": (0.0, 100.0), "gap": (-1.0, 1.0)}
"""Where the axes begin and end before the first epoch."""


class LiveCharts:
    """Charts with one epoch axis; each curve is there from the beginning, with as many epochs as there are.

    Args:
      summary: the study as it is now; its variants and its number of epochs stay.
      shown: the variants, by position, that are drawn at first.

    Attributes:
      charts: name -> Bokeh figure.
    """

    def __init__(self, summary: StudySummary, shown: Collection[int]) -> None:
        epochs = bokeh_models().Range1d(1, max(2, last_epoch(summary)), bounds="auto")
        cursor = bokeh_models().Span(dimension="height", line_color=LIGHT["muted"], line_width=1, line_dash="dotted")
        labels = ("cross-entropy loss", "cross-entropy loss, log axis", "accuracy, percent",
                  "training − validation, points")  # fmt: skip
        self.charts = {
            name: epoch_chart(label, epochs, cursor, "log" if name == "log-loss" else "linear")
            for name, label in zip(CHARTS, labels, strict=True)
        }
        self._lines: dict[tuple[str, int, str], Any] = {}
        self._sent: dict[tuple[str, int, str], Columns] = {}
        for chart, index, split, said in _curves(summary):
            self._lines[chart, index, split] = _add(self.charts[chart], index, split, said, index in shown)
        self._empty = [_hold_open(self.charts[name], *ends) for name, ends in EMPTY.items()]
        self.charts["log-loss"].renderers = self.charts["loss"].renderers
        for drawn in self.charts.values():
            add_hover(drawn)
        self.update(summary, every=True)

    def update(self, summary: StudySummary, every: bool = False) -> None:
        """Show the curves as they are now; what has not changed is not sent again.

        Args:
          summary: the study.
          every: send the curves too that the reader has switched off.
        """
        for chart, index, split, _ in _curves(summary):
            key = chart, index, split
            if not (every or self._lines[key].visible):  # the reader's own choice, which Bokeh tells the server
                continue
            columns, before = _columns(_curve(summary, chart, index, split), chart, index), self._sent.get(key)
            if before is None or not all(np.array_equal(before[name], columns[name]) for name in columns):
                self._sent[key] = columns
                self._lines[key].data_source.data = dict(columns)
        if any(len(columns["epoch"]) for columns in self._sent.values()):
            while self._empty:  # the axes follow the curves, now that there are any
                self._empty.pop().data = {"x": [], "y": []}


def _hold_open(chart: Any, low: float, high: float) -> Any:
    """Two points that nobody sees, for Bokeh does without axes where there are no data; their source."""
    source = bokeh_models().ColumnDataSource({"x": [1, 1], "y": [low, high]})
    point = bokeh_models().Scatter(x="x", y="y", fill_alpha=0, line_alpha=0)
    add_renderer(chart, point, source, "empty-band", "", "muted")
    return source


def _curves(summary: StudySummary) -> list[tuple[str, int, str, str]]:
    """Chart, position of the variant, split and name of every curve."""
    found = []
    for index, variant in enumerate(summary.variants):
        for chart in ("loss", "accuracy"):
            found.append((chart, index, "train", f"{variant.name}, training"))
            found.append((chart, index, "validation", f"{variant.name}, validation"))
        found.append(("gap", index, "gap", f"{variant.name}, gap"))
    return found


def _curve(summary: StudySummary, chart: str, index: int, split: str) -> Curve:
    name = summary.variants[index].name
    return gap_data(summary, name) if chart == "gap" else curve_data(summary, name, f"{split}_{chart}")


def _columns(curve: Curve, chart: str, index: int) -> Columns:
    columns = curve_columns(curve, 1.0 if chart == "loss" else 100.0, index)
    return {**columns, "tip": np.where(curve.epochs == curve.epochs.max(initial=0), 6, 0)}


def _add(chart: Any, index: int, split: str, said: str, visible: bool) -> Any:
    """Add a curve, still empty: its band, its line, which is returned, its marks, and the point at its tip."""
    names = ("epoch", "mean", "low", "high", "n", "mark", "tip")
    source = bokeh_models().ColumnDataSource({name: [] for name in names})
    color, role, what = series_color(index), series_role(index), f"v{index}-{split}"
    drawn = add_curve(chart, what, said, index, source)
    if series_form(index):
        drawn.append(add_marks(chart, f"{what}-mark", said, index, source, x="epoch", y="mean", size="mark"))
    point = bokeh_models().Scatter(x="epoch", y="mean", size="tip", fill_color=color, line_color=color, line_alpha=0)
    drawn.append(add_renderer(chart, point, source, f"{what}-band", said, role))  # as the band, it has no tooltip
    for renderer in drawn:
        renderer.visible = visible
    return drawn[1]
