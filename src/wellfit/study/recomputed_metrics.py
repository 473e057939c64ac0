"""The metrics that variants are compared on, computed again in plain NumPy: per seed, and over the folds of several.

This is not how ``analysis.scores`` computes them: recall and F1 come from weighted confusion matrices, the weight of
each seed's examples in them from a numerical derivative, and the ROC AUC from sums of ranks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, IntArray

__all__ = ["Judged", "confusion", "mean_over", "metric_of_seed"]

Judged = Mapping[int, tuple[float, IntArray]]
"""Seed -> metric of its run, and confusion matrix.  # (K, K) each"""

_COUNTED: Final = ("balanced_accuracy", "macro_f1")  # from the confusion matrix alone
_STEP: Final = 1e-4


def metric_of_seed(metric: str, probabilities: FloatArray, labels: IntArray) -> float:
    """A metric of one run.

    Args:
      metric: as in ``[compare]``.
      probabilities: of its test examples.  # (m, K)
      labels: their true classes.  # (m,)

    Example:
      >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
      >>> [round(metric_of_seed(m, p, np.array([0, 1, 1, 1])), 4) for m in ("roc_auc", "brier", "balanced_accuracy")]
      [1.0, 0.25, 0.8333]
    """
    p, m = probabilities.astype(np.float64), len(labels)
    right = p.argmax(axis=1) == labels  # (m,)
    if metric == "accuracy":
        return float(right.sum() / m)
    if metric == "log_loss":
        eps = np.finfo(np.float64).eps
        return float(-np.log(np.clip(p[np.arange(m), labels], eps, 1 - eps)).sum() / m)
    if metric == "brier":
        return float(((p - np.eye(p.shape[1])[labels]) ** 2).sum() / m)
    if metric == "roc_auc":
        return float(np.mean([_area(p[:, k], labels == k) for k in np.unique(labels)]))
    return _counted(metric, confusion(p, labels))


def confusion(probabilities: FloatArray, labels: IntArray) -> IntArray:
    """True by predicted classes, counted.  # (K, K)"""
    K = probabilities.shape[1]
    return np.bincount(labels * K + probabilities.argmax(axis=1), minlength=K * K).reshape(K, K)


def _area(values: FloatArray, mine: NDArray[np.bool_]) -> float:
    """The share of pairs in order, from the sum of mid-ranks (Mann & Whitney 1947)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (counts.cumsum() - (counts - 1) / 2)[place]  # (m,)
    n = int(mine.sum())
    return float((ranks[mine].sum() - n * (n + 1) / 2) / (n * (len(mine) - n)))


def _counted(metric: str, counts: FloatArray | IntArray) -> float:
    """Mean recall of the classes that occur, or mean F1 of those that occur or are predicted."""
    true, called, right = counts.sum(axis=1), counts.sum(axis=0), counts.diagonal()
    if metric == "balanced_accuracy":
        return float((right[true > 0] / true[true > 0]).mean())
    both = true + called
    return float((2 * right[both > 0] / both[both > 0]).mean())


def mean_over(metric: str, judged: Judged, seeds: Collection[int], folds: bool) -> float:
    """The metric of some seeds of a variant, as a comparison over these seeds counts it.

    With folds, recall and F1 of a class are those of all seeds together, and some seeds count by what a greater weight
    of their examples changes. Everything else is a mean over examples.

    Args:
      metric: as in ``[compare]``.
      judged: all seeds of the variant.
      seeds: of these, those that both variants of a comparison share.
      folds: whether the seeds judge different examples.

    Example: of all seeds, it is the metric itself.
      >>> judged = {0: (1.0, np.array([[2, 0], [0, 2]])), 1: (0.5, np.array([[1, 1], [1, 1]]))}
      >>> round(mean_over("balanced_accuracy", judged, (0, 1), folds=True), 9)
      0.75
    """
    sizes = {seed: int(counts.sum()) for seed, (_, counts) in judged.items()}
    judging = sum(sizes[seed] for seed in seeds)
    if not folds or metric not in _COUNTED:
        return sum(judged[seed][0] * sizes[seed] for seed in seeds) / judging

    def weighted(weight: float) -> float:
        return _counted(metric, np.sum([(1 + weight * (s in seeds)) * of for s, (_, of) in judged.items()], axis=0))

    slope = (weighted(_STEP) - weighted(-_STEP)) / (2 * _STEP)
    return weighted(0.0) + sum(sizes.values()) / judging * slope
