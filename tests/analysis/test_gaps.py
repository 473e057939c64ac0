"""Generalization gaps compared, against plain NumPy and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wellfit.analysis.comparisons import compare_pairs
from wellfit.analysis.gaps import compare_gaps, independent_sample
from wellfit.base import TestRows


def made(rng, effect=0.0, seeds=5, n=400, sampled=4000, seed_sd=0.004):
    """Two variants whose true gaps differ by ``effect``; training accuracy is measured on common examples."""
    hard, easy = rng.normal(size=n), rng.normal(size=sampled)
    right, train = {}, {}
    for name, shift in (("baseline", 0.0), ("l2", effect)):
        own = 0.3 * rng.normal(size=n), 0.3 * rng.normal(size=sampled)
        right[name], train[name] = {}, {}
        for s in range(seeds):
            level = 1.2 + seed_sd * 5 * rng.normal()
            right[name][s] = hard + own[0] + 0.3 * rng.normal(size=n) < level + shift
            train[name][s] = float((easy + own[1] + 0.3 * rng.normal(size=sampled) < 2.0).mean())
    return right, train


def test_the_difference_is_that_of_the_gaps():
    right, train = made(np.random.default_rng(0), 0.5)
    (found,) = compare_gaps(right, train, [("l2", "baseline")], sampled=4000, margin=0.001)
    gaps = {name: np.array([train[name][s] - right[name][s].mean() for s in range(5)]) for name in right}
    assert found.difference == pytest.approx((gaps["l2"] - gaps["baseline"]).mean())
    assert found.interval[0] < found.difference < found.interval[1] < 0
    assert (found.metric, found.verdict) == ("generalization_gap", "better")  # smaller
    (turned,) = compare_gaps(right, train, [("baseline", "l2")], sampled=4000, margin=0.001)
    assert (turned.difference, turned.verdict) == (pytest.approx(-found.difference), "worse")
    assert turned.interval == pytest.approx((-found.interval[1], -found.interval[0]))


def test_training_examples_count_as_chance():
    right, train = made(np.random.default_rng(1), 0.1)
    few, many = (
        compare_gaps(right, train, [("l2", "baseline")], sampled=n, margin=0.001)[0] for n in (200, 10_000_000)
    )
    e = sum(1 - np.mean(list(train[name].values())) for name in train)
    d = np.mean([train["l2"][s] - train["baseline"][s] for s in range(5)])
    added = stats.norm.isf(0.025) * np.sqrt((e - d**2) / 200)
    half = [(c.interval[1] - c.interval[0]) / 2 for c in (few, many)]
    assert half[0] == pytest.approx(np.hypot(half[1], added), rel=0.03)  # Student's t of many degrees of freedom
    assert few.difference == many.difference


def test_with_equal_training_accuracies_it_is_the_comparison_of_accuracies():
    right, train = made(np.random.default_rng(2))
    alike = {name: dict.fromkeys(of, 1.0) for name, of in train.items()}
    (gap,) = compare_gaps(right, alike, [("l2", "baseline")], sampled=10**9, margin=0.001)
    (accuracy,) = compare_pairs(right, [("l2", "baseline")])
    assert gap.difference == pytest.approx(-accuracy.difference)
    assert gap.p_value == pytest.approx(accuracy.p_value, rel=1e-3)


def test_only_common_seeds_with_a_training_accuracy_count():
    right, train = made(np.random.default_rng(3))
    del train["l2"][4], right["baseline"][0]
    tested = TestRows({s: np.arange(400) for s in range(5)}, 400)
    (found,) = compare_gaps(right, train, [("l2", "baseline")], sampled=4000, margin=0.0, tested=tested)
    gaps = {name: np.array([train[name][s] - right[name][s].mean() for s in (1, 2, 3)]) for name in right}
    assert found.difference == pytest.approx((gaps["l2"] - gaps["baseline"]).mean())
    assert compare_gaps(right, {"l2": train["l2"]}, [("l2", "baseline")], sampled=9, margin=0.0) == ()


def test_identical_runs_are_no_comparison():
    right, train = made(np.random.default_rng(4))
    twin = {**right, "twin": right["l2"]}, {**train, "twin": train["l2"]}
    pairs = [("l2", "baseline"), ("twin", "l2")]
    first, second = compare_gaps(*twin, pairs, sampled=4000, margin=0.001)
    assert (second.identical, second.difference) == (True, 0.0)
    assert first.p_adjusted == pytest.approx(first.p_value)
    other = twin[1] | {"twin": {s: t - 0.01 for s, t in train["l2"].items()}}
    assert not compare_gaps(twin[0], other, pairs, sampled=4000, margin=0.001)[1].identical


def test_equal_gaps_are_rarely_called_different():
    rng = np.random.default_rng(5)
    false = sum(
        compare_gaps(*made(rng), [("l2", "baseline")], sampled=4000, margin=0.0)[0].verdict != "undecided"
        for _ in range(150)
    )
    assert false <= 16  # of 150 at 5 %: 16 or more has a probability of 0.3 %


def test_a_sample_without_replacement_tells_more_than_as_many_draws():
    rng = np.random.default_rng(6)
    right = rng.random(60) < 0.8
    means = [rng.permutation(right)[:40].mean() for _ in range(4000)]
    expected = right.mean() * (1 - right.mean()) / independent_sample(40, 60)
    assert np.var(means) == pytest.approx(expected, rel=0.1)  # 4,000 draws: 2.2 % standard error
    assert independent_sample(60, 60) == np.inf
