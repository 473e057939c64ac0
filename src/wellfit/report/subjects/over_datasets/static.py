"""Mean ranks over several data sets: a critical-difference diagram that counts examples and seeds too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.analysis.over_datasets import OverDatasets, joined
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import LIGHT, series_color, slots
from wellfit.report.marks.column import is_narrow, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from wellfit.base import FloatArray

__all__ = ["plot_ranks"]

_KEY: Final = (
    "thick lines: possible on these data sets; thin lines: on others like them\n"
    "solid bars: not separated on these data sets; dashed bars: on others like them"
)


def plot_ranks(found: OverDatasets, ax: Axes | None = None) -> Figure:
    """Plot the mean rank of every variant, what is possible of it, and bars that join what is not separated.

    The thick line of a variant has the mean ranks on these data sets that no verdict excludes, for new seeds and new
    examples. The thin line is the interval for other data sets like these. Below, solid bars join variants that no
    verdict on the average over these data sets separates, dashed bars those that no signed-rank test over the data sets
    separates.

    Args:
      found: of two variants or more.
      ax: draw on these axes instead of a new figure.
    """
    V = len(found.variants)
    rank = {name: float(r) for name, r in zip(found.variants, found.mean_ranks, strict=True)}
    here, elsewhere = _bars(found)
    below = len(here) + len(elsewhere)
    axes = marks.own_axes(ax, (8.6, 1.5 + 0.36 * V + 0.22 * below))
    slot = slots(found.variants)
    for y, name in zip(range(V)[::-1], found.variants, strict=True):
        color = series_color(slot[name])
        axes.plot(found.bounds[name], [y, y], color=color, linewidth=7, alpha=0.35, solid_capstyle="butt")
        axes.plot(found.intervals[name], [y, y], color=color, linewidth=1.4, marker="|", markersize=8)
        axes.scatter([rank[name]], [y], s=46, color=color, zorder=3)
    height = -0.9
    for runs, dashes in ((here, "-"), (elsewhere, (0, (2.5, 1.5)))):
        for first, last in runs:
            ends = [rank[found.variants[place]] for place in (first, last)]
            axes.plot([ends[0] - 0.03, ends[1] + 0.03], [height, height], color=LIGHT["ink"], linewidth=3,
                      linestyle=dashes, solid_capstyle="butt")  # fmt: skip
            height -= 0.5
    label = f"mean rank over {len(found.datasets)} data sets, 1 is the best"
    marks.style(axes, label, "", grid="x")
    names = [marks.plain(marks.shortened(name, 32)) for name in found.variants]
    axes.set_yticks(range(V)[::-1], names)
    axes.tick_params(axis="y", labelsize=10.5, labelcolor=LIGHT["ink"], pad=8)
    axes.set_xticks(range(1, V + 1) if V <= 12 else np.unique(np.linspace(1, V, 10).round()))
    axes.set_xlim(0.9, V + 0.1)
    axes.set_ylim(height + 0.2, V - 0.5)
    key = wrapped(_KEY, 44) if is_narrow() else marks.filled(axes, _KEY, 9.5)
    axes.set_title(key, fontsize=9.5, color=LIGHT["muted"], loc="left")
    return marks.done(axes, _alt(found))


def _bars(found: OverDatasets) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
    """The bars of both kinds."""
    place = {name: at for at, name in enumerate(found.variants)}
    here, elsewhere = np.zeros((2, len(place), len(place)), bool)
    for c in found.averages:
        _separate(here, place[c.variant], place[c.against], c.verdict in ("better", "worse"))
    for (a, b), p in found.p_values.items():
        _separate(elsewhere, place[a], place[b], p < 0.05)
    return joined(here), joined(elsewhere)


def _separate(matrix: FloatArray, i: int, j: int, apart: bool) -> None:
    matrix[i, j] = matrix[j, i] = apart


def _alt(found: OverDatasets) -> str:
    of = "; ".join(
        f"{name} {rank:.2f}, on these {bounds[0]:.2f} to {bounds[1]:.2f}, on others {low:.2f} to {high:.2f}"
        for name, rank in zip(found.variants, found.mean_ranks, strict=True)
        for bounds, (low, high) in [(found.bounds[name], found.intervals[name])]
    )
    return f"Mean ranks over {', '.join(found.datasets)}: {of}."
