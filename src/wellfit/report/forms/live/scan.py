"""Finding the studies of a folder by names, times and locks alone: no database is opened, no link is followed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wellfit.errors import printable
from wellfit.study.status import Stamp, stamp

__all__ = ["MOST", "Found", "scan", "stamp_of"]

DEEPEST: Final = 2
"""Levels below a folder at which studies are found."""

MOST: Final = 20_000
"""Studies; more of them are not looked for."""

LOOKED_AT: Final = 200_000
"""Names of folders and files; a home folder may have millions."""


_NONE: Final = Stamp((0, 0), (0, 0), False)


@dataclass(frozen=True)
class Found:
    """A study directory, or one that cannot be read.

    Args:
      id: identifies it in an address without revealing its path.
      path: of the directory.
      place: its path within the folder, printable.
      stamp: when it was found.
      trouble: why it is not opened; empty for a study.
    """

    id: str
    path: Path
    place: str
    stamp: Stamp
    trouble: str = ""


def scan(folder: Path) -> list[Found]:
    """The studies of a folder: those in training first, then the most recently changed, then what cannot be read.

    Hidden folders are skipped. Where the folder is a study itself, it is the only one.

    Raises:
      OSError: the folder cannot be read.
    """
    left = [LOOKED_AT]
    found = []
    for path, trouble in _below(os.fspath(folder), DEEPEST, left):
        found.append(_found(folder, path, trouble))
        if len(found) == MOST:
            break
    return sorted(found, key=_order)


def stamp_of(directory: Path) -> Stamp:
    """The stamp of a directory, which may be gone or closed by now."""
    try:
        return stamp(directory)
    except OSError:
        return _NONE


def _order(found: Found) -> tuple[bool, bool, int]:
    now = found.stamp
    return bool(found.trouble), not now.locked, -max(now.database[0], now.progress[0])


def _found(folder: Path, path: str, trouble: str) -> Found:
    identity = hashlib.sha256(os.fsencode(os.path.abspath(path))).hexdigest()[:16]
    now = _NONE if trouble else stamp_of(Path(path))
    return Found(identity, Path(path), printable(os.path.relpath(path, folder)), now, trouble)


def _below(folder: str, depth: int, left: list[int]) -> Iterator[tuple[str, str]]:
    """Paths of studies, and of what cannot be read, with the reason; ``left``: how many names may be looked at."""
    if os.path.isfile(os.path.join(folder, "study.db")):
        yield folder, ""
        return
    if not depth:
        return
    folders = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                left[0] -= 1
                if left[0] < 0:
                    break
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_symlink() and os.path.isfile(os.path.join(entry.path, "study.db")):
                    yield entry.path, "a link, which is not followed; to see that study, name it: wellfit ui PATH"
    except OSError as error:
        if depth == DEEPEST:
            raise
        if not isinstance(error, FileNotFoundError):  # just removed
            yield folder, f"cannot be read: {error.strerror or error}"
    for path in sorted(folders):
        yield from _below(path, depth - 1, left)
