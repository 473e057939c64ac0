"""Convolution and pooling of images in tiles (T, channels, height, width, M)."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from wellfit.base import SPREAD
from wellfit.errors import ShapeError
from wellfit.nn import accelerator
from wellfit.nn.initializers import draw_kernel
from wellfit.nn.kernels.availability import processor_in_use
from wellfit.nn.layers import Initial, Layer, Noise, Params, check_weights, stateless
from wellfit.nn.products import Precision, dot, factor, product
from wellfit.nn.tiles import from_tiles

__all__ = ["average_pool", "conv2d", "extent", "global_average_pool", "max_pool"]

Array = TypeVar("Array", jax.Array, np.ndarray)


def _image(shape: tuple[int, ...], what: str) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ShapeError(f"{what} takes images of shape (height, width, channels), got shape {shape}")
    return shape[0], shape[1], shape[2]


def extent(size: int, window: int, stride: int, padding: str) -> tuple[int, tuple[int, int]]:
    """Return a window's number of positions along an axis, and the padding on both sides, as in Keras.

    Args:
      size: of the image along the axis.
      window, stride: size and step of the window.
      padding: ``"same"`` or ``"valid"``.

    Example:
      >>> extent(28, 2, 3, "same"), extent(28, 5, 1, "valid")
      ((10, (0, 1)), (24, (0, 0)))
    """
    if padding == "valid":
        return (size - window) // stride + 1, (0, 0)
    positions = -(-size // stride)
    total = max((positions - 1) * stride + window - size, 0)
    return positions, (total // 2, total - total // 2)


def _places(
    shape: tuple[int, ...], size: int, stride: int, padding: str, what: str
) -> tuple[int, int, tuple[tuple[int, int], tuple[int, int]]]:
    """Return the output height and width of a sliding window, and the padding that the image needs."""
    height, width, _ = _image(shape, what)
    if padding not in ("same", "valid"):
        raise ShapeError(f"{what}: padding must be 'same' or 'valid', got {padding!r}")
    if padding == "valid" and size > min(height, width):
        raise ShapeError(f"{what}: a window of {size} x {size} is larger than the image of shape {shape}")
    rows, above = extent(height, size, stride, padding)
    columns, beside = extent(width, size, stride, padding)
    return rows, columns, (above, beside)


def conv2d(
    shape: tuple[int, ...],
    filters: int,
    size: int,
    stride: int = 1,
    padding: str = "valid",
    initializer: str = "glorot_uniform",
    precision: Precision = "float32",
    *,
    bias: bool = True,
    spread: float = SPREAD,
    kernels: bool = False,
) -> Layer:
    """Cross-correlation with a square kernel, plus bias, like Keras's ``Conv2D``.

    The patches under the kernel become the columns of a matrix, tile by tile. The convolution is then a matrix product
    whose patches stay in the cache, and variants of one seed share the patches of the first layer. On a CPU this is
    many times faster than XLA's own convolution of vectorized networks.

    Args:
      shape: (height, width, channels) of one image.
      filters: number of output channels.
      size: height and width of the kernel.
      stride: vertical and horizontal step of the kernel.
      padding: ``"same"`` or ``"valid"``.
      initializer: of the kernel.
      precision: of the matrix products.
      bias: whether there is one.
      spread: of the initial weights, see ``draw_kernel``.
      kernels: whether generated kernels compute it, in float32; see ``nn.kernels``.

    Raises:
      ShapeError: the input is not an image or is smaller than the kernel, or ``filters`` is less than 1 or too
        large.

    Example:
      >>> conv2d((28, 28, 1), 6, 5, padding="same").output_shape
      (28, 28, 6)
    """
    what = f"conv2d with {filters} filters"
    if filters < 1:
        raise ShapeError(f"conv2d on shape {shape} has {filters} filters; give it at least 1")
    rows, columns, around = _places(shape, size, stride, padding, what)
    channels = shape[2]
    check_weights(size * size * channels * filters, f"{what} of {size} x {size}", shape)

    def init(generator: np.random.Generator) -> Initial:
        kernel = draw_kernel(initializer, generator, (size, size, channels, filters), spread)
        return {"kernel": kernel, "bias": np.zeros(filters, np.float32)} if bias else {"kernel": kernel}

    if kernels and precision == "float32":
        return _by_kernels((rows, columns, filters), init, size, stride, around)

    def apply(params: Params, x: jax.Array) -> jax.Array:
        padded = jnp.pad(factor(x, precision), ((0, 0), (0, 0), *around, (0, 0)))  # (T, C, H, W, M)
        kernel = params["kernel"].reshape(size * size * channels, filters)
        convolved = _convolve(padded, kernel.T, _Window(size, stride, rows, columns), precision)
        if not bias:
            return convolved  # (T, F, rows, columns, M)
        return convolved + params["bias"][None, :, None, None, None]  # (T, F, rows, columns, M)

    return Layer("conv2d", (rows, columns, filters), stateless(apply), init)


def _by_kernels(
    output_shape: tuple[int, int, int],
    init: Callable[[np.random.Generator], Initial],
    size: int,
    stride: int,
    around: tuple[tuple[int, int], tuple[int, int]],
) -> Layer:
    """Return the layer whose convolution generated kernels compute; one with a single position is a dense layer."""
    rows, columns, filters = output_shape
    processor = processor_in_use()

    def padded(x: jax.Array) -> jax.Array:
        return jnp.pad(x, ((0, 0), (0, 0), *around, (0, 0))) if any(map(any, around)) else x

    def bias_of(params: Params) -> jax.Array:
        return params["bias"] if "bias" in params else jnp.zeros(filters)

    def apply(params: Params, x: jax.Array) -> jax.Array:
        from wellfit.nn.kernels.direct import convolve

        return convolve(padded(x), params["kernel"], bias_of(params), stride, processor)  # (T, F, rows, columns, M)

    def as_dense(params: Params, x: jax.Array) -> jax.Array:
        rows_of_batch = from_tiles(padded(x)[:, :, :size, :size]).reshape(-1, size * size * x.shape[1])
        outputs = product(rows_of_batch, params["kernel"].reshape(-1, filters)) + bias_of(params)[None]  # (B, F)
        return outputs.reshape(x.shape[0], x.shape[4], filters).transpose(0, 2, 1)[:, :, None, None]

    def pooled(params: Params, x: jax.Array, noise: Noise | None) -> jax.Array:
        from wellfit.nn.kernels.direct import convolve_and_pool, convolve_drop_and_pool

        factors = padded(x), params["kernel"], bias_of(params)
        if noise is None:
            return convolve_and_pool(*factors, stride, processor)
        return convolve_drop_and_pool(*factors, *noise, stride, processor)

    if rows == columns == 1:
        return Layer("conv2d", output_shape, stateless(as_dense), init)
    return Layer("conv2d", output_shape, stateless(apply), init, pooled=pooled if min(rows, columns) > 1 else None)


class _Window(NamedTuple):
    """A square window and its number of positions on an image."""

    size: int
    stride: int
    rows: int
    columns: int

    @property
    def down(self) -> list[slice]:
        """For each row of the window, the image rows that it covers."""
        reach = (self.rows - 1) * self.stride + 1
        return [slice(i, i + reach, self.stride) for i in range(self.size)]

    @property
    def across(self) -> list[slice]:
        """For each column of the window, the image columns that it covers."""
        reach = (self.columns - 1) * self.stride + 1
        return [slice(j, j + reach, self.stride) for j in range(self.size)]


def _shifted(x: Array, window: _Window) -> list[Array]:
    """Return the images seen through each cell of a window.  # size² times (..., rows, columns, M)"""
    return [x[..., down, across, :] for down in window.down for across in window.across]


