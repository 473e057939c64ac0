"""The predictions of a study's tested runs, variant by variant; probabilities are in memory one run at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from wellfit.base import FloatArray, IntArray
from wellfit.store import Store
from wellfit.store.tested import Tested

__all__ = ["Predictions", "Probabilities", "predictions_of", "seeds_tested"]


@dataclass(frozen=True)
class Probabilities:
    """The test results of some of a variant's tested runs, read from their files whenever they are iterated.

    Raises (when iterated):
      StoreUnreadableError: a file is missing or damaged.
    """

    store: Store
    variant: str
    seeds: Sequence[int]

    def __iter__(self) -> Iterator[Tested]:
        for seed in self.seeds:
            tested = self.store.runs.tested(self.variant, seed)
            yield tested._replace(probabilities=tested.probabilities.astype(np.float32, copy=False))

    @property
    def known(self) -> bool:
        """Whether probabilities are known, and not only which class each run predicts."""
        return not self.store.runs.tested(self.variant, self.seeds[0]).classes_only

    def with_labels(self, labels: IntArray) -> Iterator[tuple[FloatArray, IntArray]]:
        """Those of each run, with the true classes of the examples that it judged.  # (m, K), (m,)

        Args:
          labels: of all test examples.  # (M,)
        """
        return ((tested.probabilities, tested.of(labels)) for tested in self)


class Predictions(NamedTuple):
    """The predicted class of every test example, and its probability, by each run of a variant.

    Args:
      seeds: of the runs.
      labels: the class; -1 where the run did not judge the example.  # int8 to int32 (S, M)
      confidence: its probability; NaN likewise, and where only classes are known.  # (S, M)
    """

    seeds: tuple[int, ...]
    labels: IntArray
    confidence: FloatArray

    def of(self, seeds: Sequence[int]) -> IntArray:
        """The predicted classes by the runs of some seeds.  # (len(seeds), M)."""
        return self.labels[[self.seeds.index(seed) for seed in seeds]]


def seeds_tested(store: Store) -> dict[str, tuple[int, ...]]:
    """Variant -> the seeds of its tested runs, both in the study's order; variants without any are left out."""
    study, runs = store.metadata.study(), store.runs.test_scores()
    seeds = {variant: tuple(s for s in study["seeds"] if (variant, s) in runs) for variant in study["variants"]}
    return {variant: of for variant, of in seeds.items() if of}


def predictions_of(seeds: tuple[int, ...], tests: Iterable[Tested], examples: int) -> Predictions:
    """The most probable classes (of equals the first), and their probabilities.

    Args:
      seeds: of the runs, at least one.
      tests: of these runs.
      examples: the number of test examples of the study.

    Example: of three examples, the run judged the first two.
      >>> tested = Tested(np.array([[0.25, 0.75], [0.5, 0.5]]), np.array([0, 1]))
      >>> predictions = predictions_of((7,), [tested], 3)
      >>> predictions.labels.tolist(), predictions.confidence.tolist()
      ([[1, 0, -1]], [[0.75, 0.5, nan]])
    """
    labels, confidence = [], []
    for p, rows, _, classes_only in tests:
        where = slice(None) if rows is None else rows
        of_run = np.full(examples, -1, np.min_scalar_type(-p.shape[1]))  # (M,)
        sure = np.full(examples, np.nan, p.dtype)  # (M,)
        of_run[where], sure[where] = p.argmax(axis=1), np.nan if classes_only else p.max(axis=1)
        labels.append(of_run)
        confidence.append(sure)
    return Predictions(seeds, np.stack(labels), np.stack(confidence))
