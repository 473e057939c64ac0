"""What learning curves do, told from the noise of epochs and seeds: where they turn, whether they still fall."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
from scipy.stats import t as student

from wellfit.analysis.noise import by_chance, level, noise, quantile, reach, smooth
from wellfit.base import FloatArray, History, IntArray

__all__ = [
    "Change",
    "best_epoch",
    "change",
    "falling",
    "matrix",
    "turning_epochs",
]

SHARE: Final = 0.01  # of the loss: what is smaller is of no interest, however smooth the curve
SHORTEST: Final = 5  # epochs, of which noise can be told from trend


class Change(NamedTuple):
    """What became of a curve from its lowest epoch, found in the other runs, to its end.

    Args:
      each: of every run.  # (S,)
      mean: over the runs.
      half: half the width of the 95 % t interval over the runs; infinite with one.
      real: whether it is a rise beyond the noise of epochs and seeds, and beyond 1 %.
    """

    each: FloatArray
    mean: float
    half: float
    real: bool


# --- One curve --------------------------------------------------------------------------------------------------------


def best_epoch(history: History) -> int | None:
    """The epoch of the lowest validation loss.

    Args:
      history: of one run.

    Returns:
      The epoch, from 1, the first of equals; NaN and infinity are passed over; None if nothing else is there.

    Example:
      >>> best_epoch(History({"validation_loss": np.array([0.9, 0.7, np.nan, 0.7])}))
      2
    """
    loss = history["validation_loss"]  # (E,)
    finite = np.isfinite(loss)
    return int(np.argmin(np.where(finite, loss, np.inf))) + 1 if finite.any() else None


# --- The curves of several runs ---------------------------------------------------------------------------------------


def matrix(histories: Iterable[History], column: str) -> FloatArray:
    """A column of several runs, as far as all of them go; epochs at which one of them is not finite are left out.

    Args:
      histories: of the runs.
      column: a name of ``HISTORY_COLUMNS``.

    Returns:
      One row a run.  # (S, E)

    Example:
      >>> runs = [History({"train_loss": np.array(loss)}) for loss in ([3.0, np.nan, 1.0], [2.0, 2.0, 2.0, 2.0])]
      >>> matrix(runs, "train_loss").tolist()
      [[3.0, 1.0], [2.0, 2.0]]
    """
    runs = [history[column] for history in histories]
    epochs = min(map(len, runs), default=0)
    stacked = np.stack([run[:epochs] for run in runs])  # (S, E)
    return stacked[:, np.isfinite(stacked).all(axis=0)]


def _turns(losses: FloatArray) -> IntArray:
    """For every run the position of the lowest smoothed mean loss of the other runs; of one run, its own."""
    runs = len(losses)
    others = losses if runs == 1 else (losses.sum(axis=0) - losses) / (runs - 1)  # (S, E)
    # Up to the last whole window: that of ``level``, so that a steady fall is no rise.
    whole = losses.shape[1] - reach(losses.shape[1])
    lowest: IntArray = np.argmin(smooth(others)[:, :whole], axis=1)  # (S,)
    return lowest


def change(losses: FloatArray, of: FloatArray | None = None, tests: int = 1) -> Change | None:
    """How far a curve rose from where the loss was lowest to its end, and whether that is more than noise.

    Where one looks for the lowest point, one finds noise: every curve ends above its own minimum. So the epoch is taken
    from the *other* runs' mean loss, and a run's rise from there, ``level - smooth``, has mean 0 if nothing rises. It
    is real if

    * the mean rise exceeds the noise of epochs: ``t(1 - ALPHA / tests) * sqrt(2.35) * noise / sqrt(S)``,
    * the runs agree: more than half of them rise by more than 1 % of the loss and, of four or more, the one-sided
      95 % t bound of their mean is above 0.

    One run has no others: its own minimum is taken, and t is that of ``tests * E`` tests at 5 %.

    Assumes runs that are independent and noise as ``noise`` does. In simulated studies of 1 to 5 seeds, one or ten
    variants and 5 to 100 epochs on a plateau of white noise, 0 to 5 % had a rise in any variant; with noise of
    autocorrelation 0.5, 0 to 12 %, but up to 38 % with ten variants of fewer than 18 epochs, which are too few to see
    that noise wanders. U-shaped curves that end 0.1 above a minimum of 0.35, with noise of 0.01, are seen in 97 % of
    studies of three seeds and 8 epochs, and in all of 12 or more.

    Source: leave-one-out as in Stone (1974), JRSS B 36:111-147; Bonferroni; Student (1908).

    Args:
      losses: where the lowest point is looked for; at least one run.  # (S, E)
      of: the curves of which the change is told, such as accuracies; None is the losses.  # (S, E)
      tests: how many variants are looked at in the study.

    Returns:
      The change, in the unit of ``of``; None with fewer than five epochs.

    Example: three runs that fall until epoch 5 and rise by 0.4 until epoch 9.
      >>> curve = np.abs(np.arange(1, 10) - 5) / 10 + 0.5
      >>> found = change(np.stack([curve, curve + 0.01, curve - 0.01]))
      >>> round(found.mean, 2), found.real
      (0.23, True)
    """
    runs, epochs = losses.shape
    if epochs < SHORTEST:
        return None
    curves = losses if of is None else of
    turns = _turns(losses)  # (S,)
    lowest = smooth(curves)[np.arange(runs), turns]  # (S,)
    each = level(curves) - lowest  # (S,)
    mean, error = float(each.mean()), float(each.std(ddof=1)) / sqrt(runs) if runs > 1 else np.inf
    looks = tests * (epochs / 5 if runs == 1 else 1)
    chance = by_chance(curves, looks)
    many = 2 * int(np.sum(each > SHARE * np.abs(lowest))) > runs
    agree = runs < 4 or mean > float(student.isf(0.05, runs - 1)) * error
    half = float(student.isf(0.025, runs - 1)) * error if runs > 1 else np.inf
    return Change(each, mean, half, bool(mean > max(chance, SHARE * abs(float(lowest.mean()))) and many and agree))


def turning_epochs(losses: FloatArray) -> IntArray:
    """The epoch, from 1, at which each run's own smoothed loss is lowest.

    Args:
      losses: one row a run.  # (S, E)

    Example:
      >>> turning_epochs(np.array([[0.9, 0.5, 0.4, 0.5, 0.9], [0.9, 0.8, 0.6, 0.4, 0.4]])).tolist()
      [3, 5]
    """
    lowest: IntArray = np.argmin(smooth(losses), axis=-1) + 1  # (S,)
    return lowest


def falling(losses: FloatArray, tests: int = 1) -> float | None:
    """By which share the loss still fell at the end, in the last fifth of the epochs, three at least.

    The fall is that of ``level`` from the one epoch to the other, two fixed epochs, so that nothing is chosen. It is
    told where it exceeds the noise of epochs as in ``change`` and 1 % of the loss, more than half of the runs fell by
    as much, and the mean curve is at its lowest. Of fewer than ten epochs: where in every run the loss fell in the
    last two and is lowest at the end, by more than 2 % and than twice the second differences.

    Assumes what ``change`` assumes. Source: as of ``change``.

    Args:
      losses: one row a run.  # (S, E)
      tests: how many variants are looked at in the study.

    Returns:
      The mean fall as a share of the loss, or None if it does not fall for sure.

    Example:
      >>> round(falling(np.linspace(1.0, 0.5, 10)[None]), 2), falling(np.ones((3, 10)))
      (0.3, None)
    """
    runs, epochs = losses.shape
    if epochs < 2 * SHORTEST:
        return _falling_briefly(losses)
    back = max(3, epochs // 5)
    end = level(losses)  # (S,)
    fallen = level(losses, epochs - back) - end  # (S,)
    chance = quantile(runs, epochs, tests) * sqrt(2 * 1.35) * noise(losses) / sqrt(runs)
    many = 2 * int(np.sum(fallen > SHARE * np.abs(end))) > runs
    lowest = int(np.argmin(smooth(losses.mean(axis=0)))) >= epochs - 1 - reach(epochs)
    if not (many and lowest and float(fallen.mean()) > max(chance, SHARE * abs(float(end.mean())))):
        return None
    return float(fallen.mean() / abs(end.mean()))


def _falling_briefly(losses: FloatArray) -> float | None:
    """``falling`` of fewer than ten epochs."""
    runs, epochs = losses.shape
    steps = losses[:, -3:]  # (S, 3), or fewer
    falls = (np.diff(steps, axis=1) < 0).all() and (losses[:, -1] <= losses.min(axis=1)).all() and epochs > 1
    chance = 0.0 if epochs < 4 else (4 if runs == 1 else 2) * float(np.median(np.abs(np.diff(losses, 2)))) / sqrt(runs)
    fall = float(np.mean(steps[:, 0] - steps[:, -1]))
    return fall / float(np.mean(steps[:, -1])) if falls and fall > max(chance, 0.02 * steps[:, -1].mean()) else None
