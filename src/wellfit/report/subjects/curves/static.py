"""The static learning curves.

Solid lines are validation, dashed lines training; a band spans the lowest and the highest seed. Every function draws on
the axes that it gets or on a new figure; none touches pyplot's global state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import StudySummary
from wellfit.report import wording
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import LIGHT, series_color, slots_of
from wellfit.report.marks.column import SHEET, is_narrow
from wellfit.report.numbers import Curve, curve_data, find_variant, last_epoch, scale, shown_first
from wellfit.report.subjects.curves.numbers import SPLITS, best_epochs, epoch_mark, gap_data, value_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_curves", "plot_gap", "plot_learning_curve", "plot_small"]

BESIDE: Final = 16
"""Letters of a title that has room beside the key of one panel."""

SIZE: Final = (8.6, 4.0)
"""Inches of a figure of all variants."""


def plot_learning_curve(
    summary: StudySummary, variant: str, metric: str = "loss", ax: Axes | None = None, *, log: bool = False
) -> Figure:
    """Plot training and validation curve of one variant: mean and range over the seeds.

    Args:
      metric: ``"loss"`` or ``"accuracy"``, both measured in inference mode.
      log: whether the values have a logarithmic axis.

    Returns:
      The figure. Ticks at its foot mark each seed's epoch of lowest validation loss. The dotted line is their median,
      or the median readout epoch if early stopping ended runs.

    Raises:
      UnknownNameError: there is no such variant or metric.
    """
    axes = marks.own_axes(ax, (4.8, 3.1))
    alt = _draw(axes, summary, variant, metric, log)
    marks.title(axes, variant, lines=0 if len(variant) <= BESIDE else 1)
    axes.set_xlabel("epoch  ( | lowest validation loss of a seed )")
    marks.split_legend(axes, series_color(slots_of(summary)[variant]))
    return marks.done(axes, alt)


def plot_curves(
    summary: StudySummary,
    metric: str = "loss",
    ax: Axes | None = None,
    *,
    names: Sequence[str] | None = None,
    log: bool = False,
) -> Figure:
    """Plot the training and validation curves of several variants, in one panel each or all on the same axes.

    Args:
      metric: ``"loss"`` or ``"accuracy"``.
      ax: draw all variants here, labeled where their validation curves end; if None, a new figure of panels.
      names: of the variants that have a panel; all if None.
      log: whether the values have a logarithmic axis.

    Returns:
      The figure; all panels share their axes. The value axis shows what is there once the first third of the epochs is
      over. On ``ax``, of more than six variants the first and the best on validation have colors; the others are gray.

    Raises:
      UnknownNameError: there is no such variant or metric.
    """
    factor, label = scale(metric)
    if ax is None:
        return _panels(summary, metric, [v.name for v in summary.variants] if names is None else names, log)
    training, validation = ([curve_data(summary, v.name, f"{split}_{metric}") for v in summary.variants]
                            for split in SPLITS)  # fmt: skip
    marks.own_axes(ax, SIZE)
    slots, colored = slots_of(summary), shown_first(summary)
    if log:
        marks.log_axis(ax)
    marks.cut(ax, [*training, *validation], factor)
    for index in sorted(colored, reverse=True):
        color = series_color(slots[summary.variants[index].name])
        marks.curve(ax, training[index], factor, color, marks.TRAINING, width=1.1, band=False)
    marks.overlay(ax, summary, validation, factor, label)
    named = [(variant.name, curve) for variant, curve in zip(summary.variants, validation, strict=True)]
    drawn = [(name, curve) for name, curve in named if len(curve.mean)] or named
    sentences = " ".join(_describe(name, curve, metric) for name, curve in drawn)
    whose = "every variant" if len(drawn) == len(named) else f"{len(drawn)} of {len(named)} variants"
    return marks.done(ax, f"Learning curves of {whose}, {metric} by epoch. On the validation split: {sentences}")


def plot_small(
    summary: StudySummary,
    variant: str,
    metric: str = "loss",
    ax: Axes | None = None,
    *,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Plot the curves of one variant in a small panel, without a title and axis labels.

    Args:
      metric: ``"loss"`` or ``"accuracy"``.
      limits: of the value axis, for panels to share; as the curves need if None.

    Raises:
      UnknownNameError: there is no such variant or metric.
    """
    ax = marks.panel(ax, (4.2, 1.75), (0.115, 0.19, 0.865, 0.66))
    alt = _draw(ax, summary, variant, metric, log=False, above=True)
    ax.set_xlabel("")
    ax.set_ylabel("")
    if limits is not None:
        ax.set_ylim(*limits)
    ax.locator_params(axis="y", nbins=4)
    return marks.done(ax, alt)


