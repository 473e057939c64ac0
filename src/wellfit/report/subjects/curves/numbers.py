"""What the learning curves show besides the mean and range of a history column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from wellfit.base import StudySummary
from wellfit.report.numbers import Curve, curve_data, find_variant, mean_curve, scale

__all__ = ["SPLITS", "best_epochs", "epoch_mark", "gap_data", "stopped_at", "value_limits"]

SPLITS: Final[Mapping[str, str]] = {"train": "training", "validation": "validation"}
"""Prefix of a history column -> what readers call the split."""


def gap_data(summary: StudySummary, variant: str) -> Curve:
    """Training minus validation accuracy by epoch, as a share of 1: paired within each run, then over the seeds."""
    find_variant(summary, variant)
    runs = summary.histories.get(variant, {}).values()
    return mean_curve(h["train_accuracy"] - h["validation_accuracy"] for h in runs)


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


def value_limits(summary: StudySummary, metric: str) -> tuple[float, float]:
    """The lowest and the highest mean of all variants and both splits, with a margin: one axis for all panels.

    Args:
      summary: the study.
      metric: ``"loss"`` or ``"accuracy"``.

    Returns:
      Bounds in the unit of the axis.
    """
    factor, _ = scale(metric)
    curves = [curve_data(summary, v.name, f"{split}_{metric}") for v in summary.variants for split in SPLITS]
    means = factor * np.concatenate([curve.mean for curve in curves])
    if not means.size:  # every run diverged in its first epoch
        return 0.0, 1.0
    low, high = float(means.min()), float(means.max())
    pad = 0.05 * (high - low) or 0.01
    return low - pad, high + pad
