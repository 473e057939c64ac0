"""The static galleries of test images: the misclassified ones, and any with what one run predicts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import FirstPredictions, IntArray, Mistakes
from wellfit.errors import DataError
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.column import SHEET, is_narrow
from wellfit.report.marks.static import GAP, image_size, shortened, show_image
from wellfit.report.subjects.mistakes.numbers import Choice, Picture, choose, gallery

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_gallery", "plot_predictions"]

CAPTIONED: Final = 1.35
"""Inches of an image with a caption."""

LINE: Final = 0.155
"""Height of a line of a caption; an image's longer side is 1."""

NARROW: Final = 9
"""Images for one column."""

LETTER: Final = 0.131
"""Inches of a character in a title, no fewer than ``marks.static.filled`` counts, which would break its lines again."""


def plot_gallery(
    mistakes: Mistakes,
    classes: Sequence[str],
    kind: str = "all-wrong",
    variant: str | None = None,
    *,
    rows: Sequence[int] | IntArray | None = None,
    count: int = 25,
    columns: int = 5,
    ax: Axes | None = None,
) -> Figure:
    """Misclassified images, each with its true class, the predicted class, its probability and how many runs agree.

    Args:
      classes: class names, by label.
      kind: ``"all-wrong"`` (in every run of every variant), ``"mended"`` (in every run of the first variant, and
        correct in every run of another), ``"flips"`` (in about half of the first variant's runs) or ``"most"`` (most
        often).
      variant: as for `wellfit.report.subjects.mistakes.numbers.choose`.
      rows: these test rows instead, in their order.
      count: how many images at most.
      columns: images per row, at most.

    Returns:
      The figure: below each image its true class, after an arrow the class that most of the wrong runs predicted, its
      mean probability, how many runs predicted it, and the test row. It says so if there is no such image.

    Raises:
      UnknownNameError: there is no such kind or variant.
      DataError: the data are not images, or there is no such row.
    """
    if not mistakes.images.size:
        raise DataError("the test examples are not images, so there are none to show; see Results.mistakes()")
    asked = rows is not None
    choice = Choice("", np.asarray(rows), variant, "test examples") if asked else choose(mistakes, kind, variant)
    if is_narrow():
        columns, count = min(columns, 3), min(count, NARROW)
    width, height = image_size(mistakes.images)
    step_x, step_y = width + 2 * GAP, height + GAP + 4.6 * LINE
    if ax is not None:  # as many as its panel has room for
        across, down = (
            int(inches / CAPTIONED / step) for inches, step in zip(drawing.inches(ax), (step_x, step_y), strict=True)
        )
        columns, count = min(columns, max(1, across)), min(count, max(1, across) * max(1, down))
    pictures = gallery(mistakes, classes, choice.rows, choice.variant, count)
    shown = f", {len(pictures)} of {len(choice.rows):,}" if len(choice.rows) > len(pictures) else ""
    columns = min(columns, max(len(pictures), 3)) if ax is None else columns
    lines = max(-(-len(pictures) // columns), 0.3)
    wide = SHEET if is_narrow() else CAPTIONED * columns * step_x + 0.2
    title = textwrap.wrap(f"{choice.title}{shown}", int(wide / LETTER))
    axes = drawing.own_axes(ax, (wide, (wide - 0.2) / columns / step_x * lines * step_y + 0.5 + 0.2 * len(title)))
    for place, picture in enumerate(pictures):
        x, y = place % columns * step_x, place // columns * step_y
        if picture.image is not None:
            show_image(axes, picture.image, x, y, smooth=False)
        _caption(axes, picture, x, y + height + 0.05)
    drawing.picture_axes(axes, columns * step_x - 2 * GAP, lines * step_y - GAP)
    drawing.title(axes, "\n".join(title))
    if not pictures:
        axes.text(0, 0.15, "There is no such image.", va="center", fontsize=11, color=LIGHT["muted"])
    texts = "; ".join(map(_describe, pictures)) or "there is no such image"
    return drawing.done(axes, f"Gallery: {choice.words}{shown}. {texts}.")


def plot_predictions(
    predictions: FirstPredictions, classes: Sequence[str], *, columns: int = 5, ax: Axes | None = None
) -> Figure:
    """Test images with their true class (GT) and the class that one run predicts (P), whether right or wrong.

    Args:
      classes: class names, by label.
      columns: images per row, at most.

    Raises:
      DataError: there are no images.
    """
    images = predictions.images
    if not len(images):
        raise DataError("there are no rows to show; give one or more")
    columns = min(3 if is_narrow() else columns, len(images))
    width, height = image_size(images)
    step_x, step_y = width + 2 * GAP, height + GAP + 2.4 * LINE
    lines = -(-len(images) // columns)
    wide = SHEET if is_narrow() else max(2.8, CAPTIONED * columns * step_x + 0.2)
    tall = (wide - 0.2) / max(columns, 2 if is_narrow() else 1) / step_x * lines * step_y + 0.7
    axes = drawing.own_axes(ax, (wide, tall))
    right = predictions.predicted == predictions.labels  # (n,)
    said = []
    for place, (image, label, predicted) in enumerate(
        zip(images, predictions.labels, predictions.predicted, strict=True)
    ):
        x, y = place % columns * step_x, place // columns * step_y
        show_image(axes, image, x, y, smooth=False)
        true, taken = (shortened(classes[k], 13 if is_narrow() else 16) for k in (int(label), int(predicted)))
        for line, (text, role) in enumerate(
            ((f"GT: {true}", "ink"), (f"P: {taken}", "ink" if right[place] else "bad"))
        ):
            axes.text(x, y + height + 0.05 + line * LINE, drawing.plain(text), va="top", fontsize=8.5,
                      color=LIGHT[role])  # fmt: skip
        said.append(f"row {predictions.rows[place]} GT: {classes[label]}, P: {classes[predicted]}")
    drawing.picture_axes(axes, columns * step_x - 2 * GAP, lines * step_y - GAP)
    seeds = sorted({int(seed) for seed in predictions.seeds})
    who = f"{predictions.variant}, {'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"
    drawing.title(axes, f"{who}: {right.sum()} of {len(right)} correct")
    return drawing.done(axes, f"Test images with true class and prediction by {who}; {right.sum()} of {len(right)} are "
                              f"correct. {'; '.join(said)}.")  # fmt: skip


def _caption(axes: Axes, picture: Picture, x: float, y: float) -> None:
    """True class, predicted class, probability and runs, and test row, one below the other."""
    often = f"{picture.wrong if picture.agree is None else picture.agree} of {picture.runs} runs"
    often, most = (often.removesuffix(" runs"), 13) if is_narrow() else (often, 20)
    lines = (
        (shortened(picture.true, most), "ink", "bold"),
        (f"→ {shortened(picture.predicted, most) or wording.NOTHING}", "bad", "normal"),
        (f"{wording.whole_percent(picture.probability)} %, {often}" if picture.predicted else often, "muted", "normal"),
        (f"row {picture.row}", "muted", "normal"),
    )
    for line, (text, role, weight) in enumerate(lines):
        axes.text(x, y + line * LINE, drawing.plain(text), va="top", fontsize=8.5, color=LIGHT[role],
                  fontweight=weight)  # fmt: skip


def _describe(picture: Picture) -> str:
    if not picture.predicted:
        every = "both" if picture.runs == 2 else f"all {picture.runs}"
        return f"row {picture.row} {picture.true}, correct in {every} runs"
    probability = wording.whole_percent(picture.probability)
    predicted = f"classified as {picture.predicted} with {probability} percent probability"
    return f"row {picture.row} {picture.true} {predicted}, {picture.agreement}"
