"""Scaling, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from wellfit.data.scaling import fit_scaling
from wellfit.errors import DataError, UnknownNameError


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


def test_automatic_scaling():
    pixels = np.zeros((4, 2, 2), np.float32)
    assert fit_scaling(pixels, "auto", 1.0).kind == "unit"
    assert fit_scaling(pixels, "auto", None).kind == "standardize"  # images without a known range
    assert fit_scaling(np.zeros((4, 2), np.float32), "auto", None).kind == "standardize"


def test_binary_features_are_left_alone():
    x = np.array([[1, 0], [3, 1], [5, 1]], np.float32)
    scaling = fit_scaling(x, "auto", None, np.array([False, True]))
    assert (scaling.shift[0], scaling.shift[1], scaling.factor[1]) == (3, 0, 1)
