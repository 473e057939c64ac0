"""Two variants paired by seed and by test example: the difference, its interval, its p-value and the verdict.

What a study reports comes from ``compare_pairs``: variance components of every difference, the seeds' part pooled over
the study (``pooling``), p-values for "different" and for "equivalent", both corrected for the number of comparisons.
``paired`` has further tests that account for one source of variation only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import sqrt
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import (
    Interval,
    VarianceComponents,
    half_squared,
    p_value,
    seed_components,
    variance_components,
)
from wellfit.analysis.pooling import pooled
from wellfit.analysis.sequential import InterimAnalysis, nominal_level, over_all_analyses
from wellfit.analysis.steps import step_of
from wellfit.analysis.verdicts import adjusted, equivalence_p, holm, verdict
from wellfit.base import MARGIN, Comparison, TestRows
from wellfit.errors import DataError

__all__ = [
    "MARGIN",
    "PairedDifference",
    "Scores",
    "compare_pairs",
    "difference_components",
    "holm",
    "judged",
    "paired_comparison",
    "paired_components",
    "summarized",
    "verdict",
]

Scores = Mapping[str, Mapping[int, NDArray[Any]]]
"""Variant -> seed -> one score for each example that the seed judges, for example whether it was right."""

_UNBOUNDED: Final = ("test_log_loss", "test_brier")  # metrics whose differences may exceed 1


class PairedDifference(NamedTuple):
    """The mean paired difference, its 95 % and 90 % intervals, and the two-sided p-value; None with one seed."""

    difference: float
    interval: Interval | None
    interval90: Interval | None
    p_value: float | None


def paired_comparison(
    first: Iterable[NDArray[Any]],
    second: Iterable[NDArray[Any]],
    interim: InterimAnalysis | None = None,
    tested: TestRows | None = None,
) -> PairedDifference:
    """The mean of ``first - second``, paired by seed and by example, with its intervals and p-value.

    The intervals are ``two_way_interval`` of the differences, clipped to [-1, 1], where every difference of accuracies
    lies; clipping leaves the coverage unchanged. The p-value is the smallest ``alpha`` whose ``1 - alpha`` interval
    excludes 0. Both refer to new seeds and new examples of the same kind. Two variants that agree on all of n examples
    may differ on others, so the standard error is at least ``sqrt(2) / (n + 2)``: the value after adding one example
    that the first wins and one that it loses.

    At an interim analysis the intervals are wider, so that those of all analyses together keep their 95 % and 90 %
    coverage (repeated confidence intervals, Jennison & Turnbull 1989, JRSS B 51:305-361); the p-value refers to this
    analysis alone.

    Assumes what ``variance_components`` assumes, and at least about ten examples on which the two differ. This is one
    comparison by itself: those of a study are pooled, see ``compare_pairs``.

    Source: Bonett & Price (2012), J. Educ. Behav. Stat. 37:479-488, for the added examples.

    Args:
      first, second: one array per seed, the same seeds and examples in the same order.  # (m,) each
      interim: the interim analysis, in a sequential design.
      tested: which examples the arrays belong to; None if every seed judges all examples.

    Raises:
      DataError: the shapes differ, or as in ``variance_components``.
      StudyFileError: ``interim`` is not a valid plan, see ``nominal_level``.

    Example: of four examples, the first variant has all right with both seeds; the second has one wrong with each.
      >>> first = np.array([[True, True, True, True], [True, True, True, True]])
      >>> second = np.array([[True, True, True, False], [True, True, False, True]])
      >>> result = paired_comparison(first, second)
      >>> result.difference, round(result.p_value, 2)
      (0.25, 0.33)
    """
    return summarized(difference_components(first, second, tested), interim)


def summarized(
    components: VarianceComponents, interim: InterimAnalysis | None = None, most: float = 1.0
) -> PairedDifference:
    """The difference, its intervals and its p-value from its variance components.

    Args:
      components: as ``difference_components`` or ``paired_components`` gives them.
      interim: the interim analysis, in a sequential design.
      most: the largest possible difference, to which the intervals are clipped.

    Example:
      >>> right = np.array([[True, True, True, False], [True, True, False, True]])
      >>> summarized(difference_components(right, right)).difference
      0.0
    """
    mean = components.mean
    if components.seeds < 2:
        return PairedDifference(mean, None, None, None)
    alphas = [a if interim is None else nominal_level(interim, a) for a in (0.05, 0.10)]
    halves = [sqrt(half_squared(components, alpha)) for alpha in alphas]
    interval, interval90 = ((max(mean - half, -most), min(mean + half, most)) for half in halves)
    return PairedDifference(mean, interval, interval90, float(p_value(components)))


def difference_components(
    first: Iterable[NDArray[Any]], second: Iterable[NDArray[Any]], tested: TestRows | None = None
) -> VarianceComponents:
    """The variance components of the mean of ``first - second``, as ``paired_comparison`` uses them.

    Where only the score of each run is known, the seeds alone count (``crossed.seed_components``), and scores are known
    to one step (``steps.step_of``): a difference that all seeds share is no certainty.

    Args:
      first, second: one array per seed, the same seeds and examples in the same order.  # (m,) each, or () each
      tested: which examples the arrays belong to; None if every seed judges all examples.

    Raises:
      DataError: the shapes differ, or as in ``variance_components``.

    Example: the second variant has one of two examples wrong with each seed; the floor is ``2 / (2 + 2)**2``.
      >>> components = difference_components(np.ones((2, 2), dtype=bool), np.eye(2, dtype=bool))
      >>> components.mean, components.floor
      (0.5, 0.125)
    """
    first, second = list(first), list(second)
    if first and all(np.ndim(one) == 0 for one in (*first, *second)):
        values = [float(a) - float(b) for a, b in zip(first, second, strict=True)]
        step = step_of([*first, *second])
        return seed_components(values, step)._replace(floor=2 * (step / 2) ** 2)  # each of the two may be off
    components = variance_components(_differences(first, second), tested)
    return components._replace(floor=2 / (components.judged + 2) ** 2)


def _differences(first: Sequence[NDArray[Any]], second: Sequence[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """The difference of one seed at a time."""
    shapes = [[np.shape(one) for one in side] for side in (first, second)]
    if shapes[0] != shapes[1]:
        raise DataError(f"cannot pair scores of {_shapes(shapes[0])} and {_shapes(shapes[1])}; use the same seeds and "
                        "the same images for both")  # fmt: skip
    for a, b in zip(first, second, strict=True):
        yield np.subtract(a, b, dtype=np.int8 if a.dtype == b.dtype == np.bool_ else np.float64)


def _shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    """Such as "2 seeds x 3 examples"."""
    sizes = sorted({size for shape in shapes for size in shape})
    return f"{len(shapes)} seeds x {' or '.join(map(str, sizes))} examples"


def paired_components(
    scores: Scores, pairs: Sequence[tuple[str, str]], tested: TestRows | None = None
) -> dict[tuple[str, str], VarianceComponents]:
    """The variance components of every pair's difference, over its common seeds, pooled over all given pairs.

    Args:
      scores: of every variant.
      pairs: everything that the study compares; those without a common seed are left out.
      tested: which examples each seed judges; None if every seed judges all.

    Raises:
      DataError: runs judged on different numbers of test examples.

    Example:
      >>> right, wrong = np.array([True, True]), np.array([True, False])
      >>> runs = {"baseline": {0: wrong, 1: wrong}, "l2": {0: right, 1: wrong}}
      >>> paired_components(runs, [("l2", "baseline")])["l2", "baseline"].mean
      0.25
    """
    sizes = {np.size(one) for runs in scores.values() for one in runs.values()}
    if tested is None and len(sizes) > 1:
        raise DataError(f"runs judged on different numbers of test images ({', '.join(map(str, sorted(sizes)))}); "
                        "judge all runs on the same test set")  # fmt: skip
    found: dict[tuple[str, str], VarianceComponents] = {}
    for name, against in pairs:
        seeds = sorted(scores[against].keys() & scores[name].keys())
        if seeds:
            first, second = ([scores[v][s] for s in seeds] for v in (name, against))
            found[name, against] = difference_components(first, second, tested and tested.only(seeds))
    counted = [pair for pair, c in found.items() if c.seeds >= 2 and not _identical(scores, pair)]
    return found | dict(zip(counted, pooled([found[pair] for pair in counted]), strict=True))


def _identical(scores: Scores, pair: tuple[str, str]) -> bool:
    """Whether two variants have the same scores on every example, with every common seed."""
    first, second = (scores[name] for name in pair)
    common = first.keys() & second.keys()
    return all(np.ndim(first[seed]) and np.array_equal(first[seed], second[seed]) for seed in common)


def compare_pairs(
    scores: Scores,
    pairs: Sequence[tuple[str, str]],
    margin: float = MARGIN,
    interim: InterimAnalysis | None = None,
    tested: TestRows | None = None,
    metric: str = "test_accuracy",
    components: Mapping[tuple[str, str], VarianceComponents] | None = None,
) -> tuple[Comparison, ...]:
    """Compare pairs of variants over their common seeds, corrected for the number of pairs.

    Pairs without a common seed are left out. With one common seed the entry is the bare difference, undecided. A seed
    that diverged in either variant is left out of both: the comparison is about runs that end well. Pairs with the same
    scores on everything are marked as identical and do not count.

    The probability of any false "better", "worse" or "equivalent" is at most 5 % over the whole study. In a sequential
    design the intervals and ``p_adjusted`` allow for all interim analyses, so that it stays there however often seeds
    are added. Each interval covers one comparison, unadjusted for their number.

    Assumes what ``paired_comparison`` and ``pooling.pooled`` assume.

    Args:
      scores: variant -> seed -> score of each example that the seed judges, the larger the better, for example whether
        it was classified correctly.  # (m,)
      pairs: ``(variant, against)``: everything the study compares, fixed before any outcome is known.
      margin: largest difference of no practical interest.
      interim: the interim analysis, in a sequential design.
      tested: which examples each seed judges; None if every seed judges all.
      metric: the name of what the mean score is.
      components: of these pairs, as ``paired_components`` gives them; computed if None.

    Returns:
      One comparison per pair, in order.

    Raises:
      DataError: runs judged on different numbers of test examples.
      StudyFileError: a negative ``margin``, or an ``interim`` that is not a valid plan.

    Example:
      >>> right, wrong = np.array([True, True]), np.array([True, False])
      >>> runs = {"baseline": {0: wrong}, "l2": {0: right}, "l1": {0: wrong}}
      >>> [(c.variant, c.against, c.difference) for c in compare_pairs(runs, [("l2", "l1"), ("l1", "baseline")])]
      [('l2', 'l1', 0.5), ('l1', 'baseline', 0.0)]
    """
    components = paired_components(scores, pairs, tested) if components is None else components
    identical = frozenset(pair for pair in components if _identical(scores, pair))
    return judged(components, margin, interim, metric, identical)


def judged(
    components: Mapping[tuple[str, str], VarianceComponents],
    margin: float = MARGIN,
    interim: InterimAnalysis | None = None,
    metric: str = "test_accuracy",
    identical: Collection[tuple[str, str]] = (),
) -> tuple[Comparison, ...]:
    """The comparisons of all pairs together, from the variance components of their differences: see ``compare_pairs``.

    Args:
      components: ``(variant, against)`` -> those of its difference.
      margin, interim, metric: as for ``compare_pairs``.
      identical: the pairs with the same scores on everything, which do not count.

    Raises:
      StudyFileError: as ``compare_pairs``.

    Example:
      >>> right, wrong = np.array([True, True]), np.array([True, False])
      >>> (one,) = judged({("l2", "l1"): difference_components([right], [wrong])})
      >>> one.difference, one.verdict
      (0.5, 'undecided')
    """
    most = np.inf if metric in _UNBOUNDED else 1.0
    differences = {pair: summarized(c, interim, most) for pair, c in components.items()}
    p_values = [None if pair in identical else found.p_value for pair, found in differences.items()]
    corrected = adjusted(p_values if interim is None else [over_all_analyses(p, interim) for p in p_values])
    counted = max(1, sum(p is not None for p in p_values))
    return tuple(
        Comparison(
            variant=pair[0],
            against=pair[1],
            metric=metric,
            difference=found.difference,
            interval=found.interval,
            p_value=found.p_value,
            p_adjusted=found.p_value if pair in identical else p,
            verdict=verdict(found.difference, p, equivalence_p(components[pair], margin, counted, interim)),
            identical=pair in identical,
        )
        for (pair, found), p in zip(differences.items(), corrected, strict=True)
    )
