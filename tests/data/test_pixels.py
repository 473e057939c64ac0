"""Axes, types and value ranges of arrays of examples."""

from __future__ import annotations

import numpy as np
import pytest

from wellfit.data.parts import Part
from wellfit.data.pixels import example_values, examples_first, pixel_range
from wellfit.errors import DataError

# --- Axes -------------------------------------------------------------------------------------------------------------


def numbered(*shape):
    return np.arange(np.prod(shape)).reshape(shape)


@pytest.mark.parametrize(
    ("x", "expected", "said"),
    [
        (numbered(50, 3), lambda x: x, ""),
        (numbered(50, 8, 8), lambda x: x, ""),
        (numbered(50, 8, 8, 3), lambda x: x, ""),
        (numbered(50, 8, 8, 1), lambda x: x, ""),
        (numbered(50, 3, 3, 3), lambda x: x, ""),
        (numbered(50, 8, 8, 5), lambda x: x, ""),
        (numbered(50, 3, 8, 9), lambda x: x.transpose(0, 2, 3, 1), "channels first (3 x 8 x 9), moved last"),
        (numbered(50, 4, 8, 8), lambda x: x.transpose(0, 2, 3, 1), "channels first (4 x 8 x 8), moved last"),
        (numbered(50, 2, 8, 8), lambda x: x.transpose(0, 2, 3, 1), "channels first (2 x 8 x 8), moved last"),
        (numbered(50, 1, 8, 9), lambda x: x[:, 0], "axes of length 1 dropped (1 x 8 x 9 read as 8 x 9)"),
        (numbered(50, 1, 8, 8, 1), lambda x: x[:, 0, :, :, 0], "axes of length 1 dropped"),
        (numbered(50, 64, 1), lambda x: x[:, :, 0], "axes of length 1 dropped"),
        (numbered(50, 1, 1, 64), lambda x: x[:, 0, 0], "axes of length 1 dropped"),
        (numbered(50, 1, 1), lambda x: x[:, 0], "axes of length 1 dropped"),
        (numbered(8, 9, 50), lambda x: x.transpose(2, 0, 1), "examples along the last axis, moved to the first"),
        (numbered(8, 8, 3, 50), lambda x: x.transpose(3, 0, 1, 2), "examples along the last axis"),
        (numbered(3, 8, 8, 50), lambda x: x.transpose(3, 1, 2, 0), "moved to the first; channels first"),
        (numbered(4, 50), lambda x: x.T, "examples along the last axis"),
    ],
)
def test_axes_come_into_order(x, expected, said):
    ordered, text = examples_first(x, 50, "a.npz")
    np.testing.assert_array_equal(ordered, expected(x))
    assert said in text
    assert bool(text) == bool(said)
    assert np.shares_memory(ordered, x)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((50,), r"shape \(50,\); .*x\.reshape\(-1, 1\)"),
        ((50, 2, 3, 4, 5), r"shape \(50, 2, 3, 4, 5\); .*x\.reshape\(len\(x\), -1\)"),
        ((50, 3, 32, 4), r"the channels could be axis 1 or axis 3"),
        ((50, 7, 20, 30), r"no axis has 1, 3 or 4 channels; .*np\.moveaxis"),
    ],
)
def test_axes_that_are_not_clear_are_refused(shape, message):
    with pytest.raises(DataError, match=rf"a\.npz: .*{message}"):
        examples_first(np.zeros(shape), 50, "a.npz")


def test_few_labels_do_not_turn_the_axes():
    with pytest.raises(DataError, match=r"a: 100 examples but 8 labels; give one label per example"):
        examples_first(np.zeros((100, 9, 8)), 8, "a")
    assert examples_first(np.zeros((32, 32, 3, 20)), 20, "a")[0].shape == (20, 32, 32, 3)


# --- Values -----------------------------------------------------------------------------------------------------------


def values(*arrays):
    parts = [Part(np.asarray(x), np.zeros(len(x)), name) for x, name in zip(arrays, ("train", "test"), strict=False)]
    return example_values(parts)


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        (np.full((4, 3, 3), 200, np.int64), np.uint8),
        (np.full((4, 3, 3), 200.0), np.uint8),
        (np.full((4, 3, 3), True), np.uint8),
        (np.full((4, 3, 3), 199.5), np.float32),
        (np.full((4, 3, 3), 65535, np.uint16), np.float32),
        (np.full((4, 3, 3), -1, np.int8), np.float32),
        (np.full((4, 3, 3), 0.5, np.float16), np.float32),
        (np.full((4, 5), 3, np.uint8), np.uint8),
        (np.full((4, 5), 3, np.int16), np.float32),
        (np.full((4, 5), 3.5), np.float32),
        (np.full((4, 5), True), np.float32),
    ],
)
def test_types_keep_the_values(x, dtype):
    (kept,), facts = values(x)
    assert kept.dtype == dtype
    np.testing.assert_array_equal(kept, x)
    assert not facts


