"""All variants together: whether any differ, their order, and the groups that no pairwise comparison separates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.comparisons import holm, paired_comparison
from wellfit.analysis.sequential import InterimAnalysis, nominal_level
from wellfit.base import Comparison, FloatArray, Ranked, TestRows
from wellfit.errors import DataError

__all__ = ["Ranked", "compact_letters", "expected_of_leader", "friedman", "ranking"]

_BLOCKS: Final = 10  # of test examples, each judged by a leader chosen without it


def friedman(scores: FloatArray) -> float:
    """The p-value of Friedman's test that all variants rank alike over the seeds.

    Each seed ranks the variants; the statistic is compared with ``chi2(V - 1)``, which is conservative with 5 seeds.

    Assumes independent seeds and makes no assumption about the distribution of the scores. Like every test over seeds
    alone, it applies to these test images. Source: Friedman (1937), JASA 32:675-701; Demsar (2006), JMLR 7:1-30. SciPy
    has it too, in a module that takes longer to import than a report's numbers to compute.

    Args:
      scores: one row per variant, at least three; one column per seed, at least two.  # (V, S)

    Returns:
      The p-value; 1 if all scores are equal.

    Raises:
      DataError: another shape, or NaN or infinity.

    Example: four seeds that all rank three variants in the same order.
      >>> round(friedman(np.array([[0.1, 0.2, 0.3, 0.1], [0.4, 0.5, 0.5, 0.4], [0.7, 0.9, 0.8, 0.8]])), 4)
      0.0183
    """
    from scipy.special import chdtrc

    scores = np.asarray(scores, dtype=np.float64)  # (V, S)
    if scores.ndim != 2 or scores.shape[0] < 3 or scores.shape[1] < 2 or not np.isfinite(scores).all():
        raise DataError(f"scores of shape {scores.shape}, or with NaN or infinity among them; pass one row for each of "
                        "at least three variants and one column for each of at least two seeds")  # fmt: skip
    if (scores == scores[0]).all():
        return 1.0
    variants, seeds = scores.shape
    below = (scores[None] < scores[:, None]).sum(axis=1)  # (V, S) how many variants are below, with this seed
    alike = (scores[None] == scores[:, None]).sum(axis=1)  # (V, S) and how many are equal, itself included
    ranks = (below + (alike + 1) / 2).sum(axis=1)  # (V,) equal scores share the mean of their ranks
    ties = float(((alike**2 - 1) / (variants * (variants**2 - 1) * seeds)).sum())
    spread = 12 * float((ranks**2).sum()) / (variants * seeds * (variants + 1)) - 3 * seeds * (variants + 1)
    return float(chdtrc(variants - 1, max(spread, 0.0) / (1 - ties)))


def ranking(
    scores: Mapping[str, Mapping[int, NDArray[Any]]],
    level: float = 0.05,
    interim: InterimAnalysis | None = None,
    compared: Sequence[Comparison] = (),
    tested: TestRows | None = None,
) -> tuple[Ranked, ...]:
    """The variants from the highest mean to the lowest, with letters; no comparison separates those that share one.

    A pair that the study compares is separated exactly if its verdict says better or worse. Variants whose answers are
    identical count as one. Every other pair is
    compared by ``paired_comparison`` over its common seeds, with Holm's correction over all pairs. The letters
    therefore never contradict a verdict; the probability of a false separation is at most ``level`` among the study's
    comparisons and at most ``level`` among the other pairs.

    Assumes what ``paired_comparison`` assumes. The letters are a compact letter display, see ``compact_letters``.

    Args:
      scores: variant -> seed -> whether each test example was classified correctly, or its score by another metric, the
        larger the better.  # (m,)
      level: probability that any two are falsely separated.
      interim: the interim analysis, in a sequential design.
      compared: the comparisons of the study.
      tested: which test examples each seed judges; None if every seed judges all.

    Returns:
      One entry per variant with a run; the mean is over everything that its runs judged.

    Raises:
      DataError: runs judged on different numbers of test images.

    Example: the last is worse than the other two, which are not separated.
      >>> hard = np.arange(2000) % 100
      >>> runs = {name: {s: hard >= wrong + s % 2 for s in range(5)} for name, wrong in (("a", 5), ("b", 5), ("c", 30))}
      >>> [(r.variant, r.letters) for r in ranking(runs)]
      [('a', 'a'), ('b', 'a'), ('c', 'b')]
    """
    means = {
        name: float(np.mean(np.concatenate([np.atleast_1d(one) for one in runs.values()]), dtype=np.float64))
        for name, runs in scores.items()
        if runs
    }
    order = sorted(means, key=lambda name: -means[name])
    twin = _twins(compared, scores)
    pairs = list(combinations([name for name in order if twin.get(name, name) == name], 2))
    p_values = [_pair_p(scores[a], scores[b], tested) for a, b in pairs]
    apart = dict(zip(map(frozenset, pairs), _significant(p_values, level, interim), strict=True))
    for c in compared:
        apart[frozenset(twin.get(name, name) for name in (c.variant, c.against))] = c.verdict in ("better", "worse")
    firsts = [twin.get(name, name) for name in order]
    separated = np.array([[a != b and apart[frozenset((a, b))] for b in firsts] for a in firsts])  # bool (V, V)
    separated = separated.reshape(len(order), len(order)).astype(bool)
    letters = compact_letters(separated)
    return tuple(Ranked(name, means[name], marks) for name, marks in zip(order, letters, strict=True))


def expected_of_leader(
    scores: Mapping[str, Mapping[int, NDArray[Any]]], tested: TestRows | None = None
) -> float | None:
    """The mean to expect of the variant with the highest mean: cross-fitted, so that its luck does not count.

    The highest of several means is too high on average, because it was chosen for being high. Here every seed and every
    tenth of the test examples in turn is judged by the variant that leads on all other seeds and examples.

    Source: Stone (1974), JRSS B 36:111-147, for judging a choice on data that did not make it.

    Args:
      scores: variant -> seed -> whether each test example was classified correctly, or its score by another metric, the
        larger the better.  # (m,)
      tested: which test examples each seed judges; None if every seed judges all.

    Returns:
      A mean over the seeds that all tested variants share, at most the highest mean; None with fewer than two variants
      or seeds, or where only the score of each run is known.

    Example: two variants, each lucky with one seed; whichever leads on one seed is not lucky on the other.
      >>> lucky, usual = np.arange(100) < 90, np.arange(100) < 80
      >>> round(expected_of_leader({"a": {0: lucky, 1: usual}, "b": {0: usual, 1: lucky}}), 3)
      0.8
    """
    variants = [runs for runs in scores.values() if runs]
    seeds = sorted(set.intersection(*(set(runs) for runs in variants))) if variants else []
    if len(variants) < 2 or len(seeds) < 2 or not np.ndim(variants[0][seeds[0]]):
        return None
    judged = [np.arange(len(variants[0][s])) if tested is None else tested.rows[s] for s in seeds]
    examples = 1 + max(int(of.max(initial=0)) for of in judged)
    blocks = np.random.default_rng(0).permutation(examples) % _BLOCKS  # (examples,)
    counts = np.array([np.bincount(blocks[of], minlength=_BLOCKS) for of in judged])  # (S, B)
    right = np.array(
        [
            [np.bincount(blocks[of], runs[s], minlength=_BLOCKS) for s, of in zip(seeds, judged, strict=True)]
            for runs in variants
        ]
    )  # (V, S, B)
    elsewhere = _elsewhere(right) / np.maximum(_elsewhere(counts), 1)  # (V, S, B)
    leader = np.round(elsewhere, 12).argmax(axis=0)  # (S, B)
    expected = float(np.take_along_axis(right, leader[None], axis=0).sum() / counts.sum())
    return min(expected, float(right.sum(axis=(1, 2)).max() / counts.sum()))


def _elsewhere(table: NDArray[Any]) -> NDArray[Any]:
    """For every seed and block, the sum over all other seeds and blocks.  # (..., S, B)"""
    whole = table.sum(axis=(-2, -1), keepdims=True)
    rest: NDArray[Any] = whole - table.sum(axis=-1, keepdims=True) - table.sum(axis=-2, keepdims=True) + table
    return rest


