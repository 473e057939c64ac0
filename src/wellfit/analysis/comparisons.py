"""Two variants paired by seed and by test image: the difference, its interval, its p-value and the verdict.

What a study reports comes from here: ``paired_comparison``, ``holm`` and ``verdict``, applied in turn by
``compare_pairs``. ``paired`` has further tests that account for one source of variation only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import (
    Interval,
    VarianceComponents,
    checked_alpha,
    half_squared,
    p_value,
    variance_components,
)
from wellfit.analysis.sequential import InterimAnalysis, nominal_level, over_all_analyses
from wellfit.base import MARGIN, Comparison, Verdict
from wellfit.errors import DataError, StudyFileError

__all__ = [
    "MARGIN",
    "PairedDifference",
    "compare_pairs",
    "difference_components",
    "holm",
    "paired_comparison",
    "verdict",
]


class PairedDifference(NamedTuple):
    """The mean paired difference, its 95 % and 90 % intervals, and the two-sided p-value; None with one seed."""

    difference: float
    interval: Interval | None
    interval90: Interval | None
    p_value: float | None


def paired_comparison(
    first: NDArray[Any], second: NDArray[Any], interim: InterimAnalysis | None = None
) -> PairedDifference:
    """The mean of ``first - second``, paired by seed and by image, with its intervals and p-value.

    The intervals are ``two_way_interval`` of the differences, clipped to [-1, 1], where every difference of accuracies
    lies; clipping leaves the coverage unchanged. The p-value is the smallest ``alpha`` whose ``1 - alpha`` interval
    excludes 0. Both refer to new seeds and new images of the same kind. Two variants that agree on all of n images may
    differ on others, so the standard error is at least ``sqrt(2) / (n + 2)``: the value after adding one image that the
    first wins and one that it loses.

    At an interim analysis the intervals are wider, so that those of all analyses together keep their 95 % and 90 %
    coverage (repeated confidence intervals, Jennison & Turnbull 1989, JRSS B 51:305-361); the p-value refers to this
    analysis alone.

    Assumes what ``two_way_interval`` assumes, and at least about ten images on which the two differ.

    Source: Bonett & Price (2012), J. Educ. Behav. Stat. 37:479-488, for the added images.

    Args:
      first, second: correctness, bool, the same seeds and images in the same order.  # (S, n)
      interim: the interim analysis, in a sequential design.

    Raises:
      DataError: the shapes differ, or as in ``variance_components``.
      StudyFileError: ``interim`` is not a valid plan, see ``nominal_level``.

    Example: of four images, the first variant has all right with both seeds; the second has one wrong with each.
      >>> first = np.array([[True, True, True, True], [True, True, True, True]])
      >>> second = np.array([[True, True, True, False], [True, True, False, True]])
      >>> result = paired_comparison(first, second)
      >>> result.difference, round(result.p_value, 2)
      (0.25, 0.33)
    """
    components = difference_components(first, second)
    mean = components.mean
    if components.seeds < 2:
        return PairedDifference(mean, None, None, None)
    alphas = [a if interim is None else nominal_level(interim, a) for a in (0.05, 0.10)]
    halves = [sqrt(half_squared(components, alpha)) for alpha in alphas]
    interval, interval90 = ((max(mean - half, -1.0), min(mean + half, 1.0)) for half in halves)
    return PairedDifference(mean, interval, interval90, p_value(components))


def difference_components(first: NDArray[Any], second: NDArray[Any]) -> VarianceComponents:
    """The variance components of the mean of ``first - second``, as ``paired_comparison`` uses them.

    Args:
      first, second: correctness, bool, the same seeds and images in the same order.  # (S, n)

    Raises:
      DataError: the shapes differ, or as in ``variance_components``.

    Example: the second variant has one of two images wrong with each seed; the floor is ``2 / (2 + 2)**2``.
      >>> components = difference_components(np.ones((2, 2), dtype=bool), np.eye(2, dtype=bool))
      >>> components.mean, components.floor
      (0.5, 0.125)
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        raise DataError(f"cannot pair arrays of shapes {first.shape} and {second.shape}; use the same seeds and the "
                        "same images for both")  # fmt: skip
    booleans = first.dtype == second.dtype == np.bool_  # their differences take an eighth of the memory as int8
    components = variance_components(np.subtract(first, second, dtype=np.int8 if booleans else np.float64))
    return components._replace(floor=2 / (first.shape[1] + 2) ** 2)


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """P-values adjusted so that the probability of any false positive among them stays at the level.

    With the m values in ascending order, the i-th becomes ``max over j <= i of min(1, (m - j + 1) * p_j)``.

    Valid under any dependence between the tests. Source: Holm (1979), Scand. J. Statist. 6:65-70.

    Args:
      p_values: in any order; None marks a test that could not be made: it stays None and does not count.

    Raises:
      DataError: a value outside [0, 1].

    Example: ``3 * 0.01``, ``2 * 0.03``, and 0.04 raised to its predecessor.
      >>> holm([0.04, 0.01, 0.03])
      (0.06, 0.03, 0.06)
    """
    tested = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(tested):
        if not 0 <= p <= 1:
            raise DataError(f"a p-value of {p} at position {i}; p-values lie between 0 and 1")
        largest = max(largest, min(1.0, (len(tested) - rank) * p))
        adjusted[i] = largest
    return tuple(adjusted)


