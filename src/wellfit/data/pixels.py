"""Arrays of examples: which axis is which, which values are pixels, and what they are divided by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.parts import Part, named_rows
from wellfit.data.rounding import float32_blurs
from wellfit.errors import DataError

__all__ = ["example_values", "examples_first", "pixel_range"]

_CHANNELS: Final = (1, 3, 4)
_MNIST_PIXELS: Final = 28 * 28
_DEPTHS: Final = (255, 1023, 4095, 16383, 65535)
"""The largest values of pixels with 8, 10, 12, 14 and 16 bits."""

_ROUNDING: Final = 1e-3  # relative: 1.0000001 is 1, and 255.01 is 255
_BLOCK: Final = 2**22  # values checked at a time
_LARGEST: Final = np.float64(np.finfo(np.float32).max)  # of NumPy: Python's would be cast to float16 with the data


# --- Axes -------------------------------------------------------------------------------------------------------------


def examples_first(x: NDArray[Any], count: int, where: str) -> tuple[NDArray[Any], str]:
    """Put the axes in the order (N, D), (N, H, W) or (N, H, W, C).

    Args:
      x: examples along the first or the last axis, channels last or first; axes of length 1 are dropped.
      count: number of labels.
      where: for error messages.

    Returns:
      The examples, without a copy, and what was done; "" if nothing was.

    Raises:
      DataError: another number of examples, or a shape that cannot be read as examples.

    Example:
      >>> x, said = examples_first(np.zeros((50, 3, 28, 28)), 50, "memory")
      >>> x.shape, said
      ((50, 28, 28, 3), 'channels first (3 x 28 x 28), moved last')
    """
    said = []
    square = x.ndim > 2 and x.shape[0] == x.shape[1]  # (H, H, N)
    if x.ndim > 1 and len(x) != count == x.shape[-1] and (square or count > max(x.shape[:-1])):
        x = np.moveaxis(x, -1, 0)
        said.append("examples along the last axis, moved to the first")
    if x.ndim and len(x) != count:
        raise DataError(f"{where}: {len(x):,} examples but {count:,} labels; give one label per example")
    if x.ndim > 2 and 1 in (x.shape[1:] if x.ndim != 4 else x.shape[1:3]):
        before = _times(x.shape[1:])
        x = x.reshape(len(x), *([n for n in x.shape[1:] if n != 1] or [1]))
        said.append(f"axes of length 1 dropped ({before} read as {_times(x.shape[1:])})")
    if x.ndim not in (2, 3, 4):
        raise DataError(
            f"{where}: the examples have shape {x.shape}; give (N, D), (N, H, W) or (N, H, W, C), for example with "
            f"{'x.reshape(-1, 1)' if x.ndim < 2 else 'x.reshape(len(x), -1)'}"
        )
    if x.ndim == 4 and _channels_first(x.shape, where):
        said.append(f"channels first ({_times(x.shape[1:])}), moved last")
        x = np.moveaxis(x, 1, -1)
    return x, "; ".join(said)


def _channels_first(shape: tuple[int, ...], where: str) -> bool:
    """Whether the channels of (N, A, B, C) are A."""
    _, a, b, c = shape
    if c in _CHANNELS:
        if a in _CHANNELS and a < b and b > c and a != b:
            raise DataError(
                f"{where}: the examples have shape {shape}, and the channels could be axis 1 or axis 3; "
                "give rows instead, with x.reshape(len(x), -1)"
            )
        return False
    if a < b and a < c and (a in _CHANNELS or b == c):
        return True
    if a != b and c > max(_CHANNELS):
        raise DataError(
            f"{where}: the examples have shape {shape}, in which no axis has 1, 3 or 4 channels; put the channels "
            "last, with np.moveaxis(x, 1, -1), or give rows, with x.reshape(len(x), -1)"
        )
    return False


def _times(shape: Sequence[int]) -> str:
    return " x ".join(str(n) for n in shape)


# --- Values -----------------------------------------------------------------------------------------------------------


def example_values(parts: Sequence[Part]) -> tuple[list[NDArray[Any]], list[tuple[str, str]]]:
    """Convert the examples of all sets to one type, without a copy where the type is right.

    Rows of 784 whole numbers from 0 to 255 become 28 x 28 images. Images of such values become uint8, all others
    float32. Rows become float32, or float64 where float32 would blur a column; infinite values become NaN.

    Args:
      parts: the training set first; all examples have the same shape.

    Returns:
      The examples of each set, and facts.

    Raises:
      DataError: values that are not real numbers or too large, or an image with a value that is not finite.

    Example:
      >>> (x,), facts = example_values([Part(np.full((2, 784), 9.0), np.arange(2), "memory")])
      >>> x.shape, x.dtype.name, facts
      ((2, 28, 28), 'uint8', [('images', '784 columns read as 28 x 28 pixels')])
    """
    for part in parts:
        if part.x.dtype.kind not in "buif":
            raise DataError(f"{part.where}: {_unreal(part.x)}")
    arrays = [part.x for part in parts]
    facts = []
    if arrays[0].ndim == 2 and arrays[0].shape[1] == _MNIST_PIXELS and _are_bytes(arrays[0]):
        arrays = [x.reshape(-1, 28, 28) for x in arrays]
        facts.append(("images", f"{_MNIST_PIXELS} columns read as 28 x 28 pixels"))
    if arrays[0].ndim > 2:
        if all(_are_bytes(x) for x in arrays):
            return [np.ascontiguousarray(x, np.uint8) for x in arrays], facts
        return [_finite_images(x, part) for x, part in zip(arrays, parts, strict=True)], facts
    if all(x.dtype == np.uint8 for x in arrays):
        return [np.ascontiguousarray(x) for x in arrays], facts
    kind = np.float64 if any(_float32_blurs(x) for x in arrays) else np.float32
    rows, infinite = [], 0
    for x, part in zip(arrays, parts, strict=True):
        converted, found = _finite_rows(x, kind, part)
        rows.append(converted)
        infinite += found
    if infinite:
        facts.append(("infinite values", f"{infinite:,}, treated as missing"))
    return rows, facts


def _unreal(x: NDArray[Any]) -> str:
    if x.dtype.kind == "O" and x.ndim > 1:
        return (
            "the examples hold texts or Python objects; give numbers, or a pandas DataFrame, whose columns of text "
            "become categories"
        )
    if x.dtype.kind == "O":
        return (
            "the examples are Python objects instead of numbers (a list of arrays?); make one array of them, with "
            "np.stack(list(x)), all of the same shape"
        )
    fix = {"c": "give np.abs(x), or real and imaginary parts as two columns", "V": "give one plain array, (N, D)"}
    if x.dtype.kind in "USM":
        return f"the examples have type {x.dtype}; give real numbers, or a table with named columns"
    return f"the examples have type {x.dtype}; give real numbers: {fix.get(x.dtype.kind, 'convert them')}"


def _are_bytes(x: NDArray[Any]) -> bool:
    """Whether conversion to uint8 keeps all values; read in blocks, which ends early for most data."""
    if x.dtype in (np.uint8, np.bool_):
        return True
    step = max(1, _BLOCK // max(1, int(np.prod(x.shape[1:]))))
    for start in range(0, len(x), step):
        block = x[start : start + step]
        if not (block.min() >= 0 and block.max() <= 255):  # written so that NaN fails too
            return False
        if x.dtype.kind == "f" and not (block == np.floor(block)).all():
            return False
    return True


def _finite_images(x: NDArray[Any], part: Part) -> NDArray[np.float32]:
    with np.errstate(over="ignore", invalid="ignore"):
        floats = np.ascontiguousarray(x, np.float32)
    finite = np.isfinite(floats).reshape(len(x), -1).all(axis=1)  # (N,)
    if not finite.all():
        rows = named_rows(part, np.asarray(~finite))
        raise DataError(
            f"{part.where}: a pixel is missing, infinite or too large for float32 in {rows}; "
            "replace the values or drop the rows"
        )
    return floats


def _float32_blurs(x: NDArray[Any]) -> bool:
    """Whether float32 would blur a column."""
    if x.dtype.kind not in "iuf" or x.dtype.itemsize < 4 or x.dtype == np.float32:
        return False
    low, high = _extremes(x)  # (D,)
    if np.isinf(low).any() or np.isinf(high).any():
        low, high = _extremes(np.where(np.isinf(x), np.nan, x))
    held = np.maximum(np.abs(high), np.abs(low)) < _LARGEST  # larger numbers are refused
    return bool((float32_blurs(low, high, whole=x.dtype.kind in "iu") & held).any())


def _extremes(x: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The least and the largest value of each column, without NaN."""
    return np.fmin.reduce(x, axis=0).astype(np.float64), np.fmax.reduce(x, axis=0).astype(np.float64)


