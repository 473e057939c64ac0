"""Metrics of one run: accuracy, losses, ROC area, confusion matrix and the scores derived from it.

Higher is better for ``*_score`` and accuracy, lower for ``*_loss`` and ``*_error``. Sums are in float64.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, IntArray
from wellfit.errors import DataError

__all__ = [
    "AveragedScores",
    "ClassScores",
    "accuracy",
    "averaged_scores",
    "brier_loss",
    "class_scores",
    "confusion_matrix",
    "correctness",
    "log_loss",
    "log_losses",
    "ratio",
    "roc_auc",
    "top_k_accuracy",
]


class ClassScores(NamedTuple):
    """Per class: precision, recall and F1 score, float64, NaN if undefined; support, int64, is the true count."""

    precision: FloatArray  # (K,)
    recall: FloatArray  # (K,)
    f1: FloatArray  # (K,)
    support: IntArray  # (K,)


class AveragedScores(NamedTuple):
    """Precision, recall and F1 score averaged over the classes for which they are defined; NaN if there are none."""

    precision: float
    recall: float
    f1: float


def correctness(probabilities: FloatArray, labels: IntArray) -> NDArray[np.bool_]:
    """Whether the most probable class is the true one; among ties the first class counts.

    Args:
      probabilities: one row per example, one column per class; logits work too.  # (M, K)
      labels: true classes, integers from 0.  # (M,)

    Returns:
      One boolean per example.  # bool (M,)

    Raises:
      DataError: the shapes do not match, there is no example, NaN, or a label without a column.

    Example:
      >>> correctness(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1])).tolist()
      [True, False]
    """
    probabilities, labels = _checked(probabilities, labels)
    right: NDArray[np.bool_] = np.argmax(probabilities, axis=1) == labels  # (M,)
    return right


def accuracy(probabilities: FloatArray, labels: IntArray) -> float:
    """The fraction of examples whose most probable class is the true one.

    Args:
      probabilities, labels: as in ``correctness``.  # (M, K), (M,)

    Raises:
      DataError: as in ``correctness``.

    Example:
      >>> accuracy(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([0, 1]))
      0.5
    """
    return float(correctness(probabilities, labels).mean())


def top_k_accuracy(probabilities: FloatArray, labels: IntArray, k: int = 5) -> float:
    """The fraction of examples whose true class is among the k most probable ones.

    Among ties the first classes count, as in ``accuracy``, which is the case ``k = 1``.

    Args:
      probabilities, labels: as in ``correctness``.  # (M, K), (M,)
      k: number of classes that count.

    Raises:
      DataError: as in ``correctness``, or not ``1 <= k <= K``.

    Example: the second example's class comes second.
      >>> top_k_accuracy(np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1]]), np.array([0, 1]), k=2)
      1.0
    """
    probabilities, labels = _checked(probabilities, labels)
    classes = probabilities.shape[1]
    if not 1 <= k <= classes:
        raise DataError(f"the {k} most probable of {classes} classes; use a number from 1 to {classes}")
    true = probabilities[np.arange(len(labels)), labels][:, None]  # (M, 1)
    before = np.arange(classes) < labels[:, None]  # (M, K)
    rank = np.sum((probabilities > true) | ((probabilities == true) & before), axis=1)  # (M,)
    return float(np.mean(rank < k))


def roc_auc(probabilities: FloatArray, labels: IntArray) -> float:
    """The area under the ROC curve, one class against the rest, averaged over the classes.

    The area is the probability that an example of the class gets a higher score for it than an example of another
    class, with ties counting half. A class without examples has no area and is left out of the mean.

    Source: Hanley & McNeil (1982), Radiology 143:29-36: the area is Wilcoxon's statistic, computed as such.

    Args:
      probabilities, labels: as in ``correctness``.  # (M, K), (M,)

    Raises:
      DataError: as in ``correctness``, or all examples belong to one class.

    Example: of the four pairs of an example of class 1 and one of class 0, three are in order; likewise for class 0.
      >>> p = np.array([0.1, 0.4, 0.35, 0.8])
      >>> roc_auc(np.stack([1 - p, p], axis=1), np.array([0, 0, 1, 1]))
      0.75
    """
    probabilities, labels = _checked(probabilities, labels)
    present = np.unique(labels)
    if len(present) < 2:
        raise DataError(f"a ROC curve of {len(labels)} examples that all belong to class {present[0]}; use examples "
                        "of at least two classes")  # fmt: skip
    order = np.argsort(labels, kind="stable")  # each class is then a slice
    columns = np.ascontiguousarray(probabilities[order].T)  # (K, M)
    ends = np.searchsorted(labels[order], present, "right")  # (classes present,)
    slices = zip(present, [0, *ends[:-1]], ends, strict=True)
    areas = [_area(columns[k, a:b], np.concatenate([columns[k, :a], columns[k, b:]])) for k, a, b in slices]
    return float(np.mean(areas))


def _area(of_class: FloatArray, of_others: FloatArray) -> float:
    """The fraction of pairs in which the example of the class has the higher probability; ties count half."""
    others, own = np.sort(of_others), np.sort(of_class)  # both: searching in order reads memory in order
    below = np.searchsorted(others, own, "left").sum() + np.searchsorted(others, own, "right").sum()
    return float(below / 2 / (len(of_class) * len(others)))


def log_losses(probabilities: FloatArray, labels: IntArray) -> FloatArray:
    """The cross-entropy of every example, ``-log p[true class]``, natural logarithm.

    Probabilities are clipped to ``[eps, 1 - eps]`` with ``eps`` the spacing of their dtype at 1 (1.2e-7 for float32),
    as in scikit-learn, so that one confident mistake costs 16 instead of infinity.

    Args:
      probabilities: rows that sum to 1.  # (M, K)
      labels: true classes, integers from 0.  # (M,)

    Returns:
      One loss per example.  # float64 (M,)

    Raises:
      DataError: as in ``correctness``.

    Example: ``-log 0.5`` and ``-log 0.25``.
      >>> log_losses(np.array([[0.5, 0.5], [0.75, 0.25]]), np.array([0, 1])).round(4).tolist()
      [0.6931, 1.3863]
    """
    probabilities, labels = _checked(probabilities, labels)
    eps = np.finfo(probabilities.dtype).eps
    true = np.clip(probabilities[np.arange(len(labels)), labels], eps, 1 - eps)  # (M,)
    losses: FloatArray = -np.log(true.astype(np.float64))  # (M,)
    return losses


def log_loss(probabilities: FloatArray, labels: IntArray) -> float:
    """The mean cross-entropy.

    Args:
      probabilities, labels: as in ``log_losses``.  # (M, K), (M,)

    Raises:
      DataError: as in ``correctness``.

    Example: ``-(log 0.5 + log 0.25) / 2``.
      >>> round(log_loss(np.array([[0.5, 0.5], [0.75, 0.25]]), np.array([0, 1])), 4)
      1.0397
    """
    return float(log_losses(probabilities, labels).mean())


def brier_loss(probabilities: FloatArray, labels: IntArray) -> float:
    """The Brier score, ``mean(sum_k (p_k - [k is true])**2)``, between 0 and 2.

    Source: Brier (1950), "Verification of forecasts expressed in terms of probability".

    Args:
      probabilities, labels: as in ``log_losses``.  # (M, K), (M,)

    Raises:
      DataError: as in ``correctness``.

    Example: ``(0.2**2 + 0.2**2)``.
      >>> round(brier_loss(np.array([[0.8, 0.2]]), np.array([0])), 2)
      0.08
    """
    probabilities, labels = _checked(probabilities, labels)
    off = probabilities.astype(np.float64)  # (M, K)
    off[np.arange(len(labels)), labels] -= 1
    return float(np.square(off).sum(axis=1).mean())


def confusion_matrix(labels: IntArray, predictions: IntArray, classes: int) -> IntArray:
    """Counts of examples by true class (rows) and predicted class (columns).

    Args:
      labels, predictions: true and predicted classes, integers from 0.  # (M,), (M,)
      classes: number of classes, K.

    Returns:
      The counts.  # int64 (K, K)

    Raises:
      DataError: different lengths, or a class outside 0 ... K - 1.

    Example:
      >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), classes=2).tolist()
      [[1, 1], [0, 1]]
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape or labels.ndim != 1:
        raise DataError(f"labels of shape {labels.shape} with predictions of shape {predictions.shape}; pass one of "
                        "each per example")  # fmt: skip
    for name, values in (("label", labels), ("prediction", predictions)):
        _check_range(name, values, classes)
    pairs = labels.astype(np.int64) * classes + predictions.astype(np.int64)  # (M,)
    return np.bincount(pairs, minlength=classes**2).astype(np.int64).reshape(classes, classes)  # (K, K)


