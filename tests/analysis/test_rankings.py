import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis import rankings
from wellfit.analysis.comparisons import compare_pairs, holm, paired_comparison
from wellfit.analysis.sequential import InterimAnalysis, over_all_analyses
from wellfit.base import TestRows
from wellfit.errors import DataError


def test_friedman_agrees_with_the_formula():
    scores = np.random.default_rng(0).normal(size=(5, 8)) + np.arange(5)[:, None] / 3
    V, S = scores.shape
    ranks = scipy.stats.rankdata(scores, axis=0).mean(axis=1)
    statistic = 12 * S / (V * (V + 1)) * (np.sum(ranks**2) - V * (V + 1) ** 2 / 4)
    assert rankings.friedman(scores) == pytest.approx(scipy.stats.chi2.sf(statistic, V - 1), rel=1e-9)
    assert rankings.friedman(np.ones((3, 4))) == 1.0


@pytest.mark.parametrize("seed", range(8))
def test_friedman_agrees_with_scipy_where_scores_are_equal(seed):
    scores = np.random.default_rng(seed).integers(0, 4, (3 + seed, 2 + seed)).astype(float)
    assert rankings.friedman(scores) == pytest.approx(scipy.stats.friedmanchisquare(*scores).pvalue, rel=1e-9)


@st.composite
def relations(draw):
    V = draw(st.integers(1, 7))
    upper = draw(st.lists(st.booleans(), min_size=V * (V - 1) // 2, max_size=V * (V - 1) // 2))
    apart = np.zeros((V, V), dtype=bool)
    apart[np.triu_indices(V, 1)] = upper
    return apart | apart.T


@given(relations())
@settings(max_examples=150, deadline=None)
def test_two_share_a_letter_exactly_if_not_separated(apart):
    letters = rankings.compact_letters(apart)
    for i, j in itertools.combinations(range(len(apart)), 2):
        assert bool(set(letters[i]) & set(letters[j])) == (not apart[i, j])
    assert all(letters)
    # and no letter is redundant: its holders are a maximal group without separated pairs
    for letter in set("".join(letters)):
        held = [i for i, marks in enumerate(letters) if letter in marks]
        others = [i for i in range(len(apart)) if i not in held]
        assert all(apart[i, held].any() for i in others)


def test_letters_run_in_order_and_go_on_after_z():
    apart = ~np.eye(30, dtype=bool)
    letters = rankings.compact_letters(apart)
    assert letters[:2] == ("a", "b")
    assert letters[25:28] == ("z", "aa", "ab")
    apart[0, 1] = apart[1, 0] = apart[1, 2] = apart[2, 1] = False  # 29 groups, the second variant in two of them
    assert rankings.compact_letters(apart)[:3] == ("a", "a,b", "b")
    assert rankings.compact_letters(np.zeros((0, 0), dtype=bool)) == ()


def test_ranking_of_a_study():
    rng = np.random.default_rng(7)
    hardness = rng.random(3000)
    noise = rng.normal(size=(5, 3000)) * 0.02
    runs = {
        name: {s: hardness + noise[s] < share for s in range(5)}
        for name, share in {"low": 0.7, "high": 0.9, "high too": 0.901, "once": 0.95}.items()
    }
    runs["once"] = {0: runs["once"][0]}  # one seed separates it from nothing
    runs["none"] = {}
    found = rankings.ranking(runs)
    assert [r.variant for r in found] == ["once", "high too", "high", "low"]
    assert [r.letters for r in found] == ["ab", "a", "a", "b"]
    assert found[1].mean == pytest.approx(np.mean([runs["high too"][s] for s in range(5)]))
    assert rankings.ranking({}) == ()
    assert rankings.ranking({"a": runs["low"]}) == (rankings.Ranked("a", found[3].mean, "a"),)


def test_letters_follow_the_verdicts_of_compared_pairs():
    rng = np.random.default_rng(11)
    hardness = rng.random(900)
    levels = {"a": 0.9, "b": 0.888, "c": 0.885, "d": 0.882, "e": 0.875, "f": 0.7}
    runs = {n: {s: hardness + 0.05 * rng.normal(size=900) < at for s in range(5)} for n, at in levels.items()}
    compared = compare_pairs(runs, [(name, "a") for name in levels if name != "a"])
    plain, found = rankings.ranking(runs), rankings.ranking(runs, compared=compared)
    assert [r.variant for r in found] == [r.variant for r in plain]
    letters = {r.variant: set(r.letters) for r in found}
    for c in compared:
        assert bool(letters[c.variant] & letters["a"]) == (c.verdict not in ("better", "worse"))
    alone = {r.variant: set(r.letters) for r in plain}  # Holm over all 15 pairs separates fewer from a
    assert sum(not alone[n] & alone["a"] for n in levels) < sum(not letters[n] & letters["a"] for n in levels)
    for i, j in itertools.combinations("bcdef", 2):
        assert bool(letters[i] & letters[j]) == bool(alone[i] & alone[j])


def test_identical_variants_have_the_same_letters():
    rng = np.random.default_rng(2)
    hard = rng.random(600)
    runs = {n: {s: hard + 0.05 * rng.normal(size=600) < at for s in range(4)} for n, at in (("a", 0.9), ("z", 0.86))}
    runs |= {"b": runs["a"], "c": runs["a"]}
    compared = compare_pairs(runs, [("z", "a"), ("b", "a"), ("c", "b")])
    assert [c.identical for c in compared] == [False, True, True]
    letters = {r.variant: r.letters for r in rankings.ranking(runs, compared=compared)}
    assert letters == {"a": "a", "b": "a", "c": "a", "z": "b"}


def test_the_leaders_luck_does_not_count():
    rng = np.random.default_rng(0)
    highest, expected = [], []
    for _ in range(60):
        runs = {f"v{i}": dict(enumerate(rng.random((5, 200)) < 0.9)) for i in range(12)}
        highest.append(max(np.mean(list(of.values())) for of in runs.values()))
        expected.append(rankings.expected_of_leader(runs))
    # standard error of either mean: 0.95 points / sqrt(60) = 0.12 points
    assert np.mean(highest) > 0.912
    assert np.mean(expected) == pytest.approx(0.9, abs=0.004)


def test_a_clear_leader_keeps_its_mean():
    runs = {"good": {s: np.arange(100) < 90 + s for s in range(3)}, "bad": {s: np.arange(100) < 50 for s in range(3)}}
    assert rankings.expected_of_leader({**runs, "none": {}}) == pytest.approx(0.91)
    folds = TestRows({s: np.arange(100) + 100 * s for s in range(3)}, 300)  # every seed judges its own examples
    assert rankings.expected_of_leader(runs, folds) == pytest.approx(0.91)
    assert rankings.expected_of_leader({"good": runs["good"]}) is None
    assert rankings.expected_of_leader({name: {0: of[0]} for name, of in runs.items()}) is None
    assert rankings.expected_of_leader({}) is None


@pytest.mark.parametrize("number", [1, 2])
def test_an_interim_ranking_follows_its_adjusted_p_values(number):
    interim = InterimAnalysis(number, (5, 10))
    rng = np.random.default_rng(3)
    hardness = rng.random(800)
    runs = {
        name: {s: hardness + 0.05 * rng.normal(size=800) < share for s in range(5)}
        for name, share in {"a": 0.9, "b": 0.885, "c": 0.87, "d": 0.86, "e": 0.7}.items()
    }
    found = rankings.ranking(runs, interim=interim)
    order = [r.variant for r in found]
    pairs = list(itertools.combinations(order, 2))
    p_values = [paired_comparison(*(list(runs[v].values()) for v in pair)).p_value for pair in pairs]
    separated = [p < 0.05 for p in holm([over_all_analyses(p, interim) for p in p_values])]
    letters = {r.variant: set(r.letters) for r in found}
    for (first, second), apart in zip(pairs, separated, strict=True):
        assert bool(letters[first] & letters[second]) == (not apart)
    assert 0 < sum(separated) < len(separated)
    assert rankings.ranking({"once": {0: runs["a"][0]}, "too": {0: runs["e"][0]}}, interim=interim)[1].letters == "a"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rankings.friedman(np.ones((2, 5))), r"shape \(2, 5\)"),
        (lambda: rankings.friedman(np.full((3, 3), np.nan)), "NaN or infinity"),
        (lambda: rankings.compact_letters(np.array([[False, True], [False, False]])), "symmetric square"),
        (lambda: rankings.compact_letters(np.eye(2, dtype=bool)), "a False diagonal"),
        (lambda: rankings.ranking({"a": dict.fromkeys((0, 1), np.ones(3, bool)),
                                   "b": dict.fromkeys((0, 1), np.ones(2, bool))}), "the same images"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_one_line(call, message):
    with pytest.raises(DataError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