def _finite_rows(x: NDArray[Any], kind: type[np.floating[Any]], part: Part) -> tuple[NDArray[Any], int]:
    """Rows as floats, with NaN instead of infinite values, and the number of these."""
    largest = max((np.nanmax(np.abs(values), initial=0) for values in _extremes(x)), default=0)
    if largest <= _LARGEST:
        with np.errstate(invalid="ignore"):  # signaling NaN
            return np.ascontiguousarray(x, kind), 0
    infinite = np.isinf(x)  # (N, D)
    large = (np.abs(x) > _LARGEST) & ~infinite
    if large.any():
        raise DataError(
            f"{part.where}: a value is too large for float32 in {named_rows(part, np.asarray(large.any(axis=1)))}; "
            "rescale or replace it"
        )
    return np.where(infinite, np.nan, x).astype(kind), int(infinite.sum())


# --- Range ------------------------------------------------------------------------------------------------------------


def pixel_range(x: NDArray[Any]) -> tuple[float, str]:
    """Find what pixels are divided by, from the training images alone, so that they are about 0 to 1 or -1 to 1.

    Args:
      x: the training images, finite.  # (N, H, W) or (N, H, W, C)

    Returns:
      The divisor, and a text with the range and the divisor.

    Example:
      >>> pixel_range(np.array([[[0, 16]]], np.uint8)), pixel_range(np.array([[[-1.0, 1.0]]]))
      ((16.0, '0 to 16, divided by 16'), (1.0, '-1 to 1, used as they are'))
    """
    low, high = float(x.min()), float(x.max())
    whole = x.dtype.kind in "biu" or bool((x == np.floor(x)).all())
    if low < -_ROUNDING:
        divisor, guess = _signed(x, max(-low, high), whole)
    else:
        divisor, guess = _unsigned(high, whole)
    if divisor == 1:
        return 1.0, f"{low:.6g} to {high:.6g}, used as they are{guess}"
    return divisor, f"{low:.6g} to {high:.6g}, divided by {divisor:.6g}{guess}"


def _unsigned(high: float, whole: bool) -> tuple[float, str]:
    """The divisor of pixels from 0 up."""
    largest = ", the largest value; set pixel_max if another is possible"
    if high <= 0 or (0.2 <= high <= 1) or (not whole and 1 < high <= 1.5):
        return 1.0, ""
    if whole and 8 < high <= 16:
        return 16.0, ""
    for depth in _DEPTHS:
        if depth / 2 < high <= depth * (1 + _ROUNDING):
            return float(depth), ""
    return high, largest


def _signed(x: NDArray[Any], size: float, whole: bool) -> tuple[float, str]:
    """The divisor of pixels on both sides of 0."""
    if size <= 1 + _ROUNDING:
        return 1.0, ""
    deviation = float(x.std(dtype=np.float64))
    if not whole and 0.3 <= deviation <= 3:
        return 1.0, ": they look standardized"
    if whole and 64 < size <= 128:
        return 128.0, ""
    return size, ", the largest distance from 0; set pixel_max if another is possible"
