"""What a whole population gets wrong: which test examples, how many of its runs, and which of them are worth a look.

``predicted`` are the most probable classes of every run of a variant: one row a run, one column a test example.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.metrics import confusion_matrix
from wellfit.base import FloatArray, IntArray, Mistakes

__all__ = ["CELL", "count_mistakes", "pictured", "votes"]

CELL: Final = 12
"""Pictures that every cell of every confusion matrix should have, where so many examples fell into it."""

_HARDEST: Final = 200  # the most often wrong
_FIRST: Final = 3  # pictures of a cell that come before everything but the hardest
_SUSPECTS, _FLIPS, _MENDED = 500, 200, 100
_DIVIDED: Final = 0.2  # how far from a half the share of wrong runs may be where chance is said to decide


def votes(predicted: IntArray, classes: int) -> IntArray:
    """How many runs took each test example for each class.

    Args:
      predicted: classes from 0.  # (S, M)
      classes: how many there are, K.

    Returns:
      Counts; every row sums to S.  # int64 (M, K)

    Example: two runs, one example on which they differ.
      >>> votes(np.array([[0, 2], [1, 2]]), 3).tolist()
      [[1, 1, 0], [0, 0, 2]]
    """
    examples = predicted.shape[1]
    cells = np.arange(examples) * classes + predicted.astype(np.int64)  # (S, M)
    return np.bincount(cells.ravel(), minlength=examples * classes).reshape(examples, classes)  # (M, K)


def count_mistakes(
    predicted: Mapping[str, IntArray], confidence: Mapping[str, FloatArray], labels: IntArray, classes: int
) -> Mistakes:
    """Count, test example by test example, what every variant's runs got wrong.

    An example that every run of every variant gets wrong has a suspect label or is among the hardest (Northcutt et al.,
    2021, arXiv:2103.14749, find label errors in test sets by such agreement of models). One that the first variant
    always gets wrong and another never is mended by what the other changes. One that 30 to 70 % of the first variant's
    runs get wrong is decided by the seed.

    Args:
      predicted: variant -> the most probable class; the first variant is the one that others are held against.
        # (S, M), of a number S of runs that may differ from variant to variant
      confidence: variant -> its probability.  # (S, M)
      labels: the true classes.  # (M,)
      classes: how many there are.

    Returns:
      The counts, without pictures. Lists of rows are as sorted as ``Mistakes`` says.

    Example: both runs of the first variant, and none of the second, take the first example for class 1.
      >>> sure = np.full((2, 2), 0.75)
      >>> predicted = {"a": np.array([[1, 1], [1, 1]]), "b": np.array([[0, 1], [0, 1]])}
      >>> found = count_mistakes(predicted, {"a": sure, "b": sure}, np.array([0, 1]), 2)
      >>> found.wrong.tolist(), found.mended["b"].tolist(), found.predicted[0].tolist(), found.probability[0, 0].item()
      ([[2, 0], [0, 0]], [0], [1, -1], 0.75)
    """
    names = tuple(predicted)
    rows = [_variant(predicted[name], confidence[name], labels, classes) for name in names]
    wrong, taken, probability = (np.stack(column) for column in zip(*rows, strict=True))  # each (V, M)
    runs = np.array([len(predicted[name]) for name in names])  # (V,)
    first, never = wrong[0] == runs[0], wrong == 0  # (M,), (V, M)
    sureness = np.where(np.isnan(probability), 0, probability)  # (V, M)
    return Mistakes(
        variants=names,
        runs=runs,
        labels=labels,
        wrong=wrong,
        predicted=taken,
        probability=probability,
        counts=np.stack([_confusion(predicted[name], labels, classes) for name in names]),
        all_wrong=_surest(np.all(wrong == runs[:, None], axis=0), sureness.mean(axis=0)),
        mended={name: _surest(first & never[v], sureness[0]) for v, name in enumerate(names) if v},
        flips=_flips(wrong, runs),
        image_rows=np.zeros(0, np.int64),
        images=np.zeros((0, 0, 0), np.uint8),
        votes=np.zeros((len(names), 0, classes), np.int64),
    )


def _variant(
    predicted: IntArray, confidence: FloatArray, labels: IntArray, classes: int
) -> tuple[IntArray, IntArray, NDArray[np.float32]]:
    """Of one variant: how many runs were wrong, for what most of those took each example, how surely.  # each (M,)"""
    every = np.arange(len(labels))
    counts = votes(predicted, classes)  # (M, K)
    wrong = len(predicted) - counts[every, labels]  # (M,)
    counts[every, labels] = 0
    taken = np.where(wrong > 0, counts.argmax(axis=1), -1)  # (M,)
    those = predicted == taken  # (S, M); none where taken is -1
    number = those.sum(axis=0)  # (M,)
    total = np.where(those, confidence, 0).sum(axis=0, dtype=np.float64)  # (M,)
    mean = np.divide(total, number, out=np.full(len(labels), np.nan), where=number > 0)  # (M,)
    return wrong, taken, mean.astype(np.float32)


