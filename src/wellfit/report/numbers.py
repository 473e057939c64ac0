"""Numbers that several figures share: curves over the seeds, and which variants are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from wellfit.base import HISTORY_COLUMNS, FloatArray, History, IntArray, StudySummary, VariantSummary
from wellfit.errors import UnknownNameError

__all__ = [
    "FEW",
    "METRICS",
    "SERIES",
    "Curve",
    "curve_data",
    "curve_of",
    "ends_early",
    "find_variant",
    "has_epochs",
    "highlighted",
    "interesting",
    "last_epoch",
    "mean_curve",
    "of_variants",
    "scale",
    "shown_first",
]

SERIES: Final = 7
"""How many colors the variants have; further variants use them again, with another mark."""

FEW: Final = 6
"""How many variants have their colors in one figure of curves; of more variants, the others are gray."""

OUTLIER: Final = 12.0
"""How many times farther than usual from the middle of all curves one is that may leave the panel."""

METRICS: Final[Mapping[str, tuple[float, str]]] = {
    "loss": (1.0, "cross-entropy loss"),
    "accuracy": (100.0, "accuracy, percent"),
}
"""Metric -> factor for its values, label of its axis."""

HIGHLIGHTED: Final = 4
"""Up to this many variants, each has figures of its own in a written report."""


Known = TypeVar("Known")


@dataclass(frozen=True, eq=False)
class Curve:
    """A column of the history over the runs of a variant, see `curve_of`.

    Every epoch covers the runs that have a finite value there; ``n`` shows how many.

    Args:
      epochs: from 1, int64.  # (E,)
      mean: over the runs with a value, float64.  # (E,)
      low, high: the lowest and the highest of them; NaN if there are fewer than two.  # (E,)
      n: how many runs have a value, at least 1, int64.  # (E,)
    """

    epochs: IntArray  # (E,)
    mean: FloatArray  # (E,)
    low: FloatArray  # (E,)
    high: FloatArray  # (E,)
    n: IntArray  # (E,)


def find_variant(summary: StudySummary, name: str) -> tuple[int, VariantSummary]:
    """A variant and its position in the study, from 0.

    Raises:
      UnknownNameError: the study has no such variant.
    """
    for index, variant in enumerate(summary.variants):
        if variant.name == name:
            return index, variant
    raise UnknownNameError("variant", name, [v.name for v in summary.variants], f"study {summary.name!r}")


def of_variants(summary: StudySummary, known: Mapping[str, Known]) -> list[tuple[int, str, Known]]:
    """Position, name and what is known of every variant of which something is, in the study's order."""
    return [(index, v.name, known[v.name]) for index, v in enumerate(summary.variants) if v.name in known]


def last_epoch(summary: StudySummary) -> int:
    """The last epoch of any variant: some may train for longer than the base recipe."""
    planned = [int(v.settings.get("epochs", 0)) for v in summary.variants]
    finished = [len(history) for runs in summary.histories.values() for history in runs.values()]
    return max([summary.epochs, *planned, *finished])


def highlighted(summary: StudySummary) -> tuple[str, ...]:
    """The variants that get figures of their own in a written report.

    Returns:
      All names up to `HIGHLIGHTED` variants; of more, the first and the best others by mean validation accuracy.

    Example:
      >>> s = StudySummary("s", "?", "d", "running", (), 5, 3.0, "", (), (), (), "", {}, {}, (), {}, {})
      >>> highlighted(s)
      ()
    """
    names = [v.name for v in summary.variants]
    if len(names) <= HIGHLIGHTED:
        return tuple(names)
    scores = {v.name: v.mean.get("validation_accuracy", 0.0) for v in summary.variants[1:]}
    best = sorted(scores, key=lambda name: -scores[name])[: HIGHLIGHTED - 1]
    return tuple(name for name in names if name in (names[0], *best))


def shown_first(summary: StudySummary) -> frozenset[int]:
    """The variants, by position, that have their colors in figures of curves.

    Returns:
      All positions up to `FEW` variants; of more, the first variant and the best others by mean validation accuracy.
    """
    if len(summary.variants) <= FEW:
        return frozenset(range(len(summary.variants)))
    scores = {i: v.mean.get("validation_accuracy", 0.0) for i, v in enumerate(summary.variants) if i}
    return frozenset([0, *sorted(scores, key=lambda i: (-scores[i], i))[: FEW - 1]])


def scale(metric: str) -> tuple[float, str]:
    """The factor for a metric's values and the label of its axis.

    Raises:
      UnknownNameError: `metric` is not in `METRICS`.
    """
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    return METRICS[metric]


def has_epochs(summary: StudySummary) -> bool:
    """Whether any run has finished an epoch."""
    return any(len(history) for runs in summary.histories.values() for history in runs.values())


