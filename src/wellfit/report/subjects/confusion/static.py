"""Static drawings of a confusion matrix, and of the difference of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import ConfusionDifference, StudySummary
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT
from wellfit.report.subjects.confusion.numbers import confusion_data

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_confusion", "plot_confusion_difference"]

NUMBERED: Final = 20
"""Classes up to which the cells of a matrix carry numbers."""


def plot_confusion(summary: StudySummary, variant: str, ax: Axes | None = None) -> Figure:
    """The confusion matrix of a variant: percent of every true class, over the test predictions of all its runs.

    Args:
      summary: the study.
      variant: name of one of its variants.
      ax: where to draw; a new figure if None.

    Returns:
      The figure: right answers in blue, mistakes in orange, on a square-root scale so that rare mistakes can be seen.

    Raises:
      UnknownNameError: there is no such variant.
    """
    confusion = confusion_data(summary, variant)
    size = len(summary.classes)
    side = min(12.0, 2.6 + 0.46 * size)
    axes = drawing.own_axes(ax, (side, side))
    drawing.title(axes, variant)
    if confusion is None:
        drawing.style(axes, "", "", grid=None)
        return drawing.done(axes, f"Confusion matrix of {variant}: the test set was not opened yet.")
    pixels = drawing.tinted(np.eye(size, dtype=bool), 0.62 * np.sqrt(confusion.shares))  # (K, K, 4)
    axes.imshow(pixels, interpolation="none")
    if size <= 20:
        for true, predicted in np.argwhere(confusion.counts > 0):
            text = wording.whole_percent(float(confusion.shares[true, predicted]))
            axes.text(predicted, true, text, ha="center", va="center", fontsize=9.5, color=LIGHT["ink"])
    drawing.class_axes(axes, summary.classes)
    right = float(np.trace(confusion.counts) / confusion.counts.sum())
    lowest = int(np.argmin(np.diag(confusion.shares)))
    hardest = f"{summary.classes[lowest]} with {wording.percent(float(confusion.shares[lowest, lowest]))}"
    said = f"{wording.percent(right)} of the test predictions of all runs are right; the hardest class is {hardest}"
    return drawing.done(axes, f"Confusion matrix of {variant}: {said}.")


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
