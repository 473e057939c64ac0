"""Static figures of what happens class by class: recall and precision, and how a variant's confusions differ.

As in `wellfit.report.marks.static`: on the axes that are given or on a figure of its own, with an alt text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from wellfit.base import ClassTable
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_per_class"]


def plot_per_class(table: ClassTable, classes: Sequence[str], ax: Axes | None = None) -> Figure:
    """Recall and precision of every class: recall with its 95 % interval, and what it gained on the first variant.

    Args:
      table: the scores of a variant.
      classes: the name of every class, by label.
      ax: where to draw; a new figure if None.

    Returns:
      The figure, a row a class in their order; at the right recall in percent and, where there is one, the gain in
      points, bold where its interval holds no 0.
    """
    size = len(classes)
    axes = drawing.own_axes(ax, (8.6, 1.3 + 0.34 * size))
    heights = np.arange(size)[::-1]  # (K,)
    for k, y in enumerate(heights):
        bounds = 100 * float(table.recall_low[k]), 100 * float(table.recall_high[k])
        if np.isfinite(bounds).all():
            axes.plot(bounds, [y, y], color=LIGHT["s1"], linewidth=3.2, alpha=0.55, solid_capstyle="round")
    axes.scatter(100 * table.recall, heights, s=48, color=LIGHT["s1"], zorder=3)
    axes.scatter(100 * table.precision, heights, s=40, marker="D", facecolor="none", edgecolor=LIGHT["s2"],
                 linewidth=1.4, zorder=4)  # fmt: skip
    drawing.style(axes, "percent", "", grid="x")
    if size <= 60:
        axes.set_yticks(heights, [drawing.plain(name) for name in classes], color=LIGHT["ink"])
    axes.set_ylim(-0.7, size - 0.3)
    axes.margins(x=0.04)
    for k, y in enumerate(heights) if size <= 60 else ():
        gain, sure = _gain(table, k)
        for text, x, role, weight in (
            (wording.percent(float(table.recall[k]), unit=""), 10, "ink", "normal"),
            (gain, 52, "ink" if sure else "muted", "bold" if sure else "normal"),
        ):
            axes.annotate(text, (1.0, y), xycoords=("axes fraction", "data"), xytext=(x, 0), va="center", fontsize=10,
                          textcoords="offset points", color=LIGHT[role], fontweight=weight)  # fmt: skip
    drawing.title(axes, table.variant)
    drawing.legend(axes, [
        {"marker": "o", "markersize": 7, "color": LIGHT["s1"], "label": "recall, 95 % interval"},
        {"marker": "D", "markersize": 6, "markerfacecolor": "none", "color": LIGHT["s2"], "label": "precision"},
    ])  # fmt: skip
    said = "; ".join(f"{name} {_say_class(table, k)}" for k, name in enumerate(classes))
    return drawing.done(axes, f"Recall and precision of every class, {table.variant}: {said}.")


# --- Parts ------------------------------------------------------------------------------------------------------------


def _gain(table: ClassTable, k: int) -> tuple[str, bool]:
    """A class's gain in recall as text, and whether its interval holds no 0."""
    if table.gain is None or table.gain_low is None or table.gain_high is None:
        return "", False
    low, high = float(table.gain_low[k]), float(table.gain_high[k])
    text = drawing.tenths(float(table.gain[k]))
    bounds = wording.interval((low, high), digits=1, signed=True)
    return f"{text} {bounds}".rstrip(), low > 0 or high < 0


def _say_class(table: ClassTable, k: int) -> str:
    bounds = wording.interval((float(table.recall_low[k]), float(table.recall_high[k])))
    said = f"recall {wording.percent(float(table.recall[k]))} {bounds}".rstrip()
    return f"{said}, precision {wording.percent(float(table.precision[k]))}"