def interesting(curves: Iterable[Curve]) -> tuple[float, float]:
    """The part of the value axis that shows how several curves differ.

    In the first epochs a loss falls so far that nothing else could be seen. What counts is where the curves end, and
    the middle nine tenths of all values after the first third of the epochs. A curve far from all others, of a variant
    that does not learn, does not count.

    Returns:
      Bounds with a margin, in the unit of the curves; not below zero if no value is.

    Example:
      >>> low, high = interesting([mean_curve([np.array([9.0, 1.0, 0.5])])])
      >>> 0.4 < low < 0.5, 1.0 < high < 1.1
      (True, True)
    """
    late = [curve.mean[len(curve.mean) // 3 :] for curve in curves if len(curve.mean)]
    if not late:
        return 0.0, 1.0
    middles = np.array([np.median(mean) for mean in late])  # (C,)
    distances = np.abs(middles - np.median(middles))
    usual = float(np.median(distances + [np.ptp(mean) / 2 for mean in late]))
    near = [mean for mean, distance in zip(late, distances, strict=True) if distance <= OUTLIER * usual or not usual]
    values = [*np.quantile(np.concatenate(near), (0.05, 0.95)), *(mean[-1] for mean in near)]
    low, high = float(min(values)), float(max(values))
    margin = 0.06 * (high - low) or 0.01
    return (max(low - margin, 0.0) if low >= 0 else low - margin), high + margin


def curve_data(summary: StudySummary, variant: str, column: str) -> Curve:
    """Mean and range over the seeds of a column of the history.

    Args:
      column: one of ``wellfit.base.HISTORY_COLUMNS``.

    Returns:
      The curve; without epochs if no run has any.

    Raises:
      UnknownNameError: there is no such variant or column.
    """
    find_variant(summary, variant)
    if column not in HISTORY_COLUMNS:
        raise UnknownNameError("history column", column, HISTORY_COLUMNS)
    return curve_of(summary, variant, lambda history: history[column])


def curve_of(summary: StudySummary, variant: str, values: Callable[[History], FloatArray]) -> Curve:
    """Mean and range over the seeds of what is computed from the epochs of each run.

    The curve ends where the first run that ended does: beyond, its mean would jump where early stopping ends a run, and
    end as that of a single one. Before any has ended, it ends where half of the runs have come. For the same reason,
    runs that have not come that far do not count yet. Diverged runs, which are part of no mean, are left out, unless
    there are no others.

    Args:
      values: of the epochs of a run.  # (E,)
    """
    states = {run.seed: run.state for run in find_variant(summary, variant)[1].runs}
    histories = summary.histories.get(variant, {})
    sound = {seed: of for seed, of in histories.items() if states.get(seed) != "diverged" and len(of)}
    ended = {seed: of for seed, of in sound.items() if states.get(seed) in ("finished", "stopped")}
    if not sound:
        return mean_curve(map(values, histories.values()))
    last = min(map(len, ended.values())) if ended else _usual(map(len, sound.values()))
    return mean_curve(values(of)[:last] for of in sound.values() if len(of) >= last)


def _usual(lengths: Iterable[int]) -> int:
    """How far at least half of the runs have come, of at least one."""
    known = sorted(lengths, reverse=True)
    return known[(len(known) - 1) // 2]


def ends_early(summary: StudySummary) -> bool:
    """Whether any variant has runs that end before its others, and thus a curve that ends where the first one does."""
    for variant in summary.variants:
        histories = summary.histories.get(variant.name, {})
        ended = [run.seed for run in variant.runs if run.state in ("finished", "stopped") and run.seed in histories]
        if len({len(histories[seed]) for seed in ended}) > 1:
            return True
    return False


def mean_curve(runs: Iterable[FloatArray]) -> Curve:
    """Mean and range by epoch over runs of unequal length.

    Args:
      runs: one value per epoch each, NaN if the run has none.  # each (E,)
    """
    columns = [np.asarray(run, dtype=np.float64) for run in runs]
    table: NDArray[np.float64] = np.full((len(columns), max(map(len, columns), default=0)), np.nan)  # (R, E)
    for row, column in zip(table, columns, strict=True):
        row[: len(column)] = np.where(np.isfinite(column), column, np.nan)
    known = np.isfinite(table)  # (R, E)
    kept = known.any(axis=0)  # (E,)
    table, known = table[:, kept], known[:, kept]
    n = known.sum(axis=0)  # (E,)
    mean = np.where(known, table, 0.0).sum(axis=0) / np.maximum(n, 1)
    low = np.where(n >= 2, np.where(known, table, np.inf).min(axis=0, initial=np.inf), np.nan)
    high = np.where(n >= 2, np.where(known, table, -np.inf).max(axis=0, initial=-np.inf), np.nan)
    return Curve(np.flatnonzero(kept) + 1, mean, low, high, n)
