"""The learning curves of the live page: Bokeh charts whose data are replaced as a study trains."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import StudySummary
from wellfit.report.charts import DASHES, _add_hover, _draw, _epochs, _models
from wellfit.report.colors import LIGHT, SERIES, series_color
from wellfit.report.figure_data import Curve, curve_data, gap_data, last_epoch

__all__ = ["CHARTS", "LiveCharts"]

CHARTS: Final = ("loss", "log-loss", "accuracy", "gap")
"""The charts by name, in the order of the page."""

EMPTY: Final = {"loss": (0.1, 1.0), "accuracy": (0.0, 100.0), "gap": (-1.0, 1.0)}
"""Where the axes begin and end before the first epoch."""

Columns = Mapping[str, NDArray[Any]]


class LiveCharts:
    """Charts with one epoch axis; each curve is there from the beginning, with as many epochs as there are.

    Args:
      summary: the study as it is now; its variants and its number of epochs stay.
      shown: the variants, by position, that are drawn at first.

    Attributes:
      charts: name -> Bokeh figure.
    """

    def __init__(self, summary: StudySummary, shown: Collection[int]) -> None:
        epochs = _models().Range1d(1, max(2, last_epoch(summary)), bounds="auto")
        cursor = _models().Span(dimension="height", line_color=LIGHT["muted"], line_width=1, line_dash="dotted")
        labels = ("cross-entropy loss", "cross-entropy loss, log axis", "accuracy, percent",
                  "training − validation, points")  # fmt: skip
        self.charts = {
            name: _epochs(label, epochs, cursor, "log" if name == "log-loss" else "linear")
            for name, label in zip(CHARTS, labels, strict=True)
        }
        self._lines: dict[tuple[str, int, str], Any] = {}
        self._sent: dict[tuple[str, int, str], Columns] = {}
        for chart, index, split, said in _curves(summary):
            self._lines[chart, index, split] = _add(self.charts[chart], index, split, said, index in shown)
        self._empty = [_hold_open(self.charts[name], *ends) for name, ends in EMPTY.items()]
        self.charts["log-loss"].renderers = self.charts["loss"].renderers
        for drawn in self.charts.values():
            _add_hover(drawn)
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
            columns, before = _columns(_curve(summary, chart, index, split), chart), self._sent.get(key)
            if before is None or not all(np.array_equal(before[name], columns[name]) for name in columns):
                self._sent[key] = columns
                self._lines[key].data_source.data = dict(columns)
        if any(len(columns["epoch"]) for columns in self._sent.values()):
            while self._empty:  # the axes follow the curves, now that there are any
                self._empty.pop().data = {"x": [], "y": []}


def _hold_open(chart: Any, low: float, high: float) -> Any:
    """Two points that nobody sees, for Bokeh does without axes where there are no data; their source."""
    source = _models().ColumnDataSource({"x": [1, 1], "y": [low, high]})
    point = _models().Scatter(x="x", y="y", fill_alpha=0, line_alpha=0)
    _draw(chart, point, source, "empty-band", "", "muted")
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


def _columns(curve: Curve, chart: str) -> Columns:
    scale, several = 1.0 if chart == "loss" else 100.0, curve.n >= 2
    return {
        "epoch": curve.epochs.astype(np.int32),
        "mean": (scale * curve.mean).astype(np.float32),
        "low": (scale * np.where(several, curve.low, curve.mean)).astype(np.float32),
        "high": (scale * np.where(several, curve.high, curve.mean)).astype(np.float32),
        "n": curve.n.astype(np.int32),
        "tip": np.where(curve.epochs == curve.epochs.max(initial=0), 6, 0),
    }


def _add(chart: Any, index: int, split: str, said: str, visible: bool) -> Any:
    """Add a curve, still empty: its band, its line, which is returned, and the point at its tip."""
    source = _models().ColumnDataSource({name: [] for name in ("epoch", "mean", "low", "high", "n", "tip")})
    color, role, what = series_color(index), f"s{index % SERIES}", f"v{index}-{split}"
    band = _models().VArea(x="epoch", y1="low", y2="high", fill_color=color, fill_alpha=0.13)
    behind = _draw(chart, band, source, f"{what}-band", said, role)
    behind.level = "underlay"
    training = split == "train"
    dash = [6, 4] if training else DASHES[index // SERIES % len(DASHES)]
    width = 1.5 if training else 2.2
    line = _models().Line(x="epoch", y="mean", line_color=color, line_width=width, line_dash=dash, line_join="round")
    drawn = _draw(chart, line, source, what, said, role)
    point = _models().Scatter(x="epoch", y="mean", size="tip", fill_color=color, line_color=color, line_alpha=0)
    tip = _draw(chart, point, source, f"{what}-band", said, role)  # as the band, it has no tooltip
    for renderer in (behind, drawn, tip):
        renderer.visible = visible
    return drawn
