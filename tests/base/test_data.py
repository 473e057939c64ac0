"""Data sets and training data."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from wellfit.base import Dataset, Pool, Scaling, TrainingData
from wellfit.errors import DataError

SHAPES = pytest.mark.parametrize("shape", [(5,), (4, 3), (4, 3, 2)], ids=["rows", "gray", "color"])
SCALING = Scaling("unit", np.zeros((), np.float32), np.ones((), np.float32))


def dataset(shape: tuple[int, ...]) -> Dataset:
    x, y = np.zeros((6, *shape), np.float32), np.zeros(6, np.int32)
    return Dataset("toy", x, y, x[:2], y[:2], ("a", "b"), None, "Toy", "memory", "0" * 64)


def training(shape: tuple[int, ...]) -> TrainingData:
    x, y = np.zeros((6, *shape), np.float32), np.zeros(6, np.int32)
    return TrainingData(x, y, x[:2], y[:2], np.arange(3), 2, SCALING)


@SHAPES
def test_the_input_shape_is_that_of_one_example(shape: tuple[int, ...]) -> None:
    assert dataset(shape).input_shape == training(shape).input_shape == shape


def test_the_engines_data_have_no_test_set() -> None:
    names = {field.name for field in dataclasses.fields(TrainingData)}
    assert names == {"x_train", "y_train", "x_validation", "y_validation", "sample", "classes", "scaling"}


def test_data_cannot_be_reassigned_and_compare_by_identity() -> None:
    data = dataset((5,))
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.x_test = data.x_train  # type: ignore[misc]
    assert data != dataclasses.replace(data)  # comparing arrays would be ambiguous


def test_a_data_set_is_shown_in_one_line() -> None:
    shown = "Dataset('toy', 6 training and 2 test examples of shape 4 x 3, 2 classes)"
    assert repr(dataset((4, 3))) == shown


# --- Contradictions ---------------------------------------------------------------------------------------------------


def held_out(**parts: Any) -> Dataset:
    """Six training examples, the last of them given for validation; two of seven others were held out."""
    pool = Pool(np.array([1, 3]), 8, np.array([5, 5, 5, 4, 4, 4, 9, 8]))
    groups = np.array([1, 1, 0, 0, 3, 2])
    made = {"validation_rows": np.array([5]), "groups": groups, "pool": pool} | parts
    return dataclasses.replace(dataset((5,)), **made)


def test_other_values_of_the_same_examples_are_no_contradiction() -> None:
    data = held_out()
    assert dataclasses.replace(data, x_train=data.x_train + 1).pool is data.pool
    assert dataclasses.replace(data, groups=data.groups + 7, test_groups=np.zeros(2, int)).pool is data.pool
    assert dataclasses.replace(data, pool=None, groups=None, validation_rows=np.array([0, 3])).pool is None


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"x_train": np.zeros((5, 5))}, "the length of x_train is 5, that of y_train is 6"),
        ({"y_test": np.zeros(3, np.int32)}, "the length of x_test is 2, that of y_test is 3"),
        ({"groups": np.zeros(7, int)}, "the length of groups is 7, that of y_train is 6"),
        ({"test_groups": np.zeros(1, int)}, "the length of test_groups is 1, that of y_test is 2"),
        ({"validation_rows": np.array([2, 6])}, "validation_rows is not within the 6 rows of x_train"),
        ({"validation_rows": np.array([-1])}, "validation_rows is not within the 6 rows of x_train"),
        (
            {"x_train": np.zeros((4, 5)), "y_train": np.zeros(4, int), "groups": np.arange(4), "validation_rows": None},
            "pool has 8 examples, 2 of them held out, but x_train has 4 and x_test 2",
        ),
        ({"pool": Pool(np.array([1]), 8)}, "pool has 8 examples, 1 of them held out, but x_train has 6 and x_test 2"),
        ({"validation_rows": np.array([4])}, "validation_rows is not the end of pool"),
        ({"pool": Pool(np.array([1, 7]), 8)}, "validation_rows is not the end of pool"),
        ({"groups": np.array([1, 0, 1, 0, 3, 2])}, "groups is not that of pool"),
        ({"groups": None}, "groups is not that of pool"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(parts: dict[str, Any], said: str) -> None:
    """As after ``dataclasses.replace`` of one part alone."""
    with pytest.raises(DataError) as caught:
        held_out(**parts)
    fix = "change all of them together, or make the data set with wellfit.make_dataset"
    assert str(caught.value) == f"toy: the data set contradicts itself: {said}; {fix}"
