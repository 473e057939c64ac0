"""Relu and pooling inside the convolution against the layers that compute them one after the other."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from generated import of_registers, runnable

pytest.importorskip("llvmlite")

from wellfit.nn.convolution import conv2d, max_pool
from wellfit.nn.kernels.direct import convolve_and_pool, convolve_drop_and_pool
from wellfit.nn.kernels.processor import Processor
from wellfit.nn.layers import Mode, dropout, dropout_noise


@pytest.mark.parametrize("processor", runnable(), ids=of_registers)
@pytest.mark.parametrize(
    ("channels", "filters", "size", "stride", "height", "width", "examples"),
    [(1, 6, 5, 1, 12, 12, 16), (3, 7, 3, 1, 9, 8, 10), (2, 3, 3, 2, 12, 9, 16)],
)
def test_pooled_output_and_gradients_agree_with_the_layers(
    channels: int,
    filters: int,
    size: int,
    stride: int,
    height: int,
    width: int,
    examples: int,
    processor: Processor,
) -> None:
    generator = np.random.default_rng(1)
    layer = conv2d((height, width, channels), filters, size, stride)
    pool = max_pool(layer.output_shape)
    x = generator.normal(size=(2, channels, height, width, examples)).astype(np.float32)
    params = layer.init(generator) | {"bias": generator.normal(size=filters).astype(np.float32)}

    def one_by_one(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
        convolved = layer.apply({"kernel": kernel, "bias": bias}, {}, x, None)[0]
        return pool.apply({}, {}, jax.nn.relu(convolved), None)[0]

    def at_once(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
        return convolve_and_pool(x, kernel, bias, stride, processor)

    expected, way_back = jax.vjp(jax.jit(one_by_one), x, params["kernel"], params["bias"])
    found, found_back = jax.vjp(jax.jit(at_once), x, params["kernel"], params["bias"])
    assert found.shape == expected.shape
    gradient = generator.normal(size=expected.shape).astype(np.float32)
    for a, b in zip((found, *found_back(gradient)), (expected, *way_back(gradient)), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6 * float(jnp.abs(b).max()))


# Whole numbers: sums are exact, so that many are equal, and every choice shows in the gradient.
_CELLS = np.array(
    [
        [1, 1, 1, 1],  # the first of equal ones
        [0, 2, 2, 1],
        [-1, -2, -1, -3],  # relu stops all
        [0, 0, 0, 0],
        [np.nan, 1, 2, 3],  # NaN anywhere: NaN, and the gradient goes to the last, if that is positive
        [1, 2, np.nan, -3],
        [1, 2, 3, np.nan],
        [np.inf, 1, np.inf, 2],
        [-np.inf, 1, 0, 1],
    ],
    np.float32,
)


def test_ties_nan_and_infinity_pass_as_through_the_layers() -> None:
    x = np.zeros((1, 1, 2, 2, len(_CELLS)), np.float32)
    x[0, 0] = _CELLS.T.reshape(2, 2, -1)
    kernel, bias = jnp.ones((1, 1, 1, 1)), jnp.zeros(1)
    pool = max_pool((2, 2, 1))
    gradient = np.arange(1, len(_CELLS) + 1, dtype=np.float32).reshape(1, 1, 1, 1, -1)
    expected, way_back = jax.vjp(lambda x: pool.apply({}, {}, jax.nn.relu(x), None)[0], x)
    for processor in runnable():
        found, found_back = jax.vjp(lambda x: convolve_and_pool(x, kernel, bias, 1, processor), jnp.asarray(x))  # noqa: B023
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(found_back(gradient)[0], way_back(gradient)[0])
    assert np.isnan(expected[0, 0, 0, 0, 4:7]).all()


@pytest.mark.parametrize("processor", runnable(), ids=of_registers)
@pytest.mark.parametrize("rate", [0.0, 0.3, 0.95])
def test_dropout_drops_the_values_that_the_layer_drops(rate: float, processor: Processor) -> None:
    """A kernel of one pixel with weight 1 copies: all bits must be those of the layers, one after the other."""
    generator = np.random.default_rng(2)
    shape, size = (6, 7, 2), (3, 2, 6, 7, 10)
    x, gradient = generator.normal(size=size).astype(np.float32), generator.normal(size=(3, 2, 3, 3, 10))
    x[0, :, 0, :3, 0] = np.nan  # in both channels: the kernel multiplies one of them by 0
    kernel, bias = jnp.eye(2)[None, None], jnp.zeros(2)
    mode = Mode(jax.random.key(123456789), jnp.array([0.9, rate], jnp.float32), jnp.ones(30))
    drop, pool = dropout(shape, 1), max_pool(shape)

    @jax.jit
    def one_by_one(x: jax.Array) -> jax.Array:
        return pool.apply({}, {}, drop.apply({}, {}, jax.nn.relu(x), mode)[0], None)[0]

    @jax.jit
    def at_once(x: jax.Array) -> jax.Array:
        noise = dropout_noise(mode, 1)
        assert noise is not None
        return convolve_drop_and_pool(x, kernel, bias, *noise, 1, processor)

    expected, way_back = jax.vjp(one_by_one, x)
    found, found_back = jax.vjp(at_once, x)
    np.testing.assert_array_equal(found, expected)
    back = jnp.asarray(gradient, jnp.float32)
    np.testing.assert_array_equal(found_back(back)[0], way_back(back)[0])
