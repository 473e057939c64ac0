"""Generalization gaps compared: training accuracy minus test accuracy, paired by seed and by test example."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.comparisons import judged
from wellfit.analysis.crossed import variance_components
from wellfit.analysis.pooling import pooled
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Comparison, TestRows, VarianceComponents

__all__ = ["compare_gaps", "independent_sample"]

Right = Mapping[str, Mapping[int, NDArray[Any]]]
Train = Mapping[str, Mapping[int, float]]


def independent_sample(sampled: int, training: int) -> float:
    """The number of independent draws that tell as much about all training examples as a sample without replacement.

    ``n (N - 1) / (N - n)``, from the finite population correction of the variance of a mean. Source: Cochran (1977),
    *Sampling Techniques*, section 2.6.

    Args:
      sampled: examples that training accuracy is measured on.
      training: all training examples.

    Example: a quarter of them, and all of them.
      >>> round(independent_sample(12_000, 48_000)), independent_sample(300, 300)
      (16000, inf)
    """
    return math.inf if sampled >= training else sampled * (training - 1) / (training - sampled)


def compare_gaps(
    right: Right,
    train: Train,
    pairs: Sequence[tuple[str, str]],
    *,
    sampled: float,
    margin: float,
    interim: InterimAnalysis | None = None,
    tested: TestRows | None = None,
) -> tuple[Comparison, ...]:
    """Compare the generalization gaps of pairs of variants over their common seeds.

    The gap of a run is ``train - mean(right)``. Two variants are paired by seed and by test example as in
    ``compare_pairs``: seeds and test examples are both sources of chance. A third is the sample of training examples on
    which training accuracy is measured. Of it only the accuracy of each run is known, so its variance is bounded: with
    the training error rates e1 and e2 the two disagree on at most a share ``e1 + e2`` of n examples, which adds at most
    ``(e1 + e2 - d**2) / n`` for a difference d of the training accuracies, the same with every seed.

    The probability of any false verdict about gaps is at most 5 % over all pairs; verdicts about the compared metric
    are a family of their own.

    Args:
      right: variant -> seed -> whether each test example was classified correctly.  # bool (m,)
      train: variant -> seed -> training accuracy; a seed without one is left out.
      pairs: ``(variant, against)``, fixed before any outcome is known.
      sampled: the number of training examples that training accuracy is measured on, see ``independent_sample``.
      margin: largest difference of no practical interest.
      interim: the interim analysis, in a sequential design.
      tested: which examples each seed judges; None if every seed judges all.

    Returns:
      One comparison per pair with a common seed, in order: the difference is that of the gaps, and "better" means a
      smaller gap.

    Raises:
      DataError, StudyFileError: as for ``compare_pairs``.

    Example: one variant generalizes: it is as right on test examples as on training examples.
      >>> right = {"a": {0: np.array([1, 1, 1, 0] * 50)}, "b": {0: np.array([1, 1, 0, 0] * 50)}}
      >>> (gap,) = compare_gaps(right, {"a": {0: 0.75}, "b": {0: 0.9}}, [("b", "a")], sampled=100, margin=0.0)
      >>> round(gap.difference, 3), gap.metric, gap.verdict
      (0.4, 'generalization_gap', 'undecided')
    """
    components = {
        pair: _components(right, train, pair, seeds, tested) for pair in pairs if (seeds := _seeds(right, train, pair))
    }
    identical = {pair for pair in components if _identical(right, train, pair)}
    counted = [pair for pair, c in components.items() if c.seeds >= 2 and pair not in identical]
    components |= dict(zip(counted, pooled([components[pair] for pair in counted]), strict=True))
    for pair in counted:  # after pooling, which is about seeds
        bound = _of_training_examples(train, pair, _seeds(right, train, pair), sampled)
        components[pair] = components[pair]._replace(examples=components[pair].examples + bound)
    return tuple(_of_gap(c) for c in judged(components, margin, interim, "generalization_gap", identical))


def _seeds(right: Right, train: Train, pair: tuple[str, str]) -> list[int]:
    """The seeds that both variants were tested with."""
    return sorted(set.intersection(*(set(of.get(name, {})) for name in pair for of in (right, train))))


def _identical(right: Right, train: Train, pair: tuple[str, str]) -> bool:
    """Whether two variants gave the same answers with every common seed."""
    a, b = pair
    seeds = _seeds(right, train, pair)
    return all(np.array_equal(right[a][s], right[b][s]) and train[a][s] == train[b][s] for s in seeds)


def _components(
    right: Right,
    train: Train,
    pair: tuple[str, str],
    seeds: Sequence[int],
    tested: TestRows | None,
) -> VarianceComponents:
    """Those of the difference of the negative gaps, the larger the better."""
    a, b = pair
    shifts = {seed: train[a][seed] - train[b][seed] for seed in seeds}
    differences = (np.subtract(right[a][seed], right[b][seed], dtype=np.float64) - shifts[seed] for seed in seeds)
    components = variance_components(differences, tested and tested.only(seeds))
    return components._replace(floor=2 / (components.judged + 2) ** 2)


def _of_training_examples(train: Train, pair: tuple[str, str], seeds: Sequence[int], sampled: float) -> float:
    first, second = (float(np.mean([train[name][seed] for seed in seeds])) for name in pair)
    disagree = max(2 - first - second, 2 / (sampled + 2))
    return max(disagree - (first - second) ** 2, 0.0) / sampled


def _of_gap(c: Comparison) -> Comparison:
    """A comparison of negative gaps as one of gaps."""
    interval = None if c.interval is None else (-c.interval[1], -c.interval[0])
    return replace(c, difference=0.0 - c.difference, interval=interval)
