"""Examples and groups in more than one split."""

from __future__ import annotations

import numpy as np

from planted import changed, codes, findings, make, message, toy
from wellfit.base import Pool, Splits
from wellfit.data.splits import make_splits


def test_duplicates_are_counted_by_split():
    sound = toy()
    splits = make_splits(sound.y_train, validation=0.25)
    x_train, x_test = sound.x_train.copy(), sound.x_test.copy()
    first = splits.validation[0]
    x_train[splits.validation[:3]] = x_train[splits.train[:3]]
    x_test[:5] = x_train[splits.train[10:15]]
    x_test[7] = x_train[splits.validation[50]]
    fault = changed(sound, x_train=x_train, x_test=x_test)
    assert codes(fault, splits)["duplicate-across-splits"] == "warning"
    assert message(fault, "duplicate-across-splits", splits) == (
        "Some examples are in more than one split: 3 of 100 validation examples are also in the training split; 5 of "
        "200 test examples are also in the training split; 1 of 200 test examples is also in the validation split. "
        f"For example, training example {first + 1} is training example {splits.train[0] + 1}, counted from 1."
    )


def test_the_numbers_of_copies_are_those_of_the_file():
    """A part was held out of one file as the test set: the numbers are of that file."""
    sound = toy(30, 10)
    splits = make_splits(sound.y_train, validation=0.25)
    held = np.arange(2, 40, 4)  # (10,)
    x_test = sound.x_test.copy()
    x_test[3] = sound.x_train[splits.train[4]]
    of_file = np.setdiff1d(np.arange(40), held)[splits.train[4]]
    both = sorted((int(of_file) + 1, int(held[3]) + 1))
    found = message(changed(sound, x_test=x_test, pool=Pool(held, 40)), "duplicate-across-splits", splits)
    assert found.endswith(f" For example, the examples {both[0]} and {both[1]}, counted from 1, are the same.")


def test_duplicates_are_equal_numbers_not_equal_bytes():
    x = np.arange(32, dtype=np.float32).reshape(8, 4)
    x_test = np.array([[-0.0, 1, 2, 3], [0, 1, 2, 3.5]], dtype=np.float32)
    splits = Splits(np.arange(6), np.arange(6, 8), np.arange(2), 0, "")
    found = message(make(x, [0, 1] * 4, x_test, [0, 1]), "duplicate-across-splits", splits)
    assert found == "Some examples are in more than one split: 1 of 2 test examples is also in the training split. " + (
        "For example, test example 1 is training example 1, counted from 1."
    )


def test_groups_on_both_sides():
    sound = toy()
    splits = make_splits(sound.y_train, validation=0.25)
    groups = np.arange(400)
    assert "group-across-splits" not in codes(changed(sound, groups=groups), splits)
    assert "group-across-splits" not in codes(sound, splits)
    groups[splits.validation[:3]] = groups[splits.train[0]]
    groups[splits.validation[3]] = groups[splits.train[1]]
    found = findings(changed(sound, groups=groups), splits)["group-across-splits"]
    assert found.level == "error"
    assert found.message == (
        "2 of 396 groups are in the training split and in the validation split: 4 of 100 validation examples belong to "
        "a group that was trained on."
    )


def test_groups_in_training_and_in_a_given_test_set():
    sound = toy()
    splits = make_splits(sound.y_train, validation=0.25)
    groups, test_groups = np.arange(400), np.full(len(sound.y_test), -1)
    assert "group-across-splits" not in codes(changed(sound, groups=groups, test_groups=test_groups), splits)
    test_groups[:3] = groups[splits.train[0]]
    test_groups[3] = groups[splits.validation[0]]  # nothing was trained on it
    found = findings(changed(sound, groups=groups, test_groups=test_groups), splits)["group-across-splits"]
    assert found.message.startswith("1 of 400 groups is in the training split and in the test set: 3 of ")
