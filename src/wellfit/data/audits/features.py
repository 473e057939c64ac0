"""Features for simple classifiers, and their predictions: what can be learned without training a network."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.data.audits.sets import Floats, Sets, distances, pooled

__all__ = ["METHODS", "Features", "simple_predictions"]

METHODS: Final = ("the nearest neighbor", "the 15 nearest neighbors", "the nearest class mean")

_SIDE: Final = 16  # larger images are reduced first
_CATEGORIES: Final = 50  # of a column, the most frequent ones
_WIDEST: Final = 4096  # features; further ones of a very wide table are not looked at
_TAIL: Final = 4.0  # standardized features are clipped here


class Features:
    """Features of a data set's examples, fitted on some of its training examples.

    Images are reduced; numbers of tables are centered at their median and divided by their spread; categories become
    one feature each; missing values become the median.
    """

    def __init__(self, sets: Sets, x: NDArray[Any]) -> None:
        """Fit.

        Args:
          x: training examples.  # (n, ...)
        """
        self.images = sets.images
        if self.images:
            return
        self.numeric = sets.numeric[:_WIDEST]
        numbers = x[:, self.numeric].astype(np.float64)
        self.center = np.array([_median(c) for c in numbers.T])  # (d,)
        numbers = np.where(np.isnan(numbers), self.center, numbers)
        low, high = np.percentile(numbers, [25, 75], axis=0) if self.numeric else (self.center, self.center)
        spread = np.where(high > low, (high - low) / 1.35, numbers.std(axis=0))
        self.factor = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 1e-300)
        texts = sorted(set(range(x.shape[1])) - set(sets.numeric))[: _WIDEST // _CATEGORIES]
        self.categories = {j: _frequent(x[:, j]) for j in texts}

    def of(self, x: NDArray[Any]) -> Floats:
        """The features of examples.

        Args:
          x: examples.  # (n, ...)

        Returns:
          Finite.  # (n, D)
        """
        if self.images:
            return pooled(x, _SIDE).reshape(len(x), -1)
        numbers = x[:, self.numeric].astype(np.float64)
        scaled = (np.where(np.isnan(numbers), self.center, numbers) - self.center) * self.factor
        parts = [np.clip(scaled, -_TAIL, _TAIL)]
        parts += [x[:, j, None] == values for j, values in self.categories.items()]
        return np.concatenate(parts, axis=1).astype(np.float32)


def _median(column: NDArray[Any]) -> float:
    present = column[~np.isnan(column)]
    return float(np.median(present)) if len(present) else 0.0


def _frequent(column: NDArray[Any]) -> NDArray[Any]:
    values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    return values[np.argsort(-counts, kind="stable")[:_CATEGORIES]]


def simple_predictions(train: Floats, labels: IntArray, other: Floats, classes: int) -> list[IntArray]:
    """Predict by the ``METHODS``.

    Args:
      train: features with known labels.  # (n, D)
      labels: their labels.  # (n,)
      other: features of the examples to predict.  # (m, D)
      classes: number of classes.

    Returns:
      The predicted classes, by method.  # (m,) each
    """
    squared = distances(other, train)  # (m, n)
    k = min(15, len(train))
    nearest = np.argpartition(squared, k - 1, axis=1)[:, :k]  # (m, k)
    cells = np.arange(len(other))[:, None] * classes + labels[nearest]  # (m, k)
    votes = np.bincount(cells.ravel(), minlength=len(other) * classes).reshape(len(other), classes)
    present = np.unique(labels)
    means = np.stack([train[labels == c].mean(axis=0) for c in present])  # (K, D)
    return [
        labels[squared.argmin(axis=1)],
        votes.argmax(axis=1),
        present[distances(other, means).argmin(axis=1)],
    ]
