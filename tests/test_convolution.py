"""Convolution and pooling against SciPy's correlation and Keras's own operations."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from scipy.signal import correlate2d

from wellfit.errors import ShapeError
from wellfit.nn.convolution import average_pool, conv2d, global_average_pool, max_pool
from wellfit.nn.layers import Layer

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.normal(size=(2, 7, 8, 2)).astype(np.float32) - 3  # mostly negative: padding must not be the largest
CASES = list(itertools.product((2, 3), (1, 2, 3), ("same", "valid")))


def run(layer: Layer, params: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    found = np.asarray(jax.jit(lambda p, x: layer.apply(p, {}, x, None)[0])(params, x))
    assert found.shape[1:] == layer.output_shape
    return found


@pytest.mark.parametrize(("size", "stride", "padding"), [*CASES, (5, 1, "same"), (7, 1, "valid"), (1, 1, "valid")])
def test_conv2d_and_keras_agree(size: int, stride: int, padding: str) -> None:
    layer = conv2d((7, 8, 2), 3, size, stride, padding)
    params = layer.init(np.random.default_rng(1)) | {"bias": np.array([0.5, -1.0, 2.0], np.float32)}
    with jax.numpy_rank_promotion("allow"):  # Keras is not as strict as we are
        convolved = keras.ops.conv(IMAGES, params["kernel"], strides=stride, padding=padding)
    expected = np.asarray(convolved) + params["bias"]
    np.testing.assert_allclose(run(layer, params, IMAGES), expected, rtol=1e-4, atol=1e-5)  # float32 sums of up to 98


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (2, 2), (4, 3)])
def test_conv2d_and_scipy_agree(size: int, stride: int) -> None:
    layer = conv2d((7, 8, 2), 3, size, stride, "valid")
    params = layer.init(np.random.default_rng(1))
    x, kernel = IMAGES.astype(np.float64), params["kernel"].astype(np.float64)
    expected = [
        [
            sum(correlate2d(image[..., c], kernel[..., c, f], "valid")[::stride, ::stride] for c in range(2))
            for f in range(3)
        ]
        for image in x
    ]  # (B, filters, rows, columns)
    found = run(layer, params, IMAGES)
    np.testing.assert_allclose(found, np.moveaxis(np.array(expected), 1, 3), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "stride", "padding"), CASES)
def test_pooling_and_keras_agree(size: int, stride: int, padding: str) -> None:
    for layer, oracle in (
        (max_pool((7, 8, 2), size, stride, padding), keras.ops.max_pool),
        (average_pool((7, 8, 2), size, stride, padding), keras.ops.average_pool),
    ):
        with jax.numpy_rank_promotion("allow"):
            expected = np.asarray(oracle(IMAGES, size, stride, padding))
        np.testing.assert_allclose(run(layer, {}, IMAGES), expected, rtol=1e-6, err_msg=layer.kind)


@pytest.mark.parametrize("pool", [max_pool, average_pool])
def test_a_window_steps_by_its_size_unless_told_otherwise(pool: Callable[..., Layer]) -> None:
    default, written = pool((9, 9, 1), 3), pool((9, 9, 1), 3, 3)
    x = GENERATOR.normal(size=(1, 9, 9, 1)).astype(np.float32)
    np.testing.assert_array_equal(run(default, {}, x), run(written, {}, x))
    assert default.output_shape == (3, 3, 1)


def test_global_average_pool_is_the_mean_of_every_channel() -> None:
    layer = global_average_pool((7, 8, 2))
    np.testing.assert_allclose(run(layer, {}, IMAGES), IMAGES.astype(np.float64).mean(axis=(1, 2)), rtol=1e-6)


def test_a_constant_image_pools_to_itself_at_every_border() -> None:
    for layer in (average_pool((5, 5, 1), 3, 1, "same"), max_pool((5, 5, 1), 3, 1, "same")):
        np.testing.assert_allclose(run(layer, {}, np.full((1, 5, 5, 1), -2, np.float32)), -2, rtol=1e-6)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((28, 28), {"size": 3}, r"conv2d with 6 filters takes images .* got shape \(28, 28\)"),
        (
            (4, 9, 1),
            {"size": 5},
            r"conv2d with 6 filters: a window of 5 x 5 is larger than the image of shape \(4, 9, 1\)",
        ),
        ((9, 9, 1), {"size": 3, "padding": "full"}, "padding is 'same' or 'valid', got 'full'"),
    ],
)
def test_convolutions_that_do_not_fit_are_refused(
    shape: tuple[int, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        conv2d(shape, 6, **options)


def test_a_convolution_without_filters_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"conv2d takes shape \(9, 9, 1\) to 0 filters; give it at least one"):
        conv2d((9, 9, 1), 0, 3)


def test_pooling_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"max_pool: a window of 2 x 2 is larger than the image of shape \(1, 5, 3\)"):
        max_pool((1, 5, 3))
    with pytest.raises(ShapeError, match=r"average_pool takes images .* got shape \(120,\)"):
        average_pool((120,))
    with pytest.raises(ShapeError, match=r"global_average_pool takes images .* got shape \(7, 7\)"):
        global_average_pool((7, 7))


def test_convolution_leaves_its_input_dtype() -> None:
    with jax.enable_x64(True):
        layer = conv2d((3, 3, 1), 1, 2)
        params = {name: jnp.asarray(a, jnp.float64) for name, a in layer.init(np.random.default_rng(0)).items()}
        assert layer.apply(params, {}, jnp.ones((1, 3, 3, 1)), None)[0].dtype == jnp.float64
