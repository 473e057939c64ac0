"""Arrays are found by the names that people give them."""

from __future__ import annotations

import numpy as np
import pytest

from wellfit.base import DEFAULT_READING, Reading
from wellfit.data.arrays.names import Stored, kind_of, raw_of_arrays
from wellfit.errors import DataError

X, X_TEST = np.arange(60.0).reshape(20, 3), np.arange(30.0).reshape(10, 3)
Y, Y_TEST = np.arange(20) % 2, np.arange(10) % 2


def choose(reading=DEFAULT_READING, **arrays):
    stored = {n: Stored(np.shape(a), np.asarray(a).dtype, lambda a=a: np.asarray(a)) for n, a in arrays.items()}
    return raw_of_arrays(stored, "a.npz", reading)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        *[("x", "y"), ("X", "y"), ("X", "Y"), ("data", "target"), ("data", "label"), ("data", "labels")],
        *[("images", "labels"), ("features", "targets"), ("inputs", "outputs"), ("image", "class"), ("imgs", "lbls")],
        *[("pixels", "Label"), ("IMAGES", "LABELS"), ("X_data", "y_data"), ("images", "image_labels")],
    ],
)
def test_one_set(x, y):
    raw = choose(**{x: X, y: Y})
    np.testing.assert_array_equal(raw.train.x, X)
    np.testing.assert_array_equal(raw.train.labels, Y)
    assert raw.test is raw.validation is None
    assert raw.facts == ()
    assert raw.train.where == f"a.npz ({x})"


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("X_TRAIN", "Y_TRAIN", "X_TEST", "Y_TEST"),
        ("xtrain", "ytrain", "xtest", "ytest"),
        ("XTrain", "YTrain", "XTest", "YTest"),
        ("xTrain", "yTrain", "xTest", "yTest"),
        ("train_x", "train_y", "test_x", "test_y"),
        ("trainX", "trainY", "testX", "testY"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("training_data", "training_labels", "test_data", "test_labels"),
        ("images_train", "labels_train", "images_test", "labels_test"),
        ("train_set_x_orig", "train_set_y", "test_set_x_orig", "test_set_y"),
        ("X_tr", "y_tr", "X_te", "y_te"),
        ("Xtr", "ytr", "Xte", "yte"),
        ("train/images", "train/labels", "test/images", "test/labels"),
        ("kmnist-train-imgs", "kmnist-train-labels", "kmnist-test-imgs", "kmnist-test-labels"),
        ("trainImages", "trainLabels", "testImages", "testLabels"),
        ("features_train", "targets_train", "features_test", "targets_test"),
    ],
)
def test_training_and_test_set(names):
    raw = choose(**dict(zip(names, (X, Y, X_TEST, Y_TEST), strict=True)))
    for found, array in zip(
        (raw.train.x, raw.train.labels, raw.test.x, raw.test.labels), (X, Y, X_TEST, Y_TEST), strict=True
    ):
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("name", ["val", "valid", "validation", "dev"])
def test_validation_set(name):
    for x, y in ((f"x_{name}", f"y_{name}"), (f"{name}_images", f"{name}_labels"), (f"X{name}", f"y{name}")):
        raw = choose(**{"x_train": X, "y_train": Y, x: X_TEST, y: Y_TEST})
        np.testing.assert_array_equal(raw.validation.x, X_TEST)
        assert raw.test is None


def test_a_set_alone_is_what_there_is():
    np.testing.assert_array_equal(choose(x_test=X, y_test=Y).train.x, X)


def test_arrays_without_names_are_told_by_shape():
    raw = choose(arr_0=X, arr_1=Y[:, None])
    np.testing.assert_array_equal(raw.train.x, X)
    assert raw.facts == (("arrays", "arr_0 as examples, arr_1 as labels"),)


def test_other_arrays_are_skipped_and_counted():
    raw = choose(x=X, y=Y, ids=Y, notes=np.array("text"), feature_names=np.array(["a", "b", "c"]))
    assert raw.facts == (("arrays skipped", "3: ids, notes, feature_names"),)
    raw = choose(x_train=X, y_train=Y, x_test=X_TEST)
    assert raw.test is None
    assert raw.facts == (("arrays skipped", "1: x_test"),)
    many = choose(x=X, y=Y, **{f"n{i}": Y for i in range(12)})
    assert many.facts[0][1].endswith("n9, ...")


def test_class_names():
    names = np.array([b"no", b"yes"])
    assert choose(x=X, y=Y, target_names=names).classes == ("no", "yes")
    assert choose(x=X, y=np.eye(2)[Y], class_names=names).classes == ("no", "yes")
    assert choose(x=X, y=Y + 1, list_classes=names.astype(str)).classes == ("no", "yes")
    for other in (np.arange(2), np.array(["a.png"] * 20), np.array([["a"]])):
        raw = choose(x=X, y=Y, names=other)
        assert raw.classes == ()
        assert raw.facts == (("arrays skipped", "1: names"),)
    assert choose(x=X, y=Y.astype(str), names=names).classes == ()


def test_notes_of_used_arrays_become_facts():
    stored = {"x": Stored(X.shape, X.dtype, lambda: X, ("a", "b")), "y": Stored(Y.shape, Y.dtype, lambda: Y)}
    assert raw_of_arrays(stored, "a.mat").facts == (("a", "b"),)


def test_settings_name_arrays():
    raw = choose(Reading(label="fine", group="patient"), x=X, coarse=Y, fine=1 - Y, patient=Y[:, None] + 5)
    np.testing.assert_array_equal(raw.train.labels, 1 - Y)
    np.testing.assert_array_equal(raw.train.groups, Y + 5)
    assert raw.facts == (("arrays skipped", "1: coarse"),)
    raw = choose(Reading(label="y_b"), x_train=X, y_a=Y, y_b=1 - Y)
    np.testing.assert_array_equal(raw.train.labels, 1 - Y)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_train": X, "images": X}, r"lacks y_train \(it has images \(20, 3\), x_train \(20, 3\)\); save x_train"),
        ({"x": X}, r"lacks y \(it has x \(20, 3\)\)"),
        ({"foo": X, "bar": X, "baz": Y}, r"lacks x and y"),
        ({}, r"lacks x and y \(it has nothing\)"),
        ({"x": X, "fine_labels": Y, "coarse_labels": Y}, r"several arrays could be the labels \(fine_labels, coarse"),
        ({"x_a": X, "x_b": X, "y": Y}, r"several arrays could be the examples \(x_a, x_b\); keep one of them"),
    ],
)
def test_what_is_not_clear_is_refused(arrays, message):
    with pytest.raises(DataError, match=rf"^a\.npz: {message}"):
        choose(**arrays)


def test_settings_that_name_no_array():
    with pytest.raises(DataError, match=r"has no array 'z' \(it has x, y\); name one of them with \[data\] label"):
        choose(Reading(label="z"), x=X, y=Y)
    with pytest.raises(DataError, match=r"has no array 'z' .*\[data\] group"):
        choose(Reading(group="z"), x=X, y=Y)


def test_kinds():
    assert kind_of("camelyonpatch_level_2_split_train_x") == ("train", "x", "camelyonpatch-level-2")
    assert kind_of("ids") == ("", "", "ids")
    assert kind_of("X_t10k") == ("test", "x", "")


def test_groups_that_no_setting_names_are_pointed_out() -> None:
    facts = dict(choose(x=X, y=Y, groups=Y + 5).facts)
    assert facts["arrays skipped"] == '1: groups; to keep its groups whole: [data] group = "groups"'
