"""Misclassified test examples: how many runs get each of them wrong, and which ones a report should show.

``predicted`` holds the predicted classes of every run of a variant: one row per run, one column per test example; -1
where the run did not judge the example, since it is in another seed's fold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, IntArray, Mistakes

__all__ = ["CELL", "VariantMistakes", "count_mistakes", "joint_mistakes", "pictured", "variant_mistakes", "votes"]

CELL: Final = 12
"""Pictures to keep for every cell of every confusion matrix, if it has that many examples."""

_HARDEST: Final = 200  # the most often wrong
_FIRST: Final = 3  # pictures of a cell that take precedence over everything but the hardest
_SUSPECTS, _FLIPS, _CORRECTED = 500, 200, 100
_DIVIDED: Final = 0.2  # how far from 1/2 the fraction of wrong runs may be if the seed decides


def votes(predicted: IntArray, classes: int) -> IntArray:
    """How many runs predicted each class for each test example.

    Args:
      predicted: classes, integers from 0; -1 where a run did not judge.  # (S, M)
      classes: number of classes, K.

    Returns:
      Counts; every row sums to the number of runs that judged the example.  # int64 (M, K)

    Example: two runs that differ on one example.
      >>> votes(np.array([[0, 2], [1, 2]]), 3).tolist()
      [[1, 1, 0], [0, 0, 2]]
    """
    counts = np.zeros((predicted.shape[1], classes), np.int64)  # (M, K)
    for run in predicted:
        judged = np.flatnonzero(run >= 0)
        counts[judged, run[judged]] += 1
    return counts


def count_mistakes(
    predicted: Mapping[str, IntArray], confidence: Mapping[str, FloatArray], labels: IntArray, classes: int
) -> Mistakes:
    """Count, for every test example, the runs of each variant that get it wrong.

    An example that every run of every variant gets wrong has a suspect label or is one of the hardest (Northcutt et
    al., 2021, arXiv:2103.14749, find label errors in test sets by such agreement between models). An example that the
    first variant always and another variant never gets wrong is corrected by what the other changes. For an example
    that 30 to 70 % of the first variant's runs get wrong, the seed decides.

    Args:
      predicted: variant -> predicted classes; the others are compared with the first variant. The number of runs may
        differ between variants.  # (S, M)
      confidence: variant -> the probability of the predicted class.  # (S, M)
      labels: true classes, integers from 0.  # (M,)
      classes: number of classes.

    Returns:
      The counts, without pictures, sorted as ``Mistakes`` states.

    Example: both runs of the first variant, and no run of the second, predict class 1 for the first example.
      >>> confidence = np.full((2, 2), 0.75)
      >>> predicted = {"a": np.array([[1, 1], [1, 1]]), "b": np.array([[0, 1], [0, 1]])}
      >>> counts = count_mistakes(predicted, {"a": confidence, "b": confidence}, np.array([0, 1]), 2)
      >>> counts.wrong.tolist(), counts.mended["b"].tolist(), counts.predicted[0].tolist()
      ([[2, 0], [0, 0]], [0], [1, -1])
    """
    of = {name: variant_mistakes(predicted[name], confidence[name], labels, classes) for name in predicted}
    return joint_mistakes(of, labels)


class VariantMistakes(NamedTuple):
    """The mistakes of one variant's runs.

    Args:
      runs: how many judged each example.  # (M,)
      wrong: how many of them get each example wrong.  # (M,)
      predicted: the wrong class that most of them predict; -1 without a wrong run.  # (M,)
      probability: the mean probability that these give it; NaN without a wrong run.  # float32 (M,)
      counts: the confusion matrix of all runs together.  # (K, K)
    """

    runs: IntArray
    wrong: IntArray
    predicted: IntArray
    probability: NDArray[np.float32]
    counts: IntArray


def joint_mistakes(of: Mapping[str, VariantMistakes], labels: IntArray) -> Mistakes:
    """The mistakes of all variants together, as ``count_mistakes`` returns them.

    Args:
      of: variant -> its mistakes; the others are compared with the first variant.
      labels: true classes, integers from 0.  # (M,)
    """
    names, variants = tuple(of), tuple(of.values())
    classes = len(variants[0].counts)
    runs, wrong, wrong_class = (np.stack([v[i] for v in variants]).astype(np.int64) for i in range(3))  # each (V, M)
    probability = np.stack([v.probability for v in variants])  # (V, M)
    judged = runs > 0  # (V, M)
    always, never = judged[0] & (wrong[0] == runs[0]), judged & (wrong == 0)  # (M,), (V, M)
    certainty = np.where(np.isnan(probability), 0, probability)  # (V, M)
    return Mistakes(
        variants=names,
        runs=runs,
        labels=labels,
        wrong=wrong,
        predicted=wrong_class,
        probability=probability,
        counts=np.stack([v.counts for v in variants]),
        all_wrong=_most_certain(np.all(judged & (wrong == runs), axis=0), certainty.mean(axis=0)),
        mended={name: _most_certain(always & never[v], certainty[0]) for v, name in enumerate(names) if v},
        flips=_flips(wrong, runs),
        image_rows=np.zeros(0, np.int64),
        images=np.zeros((0, 0, 0), np.uint8),
        votes=np.zeros((len(names), 0, classes), np.int64),
    )


def variant_mistakes(predicted: IntArray, confidence: FloatArray, labels: IntArray, classes: int) -> VariantMistakes:
    """Count the mistakes of one variant.

    Args:
      predicted: predicted classes, integers of any size.  # (S, M)
      confidence: the probability of the predicted class.  # (S, M)
      labels: true classes, integers from 0.  # (M,)
      classes: number of classes.

    Example: both of two runs get the second example wrong, and agree on how.
      >>> predicted, confidence = np.array([[0, 2], [0, 2]]), np.array([[0.9, 0.5], [0.9, 0.7]])
      >>> found = variant_mistakes(predicted, confidence, np.array([0, 1]), 3)
      >>> found.wrong.tolist(), found.predicted.tolist(), found.probability.tolist()[1]
      ([0, 2], [-1, 2], 0.6000000238418579)
    """
    every = np.arange(len(labels))
    counts = votes(predicted, classes)  # (M, K)
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, labels, counts)
    judged = counts.sum(axis=1)  # (M,)
    wrong = judged - counts[every, labels]  # (M,)
    counts[every, labels] = 0
    wrong_class = np.where(wrong > 0, counts.argmax(axis=1), -1)  # (M,)
    number = np.where(wrong > 0, counts.max(axis=1, initial=0), 0)  # (M,)
    total = np.zeros(len(labels))  # (M,)
    for run, sure in zip(predicted, confidence, strict=True):  # in turn: there may be thousands
        total += np.where((run == wrong_class) & (run >= 0), sure, 0)
    mean = np.divide(total, number, out=np.full(len(labels), np.nan), where=number > 0)  # (M,)
    return VariantMistakes(judged, wrong, wrong_class, mean.astype(np.float32), confusion)


def _most_certain(chosen: NDArray[np.bool_], certainty: FloatArray) -> IntArray:
    """The chosen rows, the most confident predictions first."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-certainty[rows], kind="stable")]


