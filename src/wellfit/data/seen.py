"""Which examples trained a model: a hash of each, by which later examples are recognized."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Column
from wellfit.data.audits.sets import row_hashes
from wellfit.data.tables.values import plain_number

__all__ = ["Hashes", "example_hashes"]

_BLOCK: Final = 4096
_BYTES: Final = 8

Hashes: TypeAlias = NDArray[np.uint64]


def example_hashes(x: NDArray[Any], columns: Sequence[Column] = (), used: Collection[str] = ()) -> Hashes:
    """A hash of 64 bits for each example as it was read; two of a million share one with a probability of 3e-8.

    Args:
      x: pixels or rows; in columns of categories, positions.  # (N, ...)
      columns: of ``x``, with the categories that are meant.
      used: the names of the columns that count; empty without columns.

    Returns:
      The hashes, equal for the same numbers of another type, and for the same texts in other positions.  # (N,)

    Example:
      >>> one = example_hashes(np.array([[0.0], [1.0]]), [Column("a", ("x", "y"))], {"a"})
      >>> other = example_hashes(np.array([[0.0]], np.float32), [Column("a", ("y",))], {"a"})
      >>> one.dtype, (one == other).tolist()
      (dtype('uint64'), [False, True])
    """
    places = [at for at, column in enumerate(columns) if column.name in used]
    texts = {at: _texts(columns[at]) for at in places if columns[at].categories}
    found = []
    for start in range(0, len(x), _BLOCK):
        block = x[start : start + _BLOCK]
        with np.errstate(over="ignore"):  # infinite, and equal for both
            plain = block.astype(np.float32)
        for at, numbers in texts.items():
            plain[:, at] = _taken(numbers, block[:, at])
        found += row_hashes(plain[:, places] if columns else plain, _BYTES)
    return np.frombuffer(b"".join(found), "<u8").astype(np.uint64)


def _texts(column: Column) -> NDArray[np.float32]:
    """A number of 24 bits for each category, by its text; NaN behind them, for missing values."""
    numbers = [zlib.crc32(plain_number(text).encode(errors="surrogateescape")) >> 8 for text in column.categories]
    return np.array([*numbers, np.nan], np.float32)


def _taken(numbers: NDArray[np.float32], codes: NDArray[Any]) -> NDArray[np.float32]:
    places = np.where(np.isnan(codes.astype(np.float64)), -1, codes.astype(np.float64)).astype(np.int64)
    return numbers[places]
