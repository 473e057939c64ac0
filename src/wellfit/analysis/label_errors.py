"""Label errors: the examples whose given label a model finds least plausible."""

from __future__ import annotations

import numpy as np

from wellfit.base import FloatArray, IntArray
from wellfit.errors import DataError

__all__ = ["label_errors"]


def label_errors(probabilities: FloatArray, labels: IntArray, count: int = 25) -> IntArray:
    """Rank the examples by self-confidence, the probability of the given label: the lowest may be mislabeled.

    The probabilities must be out of sample, for example from cross-validation: a network that has trained on a wrong
    label has learned it.

    Source: Northcutt, Jiang and Chuang (2021), "Confident learning", JAIR 70; cleanlab's
    ``get_label_quality_scores(method="self_confidence")`` gives the same scores.

    Args:
      probabilities: by class; each row sums to 1.  # (n, K)
      labels: given labels, integers from 0.  # (n,)
      count: the most examples to return.

    Returns:
      Their positions, the least plausible label first; equally plausible ones in their order. Only examples for which
      another class is more probable than the label.  # (m,), m <= count

    Raises:
      DataError: shapes that do not match, labels out of range, or probabilities that are not finite.

    Example:
      >>> label_errors(np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]]), np.array([0, 0, 1])).tolist()
      [2, 1]
    """
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1]:
        raise DataError(
            f"probabilities of shape {probabilities.shape} and labels of shape {labels.shape} do not match; give one "
            "row of probabilities per label"
        )
    if len(labels) and not (labels.min() >= 0 and labels.max() < probabilities.shape[1]):
        raise DataError(
            f"labels range from {labels.min()} to {labels.max()}; with {probabilities.shape[1]} columns of "
            f"probabilities, use 0 to {probabilities.shape[1] - 1}"
        )
    if not np.isfinite(probabilities).all():
        raise DataError("some probabilities are not finite; leave out the runs that diverged")
    confidence = probabilities[np.arange(len(labels)), labels]  # (n,)
    doubtful = np.flatnonzero(confidence < probabilities.max(axis=1, initial=0.0))  # (d,)
    return doubtful[np.argsort(confidence[doubtful], kind="stable")][:count]
