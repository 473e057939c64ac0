"""The static figures of data with two features: decision regions, and where the seeds disagree.

Areas are paths, not pixels, so that they follow the page's colors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import FloatArray, Regions
from wellfit.report import wording
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.column import SHEET, is_narrow
from wellfit.report.marks.points import SIZE, class_color, name_axes, scatter, titled_beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_disagreement", "plot_region_panels", "plot_regions"]

STEPS: Final = (0.5, 0.7, 0.9, 0.99)
"""Probabilities at which a region becomes one shade darker."""

SHADE: Final = 0.13
NARROW: Final = (5.3, 4.7)
"""Inches: half a page's width, with the legend above."""

PANEL: Final = (2.7, 2.35)
"""Inches of one of several panels."""

CURVES: Final = ((0, (4, 2)), (0, (1, 1.2)), (0, (4, 1.5, 1, 1.5)))
"""Dashes of the true curves."""

WIDTH: Final = 1.2
"""Points of the boundaries and of the true curves."""


def plot_regions(regions: Regions, classes: Sequence[str], ax: Axes | None = None, *, beside: bool = True) -> Figure:
    """Plot which class a variant predicts where, by the mean probability over its seeds.

    Args:
      classes: the name of every class, by label.
      beside: whether the legend is beside the picture; otherwise it is above, which is narrower.

    Returns:
      The figure: each region in its class's color, darker where the mean probability exceeds 0.5, 0.7, 0.9 and 0.99; a
      line where the most probable class changes; the training examples; dashed, the true curves if they are known.
    """
    axes = marks.own_axes(ax, SIZE if beside else NARROW)
    _regions(axes, regions)
    _points(axes, regions, classes, beside=beside)
    return marks.done(axes, f"Decision regions of {_whose(regions)}: {_describe(regions, classes)}.")