def _patches(tile: jax.Array, window: _Window) -> jax.Array:
    """Return the pixels under a kernel at every position of a tile (C, H, W, M).  # (size²·C, rows·columns·M)

    Shifting along the columns first, then along the rows, takes 2 · size large contiguous copies; size² small copies
    would take as long as the product itself.
    """
    columns = jnp.concatenate([tile[:, :, across] for across in window.across])  # (size·C, H, columns, M)
    return jnp.concatenate([columns[:, down] for down in window.down]).reshape(window.size**2 * tile.shape[0], -1)


def _gather_patches(patches: jax.Array, window: _Window, shape: tuple[int, ...]) -> jax.Array:
    """Transpose of ``_patches``: add every patch to the pixels that it came from.  # shape, (C, H, W, M)"""
    channels, height, _, examples = shape
    cells = patches.reshape(window.size, -1, window.rows, window.columns, examples)
    columns = jnp.zeros((window.size * channels, height, window.columns, examples), patches.dtype)
    for cell, down in zip(cells, window.down, strict=True):
        columns = _add(columns, cell, 1, down)
    images = jnp.zeros(shape, patches.dtype)
    for cell, across in zip(columns.reshape(window.size, channels, *columns.shape[1:]), window.across, strict=True):
        images = _add(images, cell, 2, across)
    return images


