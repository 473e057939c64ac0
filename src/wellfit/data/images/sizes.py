"""Resizing: letterbox or stretch, with Lanczos resampling."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit", "inner_size", "suggested_size"]


def inner_size(
    size: tuple[int, int], target: tuple[int, int], resize: Literal["letterbox", "stretch"]
) -> tuple[int, int]:
    """The height and width that an image gets; with ``"letterbox"``, its proportions stay.

    Example:
      >>> inner_size((480, 640), (32, 32), "letterbox"), inner_size((480, 640), (32, 32), "stretch")
      ((24, 32), (32, 32))
    """
    if resize == "stretch":
        return target
    share = min(target[0] / size[0], target[1] / size[1])
    height, width = (min(t, max(1, round(share * n))) for n, t in zip(size, target, strict=True))
    return height, width


def fit(pixels: Any, inner: tuple[int, int] | None) -> Any:
    """Resize an image; unchanged if it has that size, or none is given.

    Args:
      pixels: a Pillow image in mode L or RGB, or an array, uint16 or float32.  # (h, w) or (h, w, 3)
      inner: height and width.

    Returns:
      The same kind. Values stay within the range of the image, which Lanczos resampling would exceed at edges.
    """
    from PIL import Image

    if inner is None:
        return pixels
    array = isinstance(pixels, np.ndarray)
    size = pixels.shape[:2] if array else (pixels.height, pixels.width)
    height, width = inner
    if size == inner:
        return pixels
    if not array:
        return pixels.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    channels = pixels.astype(np.float32).reshape(*size, -1)  # (h, w, c)
    resized: NDArray[np.float32] = np.stack(
        [
            np.asarray(Image.fromarray(channels[:, :, c]).resize((width, height), Image.Resampling.LANCZOS))
            for c in range(channels.shape[2])
        ],
        axis=2,
    )
    resized = np.clip(resized, pixels.min(), pixels.max())
    if pixels.dtype == np.uint16:
        resized = np.round(resized)
    return resized.astype(pixels.dtype).reshape((height, width, *pixels.shape[2:]))


def suggested_size(sides: list[int]) -> int:
    """A usual side length that is no larger than half of the images, at most 64.

    Example:
      >>> suggested_size([480, 640]), suggested_size([17, 20, 40])
      (64, 16)
    """
    middle = sorted(sides)[len(sides) // 2]
    return next((side for side in (64, 48, 32, 28, 24, 16, 8) if side <= middle), max(1, middle))
