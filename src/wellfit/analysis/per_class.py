"""Scores of every class, their averages, and the ensemble of a variant's seeds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

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
from wellfit.base import ClassTable, ConfusionDifference, Ensemble, FloatArray, IntArray, TestRows

__all__ = ["TOP", "class_table", "ensemble"]

TOP: Final = 3
"""The k of ``"top_k"``, which is left out if there are no more than k classes."""


def class_table(
    variant: str,
    tests: Iterable[tuple[FloatArray, IntArray]],
    predicted: IntArray,
    labels: IntArray,
    difference: ConfusionDifference | None = None,
) -> ClassTable:
    """Precision, recall and F1 of every class and their averages, as means over a variant's seeds.

    With folds, the scores of a class are those of all seeds' predictions together; the averages stay means over seeds.

    Recall is a proportion of the test images of its class, so its interval is ``two_way_interval`` over seeds and these
    images. Gains are the diagonal of the difference of the confusion matrices. The averages depend on the whole matrix:
    their t intervals cover the seeds only.

    Args:
      variant: its name.
      tests: the probabilities of every run and the true classes, read one after the other.  # (m, K), (m,) each
      predicted: the predicted class of every test example by every run; -1 where it did not judge.  # (S, M)
      labels: true classes of all test examples, integers from 0.  # (M,)
      difference: from the first variant, as in ``confusion_difference``; None for the first.

    Returns:
      The table. A score that is undefined for some seeds is the mean over the others; NaN if undefined for all.

    Raises:
      DataError: as in ``metrics.correctness``.

    Example: class 0 has one of two right with the first seed, both with the second.
      >>> p = np.array([[[0.9, 0.1], [0.2, 0.8], [0.2, 0.8]], [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]]])
      >>> labels = np.array([0, 0, 1])
      >>> table = class_table("l2", [(run, labels) for run in p], p.argmax(axis=2), labels)
      >>> table.recall.tolist(), table.precision.tolist(), table.support.tolist()
      ([0.75, 1.0], [1.0, 0.75], [2, 1])
    """
    matrices: list[IntArray] = []  # (K, K) each
    columns: dict[str, list[float]] = {}
    for run, truth in tests:
        matrices.append(confusion_matrix(truth, run.argmax(axis=1), run.shape[1]))
        for name, score in _averages(run, truth, matrices[-1]).items():
            columns.setdefault(name, []).append(score)
    folds = bool((predicted < 0).any())  # a fold may hold few examples of a class: they are scored together
    scores = [class_scores(matrix) for matrix in ([sum(matrices[1:], matrices[0])] if folds else matrices)]
    bounds = [_recall_bounds(predicted[:, labels == k], k) for k in range(len(matrices[0]))]
    low, high = np.array(bounds).T  # each (K,)
    return ClassTable(
        variant=variant,
        precision=_mean([score.precision for score in scores]),
        recall=_mean([score.recall for score in scores]),
        f1=_mean([score.f1 for score in scores]),
        support=np.bincount(labels[(predicted >= 0).any(axis=0)], minlength=len(matrices[0])),
        recall_low=low,
        recall_high=high,
        gain=None if difference is None else difference.difference.diagonal(),
        gain_low=None if difference is None else difference.low.diagonal(),
        gain_high=None if difference is None else difference.high.diagonal(),
        averages={name: (float(np.mean(values)), _clipped(t_interval(values))) for name, values in columns.items()},
    )


def _mean(rows: list[FloatArray]) -> FloatArray:
    """The mean over the seeds for which a score is defined; NaN if there are none."""
    each = np.stack(rows)  # (S, K)
    defined = ~np.isnan(each)
    number = defined.sum(axis=0)  # (K,)
    total = np.where(defined, each, 0).sum(axis=0)  # (K,)
    mean: FloatArray = np.divide(total, number, out=np.full(each.shape[1], np.nan), where=number > 0)
    return mean


def _recall_bounds(predicted: IntArray, label: int) -> Interval:
    """The interval of a class's recall; NaN with one seed, or where a seed judged a single image.

    Args:
      predicted: classes of the examples of the class; -1 where a run did not judge.  # (S, n)
    """
    rows = {seed: np.flatnonzero(run >= 0) for seed, run in enumerate(predicted)}
    judged = [seed for seed, of in rows.items() if len(of)]
    if len(judged) < 2 or min(len(rows[seed]) for seed in judged) < 2:
        return np.nan, np.nan
    correct = [predicted[seed, rows[seed]] == label for seed in judged]
    tested = TestRows({place: rows[seed] for place, seed in enumerate(judged)}, predicted.shape[1])
    return two_way_interval(correct, tested=tested)[1] or (np.nan, np.nan)


def _averages(probabilities: FloatArray, labels: IntArray, matrix: IntArray) -> dict[str, float]:
    """The averages of one run's scores."""
    macro = averaged_scores(matrix)
    scores = {
        "macro_precision": macro.precision,
        "macro_recall": macro.recall,
        "macro_f1": macro.f1,
        "weighted_f1": averaged_scores(matrix, weighted=True).f1,
    }
    if probabilities.shape[1] > TOP:
        scores["top_k"] = top_k_accuracy(probabilities, labels, TOP)
    if len(np.unique(labels)) > 1:
        scores["roc_auc"] = roc_auc(probabilities, labels)
    return scores


def _clipped(interval: Interval | None) -> Interval | None:
    """An interval clipped to [0, 1]."""
    return None if interval is None else (max(interval[0], 0.0), min(interval[1], 1.0))


def ensemble(variant: str, probabilities: Iterable[FloatArray], labels: IntArray) -> Ensemble:
    """The ensemble of a variant's seeds, which averages their probabilities.

    There is one ensemble, so its interval covers the test examples only. Source: Lakshminarayanan et al. (2017),
    arXiv:1612.01474.

    Args:
      variant: its name.
      probabilities: of every run, read one after the other.  # (M, K) each
      labels: true classes, integers from 0.  # (M,)

    Raises:
      DataError: as in ``metrics.correctness``.

    Example: each of two runs gets one of two examples wrong, both together none.
      >>> p = np.array([[[0.9, 0.1], [0.6, 0.4]], [[0.4, 0.6], [0.1, 0.9]]])
      >>> both = ensemble("l2", p, np.array([0, 1]))
      >>> both.single, both.accuracy, both.members
      (0.5, 1.0, 2)
    """
    singles: list[float] = []
    total: FloatArray | float = 0.0
    for run in probabilities:
        total = total + run.astype(np.float64)  # (M, K)
        singles.append(accuracy(run, labels))
    mean = np.asarray(total) / len(singles)  # (M, K)
    right = accuracy(mean, labels)
    return Ensemble(
        variant=variant,
        accuracy=right,
        loss=log_loss(mean, labels),
        interval=wilson_interval(right * len(labels), len(labels)),
        single=float(np.mean(singles)),
        members=len(singles),
    )
