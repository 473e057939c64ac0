"""Named arrays in files: the same arrays give the same bytes, and a file is checked against its SHA-256 when read."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import math
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.errors import StoreUnreadableError
from wellfit.files import TEMPORARY, read_plain, replacing, sync, write_errors

__all__ = [
    "AGAIN",
    "Arrays",
    "as_written",
    "is_damaged",
    "pack",
    "read_arrays",
    "read_file",
    "remove_temporary",
    "stage",
    "unpack",
    "write_arrays",
]

Arrays = Mapping[str, NDArray[Any]]
"""Name -> array, of NumPy's own numeric dtypes."""

AGAIN: Final = "restore it from a copy; or wellfit run, with the same study and --out, makes it again"
_KEPT: Final = "everything saved so far is kept; free disk space or fix the permissions, and run again"


def pack(arrays: Arrays) -> bytes:
    """The bytes of an ``.npz`` file.

    Raises:
      TypeError: a dtype that a file cannot hold exactly, for example object or bfloat16.

    Example:
      >>> unpack(pack({"dense_1/bias": np.zeros(2, np.float32)}))
      {'dense_1/bias': array([0., 0.], dtype=float32)}
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # np.savez reserves names, for example "file", and records the time
        for name, array in arrays.items():
            if array.dtype.kind not in "biufc":
                raise TypeError(f"{name}: a file cannot hold {array.dtype} exactly")
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def unpack(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays in the bytes of an ``.npz`` file that ``pack`` wrote.

    Raises:
      ValueError: it is another kind of file; nothing larger than ``content`` is made of it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                raise ValueError("it is compressed")
            return {member.filename.removesuffix(".npy"): _array(archive.read(member)) for member in archive.infolist()}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:  # encrypted, of a later version
        raise ValueError(str(error)) from None


def _array(content: bytes) -> NDArray[Any]:
    """The array of an ``.npy`` file; its header is checked before memory is taken for it."""
    file = io.BytesIO(content)
    read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in read_header:
        raise ValueError(f"version {version} of NumPy's format")
    shape, by_columns, dtype = read_header[version](file)
    if dtype.kind not in "biufc" or math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        raise ValueError(f"{len(content)} bytes are no array of {dtype}, {shape}")
    flat = np.frombuffer(content, dtype, offset=file.tell()).copy()
    return flat.reshape(shape, order="F" if by_columns else "C")


def stage(stack: ExitStack, path: Path, content: bytes, *, durable: bool = True) -> str:
    """Write a file to the disk under a temporary name; it replaces ``path`` when the stack is closed without an error.

    Several files staged on one stack are all on the disk before the first of them is replaced.

    Args:
      stack: closes the file.
      path: the file.
      content: its bytes.
      durable: whether it must be on the disk before anything names it; not where the whole directory is new.

    Returns:
      The SHA-256 of the content.

    Raises:
      StoreError: when the stack is closed: the disk is full, or the file cannot be written.
    """
    stack.enter_context(write_errors(path, _KEPT))
    temporary = stack.enter_context(replacing(path, durable=durable, alone=True))  # the directory's lock is held
    temporary.write_bytes(content)
    if durable:
        sync(temporary)
    return hashlib.sha256(content).hexdigest()


def write_arrays(path: Path, arrays: Arrays) -> str:
    """Replace a file of arrays.

    Returns:
      The SHA-256 of the file.

    Raises:
      StoreError: the disk is full, or the file cannot be written; the old file is kept.
    """
    with ExitStack() as stack:
        return stage(stack, path, pack(arrays))


def read_file(path: Path, sha256: str, remedy: str = AGAIN) -> bytes:
    """The content of a file.

    Args:
      path: the file.
      sha256: of its content.
      remedy: what the user can do where the file is damaged.

    Raises:
      StoreUnreadableError: it cannot be read, or is damaged.
    """
    try:
        content = read_plain(path)
    except PermissionError as error:  # nothing is lost
        raise StoreUnreadableError(f"{path}: cannot be read: {error.strerror}; fix its permissions") from None
    except OSError as error:
        raise StoreUnreadableError(f"{path}: cannot be read: {error.strerror}; {remedy}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StoreUnreadableError(f"{path}: damaged: not the file that was saved; {remedy}")
    return content


def is_damaged(path: Path, sha256: str) -> bool:
    """Whether a file is missing, or not the one that was saved; a file is read once while it does not change.

    Raises:
      StoreUnreadableError: it is there, but cannot be read.
    """
    try:
        at = os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError as error:
        raise StoreUnreadableError(f"{path}: cannot be read: {error.strerror}; fix its permissions") from None
    return _differs(path, sha256, (at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns))


@functools.lru_cache(maxsize=1 << 16)
def _differs(path: Path, sha256: str, at: tuple[int, ...]) -> bool:
    try:
        content = read_plain(path)
    except PermissionError as error:
        raise StoreUnreadableError(f"{path}: cannot be read: {error.strerror}; fix its permissions") from None
    except OSError as error:  # a link, a pipe, a fault of the disk
        fix = "restore the file from a copy, or remove it and run again"
        raise StoreUnreadableError(f"{path}: cannot be read: {error.strerror}; {fix}") from None
    return hashlib.sha256(content).hexdigest() != sha256


def read_arrays(path: Path, sha256: str, remedy: str = AGAIN) -> dict[str, NDArray[Any]]:
    """The arrays of a file; arguments and errors of `read_file`."""
    with as_written(path, remedy):
        return unpack(read_file(path, sha256, remedy))


@contextlib.contextmanager
def as_written(path: Path, remedy: str = AGAIN) -> Iterator[None]:
    """Report a file that wellfit cannot have written, in one line.

    Args:
      path: the file that the block takes apart.
      remedy: what to do.

    Raises:
      StoreUnreadableError: for a ValueError.
    """
    try:
        yield
    except ValueError as error:  # its checksum is right, so somebody made it so
        raise StoreUnreadableError(f"{path}: not a file of wellfit ({error}); {remedy}") from None


def remove_temporary(folders: Iterable[Path]) -> None:
    """Remove the temporary files that a killed process left in folders where no other process writes."""
    for folder in folders:
        for path in folder.glob(f".*{TEMPORARY}"):
            with contextlib.suppress(OSError):
                path.unlink()
