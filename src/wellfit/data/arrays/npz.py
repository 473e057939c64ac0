"""NumPy's ``.npz`` archives: named arrays in a zip file."""

from __future__ import annotations

import errno
import tokenize
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, Reading
from wellfit.data.arrays.bounds import check_size, refuse_objects
from wellfit.data.arrays.names import Stored, raw_of_arrays
from wellfit.data.parts import RawData
from wellfit.errors import DataError, one_line

__all__ = ["DAMAGE", "not_read", "npy_header", "npy_values", "read_npz", "stored_in_npz"]

DAMAGE: Final = (
    *(OSError, EOFError, KeyError, ValueError, SyntaxError, MemoryError, NotImplementedError, RuntimeError),
    *(OverflowError, TypeError, tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)
"""What NumPy and zipfile raise for damaged files."""


def read_npz(path: Path, reading: Reading = DEFAULT_READING) -> RawData:
    """Read a NumPy archive with ``x_train``, ``y_train``, ``x_test`` and ``y_test``, or with ``x`` and ``y``.

    Args:
      path: the ``.npz`` file. Other usual names are understood, for example ``train_images`` or ``target``.
      reading: ``label`` and ``group`` may name arrays.

    Returns:
      Examples and labels; the test and validation sets if the archive has them.

    Raises:
      DataError: the file is not an ``.npz`` archive, is damaged, contains Python objects, or lacks an array.
    """
    return raw_of_arrays(stored_in_npz(path), str(path), reading)


def stored_in_npz(path: Path) -> dict[str, Stored]:
    """List the arrays of an archive without reading their values.

    Raises:
      DataError: the file is not an ``.npz`` archive, is damaged, or contains Python objects.
    """
    stored: dict[str, Stored] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.filename.endswith(".npy"):
                    continue
                name = member.filename.removesuffix(".npy")
                with archive.open(member) as file:
                    shape, dtype = npy_header(file)
                if dtype.hasobject:
                    refuse_objects(f"{path} ({name})", shape)
                check_size(shape, dtype, member.compress_size, f"{path} ({name})")
                stored[name] = Stored(shape, dtype, lambda name=name: _read(path, name))  # type: ignore[misc]
    except DAMAGE as error:
        raise _damaged(path, error) from None
    return stored


def npy_header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the header of an ``.npy`` file: shape and type.

    Raises:
      ValueError: it is none.
    """
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # written by Python 2
            shape, _, dtype = read(file)
    except (SyntaxError, tokenize.TokenError, RecursionError, TypeError) as error:
        raise ValueError(f"no readable header: {one_line(error)}") from None
    return tuple(int(n) for n in shape), dtype


def npy_values(file: Any) -> NDArray[Any]:
    """Read an ``.npy`` file from its start; never unpickles.

    Raises:
      ValueError: it is damaged, or holds Python objects.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as above
            array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    except (TypeError, OverflowError) as error:  # a shape that is no tuple of numbers
        raise ValueError(one_line(error)) from None
    return array


def _read(path: Path, name: str) -> NDArray[Any]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
            return npy_values(file)
    except DAMAGE as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    return not_read(path, error, "not a readable .npz archive of plain arrays", "save it again with np.savez")


def not_read(path: Path, error: Exception, damaged: str, fix: str) -> DataError:
    """The line about a file that could not be read: whole, but closed or on a failing disk, or else damaged.

    Args:
      path: of the file.
      error: what was raised.
      damaged, fix: what to say of a damaged file, and how to fix it.

    Example:
      >>> not_read(Path("a.npz"), PermissionError(13, "Permission denied"), "no archive", "save it again")
      DataError('a.npz: cannot be read (Permission denied); check the path and its permissions')
    """
    if isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}:  # EINVAL: a position before the start
        return DataError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions")
    return DataError(f"{path}: {damaged} ({one_line(error)}); {fix}")
