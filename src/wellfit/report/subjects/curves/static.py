"""Static figures with matplotlib: for papers, notebooks, print, and the page where no script runs.

Every function draws on the axes it is given, or on a figure of its own; none touches pyplot's global state. Solid lines
are validation, dashed lines training; a band spans the lowest and the highest seed. `alt_text` says in words what a
figure shows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from wellfit.base import StudySummary
from wellfit.errors import UnknownNameError
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT, series_color
from wellfit.report.numbers import (
    Curve,
    IntervalRow,
    curve_data,
    find_variant,
    gap_data,
    interval_data,
    last_epoch,
    median_epochs,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "plot_curves",
    "plot_gap",
    "plot_intervals",
    "plot_learning_curve",
]


def plot_intervals(summary: StudySummary, metric: str = "test_accuracy", ax: Axes | None = None) -> Figure:
    """Every variant's seeds as points, their mean and its 95 % interval, and the published value where there is one.

    Args:
      summary: the study.
      metric: ``"test_accuracy"``, ``"validation_accuracy"`` or ``"train_accuracy"``.
      ax: where to draw; a new figure if None.

    Returns:
      The figure.

    Raises:
      UnknownNameError: it is none of these metrics.
    """
    rows = interval_data(summary, metric)
    axes = drawing.own_axes(ax, (8.6, 0.9 + 0.46 * len(rows)))
    heights = [len(rows) - 1 - row.index for row in rows]
    for row, y in zip(rows, heights, strict=True):
        drawing.interval(axes, row, y)
    label = f"{wording.METRICS[metric]}, percent"
    if rows and rows[0].mean is not None:
        axes.axvline(100 * rows[0].mean, color=LIGHT["muted"], linewidth=0.8, linestyle=(0, (2, 3)), zorder=0)
        label += f"  (dotted: mean of {drawing.plain(rows[0].variant)})"
    drawing.style(axes, label, "", grid="x")
    axes.set_yticks(heights, [drawing.row_name(row.variant) for row in rows])
    axes.tick_params(axis="y", labelsize=11.5, labelcolor=LIGHT["ink"], pad=8)
    axes.set_ylim(-0.6, len(rows) - 0.3)
    axes.margins(x=0.04)
    drawing.interval_legend(axes, rows)
    said = "; ".join(_say_interval(row) for row in rows)
    return drawing.done(
        axes, f"Interval plot of {wording.METRICS[metric]}, mean over seeds with 95 % interval. {said}."
    )


def plot_learning_curve(
    summary: StudySummary, variant: str, metric: str = "loss", ax: Axes | None = None, *, log: bool = False
) -> Figure:
    """Training and validation curve of one variant: mean and range over the seeds, and where each seed was best.

    Args:
      summary: the study.
      variant: name of one of its variants.
      metric: ``"loss"`` or ``"accuracy"``, both measured in inference mode.
      ax: where to draw; a new figure if None.
      log: a logarithmic axis for the values.

    Returns:
      The figure. The ticks at its foot are the epochs of lowest validation loss, one a seed; the dotted line is the
      median epoch at which the runs are read where a rule stopped them, or of lowest validation loss otherwise.

    Raises:
      UnknownNameError: there is no such variant or metric.
    """
    scale, label = _unit(metric)
    index, found = find_variant(summary, variant)
    axes = drawing.own_axes(ax, (4.8, 3.1))
    said = []
    for split, name in (("train", "training"), ("validation", "validation")):
        curve = curve_data(summary, variant, f"{split}_{metric}")
        drawing.curve(axes, curve, scale, series_color(index), drawing.TRAINING if split == "train" else "solid")
        said.append(_say_curve(name, curve, metric))
    drawing.style(axes, "epoch  ( | lowest validation loss of a seed )", label)
    drawing.title(axes, variant)
    drawing.epoch_axis(axes, last_epoch(summary))
    best = [run.best_epoch for run in found.runs if run.best_epoch is not None]
    if best:
        foot = axes.get_xaxis_transform()
        axes.plot(best, [0.035] * len(best), "|", color=LIGHT["ink"], markersize=9, markeredgewidth=1.1, transform=foot)
    stop = _stop(summary, variant)
    if stop is not None:
        drawing.stop_mark(axes, *stop)
        said.append(f"Median over the seeds: {stop[1]}.")
    if log:
        drawing.log_axis(axes)
    drawing.split_legend(axes, series_color(index))
    return drawing.done(axes, f"Learning curves of {variant}, {metric} by epoch. {' '.join(said)}")


def plot_curves(summary: StudySummary, metric: str = "loss", ax: Axes | None = None, *, log: bool = False) -> Figure:
    """The learning curves of every variant, training and validation: one panel each, or all of them in one.

    Args:
      summary: the study.
      metric: ``"loss"`` or ``"accuracy"``.
      ax: draw all variants here, each named where its validation curve ends; if None, a new figure with a panel each.
      log: a logarithmic axis for the values.

    Returns:
      The figure; its own panels share their axes and stand three in a row.

    Raises:
      UnknownNameError: there is no such metric.
    """
    scale, label = _unit(metric)
    if ax is None:
        return _panels(summary, metric, log)
    training, validation = (
        [curve_data(summary, v.name, f"{split}_{metric}") for v in summary.variants]
        for split in ("train", "validation")
    )
    if log:
        drawing.log_axis(ax)
    for index, curve in enumerate(training):
        drawing.curve(ax, curve, scale, series_color(index), drawing.TRAINING, width=1.1)
    drawing.overlay(ax, summary, validation, scale, label)
    named = [(variant.name, curve) for variant, curve in zip(summary.variants, validation, strict=True)]
    drawn = [(name, curve) for name, curve in named if len(curve.mean)] or named
    said = " ".join(_say_curve(name, curve, metric) for name, curve in drawn)
    whose = "every variant" if len(drawn) == len(named) else f"{len(drawn)} of {len(named)} variants"
    return drawing.done(ax, f"Learning curves of {whose}, {metric} by epoch. On the validation split: {said}")


def plot_gap(summary: StudySummary, ax: Axes | None = None) -> Figure:
    """Training minus validation accuracy by epoch, both in inference mode: how over-fitting grows.

    Args:
      summary: the study.
      ax: where to draw; a new figure if None.

    Returns:
      The figure.
    """
    axes = drawing.own_axes(ax, (8.6, 4.0))
    curves = [gap_data(summary, v.name) for v in summary.variants]
    drawing.overlay(axes, summary, curves, 100.0, "gap, points")
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8, zorder=0)
    ends = [(v.name, c.mean) for v, c in zip(summary.variants, curves, strict=True) if len(c.mean)]
    said = "; ".join(f"{name} {wording.points(float(mean[-1]))} points" for name, mean in ends) or "nothing yet"
    return drawing.done(
        axes, f"Training minus validation accuracy by epoch, mean over seeds. At the last epoch: {said}."
    )


# --- Parts ------------------------------------------------------------------------------------------------------------


def _unit(metric: str) -> tuple[float, str]:
    """What the values of a metric are multiplied with, and what the axis is called then."""
    units = {"loss": (1.0, "cross-entropy loss"), "accuracy": (100.0, "accuracy, percent")}
    if metric not in units:
        raise UnknownNameError("metric", metric, units)
    return units[metric]


def _panels(summary: StudySummary, metric: str, log: bool) -> Figure:
    """One panel a variant on shared axes, at most three in a row; only the outer ones carry labels."""
    from matplotlib.figure import Figure

    size = len(summary.variants)
    columns = min(3, max(1, size))
    rows = max(1, math.ceil(size / columns))
    figure = Figure(figsize=(4.4 * columns, 3.1 * rows), layout=drawing.layout())
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= size:
            axes.set_visible(False)
            continue
        plot_learning_curve(summary, summary.variants[place].name, metric, axes, log=log)
        lowest, leftmost = place + columns >= size, place % columns == 0
        axes.tick_params(labelbottom=lowest, labelleft=leftmost)
        axes.set_xlabel(axes.get_xlabel() if lowest else "")
        axes.set_ylabel(axes.get_ylabel() if leftmost else "")
    return figure


def _stop(summary: StudySummary, variant: str) -> tuple[float, str] | None:
    """Where a variant's curves are marked, and the word for it; None before any run has ended."""
    best, read = median_epochs(summary, variant)
    stopped = any(run.state == "stopped" for run in find_variant(summary, variant)[1].runs)
    if stopped and read is not None:
        return read, f"read at epoch {read:g}"
    return None if best is None else (best, f"lowest loss at epoch {best:g}")


def _say_interval(row: IntervalRow) -> str:
    if row.mean is None:
        return f"{row.variant}: no result"
    published = "" if row.published is None else f", published {wording.percent(row.published)}"
    return f"{row.variant} {wording.percent(row.mean)} {wording.interval(row.interval)}".rstrip() + published


def _say_curve(name: str, curve: Curve, metric: str) -> str:
    if not len(curve.mean):
        return f"{name}: no epoch yet."
    at = int(np.argmax(curve.mean) if metric == "accuracy" else np.argmin(curve.mean))
    ends = (float(curve.mean[at]), float(curve.mean[-1]))
    best, last = (wording.percent(x) if metric == "accuracy" else f"{x:.3f}" for x in ends)
    return f"{name}: best {best} at epoch {curve.epochs[at]}, {last} at epoch {curve.epochs[-1]}."
