"""Sweeps as figures: a path against the number that is swept, and a heat map where two settings cross.

Both follow `wellfit.report.marks.static`: colors of the page, bands for 95 % intervals, alt text with the numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from wellfit.base import SweepGrid, SweepPath
from wellfit.errors import UnknownNameError
from wellfit.narrative.options import setting_text
from wellfit.narrative.sweeps import describe_grid, describe_path
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT
from wellfit.report.subjects.paths.strokes import PATH_STROKES, path_marks, path_reference

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_grid", "plot_path", "plot_zeros"]

UNITS: Final = {"accuracy": (100.0, "accuracy, percent"), "loss": (1.0, "cross-entropy loss")}


def plot_path(path: SweepPath, metric: str = "accuracy", ax: Axes | None = None) -> Figure:
    """Training, validation and test metric along a sweep, with their intervals and what validation chose.

    Args:
      path: from ``wellfit.analysis.paths.sweep_paths``.
      metric: ``"accuracy"`` or ``"loss"``.
      ax: where to draw; if None, a new figure, with a second panel below for the weights that are exactly zero, where
        there are any.

    Returns:
      The figure: a full circle on a line marks the value that validation chose, an open one on a dashed line the
      one-standard-error choice; the dotted line is the validation metric of the variant beside the sweep. Strokes are
      those of `wellfit.report.subjects.paths.strokes.PATH_STROKES`.

    Raises:
      UnknownNameError: there is no such metric.
    """
    if metric not in UNITS:
        raise UnknownNameError("metric", metric, UNITS)
    if ax is None and _has_zeros(path):
        return _with_zeros(path, metric)
    axes = drawing.own_axes(ax, (8.6, 4.0))
    scale, label = UNITS[metric]
    ends: dict[str, tuple[float, str]] = {}
    for split in ("train", "validation", "test"):
        if (end := _line(axes, path, split, metric, scale)) is not None:
            ends[PATH_STROKES[split].said] = (end, LIGHT[PATH_STROKES[split].role])
    drawing.style(axes, _x_label(path), label)
    _value_axis(axes, path)
    if (beside := path_reference(path, metric)) is not None:
        axes.axhline(scale * beside, **_stroke("reference"), linewidth=1.1, zorder=0)
        ends[f"{path.baseline}, {PATH_STROKES['reference'].said}"] = (scale * beside, LIGHT["muted"])
    _choices(axes, path, metric, scale)
    _end_labels(axes, ends)
    said = " ".join(sentence.text for sentence in describe_path(path)) or "Nothing is known of it yet."
    return drawing.done(axes, f"Path of {metric} along {path.key}, mean over seeds with 95 % interval. {said}")


def plot_zeros(path: SweepPath, ax: Axes | None = None) -> Figure:
    """The share of kernel weights that are exactly zero along a sweep.

    Args:
      path: from ``wellfit.analysis.paths.sweep_paths``, made with the shares of zeros.
      ax: where to draw; a new figure if None.

    Returns:
      The figure.
    """
    axes = drawing.own_axes(ax, (8.6, 2.2))
    known = np.isfinite(path.zeros)
    axes.plot(path.values[known], 100 * path.zeros[known], color=LIGHT["s3"], linewidth=1.8, marker="o", markersize=4)
    drawing.style(axes, _x_label(path), "zero weights, percent")
    _value_axis(axes, path)
    axes.set_ylim(-2, 102)
    points = zip(path.values[known], path.zeros[known], strict=True)
    said = "; ".join(f"{wording.percent(float(share))} at {value:g}" for value, share in points) or "not known"
    return drawing.done(axes, f"Share of the weights that are exactly zero along {path.key}: {said}.")


def plot_grid(grid: SweepGrid, metric: str = "test_accuracy", ax: Axes | None = None) -> Figure:
    """A sweep of two settings as a heat map: a cell a combination, framed where validation chose it.

    Args:
      grid: from ``wellfit.analysis.paths.sweep_grids``.
      metric: one of those that the grid has, such as ``"validation_accuracy"`` or ``"test_loss"``.
      ax: where to draw; a new figure if None.

    Returns:
      The figure: the deeper the blue, the larger the number; cells without one are empty.

    Raises:
      UnknownNameError: the grid has no such metric.
    """
    if metric not in grid.metrics:
        raise UnknownNameError("metric", metric, grid.metrics)
    values = np.asarray(grid.metrics[metric], np.float64)  # (R, C)
    size = (min(12.0, 2.4 + 0.95 * len(grid.columns)), min(9.0, 1.4 + 0.5 * len(grid.rows)))
    axes = drawing.own_axes(ax, size)
    known = np.isfinite(values)  # (R, C)
    low, high = (float(values[known].min()), float(values[known].max())) if known.any() else (0.0, 0.0)
    depth = 0.06 + 0.56 * (values - low) / (high - low) if high > low else np.full(values.shape, 0.3)  # (R, C)
    blue = np.ones(values.shape, bool)  # (R, C)
    axes.imshow(drawing.tinted(blue, np.where(known, depth, 0.0)), interpolation="none", aspect="auto")
    share = not metric.endswith("_loss")
    for row, column in np.ndindex(values.shape):
        value = float(values[row, column])
        text = wording.percent(value, unit="") if share else wording.number(value, 4)
        chosen = (row, column) == grid.chosen
        axes.text(column, row, text, ha="center", va="center", fontsize=10.5, color=LIGHT["ink"],
                  fontweight="bold" if chosen else "normal")  # fmt: skip
    if grid.chosen is not None:
        _frame(axes, *grid.chosen)
    drawing.style(axes, drawing.plain(grid.keys[1]), drawing.plain(grid.keys[0]), grid=None)
    axes.set_xticks(range(len(grid.columns)), [_tick(v) for v in grid.columns], color=LIGHT["ink"])
    axes.set_yticks(range(len(grid.rows)), [_tick(v) for v in grid.rows], color=LIGHT["ink"])
    axes.spines[:].set_visible(False)
    unit = ", percent" if share else ""
    framed = "" if grid.chosen is None else "  (framed: chosen on validation)"
    axes.set_title(f"{wording.METRICS.get(metric, metric)}{unit}{framed}", loc="left", fontsize=10.5,
                   color=LIGHT["muted"], pad=8)  # fmt: skip
    return drawing.done(axes, f"{_say_cells(grid, metric, share)} {' '.join(s.text for s in describe_grid(grid))}")


# --- Parts ------------------------------------------------------------------------------------------------------------


def _has_zeros(path: SweepPath) -> bool:
    known = path.zeros[np.isfinite(path.zeros)]
    return bool(len(known) and known.max() > 0)


def _with_zeros(path: SweepPath, metric: str) -> Figure:
    """The path above, the weights at zero below, on one axis of values."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 6.0), layout=drawing.layout())
    upper, lower = figure.subplots(2, 1, height_ratios=(1.9, 1))
    plot_path(path, metric, upper)
    upper.set_xlabel("")
    upper.tick_params(labelbottom=False)
    return plot_zeros(path, lower)


