"""Labels in the forms that people have."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from wellfit.data.predictions.label_values import group_codes, label_values
from wellfit.errors import DataError


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


def test_groups_are_numbers_or_texts_and_none_is_missing():
    assert group_codes([2, "a", 2, 1], 4, "y").tolist() == [1, 2, 1, 0]
    assert group_codes(np.array([30, 4]), 2, "y").tolist() == [1, 0]
    for groups in ([1, None], ["a", float("nan")], np.array([0.5, np.nan]), np.array(["a", ""])):
        with pytest.raises(DataError, match="y: the group of example 1 is missing; give every example one"):
            group_codes(groups, 2, "y")


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