def plot_region_panels(regions: Mapping[str, Regions], classes: Sequence[str]) -> Figure:
    """Plot the decision regions of several variants side by side, with the same axes.

    Args:
      regions: by variant, at least one.
      classes: the name of every class, by label.
    """
    from matplotlib.figure import Figure

    columns = 1 if is_narrow() else min(3, len(regions))
    lines = -(-len(regions) // columns)
    wide = SHEET if is_narrow() else columns * PANEL[0] + 0.4
    titles = max(-(-len(name) // 18) for name in regions) - 1  # lines beyond the first
    figure = Figure(figsize=(wide, lines * (PANEL[1] + 0.2 * titles) + 0.9), layout=marks.layout())
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for place, (axes, of) in enumerate(zip(grid.flat, regions.values(), strict=False)):
        _regions(axes, of)
        _points(axes, of, classes, small=True)
        below, left = place + columns >= len(regions), place % columns == 0
        axes.set_xlabel(axes.get_xlabel() if below else "")
        axes.set_ylabel(axes.get_ylabel() if left else "")
        axes.tick_params(labelbottom=below, labelleft=left)
        marks.done(axes, f"Decision regions of {_whose(of)}: {_describe(of, classes)}.")
    for axes in grid.flat[len(regions) :]:
        axes.set_visible(False)
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=1 if is_narrow() else 2, frameon=False,
                  fontsize=9.5, labelcolor=LIGHT["muted"])  # fmt: skip
    return figure


def plot_disagreement(
    regions: Regions,
    classes: Sequence[str],
    ax: Axes | None = None,
    *,
    points: bool = True,
    beside: bool = True,
) -> Figure:
    """Plot where the seeds of a variant predict different classes: the variance of training, made visible.

    Args:
      classes: the name of every class, by label.
      points: whether to draw the training examples.
      beside: whether the legend is beside the picture; otherwise it is above.

    Returns:
      The figure: orange where some seeds predict another class than most, darker the more there are; the line is where
      the class with the highest mean probability changes.
    """
    axes = marks.own_axes(ax, SIZE if beside else NARROW)
    most = float(regions.disagreement.max())
    levels = np.linspace(0, most, 6)[:-1] + 1e-9 if most > 0 else np.array([])  # each adds one shade
    for level in levels:
        axes.contourf(regions.x1, regions.x2, regions.disagreement, levels=[level, 2.0], colors=[LIGHT["s2"]],
                      alpha=SHADE)  # fmt: skip
    _boundaries(axes, regions)
    _points(axes, regions, classes if points else (), faint=True, beside=beside)
    divided = float((regions.disagreement > 0).mean())
    text = f"seeds disagree in {wording.percent(divided)} of the area"
    axes.annotate(text, (0.0, 0.0), xycoords="axes fraction", xytext=(0, -38), textcoords="offset points", va="top",
                  fontsize=10, color=LIGHT["muted"])  # fmt: skip
    alt = f"the {text} shown, at most {wording.percent(most)} of them against the others"
    return marks.done(axes, f"Disagreement of the seeds of {regions.variant}: {alt}.")


# --- Parts ------------------------------------------------------------------------------------------------------------


def _whose(regions: Regions) -> str:
    return f"{regions.variant}, {'mean over the seeds' if regions.seed is None else f'seed {regions.seed}'}"


def _describe(regions: Regions, classes: Sequence[str]) -> str:
    winner = regions.probability.argmax(axis=-1)  # (G, G)
    shares = [f"{name} in {wording.percent(float((winner == k).mean()))}" for k, name in enumerate(classes)]
    return f"{', '.join(shares)} of the area shown, with {len(regions.labels)} training examples"


def _regions(axes: Axes, regions: Regions) -> None:
    """Shade the classes, and draw the boundaries."""
    for k in range(regions.probability.shape[-1]):
        for step in STEPS:
            inside = regions.probability[..., k]  # (G, G)
            if inside.max() > step:
                axes.contourf(regions.x1, regions.x2, inside, levels=[step, 2.0], colors=[class_color(k)], alpha=SHADE,
                              antialiased=True)  # fmt: skip
    _boundaries(axes, regions)


def _boundaries(axes: Axes, regions: Regions) -> None:
    """A line where the most probable class changes."""
    for k in range(regions.probability.shape[-1] - 1):
        margin = _margin(regions.probability, k)
        if margin.min() < 0 < margin.max():
            axes.contour(regions.x1, regions.x2, margin, levels=[0.0], colors=[LIGHT["ink"]], linewidths=WIDTH)


def _margin(probability: FloatArray, k: int) -> FloatArray:
    """How much more probable class k is than the most probable other class."""
    others = np.delete(probability, k, axis=-1).max(axis=-1)  # (G, G)
    return np.asarray(probability[..., k] - others)


def _points(
    axes: Axes,
    regions: Regions,
    classes: Sequence[str],
    *,
    faint: bool = False,
    small: bool = False,
    beside: bool = True,
) -> None:
    """Draw the training examples by class, the true curves, and a legend, which small panels share."""
    alpha, size = 0.35 if faint else 0.9, 5 if small else 13
    scatter(axes, regions.points, regions.labels, classes, alpha=alpha, size=size)
    for number, (name, curve) in enumerate(regions.curves.items()):
        axes.plot(regions.x1, curve, color=LIGHT["ink"], linewidth=WIDTH, linestyle=CURVES[number % len(CURVES)],
                  zorder=4, label=f"true curve: {marks.plain(name)}")  # fmt: skip
    name_axes(axes, regions.axes)
    axes.set_xlim(float(regions.x1[0]), float(regions.x1[-1]))
    axes.set_ylim(float(regions.x2[0]), float(regions.x2[-1]))
    title = regions.variant if regions.seed is None else f"{regions.variant}, seed {regions.seed}"
    if small:
        marks.title(axes, title)
    elif beside:
        titled_beside(axes, title)
    else:
        marks.titled_key(axes, title, columns=2)
