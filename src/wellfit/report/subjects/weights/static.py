"""The static figures of the weights: norm by epoch, distribution at the end and by epoch, the first layer's filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import StudySummary, WeightOverview
from wellfit.errors import DataError, UnknownNameError
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import LIGHT, SERIES, series_color
from wellfit.report.numbers import curve_data
from wellfit.report.subjects.weights.numbers import Ridge, ridge, zeros_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_filters", "plot_weight_histogram", "plot_weight_norms", "plot_weight_ridge"]

FLOOR: Final = 1e-4
"""The lowest share of a histogram that is drawn, in percent: one weight in a million."""

OVERLAP: Final = 1.9
"""The height of a ridge; its neighbors are 1 apart."""

LAYERS: Final = 4
"""Up to this many layers, each has its own line in the legend."""


def plot_weight_norms(summary: StudySummary, ax: Axes | None = None) -> Figure:
    """Plot the Euclidean norm of all kernels together by epoch, which a penalty limits.

    Returns:
      The figure: one line per variant, the mean over its seeds; a band spans the seeds.
    """
    axes = marks.own_axes(ax, (8.6, 4.0))
    curves = [curve_data(summary, v.name, "weight_norm") for v in summary.variants]
    marks.overlay(axes, summary, curves, 1.0, "norm of the weights")
    ends = [(v.name, c.mean) for v, c in zip(summary.variants, curves, strict=True) if len(c.mean)]
    norms = "; ".join(f"{name} {mean[-1]:.3g}" for name, mean in ends) or "no epoch yet"
    return marks.done(axes, f"Norm of all kernels by epoch, mean over seeds. At the last epoch: {norms}.")


def plot_weight_histogram(overview: WeightOverview, ax: Axes | None = None) -> Figure:
    """Plot the distribution of every layer's weights, on a logarithmic scale so that a few large ones are visible.

    Returns:
      The figure: one line per kernel; the legend gives the share below 0.001 and the share that is exactly zero.
    """
    columns = 1 if len(overview.layers) <= LAYERS else 2
    axes = marks.own_axes(ax, (5.3 * columns, 3.9))
    percent = np.where(overview.histogram > 0, 100 * overview.histogram, np.nan)  # (L, B); zero has no logarithm
    for index, (layer, row) in enumerate(zip(overview.layers, percent, strict=True)):
        dash = marks.DASHES[index // (SERIES - 1) % len(marks.DASHES)]
        axes.stairs(row, overview.edges, baseline=None, color=series_color(1 + index % (SERIES - 1)), linewidth=1.6,
                    linestyle=dash, label=f"{marks.plain(layer)}: {zeros_text(overview, index)}")  # fmt: skip
    marks.log_axis(axes, (1.0,))
    marks.style(axes, "weight", "percent of the layer's weights per bin")
    axes.set_ylim(max(FLOOR, 0.7 * float(np.nanmin(percent))), 1.5 * float(np.nanmax(percent)))
    marks.titled_key(axes, overview.variant, columns)
    shares = "; ".join(f"{layer}: {zeros_text(overview, index)}" for index, layer in enumerate(overview.layers))
    return marks.done(axes, f"Histogram of the weights of {overview.variant}, one line per layer. {shares}.")


def plot_weight_ridge(
    overview: WeightOverview, layer: str | None = None, ax: Axes | None = None, *, small: bool = False, slot: int = 1
) -> Figure:
    """Plot how the weights of one layer are distributed after each of some epochs, the first at the top.

    Args:
      overview: the weights of a variant.
      layer: such as ``"dense_1"``, or an array such as ``"dense_1/bias"``; by default the first kernel.
      ax: draw on these axes instead of a new figure.
      small: as a panel without a title.
      slot: of the variant's color, from ``wellfit.report.marks.colors.slots``.

    Returns:
      The figure: one ridge per epoch, of the lowest seed. Weights below 0.001 can be so many that their peak is cut.

    Raises:
      DataError: the study has no histograms by epoch.
      UnknownNameError: there is no such layer.
    """
    if (history := overview.history) is None:
        raise DataError(f"{overview.variant}: an earlier version, which kept no histograms by epoch, trained it")
    name = layer or history.layers[0]
    name = name if name in history.layers else f"{name}/kernel"
    if name not in history.layers:
        raise UnknownNameError("layer", str(layer), history.layers)
    data = ridge(history, name, *((7, 31) if small else ()))
    axes = marks.panel(ax, (2.9, 2.7), (0.21, 0.19, 0.755, 0.775)) if small else marks.own_axes(ax, (5.3, 4.6))
    _draw_ridge(axes, data, series_color(slot))
    marks.style(axes, "weight", "epoch", grid=None)
    if not small:
        marks.title(axes, f"{overview.variant}: {name}")
    low, high = ("90 % of them from {:.2g} to {:.2g}".format(*bounds) for bounds in data.inside)
    alt = f"after epoch {data.epochs[0]} {low}, after epoch {data.epochs[-1]} {high}, to a bin"
    return marks.done(
        axes, f"Distribution of the weights {name} of {overview.variant}, seed {data.seed}, by epoch: {alt}."
    )


def _draw_ridge(axes: Axes, data: Ridge, color: str) -> None:
    """Draw the ridges from the first at the top to the last at the bottom, each in front of those above it."""
    from matplotlib.collections import PolyCollection

    count = len(data.epochs)
    outlines, fills, edges = [], [], []
    for place, heights in enumerate(data.heights):
        base = count - 1 - place
        top, strength = base + OVERLAP * heights, 0.35 + 0.45 * place / max(count - 1, 1)
        outline = np.stack([np.pad(data.places, 1, "edge"), np.pad(top, 1, constant_values=base)], axis=1)  # (P + 2, 2)
        outlines += [outline, outline]
        fills += [LIGHT["paper"], (color, strength)]  # the paper hides those behind it
        edges += ["none", LIGHT["paper"]]
    axes.add_collection(PolyCollection(outlines, facecolors=fills, edgecolors=edges, linewidths=0.8, clip_on=False,
                                       zorder=2), autolim=False)  # fmt: skip
    axes.set_xlim(data.places[0], data.places[-1])
    axes.set_ylim(-0.15, count - 1 + OVERLAP * max(1.0, float(data.heights[0].max())) + 0.1)
    shown = sorted({0, count // 3, 2 * count // 3, count - 1})
    axes.set_yticks([count - 1 - at for at in shown], [str(data.epochs[at]) for at in shown])


def plot_filters(overview: WeightOverview, ax: Axes | None = None) -> Figure:
    """Plot the first kernel's filters as pictures, largest norm first.

    Args:
      overview: the weights of a variant that learns from images.

    Returns:
      The figure: positive weights blue, negative ones orange, zero white; each filter on its own scale.

    Raises:
      DataError: the examples are not images.
    """
    if overview.filters is None or not len(overview.filters):
        raise DataError(f"{overview.variant}: its first-layer weights are not images; use plot_weight_histogram")
    count, height, width = overview.filters.shape
    columns = min(8, count)
    rows = -(-count // columns)
    axes = marks.own_axes(ax, (5.3, 0.63 * rows * height / width + 0.6))
    signed = (overview.filters.astype(np.float64) - 128) / 127  # (F, H, W)
    pictures = marks.tinted(signed > 0, np.clip(np.abs(signed), 0, 1))  # (F, H, W, 4)
    step_x, step_y = 1.08, height / width + 0.08
    for place, picture in enumerate(pictures):
        x, y = place % columns * step_x, place // columns * step_y
        axes.imshow(picture, extent=(x, x + 1, y + height / width, y), interpolation="none")
    marks.picture_axes(axes, columns * step_x - 0.08, rows * step_y - 0.08)
    marks.title(axes, overview.variant)
    alt = f"{count} filters of the first layer, {height} by {width} pixels, largest norm first"
    return marks.done(axes, f"First-layer weights of {overview.variant} as images: {alt}.")
