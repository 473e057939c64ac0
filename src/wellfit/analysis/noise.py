"""The noise of learning curves: how large it is, what is left of it in a smoothed curve, and what it does by chance."""

from __future__ import annotations

from math import sqrt
from typing import Final

import numpy as np
from scipy.stats import t as student

from wellfit.base import FloatArray

__all__ = ["ALPHA", "by_chance", "level", "noise", "quantile", "reach", "smooth"]

ALPHA: Final = 0.01  # of studies in which nothing turns and something is said to; shared among the variants
_SPREAD: Final = 2.35**0.5  # of a median minus a mean of as many values, in deviations of the mean


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
    window = 2 * reach(curve.shape[-1]) + 1
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
    window = np.ones(2 * reach(epochs) + 1)
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
    last = 2 * reach(curve.shape[-1]) + 1
    ends: FloatArray = np.median(curve[..., :end][..., -last:], axis=-1)  # (...)
    return ends


def reach(epochs: int) -> int:
    """How many neighbors on either side ``smooth`` takes: one, and one more for every 40 epochs."""
    return 1 + epochs // 40


def quantile(runs: int, epochs: int, looks: float) -> float:
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
    return quantile(runs, epochs, looks) * _SPREAD * noise(curves) / sqrt(runs)
