"""The predictions of a study's tested runs, variant by variant; probabilities are in memory one run at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, IntArray
from wellfit.store import Store

__all__ = ["Predictions", "Probabilities", "predictions_of", "seeds_tested"]


@dataclass(frozen=True)
class Probabilities:
    """The test probabilities of some of a variant's tested runs, read from their files whenever they are iterated.

    Raises (when iterated):
      StoreUnreadableError: a file is missing or damaged.
    """

    store: Store
    variant: str
    seeds: Sequence[int]

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Those of each run.  # (M, K)."""
        for seed in self.seeds:
            yield self.store.runs.probabilities(self.variant, seed).astype(np.float32, copy=False)


class Predictions(NamedTuple):
    """The predicted class of every test example, and its probability, by each run of a variant."""

    seeds: tuple[int, ...]
    labels: IntArray  # (S, M), uint8 or uint16 if the classes fit
    confidence: FloatArray  # (S, M)

    def of(self, seeds: Sequence[int]) -> IntArray:
        """The predicted classes by the runs of some seeds.  # (len(seeds), M)."""
        return self.labels[[self.seeds.index(seed) for seed in seeds]]


def seeds_tested(store: Store) -> dict[str, tuple[int, ...]]:
    """Variant -> the seeds of its tested runs, both in the study's order; variants without any are left out."""
    study, runs = store.metadata.study(), store.runs.test_scores()
    seeds = {variant: tuple(s for s in study["seeds"] if (variant, s) in runs) for variant in study["variants"]}
    return {variant: of for variant, of in seeds.items() if of}


def predictions_of(seeds: tuple[int, ...], probabilities: Iterable[FloatArray]) -> Predictions:
    """The most probable classes (of equals the first), and their probabilities.

    Args:
      seeds: of the runs, at least one.
      probabilities: by these runs.  # (M, K) each

    Example:
      >>> predictions = predictions_of((7,), np.array([[[0.25, 0.75], [0.5, 0.5]]]))
      >>> predictions.labels.tolist(), predictions.confidence.tolist()
      ([[1, 0]], [[0.75, 0.5]])
    """
    labels, confidence = [], []
    for p in probabilities:
        labels.append(p.argmax(axis=1).astype(np.min_scalar_type(p.shape[1] - 1)))  # (M,)
        confidence.append(p.max(axis=1))  # (M,)
    return Predictions(seeds, np.stack(labels), np.stack(confidence))
