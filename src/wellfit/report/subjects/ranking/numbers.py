"""The rows of an interval plot, and the one axis that every form of the ranking uses."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wellfit.base import StudySummary
from wellfit.errors import UnknownNameError
from wellfit.narrative.metrics import is_loss
from wellfit.narrative.phrases import telling
from wellfit.report import wording

__all__ = [
    "Axis",
    "IntervalRow",
    "difference_rows",
    "glance_axis",
    "glance_rows",
    "interval_rows",
    "ranked_rows",
    "score_axis",
]

METRICS: Final = ("test_accuracy", "validation_accuracy", "train_accuracy")

GLANCE: Final = 5
"""Variants beside the first one in the small ranking."""

PAD: Final = 0.06
"""Free space at each end of the axis, as a share of what it shows."""


@dataclass(frozen=True)
class IntervalRow:
    """One variant in an interval plot.

    Args:
      index: position of the variant in the study, from 0.
      runs: seed -> score, for the runs that have one.
      mean: over the seeds; None without runs.
      interval: 95 % interval of the mean; None with fewer than two runs.
      published: the score that the study's source reports, if it reports one.
      letters: in the ranking, variants that share a letter do not differ clearly; empty if nothing was compared.
    """

    variant: str
    index: int
    runs: Mapping[int, float]
    mean: float | None
    interval: tuple[float, float] | None
    published: float | None
    letters: str = ""

    @property
    def values(self) -> tuple[float, ...]:
        """Every number of the row that was measured here."""
        return (*self.runs.values(), *(self.interval or ()))


@dataclass(frozen=True)
class Axis:
    """The axis of an interval plot, in the unit of the metric: shares of 1, or losses.

    Args:
      low, high: where it begins and ends.
      ticks: round values within it.
      cut: how many rows have a mean beyond the axis: below it, or of losses above it.
      metric: what it shows.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    cut: int
    metric: str = "test_accuracy"

    @property
    def scale(self) -> float:
        """What values are multiplied by where they are drawn."""
        return 1.0 if is_loss(self.metric) else 100.0

    def shows(self, value: float) -> bool:
        """Whether a value is on the axis; means far worse than all others and far published values are not."""
        return self.low <= value <= self.high

    @property
    def labels(self) -> tuple[str, ...]:
        """The ticks in the unit of the metric, all with as many decimals as they need."""
        step = self.scale * (self.ticks[1] - self.ticks[0]) if len(self.ticks) > 1 else 1.0
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return tuple(wording.number(self.scale * tick, digits) for tick in self.ticks)


def interval_rows(summary: StudySummary, metric: str | None = None) -> tuple[IntervalRow, ...]:
    """Every variant's runs, mean, interval and published value of a metric, in the study's order.

    Args:
      metric: an accuracy, such as ``"validation_accuracy"``; by default what the variants are compared on.

    Raises:
      UnknownNameError: `metric` is none of these.
    """
    metric = metric or summary.compared
    known_metrics = tuple(dict.fromkeys((*METRICS, summary.compared)))
    if metric not in known_metrics:
        raise UnknownNameError("metric", metric, known_metrics)
    field = metric if metric in METRICS else "test_score"
    rows = []
    for index, v in enumerate(summary.variants):
        scores = {run.seed: getattr(run, field) for run in v.runs}
        runs = {seed: float(x) for seed, x in scores.items() if x is not None and np.isfinite(x)}
        known = (v.mean.get(metric), v.interval.get(metric), v.published.get(metric))
        rows.append(IntervalRow(v.name, index, runs, *known))
    return tuple(rows)


def ranked_rows(summary: StudySummary) -> tuple[IntervalRow, ...]:
    """The rows in the order of the ranking, with their letters; then other tested variants, untested ones last."""
    letters = wording.letters(summary)
    places = {ranked.variant: at for at, ranked in enumerate(summary.ranking)}
    rows = [replace(row, letters=letters.get(row.variant, "")) for row in interval_rows(summary)]

    def place(row: IntervalRow) -> tuple[float, float]:
        sign = 1 if is_loss(summary.compared) else -1
        return places.get(row.variant, math.inf), math.inf if row.mean is None else sign * row.mean

    return tuple(sorted(rows, key=place))


