"""Quick versions of ``benchmarks/validity.py``: what a whole study says is false in at most 5 % of studies."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import scipy.stats


@pytest.fixture(scope="module")
def v():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(Path(__file__).parents[1] / "benchmarks"), *sys.path])
        yield importlib.import_module("validity")


def at_most(rate, n):
    """The largest fraction of n that a true rate of at most ``rate`` exceeds only once in 10,000 times."""
    return scipy.stats.binom.isf(1e-4, n, rate) / n


def at_least(rate, n):
    """The smallest fraction of n that a true rate of at least ``rate`` falls below only once in 10,000 times."""
    return scipy.stats.binom.ppf(1e-4, n, rate) / n


@pytest.mark.parametrize(("J", "folds"), [(1, True), (4, True), (4, False), (18, True)])
def test_equal_variants_are_not_told_apart_whatever_varies(v, J, folds):
    for kind in v.KINDS if J < 18 else ("one varies 15 times", "the first varies 15 times"):
        rate = v.normal_rates(2500, kind=kind, seeds=5, J=J, ratio=2.0, folds=folds)
        assert rate <= at_most(0.05, 2500), kind


@pytest.mark.parametrize(
    "options",
    [
        {"n": 100, "accuracy": 0.995, "seed_sd": 0.001},
        {"n": 200, "difficulty": "bimodal", "seeds": 10},
        {"n": 200, "group": 5},
        {"n": 200, "seed_kind": "heavy tails", "folds": False},
        {"n": 100, "seeds": 2},
    ],
)
def test_equal_variants_are_not_told_apart_by_their_answers(v, options):
    assert v.answer_rates(200, v.Scene(J=4, **options), 0.001)[0] <= at_most(0.05, 200)


@pytest.mark.parametrize("J", [1, 18])
def test_variants_that_differ_by_the_margin_are_seldom_equivalent(v, J):
    scene = v.Scene(n=360, J=J, seeds=3, accuracy=0.85, better_by=0.06, seed_sd=0.002)
    assert v.answer_rates(200, scene, 0.06)[0] <= at_most(0.05, 200)
    if J == 1:
        assert v.answer_rates(50, replace(scene, better_by=0.0, seeds=5), 0.12)[2] > 0.5


@pytest.mark.parametrize(
    "options",
    [
        {"n": 100, "accuracy": 0.995, "seed_sd": 0.001, "folds": False, "seeds": 10},
        {"n": 100, "group": 5, "accuracy": 0.98},
        {"n": 360, "difficulty": "bimodal"},
        {"n": 360, "seeds": 2, "seed_sd": 0.02},
    ],
)
def test_the_interval_of_an_accuracy_holds_the_truth(v, options):
    assert v.coverage(400, v.Scene(**options)) >= at_least(0.93, 400)


def test_folds_find_more_than_a_fixed_split(v):
    scene = v.Scene(n=1000, J=4, seeds=5, better_by=0.03, seed_sd=0.003)
    folds, fixed = (v.answer_rates(80, one)[1] for one in (scene, replace(scene, n=200, folds=False)))
    assert folds > fixed + 0.1