def _flips(wrong: IntArray, runs: IntArray) -> IntArray:
    """Rows that about half of the first variant's runs get wrong: closest to half first, then by all variants."""
    from_half = np.abs(wrong[0] / np.maximum(runs[0], 1) - 0.5)  # (M,)
    divided = np.minimum(wrong, runs - wrong).sum(axis=0)  # (M,)
    rows = np.flatnonzero((runs[0] > 0) & (from_half <= _DIVIDED + 1e-9))
    return rows[np.lexsort((-divided[rows], from_half[rows].round(9)))]


def pictured(mistakes: Mistakes, counts: NDArray[np.integer], most: int) -> IntArray:
    """The test examples whose pictures to keep, at most ``most`` of them.

    In this order, as long as there is room: the 200 most often wrong; three of every cell of every variant's confusion
    matrix; the first of those that all runs get wrong, that the seed decides, and that a variant corrects; the rest of
    the twelve of every cell. Within a cell, those come first that most of the variant's runs put there, then those that
    most runs of all variants get wrong.

    Args:
      mistakes: from ``count_mistakes``.
      counts: number of runs of each variant that predict each class for each example.  # (V, M, K)
      most: largest number of pictures.

    Returns:
      Rows of the test set, ascending.

    Example: of three examples, the second was never wrong.
      >>> predicted = {"a": np.array([[1, 1, 1]])}
      >>> mistakes = count_mistakes(predicted, {"a": np.ones((1, 3))}, np.array([0, 1, 0]), 2)
      >>> pictured(mistakes, votes(predicted["a"], 2)[None], 100).tolist()
      [0, 2]
    """
    share = (mistakes.wrong / np.maximum(mistakes.runs, 1)).mean(axis=0)  # (M,)
    hardest = np.argsort(-share, kind="stable")[: min(_HARDEST, np.count_nonzero(share))]
    early, late = _of_cells(mistakes.labels, counts, share)
    corrected = [rows[:_CORRECTED] for rows in mistakes.mended.values()]
    wanted = [hardest, early, mistakes.all_wrong[:_SUSPECTS], mistakes.flips[:_FLIPS], *corrected, late]
    rows, places = np.unique(np.concatenate(wanted), return_index=True)
    return np.sort(rows[np.argsort(places)[:most]])


def _of_cells(labels: IntArray, counts: NDArray[np.integer], share: FloatArray) -> tuple[IntArray, IntArray]:
    """The first three examples of every off-diagonal cell, and the next nine; each list cycles through the cells."""
    _, _, classes = counts.shape
    variant, row, predicted = np.nonzero(counts)  # (N,) each
    off = predicted != labels[row]
    variant, row, predicted = variant[off], row[off], predicted[off]
    cell = (variant * classes + labels[row]) * classes + predicted  # (N,)
    order = np.lexsort((-share[row], -counts[variant, row, predicted].astype(np.int64), cell))
    cell, row = cell[order], row[order]
    rank = np.arange(len(cell)) - np.searchsorted(cell, cell)  # (N,), within its cell
    by_rank = np.argsort(rank, kind="stable")
    row, rank = row[by_rank], rank[by_rank]
    return row[rank < _FIRST], row[(rank >= _FIRST) & (rank < CELL)]
