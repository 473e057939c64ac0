"""HDF5 files, through h5py where it is installed."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, Reading
from wellfit.data.arrays.bounds import check_size
from wellfit.data.arrays.names import Stored, raw_of_arrays
from wellfit.data.parts import RawData
from wellfit.errors import DataError, one_line

__all__ = ["is_hdf5", "read_hdf5", "stored_in_hdf5"]

_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
_HEAP: Final = b"GCOL\x01\0\0\0"  # how a heap of texts begins
_MOST: Final = 1000  # arrays that are listed


def is_hdf5(path: Path) -> bool:
    """Return whether a file is an HDF5 file, by its first bytes; MATLAB puts them after 512 bytes of text.

    Example:
      >>> is_hdf5(Path(__file__))
      False
    """
    with path.open("rb") as file:
        start = file.read(512 + len(_MAGIC))
    return start.startswith(_MAGIC) or start[512:] == _MAGIC


def read_hdf5(path: Path, reading: Reading = DEFAULT_READING) -> RawData:
    """Read examples and labels from an HDF5 file, for example ``x_train`` and ``y_train``, or ``train/images``.

    Args:
      path: the file.
      reading: ``label`` and ``group`` may name arrays.

    Raises:
      DataError: h5py is not installed, the file is damaged, or it lacks examples or labels.
    """
    return raw_of_arrays(stored_in_hdf5(path), str(path), reading)


def stored_in_hdf5(path: Path, *, matlab: bool = False) -> dict[str, Stored]:
    """List the arrays of a file, in groups too, without reading their values; links to other files are not followed.

    Args:
      path: the file.
      matlab: reverse the axes, because MATLAB stores columns first.

    Raises:
      DataError: h5py is not installed, or the file is damaged.
    """
    try:
        import h5py
    except ImportError:
        raise DataError(
            f'{path}: reading it needs h5py, which is not installed; install it with: pip install "wellfit[hdf5]", or '
            "save the arrays with np.savez(file, x=x, y=y)"
        ) from None

    found: dict[str, Stored] = {}

    def visit(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or len(found) >= _MOST or item.shape is None or name.startswith("#"):
            return
        if item.external or item.is_virtual:
            raise DataError(f"{path} ({name}): the values are in another file; copy them into this one")
        shape = item.shape[::-1] if matlab else item.shape
        check_size(shape, item.dtype, item.id.get_storage_size(), f"{path} ({name})")
        found[name] = Stored(tuple(shape), item.dtype, _reader(path, name, matlab))

    try:
        with h5py.File(path, "r") as file:
            file.visititems(visit)
    except DataError:
        raise
    except Exception as error:  # the library raises nearly every exception on damaged files
        raise _damaged(path, error) from None
    if any(name.endswith(("block0_values", "axis0")) for name in found):
        raise DataError(f"{path}: was written by pandas (to_hdf); save the table with to_parquet or to_csv instead")
    return found


def _check_heaps(path: Path) -> None:
    """Refuse texts that claim to be longer than the file: the library would set aside memory for them."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        at = content.find(_HEAP)
        while at >= 0:
            end = at + int.from_bytes(content[at + 8 : at + 16], "little")
            place = at + 16
            while place + 16 <= end <= len(content) and content[place : place + 2] != b"\0\0":
                size = int.from_bytes(content[place + 8 : place + 16], "little")
                place += 16 - (-size // 8) * 8
            if end > len(content) or place > end:
                raise ValueError("a text is longer than the file")
            at = content.find(_HEAP, at + 1)


def _check_lengths(path: Path, texts: Any) -> None:
    """Refuse an array whose references to texts claim lengths beyond the file: 16 bytes each, the length first."""
    offset, size = texts.id.get_offset(), texts.id.get_storage_size()
    if offset is None or size % 16:
        return
    with path.open("rb") as file:
        file.seek(offset)
        lengths = np.frombuffer(file.read(size), "<u4")[::4]
    if (lengths > path.stat().st_size).any():
        raise ValueError("a text is longer than the file")


def _reader(path: Path, name: str, matlab: bool) -> Callable[[], NDArray[Any]]:
    def read() -> NDArray[Any]:
        import h5py

        try:
            with h5py.File(path, "r") as file:
                if file[name].dtype.hasobject:
                    _check_heaps(path)
                    _check_lengths(path, file[name])
                array = np.asarray(file[name])
        except Exception as error:  # as above
            raise _damaged(path, error) from None
        if array.dtype.kind == "O":  # texts of varying length
            flat = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in array.reshape(-1).tolist()]
            array = np.array(flat, dtype=object).reshape(array.shape)
        return array.T if matlab else array

    return read


def _damaged(path: Path, error: Exception) -> DataError:
    text = one_line(error)
    return DataError(f"{path}: not a readable HDF5 file ({text}); save it again")
