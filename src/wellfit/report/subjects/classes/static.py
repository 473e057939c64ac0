"""The static figure of recall and precision by class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import ClassTable
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.column import is_narrow
from wellfit.report.subjects.classes.numbers import ClassRow, class_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_per_class"]

LABELED: Final = 60
"""Classes up to which each row is labeled."""

BESIDE: Final = 24
"""Letters of a title that has room beside the legend."""


def plot_per_class(table: ClassTable, classes: Sequence[str], ax: Axes | None = None) -> Figure:
    """Recall with its 95 % interval and precision of every class, and the gain in recall over the first variant.

    Args:
      classes: class names, by label.

    Returns:
      The figure, one row per class in label order; on the right, recall in percent and the gain in percentage points,
      bold where its interval excludes zero.
    """
    rows, size = class_rows(table, classes), len(classes)
    axes = drawing.own_axes(ax, (8.6, 1.3 + 0.34 * size))
    heights = np.arange(size)[::-1]  # (K,)
    for y, low, high in zip(heights, table.recall_low, table.recall_high, strict=True):
        if np.isfinite((low, high)).all():
            axes.plot((100 * low, 100 * high), (y, y), color=LIGHT["s1"], linewidth=3.2, alpha=0.55,
                      solid_capstyle="round")  # fmt: skip
    axes.scatter(100 * table.recall, heights, s=48, color=LIGHT["s1"], zorder=3)
    axes.scatter(100 * table.precision, heights, s=40, marker="D", facecolor="none", edgecolor=LIGHT["s2"],
                 linewidth=1.4, zorder=4)  # fmt: skip
    drawing.style(axes, "percent", "", grid="x")
    axes.set_ylim(-0.7, size - 0.3)
    axes.margins(x=0.04)
    if size <= LABELED:
        axes.set_yticks(heights, [drawing.plain(name) for name in classes], color=LIGHT["ink"])
        for row, y in zip(rows, heights, strict=True):
            _annotate(axes, row, float(y))
    else:
        axes.set_yticks([])
    of_legend = 1 if drawing.inches(axes)[0] > 5 else 2
    beside = of_legend == 1 and len(table.variant) <= BESIDE
    drawing.title(axes, table.variant, lines=0 if beside else of_legend)
    drawing.legend(axes, [
        {"marker": "o", "markersize": 7, "color": LIGHT["s1"], "label": "recall, 95 % interval"},
        {"marker": "D", "markersize": 6, "markerfacecolor": "none", "color": LIGHT["s2"], "label": "precision"},
    ])  # fmt: skip
    rates = "; ".join(f"{row.name} recall {row.recall} % {row.interval}, precision {row.precision} %" for row in rows)
    return drawing.done(axes, f"Recall and precision by class, {table.variant}: {rates.replace(' ,', ',')}.")


def _annotate(axes: Axes, row: ClassRow, y: float) -> None:
    """Recall and gain as numbers to the right of the axes."""
    cells = [(row.recall, 10, True, "normal")]
    if row.gain is not None:
        clear = row.gain.kind != "open"
        text = row.gain.text if is_narrow() else f"{row.gain.text} {row.gain.interval}".rstrip()
        cells.append((text, 52, clear, "bold" if clear else "normal"))
    for text, x, clear, weight in cells:
        axes.annotate(text, (1.0, y), xycoords=("axes fraction", "data"), xytext=(x, 0), va="center", fontsize=10,
                      textcoords="offset points", color=LIGHT["ink" if clear else "muted"],
                      fontweight=weight)  # fmt: skip
