"""The ranking in the report: a figure in written forms, rows of text and boxes on the page.

The page needs no picture of the plot: names, numbers and marks are elements of a list, so that they wrap on a narrow
screen, are read aloud in order and show each seed's value under the pointer. The rows and the axis are those of the
static figure; only percents of the strip's width are computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.narrative.metrics import is_loss
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Drawing, Part
from wellfit.report.subjects.ranking.numbers import Axis, IntervalRow, ranked_rows, score_axis
from wellfit.report.subjects.ranking.static import BEYOND, plot_ranking

__all__ = ["Strip", "fragment", "parts"]


@dataclass(frozen=True)
class Strip:
    """One row of the page's ranking; places are percents of the strip's width.

    Args:
      row: its numbers.
      mean, interval: as text.
      at: place of the mean; None if it is beyond the axis or there is none.
      low, high: places of the interval's ends; None without an interval.
      seeds: place and text of every run.
      published: place and text of the published value.
    """

    row: IntervalRow
    mean: str
    interval: str
    at: float | None
    low: float | None
    high: float | None
    seeds: tuple[tuple[float, str], ...]
    published: tuple[float, str] | None


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The ranked interval plot; nothing before any run has been tested."""
    rows = ranked_rows(summary)
    if (axis := score_axis(rows, summary.compared)) is None:
        return []
    bounds = " and its 95 % interval" if any(row.interval is not None for row in rows) else ""
    name = wording.capitalized(wording.compared(summary))
    lower = " Lower is better." if is_loss(summary.compared) else ""
    caption = f"{name} of every variant: its seeds, their mean{bounds}, best mean first.{lower}"
    return [Drawing("ranking", f"{caption} {_cut(axis)}".rstrip(), partial(plot_ranking, summary))]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The rows of the page, best mean first; nothing before any run has been tested."""
    rows = ranked_rows(summary)
    if (axis := score_axis(rows, summary.compared)) is None:
        return {}
    first = next(row.mean for row in rows if row.index == 0)
    return {
        "strips": tuple(_strip(row, axis) for row in rows),
        "ticks": tuple((_place(tick, axis), text) for tick, text in zip(axis.ticks, axis.labels, strict=True)),
        "reference": _place(first, axis) if first is not None and axis.shows(first) else None,
        "shows_seeds": any(len(row.runs) > 1 for row in rows),
        "shows_intervals": any(row.interval is not None for row in rows),
        "shows_published": any(row.published is not None for row in rows),
        "shows_letters": any(row.letters for row in rows),
        "cut": _cut(axis),
        "beyond": BEYOND[is_loss(axis.metric)],
    }


def _place(value: float, axis: Axis) -> float:
    return round(100 * (value - axis.low) / (axis.high - axis.low), 2)


def _strip(row: IntervalRow, axis: Axis) -> Strip:
    inside = row.mean is not None and axis.shows(row.mean)
    low, high = (_place(bound, axis) for bound in row.interval) if row.interval and inside else (None, None)
    seeds = ((_place(x, axis), f"seed {seed}: {wording.amount(x, axis.metric)}") for seed, x in row.runs.items())
    published = row.published if row.published is not None and axis.shows(row.published) else None
    source = "" if published is None else f"published: {wording.amount(published, axis.metric)}"
    return Strip(
        row=row,
        mean=wording.amount(row.mean, axis.metric) if row.mean is not None else "no result",
        interval=wording.bounds(row.interval, axis.metric),
        at=_place(row.mean, axis) if row.mean is not None and inside else None,
        low=low,
        high=high,
        seeds=tuple(seeds) if inside else (),
        published=None if published is None else (_place(published, axis), source),
    )


def _cut(axis: Axis) -> str:
    """A sentence on the means beyond the axis; empty if there are none."""
    if not axis.cut:
        return ""
    means = "one mean" if axis.cut == 1 else f"{axis.cut} means"
    left, below = ("Right", "above") if is_loss(axis.metric) else ("Left", "below")
    return f"{left} of the axis: {means} far {below} the others."
