"""Convolution and pooling in tiles against SciPy's correlation, Keras's own operations, and XLA's own gradients."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from jax import lax
from ml_dtypes import bfloat16
from scipy.signal import correlate2d

from wellfit.errors import ShapeError
from wellfit.nn.convolution import average_pool, conv2d, global_average_pool, max_pool
from wellfit.nn.layers import Layer
from wellfit.nn.products import Precision
from wellfit.nn.tiles import from_tiles, to_tiles

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.normal(size=(20, 7, 8, 2)).astype(np.float32) - 3  # mostly negative: padding must not be the largest
CASES = list(itertools.product((2, 3), (1, 2, 3), ("same", "valid")))


def on_batches(layer: Layer) -> Callable[[Any, jax.Array], jax.Array]:
    """A layer between the layouts: of a batch (B, height, width, channels), laid out in tiles within."""

    def apply(params: Any, x: jax.Array) -> jax.Array:
        found = layer.apply(params, {}, to_tiles(x), None)[0]
        return from_tiles(found) if found.ndim == 5 else found

    return apply


def run(layer: Layer, params: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    found = np.asarray(jax.jit(on_batches(layer))(params, x))
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


def test_conv2d_refuses_kernels_that_no_machine_trains() -> None:
    with pytest.raises(
        ShapeError, match=r"conv2d with 1000000 filters of 20 x 20 on shape \(20, 20, 9\) has 3,600,000,000 weights"
    ):
        conv2d((20, 20, 9), 1_000_000, 20)


def test_conv2d_without_a_bias() -> None:
    layer = conv2d((7, 8, 2), 3, 3, initializer="random_normal", bias=False, spread=0.5)
    params = layer.init(np.random.default_rng(1))
    assert list(params) == ["kernel"]
    assert params["kernel"].std() == pytest.approx(0.5, rel=0.3)  # of 54 numbers: three standard errors
    with jax.numpy_rank_promotion("allow"):
        convolved = keras.ops.conv(IMAGES, params["kernel"], strides=1, padding="valid")
    np.testing.assert_allclose(run(layer, params, IMAGES), np.asarray(convolved), rtol=1e-4, atol=1e-5)


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
        ((9, 9, 1), {"size": 3, "padding": "full"}, "padding must be 'same' or 'valid', got 'full'"),
    ],
)
def test_convolutions_that_do_not_fit_are_refused(
    shape: tuple[int, ...], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        conv2d(shape, 6, **options)


def test_a_convolution_without_filters_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"conv2d on shape \(9, 9, 1\) has 0 filters; give it at least 1"):
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
        assert on_batches(layer)(params, jnp.ones((1, 3, 3, 1))).dtype == jnp.float64


# --- Gradients --------------------------------------------------------------------------------------------------------

BATCHES = itertools.cycle((3, 17, 20, 32))  # one tile of 3, of 17; two of 10, of 16
GRADIENT_CASES = [(*case, next(BATCHES)) for case in [*CASES, (5, 1, "same"), (4, 3, "same"), (1, 2, "valid")]]
EXACT = 1e-12  # relative, of float64 sums of up to a few thousand terms of about one


def xla_conv(x: jax.Array, kernel: jax.Array, stride: int, padding: str) -> jax.Array:
    layout = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, kernel, (stride, stride), padding.upper(), dimension_numbers=layout)


def value_and_gradients(function: Callable[..., jax.Array]) -> Callable[..., list[jax.Array]]:
    """(cotangent, *arguments) -> the value, and the gradient of every argument."""

    def both(cotangent: jax.Array, *arguments: jax.Array) -> list[jax.Array]:
        value, back = jax.vjp(function, *arguments)
        return [value, *back(cotangent)]

    return both


def conv_and_twin(
    size: int, stride: int, padding: str, precision: Precision = "float32"
) -> tuple[Callable[..., list[jax.Array]], Callable[..., list[jax.Array]], tuple[int, ...]]:
    """Value and gradients of a convolution of (7, 8, 2) with 3 filters: ours, XLA's; and the shape of one output."""
    layer = conv2d((7, 8, 2), 3, size, stride, padding, precision=precision)

    def ours(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return on_batches(layer)({"kernel": kernel, "bias": jnp.zeros(3, kernel.dtype)}, x)

    twin = functools.partial(xla_conv, stride=stride, padding=padding)
    return value_and_gradients(ours), jax.jit(value_and_gradients(twin)), layer.output_shape


def assert_close(found: Sequence[jax.Array], expected: Sequence[np.ndarray | jax.Array], tolerance: float) -> None:
    for name, ours, theirs in zip(("value", "of images", "of kernel"), found, expected, strict=True):
        largest = np.abs(theirs).max()
        assert largest > 0.1  # there is something to compare
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * largest, err_msg=name)