def class_scores(confusion: IntArray) -> ClassScores:
    """Precision, recall and F1 of every class, ``tp / predicted``, ``tp / true`` and ``2 tp / (predicted + true)``.

    Undefined scores are NaN, not 0: the precision of a class that was never predicted, the recall of one that never
    occurred, the F1 of one that did neither.

    Args:
      confusion: counts as in ``confusion_matrix``.  # (K, K)

    Raises:
      DataError: not a square matrix.

    Example: class 1 was predicted twice, once correctly, and occurred once.
      >>> scores = class_scores(np.array([[1, 1], [0, 1]]))
      >>> scores.precision.tolist(), scores.recall.tolist(), scores.support.tolist()
      ([1.0, 0.5], [0.5, 1.0], [2, 1])
    """
    confusion = np.asarray(confusion)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1]:
        raise DataError(f"a confusion matrix of shape {confusion.shape}; pass one row and one column per class")
    tp, predicted, true = confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1)  # each (K,)
    return ClassScores(ratio(tp, predicted), ratio(tp, true), ratio(2 * tp, predicted + true), true.astype(np.int64))


def averaged_scores(confusion: IntArray, weighted: bool = False) -> AveragedScores:
    """Precision, recall and F1 averaged over the classes.

    Classes with an undefined score do not count, as in scikit-learn with ``zero_division=np.nan``.

    Args:
      confusion: as in ``class_scores``.  # (K, K)
      weighted: False for the plain mean ("macro"), True to weight each class by its support.

    Raises:
      DataError: as in ``class_scores``.

    Example: recalls 0.5 (of two examples) and 1 (of one).
      >>> averaged_scores(np.array([[1, 1], [0, 1]])).recall
      0.75
      >>> round(averaged_scores(np.array([[1, 1], [0, 1]]), weighted=True).recall, 4)
      0.6667
    """
    *scores, support = class_scores(confusion)
    return AveragedScores(*(_average(score, support if weighted else np.ones_like(support)) for score in scores))


