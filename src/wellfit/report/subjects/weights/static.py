"""Static figures of the weights: how they grow, how they are spread, what the first layer looks for.

As in `wellfit.report.marks.static`: on the axes that are given or on a figure of its own, with an alt text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import StudySummary, WeightLook
from wellfit.errors import DataError
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT, SERIES, series_color
from wellfit.report.numbers import curve_data

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_filters", "plot_weight_histogram", "plot_weight_norms"]

FLOOR: Final = 1e-4
"""The lowest share of a histogram that is drawn, in percent: one weight in a million."""


def plot_weight_norms(summary: StudySummary, ax: Axes | None = None) -> Figure:
    """The Euclidean norm of all kernels together by epoch: what a penalty holds down.

    Args:
      summary: the study.
      ax: where to draw; a new figure if None.

    Returns:
      The figure: a line a variant, mean over its seeds, named at its end; a band spans the seeds.
    """
    axes = drawing.own_axes(ax, (8.6, 4.0))
    curves = [curve_data(summary, v.name, "weight_norm") for v in summary.variants]
    drawing.overlay(axes, summary, curves, 1.0, "norm of the weights")
    ends = [(v.name, c.mean) for v, c in zip(summary.variants, curves, strict=True) if len(c.mean)]
    said = "; ".join(f"{name} {mean[-1]:.3g}" for name, mean in ends) or "nothing yet"
    return drawing.done(axes, f"Norm of all kernels by epoch, mean over seeds. At the last epoch: {said}.")


def plot_weight_histogram(look: WeightLook, ax: Axes | None = None) -> Figure:
    """How the weights of every layer are spread, on a logarithmic scale so that the few large ones can be seen.

    Args:
      look: the weights of a variant.
      ax: where to draw; a new figure if None.

    Returns:
      The figure: a line a kernel; the legend says which share is exactly zero, or nearer to zero than 0.001.
    """
    axes = drawing.own_axes(ax, (8.6, 3.8))
    percent = np.where(look.histogram > 0, 100 * look.histogram, np.nan)  # (L, B); no logarithm of nothing
    for index, (layer, row) in enumerate(zip(look.layers, percent, strict=True)):
        dash = drawing.DASHES[index // (SERIES - 1) % len(drawing.DASHES)]
        axes.stairs(row, look.edges, baseline=None, color=series_color(1 + index % (SERIES - 1)), linewidth=1.6,
                    linestyle=dash, label=f"{drawing.plain(layer)}: {_zeros(look, index)}")  # fmt: skip
    drawing.log_axis(axes, (1.0,))
    drawing.style(axes, "weight", "percent of the layer's weights, a bin")
    axes.set_ylim(max(FLOOR, 0.7 * float(np.nanmin(percent))), 1.5 * float(np.nanmax(percent)))
    drawing.title(axes, look.variant)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9.5, labelcolor=LIGHT["ink"],
                handlelength=1.6, labelspacing=0.9)  # fmt: skip
    said = "; ".join(f"{layer}: {_zeros(look, index)}" for index, layer in enumerate(look.layers))
    return drawing.done(axes, f"Histogram of the weights of {look.variant}, a line a layer. {said}.")


def plot_filters(look: WeightLook, ax: Axes | None = None) -> Figure:
    """The first kernel's filters as pictures, those of the largest norm first.

    Args:
      look: the weights of a variant that learns from images.
      ax: where to draw; a new figure if None.

    Returns:
      The figure: positive weights blue, negative ones orange, zero the paper; each filter on its own scale.

    Raises:
      DataError: the examples are no images, so there is nothing to see.
    """
    if look.filters is None or not len(look.filters):
        raise DataError(f"{look.variant}: its first weights are no pictures; use plot_weight_histogram")
    count, height, width = look.filters.shape
    columns = min(8, count)
    rows = -(-count // columns)
    axes = drawing.own_axes(ax, (1.02 * columns + 0.2, 1.02 * rows * height / width + 0.6))
    signed = (look.filters.astype(np.float64) - 128) / 127  # (F, H, W)
    pictures = drawing.tinted(signed > 0, np.clip(np.abs(signed), 0, 1))  # (F, H, W, 4)
    step_x, step_y = 1.08, height / width + 0.08
    for place, picture in enumerate(pictures):
        x, y = place % columns * step_x, place // columns * step_y
        axes.imshow(picture, extent=(x, x + 1, y + height / width, y), interpolation="none")
    drawing.picture_axes(axes, columns * step_x - 0.08, rows * step_y - 0.08)
    drawing.title(axes, look.variant)
    said = f"{count} filters of the first layer, {height} by {width} pixels, those of the largest norm first"
    return drawing.done(axes, f"First-layer weights of {look.variant} as pictures: {said}.")


def _zeros(look: WeightLook, index: int) -> str:
    zeros, small = float(look.zeros[index]), float(look.small[index])
    return f"{wording.percent(zeros)} are 0, {wording.percent(small)} below 0.001"
