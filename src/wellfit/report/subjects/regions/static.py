"""The static figures of data with two features: decision regions, and where the seeds disagree.

Areas are paths, not pixels, so that they follow the page's colors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import FloatArray, Regions
from wellfit.report import wording
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import LIGHT, SERIES, series_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_disagreement", "plot_regions"]

STEPS: Final = (0.5, 0.7, 0.9, 0.99)
"""Probabilities at which a region becomes one shade darker."""

SHADE: Final = 0.13
SIZE: Final = (5.3, 4.7)
"""Inches: half a page's width."""

NAME: Final = 40
"""Characters of a feature's name along an axis."""

MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")
"""One per class, so that points can be distinguished without color."""


def plot_regions(regions: Regions, classes: Sequence[str], ax: Axes | None = None) -> Figure:
    """Plot which class a variant predicts where, by the mean probability over its seeds.

    Args:
      classes: the name of every class, by label.

    Returns:
      The figure: each region in its class's color, darker where the mean probability exceeds 0.5, 0.7, 0.9 and 0.99; a
      line where the most probable class changes; the training examples; dashed, the true curves if they are known.
    """
    axes = marks.own_axes(ax, SIZE)
    for k in range(len(classes)):
        for step in STEPS:
            inside = regions.probability[..., k]  # (G, G)
            if inside.max() > step:
                axes.contourf(regions.x1, regions.x2, inside, levels=[step, 2.0], colors=[_color(k)], alpha=SHADE,
                              antialiased=True)  # fmt: skip
    _boundaries(axes, regions)
    _points(axes, regions, classes)
    winner = regions.probability.argmax(axis=-1)  # (G, G)
    shares = [f"{name} in {wording.percent(float((winner == k).mean()))}" for k, name in enumerate(classes)]
    alt = f"{', '.join(shares)} of the area shown, with {len(regions.labels)} training examples"
    return marks.done(axes, f"Decision regions of {regions.variant}, mean over the seeds: {alt}.")


def plot_disagreement(
    regions: Regions, classes: Sequence[str], ax: Axes | None = None, *, points: bool = True
) -> Figure:
    """Plot where the seeds of a variant predict different classes: the variance of training, made visible.

    Args:
      classes: the name of every class, by label.
      points: whether to draw the training examples.

    Returns:
      The figure: orange where some seeds predict another class than most, darker the more there are; the line is where
      the class with the highest mean probability changes.
    """
    axes = marks.own_axes(ax, SIZE)
    most = float(regions.disagreement.max())
    levels = np.linspace(0, most, 6)[:-1] + 1e-9 if most > 0 else np.array([])  # each adds one shade
    for level in levels:
        axes.contourf(regions.x1, regions.x2, regions.disagreement, levels=[level, 2.0], colors=[LIGHT["s2"]],
                      alpha=SHADE)  # fmt: skip
    _boundaries(axes, regions)
    _points(axes, regions, classes if points else (), faint=True)
    divided = float((regions.disagreement > 0).mean())
    text = f"seeds disagree in {wording.percent(divided)} of the area"
    axes.annotate(text, (0.0, 0.0), xycoords="axes fraction", xytext=(0, -38), textcoords="offset points", va="top",
                  fontsize=10, color=LIGHT["muted"])  # fmt: skip
    alt = f"the {text} shown, at most {wording.percent(most)} of them against the others"
    return marks.done(axes, f"Disagreement of the seeds of {regions.variant}: {alt}.")


# --- Parts ------------------------------------------------------------------------------------------------------------


def _color(k: int) -> str:
    """A class's color: any but the gray of the first variant."""
    return series_color(1 + k % (SERIES - 1))


def _boundaries(axes: Axes, regions: Regions) -> None:
    """A line where the most probable class changes."""
    for k in range(regions.probability.shape[-1] - 1):
        margin = _margin(regions.probability, k)
        if margin.min() < 0 < margin.max():
            axes.contour(regions.x1, regions.x2, margin, levels=[0.0], colors=[LIGHT["ink"]], linewidths=1.2)


def _margin(probability: FloatArray, k: int) -> FloatArray:
    """How much more probable class k is than the most probable other class."""
    others = np.delete(probability, k, axis=-1).max(axis=-1)  # (G, G)
    return np.asarray(probability[..., k] - others)


def _points(axes: Axes, regions: Regions, classes: Sequence[str], *, faint: bool = False) -> None:
    """Draw the training examples by class, the true curves, and a legend."""
    for k, name in enumerate(classes):
        mine = regions.points[regions.labels == k]  # (n, 2)
        axes.scatter(mine[:, 0], mine[:, 1], s=13, marker=MARKERS[k % len(MARKERS)], color=_color(k), linewidths=0,
                     alpha=0.35 if faint else 0.9, label=marks.plain(name), zorder=3)  # fmt: skip
    for name, curve in regions.curves.items():
        axes.plot(regions.x1, curve, color=LIGHT["muted"], linewidth=1.3, linestyle=(0, (4, 2)), zorder=2,
                  label=f"{marks.plain(name)}, true")  # fmt: skip
    x1, x2 = (marks.plain(marks.shortened(name, NAME)) for name in regions.axes)
    marks.style(axes, x1, x2, grid=None)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlim(float(regions.x1[0]), float(regions.x1[-1]))
    axes.set_ylim(float(regions.x2[0]), float(regions.x2[-1]))
    marks.titled_key(axes, regions.variant, columns=2)
