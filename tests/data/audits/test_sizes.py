"""Sizes of the classes and of the test set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from planted import changed, codes, findings, message, toy
from wellfit.data.audits import audit
from wellfit.data.audits.sizes import wilson_half_width
from wellfit.data.splits import make_splits, split_of


def test_imbalance():
    sound = toy()
    for ones, level in ((200, None), (150, "info"), (60, "warning")):
        y = np.random.default_rng(0).permutation(np.repeat([1, 0], [ones, 400 - ones]))
        assert codes(changed(sound, y_train=y)).get("class-imbalance") == level
    found = findings(changed(sound, y_train=y))["class-imbalance"]
    assert found.message.startswith(
        "Class a has 5.7 times as many training examples as class b (255 and 45); always predicting the former is "
        "right 85.0 %"
    )
    assert "macro F1" in found.fix
    assert "recall" in found.fix
    assert "train.class_weights" in found.fix
    assert "longer" not in found.fix
    y = np.repeat([1, 0], [6, 394])
    found = findings(changed(sound, y_train=np.random.default_rng(0).permutation(y)))["class-imbalance"]
    assert "--set compare.metric=balanced_accuracy" in found.fix


@pytest.mark.parametrize(
    ("metric", "opening"),
    [
        (
            "balanced_accuracy",
            "The variants are compared on balanced accuracy, which weighs all classes alike; see",
        ),
        ("macro_f1", "The variants are compared on macro F1, which weighs all classes alike; see the recall of each."),
        ("log_loss", "Compare accuracy with that baseline, and judge by macro F1 and the recall of each class."),
    ],
)
def test_what_the_variants_are_compared_on_is_not_suggested(metric: str, opening: str) -> None:
    y = np.random.default_rng(0).permutation(np.repeat([1, 0], [6, 394]))
    data = changed(toy(), y_train=y)
    found = audit(data, split_of(data, 0.25), metric=metric)
    (fix,) = (finding.fix for finding in found if finding.code == "class-imbalance")
    assert fix.startswith(opening)
    assert "--set compare.metric" not in fix


def test_classes_of_few_examples():
    sound = toy()
    y = sound.y_train.copy()
    y[:5] = 2
    rare = changed(sound, y_train=y, y_test=np.r_[2, sound.y_test[1:]], classes=("a", "b", "c"))
    assert codes(rare)["few-class-examples"] == "warning"
    assert message(rare, "few-class-examples").startswith("1 of 3 classes has fewer than 5 training examples: c (4).")
    y[:8] = 2
    assert "few-class-examples" not in codes(changed(rare, y_train=y))


def test_classes_are_counted_among_what_runs_learn_from() -> None:
    data = toy()
    splits = make_splits(data.y_train, validation=0.25)
    assert "few-class-examples" not in [f.code for f in audit(data, splits)]
    found = {f.code: f.message for f in audit(data, splits, learned=np.array([0] * 12 + [1] * 3))}
    assert found["few-class-examples"].startswith("1 of 2 classes has fewer than 5 training examples: b (3).")
    assert found["class-imbalance"].startswith("Class a has 4.0 times as many training examples as class b (12 and 3)")


@given(st.floats(0, 1), st.integers(1, 20000))
def test_wilson_interval_is_scipys(p, n):
    successes = round(p * n)
    low, high = binomtest(successes, n).proportion_ci(method="wilson")
    assert wilson_half_width(successes / n, n) == pytest.approx((high - low) / 2, rel=1e-9, abs=1e-12)


def test_few_test_examples_come_with_their_interval():
    assert "has only 200 examples: an accuracy of 90 % is known to ± 4.2 points" in message(toy(), "few-test-examples")
    assert "few-test-examples" not in codes(toy(m=4000))


def test_folds_count_together() -> None:
    data = toy()
    splits = split_of(data, 0.2)
    (found,) = (f for f in audit(data, splits, 1797) if f.code == "few-test-examples")
    assert found.message.startswith(
        "All test folds together have only 1,797 examples: an accuracy of 90 % is known to ± 1.4 points"
    )
    assert "few-test-examples" not in [f.code for f in audit(data, splits, 4000)]
