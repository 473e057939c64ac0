"""Static figures of single examples: the mistakes that runs make, and the data at a glance.

As in `wellfit.report.marks.static`: on the axes that are given or on a figure of its own, with an alt text.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DataLook, IntArray, Mistakes
from wellfit.errors import DataError
from wellfit.report import wording
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT
from wellfit.report.subjects.data.static import GAP, INCHES, picture_size
from wellfit.report.subjects.mistakes.numbers import Choice, Picture, agreement, choose, gallery

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_data_look", "plot_gallery"]

CAPTIONED: Final = 1.35  # inches of a picture with a caption
LINE: Final = 0.155  # of a caption, in pictures
LETTER: Final = 0.118  # inches of one in a title
SPLITS: Final = {"train": ("training", "s1"), "validation": ("validation", "s2"), "test": ("test", "s0")}


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
    """Pictures that the runs got wrong: the true class, what they took it for, how sure they were, how many they were.

    Args:
      mistakes: of the study.
      classes: the name of every class, by label.
      kind: ``"all-wrong"`` (by every run of every variant), ``"mended"`` (by every run of the first variant and by none
        of this one), ``"flips"`` (by about half of the first variant's runs) or ``"most"`` (most often).
      variant: as for `wellfit.report.subjects.mistakes.numbers.choose`.
      rows: these test rows instead, in their order.
      count: how many pictures at most.
      columns: pictures in a row, at most.
      ax: where to draw; a new figure if None.

    Returns:
      The figure: below each picture its true class, after an arrow what most of the wrong runs took it for, the mean
      probability that they gave it, how many took it for that, and its test row. Where there is no such mistake, it
      says so.

    Raises:
      UnknownNameError: there is no such kind or variant.
      DataError: the data are no images, or there is no such row.
    """
    if not mistakes.images.size:
        raise DataError("the test examples are no images, so there are no pictures to show; see Results.mistakes()")
    choice = choose(mistakes, kind, variant) if rows is None else Choice(np.asarray(rows), variant, "Test examples")
    pictures = gallery(mistakes, classes, choice.rows, choice.told, count)
    words = choice.words[:1].upper() + choice.words[1:]
    columns = min(columns, max(len(pictures), 3))
    lines = -(-len(pictures) // columns)
    width, height = picture_size(mistakes.images)
    step_x, step_y = width + 2 * GAP, height + GAP + 4.6 * LINE
    shown = f", {len(pictures)} of {len(choice.rows):,}" if len(choice.rows) > len(pictures) else ""
    wide = CAPTIONED * columns * step_x + 0.2
    title = textwrap.wrap(f"{words}{shown}", int(wide / LETTER))
    axes = drawing.own_axes(ax, (wide, CAPTIONED * max(lines, 0.3) * step_y + 0.5 + 0.2 * len(title)))
    for place, picture in enumerate(pictures):
        x, y = place % columns * step_x, place // columns * step_y
        axes.imshow(_rgb(picture.image), extent=(x, x + width, y + height, y), interpolation="none")
        _caption(axes, picture, x, y + height + 0.05)
    drawing.picture_axes(axes, columns * step_x - 2 * GAP, max(lines, 0.3) * step_y - GAP)
    drawing.title(axes, "\n".join(title))
    if not pictures:
        axes.text(0, 0.15, "There is no such example.", va="center", fontsize=11, color=LIGHT["muted"])
    said = "; ".join(_say(picture) for picture in pictures) or "there is no such example"
    return drawing.done(axes, f"Gallery: {choice.words}{shown}. {said}.")


def plot_data_look(look: DataLook, classes: Sequence[str], ax: Axes | None = None) -> Figure:
    """The data at a glance: the first training examples of every class, and how many of it each split holds.

    Args:
      look: the data.
      classes: the name of every class, by label.
      ax: where to draw; a new figure if None.

    Returns:
      The figure, a row a class: pictures where the data are images, then a bar of its examples split by split.
    """
    size = len(classes)
    columns = 0 if look.examples is None else min(8, look.examples.shape[1])
    width, height = (1.0, 0.55) if look.examples is None else picture_size(look.examples[0])
    step, left = height + GAP, columns * (width + GAP)
    counts = {split: look.counts[split] for split in SPLITS if split in look.counts}
    totals = np.sum(list(counts.values()), axis=0)  # (K,)
    unit = 5.0 / max(int(totals.max(initial=0)), 1)  # the longest bar is five pictures long
    wide = INCHES * (left + 6.2) + 0.085 * max(map(len, classes)) + 0.5
    axes = drawing.own_axes(ax, (wide, INCHES * size * step + 0.9))
    for k in range(size):
        for place, image in enumerate(look.examples[k][:columns] if look.examples is not None else ()):
            x = place * (width + GAP)
            axes.imshow(_rgb(image), extent=(x, x + width, k * step + height, k * step),
                        interpolation="none")  # fmt: skip
        start = left + 2 * GAP
        for split, of_class in counts.items():
            long = unit * float(of_class[k])
            axes.barh(k * step + height / 2, long, 0.42 * height, start, color=LIGHT[SPLITS[split][1]], alpha=0.85)
            start += long
        axes.text(start + 0.1, k * step + height / 2, f"{totals[k]:,}", va="center", fontsize=10, color=LIGHT["ink"])
    drawing.picture_axes(axes, left + 6.2, size * step - GAP)
    centers = [k * step + height / 2 for k in range(size)]
    axes.set_yticks(centers, [drawing.plain(name) for name in classes], color=LIGHT["ink"])
    drawing.title(axes, look.title)
    marks = [{"marker": "s", "markersize": 8, "color": LIGHT[role], "label": name} for name, role in SPLITS.values()]
    drawing.legend(axes, marks)
    form = f"{look.shape[0]} features" if len(look.shape) == 1 else f"{' by '.join(map(str, look.shape))} pixels"
    head = f"{look.title}: examples of {form} in {size} classes. "
    return drawing.done(axes, head + "; ".join(_say_counts(name, k, look) for k, name in enumerate(classes)) + ".")


# --- Parts ------------------------------------------------------------------------------------------------------------


def _rgb(image: NDArray[Any] | None) -> NDArray[Any]:
    """A gray or colored picture as red, green and blue."""
    assert image is not None  # `gallery` leaves out what has no picture
    return np.repeat(image[..., None], 3, axis=-1) if image.ndim == 2 else image  # (H, W, 3)


def _caption(axes: Axes, picture: Picture, x: float, y: float) -> None:
    """The true class, an arrow to the predicted one, how sure and how often, and the row, below each other."""
    often = f"{picture.wrong if picture.agree is None else picture.agree} of {picture.runs} runs"
    lines = (
        (_short(picture.true), "ink", "bold"),
        (f"→ {_short(picture.predicted) or wording.NOTHING}", "bad", "normal"),
        (f"{wording.whole_percent(picture.probability)} %, {often}" if picture.predicted else often, "muted", "normal"),
        (f"row {picture.row}", "muted", "normal"),
    )
    for line, (text, role, weight) in enumerate(lines):
        axes.text(x, y + line * LINE, drawing.plain(text), va="top", fontsize=8.5, color=LIGHT[role],
                  fontweight=weight)  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:19].rstrip()}…"


def _say(picture: Picture) -> str:
    if not picture.predicted:
        return f"row {picture.row} {picture.true}, right in all {picture.runs} runs"
    sure = wording.whole_percent(picture.probability)
    agree = picture.wrong if picture.agree is None else picture.agree
    often = agreement(agree, picture.wrong, picture.runs)
    return f"row {picture.row} {picture.true} taken for {picture.predicted}, {sure} percent sure, {often}"


def _say_counts(name: str, k: int, look: DataLook) -> str:
    said = ", ".join(f"{int(of_class[k]):,} {SPLITS[split][0]}" for split, of_class in look.counts.items())
    return f"{name} {said}"
