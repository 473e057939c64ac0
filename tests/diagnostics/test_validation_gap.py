"""Validation against test accuracy: optimism beyond chance, and sets that differ."""

import numpy as np
import pytest

from seen_runs import fixes, history, row, variant
from wellfit.base import EarlyStopping, Recipe
from wellfit.diagnostics.validation_gap import validation_above_training, validation_against_test
from wellfit.spec.study import load_study


def gap(validation, test, examples=(1000, 1000), recipe=None, variants=1):
    rows = {
        s: row(s, validation_accuracy=v, test_accuracy=t) for s, (v, t) in enumerate(zip(validation, test, strict=True))
    }
    seen = variant("a", [history(validation_loss=[0.3])] * len(rows), recipe, rows=rows)
    return validation_against_test(seen, [seen] * variants, examples)


def test_optimism_has_an_interval_over_seeds_and_sets():
    found = gap([0.95, 0.96, 0.94], [0.90, 0.90, 0.90])
    sets, seeds = 0.95 * 0.05 / 1000 + 0.9 * 0.1 / 1000, 0.01**2 / 3
    half = 100 * np.sqrt(1.96**2 * sets + 4.3027**2 * seeds)  # t(2)
    assert found.code == "validation-optimism"
    assert f"5.0 points [{5 - half:.1f}, {5 + half:.1f}] lower" in found.evidence
    rule = EarlyStopping(patience=1, restore_best_weights=True)
    assert "was chosen on validation" in gap([0.95] * 3, [0.9] * 3, recipe=Recipe(early_stopping=rule)).evidence


@pytest.mark.parametrize(
    ("validation", "test", "examples"),
    [
        ([0.91] * 3, [0.9] * 3, (1000, 1000)),
        ([0.95], [0.9], (1000, 1000)),
        ([0.95] * 3, [0.9] * 3, (0, 1000)),
        ([0.88] * 3, [0.9] * 3, (10**6, 10**6)),
    ],
)
def test_what_is_no_gap(validation, test, examples):
    assert gap(validation, test, examples) is None


def test_validation_far_below_the_test_is_another_set():
    found = gap([0.5] * 3, [0.88] * 3)
    assert (found.code, found.level) == ("validation-unlike-test", "warning")
    assert load_study("lab5", settings=fixes(found.fix)).data.split_seed == 1


def test_false_alarms_are_rare_over_ten_variants_of_a_study():
    rng = np.random.default_rng(0)

    def study():
        shared = rng.binomial(1000, 0.9, size=2) / 1000  # both sets are drawn once for all variants and seeds
        noise = 0.004 * rng.normal(size=(10, 2, 5))
        return any(gap(shared[0] + v, shared[1] + t, variants=10) is not None for v, t in noise)

    assert sum(study() for _ in range(200)) <= 10  # 5 %, both directions


def above(validation, train, examples=1000, recipe=None, seeds=3):
    rows = {s: row(s, validation_accuracy=validation + s / 1000, train_accuracy=train) for s in range(seeds)}
    seen = variant("a", [history(validation_loss=[0.3])] * seeds, recipe, rows=rows)
    return validation_above_training(seen, [seen], examples)


def test_validation_examples_that_are_easier():
    found = above(0.9, 0.7)
    assert found.level == "warning"
    assert fixes(found.fix) == ["data.split_seed=1"]
    noisy = above(0.9, 0.7, recipe=Recipe(label_noise=0.2))
    assert (noisy.level, noisy.fix) == ("info", "")
    assert above(0.9, 0.89) is None
    assert above(0.9, 0.85, examples=20) is None  # chance
    assert above(0.9, 0.7, examples=0) is None
    assert above(0.9, 0.7, seeds=1) is None
