"""A folder of images with one subfolder per class, optionally under ``train/`` and ``test/``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.assemble import Part, RawData
from wellfit.errors import DataError

__all__ = ["IMAGE_SUFFIXES", "has_class_folders", "read_image_folder"]

IMAGE_SUFFIXES: Final = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
"""Files with other suffixes are ignored."""

_BYTE_MODES: Final = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})


def has_class_folders(folder: Path) -> bool:
    """Return whether a folder has subfolders, as an image folder does."""
    return bool(_folders(folder))


def read_image_folder(folder: Path) -> RawData:
    """Read all images in a folder; the names of the subfolders are the labels.

    If any image is in color, all are read as RGB, otherwise as grayscale; transparency is dropped.

    Args:
      folder: contains one subfolder per class, or ``train`` and ``test`` with one subfolder per class each.

    Returns:
      Images, uint8 (N, H, W) or (N, H, W, 3), ordered by class and file name, and their labels as strings.

    Raises:
      DataError: a file that is not a readable 8-bit image, an image whose size differs from the first, a class without
        images, or ``train`` without ``test``.
    """
    names = [f.name for f in _folders(folder)]
    if "train" not in names:
        files, labels = _list_images(folder)
        x = _read_images(files)
        return RawData(Part(x, np.array(labels, dtype=str), str(folder)))
    if names != ["test", "train"]:
        raise DataError(
            f"{folder}: with train/ there must be test/ and no other subfolder, but it has {', '.join(names)}"
        )
    train, train_labels = _list_images(folder / "train")
    test, test_labels = _list_images(folder / "test")
    x = _read_images([*train, *test])  # together: one color image makes all of them RGB
    n = len(train)
    return RawData(
        Part(x[:n], np.array(train_labels, dtype=str), str(folder / "train")),
        Part(x[n:], np.array(test_labels, dtype=str), str(folder / "test")),
    )


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _list_images(folder: Path) -> tuple[list[Path], list[str]]:
    """List the images and their labels, ordered by class and file name."""
    files: list[Path] = []
    labels: list[str] = []
    for class_folder in _folders(folder):
        images = sorted(
            p for p in class_folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".")
        )
        if not images:
            raise DataError(
                f"{class_folder}: contains no images ({' '.join(sorted(IMAGE_SUFFIXES))}); add images or remove it"
            )
        files += images
        labels += [class_folder.name] * len(images)
    if not files:
        raise DataError(f"{folder}: contains no subfolders; put the images of each class in a subfolder")
    return files, labels


def _read_images(files: Sequence[Path]) -> NDArray[np.uint8]:
    """Read all images: (N, H, W) if none is in color, otherwise (N, H, W, 3)."""
    images: list[NDArray[np.uint8]] = []
    for file in files:
        image = _read_image(file)  # (H, W) or (H, W, 3)
        if images and image.shape[:2] != images[0].shape[:2]:
            (h, w), (first_h, first_w) = image.shape[:2], images[0].shape[:2]
            raise DataError(
                f"{file}: {w} x {h} pixels, but {files[0].name} has {first_w} x {first_h}; give all images one size"
            )
        images.append(image)
    if any(image.ndim == 3 for image in images):
        images = [np.repeat(i[:, :, None], 3, axis=2) if i.ndim == 2 else i for i in images]
    return np.stack(images)


def _read_image(file: Path) -> NDArray[Any]:
    """Read one image: (H, W), or (H, W, 3) if its channels differ anywhere."""
    from PIL import Image

    try:
        with Image.open(file) as image:
            mode = image.mode
            pixels = np.asarray(image.convert("L" if mode in {"1", "L", "LA"} else "RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{file}: cannot be read as an image ({error}); replace or remove it") from None
    if mode not in _BYTE_MODES:
        raise DataError(
            f"{file}: the pixels have more than 8 bits per channel (Pillow mode {mode}); save the image with 8 bits"
        )
    gray = pixels.ndim == 3 and bool((pixels == pixels[:, :, :1]).all())
    return pixels[:, :, 0] if gray else pixels
