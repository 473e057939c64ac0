"""Labels to classes, values to pixels, and everything about arrays that is refused."""

from __future__ import annotations

import numpy as np
import pytest

from wellfit.data.assemble import Part, RawData, assemble, make_dataset
from wellfit.errors import DataError


def build(x, labels, x_test=None, labels_test=None, **known):
    test = None if x_test is None else Part(np.asarray(x_test), np.asarray(labels_test), "test.file")
    raw = RawData(Part(np.asarray(x), np.asarray(labels), "train.file"), test)
    return assemble(raw, name="n", title="T", source="s", **known)


ROWS = np.arange(20.0).reshape(10, 2)


@pytest.mark.parametrize(
    ("labels", "classes", "encoded"),
    [
        ([3, 1, 3, 1], ("1", "3"), [1, 0, 1, 0]),
        ([-1.0, 1.0, -1.0, 1.0], ("-1", "1"), [0, 1, 0, 1]),
        ([True, False, True, False], ("0", "1"), [1, 0, 1, 0]),
        (["10", "9.0", "10", "9"], ("9", "10"), [1, 0, 1, 0]),
        (["cat", "Dog", "cat", "ant"], ("Dog", "ant", "cat"), [2, 0, 2, 1]),
        (["007", "01", "007", "01"], ("007", "01"), [0, 1, 0, 1]),  # names, not numbers
        (["1.5 l", "1", "1", "1.5 l"], ("1", "1.5 l"), [1, 0, 0, 1]),
    ],
)
def test_labels_become_classes(labels, classes, encoded):
    found = build(ROWS[:4], labels, ROWS[:4], labels)
    assert found.classes == classes
    assert found.y_train.tolist() == found.y_test.tolist() == encoded
    assert found.y_train.dtype == np.int32


def test_classes_come_from_both_splits():
    found = build(ROWS[:4], ["1", "2", "1", "2"], ROWS[:2], ["x", "2"])
    assert found.classes == ("1", "2", "x")
    assert found.y_test.tolist() == [2, 1]


def test_known_classes():
    found = build(ROWS[:4], [2, 1, 2, 1], ROWS[:1], [1], classes=("a", "b", "c"), pixel_max=9.0)
    assert found.y_train.tolist() == [2, 1, 2, 1]
    assert found.pixel_max == 9
    with pytest.raises(DataError, match=r"test\.file: label 3 in row 1 \(counted from 0\) is out of range; use 0 to 2"):
        build(ROWS[:4], [2, 1, 2, 1], ROWS[:2], [1, 3], classes=("a", "b", "c"))
    with pytest.raises(DataError, match=r"train\.file: label -1 in row 0"):
        build(ROWS[:2], [-1, 1], ROWS[:2], [1, 1], classes=("a", "b", "c"))


def test_a_fifth_becomes_the_test_set():
    x = np.arange(200.0).reshape(100, 2)
    y = np.repeat([0, 1], [70, 30])
    found = build(x, y)
    assert np.bincount(found.y_test).tolist() == [14, 6]
    rows = np.concatenate([found.x_train, found.x_test])
    np.testing.assert_array_equal(np.sort(rows, axis=0), x)
    np.testing.assert_array_equal(found.y_test, (found.x_test[:, 0] >= 140).astype(int))
    np.testing.assert_array_equal(build(x, y).x_test, found.x_test)


@pytest.mark.parametrize(
    ("x", "dtype", "shape", "pixel_max"),
    [
        (np.full((4, 3, 3), 200, np.uint8), "uint8", (3, 3), 255),
        (np.full((4, 3, 3), 200, np.int64), "uint8", (3, 3), 255),
        (np.full((4, 3, 3, 3), 1.0), "uint8", (3, 3, 3), 1),
        (np.full((4, 3, 3), True), "uint8", (3, 3), 1),
        (np.full((4, 3, 3), 0.5), "float32", (3, 3), 1),
        (np.full((4, 3, 3), 199.5), "float32", (3, 3), 255),
        (np.full((4, 3, 3), -0.5), "float32", (3, 3), None),
        (np.full((4, 3, 3), 4000), "float32", (3, 3), None),
        (np.full((4, 784), 255.0), "uint8", (28, 28), 255),
        (np.full((4, 784), 0.5), "float32", (784,), None),
        (np.full((4, 5), 3, np.uint8), "uint8", (5,), None),
        (np.full((4, 5), 3, np.int16), "float32", (5,), None),
    ],
)
def test_what_pixels_are(x, dtype, shape, pixel_max):
    found = build(x, [0, 1, 0, 1], x[:2], [0, 1])
    assert (found.x_train.dtype, found.input_shape, found.pixel_max) == (dtype, shape, pixel_max)
    assert (found.x_test.dtype, found.x_test.shape[1:]) == (dtype, shape)
    np.testing.assert_array_equal(found.x_train.ravel(), x.ravel())


