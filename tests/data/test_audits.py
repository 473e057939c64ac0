"""Audits: each fault of the labs is planted and must be detected, and sound data must pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from wellfit.base import Dataset, Splits
from wellfit.data.audits import _wilson_half_width, audit
from wellfit.data.catalog import load_dataset
from wellfit.data.splits import make_splits
from wellfit.errors import DataError


def make(x_train, y_train, x_test, y_test, classes=("a", "b")) -> Dataset:
    y_train, y_test = np.asarray(y_train, np.int32), np.asarray(y_test, np.int32)
    return Dataset("toy", np.asarray(x_train), y_train, np.asarray(x_test), y_test, classes, None, "Toy", "", "0" * 64)


def toy(n: int = 400, m: int = 200, seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n + m, 4)).astype(np.float32) * [1, 10, 100, 1000]
    y = rng.permutation(np.arange(n + m) % 2)
    return make(x[:n], y[:n], x[n:], y[n:])


def images(n: int = 300, m: int = 100) -> Dataset:
    rng = np.random.default_rng(0)
    x = np.maximum(rng.integers(-200, 256, (n + m, 6, 6)), 0).astype(np.float32)
    y = rng.permutation(np.arange(n + m) % 2)
    return make(x[:n], y[:n], x[n:], y[n:])


def changed(dataset: Dataset, **arrays) -> Dataset:
    parts = {k: arrays.get(k, getattr(dataset, k)) for k in ("x_train", "y_train", "x_test", "y_test")}
    return make(**parts, classes=arrays.get("classes", dataset.classes))


def codes(dataset: Dataset, splits: Splits | None = None) -> dict[str, str]:
    findings = audit(dataset, splits or make_splits(dataset.y_train, validation=0.25))
    for finding in findings:
        assert finding.message.endswith(".")
        assert not finding.fix or finding.fix.endswith(".")
    return {f.code: f.level for f in findings}


def message(dataset: Dataset, code: str, splits: Splits | None = None) -> str:
    findings = audit(dataset, splits or make_splits(dataset.y_train, validation=0.25))
    return next(f.message for f in findings if f.code == code)


@pytest.mark.parametrize("seed", range(20))
def test_sound_rows_pass(seed):
    assert codes(toy(seed=seed)) == {"few-test-examples": "info"}


def test_sound_images_pass():
    assert codes(images()) == {"few-test-examples": "info"}


@pytest.mark.parametrize("seed", range(10))
def test_sparse_and_heavy_tailed_rows_pass(seed):
    rng = np.random.default_rng(seed)
    sparse = (rng.random((600, 50)) < 0.02) * rng.lognormal(size=(600, 50))
    tails = rng.lognormal(sigma=2, size=(600, 5))
    x = np.hstack([sparse, tails]).astype(np.float32)
    y = rng.permutation(np.arange(600) % 2)
    assert "scale-shift-between-splits" not in codes(make(x[:500], y[:500], x[500:], y[500:]))


def test_test_set_divided_otherwise():
    whole = images()
    fault = changed(whole, x_train=whole.x_train / 255)  # Homework 4: the undivided test set
    assert codes(fault)["scale-shift-between-splits"] == "error"
    assert "The test set is scaled differently: its pixels range from 0 to 255" in message(
        fault, "scale-shift-between-splits"
    )
    assert "a factor of 25" in message(fault, "scale-shift-between-splits")
    assert codes(changed(whole, x_test=whole.x_test / 255))["scale-shift-between-splits"] == "error"
    assert codes(changed(whole, x_test=255 - whole.x_test))["scale-shift-between-splits"] == "error"  # inverted
    assert codes(changed(whole, x_test=whole.x_test + 200))["scale-shift-between-splits"] == "error"


def test_rows_scaled_otherwise():
    sound = toy()
    mean, std = sound.x_train.mean(axis=0), sound.x_train.std(axis=0)
    assert codes(changed(sound, x_train=(sound.x_train - mean) / std))["scale-shift-between-splits"] == "error"
    assert codes(changed(sound, x_test=sound.x_test + 3 * std))["scale-shift-between-splits"] == "error"
    found = message(changed(sound, x_test=sound.x_test / 100), "scale-shift-between-splits")
    # Sampling moves an interquartile range of 200 of 300 normal rows by less than a fifth.
    assert 0.008 < float(found.split("features is ")[1].split()[0]) < 0.012
    assert found.endswith("(median over 4 features).")


def test_what_too_few_or_constant_rows_do_not_say():
    sound = toy()
    few = changed(sound, x_test=100 * sound.x_test[:19], y_test=sound.y_test[:19])
    assert "scale-shift-between-splits" not in codes(few)
    flat = changed(sound, x_train=np.ones((400, 2)), x_test=np.ones((200, 2)))
    assert "scale-shift-between-splits" not in codes(flat)
    squares = changed(sound, x_train=np.ones((400, 2, 2)), x_test=np.ones((200, 2, 2)))
    assert "scale-shift-between-splits" not in codes(squares)


def test_missing_classes():
    sound = toy()
    assert codes(changed(sound, classes=("a", "b", "c")))["class-missing-from-split"] == "error"
    only = changed(sound, y_test=np.zeros(200))
    assert message(only, "class-missing-from-split").startswith("The test split has no example of b: it covers 1 of 2")
    # mlp_week09: the last fifth of sorted rows
    ordered = changed(sound, y_train=np.sort(sound.y_train))
    tail = Splits(np.arange(320), np.arange(320, 400), np.arange(80), 0, "")
    assert "The validation split has no example of a" in message(ordered, "class-missing-from-split", tail)
    many = changed(sound, classes=tuple(f"c{i}" for i in range(9)))
    assert "c2, c3, c4, c5, c6 and 2 more:" in message(many, "class-missing-from-split")


def test_duplicates_are_counted_by_split():
    sound = toy()
    splits = make_splits(sound.y_train, validation=0.25)
    x_train, x_test = sound.x_train.copy(), sound.x_test.copy()
    x_train[splits.validation[:3]] = x_train[splits.train[:3]]
    x_test[:5] = x_train[splits.train[10:15]]
    x_test[7] = x_train[splits.validation[50]]
    fault = changed(sound, x_train=x_train, x_test=x_test)
    assert codes(fault, splits)["duplicate-across-splits"] == "warning"
    assert message(fault, "duplicate-across-splits", splits) == (
        "Some examples are in more than one split: 3 of 100 validation examples are also in the training split; 5 of "
        "200 test examples are also in the training split; 1 of 200 test examples is also in the validation split."
    )


def test_duplicates_are_equal_numbers_not_equal_bytes():
    x = np.arange(32, dtype=np.float32).reshape(8, 4)
    x_test = np.array([[-0.0, 1, 2, 3], [0, 1, 2, 3.5]], dtype=np.float32)
    splits = Splits(np.arange(6), np.arange(6, 8), np.arange(2), 0, "")
    found = message(make(x, [0, 1] * 4, x_test, [0, 1]), "duplicate-across-splits", splits)
    assert found == "Some examples are in more than one split: 1 of 2 test examples is also in the training split."


def test_order_of_rows():
    sound = toy()
    ordered = changed(sound, y_train=np.sort(sound.y_train))
    assert codes(ordered)["rows-sorted-by-class"] == "info"
    assert "the label changes 1 time instead of the 199 expected" in message(ordered, "rows-sorted-by-class")
    almost = np.sort(sound.y_train)
    almost[[3, 399]] = almost[[399, 3]]
    assert "rows-sorted-by-class" in codes(changed(sound, y_train=almost))


def test_imbalance():
    sound = toy()
    for ones, level in ((200, None), (150, "info"), (60, "warning")):
        y = np.random.default_rng(0).permutation(np.repeat([1, 0], [ones, 400 - ones]))
        assert codes(changed(sound, y_train=y)).get("class-imbalance") == level
    found = message(changed(sound, y_train=y), "class-imbalance")
    assert found.startswith(
        "a has 5.7 times as many training examples as b (255 and 45); always predicting it is right 85.0 %"
    )


def test_constant_features():
    sound = toy()
    x = sound.x_train.copy()
    x[:, 1] = 4
    assert message(changed(sound, x_train=x), "constant-features").startswith("1 of 4 features never changes: ")


@given(st.floats(0, 1), st.integers(1, 20000))
def test_wilson_interval_is_scipys(p, n):
    successes = round(p * n)
    low, high = binomtest(successes, n).proportion_ci(method="wilson")
    assert _wilson_half_width(successes / n, n) == pytest.approx((high - low) / 2, rel=1e-9, abs=1e-12)


def test_few_test_examples_come_with_their_interval():
    assert "has only 200 examples: an accuracy of 90 % is known to ± 4.2 points" in message(toy(), "few-test-examples")
    assert "few-test-examples" not in codes(toy(m=4000))


def test_errors_come_first():
    sound = toy()
    fault = changed(sound, x_test=sound.x_train[:50] * 50, y_test=np.zeros(50), y_train=np.sort(sound.y_train))
    levels = [f.level for f in audit(fault, make_splits(fault.y_train, validation=0.25))]
    assert levels == ["error", "error", "info", "info"]


def test_splits_of_another_data_set():
    with pytest.raises(DataError, match=r"the splits cover 400 training examples, but digits has 1438"):
        audit(load_dataset("digits"), make_splits(toy().y_train, validation=0.25))
