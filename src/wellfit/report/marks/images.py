"""Example images in static figures: all at one scale, in rows or with captions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GAP", "INCHES", "image_size", "shortened", "show_image"]

GAP: Final = 0.07
"""Between two images; an image's longer side is 1."""

INCHES: Final = 0.72
"""Size of an image in a row of images."""


def image_size(images: NDArray[Any]) -> tuple[float, float]:
    """The width and height at which images are drawn; the longer one is 1.

    Args:
      images: all of one shape.  # (N, H, W, ...)

    Example:
      >>> image_size(np.zeros((1, 20, 10)))
      (0.5, 1.0)
    """
    height, width = images.shape[1:3]
    return width / max(height, width), height / max(height, width)


def show_image(axes: Axes, image: NDArray[np.uint8], x: float, y: float, *, smooth: bool = True) -> None:
    """Draw one image.

    Args:
      image: gray or in color.  # (H, W), (H, W, 3) or (H, W, 4)
      x, y: of its upper left corner.
      smooth: whether it is resampled smoothly; otherwise its pixels stay visible.
    """
    width, height = image_size(image[None])
    color = np.repeat(image[..., None], 3, axis=-1) if image.ndim == 2 else image  # (H, W, 3 or 4)
    axes.imshow(color, extent=(x, x + width, y + height, y), interpolation=None if smooth else "none")


def shortened(name: str, most: int) -> str:
    """A name of at most so many characters.

    Example:
      >>> shortened("Ankle boot", 20), shortened("Ankle boot", 7)
      ('Ankle boot', 'Ankle…')
    """
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"