def _confusion(predicted: IntArray, labels: IntArray, classes: int) -> IntArray:
    return confusion_matrix(np.tile(labels, len(predicted)), predicted.ravel(), classes)


def _surest(chosen: NDArray[np.bool_], sureness: FloatArray) -> IntArray:
    """The rows that are chosen, by falling sureness."""
    rows = np.flatnonzero(chosen)
    return rows[np.argsort(-sureness[rows], kind="stable")]


def _flips(wrong: IntArray, runs: IntArray) -> IntArray:
    """Rows that about half of the first variant's runs get wrong: nearest to a half first, then as others divide."""
    apart = np.abs(wrong[0] / runs[0] - 0.5)  # (M,)
    divided = np.minimum(wrong, runs[:, None] - wrong).sum(axis=0)  # (M,)
    rows = np.flatnonzero(apart <= _DIVIDED + 1e-9)
    return rows[np.lexsort((-divided[rows], apart[rows].round(9)))]


def pictured(mistakes: Mistakes, counts: NDArray[np.integer], most: int) -> IntArray:
    """Choose the test examples whose pictures are worth keeping, at most ``most`` of them.

    They are, in this order while there is room: the 200 most often wrong; three of every cell of every variant's
    confusion matrix; of those that all get wrong, that flip, that a variant mends, the first; the rest of the twelve of
    every cell. Within a cell those come first that most of the variant's runs put there, then those that most runs of
    all variants get wrong.

    Args:
      mistakes: what was counted.
      counts: runs of each variant that took each example for each class.  # (V, M, K)
      most: how many pictures there is room for.

    Returns:
      Rows of the test set, ascending.

    Example: of three examples, the second was never wrong.
      >>> predicted = {"a": np.array([[1, 1, 1]])}
      >>> found = count_mistakes(predicted, {"a": np.ones((1, 3))}, np.array([0, 1, 0]), 2)
      >>> pictured(found, votes(predicted["a"], 2)[None], 100).tolist()
      [0, 2]
    """
    share = (mistakes.wrong / mistakes.runs[:, None]).mean(axis=0)  # (M,)
    hardest = np.argsort(-share, kind="stable")[: min(_HARDEST, np.count_nonzero(share))]
    early, late = _of_cells(mistakes.labels, counts, share)
    mended = [rows[:_MENDED] for rows in mistakes.mended.values()]
    wanted = [hardest, early, mistakes.all_wrong[:_SUSPECTS], mistakes.flips[:_FLIPS], *mended, late]
    rows, places = np.unique(np.concatenate(wanted), return_index=True)
    return np.sort(rows[np.argsort(places)[:most]])


def _of_cells(labels: IntArray, counts: NDArray[np.integer], share: FloatArray) -> tuple[IntArray, IntArray]:
    """The first three examples of every cell off the diagonals, and the next nine, the first of all cells first."""
    _, _, classes = counts.shape
    variant, row, taken = np.nonzero(counts)  # (N,) each
    off = taken != labels[row]
    variant, row, taken = variant[off], row[off], taken[off]
    cell = (variant * classes + labels[row]) * classes + taken  # (N,)
    order = np.lexsort((-share[row], -counts[variant, row, taken].astype(np.int64), cell))
    cell, row = cell[order], row[order]
    rank = np.arange(len(cell)) - np.searchsorted(cell, cell)  # (N,), within its cell
    by_rank = np.argsort(rank, kind="stable")
    row, rank = row[by_rank], rank[by_rank]
    return row[rank < _FIRST], row[(rank >= _FIRST) & (rank < CELL)]
