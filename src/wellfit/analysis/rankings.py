"""All variants together: whether any differ, their order, and the groups that are not told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from wellfit.analysis.comparisons import holm, paired_comparison
from wellfit.analysis.sequential import InterimAnalysis, nominal_level
from wellfit.base import FloatArray, Ranked
from wellfit.errors import DataError

__all__ = ["Ranked", "compact_letters", "friedman", "nemenyi", "ranking"]


def friedman(scores: FloatArray) -> float:
    """The p-value of Friedman's test that no variant ranks differently from the others over the seeds.

    Each seed ranks the variants; the statistic is compared with ``chi2(V - 1)``. With 5 seeds this is cautious.

    Assumes seeds independent, and nothing of the form of the scores. It speaks of these test images, as every test over
    seeds alone. Source: Friedman (1937), JASA 32:675-701; Demsar (2006), JMLR 7:1-30; computed by SciPy.

    Args:
      scores: one row a variant, three or more; one column a seed, two or more.  # (V, S)

    Returns:
      The p-value; 1 where all scores are equal.

    Raises:
      DataError: another shape, or NaN or infinity.

    Example: three variants that each of four seeds puts in the same order.
      >>> round(friedman(np.array([[0.1, 0.2, 0.3, 0.1], [0.4, 0.5, 0.5, 0.4], [0.7, 0.9, 0.8, 0.8]])), 4)
      0.0183
    """
    from scipy.stats import friedmanchisquare

    scores = _checked(scores)
    if (scores == scores[0]).all():
        return 1.0
    return float(friedmanchisquare(*scores).pvalue)


def nemenyi(scores: FloatArray) -> FloatArray:
    """P-values of every pair of variants after Friedman's test, adjusted for the number of pairs.

    With R the mean ranks over S seeds, ``|R_i - R_j| / sqrt(V (V + 1) / (12 S))`` is compared with the studentized
    range of V groups and infinite degrees of freedom.

    Assumes what ``friedman`` assumes. Source: Nemenyi (1963), "Distribution-free multiple comparisons"; Demsar (2006),
    JMLR 7:1-30; the distribution is SciPy's.

    Args:
      scores: as for ``friedman``.  # (V, S)

    Returns:
      Symmetric, 1 on the diagonal.  # float64 (V, V)

    Raises:
      DataError: as ``friedman``.

    Example: mean ranks 1, 2 and 3.
      >>> nemenyi(np.array([[0.1, 0.2, 0.3, 0.1], [0.4, 0.5, 0.5, 0.4], [0.7, 0.9, 0.8, 0.8]])).round(3).tolist()[0]
      [1.0, 0.333, 0.013]
    """
    from scipy.stats import rankdata, studentized_range

    scores = _checked(scores)
    V, S = scores.shape
    ranks = rankdata(scores, axis=0).mean(axis=1)  # (V,)
    apart = np.abs(ranks[:, None] - ranks) / sqrt(V * (V + 1) / (12 * S))  # (V, V)
    p: FloatArray = np.clip(studentized_range.sf(apart, V, np.inf), 0.0, 1.0)  # (V, V)
    np.fill_diagonal(p, 1.0)
    return p


def ranking(
    correctness: Mapping[str, Mapping[int, NDArray[np.bool_]]], level: float = 0.05, look: InterimAnalysis | None = None
) -> tuple[Ranked, ...]:
    """The variants from the best mean to the worst, with letters: two that share one are not told apart.

    Every pair is compared by ``paired_comparison`` over the seeds that both have, with Holm's correction over all
    pairs. That asks more questions than ``compare_with_first``, so that two which a verdict tells apart may share a
    letter here: more data is needed to say as much of every pair.

    Assumes what ``paired_comparison`` assumes. The letters are a compact letter display, see ``compact_letters``.

    Args:
      correctness: variant -> seed -> whether each test image was classified correctly.  # bool (M,)
      level: the chance that any two are falsely told apart.
      look: which look of which, as for ``compare_with_first``; None for a single look.

    Returns:
      One entry a variant that has a run; the mean is over its runs.

    Raises:
      DataError: runs that were judged on different numbers of test images.

    Example: the last is worse than the two others, which are not told apart.
      >>> hard = np.arange(2000) % 100
      >>> runs = {name: {s: hard >= wrong + s % 2 for s in range(5)} for name, wrong in (("a", 5), ("b", 5), ("c", 30))}
      >>> [(r.variant, r.letters) for r in ranking(runs)]
      [('a', 'a'), ('b', 'a'), ('c', 'b')]
    """
    means = {name: float(np.mean(list(runs.values()))) for name, runs in correctness.items() if runs}
    order = sorted(means, key=lambda name: -means[name])
    pairs = list(combinations(range(len(order)), 2))
    p_values = [_pair_p(correctness[order[i]], correctness[order[j]]) for i, j in pairs]
    apart = np.zeros((len(order), len(order)), dtype=bool)  # (V, V)
    for (i, j), told in zip(pairs, _told_apart(p_values, level, look), strict=True):
        apart[i, j] = apart[j, i] = told
    letters = compact_letters(apart)
    return tuple(Ranked(name, means[name], marks) for name, marks in zip(order, letters, strict=True))


def compact_letters(apart: NDArray[np.bool_]) -> tuple[str, ...]:
    """Letters such that two share one exactly where they are not told apart.

    All start with one letter. For each pair that is told apart, every letter that both have becomes two, of which each
    keeps one; a letter whose holders all share another is dropped ("insert and absorb").

    Source: Piepho (2004), J. Comput. Graph. Stat. 13:456-466.

    Args:
      apart: whether each pair is told apart; symmetric, in the order in which the letters are to run.  # bool (V, V)

    Returns:
      One string each; after z come aa, ab ..., separated by commas.

    Raises:
      DataError: not a symmetric square of truth values, or one told apart from itself.

    Example: the first and the last differ, the middle one from neither.
      >>> compact_letters(np.array([[False, False, True], [False, False, False], [True, False, False]]))
      ('a', 'ab', 'b')
    """
    apart = np.asarray(apart, dtype=bool)
    if apart.ndim != 2 or apart.shape[0] != apart.shape[1] or (apart != apart.T).any() or apart.diagonal().any():
        raise DataError(f"pairs told apart in an array shaped {apart.shape}; give a symmetric square, false on its "
                        "diagonal")  # fmt: skip
    holders = {frozenset(range(len(apart)))}
    for i, j in zip(*np.nonzero(np.triu(apart)), strict=True):
        halves = {half for held in holders if {i, j} <= held for half in (held - {i}, held - {j})}
        holders = {held for held in holders if not {i, j} <= held} | halves
        holders = {held for held in holders if not any(held < other for other in holders)}
    columns = sorted(sorted(held) for held in holders)
    separator = "" if len(columns) <= 26 else ","
    return tuple(separator.join(_letter(c) for c, held in enumerate(columns) if v in held) for v in range(len(apart)))


def _pair_p(first: Mapping[int, NDArray[np.bool_]], second: Mapping[int, NDArray[np.bool_]]) -> float | None:
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        return None
    return paired_comparison(np.stack([first[s] for s in seeds]), np.stack([second[s] for s in seeds])).p_value


def _told_apart(p_values: Sequence[float | None], level: float, look: InterimAnalysis | None) -> list[bool]:
    """Which are below ``level`` after Holm's correction, at the levels of a look where there are several."""
    if look is None:
        return [p is not None and p < level for p in holm(p_values)]
    apart = [False] * len(p_values)
    made = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    for rank, (p, i) in enumerate(
        made
    ):  # the p-value that ``over_all_analyses`` would give, compared without finding it
        if p >= nominal_level(look, level / (len(made) - rank)):
            break
        apart[i] = True
    return apart


def _letter(column: int) -> str:
    """a, b ... z, aa, ab ..."""
    more, last = divmod(column, 26)
    return (_letter(more - 1) if more else "") + chr(ord("a") + last)


def _checked(scores: FloatArray) -> FloatArray:
    scores = np.asarray(scores, dtype=np.float64)  # (V, S)
    if scores.ndim != 2 or scores.shape[0] < 3 or scores.shape[1] < 2 or not np.isfinite(scores).all():
        raise DataError(f"scores shaped {scores.shape}, or with NaN or infinity among them; give a row to each of "
                        "three variants or more and a column to each of two seeds or more")  # fmt: skip
    return scores
