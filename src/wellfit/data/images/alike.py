"""Later image files, such as those to predict, read like the training images."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Reading
from wellfit.data.images.decode import View
from wellfit.data.images.masks import split_masks
from wellfit.data.images.names import some
from wellfit.data.images.reader import background_of, fill_boxes, named, size_of
from wellfit.data.images.stack import Images, read_images
from wellfit.data.images.walk import list_folder
from wellfit.errors import DataError

__all__ = ["image_files", "images_like"]

_WORDS = 65535


def image_files(folder: Path) -> list[str]:
    """All images in a folder and the folders below it, folder by folder, each sorted by name; not their masks.

    Raises:
      DataError: there is none.
    """
    root = list_folder(folder)
    found = [str(inner.path / name) for inner in root.below() for name in inner.images]
    files, _ = split_masks(found, str(folder))
    if not files:
        raise DataError(f"{folder}: no image in this folder; give a folder with images, or the file to predict")
    return files


def images_like(
    files: Sequence[str], shape: tuple[int, ...], pixel_max: float | None, reading: Reading, where: str
) -> tuple[NDArray[Any], list[str]]:
    """Read images like the training images: the same size, colors, background and depth of pixels.

    Args:
      files: paths.
      shape: of a training image, (H, W) or (H, W, 3).
      pixel_max: the largest possible pixel value in training; None if it is unknown.
      reading: as for the training images.
      where: for messages: the folder, or "the images".

    Returns:
      The images (N, *shape), and notes in words on what was changed.

    Raises:
      DataError: images that cannot be read, of another size, or of another depth.
    """
    gray, size = len(shape) == 2, size_of(reading)
    view = View(background_of(reading), "gray" if gray else "rgb", size, reading.resize)
    images = read_images(files, dataclasses.replace(view, color=reading.color) if gray else view, where)
    if images.bad:
        reasons = dict(images.bad)
        raise DataError(
            f"{where}: {len(reasons):,} of {len(files):,} images cannot be read: "
            f"{named(reasons, list(files), where, reasons)}; replace or remove them"
        )
    if size is None:
        _check_size(images, files, shape, where)
    notes = []
    if gray and images.x.ndim == 4:
        notes.append(f"{len(images.colored):,} of {len(files):,} images have color, which the model does not see")
        images = read_images(files, view, where)
    if images.counts["resized"]:
        text = f"{images.counts['resized']:,} of {len(files):,} images resized to {shape[1]} x {shape[0]} pixels"
        notes.append(text)
    images.x = _of_depth(images.x, pixel_max, where)
    fill_boxes(images, images.x, view, pixel_max)
    return images.x, notes


def _check_size(images: Images, files: Sequence[str], shape: tuple[int, ...], where: str) -> None:
    other = {size: at for size, at in images.sizes.items() if size != shape[:2]}
    if not other:
        return
    (height, width), at = next(iter(other.items()))
    more = f" and {some(f'{w} x {h}' for h, w in list(other)[1:])}" if len(other) > 1 else ""
    raise DataError(
        f"{where}: {named(at, list(files), where)}: {width} x {height} pixels{more}, but the model was trained on "
        f"{shape[1]} x {shape[0]}; resize the images as the training images were, or train with [data] image_size"
    )


def _of_depth(x: NDArray[Any], pixel_max: float | None, where: str) -> NDArray[Any]:
    """Pixels in the unit of the training images."""
    if x.dtype == np.uint8 and pixel_max == _WORDS:
        return x.astype(np.uint16) * np.uint16(257)
    if x.dtype == np.uint8 and pixel_max is not None and pixel_max > np.iinfo(np.uint8).max:
        raise DataError(
            f"{where}: pixels of 8 bits, but the model was trained on pixels up to {pixel_max:g}; save the images with "
            "the same depth"
        )
    if x.dtype == np.uint16 and pixel_max is not None and pixel_max <= np.iinfo(np.uint8).max:
        raise DataError(
            f"{where}: pixels of 16 bits, but the model was trained on pixels up to {pixel_max:g}; save "
            "the images with 8 bits"
        )
    return x
