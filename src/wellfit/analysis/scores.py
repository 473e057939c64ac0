"""Metrics as means of one score per example, so that every metric is compared and has intervals in the same way.

Accuracy, log loss and Brier score are such means already. For balanced accuracy, macro F1 and ROC AUC an example's
score is the metric plus the example's influence on it, a pseudo-value of the infinitesimal jackknife: the mean is the
metric, exactly, and the spread is that of the metric. In all of them the larger is the better: losses are negated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.metrics import correctness, log_losses
from wellfit.base import MARGIN, FloatArray, IntArray
from wellfit.errors import DataError, StudyFileError

__all__ = ["LOSSES", "MARGINS", "SCORED", "ScoredMetric", "scores_of"]

ScoredMetric = Literal["accuracy", "balanced_accuracy", "macro_f1", "roc_auc", "log_loss", "brier"]

SCORED: Final = get_args(ScoredMetric)
"""The metrics that variants can be compared on."""

LOSSES: Final = ("log_loss", "brier")
"""Those of them that are better the lower they are."""

MARGINS: Final[Mapping[str, float]] = {
    "accuracy": MARGIN,
    "balanced_accuracy": MARGIN,
    "macro_f1": MARGIN,
    "roc_auc": MARGIN,
    "log_loss": 0.005,
    "brier": 0.002,
}
"""The largest difference of no practical interest, unless a study says otherwise.

Losses have scales of their own. One answer in a thousand that turns from surely right to surely wrong costs 0.001 of
accuracy, 0.002 of the Brier score, and 0.005 of the log loss if it had a probability of 0.7 %.
"""

Test = tuple[FloatArray, IntArray]


def scores_of(metric: str, tests: Iterable[Test], together: bool = False) -> list[NDArray[Any]]:
    """One score for every example that each seed of a variant judges; their mean is the metric.

    With folds, recall and F1 of a class are those of all seeds' predictions together: a fold may hold few examples of a
    class. ROC AUC and its ranks are always those of one seed at a time, because the probabilities of different networks
    need not be on one scale; a class that a seed does not judge is left out of its mean.

    Source: Efron (1982), "The jackknife, the bootstrap and other resampling plans", ch. 6, for the influence of an
    example; DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44:837-845, for that on the ROC AUC.

    Args:
      metric: one of ``SCORED``.
      tests: the probabilities of every seed's test examples and their true classes, read once.  # (m, K), (m,) each
      together: whether the seeds judge different examples (folds), so that their predictions are counted together.

    Returns:
      One array per seed; booleans for accuracy.  # (m,) each

    Raises:
      DataError: as in ``metrics.correctness``, or for ROC AUC a seed whose examples all belong to one class.
      StudyFileError: an unknown metric.

    Example: recall 1 for the class of one example, 2/3 for that of three.
      >>> p = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
      >>> (scores,) = scores_of("balanced_accuracy", [(p, np.array([0, 1, 1, 1]))])
      >>> round(float(scores.mean()), 4), scores.round(3).tolist()
      (0.8333, [0.833, 1.056, 1.056, 0.389])
    """
    if metric in ("balanced_accuracy", "macro_f1"):
        predicted = [_predictions(probabilities, labels) for probabilities, labels in tests]  # (m,), (m,) each
        influence = _balanced if metric == "balanced_accuracy" else _macro_f1
        if not together:
            return [influence(*one) for one in predicted]
        of_all = influence(*(np.concatenate(parts) for parts in zip(*predicted, strict=True)))  # (N,)
        return np.split(of_all, np.cumsum([len(labels) for _, labels in predicted])[:-1])
    by_seed: Mapping[str, Any] = {
        "accuracy": correctness,
        "roc_auc": _roc_auc,
        "log_loss": lambda probabilities, labels: -log_losses(probabilities, labels),
        "brier": _brier,
    }
    if metric not in by_seed:
        raise StudyFileError(f"metric {metric!r}; use one of {', '.join(SCORED)}")
    return [by_seed[metric](probabilities, labels) for probabilities, labels in tests]


def _predictions(probabilities: FloatArray, labels: IntArray) -> tuple[IntArray, IntArray]:
    """The predicted and the true classes, checked."""
    correctness(probabilities, labels)
    return np.asarray(probabilities).argmax(axis=1), np.asarray(labels)


def _balanced(predicted: IntArray, labels: IntArray) -> FloatArray:
    """Mean recall of the classes that occur, plus ``(right - recall) / (classes * share)`` of the example's class."""
    right = predicted == labels  # (N,)
    counts = np.bincount(labels)  # (K,)
    recall = np.bincount(labels, weights=right) / np.maximum(counts, 1)  # (K,)
    present = np.count_nonzero(counts)
    scores: FloatArray = recall[counts > 0].mean() + (right - recall[labels]) * len(labels) / (present * counts[labels])
    return scores


def _macro_f1(predicted: IntArray, labels: IntArray) -> FloatArray:
    """Mean F1 of the classes that occur or are predicted, plus the derivative of each by an example's weight.

    With F = 2 t / s, t the share of true positives and s that of labels plus that of predictions, an example adds
    ``(2 tp - F (label + prediction)) / s``, where the three are whether it is, in turn, both, of the class, called so.
    """
    K, N = int(max(labels.max(), predicted.max())) + 1, len(labels)
    right = predicted == labels  # (N,)
    both = (np.bincount(labels, minlength=K) + np.bincount(predicted, minlength=K)) / N  # s (K,)
    f1 = 2 * np.bincount(labels[right], minlength=K) / N / np.where(both > 0, both, 1)  # (K,)
    per = np.divide(f1, both, out=np.zeros(K), where=both > 0)  # F / s (K,)
    hit = np.where(right, 2 / np.where(both > 0, both, 1)[labels], 0)  # (N,)
    occurs = np.count_nonzero(both)
    scores: FloatArray = f1.sum() / occurs + (hit - per[labels] - per[predicted]) / occurs
    return scores


def _roc_auc(probabilities: FloatArray, labels: IntArray) -> FloatArray:
    """Mean area of the classes against the rest, plus each example's share of the pairs that are in order."""
    correctness(probabilities, labels)
    labels, N = np.asarray(labels), len(labels)
    present = np.unique(labels)
    if len(present) < 2:
        raise DataError(f"a ROC curve of {N} examples that all belong to class {present[0]}; use examples of at least "
                        "two classes, or another metric")  # fmt: skip
    scores = np.zeros(N)
    for k in present:
        mine = labels == k  # (N,)
        below = np.where(mine, *_shares_below(np.asarray(probabilities)[:, k].astype(np.float64), mine))  # (N,)
        area = float(below[mine].mean())
        scores += area + (below - area) / np.where(mine, mine.mean(), 1 - mine.mean())
    return scores / len(present)


def _shares_below(values: FloatArray, mine: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """For each value, the share of the others' values below it and of mine above it, ties counting half."""
    found = []
    for group in (np.sort(values[~mine]), np.sort(values[mine])):
        below, upto = (np.searchsorted(group, values, side=side) for side in ("left", "right"))
        found.append((below + upto) / 2 / len(group))  # (N,)
    return found[0], 1 - found[1]


def _brier(probabilities: FloatArray, labels: IntArray) -> FloatArray:
    """Minus the Brier score of every example."""
    predicted, labels = _predictions(probabilities, labels)
    off = np.array(probabilities, dtype=np.float64)  # (m, K)
    off[np.arange(len(predicted)), labels] -= 1
    scores: FloatArray = -np.square(off).sum(axis=1)
    return scores
