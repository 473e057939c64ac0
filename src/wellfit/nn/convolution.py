"""Convolution and pooling of images (B, height, width, channels)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from wellfit.errors import ShapeError
from wellfit.nn.initializers import draw_kernel
from wellfit.nn.layers import Initial, Layer, Params, stateless

__all__ = ["average_pool", "conv2d", "global_average_pool", "max_pool"]


def _image(shape: tuple[int, ...], what: str) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ShapeError(f"{what} takes images of shape (height, width, channels), got shape {shape}")
    return shape[0], shape[1], shape[2]


def _extent(size: int, window: int, stride: int, padding: str) -> tuple[int, tuple[int, int]]:
    """Positions of a window along an axis, and the padding before and after; "same" pads as TensorFlow and Keras do."""
    if padding == "valid":
        return (size - window) // stride + 1, (0, 0)
    positions = -(-size // stride)
    total = max((positions - 1) * stride + window - size, 0)
    return positions, (total // 2, total - total // 2)


def _window(
    shape: tuple[int, ...], size: int, stride: int, padding: str, what: str
) -> tuple[int, int, tuple[tuple[int, int], tuple[int, int]]]:
    """Height and width after a window has passed over an image, and the padding around the image before it."""
    height, width, _ = _image(shape, what)
    if padding not in ("same", "valid"):
        raise ShapeError(f"{what}: padding is 'same' or 'valid', got {padding!r}")
    if padding == "valid" and size > min(height, width):
        raise ShapeError(f"{what}: a window of {size} x {size} is larger than the image of shape {shape}")
    rows, above = _extent(height, size, stride, padding)
    columns, beside = _extent(width, size, stride, padding)
    return rows, columns, (above, beside)


def conv2d(
    shape: tuple[int, ...],
    filters: int,
    size: int,
    stride: int = 1,
    padding: str = "valid",
    initializer: str = "glorot_uniform",
) -> Layer:
    """Cross-correlation with a square kernel, plus bias, as Keras's ``Conv2D``.

    The patches under the kernel are laid out as rows of one matrix, so that the convolution is one matrix product: on a
    CPU that is many times faster than XLA's own convolution once networks are vectorized, and variants of one seed
    share the patches of the first layer.

    Args:
      shape: (height, width, channels) of one image.
      filters: the number of outputs.
      size: height and width of the kernel.
      stride: step of the kernel, both ways.
      padding: ``"same"`` or ``"valid"``.
      initializer: of the kernel.

    Raises:
      ShapeError: not an image, or smaller than the kernel; or there are no filters.

    Example:
      >>> conv2d((28, 28, 1), 6, 5, padding="same").output_shape
      (28, 28, 6)
    """
    what = f"conv2d with {filters} filters"
    if filters < 1:
        raise ShapeError(f"conv2d takes shape {shape} to {filters} filters; give it at least one")
    rows, columns, around = _window(shape, size, stride, padding, what)
    channels = shape[2]

    def init(generator: np.random.Generator) -> Initial:
        kernel = draw_kernel(initializer, generator, (size, size, channels, filters))
        return {"kernel": kernel, "bias": np.zeros(filters, np.float32)}

    def apply(params: Params, x: jax.Array) -> jax.Array:
        padded = jnp.pad(x, ((0, 0), *around, (0, 0)))
        patches = jnp.concatenate(_shifted(padded, size, stride, rows, columns), axis=3)  # (B, rows, columns, size²·C)
        flat = patches.reshape(-1, size * size * channels)  # (B·rows·columns, size²·C)
        product = flat @ params["kernel"].reshape(size * size * channels, filters) + params["bias"][None, :]
        return product.reshape(x.shape[0], rows, columns, filters)

    return Layer("conv2d", (rows, columns, filters), stateless(apply), init)


def _shifted(x: jax.Array, size: int, stride: int, rows: int, columns: int) -> list[jax.Array]:
    """The image as each place of a window sees it, row by row of the window.  # size² times (B, rows, columns, C)"""
    down, across = (rows - 1) * stride + 1, (columns - 1) * stride + 1
    return [x[:, i : i + down : stride, j : j + across : stride] for i in range(size) for j in range(size)]


def max_pool(shape: tuple[int, ...], size: int = 2, stride: int | None = None, padding: str = "valid") -> Layer:
    """The largest value under a square window.

    Args:
      shape: (height, width, channels) of one image.
      size: height and width of the window.
      stride: its step; its size unless told otherwise.
      padding: ``"same"`` or ``"valid"``.

    Example:
      >>> max_pool((28, 28, 6)).output_shape
      (14, 14, 6)
    """
    step = stride or size
    rows, columns, around = _window(shape, size, step, padding, "max_pool")

    def apply(params: Params, x: jax.Array) -> jax.Array:
        padded = jnp.pad(x, ((0, 0), *around, (0, 0)), constant_values=-jnp.inf)
        largest, *others = _shifted(padded, size, step, rows, columns)
        for other in others:
            largest = jnp.maximum(largest, other)
        return largest  # (B, rows, columns, C)

    return Layer("max_pool", (rows, columns, shape[2]), stateless(apply))


def average_pool(shape: tuple[int, ...], size: int = 2, stride: int | None = None, padding: str = "valid") -> Layer:
    """The mean under a square window; padding is not counted, as in Keras.

    Args:
      shape: (height, width, channels) of one image.
      size: height and width of the window.
      stride: its step; its size unless told otherwise.
      padding: ``"same"`` or ``"valid"``.

    Example:
      >>> average_pool((28, 28, 6), 3, 2, "same").output_shape
      (14, 14, 6)
    """
    step = stride or size
    rows, columns, around = _window(shape, size, step, padding, "average_pool")
    inside = np.pad(np.ones((1, *shape[:2], 1), np.float32), ((0, 0), *around, (0, 0)))
    down, across = (rows - 1) * step + 1, (columns - 1) * step + 1
    places = [inside[:, i : i + down : step, j : j + across : step] for i in range(size) for j in range(size)]
    counts = np.sum(places, axis=0)  # (1, rows, columns, 1)

    def apply(params: Params, x: jax.Array) -> jax.Array:
        padded = jnp.pad(x, ((0, 0), *around, (0, 0)))
        total, *others = _shifted(padded, size, step, rows, columns)
        for other in others:
            total = total + other
        return total / counts  # (B, rows, columns, C)

    return Layer("average_pool", (rows, columns, shape[2]), stateless(apply))


def global_average_pool(shape: tuple[int, ...]) -> Layer:
    """The mean of every channel.

    Args:
      shape: (height, width, channels) of one image.

    Example:
      >>> global_average_pool((7, 7, 64)).output_shape
      (64,)
    """
    _, _, channels = _image(shape, "global_average_pool")
    return Layer("global_average_pool", (channels,), stateless(lambda params, x: x.mean(axis=(1, 2))))  # (B, C)
