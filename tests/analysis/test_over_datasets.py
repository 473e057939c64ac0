"""Variants over several data sets, against SciPy, autorank and scikit-posthocs, and by simulation."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from wellfit.analysis.comparisons import difference_components
from wellfit.analysis.over_datasets import (
    averaged,
    critical_difference,
    joined,
    least_datasets,
    over_datasets,
    rank_interval,
    ranks,
    signed_rank,
)
from wellfit.errors import DataError

NAMES = ("a", "b", "c", "d")
MEANS = np.array([
    [0.8, 0.826, 0.8245, 0.8422], [0.7909, 0.8002, 0.8312, 0.8868], [0.7902, 0.8076, 0.8398, 0.8671],
    [0.8021, 0.8014, 0.8294, 0.8739], [0.7731, 0.8108, 0.792, 0.8342], [0.7632, 0.8153, 0.8047, 0.8654],
    [0.8031, 0.8163, 0.7797, 0.8492], [0.799, 0.8223, 0.7994, 0.8504], [0.7804, 0.8038, 0.8512, 0.8438],
    [0.7993, 0.8377, 0.8183, 0.8578], [0.8022, 0.8213, 0.8055, 0.8615], [0.8272, 0.7891, 0.8472, 0.8624],
])  # fmt: skip
# Of these means, by autorank 1.3.0, nonparametric, and by posthoc_wilcoxon of scikit-posthocs 0.17.1, adjusted by Holm:
AUTORANK_RANKS = {"a": 3.75, "b": 2.583333, "c": 2.583333, "d": 1.083333}
AUTORANK_CD = 1.3539901117469855
AUTORANK_FRIEDMAN = 1.050266426008141e-05
POSTHOCS_WILCOXON = {
    ("a", "b"): 0.0537109375, ("a", "c"): 0.0205078125, ("a", "d"): 0.0029296875, ("b", "c"): 0.5693359375,
    ("b", "d"): 0.0029296875, ("c", "d"): 0.00390625,
}  # fmt: skip


def components(rng, means, seeds=3, n=200):
    """Answers of every variant on a data set, paired by seed and example."""
    hard = rng.random(n)
    right = {
        name: [(hard + 0.02 * rng.normal(size=n)) < mean + 0.005 * rng.normal() for _ in range(seeds)]
        for name, mean in zip(NAMES, means, strict=False)
    }
    pairs = {(a, b): difference_components(right[a], right[b]) for a, b in combinations(right, 2)}
    return {name: float(np.mean(runs)) for name, runs in right.items()}, pairs


def study(means=MEANS, seed=0, **options):
    rng = np.random.default_rng(seed)
    found = {f"data {k}": components(rng, of, **options) for k, of in enumerate(means)}
    return {name: of for name, (of, _) in found.items()}, {name: of for name, (_, of) in found.items()}


def given(means):
    """These means exactly; the components do not matter."""
    _, pairs = study(means[:1])
    names = [f"data {k}" for k in range(len(means))]
    table = {name: dict(zip(NAMES, map(float, of), strict=True)) for name, of in zip(names, means, strict=True)}
    return over_datasets(table, dict.fromkeys(names, pairs["data 0"]))


def test_ranks_and_tests_are_those_of_autorank_and_scikit_posthocs():
    found = given(MEANS)
    assert found.variants == ("d", "c", "b", "a") or found.variants == ("d", "b", "c", "a")
    for name, rank in zip(found.variants, found.mean_ranks, strict=True):
        assert rank == pytest.approx(AUTORANK_RANKS[name], abs=1e-6)
    assert found.friedman == pytest.approx(AUTORANK_FRIEDMAN)
    assert found.nemenyi == pytest.approx(AUTORANK_CD, rel=1e-3)  # autorank interpolates in a table
    for pair, p in found.p_values.items():
        assert p == pytest.approx(POSTHOCS_WILCOXON[tuple(sorted(pair))])


def test_signed_ranks_are_those_of_scipy():
    rng = np.random.default_rng(3)
    for K in (1, 2, 6, 11, 30):
        x = rng.normal(0.3, 1, K)
        assert signed_rank(x) == pytest.approx(stats.wilcoxon(x, method="exact").pvalue)


def test_signed_ranks_with_ties_are_exact():
    x = np.array([1.0, 1.0, -2.0, 3.0, 3.0, 3.0, 0.0])
    given_ = x[x != 0]
    place = stats.rankdata(np.abs(given_))
    sums = [np.array(signs) @ place for signs in product((0, 1), repeat=len(given_))]
    observed = place[given_ > 0].sum()
    tail = min(np.mean(np.array(sums) <= observed), np.mean(np.array(sums) >= observed))
    assert signed_rank(x) == pytest.approx(min(1, 2 * tail))
    assert signed_rank(np.zeros(5)) == 1


@pytest.mark.parametrize("variants", [2, 3, 5, 19])
def test_no_fewer_data_sets_separate(variants):
    K, pairs = least_datasets(variants), variants * (variants - 1) / 2
    assert pairs * signed_rank(np.arange(1.0, K + 1)) < 0.05 <= pairs * signed_rank(np.arange(1.0, K))


def test_nemenyi_is_the_table_of_demsar():
    for variants, q in {2: 1.960, 5: 2.728, 10: 3.164}.items():  # Demsar (2006), table 5
        assert critical_difference(variants, 1) == pytest.approx(q * np.sqrt(variants * (variants + 1) / 6), rel=1e-3)


def test_equal_means_share_their_ranks():
    assert ranks(np.array([[0.1 + 0.2, 0.3, 0.5]])).tolist() == [[2.5, 2.5, 1.0]]


@pytest.mark.parametrize("datasets", [2, 4, 12])
@pytest.mark.parametrize("chances", [(0.5, 0.5, 0.0), (0.9, 0.0, 0.1), (0.3, 0.4, 0.3), (0.02, 0.03, 0.95)])
def test_intervals_of_mean_ranks_cover_other_data_sets(datasets, chances):
    rng = np.random.default_rng(4)
    truth = 1 + np.arange(3) @ chances
    drawn = 1 + rng.choice(3, p=chances, size=(1000, datasets))
    inside = [low - 1e-9 <= truth <= high + 1e-9 for low, high in (rank_interval(of, 3) for of in drawn)]
    assert np.mean(inside) > 0.93  # 95 %, less two points: three standard errors of 1000 draws


def test_one_data_set_says_nothing_of_others():
    found = given(MEANS[:1])
    assert set(found.intervals.values()) == {(1.0, 4.0)}
    assert (found.friedman, found.nemenyi) == (None, None)
    assert set(found.p_values.values()) == {1.0}


def test_bounds_follow_from_the_verdicts_and_hold_the_ranks():
    means, pairs = study(np.tile([0.5, 0.7, 0.71, 0.9], (4, 1)))
    found = over_datasets(means, pairs)
    for v, name in enumerate(found.variants):
        low, high = found.bounds[name]
        assert low <= found.mean_ranks[v] <= high
    assert found.bounds["d"] == (1, 1)
    assert found.bounds["a"] == (4, 4)
    assert found.bounds["b"] == found.bounds["c"] == (2, 3)
    assert [c.verdict for c in found.verdicts["data 0"] if c.variant == "d"] == ["better"] * 3


def test_verdicts_are_corrected_over_pairs_and_data_sets():
    means, pairs = study(MEANS[:3])
    found = over_datasets(means, pairs)
    every = [c for of in found.verdicts.values() for c in of]
    assert len(every) == 18
    smallest = min(every, key=lambda c: c.p_value)
    assert smallest.p_adjusted == pytest.approx(min(1, 18 * smallest.p_value))


def test_the_average_over_like_data_sets_is_known_better():
    means, pairs = study(MEANS[:1])
    one, four = over_datasets(means, pairs), over_datasets(
        {f"{k}": means["data 0"] for k in range(4)}, {f"{k}": pairs["data 0"] for k in range(4)}
    )  # fmt: skip
    for a, b in zip(one.averages, four.averages, strict=True):
        assert (a.variant, a.difference) == (b.variant, pytest.approx(b.difference))
        assert a.interval[1] - a.interval[0] == pytest.approx(2 * (b.interval[1] - b.interval[0]))
        assert b.p_value <= a.p_value
    (alone,) = [c for c in one.verdicts["data 0"] if {c.variant, c.against} == {"a", "d"}]
    (same,) = [c for c in one.averages if {c.variant, c.against} == {"a", "d"}]
    assert same.p_value == pytest.approx(alone.p_value, rel=1e-6)
    assert same.interval == pytest.approx(alone.interval)


def test_averages_of_equal_variants_are_rarely_called_different():
    rng, wrong = np.random.default_rng(6), 0
    for _ in range(60):
        _, pairs = zip(*(components(rng, (0.8, 0.8), n=150) for _ in range(3)), strict=True)
        parts = [of["a", "b"] for of in pairs]
        wrong += abs(np.mean([c.mean for c in parts])) > averaged(parts, 0.05)
    assert wrong <= 8  # 3 expected of 60; more than 8 in less than one of 200 tries


def test_one_seed_decides_nothing_on_average():
    found = over_datasets(*study(MEANS[:2], seeds=1))
    assert {c.verdict for c in found.averages} == {"undecided"}
    assert {c.interval for c in found.averages} == {None}


def test_identical_variants_do_not_count():
    means, pairs = study(MEANS[:2])
    same = [(name, ("a", "b")) for name in pairs]
    found = over_datasets(means, pairs, identical=same)
    (average,) = [c for c in found.averages if {c.variant, c.against} == {"a", "b"}]
    assert average.identical
    assert average.p_value is None
    assert all(c.identical for of in found.verdicts.values() for c in of if {c.variant, c.against} == {"a", "b"})


def test_bars_join_runs_of_which_no_two_are_separated():
    apart = np.zeros((5, 5), bool)
    apart[0, 3:] = apart[1, 4] = True
    assert joined(apart | apart.T) == ((0, 2), (1, 3), (2, 4))
    assert joined(~np.eye(3, dtype=bool)) == ()
    assert joined(np.zeros((3, 3))) == ((0, 2),)


@pytest.mark.parametrize("means", [{}, {"x": {"a": 0.5}}, {"x": {"a": 0.5, "b": 0.6}, "y": {"a": 0.5, "c": 0.6}}])
def test_the_same_variants_everywhere_are_needed(means):
    with pytest.raises(DataError, match="not the same on every data set"):
        over_datasets(means, {})