def _line(axes: Axes, path: SweepPath, split: str, metric: str, scale: float) -> float | None:
    """Mean and band of one split; returns where its line ends at the right, or None where nothing is known."""
    if f"{split}_{metric}" not in path.metrics:
        return None
    mean, low, high = path.metrics[f"{split}_{metric}"]
    known = np.isfinite(mean)  # (P,)
    if not known.any():
        return None
    stroke = _stroke(split)
    axes.plot(path.values[known], scale * mean[known], **stroke, linewidth=1.8, marker="o", markersize=3.5,
              solid_capstyle="round")  # fmt: skip
    axes.fill_between(path.values, scale * low, scale * high, where=np.isfinite(low).tolist(), color=stroke["color"],
                      alpha=0.13, linewidth=0)  # fmt: skip
    return float(scale * mean[known][-1])


def _stroke(name: str) -> dict[str, Any]:
    """Color and dashes of a line of `PATH_STROKES`, as matplotlib takes them."""
    stroke = PATH_STROKES[name]
    return {"color": LIGHT[stroke.role], "linestyle": (0, stroke.dash) if stroke.dash else "solid"}


def _value_axis(axes: Axes, path: SweepPath) -> None:
    """A logarithmic axis where the path wants one, and a tick at every value, as far as they do not crowd."""
    if path.logarithmic:
        axes.set_xscale("log")
    place = np.log(path.values) if path.logarithmic else path.values  # (P,)
    span = float(place[-1] - place[0]) or 1.0
    ticks: list[int] = []
    for i, at in enumerate(place):
        if not ticks or (at - place[ticks[-1]]) / span > 0.08:
            ticks.append(i)
    ticks[-1] = len(place) - 1  # the last value has its tick, if need be instead of the one before
    axes.set_xticks(path.values[ticks], [_tick(v) for v in path.values[ticks].tolist()])
    axes.minorticks_off()
    margin = np.exp(0.04 * span) if path.logarithmic else 0.04 * span
    first, last = float(path.values[0]), float(path.values[-1])
    limits = (first / margin, last * margin) if path.logarithmic else (first - margin, last + margin)
    axes.set_xlim(*limits)


