"""Static figures of example images: in a grid, by class, with their augmentations, and the overview of a data set."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DataOverview, FloatArray, IntArray
from wellfit.errors import DataError
from wellfit.report.marks import points as marked
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.static import GAP, INCHES, image_size, shortened, show_image
from wellfit.report.subjects.data.numbers import MOST, SPLITS, unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_augmented", "plot_classes", "plot_data", "plot_examples", "plot_points", "row_inches"]

CAPTIONED: Final = 1.1
"""Inches of an image with its class below it."""

NAME: Final = 24
"""Characters of a class's name beside a row."""

ROLES: Final = {"train": "s1", "validation": "s2", "test": "s0", "unused": "rule"}
"""Split -> its color."""


def plot_examples(
    images: NDArray[Any],
    labels: IntArray,
    classes: Sequence[str],
    *,
    columns: int | None = None,
    pixel_max: float | None = None,
    title: str = "",
    numbers: bool = False,
    color_bar: bool = False,
    pixels: bool = False,
    ax: Axes | None = None,
) -> Figure:
    """A grid of examples in their order, each with its class below it.

    Args:
      images: unsigned bytes or floats.  # (N, H, W) or (N, H, W, C), with 1, 3 or 4 channels
      labels: their classes, integers from 0.  # (N,)
      classes: class names, by label.
      columns: images per row; by default 5 for up to 25 images, 10 for more.
      pixel_max: the value shown as white; by default 255 for unsigned bytes, and the larger of 1 and the maximum for
        floats.
      numbers: whether the number of the class precedes its name.
      color_bar: whether a bar beside the images explains their gray values, in the images' own unit.
      pixels: whether the axes count the pixels of the image, of which there must be one.

    Raises:
      DataError: there are no images, or their shape is not that of an image; a color bar of images in color, or axes
        for several images.

    Example:
      >>> from wellfit.report.marks.static import alt_text
      >>> figure = plot_examples(np.zeros((2, 8, 8), np.uint8), np.array([0, 1]), ("cat", "dog"))
      >>> alt_text(figure)
      '2 examples: cat, dog.'
    """
    pictures = _pictures(images, 1, pixel_max)  # (N, H, W, ...)
    if pixels and len(images) != 1:
        raise DataError(f"axes of pixels belong to one image, but there are {len(images)}; choose one row")
    if color_bar and pictures.ndim != 3:
        raise DataError("a color bar explains gray values, but these images have colors; leave it out")
    columns = columns or min(len(images), 5 if len(images) <= 25 else 10)
    texts = [f"{label} {classes[label]}" if numbers else classes[label] for label in labels]
    names = [[]] if pixels else [textwrap.wrap(text, 15, max_lines=2, placeholder="…") or [""] for text in texts]
    title = ": ".join(filter(None, (title, texts[0]))) if pixels else title
    width, height = image_size(pictures)
    step = height + GAP + 0.17 * max(map(len, names))
    rows = -(-len(images) // columns)
    size = CAPTIONED * (3 if pixels else 1)
    inches = max(2.8, size * columns * (width + GAP)), size * rows * step
    axes = drawing.own_axes(ax, (inches[0] + 0.2 + color_bar, inches[1] + 0.4))
    for place, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        x, y = place % columns * (width + GAP), place // columns * step
        show_image(axes, picture, x, y, smooth=not pixels)
        axes.text(x + width / 2, y + height + 0.04, drawing.plain("\n".join(name)), ha="center", va="top",
                  fontsize=9, linespacing=1.05, color=LIGHT["ink"])  # fmt: skip
    _frame(axes, columns * (width + GAP) - GAP, rows * step - GAP, title, inches[0])
    if pixels:
        _count_pixels(axes, pictures[0])
    if color_bar:
        _add_color_bar(axes, _black(images), _white(images) if pixel_max is None else pixel_max)
    return drawing.done(axes, f"{_titled(title)}{len(images)} examples: {', '.join(texts)}.")


def plot_classes(
    images: NDArray[Any],
    labels: IntArray,
    classes: Sequence[str],
    *,
    pixel_max: float | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Examples by class, one row per class, with its name at the left.

    Args:
      images: unsigned bytes or floats.  # (N, H, W) or (N, H, W, C), with 1, 3 or 4 channels
      labels: their classes, integers from 0.  # (N,)
      classes: class names, by label.
      pixel_max: as for `plot_examples`.

    Returns:
      The figure; a class without examples has no row.

    Raises:
      DataError: as `plot_examples`.
    """
    pictures = _pictures(images, 1, pixel_max)  # (N, H, W, ...)
    present = np.unique(labels)
    rows = [list(pictures[labels == label]) for label in present]
    names = [classes[label] for label in present]
    axes, _ = _rows(rows, names, GAP, title, ax)
    names_and_counts = ", ".join(f"{name} ({len(row)})" for name, row in zip(names, rows, strict=True))
    return drawing.done(axes, f"{_titled(title)}Examples of every class, one row each: {names_and_counts}.")


def plot_augmented(
    originals: NDArray[Any],
    augmented: NDArray[Any],
    titles: Sequence[str],
    *,
    pixel_max: float | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """Images and augmented forms of them, one row per image, the original first.

    Args:
      originals: unsigned bytes or floats.  # (N, H, W) or (N, H, W, C), with 1, 3 or 4 channels
      augmented: R forms of every image, in the same unit; values beyond black and white are clipped.  # (N, R, ...)
      titles: of the rows.  # N
      pixel_max: as for `plot_examples`, by the originals.

    Raises:
      DataError: as `plot_examples`.
    """
    white = _white(originals) if pixel_max is None and originals.size else pixel_max
    first = _pictures(originals, 1, white)  # (N, H, W, ...)
    forms = _pictures(augmented, 2, white, _black(originals))  # (N, R, H, W, ...)
    rows = [[one, *changed] for one, changed in zip(first, forms, strict=True)]
    axes, width = _rows(rows, titles, 4 * GAP, title, ax)
    axes.xaxis.tick_top()
    axes.set_xticks([width / 2, width + 4 * GAP], ["original", "augmented"])
    axes.xaxis.get_majorticklabels()[1].set_horizontalalignment("left")
    counts = f"{len(originals)} images, each with {forms.shape[1]} augmented forms"
    return drawing.done(axes, f"{_titled(title)}{counts}: {', '.join(titles)}.")


def plot_points(
    points: FloatArray,
    labels: IntArray,
    classes: Sequence[str],
    *,
    names: tuple[str, str] = ("feature 1", "feature 2"),
    title: str = "",
    ax: Axes | None = None,
) -> Figure:
    """A scatter plot of examples with two features, in the colors of their classes.

    Args:
      points: finite numbers.  # (N, 2)
      labels: their classes, integers from 0.  # (N,)
      classes: class names, by label.
      names: of the features.
    """
    axes = drawing.own_axes(ax, marked.SIZE)
    marked.scatter(axes, points, labels, classes)
    marked.name_axes(axes, names)
    marked.titled_beside(axes, title)
    counts = ", ".join(f"{int((labels == k).sum()):,} of {name}" for k, name in enumerate(classes))
    return drawing.done(axes, f"{_titled(title)}Scatter plot of {len(points):,} examples: {counts}.")


def row_inches(wide: float, names: Sequence[str]) -> float:
    """The width of a figure with rows of images that are ``wide`` image sides long, their names at the left.

    Example:
      >>> row_inches(8.5, ("dress", "shirt")) > 8.5 * INCHES
      True
    """
    return max(2.8, INCHES * wide) + 0.09 * max(len(shortened(name, NAME)) for name in names) + 0.4


def plot_data(data: DataOverview, classes: Sequence[str], ax: Axes | None = None) -> Figure:
    """A data set at a glance: the first training examples of every class, and a bar of its examples by split.

    Args:
      classes: class names, by label.

    Returns:
      The figure, one row per class; without images, only the bars.
    """
    size = len(classes)
    columns = 0 if data.examples is None else min(MOST, data.examples.shape[1])
    width, height = (1.0, 0.55) if data.examples is None else image_size(data.examples[0])
    step, left = height + GAP, columns * (width + GAP)
    counts = {split: data.counts[split] for split in SPLITS if split in data.counts}
    totals = np.sum(list(counts.values()), axis=0)  # (K,)
    scale = 5.0 / max(int(totals.max(initial=0)), 1)  # the longest bar is as long as five images
    wide = INCHES * (left + 6.2) + 0.085 * max(map(len, classes)) + 0.5
    axes = drawing.own_axes(ax, (wide, INCHES * size * step + 0.9))
    for k in range(size):
        for place, image in enumerate(data.examples[k][:columns] if data.examples is not None else ()):
            show_image(axes, image, place * (width + GAP), k * step, smooth=False)
        start = left + 2 * GAP
        for split, of_class in counts.items():
            length = scale * float(of_class[k])
            axes.barh(k * step + height / 2, length, 0.42 * height, start, color=LIGHT[ROLES[split]], alpha=0.85)
            start += length
        axes.text(start + 0.1, k * step + height / 2, f"{totals[k]:,}", va="center", fontsize=10, color=LIGHT["ink"])
    drawing.picture_axes(axes, left + 6.2, size * step - GAP)
    axes.set_yticks([k * step + height / 2 for k in range(size)], list(map(drawing.plain, classes)), color=LIGHT["ink"])
    drawing.title(axes, data.title)
    marks = [{"marker": "s", "markersize": 8, "color": LIGHT[ROLES[split]], "label": SPLITS[split]} for split in counts]
    drawing.legend(axes, marks)
    listed = "; ".join(
        f"{name} " + ", ".join(f"{int(of_class[k]):,} {SPLITS[split]}" for split, of_class in counts.items())
        for k, name in enumerate(classes)
    )
    return drawing.done(axes, f"{data.title}: examples of {unit(data.shape)} in {size} classes. {listed}.")


# --- Parts ------------------------------------------------------------------------------------------------------------


def _pictures(
    images: NDArray[Any], lead: int, pixel_max: float | None, black: float | None = None
) -> NDArray[np.uint8]:
    """Images as unsigned bytes, gray or in color.

    Args:
      images: unsigned bytes or floats.  # (..., H, W) or (..., H, W, C)
      lead: the number of axes before the height.
      pixel_max: the value shown as white, or None.
      black: the value shown as black; by default 0, or the least value of images from -1 to 1.

    Returns:
      The images.  # (..., H, W), (..., H, W, 3) or (..., H, W, 4)
    """
    shape = images.shape[lead:]
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3, 4)):
        raise DataError(f"examples of shape {shape} are not images; give images (H, W), or (H, W, C) with C 1, 3 or 4")
    if not images.size:
        raise DataError("there are no images to show; give one or more")
    white = _white(images) if pixel_max is None else pixel_max
    black = _black(images) if black is None else black
    shown = images - np.float32(black) if black else images
    bytes_: NDArray[np.uint8] = np.rint(np.clip(shown * (255 / (white - black)), 0, 255)).astype(np.uint8)
    return bytes_[..., 0] if shape[2:] == (1,) else bytes_


def _black(images: NDArray[Any]) -> float:
    """0, or the least value if that is negative."""
    return min(0.0, float(images.min())) if images.size else 0.0


def _white(images: NDArray[Any]) -> float:
    """The value of white, if it is not given."""
    return 255.0 if images.dtype == np.uint8 else max(1.0, float(images.max()))


def _rows(
    rows: Sequence[Sequence[NDArray[np.uint8]]], names: Sequence[str], first_gap: float, title: str, ax: Axes | None
) -> tuple[Axes, float]:
    """Rows of images with names at the left, a gap after the first of each; also returns the width of an image."""
    width, height = image_size(rows[0][0][None])
    names = [shortened(name, NAME) for name in names]
    longest = max(map(len, rows))
    wide = longest * (width + GAP) - GAP + (first_gap - GAP if longest > 1 else 0)
    tall = len(rows) * (height + GAP) - GAP
    axes = drawing.own_axes(ax, (row_inches(wide, names), INCHES * tall + 0.8))
    for line, row in enumerate(rows):
        for place, picture in enumerate(row):
            x = place * (width + GAP) + (first_gap - GAP if place else 0)
            show_image(axes, picture, x, line * (height + GAP))
    _frame(axes, wide, tall, title, INCHES * wide)
    centers = [line * (height + GAP) + height / 2 for line in range(len(rows))]
    axes.set_yticks(centers, [drawing.plain(name) for name in names], color=LIGHT["ink"])
    return axes, width


def _frame(axes: Axes, width: float, height: float, title: str, inches: float) -> None:
    """Axes for images, with a title of several lines above them."""
    drawing.picture_axes(axes, width, height)
    if title:
        unbroken = drawing.plain(title).replace(" = ", "\u00a0=\u00a0")
        text = "\n".join(textwrap.wrap(unbroken, max(24, int(9.5 * inches))))
        axes.set_title(text, loc="left", fontsize=11.5, color=LIGHT["ink"], fontweight="bold", pad=10)


def _count_pixels(axes: Axes, picture: NDArray[np.uint8]) -> None:
    """Number the pixels of the only image along its axes."""
    width, height = image_size(picture[None])
    for axis, size, count in ((axes.xaxis, width, picture.shape[1]), (axes.yaxis, height, picture.shape[0])):
        shown = range(0, count, max(1, -(-count // 6)))
        axis.set_ticks([(pixel + 0.5) * size / count for pixel in shown], [str(pixel) for pixel in shown])


def _add_color_bar(axes: Axes, black: float, white: float) -> None:
    """A bar beside the images with the values of black, of white, and between them."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    figure = drawing.done(axes, "")
    bar = figure.colorbar(ScalarMappable(Normalize(black, white), "gray"), ax=axes, fraction=0.05, pad=0.03)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelcolor=LIGHT["muted"], labelsize=10)
    bar.ax.set_label(f"A color bar from {black:g} to {white:g}.")


def _titled(title: str) -> str:
    return f"{title}. " if title else ""
