"""The rows of an interval plot, and the one axis of accuracies that every form of the ranking uses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wellfit.base import StudySummary
from wellfit.errors import UnknownNameError
from wellfit.report import wording

__all__ = ["Axis", "IntervalRow", "accuracy_axis", "interval_rows", "ranked_rows"]

METRICS: Final = ("test_accuracy", "validation_accuracy", "train_accuracy")

PAD: Final = 0.06
"""Free space at each end of the axis, as a share of what it shows."""


@dataclass(frozen=True)
class IntervalRow:
    """One variant in an interval plot.

    Args:
      index: position of the variant in the study, from 0.
      runs: seed -> accuracy, for the runs that have one.
      mean: over the seeds; None without runs.
      interval: 95 % interval of the mean; None with fewer than two runs.
      published: the accuracy that the study's source reports, if it reports one.
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
        """Every number that the row shows."""
        published = () if self.published is None else (self.published,)
        return (*self.runs.values(), *(self.interval or ()), *published)


@dataclass(frozen=True)
class Axis:
    """The axis of an interval plot, in shares of 1.

    Args:
      low, high: where it begins and ends.
      ticks: round values within it.
      cut: how many rows have a mean below the axis.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    cut: int

    @property
    def labels(self) -> tuple[str, ...]:
        """The ticks in percent, all with as many decimals as they need."""
        step = 100 * (self.ticks[1] - self.ticks[0]) if len(self.ticks) > 1 else 1.0
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return tuple(wording.number(100 * tick, digits) for tick in self.ticks)


def interval_rows(summary: StudySummary, metric: str = "test_accuracy") -> tuple[IntervalRow, ...]:
    """Every variant's runs, mean, interval and published value of an accuracy, in the study's order.

    Args:
      metric: ``"test_accuracy"``, ``"validation_accuracy"`` or ``"train_accuracy"``.

    Raises:
      UnknownNameError: `metric` is none of these.
    """
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    rows = []
    for index, v in enumerate(summary.variants):
        scores = {run.seed: getattr(run, metric) for run in v.runs}
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
        return places.get(row.variant, math.inf), math.inf if row.mean is None else -row.mean

    return tuple(sorted(rows, key=place))


def accuracy_axis(rows: Sequence[IntervalRow]) -> Axis | None:
    """The axis that shows every row, except rows whose mean is far below the others.

    A mean more than three interquartile ranges below the lower quartile (Tukey's outer fence) would squeeze all other
    rows together, so the axis starts above it.

    Returns:
      The axis; None if no row has a mean.
    """
    from matplotlib.ticker import MaxNLocator

    means = [row.mean for row in rows if row.mean is not None]
    if not means:
        return None
    lower, upper = np.quantile(means, [0.25, 0.75])
    fence = float(min(lower - 3 * (upper - lower), lower - 0.01))
    values = [x for row in rows if row.mean is not None and row.mean >= fence for x in (row.mean, *row.values)]
    low, high = min(values), max(values)
    pad = PAD * (high - low) if high - low > 1e-4 else 0.005  # equal but for rounding: ticks need some width
    low, high = low - pad, high + pad
    # in percent, as the labels are: steps of 1, 2 or 5 are round there
    ticks = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(100 * low, 100 * high)
    inside = tuple(float(tick) / 100 for tick in np.asarray(ticks) if 100 * low <= tick <= 100 * high)
    return Axis(low, high, inside, cut=sum(mean < low for mean in means))
