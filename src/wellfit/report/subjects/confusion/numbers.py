"""The numbers of a confusion matrix: counts, shares, and the most frequent confusions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wellfit.base import FloatArray, IntArray, StudySummary
from wellfit.report.numbers import find_variant

__all__ = ["Confusion", "confusion_data", "top_confusions"]


@dataclass(frozen=True, eq=False)
class Confusion:
    """Test counts of a variant, summed over its runs.

    Args:
      variant: the variant's name.
      classes: class names.
      counts: int64.  # (K, K) [true, predicted]
      shares: each row divided by its sum; 0 where a class has no test example.  # (K, K)
    """

    variant: str
    classes: tuple[str, ...]
    counts: IntArray  # (K, K)
    shares: FloatArray  # (K, K)


def confusion_data(summary: StudySummary, variant: str) -> Confusion | None:
    """The confusion matrix of a variant.

    Args:
      summary: the study.
      variant: name of one of its variants.

    Returns:
      The matrix, or None before the test set was opened.

    Raises:
      UnknownNameError: there is no such variant.
    """
    find_variant(summary, variant)
    counts = summary.confusion.get(variant)
    if counts is None or not counts.sum():
        return None
    totals = counts.sum(axis=1, keepdims=True)  # (K, 1)
    return Confusion(variant, summary.classes, counts, counts / np.maximum(totals, 1))


def top_confusions(confusion: Confusion, k: int = 5) -> tuple[tuple[str, str, int, float], ...]:
    """The most frequent mistakes.

    Args:
      confusion: a confusion matrix.
      k: how many pairs to name at most.

    Returns:
      True class, predicted class, count and share of the true class, by count; pairs that never occur are left out.

    Example:
      >>> c = Confusion("l2", ("a", "b"), np.array([[8, 2], [1, 9]]), np.array([[0.8, 0.2], [0.1, 0.9]]))
      >>> top_confusions(c, 1)
      (('a', 'b', 2, 0.2),)
    """
    wrong = confusion.counts * (1 - np.eye(len(confusion.classes), dtype=np.int64))  # (K, K)
    order = np.argsort(-wrong, axis=None, kind="stable")[:k]
    pairs = [divmod(int(flat), len(confusion.classes)) for flat in order]
    return tuple(
        (confusion.classes[t], confusion.classes[p], int(wrong[t, p]), float(confusion.shares[t, p]))
        for t, p in pairs
        if wrong[t, p] > 0
    )
