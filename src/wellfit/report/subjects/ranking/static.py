"""The static interval plot, in the study's order or ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from wellfit.base import StudySummary
from wellfit.narrative.metrics import is_loss
from wellfit.report import wording
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import LIGHT, series_color, slots_of
from wellfit.report.marks.column import is_narrow
from wellfit.report.subjects.ranking.numbers import (
    Axis,
    IntervalRow,
    glance_rows,
    interval_rows,
    ranked_rows,
    score_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BEYOND", "MANY", "plot_glance", "plot_intervals", "plot_ranking"]

BEYOND: Final = ("◂ far below", "far above ▸")
"""Beside a variant whose mean is beyond the axis: of shares, and of losses."""

MANY: Final = 12
"""Variants from which on a ranking takes most of a page."""


def plot_intervals(summary: StudySummary, metric: str | None = None, ax: Axes | None = None) -> Figure:
    """Plot every variant's seeds, their mean with its 95 % interval, and the published value if there is one.

    Args:
      metric: an accuracy, such as ``"validation_accuracy"``; by default what the variants are compared on.

    Returns:
      The figure; a mean far worse than all others is beyond the axis and shown as a number only.

    Raises:
      UnknownNameError: there is no such metric.
    """
    rows = interval_rows(summary, metric)
    metric = metric or summary.compared
    axes = _interval_plot(rows, metric, slots_of(summary), ax)
    sentences = "; ".join(_describe(row, metric) for row in rows)
    return marks.done(
        axes, f"Interval plot of {wording.METRICS[metric]}, mean over seeds with 95 % interval. {sentences}."
    )


def plot_ranking(summary: StudySummary, ax: Axes | None = None) -> Figure:
    """Plot the variants as `plot_intervals` does, best mean first.

    Returns:
      The figure; letters beside the names: variants that share a letter do not differ clearly.
    """
    rows = ranked_rows(summary)
    axes = _interval_plot(rows, summary.compared, slots_of(summary), ax)
    sentences = "; ".join(f"{place}. {_describe(row, summary.compared)}" for place, row in enumerate(rows, 1))
    return marks.done(axes, f"Variants ranked by mean {wording.compared(summary)}: {sentences}.")


def plot_glance(summary: StudySummary, ax: Axes | None = None) -> Figure:
    """Plot the first variant and the best others as `plot_ranking` does, small enough for the first page of a PDF."""
    rows = glance_rows(summary, named=False)
    axes = _interval_plot(rows, summary.compared, slots_of(summary), ax, dense=True)
    sentences = "; ".join(_describe(row, summary.compared) for row in rows)
    return marks.done(axes, f"{len(rows)} of {len(summary.variants)} variants, by mean: {sentences}.")


def _interval_plot(
    rows: Sequence[IntervalRow], metric: str, slots: Mapping[str, int], ax: Axes | None, *, dense: bool = False
) -> Axes:
    """Draw one line per row from top to bottom; the dotted line is the first variant's mean.

    Args:
      dense: whether the rows are close to each other, however few they are; those of many always are.
    """
    step = 0.3 if dense or len(rows) > MANY else 0.46
    axes = marks.own_axes(ax, (8.6, (1.8 if is_narrow() else 0.9) + step * len(rows)))
    heights = range(len(rows))[::-1]
    axis = score_axis(rows, metric)
    for row, y in zip(rows, heights, strict=True):
        if axis is None or row.mean is None:
            _note(axes, y, "no result", "muted")
        else:
            _draw_row(axes, row, row.mean, y, axis, series_color(slots[row.variant]))
            _note(axes, y, wording.amount(row.mean, metric), "ink")
    label = f"{wording.METRICS[metric]}{'; lower is better' if is_loss(metric) else ', percent'}"
    first = next((row for row in rows if row.index == 0 and row.mean is not None), None)
    if axis is not None:
        axes.set_xlim(axis.scale * axis.low, axis.scale * axis.high)
        axes.set_xticks([axis.scale * tick for tick in axis.ticks], axis.labels)
        if first is not None and first.mean is not None and axis.shows(first.mean):
            axes.axvline(axis.scale * first.mean, color=LIGHT["muted"], linewidth=0.8, linestyle=(0, (2, 3)), zorder=0)
            label += f"  (dotted: mean of {marks.plain(first.variant)})"
    if any(row.letters for row in rows):
        label += "\nvariants that share a letter do not differ clearly"
    marks.style(axes, label, "", grid="x")
    most = 16 if is_narrow() else 32
    names = [f"{marks.plain(marks.shortened(row.variant, most))}   {row.letters}".rstrip() for row in rows]
    axes.set_yticks(heights, names)
    axes.tick_params(axis="y", labelsize=11.5, labelcolor=LIGHT["ink"], pad=8)
    axes.set_ylim(-0.6, len(rows) - 0.3)
    _legend(axes, rows)
    return axes


def _draw_row(axes: Axes, row: IntervalRow, mean: float, y: float, axis: Axis, color: str) -> None:
    """Mean and interval at this height, and the seeds just below."""
    scale, loss = axis.scale, is_loss(axis.metric)
    if not axis.shows(mean):
        axes.annotate(BEYOND[loss], (1.0 if loss else 0.0, y), xycoords=("axes fraction", "data"), va="center",
                      ha="right" if loss else "left", fontsize=10, color=LIGHT["muted"])  # fmt: skip
    else:
        values = [scale * value for value in row.runs.values()]
        axes.scatter(values, [y - 0.24] * len(values), s=20, facecolor="none", edgecolor=color, linewidth=1.1, zorder=2)
        if row.interval is not None:
            ends = [scale * bound for bound in row.interval]
            axes.plot(ends, [y, y], color=color, linewidth=3.2, alpha=0.55, solid_capstyle="round")
        axes.scatter([scale * mean], [y], s=62, color=color, zorder=3)
    if row.published is not None and not axis.shows(row.published):
        below = row.published < axis.low
        text = f"published {wording.amount(row.published, axis.metric)}"
        axes.annotate(f"◂ {text}" if below else f"{text} ▸", (0.0 if below else 1.0, y - 0.24), fontsize=8,
                      xycoords=("axes fraction", "data"), va="center", ha="left" if below else "right",
                      color=LIGHT["muted"])  # fmt: skip
    elif row.published is not None:
        axes.scatter([scale * row.published], [y], s=46, marker="D", facecolor=LIGHT["paper"], edgecolor=LIGHT["ink"],
                     linewidth=1.3, zorder=4)  # fmt: skip


def _note(axes: Axes, y: float, text: str, color: str) -> None:
    """The mean as a number at the right."""
    axes.annotate(text, (1.0, y), xycoords=("axes fraction", "data"), xytext=(10, 0), textcoords="offset points",
                  va="center", fontsize=11, color=LIGHT[color])  # fmt: skip


def _legend(axes: Axes, rows: Sequence[IntervalRow]) -> None:
    muted: dict[str, Any] = {"color": LIGHT["muted"]}
    entries: list[dict[str, Any]] = [{"marker": "o", "markersize": 7.5, "label": "mean over seeds", **muted}]
    if any(row.interval is not None for row in rows):
        entries.append({"linestyle": "solid", "linewidth": 3.2, "alpha": 0.55, "label": "95 % interval", **muted})
    entries.append({"marker": "o", "markersize": 4.5, "markerfacecolor": "none", "label": "one seed", **muted})
    if any(row.published is not None for row in rows):
        entries.append({"marker": "D", "markersize": 6, "markerfacecolor": LIGHT["paper"],
                        "markeredgecolor": LIGHT["ink"], "label": "published"})  # fmt: skip
    marks.legend(axes, entries)


def _describe(row: IntervalRow, metric: str) -> str:
    if row.mean is None:
        return f"{row.variant}: no result"
    published = "" if row.published is None else f", published {wording.amount(row.published, metric)}"
    letters = f" ({row.letters})" if row.letters else ""
    mean = f"{row.variant} {wording.amount(row.mean, metric)} {wording.bounds(row.interval, metric)}"
    return mean.rstrip() + published + letters
