"""Classes of labels and predictions."""

from __future__ import annotations

import re

import numpy as np
import pytest

from wellfit.data.predictions.classes import check_predicted, class_codes, class_names, predicted_classes
from wellfit.data.predictions.label_values import distinct
from wellfit.errors import DataError


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
    said = re.escape(f"b: predicts {predicted!r}, but the label is {label!r}; if these are two classes, name all")
    with pytest.raises(DataError, match=said):
        check_predicted(labels, [("a", right), ("b", np.array([predicted, "dog"]))])


def test_classes_that_differ_in_case_are_classes_if_labels_say_so():
    letters = np.array(["a", "A", "b"])  # as in EMNIST
    check_predicted(letters, [("a", np.array(["A", "a", "b"]))])
    assert class_names(letters, None, None, "y")[0] == ("A", "a", "b")
    blank = np.array(["a", "a ", "b"])
    with pytest.raises(DataError, match="y: labels 'a' and 'a ' differ in blanks alone; write them alike"):
        class_names(blank, None, None, "y")
    assert class_names(blank, None, ("a", "a ", "b"), "y")[0] == ("a", "a ", "b")
    assert class_names(np.array(["a", " ", "\n"]), None, None, "y")[0] == ("\n", " ", "a")  # of a model of characters


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