def _choices(axes: Axes, path: SweepPath, metric: str, scale: float) -> None:
    """What validation chose, and what the one-standard-error rule did, named above the panel."""
    known = path.metrics.get(f"validation_{metric}")
    if path.chosen is None or known is None:
        return
    circle = LIGHT[PATH_STROKES["validation"].role]
    marks = {name: at for name, at in path_marks(path).items() if math.isfinite(known[0][at])}
    for line, (name, at) in enumerate(marks.items()):  # a line of text each, so that they cannot meet
        value = float(path.values[at])
        axes.axvline(value, **_stroke(name), linewidth=0.9, zorder=0)
        axes.scatter([value], [scale * known[0][at]], s=62, facecolor=circle if name == "chosen" else LIGHT["paper"],
                     edgecolor=circle, linewidth=1.6, zorder=4)  # fmt: skip
        align = "left" if at < len(path.values) / 2 else "right"
        said = PATH_STROKES[name].said
        if name == "chosen" and path.one_standard_error == path.chosen:
            said += ", and by one standard error"
        axes.annotate(f"{said}: {_tick(value)}", (value, 1.0), xycoords=("data", "axes fraction"),
                      xytext=(0, 2 + 14 * line), textcoords="offset points", ha=align, va="bottom", fontsize=10,
                      color=LIGHT["ink"])  # fmt: skip


def _end_labels(axes: Axes, ends: dict[str, tuple[float, str]]) -> None:
    """The name of every line at the right edge; names that would overlap move apart."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high)
    place = -math.inf
    for name, (value, color) in sorted(ends.items(), key=lambda item: item[1][0]):
        place = max(place + 1 / 15, (value - low) / (high - low))  # a line of text is a 15th, about
        axes.annotate(drawing.plain(name), (1.0, place), xycoords="axes fraction", xytext=(8, 0),
                      textcoords="offset points", va="center", fontsize=10.5, color=color)  # fmt: skip


def _frame(axes: Axes, row: int, column: int) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((column - 0.47, row - 0.44), 0.94, 0.88, fill=False, edgecolor=LIGHT["ink"],
                             linewidth=1.6))  # fmt: skip


def _x_label(path: SweepPath) -> str:
    held = "".join(f", {setting_text(key, value)}" for key, value in path.held.items()) if len(path.held) < 3 else ""
    return drawing.plain(f"{path.key}{held}")


def _tick(value: Any) -> str:
    """A value of a sweep, short.

    Example:
      >>> _tick(1e-4), _tick(30000.0), _tick((64, 32)), _tick(None)
      ('0.0001', '30,000', '64-32', 'none')
    """
    if isinstance(value, tuple):
        return "-".join(map(str, value))
    if value is None:
        return "none"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,.0f}" if abs(value) >= 1000 and value == round(value) else f"{value:g}"
    return drawing.plain(str(value))


def _say_cells(grid: SweepGrid, metric: str, share: bool) -> str:
    values = cast("list[list[float]]", np.asarray(grid.metrics[metric]).tolist())
    cells = []
    for row, line in zip(grid.rows, values, strict=True):
        for column, value in zip(grid.columns, line, strict=True):
            said = wording.percent(value) if share else f"{value:.4f}" if math.isfinite(value) else "no result"
            cells.append(f"{_tick(row)} and {_tick(column)}: {said}")
    return (
        f"Heat map of {wording.METRICS.get(metric, metric)} by {grid.keys[0]} and {grid.keys[1]}. {'; '.join(cells)}."
    )
