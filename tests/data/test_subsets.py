"""Fewer examples and wrong labels: as many as asked for, nested, class by class, and never in the validation split."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit.base import Scaling, TrainingData
from wellfit.data.catalog import load_dataset
from wellfit.data.subsets import subset, subset_rows, thinned
from wellfit.errors import DataError

SCALING = Scaling("unit", np.zeros((), np.float32), np.ones((), np.float32))


def result(labels: np.ndarray, classes: int) -> TrainingData:
    """Training data whose examples are their own row numbers."""
    x = np.arange(len(labels), dtype=np.float32)[:, None]  # (N, 1)
    return TrainingData(x, labels, x[:3], labels[:3], np.arange(0, len(labels), 3), classes, SCALING)


LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(4), [10, 40, 50, 100])).astype(np.int32)  # (200,)
DATA = result(LABELS, 4)


def rows(data: TrainingData) -> list[int]:
    return data.x_train[:, 0].astype(int).tolist()


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 5))
def test_fewer_examples_are_among_more_and_shared_out_by_class(one: int, other: int, seed: int) -> None:
    fewer, more = (subset(DATA, n, 0.0, seed) for n in sorted((one, other)))
    assert set(rows(fewer)) <= set(rows(more))
    for n, data in zip(sorted((one, other)), (fewer, more), strict=True):
        assert rows(data) == sorted(set(rows(data)))
        assert len(data.y_train) == n
        assert subset_rows(LABELS, n, seed).tolist() == rows(data)
        np.testing.assert_array_equal(data.y_train, LABELS[rows(data)])
        # Each class rounds to within half an example of its share, and ties between the four may add one.
        assert abs(np.bincount(data.y_train, minlength=4) - n * np.array([0.05, 0.2, 0.25, 0.5])).max() <= 1.5
        assert len(data.sample) == len(set(data.sample.tolist())) == min(n, len(DATA.sample))
        assert data.sample.max() < n
        assert data.x_validation is DATA.x_validation
        assert data.scaling is SCALING


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 200), st.integers(0, 5))
def test_label_noise_is_exact_and_nested(one: float, other: float, examples: int, seed: int) -> None:
    clean = subset(DATA, examples, 0.0, seed)
    less, more = (subset(DATA, examples, noise, seed) for noise in sorted((one, other)))
    for noise, data in zip(sorted((one, other)), (less, more), strict=True):
        assert rows(data) == rows(clean)
        assert (data.y_train != clean.y_train).sum() == round(noise * examples)
        assert set(data.y_train.tolist()) <= set(range(4))
        np.testing.assert_array_equal(data.y_validation, DATA.y_validation)
        assert data.y_train.dtype == np.int32
    wrong = less.y_train != clean.y_train
    np.testing.assert_array_equal(less.y_train[wrong], more.y_train[wrong])


def test_every_other_class_is_as_likely() -> None:
    labels = np.zeros(30_000, np.int32)
    labels[:3] = [1, 2, 3]
    counts = np.bincount(subset(result(labels, 4), None, 1.0).y_train, minlength=4)
    assert counts[0] == pytest.approx(1, abs=2)
    assert counts[1:] == pytest.approx([10_000] * 3, abs=400)  # five standard deviations


def test_what_changes_nothing_gives_the_data_themselves() -> None:
    assert subset(DATA, None, 0.0) is DATA
    assert subset(DATA, 200, 0.0) is DATA
    assert not np.array_equal(subset(DATA, 50, 0.0, 1).x_train, subset(DATA, 50, 0.0, 2).x_train)
    noisy = subset(DATA, None, 0.5)
    assert noisy.sample is DATA.sample  # a clean view of the labels that are trained on is not kept
    assert (DATA.y_train == LABELS).all()


@pytest.mark.parametrize("examples", [0, -1, 201])
def test_examples_that_are_not_there_are_refused(examples: int) -> None:
    with pytest.raises(
        DataError, match=rf"examples = {examples}: the training split has 200; use a number from 1 to 200"
    ):
        subset(DATA, examples, 0.0)


@pytest.mark.parametrize("noise", [-0.1, 1.1, float("nan")])
def test_invalid_label_noise_is_rejected(noise: float) -> None:
    with pytest.raises(DataError, match="is not a fraction of the labels; use a number from 0 to 1"):
        subset(DATA, None, noise)


def test_a_share_of_a_data_set() -> None:
    digits = load_dataset("digits")
    quarter = thinned(digits, 0.25)
    assert thinned(digits, 1.0) is digits
    assert quarter.x_train.shape == (360, 8, 8)
    assert abs(np.bincount(quarter.y_train) - np.bincount(digits.y_train) / 4).max() < 1
    assert quarter.x_test is digits.x_test
    assert quarter.source.endswith(", 360 of 1,438 training examples")
    assert quarter.hash == thinned(digits, 0.25).hash != digits.hash
    assert quarter.hash != thinned(digits, 0.25, seed=1).hash
    kept = {x.tobytes() for x in quarter.x_train}
    assert kept <= {x.tobytes() for x in digits.x_train}
    assert dataclasses.replace(quarter, hash=digits.hash).name == "digits"


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5, float("nan"), 1e-9])
def test_a_share_that_leaves_nothing_is_refused(share: float) -> None:
    with pytest.raises(DataError, match=r"of 1438 training examples leaves none; use a number up to 1, like 0.25"):
        thinned(load_dataset("digits"), share)


def test_a_given_validation_set_stays_whole_and_groups_follow() -> None:
    digits = load_dataset("digits")
    given_rows, groups = np.arange(0, 1438, 7), np.arange(1438) // 2
    data = dataclasses.replace(digits, validation_rows=given_rows, groups=groups, pool=None)
    fewer = thinned(data, 0.25)
    assert fewer.validation_rows is not None
    assert fewer.groups is not None
    np.testing.assert_array_equal(fewer.x_train[fewer.validation_rows], digits.x_train[given_rows])
    np.testing.assert_array_equal(fewer.y_train[fewer.validation_rows], digits.y_train[given_rows])
    others = np.delete(np.arange(len(fewer.y_train)), fewer.validation_rows)
    assert len(others) == round(0.25 * (1438 - len(given_rows)))
    picture = {x.tobytes(): group for x, group in zip(digits.x_train, groups, strict=True)}
    assert [picture[x.tobytes()] for x in fewer.x_train] == fewer.groups.tolist()
