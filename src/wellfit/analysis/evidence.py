"""The evidence about two variants, gathered for a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.bootstrap import two_way_bootstrap
from wellfit.analysis.comparisons import MARGIN, Scores, difference_components, summarized
from wellfit.analysis.crossed import VarianceComponents
from wellfit.analysis.paired import mcnemar, paired_t, probability_better, sign_flip
from wellfit.analysis.power import decided_at_last, further_seeds
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Comparison, PairedEvidence, TestRows

__all__ = ["evidence_of", "paired_evidence"]


def paired_evidence(
    first: Sequence[NDArray[Any]],
    second: Sequence[NDArray[Any]],
    comparisons: int = 1,
    margin: float = MARGIN,
    interim: InterimAnalysis | None = None,
    decided: bool = False,
    tested: TestRows | None = None,
    components: VarianceComponents | None = None,
) -> PairedEvidence:
    """Compare two variants by every method of ``comparisons``, ``bootstrap``, ``paired`` and ``power``.

    No p-value here is corrected for the number of comparisons: they are shown side by side, and ``compare_pairs`` gives
    the verdict. Each method's assumptions apply.

    Args:
      first, second: one array per seed, the same seeds and examples in the same order; McNemar's test takes booleans,
        whether each answer is right. Runs whose score alone is known have no bootstrap.  # (m,) each, or () each
      comparisons: how many the study makes, for ``further_seeds``.
      margin: largest difference of no practical interest.
      interim: the interim analysis, in a sequential design: the 90 % interval allows for all of them, and
        ``further_seeds`` is None because the plan fixes the seeds.
      decided: whether there is a verdict already, so that no further seeds are needed.
      tested: which examples the arrays belong to, in the order of its seeds; None if every seed judges all.
      components: of the difference, pooled over the study; None for this comparison by itself.

    Raises:
      DataError: the shapes differ, or there is no seed or fewer than two examples.
      StudyFileError: a negative ``margin``, or no ``comparisons``.

    Example: right on every example, against a variant that gets one in 20 wrong with every seed.
      >>> evidence = paired_evidence(np.ones((3, 400), dtype=bool), np.arange(1200).reshape(3, 400) % 20 > 0)
      >>> evidence.seeds, evidence.sign_flip_p, evidence.better_on_new_seed
      (3, 0.25, 1.0)
    """
    components = components or difference_components(first, second, tested)
    right = all(one.dtype == np.bool_ for one in (*first, *second))
    kind = np.int8 if right else np.float64
    differences = [np.subtract(a, b, dtype=kind) for a, b in zip(first, second, strict=True)]  # (m,) each
    by_seed = [float(one.mean()) for one in differences]
    bootstrap = two_way_bootstrap(differences, tested=tested) if differences[0].ndim else None
    open_question = not decided and interim is None
    planned = None if decided else interim
    chance = None if planned is None else decided_at_last(components, planned, comparisons, margin)
    return PairedEvidence(
        seeds=len(by_seed),
        interval90=summarized(components, interim).interval90,
        bootstrap_interval=bootstrap and bootstrap.interval,
        bootstrap_p=bootstrap and bootstrap.p_value,
        paired_t_p=paired_t(by_seed),
        sign_flip_p=sign_flip(by_seed),
        mcnemar_p=tuple(mcnemar(a, b) for a, b in zip(first, second, strict=True)) if right else (),
        better_on_new_seed=probability_better(by_seed, margin),
        worse_on_new_seed=probability_better([-d for d in by_seed], margin),
        further_seeds=further_seeds(components, comparisons, margin) if open_question else None,
        decided_at_last=chance,
    )


def evidence_of(
    comparison: Comparison,
    scores: Scores,
    comparisons: int = 1,
    margin: float = MARGIN,
    interim: InterimAnalysis | None = None,
    tested: TestRows | None = None,
    components: VarianceComponents | None = None,
) -> PairedEvidence:
    """The evidence behind a comparison from ``compare_pairs``.

    Args:
      comparison: of two variants with a common seed.
      scores: as given to ``compare_pairs``.
      comparisons: how many the study makes, identical pairs not counted.
      margin, interim, tested: those of the comparison.
      components: of this pair, from ``comparisons.paired_components`` for all pairs of the study; None for the
        comparison by itself.

    Example:
      >>> from wellfit.analysis.comparisons import compare_pairs
      >>> runs = {"baseline": {0: np.arange(400) % 20 > 0}, "l2": {0: np.arange(400) % 40 > 0}}
      >>> (comparison,) = compare_pairs(runs, [("l2", "baseline")])
      >>> [round(p, 3) for p in evidence_of(comparison, runs).mcnemar_p]
      [0.002]
    """
    mine, theirs = scores[comparison.variant], scores[comparison.against]
    seeds = sorted(mine.keys() & theirs.keys())
    first, second = ([runs[seed] for seed in seeds] for runs in (mine, theirs))  # (m,) each
    decided = comparison.identical or comparison.verdict != "undecided"
    rows = tested and tested.only(seeds)
    return paired_evidence(first, second, max(comparisons, 1), margin, interim, decided, rows, components)