def verdict(
    difference: float,
    interval90: Interval | None,
    p_adjusted: float | None,
    margin: float = MARGIN,
    level: float = 0.05,
) -> Verdict:
    """What the evidence allows one to say about two variants.

    ``better`` or ``worse``, by the sign of the difference, if ``p_adjusted < level``; else ``equivalent`` if the 90 %
    interval lies within ``+-margin`` (two one-sided tests at 5 %); else ``undecided``, as with one seed.

    Source: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15:657-680.

    Args:
      difference: mean paired difference.
      interval90: its 90 % interval.
      p_adjusted: its p-value after ``holm``.
      margin: largest difference of no practical interest.
      level: probability of a false "better" or "worse".

    Raises:
      StudyFileError: a negative ``margin``, or a ``level`` that is not between 0 and 1.

    Example:
      >>> verdict(0.006, (0.003, 0.009), 0.01), verdict(0.0, (-0.0004, 0.0004), 1.0)
      ('better', 'equivalent')
    """
    checked_alpha(level)
    if not margin >= 0:
        raise StudyFileError(f"a margin of {margin}; use 0 or the largest accuracy difference of no practical interest")
    if p_adjusted is not None and p_adjusted < level:
        return "better" if difference > 0 else "worse"
    if interval90 is not None and -margin <= interval90[0] and interval90[1] <= margin:
        return "equivalent"
    return "undecided"


def compare_pairs(
    correctness: Mapping[str, Mapping[int, NDArray[np.bool_]]],
    pairs: Sequence[tuple[str, str]],
    margin: float = MARGIN,
    interim: InterimAnalysis | None = None,
) -> tuple[Comparison, ...]:
    """Compare pairs of variants over their common seeds, with Holm's correction over all given pairs.

    Pairs without a common seed are left out. With one common seed the entry is the bare difference, undecided. A seed
    that diverged in either variant is left out of both: the comparison is about runs that end well.

    In a sequential design the intervals and ``p_adjusted`` allow for all interim analyses, so the probability of any
    false "better" or "worse" stays at 5 % however often seeds are added.

    Assumes what ``paired_comparison`` assumes.

    Args:
      correctness: variant -> seed -> whether each test image was classified correctly.  # bool (M,)
      pairs: ``(variant, against)``: everything the study compares, fixed before any outcome is known.
      margin: largest accuracy difference of no practical interest.
      interim: the interim analysis, in a sequential design.

    Returns:
      One comparison of ``"test_accuracy"`` per pair, in order.

    Raises:
      DataError: runs judged on different numbers of test images.
      StudyFileError: a negative ``margin``, or a ``interim`` that is not a valid plan.

    Example:
      >>> right, wrong = np.array([True, True]), np.array([True, False])
      >>> runs = {"baseline": {0: wrong}, "l2": {0: right}, "l1": {0: wrong}}
      >>> [(c.variant, c.against, c.difference) for c in compare_pairs(runs, [("l2", "l1"), ("l1", "baseline")])]
      [('l2', 'l1', 0.5), ('l1', 'baseline', 0.0)]
    """
    sizes = {len(images) for runs in correctness.values() for images in runs.values()}
    if len(sizes) > 1:
        raise DataError(f"runs judged on different numbers of test images ({', '.join(map(str, sorted(sizes)))}); "
                        "judge all runs on the same test set")  # fmt: skip
    differences: dict[tuple[str, str], PairedDifference] = {}
    for name, against in pairs:
        seeds = sorted(correctness[against].keys() & correctness[name].keys())
        if seeds:
            first, second = (np.stack([correctness[v][s] for s in seeds]) for v in (name, against))  # each (S, M)
            differences[name, against] = paired_comparison(first, second, interim)
    p_values = [pair.p_value for pair in differences.values()]
    adjusted = holm(p_values if interim is None else [over_all_analyses(p, interim) for p in p_values])
    return tuple(
        Comparison(
            variant=name,
            against=against,
            metric="test_accuracy",
            difference=pair.difference,
            interval=pair.interval,
            p_value=pair.p_value,
            p_adjusted=p,
            verdict=verdict(pair.difference, pair.interval90, p, margin),
        )
        for ((name, against), pair), p in zip(differences.items(), adjusted, strict=True)
    )
