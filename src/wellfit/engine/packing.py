"""Histograms as compressed bytes, for files."""

from __future__ import annotations

import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.base.histograms import BINS

__all__ = ["pack", "unpack"]

_TYPE: Final = np.dtype("<u4")
_RATIO: Final = 1032  # zlib compresses no further


def pack(counts: IntArray) -> NDArray[np.uint8]:
    """Counts as compressed bytes: a few hundred for an epoch of a small network.

    Args:
      counts: not negative.  # (epochs, ..., BINS)

    Example:
      >>> unpack(pack(np.full((2, 3, BINS), 7)), 2).shape
      (2, 3, 115)
    """
    by_bin = np.moveaxis(counts.astype(_TYPE), 0, -1)  # (..., BINS, epochs): neighbors are alike
    planes = np.moveaxis(np.ascontiguousarray(by_bin)[..., None].view(np.uint8), -1, 0)  # (4, ..., BINS, epochs)
    return np.frombuffer(zlib.compress(planes.tobytes(), 6), np.uint8)


def unpack(content: NDArray[Any], epochs: int, arrays: int | None = None) -> IntArray:
    """The counts that ``pack`` made bytes of.

    Args:
      content: the bytes.
      epochs: their number.
      arrays: the number of histograms of each epoch; by default whatever there is.

    Returns:
      The counts, int64.  # (epochs, arrays, BINS)

    Raises:
      ValueError: these are no such bytes; at most a thousand times their size is made of them.
    """
    size = epochs * BINS * _TYPE.itemsize
    most = _RATIO * content.size if arrays is None else size * arrays
    if epochs < 1 or content.dtype != np.uint8 or content.ndim != 1:
        raise ValueError(f"{content.dtype}, {content.shape} is no packed histogram of {epochs} epochs")
    try:
        unpacker = zlib.decompressobj()
        planes = unpacker.decompress(content.tobytes(), most + 1)
    except zlib.error as error:
        raise ValueError(f"a packed histogram is damaged: {error}") from None
    count = len(planes) // size
    if not unpacker.eof or len(planes) != size * count or arrays not in (None, count):
        raise ValueError(f"a packed histogram is not of {epochs} epochs")
    raw = np.frombuffer(planes, np.uint8).reshape(_TYPE.itemsize, count, BINS, epochs)
    by_bin = np.ascontiguousarray(np.moveaxis(raw, 0, -1)).view(_TYPE)[..., 0]  # (arrays, BINS, epochs)
    return np.moveaxis(by_bin, -1, 0).astype(np.int64)  # (epochs, arrays, BINS)
