"""Static figures of a confusion matrix, and of the difference of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import ConfusionDifference, FloatArray, IntArray, StudySummary
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.column import is_narrow
from wellfit.report.subjects.confusion.numbers import confusion_data, contrast

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_confusion", "plot_confusion_difference"]

LABELED: Final = 60
"""Classes up to which the axes have their names."""

NUMBERED: Final = 20
"""Classes up to which the cells of a matrix contain numbers."""


FILLED: Final = 4
"""Classes up to which a cell without any difference has its number too."""


def plot_confusion(
    summary: StudySummary,
    variant: str,
    ax: Axes | None = None,
    *,
    counts: bool = False,
    one: tuple[int, IntArray] | None = None,
) -> Figure:
    """The confusion matrix of a variant on the test set, over the predictions of all its runs, or of one.

    Args:
      counts: whether the cells hold numbers of examples instead of percentages of the true class.
      one: the seed of the only run, and its counts.  # (K, K) [true, predicted]

    Returns:
      The figure: correct predictions in blue and mistakes in orange, on a square-root scale that shows rare mistakes.

    Raises:
      UnknownNameError: there is no such variant.
    """
    confusion = confusion_data(summary, variant, None if one is None else one[1])
    size = len(summary.classes)
    whose = variant if one is None else f"{variant}, seed {one[0]}"
    titled = f"{whose}: counts" if counts else whose
    axes = drawing.own_axes(ax, _inches(summary.classes, titled))
    drawing.title(axes, titled)
    if confusion is None:
        drawing.style(axes, "", "", grid=None)
        return drawing.done(axes, f"Confusion matrix of {variant}: it has not been tested.")
    shares = confusion.shares
    axes.imshow(drawing.tinted(np.eye(size, dtype=bool), 0.62 * np.sqrt(shares)), interpolation="none")
    for true, predicted in np.argwhere(confusion.counts > 0) if size <= NUMBERED else ():
        number = confusion.counts[true, predicted]
        text = f"{number:,}" if counts else wording.whole_percent(float(shares[true, predicted]))
        axes.text(
            predicted,
            true,
            text,
            ha="center",
            va="center",
            fontsize=_letters(axes, size, 8 if counts and confusion.counts.max() > 999 else 9.5, 4),
            color=LIGHT["ink"],
            in_layout=False,  # numbers within cells move nothing, and measuring a hundred takes as long as drawing them
        )
    drawing.class_axes(axes, summary.classes)
    lowest = int(np.argmin(np.diag(shares)))
    hardest = f"{summary.classes[lowest]} with {wording.percent(float(shares[lowest, lowest]))}"
    right = f"{confusion.correct} of the test predictions{' of all runs' if one is None else ''} are correct"
    return drawing.done(axes, f"Confusion matrix of {whose}: {right}; the hardest class is {hardest}.")


def plot_confusion_difference(
    difference: ConfusionDifference, classes: Sequence[str], ax: Axes | None = None
) -> Figure:
    """A variant's confusion matrix minus another's, in percentage points of the true class.

    Args:
      classes: class names, by label.

    Returns:
      The figure: blue where the variant has more correct predictions or fewer mistakes, orange where the reverse holds;
      strong colors and bold numbers where the cell's 95 % interval excludes zero. No cell is called better: verdicts
      are about whole variants.
    """
    cells = contrast(difference)
    titled = f"{difference.variant} − {difference.against}"
    width, height = _inches(classes, titled)
    axes = drawing.own_axes(ax, (width, height + 0.7))
    strength = np.sqrt(np.abs(cells.shares) / max(float(np.abs(cells.shares).max(initial=0)), 1e-12))  # (K, K)
    alpha = np.where(cells.clear, 0.25 + 0.4 * strength, 0.16 * strength)  # (K, K)
    axes.imshow(drawing.tinted(cells.favorable, alpha), interpolation="none")
    least = 0.0 if len(classes) <= FILLED else 0.0005
    for cell in np.argwhere(np.abs(cells.shares) >= least) if len(classes) <= NUMBERED else ():
        true, predicted = (int(k) for k in cell)
        clear = bool(cells.clear[true, predicted])
        text = wording.number(100 * float(cells.shares[true, predicted]), 1, signed=True)
        axes.text(predicted, true, text, ha="center", va="center", fontsize=_letters(axes, len(classes), 9, 5),
                  color=LIGHT["ink" if clear else "muted"], fontweight="bold" if clear else "normal",
                  in_layout=False)  # fmt: skip
    drawing.class_axes(axes, classes)
    labels = {
        "more correct, or fewer mistakes": ("s1", 0.65),
        "the reverse": ("s2", 0.65),
        "pale: could be chance" if cells.intervals else "no intervals": ("s0", 0.2),
    }
    for label, (role, strong) in labels.items():
        axes.scatter([], [], s=80, marker="s", color=LIGHT[role], alpha=strong, linewidth=0, label=label)
    drawing.titled_key(axes, titled, columns=1)
    names = f"{difference.variant} minus that of {difference.against}"
    alt = f"Confusion matrix of {names}, in percentage points of the true class."
    return drawing.done(axes, f"{alt} {_clear_cells(cells.shares, cells.clear, classes, cells.intervals)}.")


def _letters(axes: Axes, size: int, usual: float, most: int) -> float:
    """The size of the numbers in the cells: as small as the cells demand, for so many characters."""
    cell = 0.95 * 72 * min(drawing.inches(axes)) / size  # points
    return min(usual, 75 / size if is_narrow() else cell / (0.62 * most))


def _inches(classes: Sequence[str], title: str) -> tuple[float, float]:
    """Width and height of a square of so many cells, which for two hold the key too, of the names beside it and the
    title above it.
    """
    longest = max(len(line) for label in drawing.class_labels(classes) for line in label.split("\n"))
    names = 0.085 * longest if len(classes) <= LABELED else 0.0
    side = min(10.0, max(2.6, 0.36 * len(classes)))
    width = side + names + 0.75
    return width, side + 0.72 * names + 1.0 + drawing.further_lines(title, width)


def _clear_cells(shares: FloatArray, clear: NDArray[np.bool_], classes: Sequence[str], intervals: bool) -> str:
    """The eight largest clear differences, or why there is none."""
    if not intervals:
        return "Without intervals, any difference could be chance"
    cells = sorted(map(tuple, np.argwhere(clear).tolist()), key=lambda cell: -abs(float(shares[cell])))[:8]
    differences = (
        f"{classes[t]} {'correct' if t == p else f'classified as {classes[p]}'} "
        f"{wording.points(float(shares[t, p]), signed=True)} points"
        for t, p in cells
    )
    return "; ".join(differences) or "No cell differs by more than chance"
