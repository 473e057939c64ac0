"""Many small pictures on one sheet, which the page shows piece by piece: each costs a few hundred bytes."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Sheet", "pack"]

LARGEST_SIDE: Final = 64
"""Pixels of a picture's longer side; larger pictures are scaled down, as the page shows them no larger."""


@dataclass(frozen=True)
class Sheet:
    """Pictures of one size as one PNG, row by row.

    Args:
      uri: the PNG as a data URI.
      count: of the pictures.
      columns, rows: of the sheet.
      width, height: of one picture, in pixels.
    """

    uri: str
    count: int
    columns: int
    rows: int
    width: int
    height: int

    def place(self, index: int) -> str:
        """The place of a picture as a value of CSS's ``background-position``.

        Example:
          >>> Sheet("data:,", 6, columns=3, rows=2, width=8, height=8).place(4)
          '50% 100%'
        """
        row, column = divmod(index, self.columns)
        x, y = (100 * at / max(1, of - 1) for at, of in ((column, self.columns), (row, self.rows)))
        return f"{x:.6g}% {y:.6g}%"


def pack(images: NDArray[Any], budget: int, levels: int = 256) -> Sheet | None:
    """Put pictures on a sheet, as many as the budget allows.

    Args:
      images: uint8.  # (N, H, W) or (N, H, W, 3)
      budget: the maximum number of characters of the data URI.
      levels: of gray, 256 or 16.

    Returns:
      The sheet; None without pictures.

    Example:
      >>> sheet = pack(np.zeros((5, 8, 8), np.uint8), budget=10_000)
      >>> sheet.count, sheet.columns, sheet.rows
      (5, 3, 2)
    """
    images = _shrunk(images)
    count = len(images)
    while count:
        sheet = _sheet(images[:count], levels)
        if len(sheet.uri) <= budget:
            return sheet
        count = min(count - 1, int(0.97 * count * budget / len(sheet.uri)))
    return None


def _shrunk(images: NDArray[Any]) -> NDArray[Any]:
    from PIL import Image

    side = max(images.shape[1:3])
    if side <= LARGEST_SIDE:
        return images
    size = tuple(max(1, round(n * LARGEST_SIDE / side)) for n in images.shape[2:0:-1])
    return np.stack([np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS)) for image in images])


def _sheet(images: NDArray[Any], levels: int) -> Sheet:
    from PIL import Image

    count, height, width = images.shape[:3]
    columns = math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    whole = np.zeros((rows * columns, *images.shape[1:]), np.uint8)
    whole[:count] = images
    whole = whole.reshape(rows, columns, height, width, *images.shape[3:])  # (R, C, H, W, ...)
    drawn = Image.fromarray(whole.swapaxes(1, 2).reshape(rows * height, columns * width, *images.shape[3:]))
    if levels < 256:
        drawn = drawn.quantize(levels) if drawn.mode == "L" else drawn
    buffer = io.BytesIO()
    drawn.save(buffer, "PNG", optimize=True)
    uri = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return Sheet(uri, count, columns, rows, width, height)
