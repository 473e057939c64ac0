"""Arrays as bytes, and files that are whole or not there: written under another name, flushed to the disk, renamed."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.errors import StoreError, StoreUnreadableError

__all__ = ["pack", "read_file", "settle", "stage_arrays", "sweep", "unpack", "write_arrays", "write_file"]

_TEMPORARY: Final = ".tmp"


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Arrays as the bytes of an ``.npz`` file; the same arrays give the same bytes.

    Args:
      arrays: name -> array, of NumPy's own numbers.

    Raises:
      TypeError: a dtype that would not come back as it was, such as object or bfloat16.

    Example:
      >>> unpack(pack({"dense_1/bias": np.zeros(2, np.float32)}))
      {'dense_1/bias': array([0., 0.], dtype=float32)}
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # np.savez would take a name such as "file" for its own argument
        for name, array in arrays.items():
            if array.dtype.kind not in "biufc":
                raise TypeError(f"{name}: {array.dtype} would not come back from a file as it was")
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def unpack(content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays in the bytes of an ``.npz`` file, which the caller knows to be undamaged."""
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        return dict(archive)


def write_file(path: Path, content: bytes) -> None:
    """Writes a file in one step: a reader, and a power cut, find it as it was before, or whole.

    Args:
      path: the file; its folder exists.
      content: its bytes.

    Raises:
      StoreError: the disk is full, or the file cannot be written; nothing is left behind.
    """
    _stage(path, content)
    settle(path)


def stage_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Writes arrays beside their file, which ``settle`` puts them in the place of, and returns the file's SHA-256.

    Raises:
      StoreError: as ``write_file``; the file is as it was.
    """
    content = pack(arrays)
    _stage(path, content)
    return hashlib.sha256(content).hexdigest()


def settle(path: Path) -> None:
    """Puts what was written beside a file in its place, in one step; StoreError where that cannot be done."""
    with _told(path):
        os.replace(_beside(path), path)
        _sync_folder(path.parent)


def _stage(path: Path, content: bytes) -> None:
    with _told(path), open(_beside(path), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}{_TEMPORARY}")


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the system says into one line that names the file and the mend, and leave nothing beside the file."""
    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):
            _beside(path).unlink(missing_ok=True)
        kept = "what was saved before is kept; make room or give access, and run again"
        raise StoreError(f"{path}: cannot be written: {error.strerror}; {kept}") from None


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Writes arrays as ``write_file`` does, and returns the SHA-256 of the file."""
    sha256 = stage_arrays(path, arrays)
    settle(path)
    return sha256


def read_file(path: Path, sha256: str, mend: str = "restore it, or run with --fresh") -> bytes:
    """Reads a file that must be the one that was saved.

    Args:
      path: the file.
      sha256: of its content.
      mend: what its reader is told to do where it is not.

    Raises:
      StoreUnreadableError: it cannot be read, or is damaged.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StoreUnreadableError(f"{path}: cannot be read: {error.strerror}; {mend}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StoreUnreadableError(f"{path}: damaged: not the file that was saved; {mend}")
    return content


def _sync_folder(folder: Path) -> None:
    """Make a rename outlast a power cut, where the system lets one open a folder."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sweep(folders: Iterable[Path]) -> None:
    """Removes what a process that was killed while it wrote left behind.

    Args:
      folders: folders in which no other process writes.
    """
    for folder in folders:
        for stale in folder.glob(f".*{_TEMPORARY}"):
            with contextlib.suppress(OSError):
                stale.unlink()
