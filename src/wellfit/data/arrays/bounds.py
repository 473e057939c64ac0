"""What no file of arrays may ask for: Python objects, and far more memory than the file has bytes."""

from __future__ import annotations

import math
from typing import Any, Final, NoReturn

import numpy as np

from wellfit.data.limits import raised, remedy
from wellfit.errors import DataError

__all__ = ["check_size", "refuse_objects"]

_LARGE: Final = 2**28  # bytes; smaller arrays may be compressed as much as they can
_RATIO: Final = 100  # of an array's size to its compressed size; images reach about 20


def check_size(shape: tuple[int, ...], dtype: np.dtype[Any], stored: int, where: str) -> None:
    """Refuse an array that is far larger than what the file holds of it.

    Args:
      stored: bytes in the file.
      where: for the error message.

    Raises:
      DataError: the array is damaged, or a decompression bomb.

    Example:
      >>> check_size((10, 9), np.dtype("float64"), 500, "small.npz")
    """
    size = math.prod(shape) * dtype.itemsize
    if size > raised(_LARGE) and size > raised(_RATIO) * stored:
        raise DataError(
            f"{where}: an array of shape {shape} takes {size / 2**30:,.3g} GiB, but the file holds {stored:,} bytes of "
            "it; the file is damaged, or its values are nearly all alike: replace it, save it uncompressed, or, "
            f"{remedy(size, max(_LARGE, _RATIO * stored))}"
        )


def refuse_objects(where: str, shape: tuple[int, ...]) -> NoReturn:
    """Refuse an array of Python objects, which only unpickling could read, and say how to save it.

    Args:
      where: file and array, for the error message.
      shape: of the array.

    Raises:
      DataError: always.
    """
    if not shape:
        raise DataError(
            f"{where}: is a pickled Python object (a dictionary?), and wellfit never unpickles files; save its arrays "
            "by name, for example np.savez(file, x=d['x'], y=d['y'])"
        )
    raise DataError(
        f"{where}: is an array of Python objects, which is pickled, and wellfit never unpickles files; save images "
        "with np.stack(list(x)), all of one shape, and names as text with y.astype(str)"
    )
