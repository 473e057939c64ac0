"""Listing a folder and all folders below it, once, without opening a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from wellfit.data.images.names import is_image, is_picture, is_system
from wellfit.data.limits import raised, remedy
from wellfit.errors import DataError

__all__ = ["Folder", "has_images", "list_folder"]

_MOST_ENTRIES: Final = 2_000_000
_DEEPEST: Final = 32
_PEEK: Final = 100_000  # entries that may be looked at to tell whether a folder holds images


@dataclass(frozen=True, eq=False)
class Folder:
    """A folder and what is below it, sorted by name; hidden and system folders are left out.

    Args:
      path: the folder.
      images: names of the files with the suffix of an image.
      others: names of the other files that are not hidden.
      system: number of hidden or system files and folders.
      folders: the subfolders.
      total: number of images here and below.
    """

    path: Path
    images: tuple[str, ...]
    others: tuple[str, ...]
    system: int
    folders: tuple[Folder, ...]
    total: int

    @property
    def holding(self) -> tuple[Folder, ...]:
        """The subfolders with images in them or below."""
        return tuple(folder for folder in self.folders if folder.total)

    def below(self) -> Iterator[Folder]:
        """The folder itself and all below it."""
        yield self
        for folder in self.folders:
            yield from folder.below()


@dataclass
class _Seen:
    """What a walk has met so far: the folders by device and number, and how many entries."""

    folders: dict[tuple[int, int], str] = field(default_factory=dict)
    entries: int = 0


def has_images(folder: Path) -> bool:
    """Return whether a folder, or one up to six levels below it, has a file with the suffix of an image.

    A folder without access may hold images; reading the data then reports it.
    """
    level, looked, closed = [str(folder)], 0, False
    for _ in range(7):
        deeper: list[str] = []
        for path in level:
            try:
                with os.scandir(path) as entries:
                    for entry in entries:
                        looked += 1
                        if looked > _PEEK:
                            return False
                        if is_system(entry.name):
                            continue
                        if _is_folder(entry):
                            deeper.append(entry.path)
                        elif is_picture(entry.name):
                            return True
            except OSError:
                closed = True
        level = deeper
    return closed


def list_folder(path: Path) -> Folder:
    """List a folder and all folders below it, following links.

    Raises:
      DataError: a folder that cannot be read or that links reach twice, more than 32 levels, or 2 million entries.
    """
    return _list(path, 0, _Seen())


def _list(path: Path, depth: int, seen: _Seen) -> Folder:
    if depth > _DEEPEST:
        raise DataError(f"{path}: more than {_DEEPEST} levels of folders; give a folder of images")
    images: list[str] = []
    others: list[str] = []
    below: list[str] = []
    system = 0
    try:
        _mark(path, seen)
        with os.scandir(path) as entries:
            for entry in entries:
                seen.entries += 1
                if seen.entries > raised(_MOST_ENTRIES):
                    fix = f"give a folder of images, or, {remedy(0, _MOST_ENTRIES)}"
                    raise DataError(f"{path}: more than {raised(_MOST_ENTRIES):,} files; {fix}")
                if is_system(entry.name):
                    system += 1
                elif _is_folder(entry):
                    below.append(entry.name)
                else:
                    (images if is_image(entry.name) else others).append(entry.name)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); change its permissions or remove it") from None
    folders = tuple(_list(path / name, depth + 1, seen) for name in sorted(below))
    total = len(images) + sum(folder.total for folder in folders)
    return Folder(path, tuple(sorted(images)), tuple(sorted(others)), system, folders, total)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _mark(path: Path, seen: _Seen) -> None:
    """Note a folder; refuse one that was met before, since links may go in circles."""
    status = path.stat()
    key = (status.st_dev, status.st_ino)
    if key in seen.folders:
        raise DataError(f"{path}: a link makes this the same folder as {seen.folders[key]}; remove the link")
    seen.folders[key] = str(path)
