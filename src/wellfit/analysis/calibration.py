"""Calibration: the reliability diagram and the expected calibration error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from wellfit.analysis.intervals import t_interval
from wellfit.analysis.metrics import brier_loss, correctness, ratio
from wellfit.base import Calibration, FloatArray, IntArray
from wellfit.errors import DataError

__all__ = ["CalibrationBins", "calibration_bins", "expected_calibration_error", "pooled_calibration"]

_HIGHEST: Final = {"ece": 1.0, "brier": 2.0}


class CalibrationBins(NamedTuple):
    """Per confidence bin: the number of predictions, int64, their mean confidence and their accuracy, NaN if empty."""

    counts: IntArray  # (bins,)
    confidence: FloatArray  # (bins,)
    accuracy: FloatArray  # (bins,)


def calibration_bins(probabilities: FloatArray, labels: IntArray, bins: int = 15) -> CalibrationBins:
    """The reliability diagram: accuracy by confidence, in bins ``(i / bins, (i + 1) / bins]``.

    Confidence is the probability of the most probable class. Source: Guo et al. (2017), arXiv:1706.04599.

    Args:
      probabilities: rows that sum to 1.  # (M, K)
      labels: true classes, integers from 0.  # (M,)
      bins: number of bins of equal width between 0 and 1.

    Raises:
      DataError: as in ``correctness``, or fewer than one bin.

    Example:
      >>> diagram = calibration_bins(np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([0, 0]), bins=2)
      >>> diagram.counts.tolist(), diagram.confidence[1].round(2).item(), diagram.accuracy[1].item()
      ([0, 2], 0.8, 0.5)
    """
    right = correctness(probabilities, labels)  # (M,)
    if bins < 1:
        raise DataError(f"{bins} confidence bins; use at least one")
    confidence = np.max(probabilities, axis=1).astype(np.float64)  # (M,)
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)  # (M,)
    count = np.bincount(place, minlength=bins)  # (bins,)
    return CalibrationBins(
        count,
        ratio(np.bincount(place, weights=confidence, minlength=bins), count),
        ratio(np.bincount(place, weights=right, minlength=bins), count),
    )


def expected_calibration_error(probabilities: FloatArray, labels: IntArray, bins: int = 15) -> float:
    """ECE: the mean of ``|accuracy - confidence|`` over the bins, weighted by their counts. Source: Guo et al. (2017).

    Args:
      probabilities, labels, bins: as in ``calibration_bins``.  # (M, K), (M,)

    Raises:
      DataError: as in ``calibration_bins``.

    Example: one bin, confidence 0.8, accuracy 0.5.
      >>> round(expected_calibration_error(np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([0, 0]), bins=1), 2)
      0.3
    """
    return _error(calibration_bins(probabilities, labels, bins))


def _error(diagram: CalibrationBins) -> float:
    errors = np.where(diagram.counts > 0, np.abs(diagram.accuracy - diagram.confidence), 0.0)  # (bins,)
    return float(diagram.counts @ errors / diagram.counts.sum())


def pooled_calibration(variant: str, tests: Iterable[tuple[FloatArray, IntArray]], bins: int = 15) -> Calibration:
    """The reliability diagram of all runs of a variant together, with their ECE and Brier score.

    The bins pool the predictions of every run. The scores are computed per run and averaged, and their t intervals
    cover the seeds only. With few examples the ECE is biased upward, because the noise in every bin adds to it.

    Args:
      variant: its name.
      tests: the probabilities of every run and the true classes, read one after the other.  # (m, K), (m,) each
      bins: as in ``calibration_bins``; empty ones are left out.

    Raises:
      DataError: as in ``calibration_bins``.

    Example: two runs, both with a mean confidence of 0.8; one of four predictions is wrong.
      >>> p = np.array([[[0.9, 0.1], [0.3, 0.7]], [[0.9, 0.1], [0.7, 0.3]]])
      >>> pooled = pooled_calibration("l2", [(run, np.array([0, 0])) for run in p], bins=1)
      >>> pooled.accuracy.tolist(), pooled.count.tolist(), round(pooled.scores["ece"], 2)
      ([0.75], [4], 0.25)
    """
    count, confidence, right = np.zeros((3, max(bins, 1)))  # (bins,) each, sums over all predictions
    scores: dict[str, list[float]] = {"ece": [], "brier": []}
    for run, labels in tests:
        diagram = calibration_bins(run, labels, bins)
        count += diagram.counts
        confidence += np.nan_to_num(diagram.confidence) * diagram.counts
        right += np.nan_to_num(diagram.accuracy) * diagram.counts
        scores["ece"].append(_error(diagram))
        scores["brier"].append(brier_loss(run, labels))
    filled = count > 0  # (bins,)
    intervals = {name: t_interval(values) for name, values in scores.items()}
    return Calibration(
        variant=variant,
        confidence=confidence[filled] / count[filled],
        accuracy=right[filled] / count[filled],
        count=count[filled].astype(np.int64),
        scores={name: float(np.mean(values)) for name, values in scores.items()},
        intervals={
            name: None if bounds is None else (max(bounds[0], 0.0), min(bounds[1], _HIGHEST[name]))
            for name, bounds in intervals.items()
        },
    )
