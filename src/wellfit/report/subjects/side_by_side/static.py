"""The differences between two studies as an interval plot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wellfit.narrative.metrics import is_loss
from wellfit.report import wording
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import LIGHT, series_color, slots_of
from wellfit.report.subjects.side_by_side.numbers import verdict_of
from wellfit.study.side_by_side import SideBySide

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_differences"]


def plot_differences(found: SideBySide, ax: Axes | None = None) -> Figure:
    """Plot every difference, B minus A, with its 95 % interval; the band is the margin of equivalence.

    Args:
      found: at least one comparison.
      ax: draw on these axes instead of a new figure.
    """
    axes = marks.own_axes(ax, (8.6, 1.2 + 0.34 * len(found.comparisons)))
    metric = found.first.compared
    loss = is_loss(metric)
    scale = 1.0 if loss else 100.0
    axes.axvspan(-scale * found.margin, scale * found.margin, color=LIGHT["rule"], alpha=0.6, linewidth=0, zorder=0)
    axes.axvline(0, color=LIGHT["muted"], linewidth=0.9, zorder=0)
    slots = slots_of(found.first)
    heights = range(len(found.comparisons))[::-1]
    for c, y in zip(found.comparisons, heights, strict=True):
        color = series_color(slots[c.variant])
        if c.interval is not None:
            axes.plot([scale * bound for bound in c.interval], [y, y], color=color, linewidth=3.2, alpha=0.55,
                      solid_capstyle="round")  # fmt: skip
        axes.scatter([scale * c.difference], [y], s=46, color=color, zorder=3)
        axes.annotate(verdict_of(found, c), (1.0, y), xycoords=("axes fraction", "data"), xytext=(10, 0),
                      textcoords="offset points", va="center", fontsize=10, color=LIGHT["muted"])  # fmt: skip
    unit = "; lower is better" if loss else ", points"
    marks.style(axes, f"{wording.METRICS[metric]}, B minus A{unit}  (band: margin of equivalence)", "", grid="x")
    names = [marks.plain(marks.shortened(c.variant, 32)) for c in found.comparisons]
    axes.set_yticks(heights, names)
    axes.tick_params(axis="y", labelsize=10.5, labelcolor=LIGHT["ink"], pad=8)
    axes.set_ylim(-0.6, len(found.comparisons) - 0.4)
    sentences = "; ".join(
        f"{c.variant} {' '.join(wording.difference(c.difference, c.interval, metric)).rstrip()}, {verdict_of(found, c)}"
        for c in found.comparisons
    )
    return marks.done(axes, f"Differences in {wording.METRICS[metric]}, B minus A: {sentences}.")
