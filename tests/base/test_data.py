"""The vocabulary of data: shapes of examples, and nothing that can be changed in place."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from wellfit.base import Dataset, Scaling, TrainingData


def images(count: int) -> np.ndarray:
    return np.zeros((count, 8, 6), np.uint8)  # (count, 8, 6)


def labels(count: int) -> np.ndarray:
    return np.zeros(count, np.int32)  # (count,)


def test_an_example_has_the_shape_of_a_row() -> None:
    dataset = Dataset("d", images(3), labels(3), images(2), labels(2), ("a", "b"), 255.0, "D", "here", "0")
    scaling = Scaling("unit", np.zeros((), np.float32), np.ones((), np.float32))
    training = TrainingData(images(2), labels(2), images(1), labels(1), np.arange(2), 2, scaling)
    assert dataset.input_shape == training.input_shape == (8, 6)
    assert all(isinstance(side, int) for side in dataset.input_shape)  # NumPy's integers are no JSON


def test_training_data_have_no_test_set() -> None:
    assert not [name for name in TrainingData.__dataclass_fields__ if "test" in name]


def test_a_scaling_is_frozen() -> None:
    scaling = Scaling("unit", np.zeros(()), np.ones(()))
    with pytest.raises(FrozenInstanceError):
        scaling.kind = "standardize"  # type: ignore[misc]
