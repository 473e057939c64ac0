"""Data sets and training data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from wellfit.base import Dataset, Scaling, TrainingData

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
