"""Folders of IDX files as they are published: MNIST, Fashion-MNIST, EMNIST, torchvision's ``raw`` folders."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.idx import read_content, read_idx
from wellfit.data.parts import SET_WORDS, Part, RawData
from wellfit.errors import DataError

__all__ = ["IdxSet", "find_idx_sets", "read_idx_set"]

_NAME: Final = re.compile(
    r"(?P<prefix>.*?)(?P<set>train|training|t10k|test|testing|val|valid|validation)[-_.](?P<kind>images?|labels?)"
    r"([-_.]idx\d[-_.](ubyte|byte|short|int|float|double)|[-_.]ubyte|\.idx)?(?P<zip>\.gz)?",
    re.IGNORECASE,
)
_LOOKED_AT: Final = 1000  # images whose proportions are measured
_WIDE: Final = 0.6  # share of them that are wider than high if digits or letters are transposed
_TALL: Final = 0.2  # share of them that are then higher than wide, at most


@dataclass(frozen=True, eq=False)
class IdxSet:
    """The files of one data set.

    Args:
      folder: where they are.
      prefix: what their names begin with, for example ``"emnist-letters"``; empty for the standard names.
      files: by set ("train", "validation" or "test") and kind ("images" or "labels").
    """

    folder: Path
    prefix: str
    files: Mapping[tuple[str, str], Path]


def find_idx_sets(folder: Path) -> list[IdxSet]:
    """Find data sets in a folder, in its ``raw`` folder, or in the ``raw`` folders of its subfolders.

    Args:
      folder: may also be a path like ``FOLDER/emnist-letters``: one of the data sets in ``FOLDER``.

    Returns:
      The data sets of the first place that has any, sorted by name.
    """
    if not folder.is_dir():
        named = _sets_in(folder.parent) if folder.name and folder.parent.is_dir() else []
        return [found for found in named if found.prefix and found.prefix.lower() == folder.name.lower()]
    for place in (folder, folder / "raw"):
        found = _sets_in(place) if place.is_dir() else []
        if found:
            return found
    inner = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))[:100]
    raw = [found for p in inner if (p / "raw").is_dir() for found in _sets_in(p / "raw")]
    if raw or len(inner) != 1:
        return raw
    return _sets_in(inner[0])  # a wrapper


def _sets_in(folder: Path) -> list[IdxSet]:
    """The data sets whose files are directly in a folder."""
    found: dict[str, dict[tuple[str, str], Path]] = {}
    for path, match in _named(folder):
        kind = "images" if match["kind"].lower().startswith("image") else "labels"
        key = (SET_WORDS.get(match["set"].lower(), "test"), kind)
        files = found.setdefault(match["prefix"].rstrip("-_."), {})
        if key not in files or not match["zip"]:  # the unpacked one, if both are there
            files[key] = path
    return [IdxSet(folder, prefix, files) for prefix, files in sorted(found.items())]


def _named(folder: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    for path in sorted(folder.iterdir()):
        match = _NAME.fullmatch(path.name)
        inner = path / path.name
        if match is None or not re.search(r"idx|ubyte", path.name, re.IGNORECASE):
            continue
        if path.is_file():
            yield path, match
        elif inner.is_file():  # as some programs unpack
            yield inner, match


def read_idx_set(found: list[IdxSet]) -> RawData:
    """Read a data set; EMNIST's images, which are stored transposed, are put upright.

    Args:
      found: from ``find_idx_sets``, at least one.

    Returns:
      The images and labels, and the class names if EMNIST's mapping file is beside them; no test set if there are only
      training files.

    Raises:
      DataError: more than one data set, or a file that is missing or damaged.
    """
    if len(found) > 1:
        paths = [str(s.folder / s.prefix) if s.prefix else str(s.folder) for s in found]
        folder = found[0].folder
        raise DataError(f"{folder}: has {len(found)} data sets ({', '.join(paths[:8])}); give the path of one of them")
    one = found[0]
    _refuse_incomplete(one)
    emnist = "emnist" in one.prefix.lower()
    parts: dict[str, Part] = {}
    for name in dict.fromkeys(name for name, _ in one.files):
        path = one.files[name, "images"]
        x, y = read_idx(path), read_idx(one.files[name, "labels"])
        if y.ndim == 2 and "qmnist" in one.prefix.lower():
            y = y[:, 0]  # QMNIST's further columns say who wrote the digit
        parts[name] = Part(np.swapaxes(x, 1, 2) if emnist and x.ndim == 3 else x, y, str(path))
    facts = []
    if emnist:
        facts.append(("orientation", "EMNIST's images are stored transposed; put upright"))
    elif _looks_transposed(parts["train"].x):
        facts.append(
            ("orientation", "the images look transposed, as EMNIST stores them; name the files emnist-... to turn them")
        )
    raw = RawData(parts["train"], parts.get("test"), parts.get("validation"), facts=tuple(facts))
    return _with_mapping(raw, one) if emnist else raw


def _refuse_incomplete(one: IdxSet) -> None:
    names = {name for name, _ in one.files} | {"train"}
    missing = [
        f"{one.prefix}{'-' * bool(one.prefix)}{'t10k' if name == 'test' else name}-{kind}-idx{dimensions}-ubyte"
        for name in sorted(names, key=["train", "validation", "test"].index)
        for kind, dimensions in (("images", 3), ("labels", 1))
        if (name, kind) not in one.files
    ]
    if missing:
        raise DataError(f"{one.folder}: {', '.join(missing)} (or .gz) is missing; add it to this folder")


def _with_mapping(raw: RawData, one: IdxSet) -> RawData:
    """Name the classes by EMNIST's mapping file: a label and the codes of its characters in each line."""
    path = one.folder / f"{one.prefix}-mapping.txt"
    if not path.is_file():
        return raw
    try:
        lines = [[int(n) for n in line.split()] for line in read_content(path).decode("ascii").splitlines()]
        names = {line[0]: "/".join(chr(code) for code in line[1:]) for line in lines if len(line) > 1}
    except (ValueError, OverflowError):
        raise DataError(f"{path}: is not a mapping of labels to characters; replace or delete it") from None
    first = min(names, default=0)
    if sorted(names) != list(range(first, first + len(names))) or any(
        part.labels.size == 0 or part.labels.min() < first or part.labels.max() >= first + len(names)
        for part in raw.parts
    ):
        raise DataError(f"{path}: does not name all labels; replace or delete it")

    def from_zero(part: Part | None) -> Part | None:
        return None if part is None else Part(part.x, part.labels.astype(np.int64) - first, part.where)

    train = from_zero(raw.train) or raw.train
    classes = tuple(names[label] for label in sorted(names))
    return RawData(train, from_zero(raw.test), from_zero(raw.validation), classes=classes, facts=raw.facts)


def _looks_transposed(x: NDArray[Any]) -> bool:
    """Whether nearly all images are wider than high: digits and letters are higher than wide."""
    if x.ndim != 3 or x.shape[1:] != (28, 28):
        return False
    ink = x[:_LOOKED_AT] > 0  # (n, H, W)
    heights, widths = ink.any(axis=2).sum(axis=1), ink.any(axis=1).sum(axis=1)  # (n,)
    return bool((widths > heights).mean() > _WIDE and (widths < heights).mean() < _TALL)
