"""Labels of a set that mean other classes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_wine

from planted import changed, codes, findings, halves_of_digits, message, toy, with_given_validation
from wellfit.data.assemble import assemble, make_dataset
from wellfit.data.parts import Part, RawData

CODE = "labels-shifted-between-splits"


@pytest.mark.parametrize("shift", [1, -1, 3])
def test_labels_counted_from_another_number(shift):
    sound = halves_of_digits(0)
    raw = RawData(
        Part(sound.x_train, sound.y_train.astype(int) + 5, "train"),
        Part(sound.x_test, sound.y_test.astype(int) + 5 + shift, "test"),
    )
    found = findings(assemble(raw, name="d", title="d", source=""))
    assert found[CODE].level == "error"
    assert found[CODE].message.startswith(
        f"The test labels are shifted by {shift}: labels range from 5 to 14 in the training set, "
        f"{5 + shift} to {14 + shift} in the test set; by the class means, "
    )
    assert "(10 of 10 classes)" in found[CODE].message
    assert found[CODE].fix.endswith(f"use y_test {'-' if shift > 0 else '+'} {abs(shift)}.")
    assert "labels-unrelated-in-split" not in found


def test_labels_that_rotate_within_the_same_range():
    sound = halves_of_digits(0)
    found = message(changed(sound, y_test=(sound.y_test + 1) % 10), CODE)
    assert found.startswith(
        "The test labels mean other classes: by the class means, 0 looks like 9 of the training set"
    )


def test_two_classes_swapped_in_rows_and_in_validation():
    sound = toy(m=400)
    assert message(changed(sound, y_test=1 - sound.y_test), CODE) == (
        "The test labels mean other classes: by the class means, a looks like b of the training set, b looks like a of "
        "the training set (2 of 2 classes)."
    )
    fault, splits = with_given_validation(sound, sound.x_test, 1 - sound.y_test)
    fault = changed(fault, x_test=toy(seed=1).x_test, y_test=toy(seed=1).y_test)
    assert message(fault, CODE, splits).startswith("The validation labels mean other classes")


def test_two_of_many_classes_swapped():
    sound = halves_of_digits(0)
    swapped = np.arange(10)
    swapped[[3, 5]] = 5, 3
    found = message(changed(sound, y_test=swapped[sound.y_test]), CODE)
    assert "3 looks like 5 of the training set, 5 looks like 3" in found
    assert "2 of 10 classes" in found


@pytest.mark.parametrize("seed", range(10))
def test_small_splits_of_a_table_pass(seed):
    x, y = load_wine(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(y))
    x, y = x[rows], y[rows]
    assert CODE not in codes(make_dataset(x[:100], y[:100], x[100:], y[100:]))


def test_a_class_that_only_one_set_has_is_no_shift():
    sound = halves_of_digits(0)
    fewer = sound.y_train < 9
    data = changed(sound, x_train=sound.x_train[fewer], y_train=sound.y_train[fewer])
    assert CODE not in codes(data)
    assert CODE not in codes(
        changed(sound, x_test=sound.x_test[sound.y_test > 0], y_test=sound.y_test[sound.y_test > 0])
    )
