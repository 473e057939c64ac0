"""Static figures of what happens class by class: recall and precision, and how a variant's confusions differ.

As in `wellfit.report.marks.static`: on the axes that are given or on a figure of its own, with an alt text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import ClassTable, ConfusionDifference
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_confusion_difference", "plot_per_class"]

NUMBERED: Final = 20
"""Classes up to which the cells of a matrix carry numbers."""


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


def plot_confusion_difference(
    difference: ConfusionDifference, classes: Sequence[str], ax: Axes | None = None
) -> Figure:
    """A variant's confusion matrix minus the first variant's, in points of the true class.

    Args:
      difference: of the two variants.
      classes: the name of every class, by label.
      ax: where to draw; a new figure if None.

    Returns:
      The figure: blue where the variant has more right answers or fewer mistakes, orange where it is the reverse;
      strong color and bold numbers where the cell's 95 % interval holds no 0. No cell is said to be better: a verdict
      is given of whole variants.
    """
    size = len(classes)
    side = min(12.0, 2.6 + 0.52 * size)
    axes = drawing.own_axes(ax, (side, side))
    shares = np.nan_to_num(difference.difference)  # (K, K); a class without examples differs by nothing
    sure = (difference.low > 0) | (difference.high < 0)  # (K, K); False where there is no interval
    blue = np.where(np.eye(size, dtype=bool), shares > 0, shares < 0)  # (K, K)
    known = bool(np.isfinite(difference.low).any())
    strength = np.sqrt(np.abs(shares) / max(float(np.abs(shares).max(initial=0)), 1e-12))  # (K, K)
    alpha = np.where(sure, 0.25 + 0.4 * strength, 0.16 * strength)  # (K, K)
    axes.imshow(drawing.tinted(blue, alpha), interpolation="none")
    for true, predicted in np.argwhere(np.abs(shares) >= 0.0005) if size <= NUMBERED else ():
        axes.text(predicted, true, drawing.tenths(float(shares[true, predicted])), ha="center", va="center",
                  fontsize=9, color=LIGHT["ink" if sure[true, predicted] else "muted"],
                  fontweight="bold" if sure[true, predicted] else "normal")  # fmt: skip
    drawing.class_axes(axes, classes)
    drawing.title(axes, f"{difference.variant} − {difference.against}")
    pale = "pale: could be chance" if known else "no intervals"
    drawing.legend(axes, [
        {"marker": "s", "markersize": 9, "color": LIGHT["s1"], "alpha": 0.65, "label": "more right, or fewer mistakes"},
        {"marker": "s", "markersize": 9, "color": LIGHT["s2"], "alpha": 0.65, "label": "the reverse"},
        {"marker": "s", "markersize": 9, "color": LIGHT["s0"], "alpha": 0.2, "label": pale},
    ])  # fmt: skip
    cells = sorted(np.argwhere(sure), key=lambda cell: -abs(float(shares[tuple(cell)])))[:8]
    said = "; ".join(
        f"{classes[t]} {'recognized' if t == p else f'taken for {classes[p]}'} "
        f"{wording.points(float(shares[t, p]), signed=True)} points"
        for t, p in cells
    )
    head = f"Confusion matrix of {difference.variant} minus that of {difference.against}, in points of the true class. "
    nothing = "No cell differs by more than chance" if known else "It has no intervals, so any of it may be chance"
    return drawing.done(axes, f"{head}{said or nothing}.")


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
