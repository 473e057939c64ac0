"""Smoothed learning curves and their noise: its size, and how far it moves a smoothed curve."""

from __future__ import annotations

from math import sqrt
from typing import Final

import numpy as np

from wellfit.base import FloatArray

__all__ = ["ALPHA", "final_level", "half_window", "noise_bound", "noise_quantile", "noise_sd", "smooth"]

ALPHA: Final = 0.01
"""Probability of a false alarm in a study where nothing changes, shared among its variants."""

_MEDIAN_MINUS_MEAN: Final = 2.35**0.5  # sd of a median minus a mean of as many values, in units of the mean's sd


def smooth(curve: FloatArray) -> FloatArray:
    """The moving average of a curve: one neighbor on either side, and one more for every 40 epochs.

    Args:
      curve: finite numbers; at the ends fewer neighbors are averaged.  # (..., E)

    Example:
      >>> smooth(np.array([3.0, 0.0, 3.0, 6.0])).tolist()
      [1.5, 2.0, 3.0, 4.5]
    """
    epochs = curve.shape[-1]
    window = np.ones(2 * half_window(epochs) + 1)
    window = window[: 2 * epochs - 1]
    count = np.convolve(np.ones(epochs), window, "full")  # (E + w - 1,)
    center = slice(len(window) // 2, len(window) // 2 + epochs)
    sums = np.apply_along_axis(np.convolve, -1, curve, window, "full")  # (..., E + w - 1)
    averaged: FloatArray = sums[..., center] / count[center]  # (..., E)
    return averaged


def half_window(epochs: int) -> int:
    """How many neighbors ``smooth`` averages on either side.

    Example:
      >>> half_window(30), half_window(80)
      (1, 3)
    """
    return 1 + epochs // 40


def final_level(curve: FloatArray, end: int | None = None) -> FloatArray:
    """The level at which a curve ends: the median of as many last epochs as ``smooth`` averages, robust to one outlier.

    Args:
      curve: finite numbers.  # (..., E)
      end: number of epochs to consider; by default all.

    Example:
      >>> float(final_level(np.array([9.0, 0.4, 0.5, 7.0])))
      0.5
    """
    last = 2 * half_window(curve.shape[-1]) + 1
    levels: FloatArray = np.median(curve[..., :end][..., -last:], axis=-1)  # (...)
    return levels


def noise_sd(curve: FloatArray) -> float:
    """The standard deviation of a smoothed curve's noise: ``1.4826 * median|second difference| / sqrt(6)``.

    Second differences are taken of ``smooth`` between epochs one window apart, so that noise correlated over a few
    epochs counts too. They cancel a linear trend, and independent values of standard deviation s give them
    ``sqrt(6) s``; the median ignores the steep first epochs and single jumps. With fewer than six windows of epochs,
    the differences are those of the curve itself, divided by the square root of the window. Assumes that most of the
    curve is straight at this scale.

    Source: Gasser, Sroka & Jennen-Steinmetz (1986), Biometrika 73:625-633; Hampel (1974) for the median.

    Args:
      curve: at least three finite numbers; several curves give the root mean square of their noise.  # (..., E)

    Example: a straight line has no noise; the mean of 3 numbers of standard deviation 1 has 0.58, here nearly.
      >>> noise_sd(np.arange(9.0)), round(noise_sd(np.random.default_rng(0).normal(size=(500, 39))), 2)
      (0.0, 0.62)
    """
    window = 2 * half_window(curve.shape[-1]) + 1
    wide = curve.shape[-1] >= 6 * window
    of, lag, root = (smooth(curve)[..., window // 2 : -(window // 2)], window, 1.0) if wide else (curve, 1, window**0.5)
    second = of[..., 2 * lag :] - 2 * of[..., lag:-lag] + of[..., : -2 * lag]  # (..., E')
    each = 1.4826 * np.median(np.abs(second), axis=-1) / sqrt(6) / root  # (...)
    return float(np.sqrt(np.mean(each**2)))


def noise_quantile(runs: int, epochs: int, tests: float) -> float:
    """The quantile of Student's t that noise exceeds with probability ``ALPHA / tests``; its own size is estimated.

    Example:
      >>> round(noise_quantile(runs=5, epochs=30, tests=1), 2)
      2.41
    """
    from scipy.special import stdtrit

    return float(-stdtrit(max(3, runs * (epochs - 2) / 3), ALPHA / tests))


def noise_bound(curves: FloatArray, tests: float = 1) -> float:
    """The mean change between two smoothed epochs that noise alone exceeds with probability ``ALPHA / tests``.

    Assumes what ``noise_sd`` does, and Student's t because the noise is estimated. Source: Student (1908).

    Args:
      curves: one row per run.  # (S, E)
      tests: number of tests that share ``ALPHA``.

    Example: straight lines have no noise.
      >>> noise_bound(np.stack([np.arange(9.0), np.arange(9.0)]))
      0.0
    """
    runs, epochs = curves.shape
    return noise_quantile(runs, epochs, tests) * _MEDIAN_MINUS_MEAN * noise_sd(curves) / sqrt(runs)
