"""Decoding many images into one array, which is allocated once and grows only if a later image needs more."""

from __future__ import annotations

import math
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.images.decode import Picture, View, read_picture
from wellfit.data.images.names import number
from wellfit.data.images.sizes import suggested_size
from wellfit.data.limits import VARIABLE, raised
from wellfit.errors import DataError

__all__ = ["Images", "fill_margins", "read_images"]

_MOST_BYTES: Final = 2 * 2**30
_LARGE: Final = 2**17  # pixels: below, a thread costs more than the decoding that it takes over
_BATCH: Final = 16


@dataclass(eq=False)
class Images:
    """The images of a data set, and what was done to them.

    Args:
      x: uint8, uint16 or float32; margins of letterboxed images are 0.  # (n, H, W) or (n, H, W, 3)
      kept: positions of the images in the list of files; the others cannot be read.
      bad: positions and reasons of the files that cannot be read.
      sizes: positions of the images by height and width, before resizing.
      boxes: of the letterboxed images, by row of ``x``: top, left, height and width of the picture.
      colored: rows of ``x`` that are in color.
      kinds: number of images by type of their pixels.
      words_max: the largest value among the 16-bit images.
      inks: rows whose picture is in the transparency alone, and their only color.
      counts: number of images that are "turned", "transparent", "hidden", "frames", "resized", "enlarged", "reduced".
    """

    x: NDArray[Any]
    kept: list[int] = field(default_factory=list)
    bad: list[tuple[int, str]] = field(default_factory=list)
    sizes: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    boxes: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    colored: list[int] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    words_max: int = 0
    inks: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def read_images(files: Sequence[str], view: View, where: str) -> Images:
    """Decode images, in order.

    Args:
      where: the data set, for error messages.

    Returns:
      The images; ``x`` is empty if none can be read, or if sizes differ although the view has none.

    Raises:
      DataError: more than 2 GB, or whole numbers and floats in one data set.
    """
    images = Images(np.empty((0, 0, 0), np.uint8))
    if view.size:
        _check_room(view.size, 1, len(files), where)
    with warnings.catch_warnings():
        from PIL import Image

        warnings.simplefilter("ignore")  # Pillow warns of metadata that do not matter here
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for at, picture in enumerate(_pictures(files, view, images)):
            if isinstance(picture, str):
                images.bad.append((at, picture))
                continue
            images.sizes.setdefault(picture.size, []).append(at)
            if picture.pixels is not None and (view.size or len(images.sizes) == 1):
                _store(images, picture, view, len(files), where)
                images.kept.append(at)
    images.x = images.x[: len(images.kept)]
    return images


def _pictures(files: Sequence[str], view: View, images: Images) -> Iterator[Picture | str]:
    """Read the files one after the other; large ones in threads. Once two sizes differ, read sizes only."""
    batch, pool = 1, None
    start = 0
    try:
        while start < len(files):
            chosen = files[start : start + batch]
            now = view
            if view.size is None and images.sizes:
                now = replace(view, expected=next(iter(images.sizes)), sizes_only=len(images.sizes) > 1)
            read = [lambda path, now=now: read_picture(path, now)][0]
            yield from pool.map(read, chosen) if pool else map(read, chosen)
            start += batch
            if batch == 1 and images.sizes:
                height, width = next(iter(images.sizes))
                large = height * width >= _LARGE
                pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1)) if large else None
                batch = _BATCH
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)


def _store(images: Images, picture: Picture, view: View, total: int, where: str) -> None:
    """Copy one image into the array."""
    pixels = picture.pixels
    assert pixels is not None
    row = len(images.kept)
    shape = view.size or pixels.shape[:2]
    colored = pixels.ndim == 3
    wanted = colored or view.color == "rgb"
    if not row or pixels.dtype != images.x.dtype or (wanted and images.x.ndim == 3):
        _make_room(images, shape, pixels.dtype, wanted, total, where)
    top, left = ((outer - inner) // 2 for outer, inner in zip(shape, pixels.shape[:2], strict=True))
    height, width = pixels.shape[:2]
    if (height, width) != shape:
        images.boxes[row] = (top, left, height, width)
        images.x[row] = 0
    if images.x.dtype == np.uint16 and pixels.dtype == np.uint8:
        pixels = pixels.astype(np.uint16) * 257
    if images.x.ndim == 4 and not colored:
        pixels = pixels[:, :, None]
    images.x[row, top : top + height, left : left + width] = pixels
    _note(images, picture, row, view)


def _note(images: Images, picture: Picture, row: int, view: View) -> None:
    assert picture.pixels is not None
    images.kinds[picture.pixels.dtype.name] += 1
    if picture.pixels.dtype == np.uint16:
        images.words_max = max(images.words_max, int(picture.pixels.max()))
    if picture.pixels.ndim == 3 and (view.color != "rgb" or bool((np.ptp(picture.pixels, axis=2) > 0).any())):
        images.colored.append(row)
    if picture.ink is not None:
        images.inks[row] = picture.ink
    for name in ("turned", "transparent", "hidden", "frames"):
        images.counts[name] += getattr(picture, name)
    images.counts["reduced"] += picture.reduced > 0
    if view.size:
        height, width = picture.pixels.shape[:2]
        images.counts["resized"] += picture.size != view.size
        images.counts["enlarged"] += height > picture.size[0] or width > picture.size[1]


def _make_room(
    images: Images, shape: tuple[int, ...], dtype: np.dtype[Any], colored: bool, total: int, where: str
) -> None:
    """Allocate the array, or give it channels or another type if this image needs them."""
    done = len(images.kept)
    old = images.x
    if done and (old.dtype.kind == "f") != (dtype.kind == "f"):
        raise DataError(
            f"{where}: some images hold whole numbers and some floats, which have no common scale; save all in one form"
        )
    if done and old.dtype.itemsize >= dtype.itemsize and (old.ndim == 4 or not colored):
        return
    if done and old.dtype.itemsize > dtype.itemsize:
        dtype = old.dtype
    channels = (3,) if colored or old.ndim == 4 else ()
    _check_room(shape, (3 if channels else 1) * dtype.itemsize, total, where)
    images.x = np.empty((total, *shape, *channels), dtype)
    if done:
        before = old[:done].astype(dtype)
        if dtype == np.uint16 and old.dtype == np.uint8:
            before *= 257
        images.x[:done] = before if before.ndim == images.x.ndim else before[..., None]


def _check_room(shape: tuple[int, ...], pixel: int, total: int, where: str) -> None:
    """Refuse a data set that needs too much memory, before anything of this size is decoded."""
    size = total * shape[0] * shape[1] * pixel
    if size > raised(_MOST_BYTES):
        raise DataError(
            f"{where}: {number(total)} of {shape[1]} x {shape[0]} pixels, {number(pixel, 'byte')} each, need "
            f"{size / 2**30:.1f} GB of memory, too much for small networks; set [data] image_size = "
            f"{suggested_size([min(shape)])}, for example, or, if the memory suffices, {VARIABLE}="
            f"{math.ceil(size / _MOST_BYTES)}"
        )


def fill_margins(images: Images, values: NDArray[Any]) -> None:
    """Fill what surrounds the letterboxed images.

    Args:
      values: the color in the unit of the pixels.  # (3,), or () for gray images
    """
    for row, (top, left, height, width) in images.boxes.items():
        x = images.x[row]  # (H, W) or (H, W, 3)
        x[:top] = values
        x[top + height :] = values
        x[:, :left] = values
        x[:, left + width :] = values
