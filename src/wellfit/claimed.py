"""Temporary files and folders that are in use: a lock, which the system frees when their process dies."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["claimed"]

if sys.platform != "win32":
    import fcntl


@contextmanager
def claimed(temporary: Path) -> Iterator[None]:
    """Mark a temporary file or folder as in use for the block: a lock that the system frees when its process dies.

    Args:
      temporary: a folder that exists, or a file that is created.

    Raises:
      OSError: it cannot be created.
    """
    if sys.platform == "win32":  # an open file cannot be renamed there
        yield
        return
    descriptor = _locked(temporary)
    while not _is_at(descriptor, temporary):  # another process took it for abandoned before the lock
        os.close(descriptor)
        descriptor = _locked(temporary)
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(temporary: Path) -> int:
    """A descriptor of a temporary file or folder, with the lock."""
    flags = os.O_RDONLY if temporary.is_dir() else os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(temporary, flags, 0o666)
    for _ in range(100):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another process is looking at whether it is abandoned
            time.sleep(0.001)
        except OSError:  # a file system without locks: it will look abandoned to nobody
            break
        else:
            break
    return descriptor


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False
