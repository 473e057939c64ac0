"""The static figures of sweeps: metrics along a path, zero weights along it, and a grid as a heat map."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wellfit.base import SweepGrid, SweepPath
from wellfit.errors import UnknownNameError
from wellfit.narrative.options import setting_text
from wellfit.narrative.sweeps import describe_grid
from wellfit.report import wording
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.column import SHEET, is_narrow, wrapped
from wellfit.report.numbers import scale
from wellfit.report.subjects.paths.numbers import (
    STROKES,
    has_zeros,
    path_marks,
    path_reference,
    path_sentences,
    value_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_grid", "plot_path", "plot_zeros"]


def plot_path(path: SweepPath, metric: str = "accuracy", ax: Axes | None = None) -> Figure:
    """Plot training, validation and test metric along a sweep, with 95 % intervals as bands.

    Args:
      path: from ``wellfit.analysis.paths.sweep_paths``.
      metric: ``"accuracy"`` or ``"loss"``.
      ax: where to draw; if None, a new figure, with a second panel for the share of zero weights if there are any.

    Returns:
      The figure. A filled circle marks the value chosen on validation, an open one the one-standard-error choice. The
      dotted line is the validation metric of the variant outside the sweep.

    Raises:
      UnknownNameError: there is no such metric.
    """
    factor, label = scale(metric)
    if ax is None and has_zeros(path):
        return _with_zeros(path, metric)
    axes = marks.own_axes(ax, (8.6, 4.0))
    ends: list[tuple[str, float, str]] = []
    for split in ("train", "validation", "test"):
        if (end := _line(axes, path, split, metric, factor)) is not None:
            ends += [(STROKES[split].label, end, LIGHT[STROKES[split].role])]
    marks.style(axes, _x_label(path), label)
    _value_axis(axes, path)
    if (reference := path_reference(path, metric)) is not None:
        axes.axhline(factor * reference, **_stroke("reference"), linewidth=1.1, zorder=0)
        name = f"{path.baseline}" if is_narrow() else f"{path.baseline}, {STROKES['reference'].label}"
        ends.append((name, factor * reference, LIGHT["muted"]))
    _choices(axes, path, metric, factor)
    marks.end_labels(axes, ends)
    sentences = " ".join(path_sentences(path)) or "No result yet."
    return marks.done(axes, f"Path of {metric} along {path.key}, mean over seeds with 95 % interval. {sentences}")


def plot_zeros(path: SweepPath, ax: Axes | None = None) -> Figure:
    """Plot the share of kernel weights that are exactly zero along a sweep.

    Args:
      path: from ``wellfit.analysis.paths.sweep_paths``, with the shares of zeros.
    """
    axes = marks.own_axes(ax, (8.6, 2.2))
    known = np.isfinite(path.zeros)
    axes.plot(path.values[known], 100 * path.zeros[known], color=LIGHT["s3"], linewidth=1.8, marker="o", markersize=4)
    marks.style(axes, _x_label(path), "zero weights, percent")
    _value_axis(axes, path)
    axes.set_ylim(-2, 102)
    points = zip(path.values[known], path.zeros[known], strict=True)
    shares = "; ".join(f"{wording.percent(float(share))} at {value:g}" for value, share in points) or "not known"
    return marks.done(axes, f"Share of the weights that are exactly zero along {path.key}: {shares}.")


def plot_grid(grid: SweepGrid, metric: str = "test_accuracy", ax: Axes | None = None) -> Figure:
    """Plot a sweep of two settings as a heat map: the darker the blue, the larger the value.

    Args:
      grid: from ``wellfit.analysis.paths.sweep_grids``.
      metric: a metric of the grid, e.g. ``"validation_accuracy"`` or ``"test_loss"``.

    Returns:
      The figure; the combination chosen on validation is framed.

    Raises:
      UnknownNameError: the grid has no such metric.
    """
    if metric not in grid.metrics:
        raise UnknownNameError("metric", metric, grid.metrics)
    values = np.asarray(grid.metrics[metric], np.float64)  # (R, C)
    size = (min(12.0, 2.4 + 0.95 * len(grid.columns)), min(9.0, 1.4 + 0.5 * len(grid.rows)))
    axes = marks.own_axes(ax, size)
    known = np.isfinite(values)  # (R, C)
    low, high = (float(values[known].min()), float(values[known].max())) if known.any() else (0.0, 0.0)
    depth = 0.06 + 0.56 * (values - low) / (high - low) if high > low else np.full(values.shape, 0.3)  # (R, C)
    blue = np.ones(values.shape, bool)  # (R, C)
    axes.imshow(marks.tinted(blue, np.where(known, depth, 0.0)), interpolation="none", aspect="auto")
    share = not metric.endswith("_loss")
    letters = min(10.5, 70 / len(grid.columns)) if is_narrow() else 10.5
    for row, column in np.ndindex(values.shape):
        value = float(values[row, column])
        text = wording.percent(value, unit="") if share else wording.number(value, 4)
        chosen = (row, column) == grid.chosen
        axes.text(column, row, text, ha="center", va="center", fontsize=letters, color=LIGHT["ink"],
                  fontweight="bold" if chosen else "normal")  # fmt: skip
    if grid.chosen is not None:
        _frame(axes, *grid.chosen)
    marks.style(axes, marks.plain(grid.keys[1]), marks.plain(grid.keys[0]), grid=None)
    axes.set_xticks(range(len(grid.columns)), [_tick(value) for value in grid.columns], color=LIGHT["ink"])
    axes.set_yticks(range(len(grid.rows)), [_tick(v) for v in grid.rows], color=LIGHT["ink"])
    axes.spines[:].set_visible(False)
    unit = ", percent" if share else ""
    framed = "" if grid.chosen is None else "  (framed: chosen on validation)"
    about = f"{wording.METRICS.get(metric, metric)}{unit}{framed}"
    axes.set_title(
        wrapped(about, 40) if is_narrow() else marks.filled(axes, about, 10.5),
        loc="left",
        fontsize=10.5,
        color=LIGHT["muted"],
        pad=8,
    )
    return marks.done(axes, f"{_describe_cells(grid, metric, share)} {' '.join(s.text for s in describe_grid(grid))}")


# --- Parts ------------------------------------------------------------------------------------------------------------


def _with_zeros(path: SweepPath, metric: str) -> Figure:
    """The path above and the zero weights below, on one axis of values."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SHEET if is_narrow() else 8.6, 6.0), layout=marks.layout())
    upper, lower = figure.subplots(2, 1, height_ratios=(1.9, 1))
    plot_path(path, metric, upper)
    upper.set_xlabel("")
    upper.tick_params(labelbottom=False)
    return plot_zeros(path, lower)


