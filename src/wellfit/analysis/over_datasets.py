"""The same variants on several data sets: ranks, tests over the data sets, and verdicts on these data sets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from math import exp, inf, log, sqrt
from typing import Final

import numpy as np

from wellfit.analysis.comparisons import MARGIN, holm, judged
from wellfit.analysis.crossed import Interval, VarianceComponents, half_squared, t_quantile
from wellfit.analysis.intervals import exact_interval, t_interval
from wellfit.analysis.rankings import friedman
from wellfit.analysis.verdicts import adjusted, equivalence_alpha, verdict
from wellfit.base import Comparison, FloatArray
from wellfit.errors import DataError

__all__ = [
    "OverDatasets",
    "averaged",
    "critical_difference",
    "joined",
    "least_datasets",
    "over_datasets",
    "rank_bounds",
    "rank_interval",
    "ranks",
    "signed_rank",
]

Pair = tuple[str, str]

_SMALLEST: Final = log(1e-100)


@dataclass(frozen=True, eq=False)
class OverDatasets:
    """Variants on several data sets.

    Two questions are answered. *On these data sets*, for new seeds and new examples: ``verdicts``, ``averages``,
    ``bounds``. *On other data sets like these*: ``intervals``, ``friedman``, ``nemenyi`` and ``p_values``, where each
    data set counts once; the chance of its seeds and examples is part of how the data sets differ.

    Args:
      datasets, variants: their names; variants in the order of their mean ranks.
      means: the mean score of each variant on each data set.  # (K, V)
      ranks: 1 is the best; equal means share the mean of their ranks.  # (K, V)
      mean_ranks: over the data sets.  # (V,)
      intervals: variant -> 95 % interval of its mean rank on data sets like these.
      bounds: variant -> lowest and highest mean rank on these data sets that no verdict excludes.
      friedman: the p-value that all variants rank alike; None with fewer than three variants or two data sets.
      nemenyi: the critical difference of two mean ranks by Nemenyi's test; None with one data set.
      p_values: pair -> the p-value of the signed-rank test over the data sets, after Holm's correction.
      averages: for every pair, the higher rank first, the mean difference over these data sets; corrected over all
        pairs.
      verdicts: data set -> the comparison of every pair; corrected over all pairs and data sets.
    """

    datasets: tuple[str, ...]
    variants: tuple[str, ...]
    means: FloatArray
    ranks: FloatArray
    mean_ranks: FloatArray
    intervals: Mapping[str, Interval]
    bounds: Mapping[str, Interval]
    friedman: float | None
    nemenyi: float | None
    p_values: Mapping[Pair, float]
    averages: tuple[Comparison, ...]
    verdicts: Mapping[str, tuple[Comparison, ...]]


def over_datasets(
    means: Mapping[str, Mapping[str, float]],
    components: Mapping[str, Mapping[Pair, VarianceComponents]],
    margin: float = MARGIN,
    metric: str = "test_accuracy",
    identical: Collection[tuple[str, Pair]] = (),
) -> OverDatasets:
    """Rank and compare variants over data sets.

    The tests over data sets are those that Demsar (2006), JMLR 7:1-30, and Benavoli, Corani & Mangili (2016), JMLR
    17(5):1-10, recommend: Friedman's, and the signed-rank test for every pair with Holm's correction, whose result does
    not depend on the other variants. They need data sets; the verdicts on these data sets need seeds and examples.

    Args:
      means: data set -> variant -> mean score, the larger the better; the same variants everywhere.
      components: data set -> ``(variant, against)`` -> those of its difference, for every pair once.
      margin: largest difference of no practical interest.
      metric: the name of what the mean score is.
      identical: data sets and pairs with the same scores on everything.

    Raises:
      DataError: fewer than two variants, or other variants on one data set than on another.

    Example: two data sets on which "b" is right on one more of 100 examples, with each of three seeds.
      >>> from wellfit.analysis.comparisons import difference_components
      >>> a = np.arange(100) < np.array([[80], [81], [82]])
      >>> b = np.arange(100) < np.array([[81], [82], [83]])
      >>> one = {("a", "b"): difference_components(list(a), list(b))}
      >>> found = over_datasets(dict.fromkeys("xy", {"a": 0.81, "b": 0.82}), {"x": one, "y": one})
      >>> found.variants, found.mean_ranks.tolist(), round(found.averages[0].difference, 3)
      (('b', 'a'), [1.0, 2.0], 0.01)
    """
    names = list(next(iter(means.values()), {}))
    if len(names) < 2 or any(set(of) != set(names) for of in means.values()):
        raise DataError("fewer than two variants, or not the same on every data set; pass one mean for every variant")
    table = np.array([[of[name] for name in names] for of in means.values()])  # (K, V)
    places = ranks(table)  # (K, V)
    order = np.lexsort((-table.mean(axis=0), places.mean(axis=0)))  # (V,)
    names, table, places = [names[v] for v in order], table[:, order], places[:, order]
    K, V = table.shape
    pairs = list(combinations(names, 2))
    parts = {name: {pair: _oriented(of, pair) for pair in pairs} for name, of in components.items()}
    same = {(name, pair if pair in pairs else pair[::-1]) for name, pair in identical}
    by_name = dict(zip(names, table.T, strict=True))
    tested = [signed_rank(by_name[a] - by_name[b]) for a, b in pairs]
    verdicts = _verdicts(parts, margin, metric, same)
    return OverDatasets(
        datasets=tuple(means),
        variants=tuple(names),
        means=table,
        ranks=places,
        mean_ranks=places.mean(axis=0),
        intervals={name: rank_interval(of, V) for name, of in zip(names, places.T, strict=True)},
        bounds=rank_bounds(names, verdicts),
        friedman=friedman(table.T) if V >= 3 and K >= 2 else None,
        nemenyi=critical_difference(V, K) if K >= 2 else None,
        p_values={pair: p for pair, p in zip(pairs, holm(tested), strict=True) if p is not None},
        averages=_averages(pairs, parts, margin, metric, same),
        verdicts=verdicts,
    )


# --- Ranks ------------------------------------------------------------------------------------------------------------


def _oriented(components: Mapping[Pair, VarianceComponents], pair: Pair) -> VarianceComponents:
    """The components of the first minus the second."""
    if pair in components:
        return components[pair]
    other = components[pair[::-1]]
    return other._replace(mean=-other.mean)


def ranks(means: FloatArray) -> FloatArray:
    """The rank of every variant on every data set, 1 for the highest mean; equal ones share the mean of their ranks.

    Args:
      means: one row per data set.  # (K, V)

    Example:
      >>> ranks(np.array([[0.8, 0.9, 0.8]])).tolist()
      [[2.5, 1.0, 2.5]]
    """
    from scipy.stats import rankdata

    rounded = np.round(np.asarray(means, np.float64), 12)  # equal means may differ by rounding
    places: FloatArray = rankdata(-rounded, axis=1).astype(np.float64)  # (K, V)
    return places


def rank_interval(places: Sequence[float] | FloatArray, variants: int, level: float = 0.95) -> Interval:
    """The interval of a variant's mean rank on data sets like these.

    Student's t over the data sets gives a width; the interval is that of a proportion of equal width, of at most as
    many trials as there are data sets: of all distributions on an interval, the one on its ends varies most. So it
    stays within 1 and the number of variants, and keeps a width where a variant has the same rank on all data sets.

    Assumes data sets drawn independently from those that are meant. Source: Clopper & Pearson (1934), Biometrika
    26:404-413; Korn & Graubard (1998), Survey Methodology 24:193-201, for the effective number of trials.

    Args:
      places: its rank on each data set.  # (K,)
      variants: their number, the worst rank.
      level: nominal coverage.

    Example: first of three on each of four data sets, which leaves much possible elsewhere.
      >>> [round(bound, 2) for bound in rank_interval([1, 1, 1, 1], 3)]
      [1.0, 2.2]
    """
    share = (np.asarray(places, np.float64) - 1) / (variants - 1)  # (K,), 0 for the best
    mean, n = float(share.mean()), float(len(share))
    student = t_interval(share, level)
    if student is None:
        return 1.0, float(variants)
    half = (student[1] - student[0]) / 2
    if half > 0:
        n = min(n, mean * (1 - mean) * (t_quantile(inf, 1 - level) / half) ** 2)
    if n <= 0:  # at an end, up to rounding
        n = float(len(share))
    low, high = exact_interval(min(max(mean, 0.0), 1.0) * n, n, level)
    return 1 + low * (variants - 1), 1 + high * (variants - 1)


def rank_bounds(names: Sequence[str], verdicts: Mapping[str, Sequence[Comparison]]) -> dict[str, Interval]:
    """The mean ranks on these data sets that no verdict excludes, for new seeds and new examples.

    On a data set, a variant ranks behind all that are better by verdict and before all that are worse. The verdicts
    limit the chance of any false one to 5 %, so all bounds hold together with 95 %.

    Source: Mogstad, Romano, Shaikh & Wilhelm (2024), Rev. Econ. Stud. 91:476-518, for ranks from pairwise tests.

    Args:
      names: of the variants.
      verdicts: data set -> the comparison of every pair.

    Example: "a" is better than "b"; nothing is known of "c".
      >>> better = Comparison("a", "b", "test_accuracy", 0.1, (0.05, 0.15), 0.001, 0.003, "better")
      >>> rank_bounds("abc", {"digits": [better]})
      {'a': (1.0, 2.0), 'b': (2.0, 3.0), 'c': (1.0, 3.0)}
    """
    before, behind = dict.fromkeys(names, 0), dict.fromkeys(names, 0)  # how many are better, and worse
    for comparisons in verdicts.values():
        for c in comparisons:
            if c.verdict in ("better", "worse"):
                first, last = (c.variant, c.against) if c.verdict == "better" else (c.against, c.variant)
                before[last] += 1
                behind[first] += 1
    K, V = len(verdicts), len(names)
    return {name: (1 + before[name] / K, V - behind[name] / K) for name in names}


# --- Tests over data sets ---------------------------------------------------------------------------------------------


def signed_rank(differences: FloatArray) -> float:
    """The p-value of Wilcoxon's signed-rank test, exact also with ties; differences of 0 are left out.

    Source: Wilcoxon (1945), Biometrics Bulletin 1:80-83; Streitberg & Roehmel (1986), Statistical Software Newsletter
    12:10-17, for the exact distribution of tied ranks.

    Args:
      differences: one for each data set.  # (K,)

    Returns:
      Two-sided; 1 without any difference.

    Example: the smallest that six data sets can give, and five of six.
      >>> signed_rank(np.arange(1.0, 7.0)), signed_rank(np.array([-1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
      (0.03125, 0.0625)
    """
    from scipy.stats import rankdata

    rounded = np.round(np.asarray(differences, np.float64), 12)  # (K,)
    given = rounded[rounded != 0]
    doubled = np.round(2 * rankdata(np.abs(given))).astype(int)  # midranks, as whole numbers
    chances = np.ones(1)  # of every sum of the ranks of positive differences
    for rank in doubled:
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    positive = int(doubled[given > 0].sum())
    tail = min(float(chances[: positive + 1].sum()), float(chances[positive:].sum()))
    return min(1.0, 2 * tail)


def least_datasets(variants: int, level: float = 0.05) -> int:
    """The smallest number of data sets with which the signed-rank test can separate any two of so many variants.

    Example: two variants take six data sets, ten take eleven.
      >>> least_datasets(2), least_datasets(10)
      (6, 11)
    """
    pairs, K = variants * (variants - 1) / 2, 1
    while pairs * 2 / 2**K >= level:
        K += 1
    return K


def critical_difference(variants: int, datasets: int, level: float = 0.05) -> float:
    """The difference of two mean ranks that Nemenyi's test calls significant: ``q sqrt(V (V + 1) / (12 K))``.

    Shown beside the signed-rank tests because many papers use it; it depends on which other variants are ranked.
    Source: Nemenyi (1963), "Distribution-free multiple comparisons"; Demsar (2006), JMLR 7:1-30.

    Example: four variants on twelve data sets.
      >>> round(critical_difference(4, 12), 3)
      1.354
    """
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1 - level, variants, np.inf))
    return q * sqrt(variants * (variants + 1) / (12 * datasets))


def joined(separated: FloatArray) -> tuple[tuple[int, int], ...]:
    """Runs of neighbors, first and last, of which no two are separated: the bars of a critical-difference diagram.

    Args:
      separated: whether each pair is; symmetric, in the order of the mean ranks.  # bool (V, V)

    Example: the first and the last of three differ.
      >>> joined(np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]]))
      ((0, 1), (1, 2))
    """
    apart = np.asarray(separated, bool)  # (V, V)
    runs: list[tuple[int, int]] = []
    for first in range(len(apart)):
        last = first
        while last + 1 < len(apart) and not apart[first : last + 2, first : last + 2].any():
            last += 1
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return tuple(runs)


# --- Verdicts on these data sets --------------------------------------------------------------------------------------


def averaged(parts: Sequence[VarianceComponents], alpha: float) -> float:
    """The half-width of the ``1 - alpha`` interval of the mean difference over these data sets.

    The squared half-widths of the data sets are added, as a t for each part asks for. Source: Banerjee (1960), Sankhya
    22:357-358.

    Args:
      parts: the components of the difference on each data set, at least two seeds each.
      alpha: error rate of the interval.

    Example: on four like data sets the interval is half as wide as on one.
      >>> one = VarianceComponents(0.01, 5, 100, 4e-6, 10e-6, 1e-6, 9e-6, 99, 4)
      >>> round(averaged([one] * 4, 0.05) / averaged([one], 0.05), 9)
      0.5
    """
    return sqrt(sum(float(half_squared(c, alpha)) for c in parts)) / len(parts)


def _alpha_of(parts: Sequence[VarianceComponents], half: float) -> float:
    """The ``alpha`` whose interval has this half-width, by bisection of its logarithm."""
    low, high = _SMALLEST, 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if averaged(parts, exp(middle)) > half else (low, middle)
    return exp(high)


def _averages(
    pairs: Sequence[Pair],
    components: Mapping[str, Mapping[Pair, VarianceComponents]],
    margin: float,
    metric: str,
    identical: Collection[tuple[str, Pair]],
) -> tuple[Comparison, ...]:
    """The mean difference of every pair over these data sets."""
    parts = {pair: [of[pair] for of in components.values()] for pair in pairs}
    same = {pair for pair in pairs if all((name, pair) in identical for name in components)}
    known = {pair: all(c.seeds >= 2 for c in of) for pair, of in parts.items()}
    difference = {pair: float(np.mean([c.mean for c in of])) for pair, of in parts.items()}
    p_values = [_alpha_of(parts[p], abs(difference[p])) if known[p] and p not in same else None for p in pairs]
    counted = max(1, sum(p is not None for p in p_values))
    found = []
    for pair, p, p_adjusted in zip(pairs, p_values, adjusted(p_values), strict=True):
        mean, alike, interval = difference[pair], None, None
        if known[pair]:
            half, room = averaged(parts[pair], 0.05), margin - abs(mean)
            interval = (mean - half, mean + half)
            two_sided = 1.0 if room < 0 else _alpha_of(parts[pair], room)
            alike = min(1.0, two_sided * 0.05 / equivalence_alpha(counted))
        said = verdict(mean, p_adjusted, alike)
        found.append(Comparison(*pair, metric, mean, interval, p, p_adjusted, said, identical=pair in same))
    return tuple(found)


def _verdicts(
    components: Mapping[str, Mapping[Pair, VarianceComponents]],
    margin: float,
    metric: str,
    identical: Collection[tuple[str, Pair]],
) -> dict[str, tuple[Comparison, ...]]:
    """The comparison of every pair on every data set, with one correction over all of them."""
    label = partial("{}\0{}".format)
    flat = {(label(name, a), label(name, b)): c for name, of in components.items() for (a, b), c in of.items()}
    same = [(label(name, a), label(name, b)) for name, (a, b) in identical]
    found: dict[str, list[Comparison]] = {name: [] for name in components}
    for c in judged(flat, margin, metric=metric, identical=same):
        (name, variant), (_, against) = c.variant.split("\0"), c.against.split("\0")
        found[name].append(replace(c, variant=variant, against=against))
    return {name: tuple(of) for name, of in found.items()}