def compact_letters(separated: NDArray[np.bool_]) -> tuple[str, ...]:
    """Letters such that two variants share one exactly if they are not separated.

    All start with one letter. For each separated pair, every letter that both have is split into two, and each of the
    pair keeps one; a letter whose holders all share another letter is dropped ("insert and absorb").

    Source: Piepho (2004), J. Comput. Graph. Stat. 13:456-466.

    Args:
      separated: whether each pair is separated; symmetric, in the order in which the letters run.  # bool (V, V)

    Returns:
      One string each; after z come aa, ab ..., separated by commas.

    Raises:
      DataError: not a symmetric square matrix with a False diagonal.

    Example: the first and the last differ, the middle one from neither.
      >>> compact_letters(np.array([[False, False, True], [False, False, False], [True, False, False]]))
      ('a', 'ab', 'b')
    """
    pairs = np.asarray(separated, dtype=bool)
    if pairs.ndim != 2 or pairs.shape[0] != pairs.shape[1] or (pairs != pairs.T).any() or pairs.diagonal().any():
        raise DataError(f"separated pairs of shape {pairs.shape}; pass a symmetric square matrix with a False "
                        "diagonal")  # fmt: skip
    holders = {frozenset(range(len(pairs)))}
    for i, j in zip(*np.nonzero(np.triu(pairs)), strict=True):
        halves = {half for held in holders if {i, j} <= held for half in (held - {i}, held - {j})}
        holders = {held for held in holders if not {i, j} <= held} | halves
        holders = {held for held in holders if not any(held < other for other in holders)}
    columns = sorted(sorted(held) for held in holders)
    separator = "" if len(columns) <= 26 else ","
    return tuple(separator.join(_letter(c) for c, held in enumerate(columns) if v in held) for v in range(len(pairs)))


