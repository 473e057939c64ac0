"""MATLAB's ``.mat`` files: through SciPy, and from version 7.3 on, when they are HDF5 files, through h5py."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, Reading
from wellfit.data.arrays.hdf5 import is_hdf5, stored_in_hdf5
from wellfit.data.arrays.names import Stored, raw_of_arrays
from wellfit.data.limits import raised, remedy
from wellfit.data.parts import RawData
from wellfit.errors import DataError, one_line

__all__ = ["read_mat", "stored_in_mat"]

_PIXELS: Final = 28 * 28
_MATRIX, _COMPRESSED = 14, 15
_TYPES: Final = frozenset({*range(1, 8), 9, *range(12, 19)})  # of elements; see "MAT-File Format" by MathWorks
_DEEPEST: Final = 30  # levels of structures and cells
_SMALL: Final = 2**28  # bytes that any element may unpack to
_RATIO: Final = 50  # of unpacked to packed size, for larger ones


def read_mat(path: Path, reading: Reading = DEFAULT_READING) -> RawData:
    """Read examples and labels from a ``.mat`` file, for example ``X`` and ``y``, or a structure with such fields.

    Args:
      path: the file. Examples may be along the last axis, as in SVHN.
      reading: ``label`` and ``group`` may name variables.

    Raises:
      DataError: the file is damaged, or lacks examples or labels.
    """
    return raw_of_arrays(stored_in_mat(path), str(path), reading)


def stored_in_mat(path: Path) -> dict[str, Stored]:
    """List the variables of a file; the fields of structures have names like ``dataset/train/images``.

    Raises:
      DataError: the file is damaged.
    """
    if is_hdf5(path):
        return stored_in_hdf5(path, matlab=True)
    from scipy.io import loadmat

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a variable that is there twice
            _check_elements(path)
            variables = loadmat(path, chars_as_strings=True)
    except Exception as error:  # the parser raises nearly every exception on damaged files
        text = one_line(error)
        kind = "damaged" if isinstance(error, zlib.error) else "not readable"
        raise DataError(f"{path}: {kind} as a MATLAB file ({text}); save it again with save(..., '-v7')") from None
    found = {name: array for name, value in variables.items() for name, array in _flat(name, value)}
    arrays = {name: _usable(array) for name, array in found.items() if not name.startswith("__")}
    notes: dict[str, tuple[str, str]] = {}
    if _is_svhn(arrays):
        arrays["y"] = np.where(arrays["y"] == 10, 0, arrays["y"])
        notes["y"] = ("labels", "SVHN's label 10 is the digit 0")
    if "emnist" in path.stem.lower():
        for name, array in arrays.items():
            if array.ndim == 2 and array.shape[1] == _PIXELS:
                arrays[name] = array.reshape(-1, 28, 28).swapaxes(1, 2)
                notes[name] = ("orientation", "EMNIST's images are stored transposed; put upright")
    return {n: Stored(a.shape, a.dtype, lambda a=a: a, notes.get(n)) for n, a in arrays.items()}  # type: ignore[misc]


def _check_elements(path: Path) -> None:
    """Refuse damage on which SciPy's compiled parser would crash: types that do not exist, sizes beyond the file."""
    content = path.read_bytes()
    if len(content) > 128 and all(content[:4]):  # version 5; version 4 begins with small numbers
        order: Literal["little", "big"] = "little" if content[126:128] == b"IM" else "big"
        _check_level(memoryview(content)[128:], order, 0)


def _check_level(content: memoryview, order: Literal["little", "big"], depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("too many levels")
    at = 0
    while at + 8 <= len(content):
        kind = int.from_bytes(content[at : at + 4], order)
        small = kind >> 16
        size = small or int.from_bytes(content[at + 4 : at + 8], order)
        start = at + 4 if small else at + 8
        kind &= 0xFFFF
        if kind not in _TYPES or (small > 4) or start + size > len(content):
            raise ValueError(f"an element of type {kind} and {size} bytes")
        inner = content[start : start + size]
        if kind == _COMPRESSED:
            unpack = zlib.decompressobj()
            limit = max(_SMALL, _RATIO * size)
            unpacked = unpack.decompress(inner, raised(limit))
            if unpack.unconsumed_tail:
                raise ValueError(f"an element of {size:,} bytes that unpacks to far more; {remedy(0, limit)}")
            _check_level(memoryview(unpacked), order, depth + 1)
        elif kind == _MATRIX:
            _check_level(inner, order, depth + 1)
        at = at + 8 if small else start + (size if kind == _COMPRESSED else -(-size // 8) * 8)


def _flat(name: str, value: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays in a variable: itself, or the fields of a structure."""
    if not isinstance(value, np.ndarray):
        return
    if value.dtype.names and value.size == 1:
        for field in value.dtype.names:
            yield from _flat(f"{name}/{field}", value.reshape(-1)[0][field])
    elif not value.dtype.names:
        yield name, value


def _usable(array: NDArray[Any]) -> NDArray[Any]:
    """Turn a cell array of texts into texts."""
    if array.dtype.kind != "O":
        return array
    cells = array.reshape(-1).tolist()
    if all(isinstance(cell, np.ndarray) and cell.dtype.kind == "U" and cell.size == 1 for cell in cells):
        return np.array([str(cell.item()) for cell in cells]).reshape(array.shape)
    return array


def _is_svhn(arrays: dict[str, NDArray[Any]]) -> bool:
    """Whether these are the cropped digits of Street View House Numbers, in which 10 is the digit 0."""
    x, y = arrays.get("X"), arrays.get("y")
    if x is None or y is None or x.ndim != 4 or x.shape[:3] != (32, 32, 3) or y.dtype.kind not in "iuf":
        return False
    return bool(y.size and y.min() == 1 and y.max() == 10)
