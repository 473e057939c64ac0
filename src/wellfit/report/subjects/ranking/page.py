"""The ranking of the variants as rows of a plot that is made of text and boxes: it needs no script and fits any width.

Positions are percents of the plot's width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from wellfit.base import StudySummary
from wellfit.report import wording
from wellfit.report.numbers import IntervalRow, ranked_intervals

__all__ = ["Ranking", "Strip", "make_ranking", "ticks"]


@dataclass(frozen=True)
class Strip:
    """One variant's row.

    Args:
      index, name: its position in the study, and its name.
      letters: variants that share none are told apart; empty where nothing was compared.
      mean, interval: in numbers, as text.
      at: where the mean stands; None where it lies left of the plot.
      low, high: where the interval's ends stand; None without an interval.
      seeds: place and text of every run.
      published: place and text of the published value.
    """

    index: int
    name: str
    letters: str
    mean: str
    interval: str
    at: float | None
    low: float | None
    high: float | None
    seeds: tuple[tuple[float, str], ...]
    published: tuple[float, str] | None


@dataclass(frozen=True)
class Ranking:
    """All rows, the best mean first, over one axis; ``reference`` is where the first variant's mean stands.

    What some row has is told below them: ``shows_seeds`` (several), ``shows_intervals``, ``shows_published``,
    ``shows_letters``.
    """

    rows: tuple[Strip, ...]
    ticks: tuple[tuple[float, str], ...]
    reference: float | None
    shows_seeds: bool
    shows_intervals: bool
    shows_published: bool
    shows_letters: bool
    cut: int


def make_ranking(summary: StudySummary) -> Ranking | None:
    """The variants by their mean test accuracy.

    A variant that lies far below the others (more than three interquartile ranges below the lower quartile, Tukey's
    outer fence) would press all others together: its row says its numbers, and the axis ends before it.

    Args:
      summary: the study.

    Returns:
      The ranking, or None before any run was tested.
    """
    found = ranked_intervals(summary)
    first = next((row.mean for row, _ in found if row.index == 0), None)
    means = [row.mean for row, _ in found if row.mean is not None]
    if not means:
        return None
    fence = _fence(means)
    on_axis = [x for row, _ in found if row.mean is not None and row.mean >= fence for x in _values(row)]
    low, high = min(on_axis), max(on_axis)
    pad = 0.06 * (high - low) or 0.005
    low, high = low - pad, high + pad

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    return Ranking(
        rows=tuple(_strip(row, letters, place) for row, letters in found),
        ticks=tuple((place(x / 100), text) for x, text in ticks(100 * low, 100 * high)),
        reference=place(first) if first is not None and first >= fence else None,
        shows_seeds=any(len(row.runs) > 1 for row, _ in found),
        shows_intervals=any(row.interval is not None for row, _ in found),
        shows_published=any(row.published is not None for row, _ in found),
        shows_letters=any(letters for _, letters in found),
        cut=sum(mean < low for mean in means),
    )


def ticks(low: float, high: float, most: int = 6) -> list[tuple[float, str]]:
    """Round numbers between two bounds, and their texts.

    Example:
      >>> ticks(87.2, 89.4, most=5)
      [(87.5, '87.5'), (88.0, '88.0'), (88.5, '88.5'), (89.0, '89.0')]
    """
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    start, end = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(round(n * step, 9), f"{n * step:.{digits}f}") for n in range(start, end + 1)]


def _fence(means: Sequence[float]) -> float:
    lower, upper = np.quantile(means, [0.25, 0.75])
    return float(min(lower - 3 * (upper - lower), lower - 0.01))


def _values(row: IntervalRow) -> list[float]:
    return [*row.runs.values(), *(row.interval or ()), *([] if row.published is None else [row.published])]


def _strip(row: IntervalRow, letters: str, place: Callable[[float], float]) -> Strip:
    at = None if row.mean is None else place(row.mean)
    inside = at is not None and at >= 0
    ends = [place(bound) for bound in row.interval] if row.interval and inside else [None, None]
    shown = row.published if row.published is not None and place(row.published) >= 0 else None
    seeds = ((place(value), f"seed {seed}: {wording.percent(value)}") for seed, value in row.runs.items())
    return Strip(
        index=row.index,
        name=row.variant,
        letters=letters,
        mean=wording.percent(row.mean) if row.mean is not None else "no result",
        interval=wording.interval(row.interval),
        at=at if inside else None,
        low=ends[0],
        high=ends[1],
        seeds=tuple(seeds) if inside else (),
        published=None if shown is None else (place(shown), f"published: {wording.percent(shown)}"),
    )
