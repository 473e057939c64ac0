"""One process at a time: a lock that the system drops when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Final

from wellfit.errors import StoreBusyError, StoreError

__all__ = ["MARK", "Lock", "is_locked"]

MARK: Final = "wellfit"
"""What a lock file begins with; a directory that has one is ours even where its database is not yet, or no more."""

_PATIENCE: Final = 0.5  # seconds; `is_locked` in another process holds the lock for an instant
_HELD: Final = (BlockingIOError, PermissionError)  # what POSIX and Windows raise of a lock that another holds

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int, *, shared: bool = False) -> None:
        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # far behind the text, because what is locked cannot be read
        msvcrt.locking(descriptor, msvcrt.LK_NBRLCK if shared else msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int, *, shared: bool = False) -> None:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)


class Lock:
    """The exclusive lock of a directory, held from its making until ``release`` or the end of the process.

    Args:
      path: the lock file; made if it does not exist, and left behind: to remove it would let two processes in.

    Raises:
      StoreBusyError: another process holds it; its number is named.
      StoreError: the file cannot be written, or the file system has no locks.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreError(f"{path}: cannot be written: {error.strerror}; choose another --out") from None
        try:
            _lock_patiently(self._descriptor)
        except OSError as error:
            os.close(self._descriptor)
            if isinstance(error, _HELD):
                raise StoreBusyError(_busy(path)) from None
            raise StoreError(f"{path}: cannot be locked: {error.strerror}; choose another --out") from None
        self._write(f"{MARK} {os.getpid()}\n")

    def release(self) -> None:
        """Give the lock back."""
        self._write(f"{MARK}\n")
        os.close(self._descriptor)

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # a full disk costs the holder's number, not the lock
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, text.encode())


def _lock_patiently(descriptor: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return _try_lock(descriptor)
        except _HELD:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _busy(path: Path) -> str:
    words = path.read_text(encoding="utf-8", errors="replace").split()
    holder = f"process {words[1]}" if len(words) > 1 else "another process"
    return f"{path.parent}: {holder} is at work here; wait for it to end, or choose another --out"


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock.

    Args:
      path: the lock file, which may be missing.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        _try_lock(descriptor, shared=True)
    except OSError as error:
        return isinstance(error, _HELD)
    else:
        return False
    finally:
        os.close(descriptor)