def _add(images: jax.Array, values: jax.Array, axis: int, where: slice) -> jax.Array:
    """Add values to some rows (axis 1) or columns (axis 2) of images, in place if those are contiguous."""
    places = (slice(None),) * axis + (where,)
    if where.step > 1:
        return images.at[places].add(values)
    begin = [0] * images.ndim
    begin[axis] = where.start
    return lax.dynamic_update_slice(images, images[places] + values, begin)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _convolve(x: jax.Array, kernel: jax.Array, window: _Window, precision: Precision) -> jax.Array:
    """Convolve padded images (T, C, H, W, M) with a kernel (F, size²·C).  # (T, F, rows, columns, M)"""
    if precision == "mixed":  # materialized: on a CPU, XLA rejects a single network's transposed bfloat16 factor
        kernel = lax.optimization_barrier(kernel)

    def one(tile: jax.Array) -> jax.Array:
        flat = dot(kernel, _patches(tile, window), precision)  # (F, rows·columns·M)
        return flat.reshape(-1, window.rows, window.columns, tile.shape[3])

    if accelerator.in_use():  # one tile, which a loop would keep from sharing its work with other runs
        return one(x[0])[None]
    return lax.map(one, x)


def _forward(
    x: jax.Array, kernel: jax.Array, window: _Window, precision: Precision
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _convolve(x, kernel, window, precision), (x, kernel)


def _backward(
    window: _Window, precision: Precision, kept: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Compute the gradients of images and kernel; laying out the patches again is cheaper than keeping them."""
    x, kernel = kept
    turned = lax.optimization_barrier(kernel.T)  # (size²·C, F), materialized: XLA is slow with transposed factors

    def one(total: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        tile, of_tile = now
        flat = factor(of_tile, precision).reshape(of_tile.shape[0], -1)  # (F, rows·columns·M)
        total = total + dot(_patches(tile, window), flat.T, precision)  # transposes the smaller factor
        back = _gather_patches(dot(turned, flat, precision), window, tile.shape)  # (C, H, W, M)
        return total, back.astype(tile.dtype)

    zero = jnp.zeros(turned.shape, kernel.dtype)  # (size²·C, F)
    if accelerator.in_use():
        total, alone = one(zero, (x[0], gradient[0]))
        return alone[None], total.T
    total, back = lax.scan(one, zero, (x, gradient))
    return back, total.T


_convolve.defvjp(_forward, _backward)


def max_pool(shape: tuple[int, ...], size: int = 2, stride: int | None = None, padding: str = "valid") -> Layer:
    """Max pooling with a square window.

    Args:
      shape: (height, width, channels) of one image.
      size: height and width of the window.
      stride: step of the window; defaults to ``size``.
      padding: ``"same"`` or ``"valid"``.

    Example:
      >>> max_pool((28, 28, 6)).output_shape
      (14, 14, 6)
    """
    step = stride or size
    rows, columns, around = _places(shape, size, step, padding, "max_pool")
    window = _Window(size, step, rows, columns)
    apart = step == size and not any(map(any, around))  # windows neither overlap nor cross the border

    def apply(params: Params, x: jax.Array) -> jax.Array:
        if apart:
            return _max_of_blocks(x[..., : rows * size, : columns * size, :], size)
        padded = jnp.pad(x, ((0, 0), (0, 0), *around, (0, 0)), constant_values=-jnp.inf)
        return functools.reduce(_larger, _shifted(padded, window))  # (T, C, rows, columns, M)

    return Layer("max_pool", (rows, columns, shape[2]), stateless(apply), halves=apart and size == 2)


def _larger(first: jax.Array, second: jax.Array) -> jax.Array:
    """Return the larger value, or NaN if either is NaN; if equal, the first receives the gradient, as in Keras."""
    return jnp.where((first >= second) | jnp.isnan(first), first, second)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _max_of_blocks(x: jax.Array, size: int) -> jax.Array:
    """Return the largest value of every block of images (T, C, H, W, M).  # (T, C, H / size, W / size, M)"""
    return functools.reduce(jnp.maximum, _cells(x, size))


def _cells(x: jax.Array, size: int) -> list[jax.Array]:
    """Return the values at each position within a block, row by row.  # size² times (T, C, H / size, W / size, M)"""
    *before, height, width, examples = x.shape
    blocks = x.reshape(*before, height // size, size, width // size, size, examples)
    return [blocks[..., i, :, j, :] for i, j in itertools.product(range(size), repeat=2)]


def _max_forward(x: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
    return _max_of_blocks(x, size), x


def _max_backward(size: int, x: jax.Array, gradient: jax.Array) -> tuple[jax.Array]:
    """Send the gradient to the first of a block's largest values, as in Keras."""
    cells = _cells(x, size)
    largest = functools.reduce(jnp.maximum, cells)
    first = jnp.full(gradient.shape, size * size - 1, jnp.int32)
    for place in reversed(range(size * size - 1)):
        first = jnp.where(cells[place] == largest, place, first)
    *before, rows, columns, examples = gradient.shape
    places = jnp.arange(size * size, dtype=jnp.int32).reshape(*(1,) * (len(before) + 1), size, 1, size, 1)
    here = first[..., None, :, None, :] == places  # (T, C, rows, size, columns, size, M)
    back = jnp.where(here, gradient[..., None, :, None, :], jnp.zeros((), gradient.dtype))
    return (back.reshape(*before, rows * size, columns * size, examples),)


_max_of_blocks.defvjp(_max_forward, _max_backward)


def average_pool(shape: tuple[int, ...], size: int = 2, stride: int | None = None, padding: str = "valid") -> Layer:
    """Average pooling with a square window; padding is not counted, as in Keras.

    Args:
      shape: (height, width, channels) of one image.
      size: height and width of the window.
      stride: step of the window; defaults to ``size``.
      padding: ``"same"`` or ``"valid"``.

    Example:
      >>> average_pool((28, 28, 6), 3, 2, "same").output_shape
      (14, 14, 6)
    """
    step = stride or size
    rows, columns, around = _places(shape, size, step, padding, "average_pool")
    window = _Window(size, step, rows, columns)
    inside = np.pad(np.ones((1, 1, *shape[:2], 1), np.float32), ((0, 0), (0, 0), *around, (0, 0)))
    counts = sum(_shifted(inside, window))  # (1, 1, rows, columns, 1)

    def apply(params: Params, x: jax.Array) -> jax.Array:
        padded = jnp.pad(x, ((0, 0), (0, 0), *around, (0, 0)))
        return functools.reduce(jnp.add, _shifted(padded, window)) / counts  # (T, C, rows, columns, M)

    return Layer("average_pool", (rows, columns, shape[2]), stateless(apply))


def global_average_pool(shape: tuple[int, ...]) -> Layer:
    """Average every channel over the whole image.

    Args:
      shape: (height, width, channels) of one image.

    Example:
      >>> global_average_pool((7, 7, 64)).output_shape
      (64,)
    """
    _, _, channels = _image(shape, "global_average_pool")

    def apply(params: Params, x: jax.Array) -> jax.Array:
        return from_tiles(x.mean(axis=(2, 3), keepdims=True)).reshape(-1, channels)  # (B, C)

    return Layer("global_average_pool", (channels,), stateless(apply))
