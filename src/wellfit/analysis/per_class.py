"""Scores of every class, their averages, and the ensemble of a variant's seeds."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import Interval
from wellfit.analysis.intervals import t_interval, two_way_interval, wilson_interval
from wellfit.analysis.metrics import (
    accuracy,
    averaged_scores,
    class_scores,
    confusion_matrix,
    log_loss,
    roc_auc,
    top_k_accuracy,
)
from wellfit.base import ClassTable, ConfusionDifference, Ensemble, FloatArray, IntArray

__all__ = ["TOP", "class_table", "ensemble"]

TOP: Final = 3
"""The k of ``"top_k"``, which is left out if there are no more than k classes."""


def class_table(
    variant: str, probabilities: FloatArray, labels: IntArray, difference: ConfusionDifference | None = None
) -> ClassTable:
    """Precision, recall and F1 of every class and their averages, as means over a variant's seeds.

    Recall is a proportion of the test images of its class, so its interval is ``two_way_interval`` over seeds and these
    images. Gains are the diagonal of the difference of the confusion matrices. The averages depend on the whole matrix:
    their t intervals cover the seeds only.

    Args:
      variant: its name.
      probabilities: of every run.  # (S, M, K)
      labels: true classes, integers from 0.  # (M,)
      difference: from the first variant, as in ``confusion_difference``; None for the first.

    Returns:
      The table. A score that is undefined for some seeds is the mean over the others; NaN if undefined for all.

    Raises:
      DataError: as in ``metrics.correctness``.

    Example: class 0 has one of two right with the first seed, both with the second.
      >>> p = np.array([[[0.9, 0.1], [0.2, 0.8], [0.2, 0.8]], [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]]])
      >>> table = class_table("l2", p, np.array([0, 0, 1]))
      >>> table.recall.tolist(), table.precision.tolist(), table.support.tolist()
      ([0.75, 1.0], [1.0, 0.75], [2, 1])
    """
    classes = probabilities.shape[2]
    predicted = probabilities.argmax(axis=2)  # (S, M)
    matrices = [confusion_matrix(labels, run, classes) for run in predicted]
    scores = [class_scores(matrix) for matrix in matrices]
    bounds = [_recall_bounds(predicted[:, labels == k] == k) for k in range(classes)]
    low, high = np.array(bounds).T  # each (K,)
    return ClassTable(
        variant=variant,
        precision=_mean([score.precision for score in scores]),
        recall=_mean([score.recall for score in scores]),
        f1=_mean([score.f1 for score in scores]),
        support=scores[0].support,
        recall_low=low,
        recall_high=high,
        gain=None if difference is None else difference.difference.diagonal(),
        gain_low=None if difference is None else difference.low.diagonal(),
        gain_high=None if difference is None else difference.high.diagonal(),
        averages=_averages(probabilities, labels, matrices),
    )


def _mean(rows: list[FloatArray]) -> FloatArray:
    """The mean over the seeds for which a score is defined; NaN if there are none."""
    each = np.stack(rows)  # (S, K)
    defined = ~np.isnan(each)
    number = defined.sum(axis=0)  # (K,)
    total = np.where(defined, each, 0).sum(axis=0)  # (K,)
    mean: FloatArray = np.divide(total, number, out=np.full(each.shape[1], np.nan), where=number > 0)
    return mean


def _recall_bounds(correct: NDArray[np.bool_]) -> Interval:
    """The interval of a class's recall; NaN with one seed or fewer than two images."""
    interval = two_way_interval(correct)[1] if correct.shape[1] >= 2 else None
    return interval or (np.nan, np.nan)


def _averages(
    probabilities: FloatArray, labels: IntArray, matrices: list[IntArray]
) -> dict[str, tuple[float, Interval | None]]:
    macro = [averaged_scores(matrix) for matrix in matrices]
    columns = {
        "macro_precision": [score.precision for score in macro],
        "macro_recall": [score.recall for score in macro],
        "macro_f1": [score.f1 for score in macro],
        "weighted_f1": [averaged_scores(matrix, weighted=True).f1 for matrix in matrices],
    }
    if probabilities.shape[2] > TOP:
        columns["top_k"] = [top_k_accuracy(run, labels, TOP) for run in probabilities]
    if len(np.unique(labels)) > 1:
        columns["roc_auc"] = [roc_auc(run, labels) for run in probabilities]
    return {name: (float(np.mean(values)), _clipped(t_interval(values))) for name, values in columns.items()}


def _clipped(interval: Interval | None) -> Interval | None:
    """An interval clipped to [0, 1]."""
    return None if interval is None else (max(interval[0], 0.0), min(interval[1], 1.0))


def ensemble(variant: str, probabilities: FloatArray, labels: IntArray) -> Ensemble:
    """The ensemble of a variant's seeds, which averages their probabilities.

    There is one ensemble, so its interval covers the test examples only. Source: Lakshminarayanan et al. (2017),
    arXiv:1612.01474.

    Args:
      variant: its name.
      probabilities: of every run.  # (S, M, K)
      labels: true classes, integers from 0.  # (M,)

    Raises:
      DataError: as in ``metrics.correctness``.

    Example: each of two runs gets one of two examples wrong, both together none.
      >>> p = np.array([[[0.9, 0.1], [0.6, 0.4]], [[0.4, 0.6], [0.1, 0.9]]])
      >>> both = ensemble("l2", p, np.array([0, 1]))
      >>> both.single, both.accuracy, both.members
      (0.5, 1.0, 2)
    """
    mean = probabilities.mean(axis=0, dtype=np.float64)  # (M, K)
    right = accuracy(mean, labels)
    return Ensemble(
        variant=variant,
        accuracy=right,
        loss=log_loss(mean, labels),
        interval=wilson_interval(right * len(labels), len(labels)),
        single=float(np.mean([accuracy(run, labels) for run in probabilities])),
        members=len(probabilities),
    )