def _average(scores: FloatArray, weights: IntArray) -> float:
    """The weighted mean of the defined scores; unweighted if all weights are 0."""
    defined = np.isfinite(scores)  # (K,)
    scores, weights = scores[defined], weights[defined]
    if not len(scores):
        return float("nan")
    return float(np.average(scores, weights=weights if weights.any() else None))


def ratio(above: NDArray[Any], below: IntArray) -> FloatArray:
    """``above / below``, NaN if ``below`` is 0.

    Example:
      >>> ratio(np.array([1, 0]), np.array([4, 0])).tolist()
      [0.25, nan]
    """
    shares: FloatArray = np.divide(above, below, out=np.full(below.shape, np.nan), where=below != 0)
    return shares


def _checked(probabilities: FloatArray, labels: IntArray) -> tuple[FloatArray, IntArray]:
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or probabilities.size == 0:
        raise DataError(f"probabilities of shape {probabilities.shape} with labels of shape {labels.shape}; pass one "
                        "row and one label per example, one column per class")  # fmt: skip
    if np.isnan(probabilities).any():
        raise DataError("the probabilities contain NaN; leave out diverged runs")
    _check_range("label", labels, probabilities.shape[1])
    return probabilities, labels


def _check_range(name: str, values: IntArray, classes: int) -> None:
    if not np.issubdtype(values.dtype, np.integer):
        raise DataError(f"{name}s of type {values.dtype}; use integers from 0")
    wrong = np.flatnonzero((values < 0) | (values >= classes))
    if wrong.size:
        raise DataError(f"{name} {values[wrong[0]]} in row {wrong[0]} of {classes} classes; {name}s run from 0 to "
                        f"{classes - 1}")  # fmt: skip
