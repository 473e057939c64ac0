"""What the names of files and folders say: images, system files, and the sets that folders hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from os.path import splitext
from pathlib import PurePath
from typing import Final, Literal

from wellfit.data.parts import SET_WORDS, SetName, listed

__all__ = [
    "ASIDE",
    "IMAGE_SUFFIXES",
    "MASKS",
    "PICTURES",
    "Role",
    "is_image",
    "is_picture",
    "is_plain_role",
    "is_system",
    "is_table",
    "number",
    "role_of",
    "skipped_text",
    "some",
]

IMAGE_SUFFIXES: Final = frozenset(
    {
        *(".apng", ".avif", ".bmp", ".dib", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pfm", ".pgm"),
        *(".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"),
    }
)
"""Files with other suffixes are skipped and counted."""

ASIDE: Final = frozenset(
    {
        *("annotation", "annotations", "csv", "devkit", "doc", "docs", "json", "label", "labels", "list", "lists"),
        *("meta", "metadata", "scripts", "src", "split", "splits", "xml"),
    }
)
"""Lower-case names of folders that hold no images and are no classes."""

PICTURES: Final = frozenset({"image", "images", "img", "imgs", "jpegimages", "photos", "pictures"})
"""Lower-case names of folders that say only that there are images."""

MASKS: Final = frozenset(
    {
        "ground_truth",
        "groundtruth",
        "gt",
        "mask",
        "masks",
        "segmentation",
        "segmentationclass",
        "segmentations",
        "trimaps",
    }
)
"""Lower-case names of folders with a mask for each image."""

Role = SetName | Literal["unlabeled"]

_SYSTEM: Final = frozenset(
    {
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "_ds_store"),
        *("__macosx", "__pycache__", "@eadir", "@recycle", "@tmp", "#recycle", "#snapshot", "$recycle.bin"),
        *("lost+found", "system volume information", "recycler", "network trash folder", "temporary items"),
    }
)
_UNREADABLE: Final = frozenset(
    {".arw", ".cr2", ".cr3", ".dcm", ".dng", ".heic", ".heif", ".jp2", ".jxl", ".nef", ".psd", ".svg", ".tga"}
)
_ROLES: Final[dict[str, Role]] = {
    **SET_WORDS,
    **dict.fromkeys(("pred", "predict", "prediction", "unlabeled", "unlabelled", "submission"), "unlabeled"),
}
_FILLERS: Final = frozenset(
    {"set", "sets", "data", "dataset", "image", "images", "img", "imgs", "split", "folder", "files", "the"}
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_JOINED = re.compile(r"(train|training|trn|val|valid|validation|dev|test|testing)(?:set|data|images?|imgs?|split)")


def is_image(name: str) -> bool:
    """Return whether a file's suffix is that of an image, in upper or lower case."""
    return splitext(name)[1].lower() in IMAGE_SUFFIXES


def is_picture(name: str) -> bool:
    """Return whether a file is an image, if only in a form that is not read, such as HEIC."""
    return is_image(name) or PurePath(name).suffix.lower() in _UNREADABLE


def is_table(name: str) -> bool:
    """Return whether a file's suffix is that of a text table."""
    return PurePath(name).suffix.lower() in {".csv", ".tsv"}


def is_system(name: str) -> bool:
    """Return whether a file or folder is hidden, or left behind by an operating system."""
    return name.startswith(".") or name.lower() in _SYSTEM


def role_of(name: str) -> Role | None:
    """The set that a folder's or table's name stands for, if its words name exactly one.

    Example:
      >>> role_of("Training_Set"), role_of("seg_test"), role_of("valid"), role_of("Trainer")
      ('train', 'test', 'validation', None)
    """
    roles = {_ROLES[word] for word in _words(name) if word in _ROLES}
    return roles.pop() if len(roles) == 1 else None


def is_plain_role(name: str) -> bool:
    """Return whether a name says nothing but a set: "test" and "test images", but not "test tube"."""
    words = _words(name)
    return role_of(name) is not None and all(word in _ROLES or word in _FILLERS for word in words)


def _words(name: str) -> list[str]:
    """The lower-case words of a name; "testset" gives test."""
    words = [word.lower() for word in _WORD.findall(name)]
    return [joined[1] if (joined := _JOINED.fullmatch(word)) else word for word in words]


def number(count: int, what: str = "image") -> str:
    """A count and its noun.

    Example:
      >>> number(1), number(1200)
      ('1 image', '1,200 images')
    """
    return f"{count:,} {what}{'s' * (count != 1)}"


def some(names: Iterable[str], limit: int = 5) -> str:
    """The first names of a list, and how many more there are.

    Example:
      >>> some("abcdefgh", 3)
      'a, b, c and 5 more'
    """
    names = ["".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name) for name in names]
    names = [f"{name[:157]}..." if len(name) > 160 else name for name in names]
    return listed(names, limit)


def skipped_text(names: Iterable[str], system: int) -> str:
    """Count skipped files: by name if there are few, otherwise by suffix.

    Args:
      names: of the files that are no images.
      system: number of hidden files and system files.

    Example:
      >>> skipped_text(["notes.txt"], 3), skipped_text(["a.heic"] * 4, 0)
      ('4: notes.txt, 3 hidden or system files', '4 .heic (save .heic as PNG or JPEG to use them)')
    """
    names = sorted(names)
    suffixes = Counter(PurePath(name).suffix.lower() or "without a suffix" for name in names)
    parts = names if len(names) <= 3 else [f"{n} {suffix}" for suffix, n in suffixes.most_common()]
    if system:
        parts = [*parts, number(system, "hidden or system file")]
    unreadable = sorted(_UNREADABLE & suffixes.keys())
    advice = f" (save {', '.join(unreadable)} as PNG or JPEG to use them)" if unreadable else ""
    count = f"{len(names) + system}: " if names and len(parts) > 1 else ""
    return f"{count}{some(parts, 8)}{advice}"