def plot_gap(summary: StudySummary, ax: Axes | None = None) -> Figure:
    """Plot training minus validation accuracy by epoch, both in inference mode: how overfitting grows."""
    axes = marks.own_axes(ax, SIZE)
    curves = [gap_data(summary, v.name) for v in summary.variants]
    marks.cut(axes, curves, 100.0)
    marks.overlay(axes, summary, curves, 100.0, "gap, points")
    axes.axhline(0.0, color=LIGHT["muted"], linewidth=0.8, zorder=0)
    ends = [(v.name, c.mean) for v, c in zip(summary.variants, curves, strict=True) if len(c.mean)]
    gaps = "; ".join(f"{name} {wording.points(float(mean[-1]))} points" for name, mean in ends) or "no epoch yet"
    return marks.done(axes, f"Training minus validation accuracy by epoch, mean over seeds. At the last epoch: {gaps}.")


def _panels(summary: StudySummary, metric: str, names: Sequence[str], log: bool) -> Figure:
    """Draw one panel per variant; only the outer panels have labels."""
    from matplotlib.figure import Figure

    columns = len(names) if len(names) <= 2 else 2 if len(names) == 4 else 3
    size = 8.6 if columns > 1 else 4.8, 2.5 * -(-len(names) // columns) + 0.5
    if is_narrow():
        columns, size = 1, (SHEET, (1.9 if len(names) <= 4 else 1.45) * len(names) + 0.5)
    lines = -(-len(names) // columns)
    figure = Figure(figsize=size, layout=marks.layout())
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    limits = value_limits(summary, metric, names)
    for place, axes in enumerate(grid.flat):
        if place >= len(names):
            axes.set_visible(False)
            continue
        alt = _draw(axes, summary, names[place], metric, log, above=True)
        marks.title(axes, names[place], lines=0.4)
        lowest, leftmost = place + columns >= len(names), place % columns == 0
        axes.tick_params(labelbottom=lowest, labelleft=leftmost)
        axes.set_xlabel(axes.get_xlabel() if lowest else "")
        labeled = place == (len(names) - 1) // 2 if is_narrow() else leftmost
        axes.set_ylabel(axes.get_ylabel() if labeled else "")
        if not log:
            axes.set_ylim(*limits)
        marks.done(axes, alt)
    marks.split_legend(figure, LIGHT["muted"])
    return figure


def _draw(axes: Axes, summary: StudySummary, variant: str, metric: str, log: bool, above: bool = False) -> str:
    """Draw both curves of a variant and its marks, labeled in or above the panel; returns the alt text."""
    factor, label = scale(metric)
    find_variant(summary, variant)
    color = series_color(slots_of(summary)[variant])
    sentences = []
    for split, name in SPLITS.items():
        curve = curve_data(summary, variant, f"{split}_{metric}")
        marks.curve(axes, curve, factor, color, marks.TRAINING if split == "train" else "solid")
        sentences.append(_describe(name, curve, metric))
    marks.style(axes, "epoch", label)
    marks.epoch_axis(axes, last_epoch(summary))
    if best := best_epochs(summary, variant):
        foot = axes.get_xaxis_transform()
        axes.plot(best, [0.035] * len(best), "|", color=LIGHT["ink"], markersize=9, markeredgewidth=1.1, transform=foot)
    if (mark := epoch_mark(summary, variant)) is not None:
        marks.stop_mark(axes, *mark, above=above)
        sentences.append(f"Median over the seeds: {mark[1]}.")
    if log:
        marks.log_axis(axes)
    return f"Learning curves of {variant}, {metric} by epoch. {' '.join(sentences)}"


def _describe(name: str, curve: Curve, metric: str) -> str:
    if not len(curve.mean):
        return f"{name}: no epoch yet."
    at = int(np.argmax(curve.mean) if metric == "accuracy" else np.argmin(curve.mean))
    ends = (float(curve.mean[at]), float(curve.mean[-1]))
    best, last = (wording.percent(x) if metric == "accuracy" else f"{x:.3f}" for x in ends)
    return f"{name}: best {best} at epoch {curve.epochs[at]}, {last} at epoch {curve.epochs[-1]}."
