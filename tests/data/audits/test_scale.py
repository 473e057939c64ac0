"""Sets that are scaled differently."""

from __future__ import annotations

import numpy as np
import pytest

from planted import changed, codes, images, make, message, toy, with_given_validation


def test_test_set_divided_otherwise():
    whole = images()
    fault = changed(whole, x_train=whole.x_train / 255)  # Homework 4: the undivided test set
    assert codes(fault)["scale-shift-between-splits"] == "error"
    assert "The test set is scaled differently: its pixels range from 0 to 255" in message(
        fault, "scale-shift-between-splits"
    )
    assert "a factor of 255" in message(fault, "scale-shift-between-splits")
    assert codes(changed(whole, x_test=whole.x_test / 255))["scale-shift-between-splits"] == "error"
    assert codes(changed(whole, x_test=whole.x_test + 200))["scale-shift-between-splits"] == "error"


def test_a_given_validation_set_is_compared_too():
    whole = images()
    fault, splits = with_given_validation(whole, whole.x_test / 255, whole.y_test)
    assert "The validation set is scaled differently" in message(fault, "scale-shift-between-splits", splits)
    sound, splits = with_given_validation(toy(), toy(seed=1).x_test, toy(seed=1).y_test)
    assert codes(sound, splits) == {"few-test-examples": "info"}


def test_few_images_of_another_mean_are_chance():
    rng = np.random.default_rng(0)
    share = rng.random((305, 1, 1))  # images that are very unlike in brightness
    x, y = (rng.random((305, 6, 6)) < share**6).astype(np.float32), np.arange(305) % 2
    assert "scale-shift-between-splits" not in codes(make(x[5:], y[5:], x[:5], y[:5]))


def test_rows_scaled_otherwise():
    sound = toy()
    mean, std = sound.x_train.mean(axis=0), sound.x_train.std(axis=0)
    assert codes(changed(sound, x_train=(sound.x_train - mean) / std))["scale-shift-between-splits"] == "error"
    assert codes(changed(sound, x_test=sound.x_test + 3 * std))["scale-shift-between-splits"] == "error"
    found = message(changed(sound, x_test=sound.x_test / 100), "scale-shift-between-splits")
    # Sampling moves an interquartile range of 200 of 300 normal rows by less than a fifth.
    assert 0.008 < float(found.split("features is ")[1].split()[0]) < 0.012
    assert found.endswith("(median over 4 features).")


def test_one_column_in_another_unit_is_named():
    names = ("age", "height", "income", "weight")
    sound = make(*(getattr(toy(), k) for k in ("x_train", "y_train", "x_test", "y_test")), columns=names)
    fault = changed(sound, x_test=sound.x_test * np.float32([1, 1, 1000, 1]))
    found = message(fault, "scale-shift-between-splits")
    assert "1 of 4 columns differ: income (interquartile range " in found
    assert "age" not in found
    fault = changed(sound, x_test=sound.x_test + np.float32([0, 0, 0, 9000]))
    assert "1 of 4 columns differ: weight (" in message(fault, "scale-shift-between-splits")


@pytest.mark.parametrize("seed", range(10))
def test_sparse_and_heavy_tailed_rows_pass(seed):
    rng = np.random.default_rng(seed)
    sparse = (rng.random((600, 50)) < 0.02) * rng.lognormal(size=(600, 50))
    quarter = (rng.random((600, 20)) < 0.25) * rng.lognormal(size=(600, 20))
    tails = rng.lognormal(sigma=2, size=(600, 5))
    x = np.hstack([sparse, quarter, tails]).astype(np.float32)
    y = rng.permutation(np.arange(600) % 2)
    for n in (500, 580):
        assert "scale-shift-between-splits" not in codes(make(x[:n], y[:n], x[n:], y[n:]))


@pytest.mark.parametrize("seed", range(20))
def test_few_rows_of_two_features_pass(seed):
    data = toy(seed=seed)
    few = changed(data, x_train=data.x_train[:, :2], x_test=data.x_test[:20, :2], y_test=data.y_test[:20])
    assert "scale-shift-between-splits" not in codes(few)


def test_missing_values_do_not_hide_a_scale():
    sound = toy()
    x_train, x_test = sound.x_train.copy(), sound.x_test * 100
    x_train[::3, 0] = x_test[::3, 1] = np.nan
    assert codes(changed(sound, x_train=x_train, x_test=x_test))["scale-shift-between-splits"] == "error"


def test_what_too_few_or_constant_rows_do_not_say():
    sound = toy()
    few = changed(sound, x_test=100 * sound.x_test[:19], y_test=sound.y_test[:19])
    assert "scale-shift-between-splits" not in codes(few)
    flat = changed(sound, x_train=np.ones((400, 2)), x_test=np.ones((200, 2)))
    assert "scale-shift-between-splits" not in codes(flat)
    squares = changed(sound, x_train=np.ones((400, 2, 2)), x_test=np.ones((200, 2, 2)))
    assert "scale-shift-between-splits" not in codes(squares)
