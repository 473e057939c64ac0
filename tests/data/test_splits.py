"""Splits and hashes, against exact arithmetic."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wellfit.base import Column, Dataset
from wellfit.data.splits import dataset_hash, make_splits, split_of, stratified_rows, training_data
from wellfit.errors import DataError


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


# --- Groups and given validation sets ---------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2)), min_size=4, max_size=80),
    st.floats(0.05, 0.9),
    st.integers(0, 100),
)
def test_groups_are_never_divided(rows, validation, seed):
    groups, labels = (np.array(values) for values in zip(*rows, strict=True))
    assume(len(set(groups.tolist())) > 1)
    splits = make_splits(labels, validation=validation, seed=seed, groups=groups)
    assert sorted([*splits.train, *splits.validation]) == list(range(len(labels)))
    assert len(splits.train) > 0
    assert len(splits.validation) > 0
    assert not set(groups[splits.train].tolist()) & set(groups[splits.validation].tolist())
    assert set(splits.sample.tolist()) <= set(splits.train.tolist())


@pytest.mark.parametrize("seed", range(5))
def test_many_groups_give_every_class_its_share(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 200, 2000)
    labels = (groups % 3 + rng.integers(0, 2, 2000)) % 4
    splits = make_splits(labels, validation=0.2, seed=seed, groups=groups)
    shares = np.bincount(labels[splits.validation], minlength=4) / np.bincount(labels, minlength=4)
    np.testing.assert_allclose(shares, 0.2, atol=0.03)  # two groups of the smallest class


def test_the_order_of_the_rows_does_not_change_the_groups():
    rng = np.random.default_rng(0)
    groups, labels = rng.integers(0, 30, 300), rng.integers(0, 3, 300)
    order = rng.permutation(300)
    one = make_splits(labels, validation=0.25, seed=3, groups=groups)
    other = make_splits(labels[order], validation=0.25, seed=3, groups=groups[order])
    assert set(groups[one.validation].tolist()) == set(groups[order][other.validation].tolist())


def test_seeds_draw_other_groups():
    groups, labels = np.repeat(np.arange(40), 5), np.tile([0, 1, 0, 1, 1], 40)
    drawn = {
        tuple(np.unique(groups[make_splits(labels, validation=0.2, seed=seed, groups=groups).validation]))
        for seed in range(4)
    }
    assert len(drawn) == 4


def test_a_class_that_only_one_group_has_stays_in_training():
    groups, labels = np.repeat(np.arange(10), 10), np.zeros(100, np.int64)
    labels[groups == 4] = 1
    for seed in range(20):
        splits = make_splits(labels, validation=0.3, seed=seed, groups=groups)
        assert 4 in groups[splits.train]


def test_two_large_groups_are_split_although_no_share_fits():
    splits = make_splits(np.array([0, 1] * 10), validation=0.1, groups=np.repeat([3, 8], 10))
    assert len(splits.train) == len(splits.validation) == 10


def test_one_group_cannot_be_divided():
    with pytest.raises(DataError, match="all examples are in one group, which cannot be divided; name another"):
        make_splits(np.array([0, 1, 0, 1]), validation=0.5, groups=np.zeros(4, np.int64))


def test_a_given_validation_set_is_used_as_it_is():
    labels = np.array([0, 1, 0, 1, 2, 2, 0])  # a class with one training example is no obstacle
    splits = make_splits(labels, validation=0.4, given=np.array([6, 1, 4]))
    assert splits.validation.tolist() == [1, 4, 6]
    assert splits.train.tolist() == [0, 2, 3, 5]
    assert make_splits(labels, validation=0.2, given=np.array([1, 4, 6])).hash == splits.hash


@pytest.mark.parametrize(("given_rows", "which"), [([], "the validation set"), ([0, 1, 2], "the training set")])
def test_empty_given_sets_are_refused(given_rows, which):
    with pytest.raises(DataError, match=f"{which} has no example"):
        make_splits(np.array([0, 1, 0]), validation=0.2, given=np.array(given_rows, np.int64))


def test_a_group_on_both_sides_of_a_given_split_is_refused():
    with pytest.raises(DataError, match="1 of 3 groups have examples in the training set and in the given"):
        make_splits(np.array([0, 1, 0, 1]), validation=0.2, groups=np.array([0, 1, 1, 2]), given=np.array([2, 3]))


def test_a_class_with_one_example_is_named():
    with pytest.raises(DataError, match=r"class 'rare' has 1 training example, but splitting needs 2; add examples"):
        make_splits(np.array([0, 0, 1, 0]), validation=0.25, classes=("often", "rare"))
    with pytest.raises(DataError, match=r"class 1 has 1 training example.*\(and 2 more classes have only one\)"):
        make_splits(np.array([0, 0, 1, 0, 2, 3]), validation=0.25)


def test_a_data_set_is_split_by_its_own_sets_and_groups():
    data = make_dataset(30)
    groups = np.arange(30) // 3
    grouped = split_of(dataclasses.replace(data, groups=groups), 0.3)
    assert not set(groups[grouped.train].tolist()) & set(groups[grouped.validation].tolist())
    own = split_of(dataclasses.replace(data, validation_rows=np.arange(20, 30)), 0.3)
    assert own.validation.tolist() == list(range(20, 30))
    assert split_of(data, 0.3, 5).hash == make_splits(data.y_train, validation=0.3, seed=5).hash