def test_a_test_set_scaled_otherwise_keeps_its_values():
    x = np.full((4, 784), 51)
    found = build(x, [0, 1, 0, 1], x[:2] / 255, [0, 1])
    assert found.x_train.dtype == found.x_test.dtype == np.float32
    assert found.input_shape == found.x_test.shape[1:] == (28, 28)
    np.testing.assert_allclose(found.x_test, 0.2, rtol=1e-7)


BAD = np.array([[1.0, 2.0], [np.nan, 2.0], [3.0, 4.0], [5.0, 6.0]])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ((ROWS, np.eye(10)), r"train\.file: the labels have shape \(10, 10\); give one label per row"),
        ((np.zeros(4), [0, 1, 0, 1]), r"the examples have shape \(4,\)"),
        ((ROWS, [0, 1]), r"10 examples but 2 labels"),
        ((np.zeros((0, 3)), np.zeros(0)), r"the examples are empty \(shape \(0, 3\)\)"),
        ((np.zeros((2, 0)), [0, 1]), r"the examples are empty \(shape \(2, 0\)\)"),
        ((np.array([["a"], ["b"]]), [0, 1]), r"the examples have type <U1; give real numbers"),
        ((np.zeros((2, 2), complex), [0, 1]), r"the examples have type complex128"),
        (
            (BAD, [0, 1, 0, 1]),
            r"train\.file: row 1 \(counted from 0\) has a value that is missing, infinite or too large",
        ),
        ((ROWS[:4], [0, 1, 0, 1], BAD, [0, 1, 0, 1]), r"test\.file: row 1 "),
        ((ROWS[:2] + 1e300, [0, 1]), r"row 0 .* too large for float32"),
        ((ROWS[:4], [0, 1, 0, 1], ROWS[:4, :1], [0, 1, 0, 1]), r"test\.file: the examples have shape \(1,\)"),
        ((ROWS[:4], [0, 1, 0, 1], ROWS[:4], [0, 1]), r"test\.file: 4 examples but 2 labels"),
        ((ROWS, np.zeros(10)), r"all labels are '0', but training needs two or more classes"),
        ((ROWS[:2], [0, 1.5]), r"label 1\.5 in row 1 \(counted from 0\) is not a class"),
        ((ROWS[:2], [np.nan, 1]), r"label nan in row 0"),
        ((ROWS[:3], ["1", "2", "2.5"]), r"label '2\.5' in row 2 .* name their column label, class, target or y"),
        ((ROWS[:2], [1j, 2j]), r"labels of type complex128 are not classes"),
        ((ROWS[:2], [0, 1]), r"2 rows are too few to hold out a fifth"),
    ],
)
def test_arrays_that_are_refused(arrays, message):
    with pytest.raises(DataError, match=message) as caught:
        build(*arrays)
    assert "\n" not in str(caught.value)


# --- Arrays of a notebook ---------------------------------------------------------------------------------------------


def test_arrays_become_a_data_set():
    data = make_dataset(ROWS[:4].tolist(), [0, 1, 0, 1], ROWS[:2], [1, 0], name="toy", classes=("no", "yes"))
    assert (data.name, data.title, data.classes, data.x_train.dtype) == ("toy", "toy", ("no", "yes"), "float32")
    assert data.y_test.tolist() == [1, 0]
    images = make_dataset(np.full((10, 2, 2), 16), [0, 1] * 5, title="Toy", pixel_max=16)
    assert (images.title, images.pixel_max, images.x_test.shape) == ("Toy", 16, (2, 2, 2))


def test_arrays_that_make_no_data_set():
    with pytest.raises(DataError, match="a test set needs both x_test and y_test"):
        make_dataset(ROWS, [0, 1] * 5, x_test=ROWS)
    with pytest.raises(DataError, match="x_train: the rows differ in shape"):
        make_dataset([[1, 2], [3]], [0, 1])
    with pytest.raises(DataError, match="the labels are already names; omit classes"):
        make_dataset(ROWS, ["a", "b"] * 5, classes=("x", "y"))
    with pytest.raises(DataError, match=r"the training set: row 1 \(counted from 0\)"):
        make_dataset(BAD, [0, 1, 0, 1])
