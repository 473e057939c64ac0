"""Labels in every form that people have become classes, or are refused with their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import LabelEncoder, OneHotEncoder

from wellfit.data.labels import class_names, encode_labels, flat_labels
from wellfit.data.parts import Part, RawData
from wellfit.errors import DataError


def encode(labels, test=None, classes=None, lines=None):
    train = Part(np.zeros((len(labels), 2)), np.asarray(labels), "train.file", lines=lines)
    other = None if test is None else Part(np.zeros((len(test), 2)), np.asarray(test), "test.file")
    codes, names = encode_labels(RawData(train, other), classes)
    assert codes.dtype == np.int32
    return codes.tolist(), names


@pytest.mark.parametrize(
    ("labels", "names", "codes"),
    [
        ([3, 1, 3, 1], ("1", "3"), [1, 0, 1, 0]),
        ([-1.0, 1.0, -1.0, 1.0], ("-1", "1"), [0, 1, 0, 1]),
        ([1, 2, 5, 2], ("1", "2", "5"), [0, 1, 2, 1]),
        ([True, False, True], ("False", "True"), [1, 0, 1]),
        ([b"cat", b"ant"], ("ant", "cat"), [1, 0]),
        ([b"1", b"0"], ("0", "1"), [1, 0]),
        (np.array([2**40, 7]), ("7", str(2**40)), [1, 0]),
        (np.array([2**64 - 1, 0], np.uint64), ("0", str(2**64 - 1)), [1, 0]),
        (np.array([[4], [2]]), ("2", "4"), [1, 0]),
        (np.array([[4, 2]]), ("2", "4"), [1, 0]),
        (["10", "9.0", "10", "9"], ("9", "10"), [1, 0, 1, 0]),
        (["1.000000000000000000e+01", "9.000000000000000000e+00"], ("9", "10"), [1, 0]),
        (["cat", "Dog ", " cat", "ant"], ("Dog", "ant", "cat"), [2, 0, 2, 1]),
        (["007", "01"], ("007", "01"), [0, 1]),  # names, not numbers
        (["1.5 l", "1"], ("1", "1.5 l"), [1, 0]),
        (np.array([1, 0, True], object), ("0", "1"), [1, 0, 1]),
        (np.array([1.0, 0.0], object), ("0", "1"), [1, 0]),
        (np.array([1, "a"], object), ("1", "a"), [0, 1]),
        (pd.Series(["b", "a"], dtype="category"), ("a", "b"), [1, 0]),
        (pd.Series([2, 1], dtype="Int64"), ("1", "2"), [1, 0]),
    ],
)
def test_labels_become_classes(labels, names, codes):
    assert encode(labels) == (codes, names)


@pytest.mark.parametrize("dtype", [np.float64, np.int8, np.bool_])
def test_one_hot_rows(dtype):
    labels = np.array([2, 0, 1, 2])
    rows = OneHotEncoder(sparse_output=False).fit_transform(labels[:, None]).astype(dtype)
    assert encode(rows) == ([2, 0, 1, 2], ("0", "1", "2"))
    assert encode(rows, classes=("a", "b", "c")) == ([2, 0, 1, 2], ("a", "b", "c"))
    assert flat_labels(Part(np.zeros((5, 4)), rows.T, "columns"))[0].tolist() == [2, 0, 1, 2]


def test_one_hot_of_minus_one_and_rounded_ones():
    assert encode(2 * np.eye(3) - 1) == ([0, 1, 2], ("0", "1", "2"))
    assert encode(np.eye(3) * (1 + 1e-7)) == ([0, 1, 2], ("0", "1", "2"))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[1, 0], [1, 1]], r"shape \(2, 2\), and row 1 \(counted from 0\) has 2 ones; .*one class per example"),
        ([[1, 0], [0, 0]], r"row 1 .*has 0 ones"),
        ([[1, 0], [0.5, 0.5]], r"row 1 .*has 0 ones"),
        ([[1, 7], [0, 1]], r"row 0 .*has values other than 0 and 1"),
        (np.zeros((2, 2, 2)), r"the labels have shape \(2, 2, 2\); give one label per example"),
        ([["a", "b"], ["c", "d"]], r"the labels have shape \(2, 2\)"),
        ([1j, 2j], r"labels of type complex128 are not classes"),
        ([0.0, np.nan, 1.0], r"a label is missing, in row 1 \(counted from 0\); add the label or drop the row"),
        (np.array(["a", None, "b"], object), r"a label is missing, in row 1"),
        (np.array([1, pd.NA], object), r"a label is missing, in row 1"),
        (["a", "", " "], r"2 labels are missing, in rows 1, 2"),
        (["a", np.nan, "b"], r"a label is missing, in row 1"),
        (
            [np.nan] * 17 + [1.0],
            r"17 labels are missing, in rows 0, 1, 2, 3, 4 and 12 more \(counted from 0\)",
        ),
        ([0, 1.5], r"label 1\.5 in row 1 \(counted from 0\) is not a class"),
        ([0, np.inf], r"label inf in row 1"),
        (["1", "2", "2.5"], r"label 2\.5 in row 2 .*\[data\] label"),
        (np.zeros(3), r"all labels are '0', but training needs two or more classes"),
    ],
)
def test_labels_that_are_refused(labels, message):
    with pytest.raises(DataError, match=rf"^train\.file: .*{message}") as caught:
        encode(labels)
    assert "\n" not in str(caught.value)


def test_lines_name_the_rows_of_a_table():
    with pytest.raises(DataError, match=r"2 labels are missing, in lines 3, 5; add"):
        encode(["a", "", "b", ""], lines=np.array([2, 3, 4, 5]))


def test_sets_with_unlike_one_hot_columns_are_refused():
    with pytest.raises(DataError, match=r"the one-hot labels have 3 columns, but those of test\.file have 2"):
        encode(np.eye(3), np.eye(2))


@pytest.mark.parametrize("as_text", [False, True])
def test_numbers_to_predict_are_refused(as_text):
    rng = np.random.default_rng(0)
    prices = np.round(rng.lognormal(12, 0.5, 400), 2)
    ages = rng.integers(18, 5000, 100)
    for values, count in ((prices, len(np.unique(prices))), (ages, len(np.unique(ages)))):
        with pytest.raises(DataError, match=rf"the labels are {count} different numbers from .*wellfit trains class"):
            encode(values.astype(str) if as_text else values)


def test_many_classes_are_no_numbers_to_predict():
    assert len(encode(np.arange(1000).repeat(2))[1]) == 1000
    assert len(encode(np.arange(40).repeat(6) * 3)[1]) == 40
    letters = np.delete(np.arange(25), 9)  # sign language lacks J
    assert len(encode(letters.repeat(3))[1]) == 24


def test_classes_are_numbered_over_all_sets():
    assert encode(["1", "2"], ["x", "2"]) == ([0, 1, 2, 1], ("1", "2", "x"))
    rng = np.random.default_rng(1)
    labels = rng.choice(["b", "a", "d", "c"], 50)
    np.testing.assert_array_equal(encode(labels)[0], LabelEncoder().fit_transform(labels))


def test_given_class_names():
    names = ("ant", "bee", "cat")
    assert encode([2, 1, 2, 1], classes=names) == ([2, 1, 2, 1], names)
    assert encode([3, 1, 2, 1], classes=names) == ([2, 0, 1, 0], names)  # 1-based
    assert encode([-1, 1, 1], classes=("no", "yes")) == ([0, 1, 1], ("no", "yes"))
    assert encode(["cat", "ant"], classes=names) == ([2, 0], names)
    assert encode([0, 1], classes=(" a", "b ")) == ([0, 1], ("a", "b"))


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 1, 2, 3], ("a", "b"), r"the labels are 4 different numbers \(0 to 3\), but classes has 2 names"),
        ([1, 3, 1, 3], ("a", "b", "c"), r"label 3 in row 1 \(counted from 0\) is out of range; use 0 to 2"),
        (["a", "z"], ("a", "b"), r"label 'z' in row 1 \(counted from 0\) is not among the classes \(a, b\)"),
        ([0, 1], ("a", "a"), r"classes has 'a' twice"),
        ([0, 1], ("a", " "), r"classes has an empty name"),
    ],
)
def test_class_names_that_do_not_fit(labels, classes, message):
    with pytest.raises(DataError, match=message):
        encode(labels, classes=classes)


def test_the_set_with_an_unknown_label_is_named():
    with pytest.raises(DataError, match=r"test\.file: label 9 in row 1"):
        encode([0, 1], [0, 9], classes=("a", "b"))
    many = tuple(f"c{i}" for i in range(30))
    with pytest.raises(DataError, match=r"c9 and 20 more"):
        encode(["c1", "c2", "z"], classes=many)
    assert class_names(many, "here") == many
