"""What a run predicted, checked."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax

from wellfit.data.predictions.answers import (
    check_predicted,
    class_codes,
    class_names,
    distinct,
    group_codes,
    label_values,
    predicted_classes,
    probabilities_of,
)
from wellfit.errors import DataError


def test_float32_is_kept_to_the_bit():
    p = softmax(np.random.default_rng(0).normal(size=(50, 4)), axis=1).astype(np.float32)
    assert probabilities_of(p, 4, "p").tobytes() == p.tobytes()


def test_float64_is_kept_where_rounding_would_change_a_class():
    tied = np.array([[0.5 - 1e-9, 0.5 + 1e-9], [0.3, 0.7]])
    found = probabilities_of(tied, 2, "p")
    assert (found.dtype, found.argmax(axis=1).tolist()) == (np.float64, [1, 1])
    assert probabilities_of(tied[1:], 2, "p").dtype == np.float32


def test_logits_become_probabilities_only_when_asked():
    logits = np.random.default_rng(0).normal(0, 3, (40, 3))
    np.testing.assert_allclose(probabilities_of(logits, 3, "p", softmax=True), softmax(logits, axis=1), rtol=1e-6)
    np.testing.assert_allclose(
        probabilities_of(logits[:, :1], 2, "p", softmax=True)[:, 1], expit(logits[:, 0]), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[0.5, 0.5], [3.0, -1.0]], "p: 3 in row 1 .from 0. is not a probability; if these are logits, give --softmax"),
        ([[0.5, 0.5], [0.5, 0.4]], "in row 1 .* sum to 0.9, not to 1"),
        ([[0.5, 0.5], [np.nan, 0.5]], "NaN or infinity in row 1"),
        ([[0.2, 0.3, 0.5]], "shape .1, 3., but there are 2 classes"),
        ([["a", "b"]], "instead of probabilities"),
        (np.zeros((0, 2)), "shape .0, 2."),
    ],
)
def test_what_are_no_probabilities_is_one_line(values, message):
    with pytest.raises(DataError, match=message) as caught:
        probabilities_of(values, 2, "p")
    assert "\n" not in str(caught.value)


def test_probabilities_are_no_logits():
    p = softmax(np.random.default_rng(0).normal(size=(5, 3)), axis=1).astype(np.float32)
    with pytest.raises(
        DataError, match=r"these are probabilities already; leave out --softmax \(softmax=True\) for them"
    ):
        probabilities_of(p, 3, "p", softmax=True)
    probabilities_of(np.concatenate([p, [[0.5, 0.6, 0.1]]]), 3, "p", softmax=True)


def test_rounded_probabilities_are_some():
    p = softmax(np.random.default_rng(0).normal(size=(30, 10)), axis=1).round(3)
    assert probabilities_of(p, 10, "p").shape == (30, 10)


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([0, 2, 1], [0, 2, 1]),
        (np.array([[0.0], [1.0]]), [0, 1]),
        ([[0, 1], [1, 0]], [1, 0]),
        (["b", "a"], ["b", "a"]),
        (np.array(["b", "a"], dtype=object), ["b", "a"]),
        ([True, False], [1, 0]),
    ],
)
def test_labels_come_in_many_forms(labels, found):
    assert label_values(labels, "y").tolist() == found


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([], "give one label per example"),
        (np.zeros((2, 2, 2)), "give one label per example"),
        ([0.5, 1.0], "label 0.5 of example 0 is not a class"),
        ([0.0, np.nan], "label nan of example 1"),
        (["a", float("nan")], "the label of example 1 is missing"),
        (np.array(["a", None], dtype=object), "the label of example 1 is missing"),
    ],
)
def test_labels_that_cannot_be_are_one_line(labels, message):
    with pytest.raises(DataError, match=message):
        label_values(labels, "y")


def test_integers_count_the_columns_and_others_are_in_order():
    assert class_names(np.array([0, 2]), 3, None, "y") == (("0", "1", "2"), (0, 1, 2))
    assert class_names(np.array([1, 2, 3]), 3, None, "y") == (("1", "2", "3"), (1, 2, 3))
    assert class_names(np.array(["no", "yes"]), 2, None, "y")[0] == ("no", "yes")
    assert class_names(np.array([0, 1]), None, ("cat", "dog"), "y") == (("cat", "dog"), (0, 1))
    assert class_names(np.array(["dog"]), 2, ("cat", "dog"), "y") == (("cat", "dog"), ("cat", "dog"))
    assert class_names(np.array([7, 3]), 2, ("7", "3"), "y") == (("7", "3"), ("7", "3"))


def test_names_that_are_numbers_in_part_are_compared_as_texts():
    names, stands_for = class_names(np.array([0, 1]), 3, ("1", "0", "other"), "y")
    assert names == ("1", "0", "other")
    assert class_codes(np.array([0, 1, 1]), stands_for, "y").tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("labels", "columns", "given", "message"),
    [
        ([0, 1, 5], 3, None, None),
        ([0, 1], None, ("a",), "give two or more"),
        ([0, 1], 3, ("a", "b"), "2 class names for 3 probabilities"),
        (["x"], 2, ("a", "b"), "label 'x' is none of the classes a, b"),
        ([0, 5], 3, None, "2 different labels .0, 5 ...., but 3 probabilities"),
        ([4, 4], None, None, "all labels are 4"),
    ],
)
def test_classes_that_do_not_fit_are_one_line(labels, columns, given, message):
    if message is None:
        assert class_names(np.array(labels), columns, given, "y")[0] == ("0", "1", "5")
        return
    with pytest.raises(DataError, match=message):
        class_names(np.array(labels), columns, given, "y")


def test_predictions_are_positions_among_the_classes():
    assert predicted_classes(["b", "a", "b"], ("a", "b"), "p").tolist() == [1, 0, 1]
    assert class_codes(np.array([3, 7]), (7, 3), "p").tolist() == [1, 0]
    assert distinct([np.array([2, 1]), np.array(["b"])]).tolist() == ["1", "2", "b"]
    with pytest.raises(DataError, match="'c' of example 1 is none of the classes a, b"):
        predicted_classes(["a", "c"], ("a", "b"), "p")


@pytest.mark.parametrize(
    ("label", "predicted"),
    [("cat", "Cat"), ("cat", "cat "), ("true", "True"), ("caf\u00e9", "cafe\u0301"), ("1", "1.0"), ("x\u00b2", "x2")],
)
def test_a_prediction_that_differs_from_a_label_in_spelling_alone_is_refused(label: str, predicted: str):
    labels, right = np.array([label, "dog"]), np.array([label, "dog"])
    check_predicted(labels, [("a", right)])
    said = re.escape(f"b: predicts {predicted!r}, but the label is {label!r}; write both alike")
    with pytest.raises(DataError, match=said):
        check_predicted(labels, [("a", right), ("b", np.array([predicted, "dog"]))])


def test_classes_that_differ_in_case_are_classes_if_labels_say_so():
    letters = np.array(["a", "A", "b"])  # as in EMNIST
    check_predicted(letters, [("a", np.array(["A", "a", "b"]))])
    assert class_names(letters, None, None, "y")[0] == ("A", "a", "b")
    with pytest.raises(DataError, match="y: labels 'a' and 'a ' differ in blanks alone; write them alike"):
        class_names(np.array(["a", "a ", "b"]), None, None, "y")


def test_groups_are_numbers_or_texts_and_none_is_missing():
    assert group_codes([2, "a", 2, 1], 4, "y").tolist() == [1, 2, 1, 0]
    assert group_codes(np.array([30, 4]), 2, "y").tolist() == [1, 0]
    for groups in ([1, None], ["a", float("nan")], np.array([0.5, np.nan]), np.array(["a", ""])):
        with pytest.raises(DataError, match="y: the group of example 1 is missing; give every example one"):
            group_codes(groups, 2, "y")


@pytest.mark.parametrize(
    ("labels", "runs", "message"),
    [
        (["cat", "dog"], [["cat"], [0, 1]], r"b: predicts 0, 1, none of which is a label \(cat, dog\); predict the"),
        ([0, 1], [["no", "yes"]], r"a: predicts no, yes, none of which is a label \(0, 1\)"),
        ([1, 2, 3], [[0, 1], [1, 2]], "a: all runs predict 0, 1, 2, but the labels are 1, 2, 3; predict the labels"),
        ([0, 1], [[1, 2]], "a: all runs predict 1, 2, but the labels are 0, 1"),
        ([0, 1], [["0", "1"], [0, 3]], None),
        ([1, 2, 3], [[1, 1], [1, 4]], None),
        ([1, 2], [], None),
    ],
)
def test_predictions_in_other_words_than_the_labels_are_refused(labels, runs, message):
    named = list(zip("ab", map(np.array, runs), strict=False))
    if message is None:
        check_predicted(np.array(labels), named)
        return
    with pytest.raises(DataError, match=message):
        check_predicted(np.array(labels), named)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([pd.NA, "a", "b"], "the label of example 0 is missing"),
        ([Decimal("nan"), "a", "b"], "the label of example 0 is missing"),
        (["a", "", "b"], "the label of example 1 is missing"),
        (np.array(["a", "", "b"]), "the label of example 1 is missing"),
        (np.array([0, 1, np.inf]), "label inf of example 2 is not a class"),
        (np.array([0, 1, 1e30]), r"label 1e\+30 of example 2 is not a class"),
        (np.array([0, 2**64 - 1], np.uint64), "label 18446744073709551615 of example 1 is not a class"),
        ([10**30, 0], "a label of 100 bits is too large"),
        (np.array([b"\xff", b"a"]), "labels are bytes that are no text in UTF-8"),
        (np.zeros(2, [("a", int)]), "labels of type .*; give whole numbers or names"),
        (np.array([[1], [1, 2]], dtype=object), "the label of example 0 is of type list"),
        (np.array(["\ud800", "a"]), "labels hold what is not a character"),
        ([10**5000, "a"], "labels hold very large numbers"),
        ([[1], [1, 2]], "labels of unlike lengths"),
        (["a" * 501, "b"], "the label of example 0 has 501 characters; use at most 500"),
        (np.array([0x7FFFFFFF, 98], np.uint32).view("<U1"), "labels hold what is not a character"),
    ],
)
def test_labels_that_are_none_are_one_line(labels: Any, message: str):
    with pytest.raises(DataError, match=f"y: {message}"):
        label_values(labels, "y")


def test_bytes_and_booleans_are_labels():
    assert label_values(np.array([b"cat", b"dog"]), "y").tolist() == ["cat", "dog"]
    assert label_values([True, False], "y").tolist() == [1, 0]
    assert label_values(np.array(["cat", "dog"], ">U3"), "y").tolist() == ["cat", "dog"]  # as HDF5 files have it
    assert group_codes(np.array([b"cat", b"dog", b"cat"]), 3, "y").tolist() == [0, 1, 0]
    with pytest.raises(DataError, match="groups are bytes that are no text in UTF-8"):
        group_codes(np.array([b"\xff"]), 1, "y")


@pytest.mark.parametrize("form", ["{}", "{}.0", "+{}", "{:02}"])
def test_numbers_as_text_in_any_form(form: str):
    """10.0 stands before 2.0, but 10 does not stand before 02."""
    names = np.array([form.format(at) for at in range(11)])
    if sorted(names.tolist()) == names.tolist():
        assert class_names(names, 11, None, "y")[1] == tuple(names.tolist())
    else:
        with pytest.raises(DataError, match="labels are numbers written as text"):
            class_names(names, 11, None, "y")


def test_numbers_as_text_have_two_orders_from_eleven_classes_on():
    names = np.array([str(at) for at in range(12)])
    with pytest.raises(DataError, match=r"in the order 0, 1, 10, 11 or 0, 1, 2, 3; .* name the classes"):
        class_names(names, 12, None, "y")
    assert class_names(names, 12, names.tolist(), "y")[1] == tuple(names.tolist())
    assert class_names(names[:10], 10, None, "y")[1] == tuple(names[:10].tolist())
    assert class_names(names, None, None, "y")  # predicted classes need no order
