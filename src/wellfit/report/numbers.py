"""What the figures show, computed apart from drawing it: the same numbers for the static and the interactive form."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wellfit.base import HISTORY_COLUMNS, FloatArray, IntArray, StudySummary, VariantSummary
from wellfit.errors import UnknownNameError
from wellfit.report import wording

__all__ = [
    "Curve",
    "IntervalRow",
    "curve_data",
    "find_variant",
    "gap_data",
    "interval_data",
    "last_epoch",
    "median_epochs",
    "ranked_intervals",
]

INTERVAL_METRICS = ("test_accuracy", "validation_accuracy", "train_accuracy")


@dataclass(frozen=True, eq=False)
class Curve:
    """A column of the history over the runs of a variant.

    Where runs end at different epochs, every epoch speaks of the runs still going: a run is going at an epoch if its
    history has a finite number there. A mean may therefore jump where a run ends; ``n`` says where.

    Args:
      epochs: from 1, int64.  # (E,)
      mean: mean over the runs still going, float64.  # (E,)
      low, high: the lowest and the highest of them; NaN where fewer than two are going.  # (E,)
      n: how many are going, at least 1, int64.  # (E,)
    """

    epochs: IntArray  # (E,)
    mean: FloatArray  # (E,)
    low: FloatArray  # (E,)
    high: FloatArray  # (E,)
    n: IntArray  # (E,)


@dataclass(frozen=True)
class IntervalRow:
    """One row of an interval plot.

    Args:
      variant: the variant's name.
      index: its position in the study, from 0.
      runs: seed -> the run's value, for the runs that have one.
      mean: their mean; None without runs.
      interval: its 95 % interval; None with fewer than two runs.
      published: what the source of the study reports; None if it reports nothing.
    """

    variant: str
    index: int
    runs: Mapping[int, float]
    mean: float | None
    interval: tuple[float, float] | None
    published: float | None


def find_variant(summary: StudySummary, name: str) -> tuple[int, VariantSummary]:
    """A variant and its position in the study.

    Args:
      summary: the study.
      name: the variant's name.

    Returns:
      Position from 0, and the variant.

    Raises:
      UnknownNameError: the study has no such variant.
    """
    for index, variant in enumerate(summary.variants):
        if variant.name == name:
            return index, variant
    raise UnknownNameError("variant", name, [v.name for v in summary.variants], f"study {summary.name!r}")


def last_epoch(summary: StudySummary) -> int:
    """The last epoch that any variant goes through: some train for longer than the base recipe.

    Args:
      summary: the study, which may still be at work.
    """
    asked = [int(v.settings.get("epochs", 0)) for v in summary.variants]
    known = [len(history) for seeds in summary.histories.values() for history in seeds.values()]
    return max([summary.epochs, *asked, *known])


def curve_data(summary: StudySummary, variant: str, column: str) -> Curve:
    """Mean and range over the seeds of a column of the history.

    Args:
      summary: the study.
      variant: name of one of its variants.
      column: one of ``wellfit.base.HISTORY_COLUMNS``.

    Returns:
      The curve; without epochs if no run has any.

    Raises:
      UnknownNameError: there is no such variant or column.
    """
    find_variant(summary, variant)
    if column not in HISTORY_COLUMNS:
        raise UnknownNameError("history column", column, HISTORY_COLUMNS)
    return _over_runs(history[column] for history in summary.histories.get(variant, {}).values())


def gap_data(summary: StudySummary, variant: str) -> Curve:
    """Training minus validation accuracy by epoch, paired within each run, then mean and range over the seeds.

    Args:
      summary: the study.
      variant: name of one of its variants.

    Returns:
      The curve, as a share of 1.

    Raises:
      UnknownNameError: there is no such variant.
    """
    find_variant(summary, variant)
    histories = summary.histories.get(variant, {}).values()
    return _over_runs(h["train_accuracy"] - h["validation_accuracy"] for h in histories)


def interval_data(summary: StudySummary, metric: str = "test_accuracy") -> tuple[IntervalRow, ...]:
    """Every variant's runs, mean, interval and published value of an accuracy.

    Args:
      summary: the study.
      metric: ``"test_accuracy"``, ``"validation_accuracy"`` or ``"train_accuracy"``.

    Returns:
      One row a variant, in the study's order, those without runs included.

    Raises:
      UnknownNameError: it is none of these metrics.
    """
    if metric not in INTERVAL_METRICS:
        raise UnknownNameError("metric", metric, INTERVAL_METRICS)
    rows = []
    for index, variant in enumerate(summary.variants):
        runs = {run.seed: getattr(run, metric) for run in variant.runs}
        kept = {seed: float(x) for seed, x in runs.items() if x is not None and np.isfinite(x)}
        mean, bounds = variant.mean.get(metric), variant.interval.get(metric)
        rows.append(IntervalRow(variant.name, index, kept, mean, bounds, variant.published.get(metric)))
    return tuple(rows)


def ranked_intervals(summary: StudySummary) -> tuple[tuple[IntervalRow, str], ...]:
    """The variants by their mean test accuracy, the best first, with the letters of the ranking.

    Args:
      summary: the study.

    Returns:
      Rows and letters: variants that share a letter are not told apart; empty where nothing could be compared, as of
      one seed. Variants without a test result stand last, in the study's order.
    """
    letters = wording.letters(summary)
    rows = sorted(interval_data(summary), key=lambda row: -math.inf if row.mean is None else row.mean, reverse=True)
    return tuple((row, letters.get(row.variant, "")) for row in rows)


def median_epochs(summary: StudySummary, variant: str) -> tuple[float | None, float | None]:
    """Where a variant's runs are best and where they are read, in the middle of its seeds.

    Args:
      summary: the study.
      variant: name of one of its variants.

    Returns:
      The median epoch of lowest validation loss and the median readout epoch, from 1; None where no run has one.

    Raises:
      UnknownNameError: there is no such variant.
    """
    runs = find_variant(summary, variant)[1].runs
    best = [run.best_epoch for run in runs if run.best_epoch is not None]
    read = [run.readout_epoch for run in runs if run.readout_epoch is not None]
    return (float(np.median(best)) if best else None), (float(np.median(read)) if read else None)


def _over_runs(runs: Iterable[FloatArray]) -> Curve:
    """Mean and range by epoch over runs of unequal length."""
    columns = [np.asarray(run, dtype=np.float64) for run in runs]
    table: NDArray[np.float64] = np.full((len(columns), max(map(len, columns), default=0)), np.nan)  # (R, E)
    for row, column in zip(table, columns, strict=True):
        row[: len(column)] = np.where(np.isfinite(column), column, np.nan)
    going = np.isfinite(table)  # (R, E)
    kept = going.any(axis=0)  # (E,)
    table, going = table[:, kept], going[:, kept]
    n = going.sum(axis=0)  # (E,)
    mean = np.where(going, table, 0.0).sum(axis=0) / np.maximum(n, 1)
    low = np.where(n >= 2, np.where(going, table, np.inf).min(axis=0, initial=np.inf), np.nan)
    high = np.where(n >= 2, np.where(going, table, -np.inf).max(axis=0, initial=-np.inf), np.nan)
    return Curve(np.flatnonzero(kept) + 1, mean, low, high, n)
