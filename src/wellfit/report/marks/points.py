"""Examples with two features as points: colors and markers of the classes, axes, a legend beside the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from wellfit.base import FloatArray, IntArray
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import LIGHT, SERIES, series_color
from wellfit.report.marks.column import is_narrow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SIZE", "class_color", "name_axes", "scatter", "titled_beside"]

SIZE: Final = (6.9, 4.3)
"""Inches: half a page's width, and a legend beside it."""

NAME: Final = 40
"""Characters of a feature's name along an axis."""

MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
"""One per class, so that points can be distinguished without color."""


def class_color(k: int) -> str:
    """A class's color: any but the gray of the first variant."""
    return series_color(1 + k % (SERIES - 1))


def scatter(
    axes: Axes, points: FloatArray, labels: IntArray, classes: Sequence[str], *, alpha: float = 0.9, size: float = 13
) -> None:
    """Draw examples in the colors of their classes.

    Args:
      points: finite numbers.  # (N, 2)
      labels: their classes, integers from 0.  # (N,)
      classes: the name of every class that is drawn, by label.
      size: of a point, in square points.
    """
    for k, name in enumerate(classes):
        mine = points[labels == k]  # (n, 2)
        axes.scatter(mine[:, 0], mine[:, 1], s=size, marker=MARKERS[k % len(MARKERS)], color=class_color(k),
                     linewidths=0.4, edgecolors=LIGHT["paper"], alpha=alpha, label=marks.plain(name),
                     zorder=3)  # fmt: skip


def name_axes(axes: Axes, names: tuple[str, str]) -> None:
    """Name the axes after the two features."""
    x1, x2 = (marks.plain(marks.shortened(name, NAME)) for name in names)
    marks.style(axes, x1, x2, grid=None)
    axes.spines["bottom"].set_visible(False)


def titled_beside(axes: Axes, title: str) -> None:
    """Set a title, and beside the picture a legend of everything that has a label; in one column, above it."""
    if is_narrow() or not axes.get_legend_handles_labels()[1]:
        marks.titled_key(axes, title, columns=2)
        return
    marks.title(axes, title)
    axes.legend(loc="upper left", frameon=False, fontsize=9.5, labelcolor=LIGHT["muted"], handletextpad=0.4,
                borderaxespad=0.2, bbox_to_anchor=(1.01, 1.0))  # fmt: skip
