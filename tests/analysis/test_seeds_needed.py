"""The power of a planned comparison, against simulated studies that are judged by the real method."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wellfit.analysis.comparisons import compare_pairs
from wellfit.analysis.power import Chance, Design, minimum_detectable
from wellfit.analysis.seeds_needed import power_curve, power_of, typical_disagreement
from wellfit.errors import StudyFileError


def answers(rng, shift, n, disagreement, lasting, common):
    """For one seed: +1 where only the variant is right, -1 where only the first is; ``common`` is what all seeds share.

    An example takes the shared draw with probability sqrt(lasting), so that two seeds have the covariance
    ``lasting * disagreement``.
    """
    shared = rng.random(n) < math.sqrt(lasting)
    own = np.where(rng.random(n) < disagreement, np.where(rng.random(n) < (1 + shift / disagreement) / 2, 1, -1), 0)
    return np.where(shared, common, own)


def verdicts(rng, curve, studies):
    """The verdict on the last variant of simulated studies; all other variants are as good as the first."""
    n, S, D, L = curve.examples, curve.seeds, curve.disagreement, curve.lasting
    root = math.sqrt(L)
    for _ in range(studies):
        base = {s: rng.random(n) < curve.accuracy for s in range(S)}
        scores, pairs = {"first": base}, []
        for v in range(curve.comparisons):
            by = curve.difference if v == curve.comparisons - 1 else 0.0
            common = np.where(rng.random(n) < D, np.where(rng.random(n) < (1 + by / D) / 2, 1, -1), 0)
            runs = {}
            for s in range(S):
                own = by + curve.difference_sd * rng.normal() / (1 - root)  # so that the seed's mean has this spread
                difference = answers(rng, own, n, D, L, common)
                runs[s] = difference
            scores[f"v{v}"] = runs
            pairs.append((f"v{v}", "first"))
        zero = {s: np.zeros(n, np.int8) for s in range(S)}
        compared = compare_pairs({**{k: r for k, r in scores.items() if k != "first"}, "first": zero}, pairs)
        yield compared[-1].verdict


CASES = {
    "half a point": {"accuracy": 0.88, "difference": 0.008, "examples": 2000, "seed_sd": 0.006, "seeds": 5},
    "many seeds": {"accuracy": 0.88, "difference": 0.006, "examples": 2000, "seed_sd": 0.006, "seeds": 20},
    "few seeds": {"accuracy": 0.95, "difference": 0.02, "examples": 1000, "seed_sd": 0.005, "seeds": 3},
    "five variants": {"accuracy": 0.9, "difference": 0.015, "examples": 1000, "seed_sd": 0.006, "seeds": 6,
                      "variants": 5},
}  # fmt: skip


@pytest.mark.parametrize("case", ["half a point", "few seeds"])
def test_the_power_is_that_of_simulated_studies(case):
    curve = power_curve(**CASES[case])
    found = np.mean([v == "better" for v in verdicts(np.random.default_rng(1), curve, 150)])
    assert found == pytest.approx(curve.planned.power, abs=0.12)  # three standard errors of 150 studies


@pytest.mark.slow
@pytest.mark.parametrize("case", list(CASES))
def test_the_power_is_that_of_many_simulated_studies(case):
    curve = power_curve(**CASES[case])
    found = np.mean([v == "better" for v in verdicts(np.random.default_rng(2), curve, 2000)])
    error = 3 * math.sqrt(0.25 / 2000)  # 3.4 points: three standard errors
    assert found == pytest.approx(curve.planned.power, abs=error)


# --- The curve ------------------------------------------------------------------------------------------------------


def test_the_smallest_difference_has_the_wanted_power():
    curve = power_curve(0.88, 0.005, 10_000, seeds=7, variants=4)
    chance = Chance(curve.disagreement, curve.lasting, curve.difference_sd)
    for row in curve.rows:
        design = Design(row.seeds, 10_000, comparisons=3)
        assert row.difference == minimum_detectable(design, chance).difference
        assert power_of(design, chance, row.difference) == pytest.approx(0.8, abs=1e-6)


def test_what_is_needed_is_the_first_number_that_suffices():
    curve = power_curve(0.9, 0.012, 2000, seed_sd=0.005)
    chance = Chance(curve.disagreement, curve.lasting, curve.difference_sd)
    powers = {seeds: power_of(Design(seeds, 2000), chance, 0.012) for seeds in range(2, 40)}
    assert curve.needed == next(seeds for seeds, power in powers.items() if power >= 0.8)
    assert list(powers.values()) == sorted(powers.values())


def test_more_seeds_come_as_near_to_the_limit_as_one_likes():
    curve = power_curve(0.88, 0.004, 10_000, seeds=1000)
    for name in ("power", "difference", "margin"):
        assert getattr(curve.planned, name) == pytest.approx(getattr(curve.endless, name), rel=0.01)
    assert all(row.power < curve.endless.power for row in curve.rows)


@pytest.mark.parametrize("lasting", [0.0, 0.25, 1.0])
def test_a_larger_test_set_lowers_the_limit(lasting):
    small, large = (power_curve(0.9, 0.01, n, lasting=lasting).endless for n in (1000, 4000))
    assert large.difference < small.difference
    assert large.power > small.power or lasting == 0
    if lasting:  # the error of a mean over four times as many examples
        assert large.difference == pytest.approx(small.difference / 2, rel=0.03)


def test_a_difference_beyond_the_limit_is_never_decided():
    curve = power_curve(0.88, 0.003, 10_000)
    assert curve.endless.difference > 0.003
    assert curve.needed is None


def test_more_than_the_most_seeds_are_not_advised():
    at_limit = power_curve(0.88, 0.005, 10_000).endless.difference
    curve = power_curve(0.88, at_limit * 1.0001, 10_000)
    assert curve.endless.power > 0.8
    assert curve.needed is None


def test_one_seed_decides_nothing():
    planned = power_curve(0.88, 0.005, 10_000, seeds=1).planned
    assert (planned.seeds, planned.power, planned.difference) == (1, 0.0, math.inf)


def test_flips_that_examples_average_out_are_not_counted_twice():
    curve = power_curve(0.88, 0.005, 10_000, seed_sd=0.003)
    flips = 0.75 * 0.09 / 10_000
    assert curve.difference_sd**2 == pytest.approx(2 * 0.003**2 - flips)
    assert power_curve(0.88, 0.005, 100, seed_sd=0.003).difference_sd == 0


def test_variants_never_disagree_more_than_strangers():
    for accuracy in np.linspace(0.01, 0.99, 50):
        assert 0 < typical_disagreement(accuracy) <= 2 * accuracy * (1 - accuracy)
    assert power_curve(0.999, 0.05, 1000).disagreement == 0.05  # at least the difference itself


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accuracy": 88}, "an accuracy of 88; use a share between 0 and 1"),
        ({"accuracy": math.nan}, "an accuracy of nan"),
        ({"difference": 0}, "a difference of 0; use"),
        ({"difference": -0.005}, "a difference of -0.005"),
        ({"examples": 1}, "1 test examples; use at least 2"),
        ({"seed_sd": -1}, "a standard deviation of -1"),
        ({"seed_sd": math.inf}, "a standard deviation of inf"),
        ({"seeds": 0}, "0 seeds; use 1 to 1,000"),
        ({"variants": 1}, "1 variants; use 2 to 1,000"),
        ({"disagreement": 0.0}, "a disagreement of 0.0"),
        ({"disagreement": 0.001}, "a difference of 0.005 with a disagreement of 0.001"),
        ({"lasting": 1.5}, "a lasting share of 1.5"),
        ({"probability": 1}, "a wanted power of 1"),
        ({"probability": 0.01}, "a wanted power of 0.01; use a share from 0.1"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    given = {"accuracy": 0.88, "difference": 0.005, "examples": 10_000} | change
    with pytest.raises(StudyFileError, match=message):
        power_curve(**given)
