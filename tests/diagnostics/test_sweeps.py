"""Edges of sweeps, by hand and by simulation."""

from dataclasses import replace

import numpy as np
import pytest

from seen_runs import fixes, history, variant
from wellfit.base import Recipe
from wellfit.diagnostics.sweeps import sweep_edges
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
def test_the_best_at_an_edge_suggests_a_value_beyond(key, values, accuracies, new):
    (found,) = sweep_edges(swept(key, values, accuracies))
    assert found.code == "edge-of-sweep"
    assert found.strength == pytest.approx(0.05, abs=0.003)  # 0.002 of noise, twice, over five seeds
    (setting,) = fixes(found.fix)
    assert f"try-{new}" in load_study("lab5", settings=[setting]).variants


@pytest.mark.parametrize(
    ("values", "accuracies"),
    [([1e-4, 1e-3, 1e-2], [0.8, 0.9, 0.8]), ([0.0, 1e-3, 1e-2], [0.9, 0.85, 0.8]), ([1e-4, 1e-3], [0.8, 0.9])],
)
def test_what_is_no_edge(values, accuracies):
    assert sweep_edges(swept("l2", values, accuracies)) == []


def test_variants_that_differ_in_more_than_one_number_are_no_sweep():
    result = swept("l2", [1e-4, 1e-3, 1e-2], [0.8, 0.85, 0.9])
    mixed = [*result[:2], replace(result[2], recipe=replace(result[2].recipe, dropout=0.5))]
    assert sweep_edges(mixed) == []
    assert sweep_edges(swept("l2", [1e-4, 1e-3, 1e-2], [0.8, 0.85, 0.9], seeds=2)) == []


def test_a_flat_sweep_seldom_has_an_edge():
    false = sum(bool(sweep_edges(swept("l2", [1e-4, 1e-3, 1e-2, 1e-1], [0.9] * 4, seed=s))) for s in range(300))
    assert false <= 22  # 5 % and two Monte Carlo deviations
