"""The ranking in the report: a figure in written forms, rows of text and boxes on the page.

The page needs no picture of the plot: names, numbers and marks are elements of a list, so that they wrap on a narrow
screen, are read aloud in order and show each seed's value under the pointer. The rows and the axis are those of the
static figure; only percents of the strip's width are computed here. A second view has the paired differences from the
first variant, and the page's first screen a small ranking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from wellfit.base import StudyDetails, StudySummary
from wellfit.narrative.metrics import is_loss
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Drawing, Part
from wellfit.report.subjects.ranking.numbers import (
    Axis,
    IntervalRow,
    difference_rows,
    glance_axis,
    glance_rows,
    ranked_rows,
    score_axis,
)
from wellfit.report.subjects.ranking.static import BEYOND, MANY, plot_glance, plot_ranking

__all__ = ["Strip", "View", "fragment", "glance", "parts"]


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
      verdict: against the first variant, itself the ``"reference"``; empty if nothing was compared.
    """

    row: IntervalRow
    mean: str
    interval: str
    at: float | None
    low: float | None
    high: float | None
    seeds: tuple[tuple[float, str], ...]
    published: tuple[float, str] | None
    verdict: str = ""


@dataclass(frozen=True)
class View:
    """The rows on one axis.

    Args:
      kind: ``"score"``, or ``"difference"`` from the first variant.
      ticks: place and text.
      reference: place of the first variant's mean; None if it is beyond the axis or there is none.
      margin: places of the ends of the margin of equivalence, in the view of differences.
      cut: a sentence on the means beyond the axis; empty if there are none.
    """

    kind: str
    strips: tuple[Strip, ...]
    ticks: tuple[tuple[float, str], ...]
    reference: float | None
    margin: tuple[float, float] | None
    cut: str
    beyond: str


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The ranked interval plot; nothing before any run has been tested."""
    rows = ranked_rows(summary)
    if (axis := score_axis(rows, summary.compared)) is None:
        return []
    bounds = " and its 95 % interval" if any(row.interval is not None for row in rows) else ""
    name = wording.capitalized(wording.compared(summary))
    lower = " Lower is better." if is_loss(summary.compared) else ""
    caption = f"{name} of every variant: its seeds, their mean{bounds}, best mean first.{lower}"
    whole = Drawing("ranking", f"{caption} {_cut(axis)}".rstrip(), partial(plot_ranking, summary))
    if len(rows) <= MANY or not (few := glance_rows(summary, named=False)):
        return [whole]
    small = f"{name} of {summary.variants[0].name} and the best others: {len(few)} of {len(summary.variants)} variants."
    return [Drawing("ranking-glance", small, partial(plot_glance, summary)), whole]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The rows of the page, best mean first, in one view or two; nothing before any run has been tested."""
    rows = ranked_rows(summary)
    if (scores := _view("score", rows, summary)) is None:
        return {}
    differences = _view("difference", difference_rows(summary), summary)
    return {
        "views": (scores,) if differences is None else (scores, differences),
        "rows": tuple(zip(*(view.strips for view in (scores, differences) if view is not None), strict=True)),
        "name": wording.capitalized(wording.compared(summary)),
        "shows_seeds": any(len(row.runs) > 1 for row in rows),
        "shows_intervals": any(row.interval is not None for row in rows),
        "shows_published": any(row.published is not None for row in rows),
        "shows_letters": any(row.letters for row in rows),
        "shows_verdicts": differences is not None,
    }


def glance(summary: StudySummary) -> dict[str, Any]:
    """The small ranking of the first screen: the first variant and the best others; empty if there is nothing to rank.

    Returns:
      ``view``; ``ticks``, the outermost two; ``name`` of the metric; how many variants there are in ``all``, and how
      many are ``shown``.
    """
    rows = glance_rows(summary)
    if (axis := glance_axis(summary, rows)) is None:
        return {}
    view = _view_on(axis, "score", rows, summary)
    few = [tick for at, tick in enumerate(view.ticks) if at in (0, len(view.ticks) - 1)]
    name = wording.capitalized(wording.compared(summary))
    return {"view": view, "ticks": few, "name": name, "all": len(summary.variants), "shown": len(rows)}


def _view(kind: str, rows: Sequence[IntervalRow], summary: StudySummary) -> View | None:
    """The rows as strips on the axis that shows them; None without any mean."""
    axis = score_axis(rows, summary.compared)
    return None if axis is None else _view_on(axis, kind, rows, summary)


def _view_on(axis: Axis, kind: str, rows: Sequence[IntervalRow], summary: StudySummary) -> View:
    difference = kind == "difference"
    first = next((row.mean for row in rows if row.index == 0), None)
    verdicts = {v.name: wording.verdict_against_first(summary, v) or "" for v in summary.variants}
    verdicts |= {summary.variants[0].name: "reference"} if any(verdicts.values()) else {}
    ends = [max(axis.low, -summary.margin), min(axis.high, summary.margin)]
    return View(
        kind=kind,
        strips=tuple(_strip(row, axis, difference, verdicts[row.variant]) for row in rows),
        ticks=tuple((_place(tick, axis), text) for tick, text in zip(axis.ticks, axis.labels, strict=True)),
        reference=_place(first, axis) if first is not None and axis.shows(first) else None,
        margin=(_place(ends[0], axis), _place(ends[1], axis)) if difference and ends[0] < ends[1] else None,
        cut=_cut(axis),
        beyond=BEYOND[is_loss(axis.metric)],
    )


def _place(value: float, axis: Axis) -> float:
    return round(100 * (value - axis.low) / (axis.high - axis.low), 2)


def _strip(row: IntervalRow, axis: Axis, difference: bool, verdict: str) -> Strip:
    def text(value: float | None) -> tuple[str, str]:
        if difference:
            return wording.difference(value or 0.0, row.interval, axis.metric)
        return wording.amount(value, axis.metric), wording.bounds(row.interval, axis.metric)

    inside = row.mean is not None and axis.shows(row.mean)
    low, high = (_place(bound, axis) for bound in row.interval) if row.interval and inside else (None, None)
    seeds = ((_place(x, axis), f"seed {seed}: {text(x)[0]}") for seed, x in row.runs.items())
    published = row.published if row.published is not None and axis.shows(row.published) else None
    source = "" if published is None else f"published: {wording.amount(published, axis.metric)}"
    mean, bounds = text(row.mean)
    nothing = wording.NOTHING if difference else "no result"
    return Strip(
        row=row,
        mean="" if difference and row.index == 0 else nothing if row.mean is None else mean,
        interval="" if row.mean is None else bounds,
        at=_place(row.mean, axis) if row.mean is not None and inside else None,
        low=low,
        high=high,
        seeds=tuple(seeds) if inside else (),
        published=None if published is None else (_place(published, axis), source),
        verdict=verdict,
    )


def _cut(axis: Axis) -> str:
    """A sentence on the means beyond the axis; empty if there are none."""
    if not axis.cut:
        return ""
    means = "one mean" if axis.cut == 1 else f"{axis.cut} means"
    left, below = ("Right", "above") if is_loss(axis.metric) else ("Left", "below")
    return f"{left} of the axis: {means} far {below} the others."
