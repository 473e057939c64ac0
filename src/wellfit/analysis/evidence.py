"""The evidence about two variants, gathered for a report."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.bootstrap import two_way_bootstrap
from wellfit.analysis.comparisons import MARGIN, paired_comparison
from wellfit.analysis.paired import mcnemar, paired_t, probability_better, sign_flip
from wellfit.analysis.power import further_seeds
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Comparison, PairedEvidence

__all__ = ["evidence_of", "paired_evidence"]

Correctness = Mapping[str, Mapping[int, NDArray[np.bool_]]]


def paired_evidence(
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    comparisons: int = 1,
    margin: float = MARGIN,
    interim: InterimAnalysis | None = None,
    decided: bool = False,
) -> PairedEvidence:
    """Compare two variants by every method of ``comparisons``, ``bootstrap``, ``paired`` and ``power``.

    No p-value here is corrected for the number of comparisons: they are shown side by side, and ``compare_pairs`` gives
    the verdict. Each method's assumptions apply.

    Args:
      first, second: correctness, the same seeds and images in the same order.  # bool (S, n)
      comparisons: how many the study makes, for ``further_seeds``.
      margin: largest difference of no practical interest.
      interim: the interim analysis, in a sequential design: the 90 % interval allows for all of them, and
        ``further_seeds`` is None because the plan fixes the seeds.
      decided: whether there is a verdict already, so that no further seeds are needed.

    Raises:
      DataError: the shapes differ, or the arrays are not boolean with at least one seed and two images.
      StudyFileError: a negative ``margin``, or no ``comparisons``.

    Example: right on every image, against a variant that gets one in 20 wrong with every seed.
      >>> evidence = paired_evidence(np.ones((3, 400), dtype=bool), np.arange(1200).reshape(3, 400) % 20 > 0)
      >>> evidence.seeds, evidence.sign_flip_p, evidence.better_on_new_seed
      (3, 0.25, 1.0)
    """
    paired = paired_comparison(first, second, interim)
    difference = first.astype(np.int8) - second.astype(np.int8)  # (S, n)
    by_seed = difference.mean(axis=1).tolist()  # S numbers
    bootstrap = two_way_bootstrap(difference)
    return PairedEvidence(
        seeds=len(by_seed),
        interval90=paired.interval90,
        bootstrap_interval=bootstrap.interval,
        bootstrap_p=bootstrap.p_value,
        paired_t_p=paired_t(by_seed),
        sign_flip_p=sign_flip(by_seed),
        mcnemar_p=tuple(mcnemar(a, b) for a, b in zip(first, second, strict=True)),
        better_on_new_seed=probability_better(by_seed, margin),
        worse_on_new_seed=probability_better([-d for d in by_seed], margin),
        further_seeds=None if decided or interim is not None else further_seeds(first, second, comparisons, margin),
    )


def evidence_of(
    comparison: Comparison,
    correctness: Correctness,
    comparisons: int = 1,
    margin: float = MARGIN,
    interim: InterimAnalysis | None = None,
) -> PairedEvidence:
    """The evidence behind a comparison from ``compare_pairs``.

    Args:
      comparison: of two variants with a common seed.
      correctness: variant -> seed -> whether each test image was classified correctly.  # bool (M,)
      comparisons: how many the study makes.
      margin, interim: those of the comparison.

    Example:
      >>> from wellfit.analysis.comparisons import compare_pairs
      >>> runs = {"baseline": {0: np.arange(400) % 20 > 0}, "l2": {0: np.arange(400) % 40 > 0}}
      >>> (comparison,) = compare_pairs(runs, [("l2", "baseline")])
      >>> [round(p, 3) for p in evidence_of(comparison, runs).mcnemar_p]
      [0.002]
    """
    mine, theirs = correctness[comparison.variant], correctness[comparison.against]
    seeds = sorted(mine.keys() & theirs.keys())
    first, second = (np.stack([runs[seed] for seed in seeds]) for runs in (mine, theirs))  # each (S, M)
    return paired_evidence(first, second, comparisons, margin, interim, comparison.verdict != "undecided")
