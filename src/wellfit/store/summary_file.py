"""The finished summary of a large study: what took seconds to compute, kept beside the database it was computed from.

The file is no part of the study. Nothing is lost without it, ``verify`` reads it no more than it reads a report, and it
counts only where it was computed from exactly the files that are there: a name, size, time or inode that differs makes
it worthless. The time of a file's last change is set by the system alone, so that no file that came with a directory
from elsewhere can fit. It holds arrays and plain data, and nothing in it is run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wellfit.files import read_plain, replacing
from wellfit.store.arrays import Arrays, pack, unpack

__all__ = ["FILE", "State", "SummaryFile"]

FILE: Final = "study.summary"
SETTLED: Final = 100_000_000
"""Nanoseconds since the last change of the study: the next within a step of the clock, 10 ms, has the same time."""

_SECOND: Final = 1_000_000_000
_DIGEST: Final = 32  # bytes of SHA-256, at the beginning of the file

State: TypeAlias = tuple[tuple[Any, ...], ...]
"""Name, inode, size and times of every file that a summary is computed from."""


@dataclass(frozen=True)
class SummaryFile:
    """The file of the finished summary in a study directory."""

    directory: Path

    def is_there(self) -> bool:
        """Whether there is a file, of whatever content."""
        return os.path.lexists(self.directory / FILE)

    def state(self) -> State | None:
        """What a summary is computed from, as the file system shows it.

        Returns:
          A row for the database and for each file in ``test``; None where that cannot be told: a file is not readable,
          or the system is Windows or the file system FAT, which keep no time of the last change that users cannot set.
        """
        if sys.platform == "win32":
            return None
        try:
            with os.scandir(self.directory / "test") as entries:
                found = [_row(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
            state = (_row("study.db", os.lstat(self.directory / "study.db")), *sorted(found))
        except OSError:
            return None
        return state if any(time % _SECOND for row in state for time in row[-2:]) else None

    def load(self, key: str) -> tuple[dict[str, NDArray[Any]], Any] | None:
        """The arrays and plain data that were kept under a key.

        Args:
          key: of what they were computed from.

        Returns:
          None if there are none, or the file is damaged, of another key or of another user.
        """
        path = self.directory / FILE
        try:
            if os.lstat(path).st_uid != os.geteuid():
                return None
            content = read_plain(path)
        except OSError:
            return None
        digest, content = content[:_DIGEST], content[_DIGEST:]  # up to 100 MB
        whole = digest == hashlib.sha256(content).digest()
        with contextlib.suppress(KeyError, ValueError, RecursionError):
            if whole and (arrays := unpack(content)).pop("key").tobytes() == key.encode():
                return arrays, json.loads(arrays.pop("plain").tobytes())
        return None

    def save(self, key: str, state: State, arrays: Arrays, plain: Any) -> bool:
        """Replace the file, unless the study changed a moment ago.

        Args:
          key: of what they were computed from.
          state: the same as ``state`` gave it.
          arrays: by name, other than ``key`` and ``plain``.
          plain: data that JSON can hold.

        Returns:
          Whether it is kept; not on a full disk, or where the directory cannot be written. Nobody needs it.
        """
        texts = {"key": key.encode(), "plain": json.dumps(plain, separators=(",", ":")).encode()}
        content = pack({**arrays, **{name: np.frombuffer(text, np.uint8) for name, text in texts.items()}})
        with contextlib.suppress(OSError), replacing(self.directory / FILE, durable=False) as temporary:
            with open(temporary, "wb") as file:
                file.write(hashlib.sha256(content).digest())
                file.write(content)
            if os.stat(temporary).st_mtime_ns - max(max(row[-2:]) for row in state) < SETTLED:
                raise OSError("the study changed a moment ago")  # by the clock of the file system
            return True
        return False


def _row(name: str, status: os.stat_result) -> tuple[Any, ...]:
    return name, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