def difference_rows(summary: StudySummary) -> tuple[IntervalRow, ...]:
    """What the verdicts rest on: every variant's paired difference from the first one, in the order of the ranking.

    Returns:
      Rows whose ``mean``, ``interval`` and ``runs`` are differences, ``runs`` of the seeds that both have; the mean of
      the first variant is 0, and that of a variant that was not compared None. Empty if none was compared.
    """
    by_name = {c.variant: c for c in summary.comparisons}
    if not by_name or not summary.variants:
        return ()
    rows = []
    reference = next(row.runs for row in interval_rows(summary) if row.index == 0)
    for row in ranked_rows(summary):
        found = by_name.get(row.variant)
        paired = {seed: score - reference[seed] for seed, score in row.runs.items() if seed in reference}
        mean = 0.0 if row.index == 0 else None if found is None else found.difference
        bounds = found.interval if found is not None and telling(found.interval) else None
        rows.append(replace(row, runs=paired if found is not None else {}, mean=mean, interval=bounds, published=None))
    return tuple(rows)


def glance_rows(summary: StudySummary, *, named: bool = True) -> tuple[IntervalRow, ...]:
    """What the page's first screen shows, in the order of the ranking.

    Args:
      named: whether with those that the answer names.

    Returns:
      The first variant, the best five others, and those that the answer beside it names; only tested ones. Empty if the
      first one has no result or nothing beside it.
    """
    rows = [row for row in ranked_rows(summary) if row.mean is not None]
    best = [row.variant for row in rows if row.index != 0][:GLANCE]
    answer = summary.conclusion[1].text if len(summary.conclusion) > 1 else ""
    shown = tuple(
        row for row in rows if row.index == 0 or row.variant in best or (named and _named(row.variant, answer))
    )
    return shown if len(shown) > 1 and any(row.index == 0 for row in shown) else ()


def _named(variant: str, text: str) -> bool:
    """Whether a sentence names a variant, and not one whose name contains its name.

    Example:
      >>> _named("l2", "Of 3 variants, l2+dropout was better."), _named("l2", "Of 3 variants, l1 and l2 were better.")
      (False, True)
    """
    return re.search(rf"(?<![^\s(]){re.escape(variant)}(?![^\s,;.)])", text) is not None


def score_axis(rows: Sequence[IntervalRow], metric: str = "test_accuracy") -> Axis | None:
    """The axis that shows every row, except rows whose mean is far worse than the others.

    A mean more than three interquartile ranges below the lower quartile (Tukey's outer fence), or of losses above the
    upper one, would squeeze all other rows together, so the axis leaves it out. So it does with a published value that
    is farther from what was measured than that is wide.

    Args:
      rows: of the plot.
      metric: what they show.

    Returns:
      The axis; None if no row has a mean.
    """
    means = [row.mean for row in rows if row.mean is not None]
    if not means:
        return None
    sign = -1.0 if is_loss(metric) else 1.0  # the larger the better
    lower, upper = np.quantile([sign * mean for mean in means], [0.25, 0.75])
    fence = float(min(lower - 3 * (upper - lower), lower - 0.01))
    inside = [row for row in rows if row.mean is not None and sign * row.mean >= fence]
    axis = _spanned(inside, metric)
    # the seeds of those may reach beyond a mean that was left out; then all of its row has to fit, too
    while len(more := [row for row in rows if row.mean is not None and axis.shows(row.mean)]) > len(inside):
        inside, axis = more, _spanned(more, metric)
    return _ticked(axis, means)


def glance_axis(summary: StudySummary, rows: Sequence[IntervalRow]) -> Axis | None:
    """The axis of the page's first screen, which leaves out only what the whole ranking leaves out.

    Args:
      rows: of the first screen.
    """
    whole = score_axis(ranked_rows(summary), summary.compared)
    means = [row.mean for row in rows if row.mean is not None]
    if whole is None or not means:
        return None
    inside = [row for row in rows if row.mean is not None and whole.shows(row.mean)]
    return _ticked(_spanned(inside, summary.compared) if inside else whole, means)


def _ticked(axis: Axis, means: Sequence[float]) -> Axis:
    """The axis with ticks that are round as its labels are, in percent or plain, and the number of means beyond it."""
    from matplotlib.ticker import MaxNLocator

    low, high = axis.scale * axis.low, axis.scale * axis.high
    ticks = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, high)
    shown = tuple(float(tick) / axis.scale for tick in np.asarray(ticks) if low <= tick <= high)
    return replace(axis, ticks=shown, cut=sum(not axis.shows(mean) for mean in means))


def _spanned(rows: Sequence[IntervalRow], metric: str) -> Axis:
    """The axis, without ticks, on which everything of these rows fits but far published values."""
    values = [x for row in rows for x in (row.mean, *row.values) if x is not None]
    low, high = min(values), max(values)
    room = max(high - low, 0.01)
    near = [row.published for row in rows if row.published is not None]
    near = [value for value in near if low - room <= value <= high + room]
    low, high = min([low, *near]), max([high, *near])
    pad = PAD * (high - low) if high - low > 1e-4 else 0.005  # equal but for rounding: ticks need some width
    return Axis(low - pad, high + pad, (), 0, metric)
