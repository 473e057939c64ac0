"""The results of a variant's tested runs on every test example that they judge, read from their files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.metrics import confusion_matrix, correctness, log_losses
from wellfit.base import FloatArray, IntArray
from wellfit.store import Store
from wellfit.store.tested import Validated
from wellfit.study.scored import scores_of_runs

__all__ = ["Outcomes", "outcomes_of"]


class Outcomes(NamedTuple):
    """The results of a variant's tested runs on the test examples that they judge, by seed.

    Args:
      correct: whether each was classified correctly.  # (m,) each
      scores: the score by the metric that variants are compared on; ``correct`` if that is accuracy.  # (m,) each
      of_run: that metric of each run by itself; empty for accuracy.
      loss: its cross-entropy; without runs of which only the predicted classes are known.  # (m,) each
      rows: which of the test examples these are.  # (m,) each
      validated: its answers to the validation examples, where they are kept.
      confusion: the matrix of all runs together.  # (K, K)
    """

    correct: dict[int, NDArray[np.bool_]]
    scores: dict[int, NDArray[Any]]
    of_run: dict[int, float]
    loss: dict[int, FloatArray]
    rows: dict[int, IntArray]
    validated: dict[int, Validated]
    confusion: IntArray


def outcomes_of(
    store: Store, metric: str, variant: str, accuracies: Mapping[int, float], labels: IntArray, classes: int
) -> Outcomes:
    """Read the results of a variant.

    Args:
      store: the study.
      metric: that variants are compared on.
      variant: its name.
      accuracies: seed -> test accuracy of its tested runs. They are all that is known in a study without classes: each
        run then has one score, and no example has any.
      labels: of all test examples.  # (N,)
      classes: their number.

    Raises:
      StoreUnreadableError: a file is missing or damaged.
    """
    outcomes = Outcomes({}, {}, {}, {}, {}, {}, np.zeros((classes, classes), np.int64))
    if not classes:
        scores = {seed: np.asarray(value) for seed, value in accuracies.items()}  # () each
        return outcomes._replace(scores=scores, rows={seed: np.zeros(0, np.int64) for seed in scores})
    every = np.arange(len(labels))
    for seed in accuracies:
        tested = store.runs.tested(variant, seed)
        probabilities, truth = tested.probabilities, tested.of(labels)  # (m, K), (m,)
        outcomes.correct[seed] = correctness(probabilities, truth)
        if not tested.classes_only:
            outcomes.loss[seed] = log_losses(probabilities.astype(np.float64), truth)  # float32: clipped at 1e-7
        outcomes.rows[seed] = every if tested.rows is None else tested.rows
        if tested.validated is not None:
            outcomes.validated[seed] = tested.validated
        outcomes.confusion[...] += confusion_matrix(truth, probabilities.argmax(axis=1), classes)
    if metric == "accuracy":
        return outcomes._replace(scores=outcomes.correct)
    scores, of_run = scores_of_runs(store, metric, variant, outcomes.rows, labels)
    return outcomes._replace(scores=scores, of_run=of_run)
