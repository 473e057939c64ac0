"""Splits, scaling and hashes, against exact arithmetic and scikit-learn."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from wellfit.base import Column, Dataset
from wellfit.data.splits import dataset_hash, fit_scaling, make_splits, stratified_rows, training_data
from wellfit.errors import DataError, UnknownNameError


def make_dataset(n: int = 60, d: int = 3) -> Dataset:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, d)).astype(np.float32)
    y = (np.arange(n) % 3).astype(np.int32)
    return Dataset("toy", x, y, x[:9], y[:9], ("a", "b", "c"), None, "Toy", "memory", "0" * 64)


# --- Splits -----------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(2, 40), min_size=1, max_size=6),
    st.floats(0.01, 0.99),
    st.integers(0, 2**32),
    st.randoms(use_true_random=False),
)
def test_split_is_a_stratified_partition(sizes, validation, seed, random):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    random.shuffle(labels)
    n, v = len(labels), round(len(labels) * validation)
    assume(0 < v < n)
    splits = make_splits(labels, validation=validation, seed=seed)
    assert sorted([*splits.train, *splits.validation]) == list(range(n))
    assert len(splits.validation) == v
    assert len(splits.sample) == min(v, n - v)
    assert set(splits.sample.tolist()) <= set(splits.train.tolist())
    for rows in (splits.train, splits.validation, splits.sample):
        assert (np.diff(rows) > 0).all()
    for rows, of in ((splits.validation, np.arange(n)), (splits.sample, splits.train)):
        for k in range(len(sizes)):
            share = Fraction(int((labels[of] == k).sum()) * len(rows), len(of))
            assert abs(int((labels[rows] == k).sum()) - share) < 1


def test_largest_remainder_by_hand():
    # 10 of 7 + 6 + 7 = 20 rows: shares 3.5, 3, 3.5; one row is left, and goes to the first of the largest remainders.
    labels = np.repeat([0, 1, 2], [7, 6, 7])
    rows = stratified_rows(labels, 10, np.random.default_rng(0))
    assert np.bincount(labels[rows]).tolist() == [4, 3, 3]


def test_every_row_is_equally_likely():
    labels = np.repeat([0, 1], [10, 20])
    counts = np.zeros(30)
    for seed in range(600):
        counts[make_splits(labels, validation=0.2, seed=seed).validation] += 1
    # Each row validates with probability 0.2: mean 120, deviation 9.8. Five deviations among 30 rows: p < 2e-5.
    assert np.abs(counts - 120).max() < 5 * 9.8


def test_split_is_a_function_of_the_seed():
    labels = np.arange(50) % 5
    first, again, other = (make_splits(labels, validation=0.2, seed=s) for s in (3, 3, 4))
    assert first.hash == again.hash
    np.testing.assert_array_equal(first.validation, again.validation)
    assert first.hash != other.hash
    # Pinned: a study resumed under another version of NumPy must find the same split.
    assert make_splits(labels, validation=0.2).validation.tolist() == [2, 3, 11, 13, 15, 20, 21, 32, 39, 44]


@pytest.mark.parametrize("validation", [0, 1, -0.1, 1.5, float("nan"), float("inf")])
def test_invalid_fractions_are_rejected(validation):
    with pytest.raises(DataError, match=r"is not a fraction of the training data"):
        make_splits(np.arange(20) % 2, validation=validation)


def test_requests_that_cannot_be_met():
    with pytest.raises(DataError, match=r"class 7 has 1 training example"):
        make_splits(np.array([1, 1, 1, 7, 3, 3]), validation=0.5)
    with pytest.raises(DataError, match=r"leaves one split empty"):
        make_splits(np.array([0, 0, 1, 1]), validation=0.1)
    with pytest.raises(DataError, match=r"leaves one split empty"):
        make_splits(np.array([0, 0, 1, 1]), validation=0.99)
    with pytest.raises(DataError, match=r"leaves one split empty"):
        make_splits(np.array([], dtype=np.int32), validation=0.5)
    with pytest.raises(DataError, match=r"the seed of the split is -1"):
        make_splits(np.array([0, 0, 1, 1]), validation=0.5, seed=-1)


# --- Scaling ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_standardize_is_what_sklearn_does(dtype):
    rng = np.random.default_rng(0)
    x = (rng.gamma(2, 20, size=(3000, 7, 60)) % 256).astype(dtype)  # (3000, 420): more than one block
    x[:, 0, 0] = 7
    scaling = fit_scaling(x, "standardize", 255)
    oracle = StandardScaler().fit(x.reshape(len(x), -1).astype(np.float64))
    assert scaling.shift.shape == scaling.factor.shape == (7, 60)
    assert scaling.shift.dtype == scaling.factor.dtype == np.float32
    # Both are float64 inside and rounded to float32 (relative 6e-8) at the end.
    np.testing.assert_allclose(scaling.shift.ravel(), oracle.mean_, rtol=1e-7)
    np.testing.assert_allclose(scaling.factor.ravel(), 1 / oracle.scale_, rtol=1e-7)
    assert scaling.factor[0, 0] == 1


def test_constant_features_are_left_alone():
    x = np.full((1000, 2), 0.1, dtype=np.float32)  # its mean in float64 is not exactly its value
    x[:, 1] = np.arange(1000)
    x[0, 0] = np.float32(0.1)
    assert fit_scaling(x, "standardize", None).factor[0] == 1
    tiny = np.array([[0.0], [1e-45]], dtype=np.float32)  # 1 / deviation is beyond float32
    assert fit_scaling(tiny, "standardize", None).factor[0] == 1


def test_unit():
    x = np.array([[0, 16]], dtype=np.uint8)
    scaling = fit_scaling(x, "unit", 16)
    np.testing.assert_array_equal((x - scaling.shift) * scaling.factor, [[0, 1]])
    assert scaling.factor.dtype == np.float32
    assert scaling.factor.shape == scaling.shift.shape == ()
    assert fit_scaling(np.array([[0.0, 1.0]], np.float32), "unit", None).factor == 1
    for values in ([-0.1, 0.5], [0.0, 1.1]):
        with pytest.raises(DataError, match='use scale = "standardize"'):
            fit_scaling(np.array([values], np.float32), "unit", None)
    with pytest.raises(UnknownNameError, match="unknown scaling 'standardise'; did you mean 'standardize'"):
        fit_scaling(x, "standardise", 16)


# --- What the engine sees ---------------------------------------------------------------------------------------------


def test_training_data_holds_the_two_splits_and_no_test_set():
    dataset = make_dataset()
    splits = make_splits(dataset.y_train, validation=0.25, seed=1)
    data = training_data(dataset, splits, "standardize")
    np.testing.assert_array_equal(data.x_train, dataset.x_train[splits.train])
    np.testing.assert_array_equal(data.y_validation, dataset.y_train[splits.validation])
    np.testing.assert_array_equal(data.x_train[data.sample], dataset.x_train[splits.sample])
    assert data.classes == 3
    np.testing.assert_allclose(data.scaling.shift, dataset.x_train[splits.train].mean(axis=0), rtol=1e-5)
    # Neither validation nor test examples move the scaling.
    changed = dataset.x_train.copy()
    changed[splits.validation] += 100
    moved = training_data(
        dataclasses.replace(dataset, x_train=changed, x_test=dataset.x_test + 100), splits, "standardize"
    )
    np.testing.assert_array_equal(moved.scaling.shift, data.scaling.shift)


def test_hash_sees_every_change():
    x, y = np.arange(12, dtype=np.uint8).reshape(3, 4), np.array([0, 1, 1], dtype=np.int32)
    changed = x.copy()
    changed[2, 3] ^= 1
    variants = [
        (x, y, x, y),
        (changed, y, x, y),
        (x, y, changed, y),
        (x.reshape(3, 2, 2), y, x, y),
        (x.astype(np.float32), y, x, y),
        (x, y[::-1], x, y),
        (x, y, x[:2], y[:2]),
    ]
    assert len({dataset_hash(*v) for v in variants}) == len(variants)
    swapped = x.astype(">f4")
    assert dataset_hash(swapped, y, x, y) == dataset_hash(swapped.astype("<f4"), y, x, y)
    assert dataset_hash(np.asfortranarray(x), y, x, y) == dataset_hash(x, y, x, y)


def test_the_training_sample_of_large_data_is_capped() -> None:
    labels = np.arange(30_000, dtype=np.int32) % 10
    splits = make_splits(labels, validation=0.2)
    assert (len(splits.validation), len(splits.sample)) == (6000, 4000)
    assert np.bincount(labels[splits.sample]).tolist() == [400] * 10
    assert set(splits.sample.tolist()) <= set(splits.train.tolist())


def test_the_hash_covers_columns_validation_rows_and_groups() -> None:
    x, y = np.zeros((4, 2), np.float32), np.array([0, 1, 0, 1], np.int32)
    columns = (Column("a", ("p", "q")), Column("b"))
    plain = dataset_hash(x, y, x, y)
    variants = [
        {"columns": columns},
        {"columns": columns[::-1]},
        {"columns": (Column("a", ("p", "r")), Column("b"))},
        {"validation_rows": np.array([1, 2])},
        {"validation_rows": np.array([1, 3])},
        {"groups": np.array([1, 3])},
    ]
    hashes = [dataset_hash(x, y, x, y, **covered) for covered in variants]
    assert len({plain, *hashes}) == 7
    assert dataset_hash(x, y, x, y, columns=(), validation_rows=None, groups=None) == plain
    assert dataset_hash(x, y, x, y, groups=np.array([1, 3], np.int32)) == hashes[-1]
