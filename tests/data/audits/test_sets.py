"""The sets of an audit, and the small views of them."""

from __future__ import annotations

import numpy as np
import pytest

from planted import changed, make, toy
from wellfit.base import Column
from wellfit.data.audits.sets import ExampleSet, Sets, column_name, distances, pooled, row_hashes, sample, some_of
from wellfit.data.splits import make_splits


def test_sets_are_the_splits_and_the_test_set():
    data = toy()
    splits = make_splits(data.y_train, validation=0.25)
    sets = Sets(data, splits)
    assert [part.name for part in sets.all] == ["training", "validation", "test"]
    assert np.array_equal(sets.validation.x, data.x_train[splits.validation])
    assert [part.name for part in sets.given] == ["test"]
    assert [part.name for part in Sets(changed(data, validation_rows=splits.validation), splits).given] == [
        "validation",
        "test",
    ]


def test_columns_have_names_or_numbers():
    x, y = np.zeros((4, 2)), [0, 1, 0, 1]
    named = make(x, y, x, y, columns=("age", Column("color", ("red",))))
    assert [column_name(named, j) for j in (0, 1)] == ["age", "color"]
    assert column_name(make(x, y, x, y), 1) == "column 2"
    assert Sets(named, make_splits(named.y_train, validation=0.5)).numeric == [0]


@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3), (33, 17), (5, 70, 2), (1, 1)])
def test_pooled_images_are_the_means_of_cells(shape):
    x = np.random.default_rng(0).integers(0, 256, (7, *shape)).astype(np.uint8)
    small = pooled(x, 16)
    stacked = x.reshape(7, *shape[:2], -1)
    down, across = (-(-size // 16) for size in shape[:2])
    assert small.shape == (7, stacked.shape[3], -(-shape[0] // down), -(-shape[1] // across))
    for i in range(small.shape[2]):
        for j in range(small.shape[3]):
            cell = stacked[:, i * down : (i + 1) * down, j * across : (j + 1) * across].mean(axis=(1, 2))
            np.testing.assert_allclose(small[:, :, i, j], cell, rtol=1e-5)


def test_distances_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 3)).astype(np.float32), rng.normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_allclose(distances(a, b), ((a[:, None] - b) ** 2).sum(axis=2), rtol=1e-4)


def test_samples_repeat_and_large_examples_are_fewer():
    assert np.array_equal(sample(10_000, 10), sample(10_000, 10))
    large = np.broadcast_to(np.zeros((), np.uint8), (2000, 1000, 1000))
    assert len(some_of(ExampleSet("test", large, np.zeros(2000, np.int32)), 1000).y) == 500
    small = ExampleSet("test", np.zeros((50, 2)), np.zeros(50, np.int32))
    assert some_of(small, 1000) is small


def test_hashes_are_of_numbers_not_of_bytes():
    other_nan = np.array([0x7FC00001], np.uint32).view(np.float32)
    rows = np.stack([np.array([0.0, np.nan]), np.array([-0.0, other_nan[0]]), np.array([0.0, 1])]).astype(np.float32)
    first, second, third = row_hashes(rows)
    assert first == second != third