@pytest.mark.parametrize(("size", "stride", "padding", "batch"), GRADIENT_CASES)
def test_gradients_of_a_convolution_and_xla_agree(size: int, stride: int, padding: str, batch: int) -> None:
    with jax.enable_x64(True):
        ours, twin, output = conv_and_twin(size, stride, padding)
        shapes = ((batch, *output), (batch, 7, 8, 2), (size, size, 2, 3))
        numbers = [jnp.asarray(GENERATOR.normal(size=shape)) for shape in shapes]
        assert_close(jax.jit(ours)(*numbers), twin(*numbers), EXACT)


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "own"])
@pytest.mark.parametrize(("size", "stride", "padding", "batch"), [(3, 1, "same", 20), (3, 2, "valid", 16)])
def test_gradients_of_vectorized_convolutions_and_xla_agree(
    size: int, stride: int, padding: str, batch: int, shared: bool
) -> None:
    """As in a population: groups of variants; a group's variants share their batch, or have their own."""
    groups, width = 2, 3
    with jax.enable_x64(True):
        ours, twin, output = conv_and_twin(size, stride, padding)
        own = (groups,) if shared else (groups, width)
        cotangent = jnp.asarray(GENERATOR.normal(size=(groups, width, batch, *output)))
        x = jnp.asarray(GENERATOR.normal(size=(*own, batch, 7, 8, 2)))
        kernel = jnp.asarray(GENERATOR.normal(size=(groups, width, size, size, 2, 3)))
        within = jax.vmap(ours, in_axes=(0, None if shared else 0, 0))
        found = jax.jit(jax.vmap(within))(cotangent, x, kernel)
        of_all = [
            [twin(cotangent[g, w], x[g] if shared else x[g, w], kernel[g, w]) for w in range(width)]
            for g in range(groups)
        ]
        for place in range(3):
            expected = np.array([[np.asarray(one[place]) for one in group] for group in of_all])
            np.testing.assert_allclose(found[place], expected, rtol=0, atol=EXACT * np.abs(expected).max())


def rounded(x: np.ndarray | jax.Array) -> np.ndarray:
    """To bfloat16's eight bits, by a library that is not JAX."""
    return np.asarray(x).astype(bfloat16).astype(np.float64)


@pytest.mark.parametrize(("size", "stride", "padding", "batch"), [(3, 1, "same", 20), (2, 2, "valid", 3)])
def test_a_mixed_convolution_rounds_its_factors_alone(size: int, stride: int, padding: str, batch: int) -> None:
    ours, _, output = conv_and_twin(size, stride, padding, "mixed")
    shapes = ((batch, *output), (batch, 7, 8, 2), (size, size, 2, 3))
    numbers = [GENERATOR.normal(size=shape).astype(np.float32) for shape in shapes]
    value, of_images, of_kernel = jax.jit(ours)(*numbers)
    assert {a.dtype for a in (value, of_images, of_kernel)} == {jnp.dtype("float32")}
    with jax.enable_x64(True):
        _, twin, _ = conv_and_twin(size, stride, padding)
        expected = [np.asarray(a) for a in twin(*map(rounded, numbers))]
    # Sums of at most 56 · 20 terms in float32, a few of its steps of 6e-8 wrong; unrounded factors are wrong by 1e-3
    np.testing.assert_allclose(value, expected[0], rtol=0, atol=1e-5 * np.abs(expected[0]).max())
    np.testing.assert_allclose(of_kernel, expected[2], rtol=0, atol=1e-5 * np.abs(expected[2]).max())
    # what goes back to the images is rounded once more, to the nearest of bfloat16: half a step, 2**-9
    np.testing.assert_allclose(of_images, expected[1], rtol=2**-8, atol=1e-5 * np.abs(expected[1]).max())


