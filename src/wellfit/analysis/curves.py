"""What learning curves do, told from the noise of epochs and seeds: where they turn, whether they still fall."""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
from scipy.stats import t as student

from wellfit.base import FloatArray, History, IntArray

__all__ = [
    "ALPHA",
    "Change",
    "best_epoch",
    "by_chance",
    "change",
    "falling",
    "level",
    "matrix",
    "noise",
    "overfit_onset",
    "smooth",
    "still_falling",
    "turning_epochs",
]

ALPHA: Final = 0.01  # of studies in which nothing turns and something is said to; shared among the variants
SHARE: Final = 0.01  # of the loss: what is smaller is of no interest, however smooth the curve
SHORTEST: Final = 5  # epochs, of which noise can be told from trend
_SPREAD: Final = 2.35**0.5  # of a median minus a mean of as many values, in deviations of the mean


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


def noise(curve: FloatArray) -> float:
    """The standard deviation of a smoothed curve's noise: ``1.4826 * median|second difference| / sqrt(6)``.

    The differences are those of ``smooth`` between epochs one window apart, so that noise which wanders for some epochs
    counts too. They know no linear trend, and independent values of deviation s give them ``sqrt(6) s``; the median
    passes over the steep first epochs and over single leaps. With fewer than six windows of epochs they are those of
    the curve itself, divided by the root of the window. Assumes that most of the curve is straight at this scale.

    Source: Gasser, Sroka & Jennen-Steinmetz (1986), Biometrika 73:625-633; Hampel (1974) for the median.

    Args:
      curve: at least three finite numbers.  # (..., E); the noise of several is their root mean square

    Example: a straight line has none; the mean of 3 numbers of deviation 1 has 0.58, here nearly.
      >>> noise(np.arange(9.0)), round(noise(np.random.default_rng(0).normal(size=(500, 39))), 2)
      (0.0, 0.62)
    """
    window = 2 * _reach(curve.shape[-1]) + 1
    wide = curve.shape[-1] >= 6 * window
    of, lag, root = (smooth(curve)[..., window // 2 : -(window // 2)], window, 1.0) if wide else (curve, 1, window**0.5)
    second = of[..., 2 * lag :] - 2 * of[..., lag:-lag] + of[..., : -2 * lag]  # (..., E')
    each = 1.4826 * np.median(np.abs(second), axis=-1) / sqrt(6) / root  # (...)
    return float(np.sqrt(np.mean(each**2)))


def smooth(curve: FloatArray) -> FloatArray:
    """A curve's moving average: each epoch with its neighbors, one on either side and one more for every 40 epochs.

    Args:
      curve: finite numbers; at the ends there are fewer neighbors.  # (..., E)

    Example:
      >>> smooth(np.array([3.0, 0.0, 3.0, 6.0])).tolist()
      [1.5, 2.0, 3.0, 4.5]
    """
    epochs = curve.shape[-1]
    window = np.ones(2 * _reach(epochs) + 1)
    window = window[: 2 * epochs - 1]
    count = np.convolve(np.ones(epochs), window, "full")  # (E + w - 1,)
    cut = slice(len(window) // 2, len(window) // 2 + epochs)
    sums = np.apply_along_axis(np.convolve, -1, curve, window, "full")  # (..., E + w - 1)
    averaged: FloatArray = sums[..., cut] / count[cut]  # (..., E)
    return averaged


def level(curve: FloatArray, end: int | None = None) -> FloatArray:
    """Where a curve ends: the median of its last epochs, three and two more for every 40, which one leap cannot move.

    Args:
      curve: finite numbers.  # (..., E)
      end: how many epochs to regard; None is all.

    Example:
      >>> float(level(np.array([9.0, 0.4, 0.5, 7.0])))
      0.5
    """
    last = 2 * _reach(curve.shape[-1]) + 1
    ends: FloatArray = np.median(curve[..., :end][..., -last:], axis=-1)  # (...)
    return ends


def _reach(epochs: int) -> int:
    return 1 + epochs // 40


def _quantile(runs: int, epochs: int, looks: float) -> float:
    """How many deviations chance exceeds in a share ``ALPHA / looks``, where the noise itself is an estimate."""
    return float(student.isf(ALPHA / looks, max(3, runs * (epochs - 2) / 3)))


def by_chance(curves: FloatArray, looks: float = 1) -> float:
    """The mean difference of two smoothed epochs that the noise exceeds in a share ``ALPHA / looks`` of studies.

    Assumes what ``noise`` does, and Student's t for the noise, which is itself estimated. Source: Student (1908).

    Args:
      curves: one row a run.  # (S, E)
      looks: how often one looks.

    Example: there is none in straight lines.
      >>> by_chance(np.stack([np.arange(9.0), np.arange(9.0)]))
      0.0
    """
    runs, epochs = curves.shape
    return _quantile(runs, epochs, looks) * _SPREAD * noise(curves) / sqrt(runs)


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


def overfit_onset(history: History) -> int | None:
    """The epoch after which a run's validation loss rose for good.

    The lowest point of the smoothed loss is the onset if ``change`` takes the rise from there for real. Assumes what it
    assumes. Of several seeds ``change`` sees more.

    Args:
      history: of one run.

    Returns:
      The epoch, from 1; None if the loss did not rise, or with fewer than five epochs of finite loss.

    Example:
      >>> overfit_onset(History({"validation_loss": np.array([0.9, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8])}))
      4
    """
    loss = history["validation_loss"]  # (E,)
    epochs = np.flatnonzero(np.isfinite(loss)) + 1  # (e,)
    loss = loss[epochs - 1]  # (e,)
    if len(loss) < SHORTEST:
        return None
    found = change(loss[None])
    return int(epochs[turning_epochs(loss[None])[0] - 1]) if found is not None and found.real else None


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
    whole = losses.shape[1] - _reach(losses.shape[1])
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
        steps = losses[:, -3:]  # (S, 3), or fewer
        falls = (np.diff(steps, axis=1) < 0).all() and (losses[:, -1] <= losses.min(axis=1)).all() and epochs > 1
        chance = (
            0.0 if epochs < 4 else (4 if runs == 1 else 2) * float(np.median(np.abs(np.diff(losses, 2)))) / sqrt(runs)
        )
        fall = float(np.mean(steps[:, 0] - steps[:, -1]))
        return fall / float(np.mean(steps[:, -1])) if falls and fall > max(chance, 0.02 * steps[:, -1].mean()) else None
    back = max(3, epochs // 5)
    end = level(losses)  # (S,)
    fallen = level(losses, epochs - back) - end  # (S,)
    chance = _quantile(runs, epochs, tests) * sqrt(2 * 1.35) * noise(losses) / sqrt(runs)
    many = 2 * int(np.sum(fallen > SHARE * np.abs(end))) > runs
    lowest = int(np.argmin(smooth(losses.mean(axis=0)))) >= epochs - 1 - _reach(epochs)
    if not (many and lowest and float(fallen.mean()) > max(chance, SHARE * abs(float(end.mean())))):
        return None
    return float(fallen.mean() / abs(end.mean()))


def still_falling(history: History) -> bool:
    """Whether a run's validation loss was still falling at its last epoch, by ``falling`` of this run alone.

    Args:
      history: of one run.

    Example:
      >>> still_falling(History({"validation_loss": np.linspace(1.0, 0.5, 10)}))
      True
    """
    loss = history["validation_loss"]  # (E,)
    return falling(loss[np.isfinite(loss)][None]) is not None