def _line(axes: Axes, path: SweepPath, split: str, metric: str, factor: float) -> float | None:
    """Draw mean and band of one split; returns the last mean, or None if there is none."""
    if f"{split}_{metric}" not in path.metrics:
        return None
    mean, low, high = path.metrics[f"{split}_{metric}"]
    known = np.isfinite(mean)  # (P,)
    if not known.any():
        return None
    stroke = _stroke(split)
    axes.plot(path.values[known], factor * mean[known], **stroke, linewidth=1.8, marker="o", markersize=3.5,
              solid_capstyle="round")  # fmt: skip
    axes.fill_between(path.values, factor * low, factor * high, where=np.isfinite(low).tolist(), color=stroke["color"],
                      alpha=0.13, linewidth=0)  # fmt: skip
    return float(factor * mean[known][-1])


def _stroke(name: str) -> dict[str, Any]:
    """Color and dashes of a line of `STROKES`, as matplotlib takes them."""
    stroke = STROKES[name]
    return {"color": LIGHT[stroke.role], "linestyle": (0, stroke.dash) if stroke.dash else "solid"}


def _value_axis(axes: Axes, path: SweepPath) -> None:
    """Set the axis of values, logarithmic if the path is, with a tick at every value that has room."""
    if path.logarithmic:
        axes.set_xscale("log")
    place = np.log(path.values) if path.logarithmic else path.values  # (P,)
    span = float(place[-1] - place[0]) or 1.0
    ticks: list[int] = []
    for i, at in enumerate(place):
        if not ticks or (at - place[ticks[-1]]) / span > 0.08:
            ticks.append(i)
    ticks[-1] = len(place) - 1  # the last value always has a tick, if necessary instead of the one before
    axes.set_xticks(path.values[ticks], [_tick(v) for v in path.values[ticks].tolist()])
    axes.minorticks_off()
    margin = np.exp(0.04 * span) if path.logarithmic else 0.04 * span
    first, last = float(path.values[0]), float(path.values[-1])
    limits = (first / margin, last * margin) if path.logarithmic else (first - margin, last + margin)
    axes.set_xlim(*limits)


def _choices(axes: Axes, path: SweepPath, metric: str, factor: float) -> None:
    """Mark the choice of validation and of the one-standard-error rule, labeled above the panel."""
    known = path.metrics.get(f"validation_{metric}")
    if path.chosen is None or known is None:
        return
    circle = LIGHT[STROKES["validation"].role]
    marked = {name: at for name, at in path_marks(path).items() if math.isfinite(known[0][at])}
    for line, (name, at) in enumerate(marked.items()):  # one line of text each, so that they cannot overlap
        value = float(path.values[at])
        axes.axvline(value, **_stroke(name), linewidth=0.9, zorder=0)
        axes.scatter([value], [factor * known[0][at]], s=62, facecolor=circle if name == "chosen" else LIGHT["paper"],
                     edgecolor=circle, linewidth=1.6, zorder=4)  # fmt: skip
        align = "left" if at < len(path.values) / 2 else "right"
        label = STROKES[name].label
        if name == "chosen" and path.one_standard_error == path.chosen:
            label += ", also within one standard error"
        place, across = ((0.0, 1.0), "axes fraction") if is_narrow() else ((value, 1.0), "data")
        axes.annotate(wrapped(f"{label}: {_tick(value)}", 44), place, xycoords=(across, "axes fraction"),
                      xytext=(0, 2 + 14 * line), textcoords="offset points", ha="left" if is_narrow() else align,
                      va="bottom", fontsize=10, color=LIGHT["ink"])  # fmt: skip


def _frame(axes: Axes, row: int, column: int) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((column - 0.47, row - 0.44), 0.94, 0.88, fill=False, edgecolor=LIGHT["ink"],
                             linewidth=1.6))  # fmt: skip


def _x_label(path: SweepPath) -> str:
    held = "".join(f", {setting_text(key, value)}" for key, value in path.held.items()) if len(path.held) < 3 else ""
    return marks.plain(f"{path.key}{held}")


def _tick(value: Any) -> str:
    return marks.plain(value_text(value))


def _describe_cells(grid: SweepGrid, metric: str, share: bool) -> str:
    values = cast("list[list[float]]", np.asarray(grid.metrics[metric]).tolist())
    cells = []
    for row, line in zip(grid.rows, values, strict=True):
        for column, value in zip(grid.columns, line, strict=True):
            text = wording.percent(value) if share else f"{value:.4f}" if math.isfinite(value) else "no result"
            cells.append(f"{value_text(row)} and {value_text(column)}: {text}")
    return (
        f"Heat map of {wording.METRICS.get(metric, metric)} by {grid.keys[0]} and {grid.keys[1]}. {'; '.join(cells)}."
    )