def test_bytes_are_not_copied():
    x = np.zeros((10, 28, 28), np.uint8)
    assert np.shares_memory(values(x)[0][0], x)


def test_rows_of_784_bytes_are_images():
    (x, test), facts = values(np.full((2, 784), 51), np.full((2, 784), 0.2))
    assert x.shape == test.shape == (2, 28, 28)
    assert x.dtype == test.dtype == np.float32
    assert facts == [("images", "784 columns read as 28 x 28 pixels")]
    for odd in (0.5, 256, -1, np.nan):
        assert values(np.full((2, 784), odd))[0][0].shape == (2, 784)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_missing_and_infinite_features(dtype):
    (x,), facts = values(np.array([[1.0, np.nan], [np.inf, 2.0], [-np.inf, 3.0]], dtype))
    np.testing.assert_array_equal(x, [[1, np.nan], [np.nan, 2], [np.nan, 3]])
    assert facts == [("infinite values", "2, treated as missing")]
    (x,), facts = values(np.array([[1.0, np.nan]], np.float32))
    assert np.isnan(x[0, 1])
    assert not facts


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_long_numbers_are_not_blurred(dtype):
    times = 1_700_000_000 + np.arange(10)
    (x,), _ = values(np.column_stack([times, np.arange(10)]).astype(dtype))
    assert x.dtype == np.float64
    np.testing.assert_array_equal(x[:, 0], times)
    (x,), _ = values(np.column_stack([times * 0 + 10**9, np.arange(10)]).astype(dtype))
    assert x.dtype == np.float32  # a constant has nothing to blur


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 2), complex), r"type complex128; give real numbers: give np\.abs\(x\)"),
        (np.array([["a"], ["b"]]), r"type <U1; give real numbers"),
        (np.zeros(2, [("a", "f4")]), r"give one plain array"),
        (np.array([["a", 1.5]], object), r"texts or Python objects; .*DataFrame"),
        (np.array([np.zeros(2), None], object), r"Python objects instead of numbers .*np\.stack\(list\(x\)\)"),
        (np.array([[1.0], [1e300]]), r"a value is too large for float32 in row 1 \(counted from 0\)"),
        (np.array([[[1.0]], [[np.nan]]]), r"a pixel is missing, infinite or too large for float32 in row 1"),
        (np.array([[[np.inf]], [[0.0]]]), r"a pixel is missing, .* in row 0"),
    ],
)
def test_values_that_are_refused(x, message):
    with pytest.raises(DataError, match=rf"^train: .*{message}"):
        values(x)


# --- Range ------------------------------------------------------------------------------------------------------------

EVEN = np.linspace(0, 1, 60).reshape(3, 4, 5)


@pytest.mark.parametrize(
    ("x", "divisor", "text"),
    [
        (EVEN, 1, "0 to 1, used as they are"),
        (EVEN * 1.0000001, 1, "0 to 1, used as they are"),
        (EVEN * 1.04, 1, "0 to 1.04, used as they are"),  # resized with overshoot
        (EVEN > 0.5, 1, "0 to 1, used as they are"),
        (EVEN * 0, 1, "0 to 0, used as they are"),
        (EVEN / 255, 1 / 255, "the largest value; set pixel_max"),  # divided twice
        (np.round(EVEN * 16), 16, "0 to 16, divided by 16"),
        (np.round(EVEN * 15), 16, "0 to 15, divided by 16"),
        (np.round(EVEN * 4), 4, "0 to 4, divided by 4, the largest value"),
        (EVEN * 5.5, 5.5, "the largest value"),
        (np.round(EVEN * 100), 100, "0 to 100, divided by 100, the largest value; set pixel_max"),
        (np.round(EVEN * 255), 255, "0 to 255, divided by 255"),
        (np.round(EVEN * 200), 255, "0 to 200, divided by 255"),
        (EVEN * 254.7, 255, "0 to 254.7, divided by 255"),
        (np.round(EVEN * 1023), 1023, "divided by 1023"),
        (np.round(EVEN * 4000), 4095, "divided by 4095"),
        (np.round(EVEN * 16383), 16383, "divided by 16383"),
        (np.round(EVEN * 65520), 65535, "divided by 65535"),
        (np.round(EVEN * 20000), 20000, "divided by 20000, the largest value"),
        (EVEN * 1e6, 1e6, "the largest value"),
        (EVEN * 2 - 1, 1, "-1 to 1, used as they are"),
        (EVEN * 4 - 2, 1, "they look standardized"),
        (np.round(EVEN * 255) - 128, 128, "-128 to 127, divided by 128"),
        (EVEN * 510 - 255, 255, "divided by 255, the largest distance from 0"),
    ],
)
def test_what_pixels_are_divided_by(x, divisor, text):
    found, said = pixel_range(x)
    assert found == pytest.approx(divisor, rel=1e-12)
    assert text in said
    assert 0.2 <= np.abs(x / found).max() <= 2.1 or not x.any()
