"""The strokes that static figures are made of: axes without junk, curves with bands, rows of intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, StudySummary
from wellfit.report import wording
from wellfit.report.marks.colors import LIGHT, SERIES, series_color
from wellfit.report.marks.fonts import fit_letters
from wellfit.report.numbers import Curve, IntervalRow, last_epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import LayoutEngine

TRAINING: Final = (0, (3.5, 1.8))
"""The dashes of a training curve."""

DASHES: Final = ("solid", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)))
"""Dashes of overlaid series: the next one each time that the colors begin again."""


def own_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """These axes, or those of a new figure of this size in inches."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout=layout()).add_subplot()


def layout() -> LayoutEngine:
    """Room for every label, and a little air at the edges."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.09)


def done(axes: Axes, said: str) -> Figure:
    """Leave the alt text on the axes, where `wellfit.report.marks.static.alt_text` finds it, and return their figure.

    Letters that DejaVu Sans lacks get another installed font.
    """
    fit_letters(axes)
    axes.set_label(said)
    return cast("Figure", axes.get_figure(root=True))


def alt_text(figure: Figure) -> str:
    """What a figure shows, in sentences with its numbers, for those who cannot see it.

    Args:
      figure: what a ``plot_`` function returned.

    Returns:
      One text for all its panels; empty for a figure from elsewhere.
    """
    labels = (str(axes.get_label()) for axes in figure.axes)
    return " ".join(label for label in labels if label and not label.startswith("<"))


def plain(text: str) -> str:
    """A name as text, never as mathematics: matplotlib takes what stands between two dollar signs for a formula."""
    return text.replace("$", r"\$")


def row_name(name: str) -> str:
    """A name beside a row, cut where it would leave the row no room.

    Example:
      >>> row_name("l2"), len(row_name(64 * "a"))
      ('l2', 32)
    """
    return plain(name if len(name) <= 32 else f"{name[:31].rstrip()}…")


def style(axes: Axes, xlabel: str, ylabel: str, grid: Literal["x", "y"] | None = "y") -> None:
    """No frame, no ticks, quiet labels, and a grid only along the values."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT["rule"])
    axes.set_facecolor("none")
    axes.tick_params(length=0, labelcolor=LIGHT["muted"], labelsize=10, pad=5)
    axes.set_xlabel(xlabel, color=LIGHT["muted"], fontsize=10.5)
    axes.set_ylabel(ylabel, color=LIGHT["muted"], fontsize=10.5)
    axes.set_axisbelow(True)
    if grid is not None:
        axes.grid(axis=grid, color=LIGHT["rule"], linewidth=0.8)


