"""The numbers of confusion matrices: counts, shares, the most frequent confusions, and how two matrices differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import ConfusionDifference, FloatArray, IntArray, StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.numbers import find_variant

__all__ = [
    "DENSE",
    "Confusion",
    "Contrast",
    "confusion_data",
    "confusion_sentences",
    "contrast",
    "matrix_data",
]

DENSE: Final = 100
"""Classes up to which every cell of a matrix is written, and all of them are drawn at once."""

MOST_BOUNDS: Final = 40_000
"""Cells of all variants up to which the page holds the intervals of their differences: half a million characters."""


@dataclass(frozen=True, eq=False)
class Confusion:
    """Test counts of a variant, summed over its runs.

    Args:
      index: position of the variant in the study, from 0.
      runs: how many of them were tested.
      counts: int64.  # (K, K) [true, predicted]
      shares: each row divided by its sum; 0 where a class has no test example.  # (K, K)
    """

    variant: str
    index: int
    runs: int
    classes: tuple[str, ...]
    counts: IntArray
    shares: FloatArray

    @property
    def correct(self) -> str:
        """The percentage of all predictions that are correct, as text."""
        return wording.percent(float(self.counts.trace() / self.counts.sum()))


@dataclass(frozen=True, eq=False)
class Contrast:
    """How the cells of two matrices differ.

    Args:
      shares: differences as shares of the true class; 0 for a class without test examples.  # (K, K)
      clear: cells whose interval excludes zero.  # (K, K)
      favorable: cells with more correct answers or fewer mistakes.  # (K, K)
      intervals: whether there are any.
    """

    shares: FloatArray
    clear: NDArray[np.bool_]
    favorable: NDArray[np.bool_]
    intervals: bool


def confusion_data(summary: StudySummary, variant: str, counts: IntArray | None = None) -> Confusion | None:
    """The confusion matrix of a variant.

    Args:
      counts: of a single run; None for the sum over all runs.  # (K, K) [true, predicted]

    Returns:
      The matrix, or None before the variant is tested.

    Raises:
      UnknownNameError: there is no such variant.
    """
    index, found = find_variant(summary, variant)
    alone, counts = counts is not None, summary.confusion.get(variant) if counts is None else counts
    if counts is None or not counts.sum():
        return None
    runs = 1 if alone else sum(run.test_accuracy is not None for run in found.runs)
    totals = counts.sum(axis=1, keepdims=True)  # (K, 1)
    return Confusion(variant, index, runs, summary.classes, counts, counts / np.maximum(totals, 1))


def contrast(difference: ConfusionDifference) -> Contrast:
    """What the difference of two matrices shows."""
    shares = np.nan_to_num(difference.difference)  # (K, K)
    clear = (difference.low > 0) | (difference.high < 0)  # (K, K); False if there is no interval
    favorable = np.where(np.eye(len(shares), dtype=bool), shares > 0, shares < 0)  # (K, K)
    return Contrast(shares, clear, favorable, bool(np.isfinite(difference.low).any()))


def matrix_data(summary: StudySummary, details: StudyDetails) -> dict[str, Any]:
    """What the page's script draws matrices and their differences from: plain data.

    Returns:
      Class names; for every tested variant its position, name, runs, counts (``sparse``: of every row the columns that
      are not zero, each followed by its count), and the interval of its difference from the first one in percentage
      points: None if there is none, or where all of them are too many for a page.
    """
    sparse = len(summary.classes) > DENSE
    many = len(summary.variants) * len(summary.classes) ** 2 > MOST_BOUNDS
    variants: list[dict[str, Any]] = []
    for variant in summary.variants:
        if (matrix := confusion_data(summary, variant.name)) is None:
            continue
        difference = None if many else details.differences.get(variant.name)
        bounds = None if difference is None else [_points(difference.low), _points(difference.high)]
        row = {"index": matrix.index, "name": matrix.variant, "runs": matrix.runs, "bounds": bounds}
        variants.append({**row, "counts": _sparse(matrix.counts) if sparse else matrix.counts.tolist()})
    return {"classes": list(summary.classes), "sparse": sparse, "variants": variants}


def _sparse(counts: IntArray) -> list[list[int]]:
    """Each row as the columns that are not zero, each followed by its count."""
    return [[int(x) for p in np.flatnonzero(row) for x in (p, row[p])] for row in counts]


def confusion_sentences(confusion: Confusion, k: int = 5) -> tuple[str, ...]:
    """The ``k`` most frequent confusions, one sentence each, without its period; pairs that never occur are left out.

    Example:
      >>> c = Confusion("l2", 1, 5, ("a", "b"), np.array([[8, 2], [1, 9]]), np.array([[0.8, 0.2], [0.1, 0.9]]))
      >>> confusion_sentences(c, 1)
      ('a classified as b: 2 times, 20.00 % of its class',)
    """
    wrong = confusion.counts * (1 - np.eye(len(confusion.classes), dtype=np.int64))  # (K, K)
    order = np.argsort(-wrong, axis=None, kind="stable")[:k]
    return tuple(
        f"{confusion.classes[t]} classified as {confusion.classes[p]}: {wording.count(int(wrong[t, p]), 'time')}, "
        f"{wording.percent(float(confusion.shares[t, p]))} of its class"
        for t, p in np.stack(np.unravel_index(order, wrong.shape), axis=1).tolist()
        if wrong[t, p] > 0
    )


def _points(values: FloatArray) -> list[list[float | None]]:
    """Percentage points with two decimals, never a negative zero; None for NaN."""
    return [[None if np.isnan(x) else round(100 * float(x), 2) + 0.0 for x in row] for row in values]
