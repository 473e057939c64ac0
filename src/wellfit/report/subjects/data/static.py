"""Pictures of the data: examples with the names of their classes, and what augmentation makes of them.

Every function draws on the axes it is given or on a figure of its own, and leaves an alt text; none touches pyplot.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.errors import DataError
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["GAP", "INCHES", "picture_size", "plot_augmented", "plot_classes", "plot_examples", "row_inches"]

GAP: Final = 0.07  # between two pictures; a picture's longer side is 1
INCHES: Final = 0.72  # of a picture among others in a row
CAPTION_INCHES: Final = 1.1  # of a picture with its class's name below it


def plot_examples(
    images: NDArray[Any],
    labels: IntArray,
    classes: Sequence[str],
    *,
    columns: int | None = None,
    pixel_max: float | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """A grid of examples in their order, the name of its class below each.

    Args:
      images: unsigned bytes or floats.  # (N, H, W) or (N, H, W, C), with 1, 3 or 4 channels
      labels: their classes, integers from 0.  # (N,)
      classes: the name of every class, by label.
      columns: pictures in a row; 5 of up to 25, 10 of more.
      pixel_max: the value shown white; None is 255 for unsigned bytes, and for floats 1 or the largest there is.
      title: above the grid.
      ax: where to draw; a new figure if None.

    Returns:
      The figure.

    Raises:
      DataError: there are no images, or they are no pictures.

    Example:
      >>> from wellfit.report.marks.static import alt_text
      >>> figure = plot_examples(np.zeros((2, 8, 8), np.uint8), np.array([0, 1]), ("cat", "dog"))
      >>> alt_text(figure)
      '2 examples: cat, dog.'
    """
    pictures = _pictures(images, 1, pixel_max)  # (N, H, W, 3 or 4)
    columns = columns or min(len(images), 5 if len(images) <= 25 else 10)
    names = [textwrap.wrap(classes[label], 15, max_lines=2, placeholder="…") or [""] for label in labels]
    width, height = picture_size(pictures)
    step = height + GAP + 0.17 * max(map(len, names))
    rows = -(-len(images) // columns)
    inches = max(2.8, CAPTION_INCHES * columns * (width + GAP)), CAPTION_INCHES * rows * step
    axes = drawing.own_axes(ax, (inches[0] + 0.2, inches[1] + 0.4))
    for place, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        x, y = place % columns * (width + GAP), place // columns * step
        _show(axes, picture, x, y)
        axes.text(x + width / 2, y + height + 0.04, drawing.plain("\n".join(name)), ha="center", va="top",
                  fontsize=9, linespacing=1.05, color=LIGHT["ink"])  # fmt: skip
    _frame(axes, columns * (width + GAP) - GAP, rows * step - GAP, title, inches[0])
    said = ", ".join(classes[label] for label in labels)
    return drawing.done(axes, f"{_titled(title)}{len(images)} examples: {said}.")


def plot_classes(
    images: NDArray[Any],
    labels: IntArray,
    classes: Sequence[str],
    *,
    pixel_max: float | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Examples sorted by class, a row each, named at its left.

    Args:
      images: unsigned bytes or floats.  # (N, H, W) or (N, H, W, C), with 1, 3 or 4 channels
      labels: their classes, integers from 0.  # (N,)
      classes: the name of every class, by label.
      pixel_max: as for `plot_examples`.
      title: above the rows.
      ax: where to draw; a new figure if None.

    Returns:
      The figure; a class that has no example has no row.

    Raises:
      DataError: as `plot_examples`.
    """
    pictures = _pictures(images, 1, pixel_max)  # (N, H, W, 3 or 4)
    present = np.unique(labels)
    rows = [list(pictures[labels == label]) for label in present]
    names = [classes[label] for label in present]
    axes, _ = _rows(rows, names, GAP, title, ax)
    said = ", ".join(f"{name} ({len(row)})" for name, row in zip(names, rows, strict=True))
    return drawing.done(axes, f"{_titled(title)}Examples of every class in a row of its own: {said}.")