def epoch_axis(axes: Axes, epochs: int) -> None:
    """An epoch axis from 1 to the last epoch of the study, so that panels can be compared."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(1, max(2, epochs))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))


def curve(axes: Axes, data: Curve, scale: float, color: str, dash: Any, *, width: float = 1.8) -> None:
    """The mean as a line, the range over the seeds as a band where there is one."""
    if not len(data.epochs):
        return
    alone = len(data.epochs) == 1  # a line through one point cannot be seen
    axes.plot(data.epochs, scale * data.mean, color=color, linewidth=width, linestyle=dash,
              marker="o" if alone else "", markersize=4, solid_capstyle="round")  # fmt: skip
    axes.fill_between(data.epochs, scale * data.low, scale * data.high, where=np.isfinite(data.low).tolist(),
                      color=color, alpha=0.16, linewidth=0)  # fmt: skip


def split_legend(axes: Axes, color: str) -> None:
    """Say which line is training and which validation, above the panel, where no curve runs."""
    from matplotlib.lines import Line2D

    shared: dict[str, Any] = {"color": color, "linewidth": 1.8}
    handles = [
        Line2D([], [], label="training", linestyle=TRAINING, **shared),
        Line2D([], [], label="validation", **shared),
    ]
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, frameon=False, fontsize=10,
                labelcolor=LIGHT["muted"], handlelength=1.8, columnspacing=1.2, borderaxespad=0.2)  # fmt: skip


def overlay(axes: Axes, summary: StudySummary, curves: Sequence[Curve], scale: float, label: str) -> None:
    """A curve for every variant, named at the right edge; names that would overlap move apart."""
    for index, data in enumerate(curves):
        curve(axes, data, scale, series_color(index), DASHES[index // SERIES % len(DASHES)])
    style(axes, "epoch", label)
    epoch_axis(axes, last_epoch(summary))
    low, high = axes.get_ylim()
    drawn = [(float(scale * c.mean[-1]), i) for i, c in enumerate(curves) if len(c.mean)]
    for value, index in drawn:  # a curve that ends early is led to its name
        axes.plot([curves[index].epochs[-1], max(2, last_epoch(summary))], [value, value], color=series_color(index),
                  linewidth=0.9, linestyle=(0, (1, 3)), zorder=0)  # fmt: skip
    axes.set_ylim(low, high)
    place = -math.inf
    to_axes = axes.transScale + axes.transLimits  # from values to shares of the axis, logarithmic or not
    for value, index in sorted(drawn):
        place = max(place + 1 / 17, float(to_axes.transform((1, value))[1]))  # a line of text is a 17th, about
        text = axes.annotate(plain(summary.variants[index].name), (1.0, place), xycoords="axes fraction",
                             xytext=(8, 0), textcoords="offset points", va="center", fontsize=10.5)  # fmt: skip
        text.set_color(series_color(index))


def interval(axes: Axes, row: IntervalRow, y: float) -> None:
    """One row of an interval plot: mean and interval on it, the seeds just below, the mean in numbers at the right."""
    color = series_color(row.index)
    values = [100 * value for value in row.runs.values()]
    axes.scatter(values, [y - 0.24] * len(values), s=20, facecolor="none", edgecolor=color, linewidth=1.1, zorder=2)
    if row.interval is not None:
        low, high = row.interval
        axes.plot([100 * low, 100 * high], [y, y], color=color, linewidth=3.2, alpha=0.55, solid_capstyle="round")
    if row.mean is not None:
        axes.scatter([100 * row.mean], [y], s=62, color=color, zorder=3)
    if row.published is not None:
        axes.scatter([100 * row.published], [y], s=46, marker="D", facecolor=LIGHT["paper"], edgecolor=LIGHT["ink"],
                     linewidth=1.3, zorder=4)  # fmt: skip
    text, color = (wording.percent(row.mean), LIGHT["ink"]) if row.mean is not None else ("no result", LIGHT["muted"])
    axes.annotate(text, (1.0, y), xycoords=("axes fraction", "data"), xytext=(10, 0), textcoords="offset points",
                  va="center", fontsize=11, color=color)  # fmt: skip


def interval_legend(axes: Axes, rows: Sequence[IntervalRow]) -> None:
    """Say what the marks of an interval plot are."""
    from matplotlib.lines import Line2D

    shared: dict[str, Any] = {"linestyle": "none", "color": LIGHT["muted"]}
    handles = [
        Line2D([], [], marker="o", markersize=7.5, label="mean over seeds", **shared),
        Line2D([], [], marker="o", markersize=4.5, markerfacecolor="none", label="one seed", **shared),
    ]
    if any(row.interval is not None for row in rows):
        handles.insert(1, Line2D([], [], linewidth=3.2, alpha=0.55, color=LIGHT["muted"], label="95 % interval"))
    if any(row.published is not None for row in rows):
        diamond: dict[str, Any] = {"markerfacecolor": LIGHT["paper"], "markeredgecolor": LIGHT["ink"]}
        handles.append(Line2D([], [], marker="D", markersize=6, label="published", **shared, **diamond))
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, frameon=False, fontsize=10,
                labelcolor=LIGHT["muted"], handletextpad=0.5, columnspacing=1.6, borderaxespad=0.2)  # fmt: skip


def tinted(blue: NDArray[np.bool_], alpha: FloatArray) -> FloatArray:
    """Pixels in blue where the mask says so, in orange elsewhere, their strength in alpha: they fit any paper.

    Args:
      blue: which pixels.  # (..., H, W)
      alpha: from 0 to 1.  # (..., H, W)

    Returns:
      Red, green, blue and alpha from 0 to 1.  # (..., H, W, 4)
    """
    from matplotlib.colors import to_rgb

    color = np.where(blue[..., None], to_rgb(LIGHT["s1"]), to_rgb(LIGHT["s2"]))  # (..., H, W, 3)
    return np.concatenate([color, alpha[..., None]], axis=-1)


def class_axes(axes: Axes, classes: Sequence[str]) -> None:
    """The axes of a matrix of classes: true ones down, predicted ones across."""
    style(axes, "predicted class", "true class", grid=None)
    if len(classes) <= 60:
        names, places = [plain(name) for name in classes], range(len(classes))
        slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks(places, names, color=LIGHT["ink"], **(slant if max(map(len, classes)) > 3 else {}))
        axes.set_yticks(places, names, color=LIGHT["ink"])
    axes.spines[:].set_visible(False)


def picture_axes(axes: Axes, width: float, height: float) -> None:
    """Axes for pictures, from (0, 0) at the upper left: no ticks, no frame, nothing distorted."""
    style(axes, "", "", grid=None)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlim(-0.01, width + 0.01)
    axes.set_ylim(height + 0.01, -0.01)
    axes.set_aspect("equal", anchor="NW")


def title(axes: Axes, text: str) -> None:
    """A heading at the left, never mathematics."""
    axes.set_title(plain(text), loc="left", fontsize=12, color=LIGHT["ink"], fontweight="bold", pad=10)


def legend(axes: Axes, marks: Sequence[Mapping[str, Any]], columns: int = 4) -> None:
    """Say what single marks are, above the panel at the right: each as `matplotlib.lines.Line2D` takes it."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **{"linestyle": "none", **mark}) for mark in marks]
    axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=columns, frameon=False,
                fontsize=10, labelcolor=LIGHT["muted"], handletextpad=0.4, columnspacing=1.4,
                borderaxespad=0.2)  # fmt: skip


def log_axis(axes: Axes, ticks: tuple[float, ...] = (1.0, 2.0, 5.0)) -> None:
    """A logarithmic axis of values, its ticks, so many a decade, labeled as plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=ticks))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", which="minor", length=0)


def stop_mark(axes: Axes, epoch: float, text: str) -> None:
    """A thin line from top to bottom at an epoch, with a word at its head."""
    axes.axvline(epoch, color=LIGHT["muted"], linewidth=0.9, linestyle=(0, (1, 2)), zorder=0)
    late = epoch > sum(axes.get_xlim()) / 2  # then the word stands left of the line, inside the panel
    axes.annotate(text, (epoch, 1.0), xycoords=("data", "axes fraction"), xytext=(-4 if late else 4, -3),
                  textcoords="offset points", ha="right" if late else "left", va="top", fontsize=9,
                  color=LIGHT["muted"])  # fmt: skip


def tenths(share: float) -> str:
    """A signed difference of shares in points with one decimal, for the cells of a matrix.

    Example:
      >>> tenths(-0.0123)
      '−1.2'
    """
    return f"{100 * share:+.1f}".replace("-", "−")
