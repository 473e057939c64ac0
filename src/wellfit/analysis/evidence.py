"""All that may be said of two variants, gathered for a report."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.bootstrap import two_way_bootstrap
from wellfit.analysis.comparisons import MARGIN, PairedDifference, paired_comparison
from wellfit.analysis.crossed import Interval
from wellfit.analysis.paired import mcnemar, paired_t, probability_better, sign_flip
from wellfit.analysis.power import further_seeds

__all__ = ["PairedEvidence", "paired_evidence"]


class PairedEvidence(NamedTuple):
    """Two variants by every method; what cannot be told from so few seeds is None.

    Args:
      seeds: how many seeds both have.
      both_sources: seeds and images: what the verdict stands on.
      bootstrap_interval, bootstrap_p: seeds and images, without a normal distribution.
      paired_t_p, sign_flip_p: over the seeds, on these test images.
      mcnemar_p: over the images, of the two networks of each seed, in the order of the rows.  # (S,)
      better_on_new_seed, worse_on_new_seed: probability that one further run of each differs by more than the margin;
        what is left is that of practically equivalent.
      further_seeds: how many seeds more would probably decide it, if it is undecided.
    """

    seeds: int
    both_sources: PairedDifference
    bootstrap_interval: Interval | None
    bootstrap_p: float | None
    paired_t_p: float | None
    sign_flip_p: float | None
    mcnemar_p: tuple[float, ...]
    better_on_new_seed: float | None
    worse_on_new_seed: float | None
    further_seeds: int | None


def paired_evidence(
    first: NDArray[np.bool_], second: NDArray[np.bool_], comparisons: int = 1, margin: float = MARGIN
) -> PairedEvidence:
    """Compare two variants by every method of ``comparisons``, ``bootstrap``, ``paired`` and ``power``.

    Assumes what each of them assumes. No p-value here is corrected for the number of comparisons: they are there to be
    seen beside each other, and ``compare_with_first`` gives the verdict.

    Args:
      first, second: correctness, the same seeds and images in the same order.  # bool (S, n)
      comparisons: how many the study has, for ``further_seeds``.
      margin: the largest difference that does not matter.

    Raises:
      DataError: the shapes differ, or they are not truth values of at least one seed and two images.
      StudyFileError: a negative ``margin``, or no ``comparisons``.

    Example: right on every image, against one wrong in 20 with every seed.
      >>> found = paired_evidence(np.ones((3, 400), dtype=bool), np.arange(1200).reshape(3, 400) % 20 > 0)
      >>> found.both_sources.difference, found.sign_flip_p, found.better_on_new_seed
      (0.05, 0.25, 1.0)
    """
    both = paired_comparison(first, second)
    difference = first.astype(np.int8) - second.astype(np.int8)  # (S, n)
    by_seed = difference.mean(axis=1).tolist()  # S numbers
    drawn = two_way_bootstrap(difference)
    return PairedEvidence(
        seeds=len(by_seed),
        both_sources=both,
        bootstrap_interval=drawn.interval,
        bootstrap_p=drawn.p_value,
        paired_t_p=paired_t(by_seed),
        sign_flip_p=sign_flip(by_seed),
        mcnemar_p=tuple(mcnemar(a, b) for a, b in zip(first, second, strict=True)),
        better_on_new_seed=probability_better(by_seed, margin),
        worse_on_new_seed=probability_better([-d for d in by_seed], margin),
        further_seeds=further_seeds(first, second, comparisons, margin),
    )
