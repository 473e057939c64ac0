from __future__ import annotations

import numpy as np
import pytest

from wellfit.base import Column, Preparation, PreparedColumn, Scaling
from wellfit.model.unlike import unlike_training

AGE, COLOR = Column("age"), Column("color", ("blue", "red"))


def fitted(indicator: bool = False, center: float = 0.0) -> tuple[Preparation, Scaling]:
    """Ages of mean 30 and deviation 10, and colors."""
    columns = (
        PreparedColumn(0, "age", 28.0, center, indicator),
        PreparedColumn(1, "color", 1.0, 0.0, indicator, ("blue", "red")),
    )
    missing = ["age is missing"] if indicator else []
    preparation = Preparation(columns, {}, ("age", *missing, "color = blue", "color = red", *missing))
    count = len(preparation.features)
    shift, factor = np.zeros(count, np.float32), np.ones(count, np.float32)
    shift[0], factor[0] = 30.0 - center, 0.1
    return preparation, Scaling("standardize", shift, factor)


def notes(*rows: tuple[float, float], indicator: bool = False, center: float = 0.0) -> list[str]:
    return unlike_training(*fitted(indicator, center), (AGE, COLOR), np.array(rows), (AGE, COLOR))


@pytest.mark.parametrize("center", [0.0, 25.0])
def test_numbers_far_outside_are_counted(center: float) -> None:
    assert notes((30, 0), (129, 1), (-69, 1), center=center) == []
    assert notes((30, 0), (131, 1), (1980, 1), (np.nan, 0), indicator=True, center=center) == [
        "age: far outside the training examples in 2 rows (up to 1980), more than 10 standard deviations from their "
        "mean, 30"
    ]


def test_missing_values_are_noted_where_training_had_none() -> None:
    rows = ((np.nan, 0), (np.nan, np.nan), (30, 1))
    assert notes(*rows, indicator=True) == []
    assert notes(*rows) == [
        "age: missing in 2 rows, but never in training; the median of the training examples, 28, is used instead",
        "color: missing in 1 row, but never in training; the most frequent category, 'red', is used instead",
    ]


def test_new_categories_are_named() -> None:
    columns = (AGE, Column("color", ("green", "red")))
    found = unlike_training(*fitted(), columns, np.array([[30.0, 0.0]]), (AGE, COLOR))
    assert found == ["color: 'green' in 1 row occurs in no training example and counts as none of the categories"]


def test_many_columns_are_one_note() -> None:
    columns = tuple(PreparedColumn(j, f"c{j}", 0.0) for j in range(30))
    preparation = Preparation(columns, {}, tuple(f"c{j}" for j in range(30)))
    scaling = Scaling("standardize", np.zeros(30, np.float32), np.ones(30, np.float32))
    own = [Column(f"c{j}") for j in range(30)]
    (far,) = unlike_training(preparation, scaling, own, np.full((2, 30), 99.0), own)
    assert far.startswith("30 columns have values that are far outside the training examples: c0, c1")
    (missing,) = unlike_training(preparation, scaling, own, np.full((2, 30), np.nan), own)
    assert missing.startswith("30 columns have values that are missing where they never were in training: c0, c1")


def test_images_and_unscaled_rows_have_no_notes() -> None:
    preparation, _ = fitted()
    x = np.array([[1e6, 0.0]])
    assert unlike_training(Preparation((), {}, ()), Scaling("unit", np.zeros(()), np.ones(())), (), x, ()) == []
    unscaled = Scaling("unit", np.zeros((), np.float32), np.ones((), np.float32))
    assert unlike_training(preparation, unscaled, (AGE, COLOR), x, (AGE, COLOR)) == []