def _twins(compared: Sequence[Comparison], scores: Mapping[str, Mapping[int, NDArray[Any]]]) -> dict[str, str]:
    """Variants with the same answers from the same seeds as another -> that one, so that both have the same letters."""
    twin: dict[str, str] = {}
    for c in compared:
        if not c.identical or scores[c.variant].keys() != scores[c.against].keys():
            continue
        kept, gone = (twin.get(name, name) for name in (c.against, c.variant))
        if kept != gone:
            twin = {name: kept if other == gone else other for name, other in twin.items()} | {gone: kept}
    return twin


def _pair_p(
    first: Mapping[int, NDArray[np.bool_]], second: Mapping[int, NDArray[np.bool_]], tested: TestRows | None
) -> float | None:
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return None
    rows = tested and tested.only(seeds)
    return paired_comparison([first[s] for s in seeds], [second[s] for s in seeds], tested=rows).p_value


def _significant(p_values: Sequence[float | None], level: float, interim: InterimAnalysis | None) -> list[bool]:
    """Which are below ``level`` after Holm's correction, at the levels of the interim analysis if there is one."""
    if interim is None:
        return [p is not None and p < level for p in holm(p_values)]
    significant = [False] * len(p_values)
    tested = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    for rank, (p, i) in enumerate(tested):  # as ``holm`` of ``over_all_looks``, without solving for each p-value
        if p >= nominal_level(interim, level / (len(tested) - rank)):
            break
        significant[i] = True
    return significant


def _letter(column: int) -> str:
    """a, b ... z, aa, ab ..."""
    more, last = divmod(column, 26)
    return (_letter(more - 1) if more else "") + chr(ord("a") + last)