def plot_augmented(
    originals: NDArray[Any],
    augmented: NDArray[Any],
    titles: Sequence[str],
    *,
    pixel_max: float | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Images and what augmentation makes of them: a row each, the original first.

    Args:
      originals: unsigned bytes or floats.  # (N, H, W) or (N, H, W, C), with 1, 3 or 4 channels
      augmented: R forms of every image, in the same unit; what is beyond black and white is shown black or white.
        # (N, R, ...)
      titles: the name of every row, such as its class.  # N
      pixel_max: as for `plot_examples`, judged by the originals.
      title: above the rows.
      ax: where to draw; a new figure if None.

    Returns:
      The figure.

    Raises:
      DataError: as `plot_examples`.
    """
    white = _white(originals) if pixel_max is None and originals.size else pixel_max
    first = _pictures(originals, 1, white)  # (N, H, W, 3 or 4)
    forms = _pictures(augmented, 2, white)  # (N, R, H, W, 3 or 4)
    rows = [[one, *changed] for one, changed in zip(first, forms, strict=True)]
    axes, width = _rows(rows, titles, 4 * GAP, title, ax)
    axes.xaxis.tick_top()
    axes.set_xticks([width / 2, width + 4 * GAP], ["original", "augmented"])
    axes.xaxis.get_majorticklabels()[1].set_horizontalalignment("left")
    said = f"{len(originals)} images, each with {forms.shape[1]} augmented forms: {', '.join(titles)}."
    return drawing.done(axes, f"{_titled(title)}{said}")


def picture_size(images: NDArray[Any]) -> tuple[float, float]:
    """The width and height that pictures are drawn at, of which the longer one is 1.

    Args:
      images: pictures of one form.  # (N, H, W, ...)

    Example:
      >>> picture_size(np.zeros((1, 20, 10)))
      (0.5, 1.0)
    """
    height, width = images.shape[1:3]
    return width / max(height, width), height / max(height, width)


def row_inches(wide: float, names: Sequence[str]) -> float:
    """The width of a figure with rows of pictures ``wide`` in all, their names at the left and a title above.

    Example:
      >>> row_inches(8.5, ("dress", "shirt")) > 8.5 * INCHES
      True
    """
    return max(2.8, INCHES * wide) + 0.09 * max(len(_short(name)) for name in names) + 0.4


# --- Parts ------------------------------------------------------------------------------------------------------------


def _pictures(images: NDArray[Any], lead: int, pixel_max: float | None) -> NDArray[np.uint8]:
    """Images of any form as red, green, blue (and alpha) from 0 to 255.

    Args:
      images: unsigned bytes or floats.  # (..., H, W) or (..., H, W, C)
      lead: how many axes stand before the height.
      pixel_max: the value shown white, or None.

    Returns:
      The pictures.  # (..., H, W, 3 or 4)
    """
    shape = images.shape[lead:]
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3, 4)):
        raise DataError(f"examples of shape {shape} are no pictures; give images (H, W), or (H, W, C) with C 1, 3 or 4")
    if not images.size:
        raise DataError("there are no images to show; give one or more")
    white = _white(images) if pixel_max is None else pixel_max
    bytes_ = np.rint(np.clip(images * (255 / white), 0, 255)).astype(np.uint8)
    if len(shape) == 2:
        bytes_ = bytes_[..., None]
    return np.repeat(bytes_, 3, axis=-1) if bytes_.shape[-1] == 1 else bytes_


def _white(images: NDArray[Any]) -> float:
    """The value of white, where nothing says what it is."""
    return 255.0 if images.dtype == np.uint8 else max(1.0, float(images.max()))


def _rows(
    rows: Sequence[Sequence[NDArray[np.uint8]]], names: Sequence[str], first_gap: float, title: str, ax: Axes | None
) -> tuple[Axes, float]:
    """Rows of pictures, named at the left, ``first_gap`` after the first of each; gives the width of a picture too."""
    width, height = picture_size(rows[0][0][None])
    names = [_short(name) for name in names]
    longest = max(map(len, rows))
    wide = longest * (width + GAP) - GAP + (first_gap - GAP if longest > 1 else 0)
    tall = len(rows) * (height + GAP) - GAP
    axes = drawing.own_axes(ax, (row_inches(wide, names), INCHES * tall + 0.8))
    for line, row in enumerate(rows):
        for place, picture in enumerate(row):
            x = place * (width + GAP) + (first_gap - GAP if place else 0)
            _show(axes, picture, x, line * (height + GAP))
    _frame(axes, wide, tall, title, INCHES * wide)
    centers = [line * (height + GAP) + height / 2 for line in range(len(rows))]
    axes.set_yticks(centers, [drawing.plain(name) for name in names], color=LIGHT["ink"])
    return axes, width


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23].rstrip()}…"


def _show(axes: Axes, picture: NDArray[np.uint8], x: float, y: float) -> None:
    """One picture with its upper left corner at (x, y)."""
    width, height = picture_size(picture[None])
    axes.imshow(picture, extent=(x, x + width, y + height, y))


def _frame(axes: Axes, width: float, height: float, title: str, inches: float) -> None:
    """Neither axes nor ticks; pictures are not distorted, and stand at the left under a title ``inches`` wide."""
    drawing.style(axes, "", "", grid=None)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlim(-0.01, width + 0.01)
    axes.set_ylim(height + 0.01, -0.01)
    axes.set_aspect("equal", anchor="NW")
    if title:
        unbroken = drawing.plain(title).replace(" = ", "\u00a0=\u00a0")
        text = "\n".join(textwrap.wrap(unbroken, max(24, int(9.5 * inches))))
        axes.set_title(text, loc="left", fontsize=11.5, color=LIGHT["ink"], fontweight="bold", pad=10)


def _titled(title: str) -> str:
    return f"{title}. " if title else ""
