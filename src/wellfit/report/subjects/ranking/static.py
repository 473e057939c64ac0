"""The static interval plot, in the study's order or ranked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from wellfit.base import StudySummary
from wellfit.report import wording
from wellfit.report.marks import static as marks
from wellfit.report.marks.colors import LIGHT, series_color
from wellfit.report.subjects.ranking.numbers import IntervalRow, accuracy_axis, interval_rows, ranked_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_intervals", "plot_ranking"]


def plot_intervals(summary: StudySummary, metric: str = "test_accuracy", ax: Axes | None = None) -> Figure:
    """Plot every variant's seeds, their mean with its 95 % interval, and the published value if there is one.

    Args:
      metric: ``"test_accuracy"``, ``"validation_accuracy"`` or ``"train_accuracy"``.

    Returns:
      The figure; a mean far below all others is left of the axis and shown as a number only.

    Raises:
      UnknownNameError: there is no such metric.
    """
    rows = interval_rows(summary, metric)
    axes = _interval_plot(rows, wording.METRICS[metric], ax)
    sentences = "; ".join(_describe(row) for row in rows)
    return marks.done(
        axes, f"Interval plot of {wording.METRICS[metric]}, mean over seeds with 95 % interval. {sentences}."
    )


def plot_ranking(summary: StudySummary, ax: Axes | None = None) -> Figure:
    """Plot the variants as `plot_intervals` does, best mean test accuracy first.

    Returns:
      The figure; letters beside the names: variants that share a letter do not differ clearly.
    """
    rows = ranked_rows(summary)
    axes = _interval_plot(rows, "test accuracy", ax)
    sentences = "; ".join(f"{place}. {_describe(row)}" for place, row in enumerate(rows, 1))
    return marks.done(axes, f"Variants ranked by mean test accuracy: {sentences}.")


def _interval_plot(rows: Sequence[IntervalRow], quantity: str, ax: Axes | None) -> Axes:
    """Draw one line per row from top to bottom; the dotted line is the first variant's mean."""
    axes = marks.own_axes(ax, (8.6, 0.9 + 0.46 * len(rows)))
    heights = range(len(rows))[::-1]
    axis = accuracy_axis(rows)
    for row, y in zip(rows, heights, strict=True):
        beyond = axis is not None and row.mean is not None and row.mean < axis.low
        _draw_row(axes, row, y, beyond=beyond)
    label = f"{quantity}, percent"
    first = next((row for row in rows if row.index == 0 and row.mean is not None), None)
    if axis is not None:
        axes.set_xlim(100 * axis.low, 100 * axis.high)
        axes.set_xticks([100 * tick for tick in axis.ticks], axis.labels)
        if first is not None and first.mean is not None and first.mean >= axis.low:
            axes.axvline(100 * first.mean, color=LIGHT["muted"], linewidth=0.8, linestyle=(0, (2, 3)), zorder=0)
            label += f"  (dotted: mean of {marks.plain(first.variant)})"
    if any(row.letters for row in rows):
        label += "\nvariants that share a letter do not differ clearly"
    marks.style(axes, label, "", grid="x")
    axes.set_yticks(
        heights, [f"{marks.plain(marks.shortened(row.variant, 32))}   {row.letters}".rstrip() for row in rows]
    )
    axes.tick_params(axis="y", labelsize=11.5, labelcolor=LIGHT["ink"], pad=8)
    axes.set_ylim(-0.6, len(rows) - 0.3)
    _legend(axes, rows)
    return axes


def _draw_row(axes: Axes, row: IntervalRow, y: float, *, beyond: bool) -> None:
    """Mean and interval at this height, the seeds just below, the mean as a number at the right."""
    color = series_color(row.index)
    if beyond:
        axes.annotate("◂ far below", (0.0, y), xycoords=("axes fraction", "data"), va="center", fontsize=10,
                      color=LIGHT["muted"])  # fmt: skip
    elif row.mean is not None:
        values = [100 * value for value in row.runs.values()]
        axes.scatter(values, [y - 0.24] * len(values), s=20, facecolor="none", edgecolor=color, linewidth=1.1, zorder=2)
        if row.interval is not None:
            low, high = row.interval
            axes.plot([100 * low, 100 * high], [y, y], color=color, linewidth=3.2, alpha=0.55, solid_capstyle="round")
        axes.scatter([100 * row.mean], [y], s=62, color=color, zorder=3)
    if row.published is not None:
        axes.scatter([100 * row.published], [y], s=46, marker="D", facecolor=LIGHT["paper"], edgecolor=LIGHT["ink"],
                     linewidth=1.3, zorder=4)  # fmt: skip
    text, color = (wording.percent(row.mean), LIGHT["ink"]) if row.mean is not None else ("no result", LIGHT["muted"])
    axes.annotate(text, (1.0, y), xycoords=("axes fraction", "data"), xytext=(10, 0), textcoords="offset points",
                  va="center", fontsize=11, color=color)  # fmt: skip


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


def _describe(row: IntervalRow) -> str:
    if row.mean is None:
        return f"{row.variant}: no result"
    published = "" if row.published is None else f", published {wording.percent(row.published)}"
    letters = f" ({row.letters})" if row.letters else ""
    return f"{row.variant} {wording.percent(row.mean)} {wording.interval(row.interval)}".rstrip() + published + letters
