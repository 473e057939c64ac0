"""Two variants, paired by seed and by test image: the difference, its interval, its p-value, and the verdict.

What a study reports stands here: ``paired_comparison``, ``holm`` and ``verdict``, one after the other in
``compare_pairs``. ``paired`` has further tests that count one source of chance only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.crossed import Interval, Sources, checked_alpha, half_squared, p_value, sources
from wellfit.analysis.sequential import InterimAnalysis, nominal_level, over_all_analyses
from wellfit.base import MARGIN, Comparison, Verdict
from wellfit.errors import DataError, StudyFileError

__all__ = [
    "MARGIN",
    "PairedDifference",
    "compare_pairs",
    "compare_with_first",
    "difference_sources",
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
    first: NDArray[Any], second: NDArray[Any], look: InterimAnalysis | None = None
) -> PairedDifference:
    """The mean of ``first - second``, paired by seed and by image, with its intervals and p-value.

    The intervals are those of ``two_way_interval`` of the differences, cut to [-1, 1], beyond which no difference of
    two shares lies: they hold the truth as often as before. The p-value is the smallest ``alpha`` whose ``1 - alpha``
    interval leaves out 0. Both answer for new seeds and new images of the same kind. Two that agree on
    all of n images may still differ on others: the standard error is never taken to be below ``sqrt(2) / (n + 2)``,
    which is what one image won and one image lost, added to those that were seen, would bring.

    At one of several looks the intervals are wider, so that those of all looks together hold the truth with 95 % and
    90 % (repeated confidence intervals, Jennison & Turnbull 1989, JRSS B 51:305-361); the p-value is that of this look.

    Assumes what ``two_way_interval`` assumes, and about ten images or more on which the two differ.

    Source: Bonett & Price (2012), J. Educ. Behav. Stat. 37:479-488, for the images that are added.

    Args:
      first, second: correctness, bool, the same seeds and images in the same order.  # (S, n)
      look: which look of which, where the study is looked at until it is decided; None for a single look.

    Returns:
      The difference, its 95 % and 90 % intervals and the two-sided p-value, all but the first None with one seed.

    Raises:
      DataError: the shapes differ, or what ``two_way_interval`` raises.
      StudyFileError: a ``look`` that ``nominal_level`` refuses.

    Example: of four images, the first has all right with both seeds, the second one wrong with each.
      >>> first = np.array([[True, True, True, True], [True, True, True, True]])
      >>> second = np.array([[True, True, True, False], [True, True, False, True]])
      >>> result = paired_comparison(first, second)
      >>> result.difference, round(result.p_value, 2)
      (0.25, 0.33)
    """
    found = difference_sources(first, second)
    if found.seeds < 2:
        return PairedDifference(found.mean, None, None, None)
    alphas = [a if look is None else nominal_level(look, a) for a in (0.05, 0.10)]
    halves = [sqrt(half_squared(found, alpha)) for alpha in alphas]
    interval, interval90 = ((max(found.mean - half, -1.0), min(found.mean + half, 1.0)) for half in halves)
    return PairedDifference(found.mean, interval, interval90, p_value(found))


def difference_sources(first: NDArray[Any], second: NDArray[Any]) -> Sources:
    """Where the chance of the mean of ``first - second`` comes from, as ``paired_comparison`` counts it.

    Args:
      first, second: correctness, bool, the same seeds and images in the same order.  # (S, n)

    Raises:
      DataError: the shapes differ, or what ``sources`` raises.

    Example: the second has one image of two wrong with each seed; at the least, the variance is ``2 / (2 + 2)**2``.
      >>> right = np.ones((2, 2), dtype=bool)
      >>> found = difference_sources(right, np.eye(2, dtype=bool))
      >>> found.mean, found.least
      (0.5, 0.125)
    """
    first, second = np.asarray(first), np.asarray(second)
    if first.shape != second.shape:
        raise DataError(f"a paired comparison of arrays shaped {first.shape} and {second.shape}; give the same seeds "
                        "and the same images to both")  # fmt: skip
    found = sources(first.astype(np.float64) - second.astype(np.float64))
    return found._replace(least=2 / (first.shape[1] + 2) ** 2)


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """P-values adjusted for their number, so that the chance of any false alarm among them stays at the level.

    With the m values in ascending order, the i-th becomes ``max over j <= i of min(1, (m - j + 1) * p_j)``.

    Assumes nothing of how the tests depend on each other. Source: Holm (1979), Scand. J. Statist. 6:65-70.

    Args:
      p_values: in any order; None is a test that could not be made, stays None and does not count.

    Returns:
      The adjusted values in the same order.

    Raises:
      DataError: a value outside [0, 1].

    Example: ``3 * 0.01``, ``2 * 0.03``, and 0.04 lifted to its predecessor.
      >>> holm([0.04, 0.01, 0.03])
      (0.06, 0.03, 0.06)
    """
    made = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, i) in enumerate(made):
        if not 0 <= p <= 1:
            raise DataError(f"a p-value of {p} at position {i}; p-values lie between 0 and 1")
        largest = max(largest, min(1.0, (len(made) - rank) * p))
        adjusted[i] = largest
    return tuple(adjusted)


def verdict(
    difference: float,
    interval90: Interval | None,
    p_adjusted: float | None,
    margin: float = MARGIN,
    level: float = 0.05,
) -> Verdict:
    """What the evidence allows one to say of two variants.

    ``better`` or ``worse`` by the sign of the difference where ``p_adjusted < level``; else ``equivalent`` where the
    90 % interval lies within ``+-margin`` (two one-sided tests at 5 %); else ``undecided``, as with one seed.

    Assumes what the interval and the p-value assume. Source: Schuirmann (1987), J. Pharmacokinet. Biopharm. 15:657-680.

    Args:
      difference: the mean paired difference.
      interval90: its 90 % interval, or None.
      p_adjusted: its p-value after ``holm``, or None.
      margin: the largest difference that does not matter.
      level: the chance of a false "better" or "worse".

    Raises:
      StudyFileError: a negative ``margin``, or a ``level`` that is not between 0 and 1.

    Example:
      >>> verdict(0.006, (0.003, 0.009), 0.01), verdict(0.0, (-0.0004, 0.0004), 1.0)
      ('better', 'equivalent')
    """
    checked_alpha(level)
    if not margin >= 0:
        raise StudyFileError(
            f"a margin of {margin}; give the largest accuracy difference that does not matter, 0 or more"
        )
    if p_adjusted is not None and p_adjusted < level:
        return "better" if difference > 0 else "worse"
    if interval90 is not None and -margin <= interval90[0] and interval90[1] <= margin:
        return "equivalent"
    return "undecided"


def compare_with_first(
    correctness: Mapping[str, Mapping[int, NDArray[np.bool_]]],
    margin: float = MARGIN,
    look: InterimAnalysis | None = None,
) -> tuple[Comparison, ...]:
    """Compare every other variant with the first, over the seeds that both have: ``compare_pairs`` of these pairs.

    Args:
      correctness: variant -> seed -> whether each test image was classified correctly.  # bool (M,)
      margin: the largest difference in accuracy that does not matter.
      look: which look of which, where the study is looked at until it is decided; None for a single look.

    Returns:
      One comparison a variant that shares a seed with the first, in their order, of the metric ``"test_accuracy"``.

    Raises:
      DataError: runs that were judged on different numbers of test images.
      StudyFileError: a negative ``margin``, or a ``look`` that ``nominal_level`` refuses.

    Example: one seed cannot tell.
      >>> right, wrong = np.array([True, True]), np.array([True, False])
      >>> (comparison,) = compare_with_first({"baseline": {0: wrong}, "l2": {0: right}})
      >>> comparison.variant, comparison.difference, comparison.verdict
      ('l2', 0.5, 'undecided')
    """
    first, *others = correctness or [""]
    return compare_pairs(correctness, [(name, first) for name in others], margin, look)


def compare_pairs(
    correctness: Mapping[str, Mapping[int, NDArray[np.bool_]]],
    pairs: Sequence[tuple[str, str]],
    margin: float = MARGIN,
    look: InterimAnalysis | None = None,
) -> tuple[Comparison, ...]:
    """Compare pairs of variants, over the seeds that both have; Holm's correction over all pairs that are given.

    Variants that share no seed have no entry. With one shared seed the entry is the bare difference, undecided. Seeds
    that one of the two lost, by divergence, are left out of both: it speaks of runs that end well.

    At one of several looks the intervals and ``p_adjusted`` allow for all of them, so that a study may be looked at,
    given more seeds and looked at again until it is decided: the chance of any false "better" or "worse" stays at 5 %.
    The verdicts are those of the look given; what an earlier look decided is asked again, with more data.

    Assumes and follows ``paired_comparison``, ``over_all_analyses``, ``holm`` and ``verdict``.

    Args:
      correctness: variant -> seed -> whether each test image was classified correctly.  # bool (M,)
      pairs: variant and against which; all that the study compares, chosen without looking at the outcome.
      margin: the largest difference in accuracy that does not matter.
      look: which look of which, where the study is looked at until it is decided; None for a single look.

    Returns:
      One comparison a pair, in their order, of the metric ``"test_accuracy"``.

    Raises:
      DataError: runs that were judged on different numbers of test images.
      StudyFileError: a negative ``margin``, or a ``look`` that ``nominal_level`` refuses.

    Example:
      >>> right, wrong = np.array([True, True]), np.array([True, False])
      >>> runs = {"baseline": {0: wrong}, "l2": {0: right}, "l1": {0: wrong}}
      >>> [(c.variant, c.against, c.difference) for c in compare_pairs(runs, [("l2", "l1"), ("l1", "baseline")])]
      [('l2', 'l1', 0.5), ('l1', 'baseline', 0.0)]
    """
    sizes = {len(image) for runs in correctness.values() for image in runs.values()}
    if len(sizes) > 1:
        raise DataError(f"runs judged on different numbers of test images ({', '.join(map(str, sorted(sizes)))}); "
                        "judge all of them on the same test set")  # fmt: skip
    found: dict[tuple[str, str], PairedDifference] = {}
    for name, against in pairs:
        seeds = sorted(correctness[against].keys() & correctness[name].keys())
        if seeds:
            first, second = (np.stack([correctness[v][s] for s in seeds]) for v in (name, against))  # each (S, M)
            found[name, against] = paired_comparison(first, second, look)
    p_values = [pair.p_value for pair in found.values()]
    adjusted = holm(p_values if look is None else [over_all_analyses(p, look) for p in p_values])
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
        for ((name, against), pair), p in zip(found.items(), adjusted, strict=True)
    )
