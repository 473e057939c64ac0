"""What single published numbers show, against simulated publications."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from wellfit.analysis.claims import Seeds, claim_evidence, seeds_of
from wellfit.analysis.crossed import variance_components
from wellfit.errors import StudyFileError


def published(rng, n, sd, by=0.0, mean=0.88, lasting=0.5):
    """The accuracy of one run each of two recipes on the same examples; some examples are hard with every seed."""
    hard = rng.random(n)
    return [
        float(np.mean(np.where(rng.random(n) < lasting, hard, rng.random(n)) < mean + shift + sd * rng.normal()))
        for shift in (0.0, by)
    ]


def test_the_interval_of_one_network_is_binomial():
    found = claim_evidence(0.8835, 10_000)
    exact = stats.binomtest(8835, 10_000).proportion_ci(method="exact")
    assert found.on_examples == pytest.approx((exact.low, exact.high))
    assert (found.interval, found.difference, found.difference_interval) == (None, None, None)
    assert not found.shown


def test_seeds_without_a_spread_leave_the_test_set_alone():
    found = claim_evidence(0.8835, 10_000, other=0.88, seed_sd=0.0)
    assert found.interval == pytest.approx(found.on_examples, abs=2e-5)
    assert found.difference_interval == pytest.approx(found.difference_on_examples)


@pytest.mark.parametrize("sd", [0.0, 0.004, 0.02])
def test_intervals_cover_the_recipe_and_the_difference(sd):
    rng, n, by = np.random.default_rng(5), 1500, 0.01
    flips = 0.5 * 0.88 * 0.12 / n  # with half of the answers drawn anew for every run, about this much is due to flips
    measured = math.sqrt(sd**2 + flips)
    covered, differences = 0, 0
    for _ in range(400):
        one, other = published(rng, n, sd, by)
        found = claim_evidence(one, n, other=other, seed_sd=measured, disagreement=0.16)
        covered += found.interval[0] <= 0.88 <= found.interval[1]
        differences += found.difference_interval[0] <= -by <= found.difference_interval[1]
    assert covered / 400 > 0.92  # 95 %, less three standard errors
    assert differences / 400 > 0.92


def test_a_spread_from_few_runs_counts_for_less():
    given = claim_evidence(0.88, 10_000, other=0.87, seed_sd=0.003)
    few = claim_evidence(0.88, 10_000, other=0.87, seeds=Seeds(0.003**2, 0.0, 4))
    assert few.least > given.least
    assert few.seed_sd == pytest.approx(0.003)
    t, z = stats.t.ppf(0.975, 4), stats.norm.ppf(0.975)
    assert few.least == pytest.approx(math.sqrt(2 * (t * 0.003) ** 2 + z**2 * few.disagreement / 10_000))


def test_the_spread_of_a_study_is_that_of_its_runs():
    rng = np.random.default_rng(2)
    right = [rng.random(400) < 0.9 for _ in range(6)]
    seeds = seeds_of(variance_components(right), 400, 400)
    means = [one.mean() for one in right]
    assert seeds.df == 5
    assert seeds.variance == pytest.approx(max(np.var(means, ddof=1), seeds.flips))
    assert seeds.flips == pytest.approx(0.9 * 0.1 / 400, rel=0.2)  # nothing lasts: all is flips
    assert seeds_of(variance_components(right), 400, 1600).flips == pytest.approx(seeds.flips / 4)


def test_a_winner_among_many_must_win_by_more():
    two, five = (claim_evidence(0.88, 10_000, other=0.87, seed_sd=0.003, variants=v) for v in (2, 5))
    assert five.least / two.least == pytest.approx(stats.norm.ppf(1 - 0.05 / 8) / stats.norm.ppf(0.975))
    assert two.shown
    assert two.interval == five.interval


def test_large_differences_are_shown_in_both_directions():
    for one, other in ((0.9, 0.85), (0.85, 0.9)):
        found = claim_evidence(one, 10_000, other=other, seed_sd=0.003)
        assert found.shown
        assert np.sign(found.difference_interval[0]) == np.sign(found.difference_interval[1]) == np.sign(one - other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accuracy": 88.35}, "an accuracy of 88.35; use a share"),
        ({"accuracy": 1.0}, "an accuracy of 1;"),
        ({"other": 88.03}, "another accuracy of 88.03; use a share"),
        ({"examples": 0}, "0 test examples; use at least 2"),
        ({"seed_sd": -0.1}, "a standard deviation of -0.1"),
        ({"variants": 1}, "1 variants; use 2 to 1,000"),
        ({"disagreement": 0.01}, "a disagreement of 0.01; use the share"),
        ({"disagreement": 0.0, "other": None}, "a disagreement of 0; use"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    given = {"accuracy": 0.88, "examples": 10_000, "other": 0.8} | change
    with pytest.raises(StudyFileError, match=message):
        claim_evidence(given.pop("accuracy"), given.pop("examples"), **given)
