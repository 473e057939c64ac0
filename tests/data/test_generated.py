"""The cosine curves: on their curves, seeded, and a data set like any other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wellfit.data.audits import audit
from wellfit.data.catalog import load_dataset
from wellfit.data.generated import cosines, distance_of
from wellfit.data.splits import make_splits, training_data
from wellfit.errors import DataError


def test_the_points_lie_on_their_curves() -> None:
    raw = cosines(0.5)
    assert raw.test is not None
    for x, labels in ((raw.train.x, raw.train.labels), (raw.test.x, raw.test.labels)):
        assert (x.shape, x.dtype) == ((2000, 2), np.float32)
        assert np.bincount(labels).tolist() == [1000, 1000]
        # float32 of numbers below 2: half a unit in the last place is 6e-8, once for x1 and once for x2
        np.testing.assert_allclose(x[:, 1], np.cos(x[:, 0].astype(float)) + 0.5 * labels, atol=3e-7)
        assert abs(x[:, 0]).max() <= np.float32(np.pi)
        uniform = stats.kstest(x[:, 0], stats.uniform(-np.pi, 2 * np.pi).cdf)
        assert uniform.pvalue > 0.001  # one fixed draw, so this passes always or never


def test_training_and_test_points_differ_at_every_distance() -> None:
    one, two = cosines(1.0), cosines(2.0)
    assert one.test is not None
    assert not np.intersect1d(one.train.x[:, 0], one.test.x[:, 0]).size
    np.testing.assert_array_equal(one.train.x[:, 0], two.train.x[:, 0])
    np.testing.assert_array_equal(one.train.x, cosines(1.0).train.x)
    assert not np.array_equal(one.train.x, cosines(1.0, seed=1).train.x)


def test_they_are_a_data_set_like_any_other() -> None:
    data = load_dataset("cosines")
    assert (data.name, data.title, data.pixel_max, data.input_shape) == ("cosines", "Cosine curves", None, (2,))
    assert data.classes == ("x2 = cos x1", "x2 = a + cos x1")
    assert (len(data.x_train), len(data.x_test), data.x_train.dtype) == (2000, 2000, np.float32)
    assert load_dataset("cosines:1").hash == load_dataset("cosines:1.0").hash == data.hash
    far = load_dataset("cosines:2")
    assert (far.name, far.title, far.source) == ("cosines-2", "Cosine curves (a = 2)", "generated, a = 2")
    assert far.hash != data.hash
    splits = make_splits(data.y_train, validation=0.2)
    assert {finding.level for finding in audit(data, splits)} <= {"info"}
    scaled = training_data(data, splits, "standardize")
    x = (scaled.x_train - scaled.scaling.shift) * scaled.scaling.factor
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-4)  # float32 sums of 1,600 numbers
    with pytest.raises(DataError, match='use scale = "standardize"'):
        training_data(data, splits, "unit")


@given(st.floats(-100, 100, allow_nan=False))
def test_any_distance_can_be_asked_for(a: float) -> None:
    assert distance_of(f"cosines:{a!r}") == a


@pytest.mark.parametrize("name", ["cosines:", "cosines:far", "cosines:nan", "cosines:inf", "cosines:1:2"])
def test_an_invalid_distance_is_rejected(name: str) -> None:
    with pytest.raises(DataError, match=rf"^{name}: '.*' is not a distance; give a number, for example cosines:2"):
        load_dataset(name)


@pytest.mark.parametrize("a", [math.nan, 2e6, -math.inf])
def test_impossible_distances_are_rejected(a: float) -> None:
    with pytest.raises(DataError, match=r"the distance must be at most 1e[+]06"):
        cosines(a)


@pytest.mark.parametrize("seed", range(4))
def test_the_split_does_not_depend_on_where_the_points_lie(seed: int) -> None:
    data = load_dataset("cosines")
    splits = make_splits(data.y_train, validation=0.2, seed=seed)
    x1 = data.x_train[:, 0]
    same = stats.ks_2samp(x1[splits.train], x1[splits.validation])
    assert same.pvalue > 0.001  # fixed draws: this passes always or never
