"""The predictions of a study's tested runs, variant by variant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, IntArray
from wellfit.store import Store

__all__ = ["Predictions", "predictions_of", "probabilities", "seeds_tested"]


class Predictions(NamedTuple):
    """The predicted class of every test example, and its probability, by each run of a variant."""

    seeds: tuple[int, ...]
    labels: IntArray  # (S, M)
    confidence: FloatArray  # (S, M)

    def of(self, seeds: Sequence[int]) -> IntArray:
        """The predicted classes by the runs of some seeds.  # (len(seeds), M)."""
        return self.labels[[self.seeds.index(seed) for seed in seeds]]


def seeds_tested(store: Store) -> dict[str, tuple[int, ...]]:
    """Variant -> the seeds of its tested runs, both in the study's order; variants without any are left out."""
    study, runs = store.metadata.study(), store.runs.test_scores()
    seeds = {variant: tuple(s for s in study["seeds"] if (variant, s) in runs) for variant in study["variants"]}
    return {variant: of for variant, of in seeds.items() if of}


def probabilities(store: Store, variant: str, seeds: Sequence[int]) -> NDArray[np.float32]:
    """The test probabilities by some of a variant's tested runs, at least one.

    Returns:
      Float32.  # (S, M, K)

    Raises:
      StoreUnreadableError: a file is missing or damaged.
    """
    return np.stack([store.runs.probabilities(variant, seed) for seed in seeds]).astype(np.float32, copy=False)


def predictions_of(seeds: tuple[int, ...], probabilities: FloatArray) -> Predictions:
    """The most probable classes (of equals the first), and their probabilities.

    Args:
      seeds: of the runs.
      probabilities: by these runs.  # (S, M, K)

    Example:
      >>> predictions = predictions_of((7,), np.array([[[0.25, 0.75], [0.5, 0.5]]]))
      >>> predictions.labels.tolist(), predictions.confidence.tolist()
      ([[1, 0]], [[0.75, 0.5]])
    """
    return Predictions(seeds, probabilities.argmax(axis=2), probabilities.max(axis=2))
