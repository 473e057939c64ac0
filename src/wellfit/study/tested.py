"""The tested runs of a study, variant by variant, and what they answered."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, IntArray
from wellfit.store import Store

__all__ = ["Answers", "answered_seeds", "answers", "probabilities"]


class Answers(NamedTuple):
    """What a variant's runs said of every test example: the most probable class and its probability."""

    seeds: tuple[int, ...]
    predicted: IntArray  # (S, M)
    confidence: FloatArray  # (S, M)

    def of(self, seeds: list[int]) -> IntArray:
        """The most probable classes of some of the seeds.  # (len(seeds), M)."""
        return self.predicted[[self.seeds.index(seed) for seed in seeds]]


def answered_seeds(store: Store) -> dict[str, tuple[int, ...]]:
    """The seeds of every variant's tested runs, in the study's order; variants without any are left out."""
    study, runs = store.metadata.study(), store.runs.test_scores()
    seeds = {variant: tuple(s for s in study["seeds"] if (variant, s) in runs) for variant in study["variants"]}
    return {variant: of for variant, of in seeds.items() if of}


def probabilities(store: Store, variant: str, seeds: tuple[int, ...]) -> NDArray[np.float32]:
    """The test probabilities of some of a variant's runs.

    Args:
      store: the study.
      variant: its name.
      seeds: of tested runs, at least one.

    Returns:
      Float32.  # (S, M, K)

    Raises:
      StoreUnreadableError: a file is missing or damaged.
    """
    return np.stack([store.runs.probabilities(variant, seed) for seed in seeds]).astype(np.float32, copy=False)


def answers(seeds: tuple[int, ...], probabilities: FloatArray) -> Answers:
    """The most probable classes, the first of equals, and their probabilities.

    Args:
      seeds: of the runs.
      probabilities: theirs.  # (S, M, K)

    Example:
      >>> found = answers((7,), np.array([[[0.25, 0.75], [0.5, 0.5]]]))
      >>> found.predicted.tolist(), found.confidence.tolist()
      ([[1, 0]], [[0.75, 0.5]])
    """
    return Answers(seeds, probabilities.argmax(axis=2), probabilities.max(axis=2))
