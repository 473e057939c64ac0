"""One writing process at a time: a lock that the system frees when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Final

from wellfit.errors import StoreBusyError, StoreError

__all__ = ["WRITABLE", "Lock", "has_mark", "is_cut_mark", "is_locked"]

_MARK: Final = "wellfit"
"""The beginning of a lock file: it identifies a study directory even where the database is missing or damaged."""

WRITABLE: Final = "make the directory writable, or make a copy of it that is"
"""What the user can do where a command is for this directory alone."""

_PATIENCE: Final = 0.5  # seconds; `is_locked` in another process holds a shared lock for an instant

if sys.platform != "win32":
    import fcntl


class Lock:
    """The exclusive lock of a directory, held until ``release`` or the end of the process.

    Args:
      path: the lock file. It stays in place after release: removing it would let two processes in.
      elsewhere: how the user works in another directory; empty if the command cannot.

    Raises:
      StoreBusyError: another process holds the lock; its process id is named.
      StoreError: the file cannot be written, or the file system has no locks.
    """

    def __init__(self, path: Path, elsewhere: str = "choose another --out") -> None:
        from filelock import FileLock, Timeout  # takes as long to import as all of the command line

        self._descriptor = -1
        self._lock = FileLock(path, thread_local=False, preserve_lock_file=True, on_acquired=self._acquired)
        try:
            self._lock.acquire(timeout=_PATIENCE, poll_interval=0.02)
        except Timeout:
            raise StoreBusyError(_busy(path) + (f", or {elsewhere}" if elsewhere else "")) from None
        except OSError as error:
            raise StoreError(f"{path}: cannot be locked: {error.strerror}; {elsewhere or WRITABLE}") from None

    def release(self) -> None:
        """Free the lock; a second call does nothing."""
        if self._lock.is_locked:
            self._write(f"{_MARK}\n")
            self._lock.release()

    def _acquired(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._write(f"{_MARK} {os.getpid()}\n")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # on a full disk the process id is missing, but the lock holds
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, text.encode())


def _busy(path: Path) -> str:
    words = _read(path).split()
    holder = f"process {words[1]}" if len(words) > 1 else "another process"
    return f"{path.parent}: {holder} is training in it; wait for it to end"


def _read(path: Path) -> str:
    """A lock file without its first byte, which Windows lets nobody read while the lock is held."""
    with open(path, "rb", buffering=0) as file:
        file.seek(1)
        return file.read(100).decode(errors="replace")


def has_mark(path: Path) -> bool:
    """Whether a path is a lock file of ours."""
    return path.is_file() and _read(path).startswith(_MARK[1:])


def is_cut_mark(path: Path) -> bool:
    """Whether a path is a lock file of ours whose process was killed, or found the disk full, before it was whole."""
    return path.is_file() and (not path.stat().st_size or f"{_MARK} "[1:].startswith(_read(path)))


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock; nothing is written, and the file may be missing or read-only."""
    if not (path.is_file() and os.access(path, os.R_OK)):
        return False
    try:
        with open(path, "rb", buffering=0) as file:
            if sys.platform == "win32":
                file.read(1)  # refused while this byte is locked
            else:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError) or (sys.platform == "win32" and isinstance(error, PermissionError))
    return False