def xla_max(x: jax.Array, size: int, stride: int, padding: str) -> jax.Array:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, size, size, 1), (1, stride, stride, 1), padding.upper())


@pytest.mark.parametrize(("size", "stride", "padding"), CASES)
def test_the_first_of_equal_maxima_gets_the_gradient_as_in_keras(size: int, stride: int, padding: str) -> None:
    """Keras's pooling is XLA's, whose gradient is ``select_and_scatter``; rounded relus have ties in most windows."""
    layer = max_pool((7, 8, 2), size, stride, padding)
    x = np.maximum(GENERATOR.normal(size=(20, 7, 8, 2)).round(), 0).astype(np.float32)
    cotangent = GENERATOR.integers(1, 100, (20, *layer.output_shape)).astype(np.float32)  # integers: sums are exact
    ours = jax.jit(value_and_gradients(lambda x: on_batches(layer)({}, x)))(cotangent, x)
    twin = jax.jit(value_and_gradients(functools.partial(xla_max, size=size, stride=stride, padding=padding)))
    for found, expected in zip(ours, twin(cotangent, x), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("stride", [2, 1], ids=["blocks", "overlapping"])
def test_gradients_of_vectorized_max_pools_are_those_of_each(stride: int) -> None:
    layer = max_pool((4, 4, 1), 2, stride)
    x = GENERATOR.integers(0, 2, (2, 3, 5, 4, 4, 1)).astype(np.float32)
    cotangent = GENERATOR.integers(1, 100, (2, 3, 5, *layer.output_shape)).astype(np.float32)
    one = value_and_gradients(lambda x: on_batches(layer)({}, x))
    found = jax.jit(jax.vmap(jax.vmap(one)))(cotangent, x)[1]
    each = jax.jit(one)
    expected = [[each(cotangent[g, w], x[g, w])[1] for w in range(3)] for g in range(2)]
    np.testing.assert_array_equal(found, np.array(expected))


@pytest.mark.parametrize("stride", [2, 1], ids=["blocks", "overlapping"])
def test_a_window_with_a_nan_has_no_largest_value(stride: int) -> None:
    for place in range(4):  # first, in between, last of its window
        x = np.zeros((1, 2, 2, 1), np.float32)
        x[0, place // 2, place % 2] = np.nan
        assert np.isnan(run(max_pool((2, 2, 1), 2, stride), {}, x)).all()


def test_gradients_of_average_pools_and_xla_agree() -> None:
    layer = average_pool((7, 8, 2), 3, 2, "same")

    def twin(x: jax.Array) -> jax.Array:
        def total(x: jax.Array) -> jax.Array:
            return lax.reduce_window(x, 0.0, lax.add, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")

        return total(x) / total(jnp.ones_like(x))

    with jax.enable_x64(True):
        x = jnp.asarray(GENERATOR.normal(size=(20, 7, 8, 2)))
        cotangent = jnp.asarray(GENERATOR.normal(size=(20, *layer.output_shape)))
        found = jax.jit(value_and_gradients(lambda x: on_batches(layer)({}, x)))(cotangent, x)
        for ours, theirs in zip(found, jax.jit(value_and_gradients(twin))(cotangent, x), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=EXACT, atol=EXACT)
