"""Reading a folder of images: its sets and classes, its pixels, and what was decided and changed on the way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, Reading
from wellfit.data.applicable import FOR_IMAGES, refuse_settings
from wellfit.data.given import named_path
from wellfit.data.images.decode import View
from wellfit.data.images.folders import ImageSet, check_classes, find_given, find_sets
from wellfit.data.images.labels import names_images
from wellfit.data.images.names import Role, is_table, number, role_of, skipped_text, some
from wellfit.data.images.sizes import suggested_size
from wellfit.data.images.stack import Images, fill_margins, read_images
from wellfit.data.images.walk import Folder, has_images, list_folder
from wellfit.data.parts import Part, RawData
from wellfit.errors import DataError

__all__ = ["background_of", "fill_boxes", "has_images", "images_come_first", "named", "read_image_folder", "size_of"]

_ORDER: Final[tuple[Role, ...]] = ("train", "validation", "test")
_COLORS: Final = {"white": (255, 255, 255), "black": (0, 0, 0), "gray": (128, 128, 128)}
_WORD_RANGES: Final = (255, 1023, 4095, 16383, 65535)
_TABLES: Final = (".csv", ".tsv", ".csv.gz", ".parquet", ".xlsx", ".xls")
_NEAR: Final = 8  # of 255: a picture as near to the background as this is not seen


def images_come_first(folder: Path, reading: Reading = DEFAULT_READING) -> bool:
    """Return whether the images in a folder are the data although there may be tables too.

    They are if there are no tables, if a table names them, or if they lie in two or more folders and no table is named
    as a training set.
    """
    if not has_images(folder):
        return False
    tables = [name for name in sorted(os.listdir(folder)) if name.lower().endswith(_TABLES)]
    if not tables:
        return True
    listed = list_folder(folder)
    names = [f"{inner.path.name}/{name}" for inner in listed.below() for name in inner.images]
    if names_images([folder / name for name in tables if is_table(name)], names, reading):
        return True
    return len(listed.holding) > 1 and all(role_of(name.partition(".")[0]) != "train" for name in tables)


def read_image_folder(folder: Path, reading: Reading = DEFAULT_READING) -> RawData:
    """Read all images in a folder; the names of the subfolders are the classes.

    If any image is in color, all are read as RGB, otherwise as gray. Images are turned upright as their Exif data say,
    and transparency is laid on the background. Files of 16 bits keep them.

    Args:
      folder: contains one subfolder per class, or ``train``, ``test`` and ``val`` with one subfolder per class each, or
        images with a table of file names and labels.

    Returns:
      Images, uint8, uint16 or float32, (N, H, W) or (N, H, W, 3), ordered by class and path, and their labels.

    Raises:
      DataError: no classes, images that cannot be read, images of several sizes without ``image_size``, or pictures
        that the background hides.
    """
    refuse_settings(reading, str(folder), "images", FOR_IMAGES)
    sets, facts, listed = _sets(folder, reading)
    where = str(folder)
    files = [file for found in sets.values() for file in found.files]
    view = View(background_of(reading), reading.color, size_of(reading), reading.resize)
    images = read_images(files, view, where)
    _check_bad(images, files, reading, where)
    _check_sizes(images, files, view, where)
    _check_ink(images, files, reading, view, where)
    parts = _parts(sets, images, files)
    pixel_max = reading.pixel_max or _pixel_max(images, len(parts["train"].x), where)
    fill_boxes(images, parts["train"].x, view, pixel_max)
    if images.bad:
        names = named([at for at, _ in images.bad], files, where, dict(images.bad))
        facts.append(("corrupt files", f"{len(images.bad)} left out: {names}"))
    labels = [label for found in sets.values() for label in found.labels]
    facts += _facts(images, view, reading, pixel_max, [labels[at] for at in images.kept])
    facts += _skipped(listed, facts)
    return RawData(parts["train"], parts.get("test"), parts.get("validation"), pixel_max=pixel_max, facts=tuple(facts))


# --- Settings ---------------------------------------------------------------------------------------------------------


def background_of(reading: Reading) -> tuple[int, int, int]:
    """The color under transparent pixels, white unless it is set.

    Raises:
      DataError: the setting is no color.

    Example:
      >>> background_of(Reading(background="#ff0080"))
      (255, 0, 128)
    """
    text = (reading.background or "white").lower()
    if text in _COLORS:
        return _COLORS[text]
    if not re.fullmatch(r"#[0-9a-f]{6}", text):
        raise DataError(f'[data] background = "{reading.background}" is no color; use "white", "black" or "#rrggbb"')
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def size_of(reading: Reading) -> tuple[int, int] | None:
    """Height and width to which images are resized; None if they are not.

    Example:
      >>> size_of(Reading(image_size=28))
      (28, 28)
    """
    size = reading.image_size
    if size is None:
        return None
    height, width = (size, size) if isinstance(size, int) else size
    return height, width


# --- Sets -------------------------------------------------------------------------------------------------------------


def _sets(folder: Path, reading: Reading) -> tuple[dict[Role, ImageSet], list[tuple[str, str]], list[Folder]]:
    """The sets in the order of their rows, what was detected, and all folders that were listed."""
    given: dict[Role, Path] = {}
    settings: dict[Role, str | None] = {"validation": reading.validation_file, "test": reading.test_file}
    for role, text in settings.items():
        if text is not None:
            given[role] = named_path(text, folder, f"{role}_file")
            if not given[role].is_dir():
                raise DataError(f'[data] {role}_file = "{text}": not a folder; for images, give a folder like {folder}')
    taken = frozenset(path.resolve() for path in given.values())
    root = list_folder(folder)
    sets, facts = find_sets(root, reading, taken)
    listed = [root]
    for role, path in given.items():
        if role in sets:
            raise DataError(
                f"{folder}: has a {role} set, {sets[role].where.name}/, and [data] {role}_file names another; keep one"
            )
        if not path.resolve().is_relative_to(folder.resolve()):
            listed.append(list_folder(path))
        sets[role], more = find_given(list_folder(path), reading, role)
        facts += [fact for fact in more if fact not in facts]
    if given:
        check_classes(sets)
    return {role: sets[role] for role in _ORDER if role in sets}, facts, listed


def _parts(sets: dict[Role, ImageSet], images: Images, files: list[str]) -> dict[Role, Part]:
    parts: dict[Role, Part] = {}
    kept = np.array(images.kept)
    start = 0
    for role, found in sets.items():
        stop = start + len(found.files)
        low, high = np.searchsorted(kept, (start, stop)).tolist()
        rows = kept[low:high] - start
        labels = np.array(found.labels, dtype=str)
        lost = sorted(set(found.labels) - set(labels[rows].tolist()))
        if lost:
            raise DataError(f"{found.where}: no image of {some(lost)} can be read; replace them or remove the class")
        groups = np.array(found.groups, dtype=str)[rows] if found.groups else None
        parts[role] = Part(images.x[low:high], labels[rows], str(found.where), groups)
        start = stop
    return parts


# --- Checks -----------------------------------------------------------------------------------------------------------


def named(at: Iterable[int], files: list[str], where: str, reasons: dict[int, str] | None = None) -> str:
    """The first five of some files, relative to the folder.

    Example:
      >>> named([1], ["/a/x.png", "/a/y.png"], "/a", {1: "empty"})
      'y.png (empty)'
    """
    names = []
    for i in at:
        path = Path(files[i])
        name = path.relative_to(where).as_posix() if path.is_relative_to(where) else str(path)
        name = name if len(name) <= 63 else f"...{name[-60:]}"
        names.append(name if reasons is None else f"{name} ({reasons[i]})")
    return some(names)


def _check_bad(images: Images, files: list[str], reading: Reading, where: str) -> None:
    if not images.bad or (reading.skip_corrupt and images.kept):
        return
    reasons = dict(images.bad)
    names = named(reasons, files, where, reasons)
    advice = "" if len(reasons) == len(files) else ", or set [data] skip_corrupt = true to leave them out"
    raise DataError(
        f"{where}: {len(reasons):,} of {len(files):,} images cannot be read: {names}; replace or remove them{advice}"
    )


def _check_sizes(images: Images, files: list[str], view: View, where: str) -> None:
    if view.size is not None or len(images.sizes) < 2:
        return
    common = sorted(images.sizes.items(), key=lambda item: -len(item[1]))
    counts = some((f"{len(at):,} of {w} x {h}" for (h, w), at in common), 4)
    rare = [i for _, at in common[1:] for i in at]
    names = f": {named(rare, files, where)}" if len(rare) <= 5 else ""
    side = suggested_size([min(size) for size, at in common for _ in at])
    raise DataError(
        f"{where}: the images have {len(common):,} sizes in pixels ({counts}{names}); set [data] image_size = {side}, "
        "for example, or give all images one size"
    )


def _check_ink(images: Images, files: list[str], reading: Reading, view: View, where: str) -> None:
    """Refuse pictures that are in the transparency alone and have the color of the background."""
    unseen = _unseen(images, view.background)
    if not unseen or reading.background is not None:
        return
    other = '"#808080"' if _unseen(images, _COLORS["black"]) else '"black"'
    raise DataError(
        f"{where}: {len(unseen)} of {len(images.kept)} images show nothing on a white background, since their picture "
        f"is in the transparency alone: {named((images.kept[row] for row in unseen), files, where)}; set [data] "
        f"background = {other}"
    )


def _unseen(images: Images, background: tuple[int, int, int]) -> list[int]:
    return [
        row
        for row, ink in images.inks.items()
        if max(abs(a - b) for a, b in zip(ink, background, strict=True)) <= _NEAR
    ]


# --- Values -----------------------------------------------------------------------------------------------------------


def _pixel_max(images: Images, train: int, where: str) -> float | None:
    """The largest possible value: of the bit depth that the training images use, or 1 for floats up to 1."""
    x = images.x[:train]
    high = float(x.max())
    if x.dtype.kind == "f":
        return 1.0 if x.min() >= 0 and high <= 1 else None
    if high < 128:
        return None  # dark, or few levels: whoever looks at the values must decide
    if x.dtype == np.uint8:
        return 255.0
    top = float(next(most for most in _WORD_RANGES if high <= most))
    few = next(most for most in _WORD_RANGES if images.words_max <= most)
    if images.kinds["uint8"] and few < 65535:
        raise DataError(
            f"{where}: {number(images.kinds['uint8'])} of 8 bits and {images.kinds['uint16']} of 16 bits with values "
            f"up to {images.words_max} have no common scale; save all in one form"
        )
    return top


def fill_boxes(images: Images, train: NDArray[Any], view: View, pixel_max: float | None) -> None:
    """Fill the margins of letterboxed images with the background, in the unit of the pixels.

    Args:
      images: the margins of ``x`` are filled in place.
      train: the training images, whose range decides where no largest value is known.  # (N, H, W) or (N, H, W, 3)
    """
    if not images.boxes:
        return
    low = min(0.0, float(train.min()))
    high = pixel_max or (255.0 if train.dtype == np.uint8 else float(train.max()))
    color = np.array(view.background) / 255
    if images.x.ndim == 3:
        color = color @ (0.299, 0.587, 0.114)
    values = low + color * (high - low)
    if images.x.dtype.kind != "f":  # a pixel_max of the user may be larger than any pixel
        values = np.clip(np.round(values), 0, np.iinfo(images.x.dtype).max)
    fill_margins(images, values)


# --- Facts ------------------------------------------------------------------------------------------------------------


def _facts(
    images: Images, view: View, reading: Reading, pixel_max: float | None, labels: list[str]
) -> list[tuple[str, str]]:
    counts, total = images.counts, len(images.kept)
    facts: list[tuple[str, str]] = []
    if view.size and counts["resized"]:
        enlarged = f" ({counts['enlarged']} of them enlarged)" if counts["enlarged"] else ""
        how = f"letterbox on {reading.background or 'white'}" if images.boxes else view.resize
        text = f"{counts['resized']} of {total}{enlarged}, to {view.size[1]} x {view.size[0]} pixels, {how}, Lanczos"
        facts.append(("images resized", text))
    if counts["transparent"] or counts["hidden"]:
        unseen = len(_unseen(images, view.background))
        parts = (
            [f"{counts['transparent']} composited on {reading.background or 'white'}"] if counts["transparent"] else []
        )
        parts += [f"{unseen} show nothing there"] if unseen else []
        parts += [f"{counts['hidden']} fully transparent, read as opaque"] if counts["hidden"] else []
        facts.append(("transparency", "; ".join(parts)))
    if counts["turned"]:
        facts.append(("orientation", f"{counts['turned']} turned as their Exif data say"))
    if counts["frames"]:
        facts.append(("frames", f"{counts['frames']} have several; the first is used"))
    depth = _depth(images, pixel_max)
    if depth:
        facts.append(("bit depth", depth))
    color = _color(images, view, labels)
    if color:
        facts.append(("color", color))
    return facts


def _depth(images: Images, pixel_max: float | None) -> str:
    if images.counts["reduced"]:
        return f"{number(images.counts['reduced'], 'AVIF image')} of 10 or 12 bits read with 8"
    if images.x.dtype == np.uint8:
        return ""
    if images.x.dtype != np.uint16:
        return f"floats from {images.x.min():.4g} to {images.x.max():.4g}"
    few = "" if pixel_max == 65535 else f", values up to {images.words_max}"
    taken = "" if pixel_max in {None, 65535} else f", so the maximum is {pixel_max:g}"
    mixed = images.kinds["uint8"]
    return f"16 bits{few}{taken}" + (f"; {number(mixed)} of 8 bits multiplied by 257" if mixed else "")


def _color(images: Images, view: View, labels: list[str]) -> str:
    """How color was read where this is a choice: by a setting, or because some images have color and some have none."""
    colored, total = len(images.colored), len(images.kept)
    if view.color is not None:
        return {"gray": "gray, as set", "rgb": "rgb, as set"}[view.color]
    if not 0 < colored < total:
        return ""
    with_color = {labels[row] for row in images.colored}
    without = {label for row, label in enumerate(labels) if row not in set(images.colored)}
    only = f"; only {some(sorted(with_color))} in color" if not with_color & without else ""
    return f"rgb: {colored} of {total} images have color{only}"


def _skipped(listed: list[Folder], facts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What lies in the folders besides images and the table of labels."""
    used = " ".join(text for name, text in facts if name == "labels")
    names = [
        name
        for root in listed
        for folder in root.below()
        for name in folder.others
        if not (is_table(name) and used.endswith(name))
    ]
    system = sum(folder.system for root in listed for folder in root.below())
    return [("files skipped", skipped_text(names, system))] if names or system else []
