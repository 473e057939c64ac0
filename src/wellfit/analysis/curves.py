"""Learning curves and the noise of epochs and seeds: where curves turn, how far they rise, whether they still fall."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Final, NamedTuple

import numpy as np

from wellfit.analysis.smoothing import final_level, half_window, noise_bound, noise_quantile, noise_sd, smooth
from wellfit.base import FloatArray, History, IntArray

__all__ = ["SHORTEST", "Rise", "best_epoch", "lowest_epochs", "relative_fall", "rise_after_minimum", "stacked"]

SHORTEST: Final = 5
"""Epochs that a curve needs before its trend can be separated from its noise."""

_RELEVANT: Final = 0.01  # of the loss; smaller changes are of no interest, however smooth the curve


class Rise(NamedTuple):
    """How far curves rise from their minimum, whose epoch comes from the other runs, to their end.

    Args:
      per_run: the rise of every run.  # (S,)
      mean: over the runs.
      half_width: of the 95 % t interval over the runs; infinite with one run.
      real: whether it exceeds the noise of epochs and seeds, and 1 % of the curve.
    """

    per_run: FloatArray
    mean: float
    half_width: float
    real: bool


# --- One curve --------------------------------------------------------------------------------------------------------


def best_epoch(history: History) -> int | None:
    """The epoch of the lowest validation loss.

    Returns:
      Counted from 1, the first among equals; None if no validation loss is finite.

    Example:
      >>> best_epoch(History({"validation_loss": np.array([0.9, 0.7, np.nan, 0.7])}))
      2
    """
    loss = history["validation_loss"]  # (E,)
    finite = np.isfinite(loss)
    return int(np.argmin(np.where(finite, loss, np.inf))) + 1 if finite.any() else None


# --- The curves of several runs ---------------------------------------------------------------------------------------


def stacked(histories: Iterable[History], column: str) -> FloatArray:
    """One column of several runs, cut to the shortest; epochs at which any run is not finite are left out.

    Args:
      histories: at least one.
      column: a name in ``HISTORY_COLUMNS``.

    Returns:
      One row per run.  # (S, E)

    Example:
      >>> runs = [History({"train_loss": np.array(loss)}) for loss in ([3.0, np.nan, 1.0], [2.0, 2.0, 2.0, 2.0])]
      >>> stacked(runs, "train_loss").tolist()
      [[3.0, 1.0], [2.0, 2.0]]
    """
    runs = [history[column] for history in histories]
    epochs = min(map(len, runs), default=0)
    rows = np.stack([run[:epochs] for run in runs])  # (S, E)
    return rows[:, np.isfinite(rows).all(axis=0)]


def rise_after_minimum(losses: FloatArray, curves: FloatArray | None = None, tests: int = 1) -> Rise | None:
    """How far curves rise from the epoch of the lowest loss to their end, and whether that is more than noise.

    Looking for the lowest point of a noisy curve finds noise: every curve ends above its own minimum. Each run's epoch
    therefore comes from the mean loss of the *other* runs, so that its rise from there, ``final_level - smooth``, has
    mean 0 if nothing rises. The rise is real if

    * its mean exceeds the noise of epochs, ``t(1 - ALPHA / tests) * sqrt(2.35) * noise_sd / sqrt(S)``;
    * the runs agree: more than half of them rise by more than 1 % of the loss and, with four runs or more, the lower
      one-sided 95 % t bound of their mean is above 0.

    A single run has no others: its own minimum is used, and t allows for ``tests * E / 5`` tests.

    Assumes independent runs, and noise as ``noise_sd`` does. In simulated studies with 1 to 5 seeds, one or ten
    variants and 5 to 100 epochs on a plateau of white noise, 0 to 5 % had a rise in any variant; with autocorrelation
    0.5, 0 to 12 %, but up to 38 % with ten variants of fewer than 18 epochs, which are too few to reveal the
    autocorrelation. U-shaped curves that end 0.1 above a minimum of 0.35, with noise of 0.01, are detected in 97 % of
    studies with three seeds and 8 epochs, and always with 12 epochs or more.

    Source: leave-one-out as in Stone (1974), JRSS B 36:111-147; Bonferroni; Student (1908).

    Args:
      losses: where the minimum is sought; at least one run.  # (S, E)
      curves: whose rise is measured, for example accuracies; by default the losses.  # (S, E)
      tests: number of variants in the study that are tested.

    Returns:
      The rise, in the unit of ``curves``; None with fewer than five epochs.

    Example: three runs that fall until epoch 5 and rise by 0.4 until epoch 9.
      >>> curve = np.abs(np.arange(1, 10) - 5) / 10 + 0.5
      >>> rise = rise_after_minimum(np.stack([curve, curve + 0.01, curve - 0.01]))
      >>> round(rise.mean, 2), rise.real
      (0.23, True)
    """
    from scipy.special import stdtrit  # takes longer to import than all of numpy

    runs, epochs = losses.shape
    if epochs < SHORTEST:
        return None
    curves = losses if curves is None else curves
    lowest = smooth(curves)[np.arange(runs), _turns(losses)]  # (S,)
    per_run = final_level(curves) - lowest  # (S,)
    mean, error = float(per_run.mean()), float(per_run.std(ddof=1)) / sqrt(runs) if runs > 1 else np.inf
    bound = noise_bound(curves, tests * (epochs / 5 if runs == 1 else 1))
    majority = 2 * int(np.sum(per_run > _RELEVANT * np.abs(lowest))) > runs
    agree = runs < 4 or mean > -float(stdtrit(runs - 1, 0.05)) * error
    half_width = -float(stdtrit(runs - 1, 0.025)) * error if runs > 1 else np.inf
    large = mean > max(bound, _RELEVANT * abs(float(lowest.mean())))
    return Rise(per_run, mean, half_width, bool(large and majority and agree))


def _turns(losses: FloatArray) -> IntArray:
    """For every run, the position of the lowest smoothed mean loss of the other runs; for a single run, its own."""
    runs, epochs = losses.shape
    others = losses if runs == 1 else (losses.sum(axis=0) - losses) / (runs - 1)  # (S, E)
    # Only up to the last full window, the one of ``final_level``: then a steady fall is never a rise.
    lowest: IntArray = np.argmin(smooth(others)[:, : epochs - half_window(epochs)], axis=1)  # (S,)
    return lowest


def lowest_epochs(losses: FloatArray) -> IntArray:
    """The epoch, counted from 1, at which each run's own smoothed loss is lowest.

    Args:
      losses: one row per run.  # (S, E)

    Example:
      >>> lowest_epochs(np.array([[0.9, 0.5, 0.4, 0.5, 0.9], [0.9, 0.8, 0.6, 0.4, 0.4]])).tolist()
      [3, 5]
    """
    lowest: IntArray = np.argmin(smooth(losses), axis=-1) + 1  # (S,)
    return lowest


def relative_fall(losses: FloatArray, tests: int = 1) -> float | None:
    """By what fraction the loss still fell in the last fifth of the epochs (at least three); None if not for certain.

    The fall is the difference of ``final_level`` at two fixed epochs, so nothing is selected. It counts if it exceeds
    the noise of epochs as in ``rise_after_minimum`` and 1 % of the loss, more than half of the runs fell by 1 %, and
    the mean curve ends at its lowest point. With fewer than ten epochs it counts if the loss of every run fell in the
    last two epochs and is lowest at the end, by more than 2 % and more than twice the second differences.

    Assumptions and sources: as for ``rise_after_minimum``.

    Args:
      losses: one row per run.  # (S, E)
      tests: number of variants in the study that are tested.

    Example:
      >>> round(relative_fall(np.linspace(1.0, 0.5, 10)[None]), 2), relative_fall(np.ones((3, 10)))
      (0.3, None)
    """
    runs, epochs = losses.shape
    if epochs < 2 * SHORTEST:
        return _brief_fall(losses)
    back = max(3, epochs // 5)
    end = final_level(losses)  # (S,)
    fall = final_level(losses, epochs - back) - end  # (S,)
    bound = noise_quantile(runs, epochs, tests) * sqrt(2 * 1.35) * noise_sd(losses) / sqrt(runs)
    majority = 2 * int(np.sum(fall > _RELEVANT * np.abs(end))) > runs
    lowest = int(np.argmin(smooth(losses.mean(axis=0)))) >= epochs - 1 - half_window(epochs)
    if not (majority and lowest and float(fall.mean()) > max(bound, _RELEVANT * abs(float(end.mean())))):
        return None
    return float(fall.mean() / abs(end.mean()))


def _brief_fall(losses: FloatArray) -> float | None:
    """``relative_fall`` for fewer than ten epochs."""
    runs, epochs = losses.shape
    last = losses[:, -3:]  # (S, 3), or fewer
    falls = (np.diff(last, axis=1) < 0).all() and (losses[:, -1] <= losses.min(axis=1)).all() and epochs > 1
    bound = 0.0 if epochs < 4 else (4 if runs == 1 else 2) * float(np.median(np.abs(np.diff(losses, 2)))) / sqrt(runs)
    fall, end = float(np.mean(last[:, 0] - last[:, -1])), float(np.mean(last[:, -1]))
    return fall / end if falls and fall > max(bound, 0.02 * end) else None
