"""Edges of sweeps and seeds that disagree, by hand and by simulation."""

from dataclasses import replace

import numpy as np
import pytest

from seen_runs import fixes, history, variant
from wellfit.base import Recipe
from wellfit.diagnostics.studies import few_seeds, seeds_disagree, sweep_edges
from wellfit.spec.study import load_study


def swept(key, values, accuracies, seeds=5, spread=0.002, seed=0):
    rng = np.random.default_rng(seed)
    common = spread * rng.normal(size=seeds)
    return [
        variant(
            f"{key}={value:g}",
            [
                history(validation_loss=[0.3], validation_accuracy=a + common[s] + spread * rng.normal())
                for s in range(seeds)
            ],
            replace(Recipe(), **{key: value}),
        )
        for value, a in zip(values, accuracies, strict=True)
    ]


@pytest.mark.parametrize(
    ("key", "values", "accuracies", "new"),
    [
        ("l2", [1e-4, 1e-3, 1e-2], [0.8, 0.85, 0.9], "l2=0.1"),
        ("learning_rate", [1e-3, 1e-2, 1e-1], [0.9, 0.85, 0.8], "learning_rate=0.0001"),
        ("dropout", [0.2, 0.4, 0.6], [0.8, 0.85, 0.9], "dropout=0.8"),
        ("epochs", [10, 20, 40], [0.8, 0.85, 0.9], "epochs=80"),
        ("batch_size", [64, 128, 256], [0.9, 0.85, 0.8], "batch_size=32"),
    ],
)
def test_the_best_at_an_edge_is_told_with_a_value_beyond_it(key, values, accuracies, new):
    (found,) = sweep_edges(swept(key, values, accuracies))
    assert found.code == "edge-of-sweep"
    assert found.strength == pytest.approx(0.05, abs=0.003)  # 0.002 of noise, twice, over five seeds
    (setting,) = fixes(found.fix)
    assert f"try-{new}" in load_study("lab5", settings=[setting]).variants


@pytest.mark.parametrize(
    ("values", "accuracies"),
    [([1e-4, 1e-3, 1e-2], [0.8, 0.9, 0.8]), ([0.0, 1e-3, 1e-2], [0.9, 0.85, 0.8]), ([1e-4, 1e-3], [0.8, 0.9])],
)
def test_a_best_inside_an_edge_of_zero_and_two_values_are_none(values, accuracies):
    assert sweep_edges(swept("l2", values, accuracies)) == []


def test_variants_that_differ_in_more_than_one_number_are_no_sweep():
    made = swept("l2", [1e-4, 1e-3, 1e-2], [0.8, 0.85, 0.9])
    mixed = [*made[:2], replace(made[2], recipe=replace(made[2].recipe, dropout=0.5))]
    assert sweep_edges(mixed) == []
    assert sweep_edges(swept("l2", [1e-4, 1e-3, 1e-2], [0.8, 0.85, 0.9], seeds=2)) == []


def test_a_flat_sweep_seldom_has_an_edge():
    false = sum(bool(sweep_edges(swept("l2", [1e-4, 1e-3, 1e-2, 1e-1], [0.9] * 4, seed=s))) for s in range(300))
    assert false <= 22  # 5 % and two Monte Carlo deviations


def accuracies(name, values):
    return variant(name, [history(validation_loss=[0.3], validation_accuracy=v) for v in values])


CALM = accuracies("calm", [0.9, 0.905, 0.9, 0.895, 0.9])


def test_a_seed_that_stands_apart_is_named():
    wild = accuracies("wild", [0.9, 0.91, 0.9, 0.5, 0.9])
    found = seeds_disagree(wild, [CALM, wild], 1000)
    assert "from 50.0 % to 91.0 % over 5 seeds (seed 3 stands apart)" in found.text
    assert "the other variants' seeds spread by" in found.text
    assert [load_study("lab5", settings=[text]) for text in fixes(found.fix)]
    assert seeds_disagree(CALM, [CALM, wild], 1000) is None
    alone = seeds_disagree(wild, [wild], 1000)
    assert "no other variant is there" in alone.text
    assert seeds_disagree(wild, [wild], 0) is None  # nothing to measure it by
    both = accuracies("two", [0.9, 0.5])
    assert seeds_disagree(both, [both, CALM], 1000) is None


def test_a_small_set_explains_a_spread_and_half_a_point_is_none():
    wide = accuracies("wide", [0.9, 0.86, 0.94, 0.88, 0.92])
    assert seeds_disagree(wide, [wide, CALM], 100) is None
    assert seeds_disagree(wide, [wide, CALM], 100_000) is not None
    near = accuracies("near", [0.9, 0.912, 0.9, 0.9, 0.9])
    quiet = [accuracies(n, [0.9, 0.9001, 0.9, 0.9, 0.9]) for n in "ab"]
    assert seeds_disagree(near, [near, *quiet], 10**9) is None


@pytest.mark.parametrize(("variants", "seeds"), [(2, 3), (5, 3), (10, 5)])
def test_seeds_that_spread_alike_in_all_variants_seldom_disagree(variants, seeds):
    rng = np.random.default_rng(variants)

    def study():
        made = [accuracies(str(v), 0.8 + 0.02 * rng.normal(size=seeds)) for v in range(variants)]
        return any(seeds_disagree(seen, made, 2000) is not None for seen in made)

    assert sum(study() for _ in range(300)) <= 15  # 5 %


@pytest.mark.parametrize(("seeds", "word"), [(1, "1 seed:"), (2, "2 seeds:")])
def test_few_seeds(seeds, word):
    assert word in few_seeds([accuracies("a", [0.9] * seeds)]).message
    assert few_seeds([CALM]) is None
    assert few_seeds([]) is None
