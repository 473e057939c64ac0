"""What the learning curves show besides the mean and range of a history column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from wellfit.base import StudySummary
from wellfit.report.numbers import Curve, curve_data, curve_of, find_variant, interesting, scale

__all__ = ["SPLITS", "best_epochs", "epoch_mark", "gap_data", "stopped_at", "value_limits"]

FOOT: Final = 0.08
"""Room for marks at the foot of a panel, as a share of the height."""

SPLITS: Final[Mapping[str, str]] = {"train": "training", "validation": "validation"}
"""Prefix of a history column -> what readers call the split."""


def gap_data(summary: StudySummary, variant: str) -> Curve:
    """Training minus validation accuracy by epoch, as a share of 1: paired within each run, then over the seeds."""
    return curve_of(summary, variant, lambda history: history["train_accuracy"] - history["validation_accuracy"])


def best_epochs(summary: StudySummary, variant: str) -> list[int]:
    """The epoch of lowest validation loss of every run that has one."""
    return [run.best_epoch for run in find_variant(summary, variant)[1].runs if run.best_epoch is not None]


def stopped_at(summary: StudySummary, variant: str) -> dict[int, int]:
    """Seed -> the epoch whose weights are read, for the runs that early stopping ended."""
    runs = find_variant(summary, variant)[1].runs
    return {run.seed: run.readout_epoch for run in runs if run.state == "stopped" and run.readout_epoch}


def epoch_mark(summary: StudySummary, variant: str) -> tuple[float, str] | None:
    """The epoch to mark on a variant's curves, and its label.

    Returns:
      The median readout epoch if early stopping ended a run, otherwise the median epoch of lowest validation loss;
      None before any run has ended.
    """
    runs = find_variant(summary, variant)[1].runs
    if stopped_at(summary, variant):
        read = float(np.median([run.readout_epoch for run in runs if run.readout_epoch is not None]))
        return read, f"read at epoch {read:g}"
    if not (epochs := best_epochs(summary, variant)):
        return None
    best = float(np.median(epochs))
    return best, f"lowest loss at epoch {best:g}"


def value_limits(summary: StudySummary, metric: str, names: Iterable[str] | None = None) -> tuple[float, float]:
    """What is `interesting` of the curves of several variants and both splits: one axis for all panels.

    Args:
      metric: ``"loss"`` or ``"accuracy"``.
      names: of the variants; all if None.

    Returns:
      Bounds in the unit of the axis.
    """
    factor, _ = scale(metric)
    shown = [v.name for v in summary.variants] if names is None else list(names)
    low, high = interesting(curve_data(summary, name, f"{split}_{metric}") for name in shown for split in SPLITS)
    return factor * (low - FOOT * (high - low)), factor * high
