"""The parts of static figures: plain axes, curves with bands, labels at their ends, legends, alt texts."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, StudySummary
from wellfit.report.marks.colors import LIGHT, series_color, series_form, slots_of
from wellfit.report.marks.column import SHEET, is_narrow, wrapped
from wellfit.report.marks.fonts import fit_letters
from wellfit.report.numbers import Curve, interesting, last_epoch, shown_first

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import LayoutEngine

TRAINING: Final = (0, (3.5, 1.8))
"""The dashes of a training curve."""

DASHES: Final = ("solid", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)))
"""Dashes of the layers of one network: the next one each time the colors repeat."""

MARKS: Final = (("", 0.0, True), ("o", 4.6, False), ("D", 4.4, True), ("s", 4.4, False))
"""Marker, size in points and whether it is filled, for every form of `series_form`."""

BANDS: Final = 3
"""How many bands one panel has at most; more would hide each other."""

GAP: Final = 0.07
"""Between two images; an image's longer side is 1."""

INCHES: Final = 0.72
"""Size of an image in a row of images."""

LINE: Final = 0.17
"""Inches from one label to the next."""


def own_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """These axes, or those of a new figure of this size in inches; for one column, as wide as its sheet.

    A figure of the reader's own gets a layout if it has none, so that labels and legends never reach into a neighbor.
    """
    if ax is not None:
        figure = cast("Figure", ax.get_figure(root=True))
        if figure.get_layout_engine() is None and ax.get_subplotspec() is not None:
            figure.set_layout_engine(layout())
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=(SHEET, size[1]) if is_narrow() else size, layout=layout()).add_subplot()


def panel(ax: Axes | None, size: tuple[float, float], place: tuple[float, float, float, float]) -> Axes:
    """These axes, or those of a new small figure with fixed margins.

    Laying a panel out takes as long as drawing it, and a page has dozens of them.

    Args:
      size: width and height in inches.
      place: left, bottom, width and height of the axes, as shares of the figure.
    """
    from matplotlib.figure import Figure

    return Figure(figsize=size).add_axes(place) if ax is None else ax


def inches(axes: Axes) -> tuple[float, float]:
    """About the width and the height of a panel, before it is laid out."""
    figure, box = cast("Figure", axes.get_figure(root=True)), axes.get_position()
    return figure.get_figwidth() * box.width, figure.get_figheight() * box.height


def filled(axes: Axes, text: str, letters: float) -> str:
    """A text in lines that fit the width of a panel.

    Args:
      letters: their size in points.
    """
    most = _most(inches(axes)[0], letters)
    return "\n".join("\n".join(textwrap.wrap(line, most)) for line in text.split("\n"))


def further_lines(text: str, width: float) -> float:
    """The height in inches of a title's lines after the first one, in a new figure of one panel.

    Args:
      width: of the figure, in inches.

    Example:
      >>> further_lines("l2", 3.0), further_lines("l2 with a strength of 0.001", 3.0)
      (0.0, 0.2)
    """
    return 0.2 * (len(textwrap.wrap(text, _most(0.775 * width, 12))) - 1)


def _most(width: float, letters: float) -> int:
    """The letters of a line of so many inches."""
    return max(12, int(width * 72 / (0.6 * letters)))


def layout() -> LayoutEngine:
    """A layout with room for every label and a small margin."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return ConstrainedLayoutEngine(w_pad=0.09, h_pad=0.09)


def done(axes: Axes, alt: str) -> Figure:
    """Store the alt text on the axes, choose fonts for letters that DejaVu Sans lacks, and return the figure."""
    fit_letters(axes)
    axes.set_label(alt)
    return cast("Figure", axes.get_figure(root=True))


def alt_text(figure: Figure) -> str:
    """What a figure shows, in sentences with its numbers, for those who cannot see it.

    Args:
      figure: from a ``plot_`` function.

    Returns:
      One text for all of its panels; empty for any other figure.
    """
    labels = (str(axes.get_label()) for axes in figure.axes)
    return " ".join(label for label in labels if label and not label.startswith("<"))


def plain(text: str) -> str:
    """A name as plain text: matplotlib would read text between two dollar signs as a formula."""
    return text.replace("$", r"\$")


def shortened(name: str, most: int) -> str:
    """A name of at most so many characters.

    Example:
      >>> shortened("Ankle boot", 20), shortened("Ankle boot", 7)
      ('Ankle boot', 'Ankle…')
    """
    return name if len(name) <= most else f"{name[: most - 1].rstrip()}…"


def style(axes: Axes, xlabel: str, ylabel: str, grid: Literal["x", "y"] | None = "y") -> None:
    """Remove frame and ticks, mute the labels, and draw a grid along the values only."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(LIGHT["rule"])
    axes.set_facecolor("none")
    axes.tick_params(length=0, labelcolor=LIGHT["muted"], labelsize=10, pad=5)
    axes.set_xlabel(wrapped(xlabel, 38), color=LIGHT["muted"], fontsize=10.5)
    axes.set_ylabel(wrapped(ylabel, 32), color=LIGHT["muted"], fontsize=10.5)
    axes.set_axisbelow(True)
    if grid is not None:
        axes.grid(axis=grid, color=LIGHT["rule"], linewidth=0.8)


def epoch_axis(axes: Axes, epochs: int) -> None:
    """Set an epoch axis from 1 to the last epoch of the study, so that panels can be compared."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlim(1, max(2, epochs))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))


def curve(
    axes: Axes,
    data: Curve,
    scale: float,
    color: str,
    dash: Any = "solid",
    *,
    width: float = 1.8,
    form: int = 0,
    band: bool = True,
) -> None:
    """Draw the mean as a line and the range over the seeds, where there is one, as a band.

    Args:
      form: of the marks on the line, from `series_form`; 0 for none.
      band: whether to draw the range.
    """
    if not len(data.epochs):
        return
    marker, size, filled = MARKS[form]
    if len(data.epochs) == 1:  # a line through one point is invisible
        marker, size = marker or "o", size or 4.0
    axes.plot(data.epochs, scale * data.mean, color=color, linewidth=width, linestyle=dash, solid_capstyle="round",
              marker=marker, markersize=size, markerfacecolor=color if filled else LIGHT["paper"],
              markevery=max(1, len(data.epochs) // 6))  # fmt: skip
    if not band:
        return
    axes.fill_between(data.epochs, scale * data.low, scale * data.high, where=np.isfinite(data.low).tolist(),
                      color=color, alpha=0.16, linewidth=0)  # fmt: skip


def split_legend(place: Axes | Figure, color: str) -> None:
    """Label the lines of training and validation above one panel, or above all panels of a figure."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    line: dict[str, Any] = {"color": color, "linewidth": 1.8}
    handles = [Line2D([], [], label="training", linestyle=TRAINING, **line), Line2D([], [], label="validation", **line)]
    style: dict[str, Any] = {"ncols": 2, "frameon": False, "fontsize": 10, "labelcolor": LIGHT["muted"],
                             "handlelength": 1.8, "columnspacing": 1.2, "borderaxespad": 0.2}  # fmt: skip
    if isinstance(place, Figure):
        place.legend(handles=handles, loc="outside upper right", **style)
    else:
        place.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), **style)


def overlay(axes: Axes, summary: StudySummary, curves: Sequence[Curve], scale: float, label: str) -> None:
    """Draw a curve per variant, labeled at the right edge; of many variants, most are gray and have no label.

    Args:
      curves: in the study's order.
      scale: factor for the values.
      label: of the value axis.
    """
    last, slots, named = max(2, last_epoch(summary)), list(slots_of(summary).values()), shown_first(summary)
    for index, data in enumerate(curves):
        if index not in named:
            axes.plot(data.epochs, scale * data.mean, color=LIGHT["crowd"], linewidth=0.8, alpha=0.6, zorder=1)
    for index in sorted(named, reverse=True):  # the first variant above all others
        color, form = series_color(slots[index]), series_form(slots[index])
        curve(axes, curves[index], scale, color, form=form, band=len(named) <= BANDS)
    style(axes, "epoch", label)
    epoch_axis(axes, last)
    ends = [(i, float(scale * curves[i].mean[-1])) for i in sorted(named) if len(curves[i].mean)]
    for index, value in ends:  # a dotted line leads from a curve that ends early to its label
        axes.plot([curves[index].epochs[-1], last], [value, value], color=series_color(slots[index]), linewidth=0.9,
                  linestyle=(0, (1, 3)), zorder=0)  # fmt: skip
    end_labels(axes, [(summary.variants[index].name, value, series_color(slots[index])) for index, value in ends])


def cut(axes: Axes, curves: Iterable[Curve], scale: float) -> None:
    """Let the value axis span what is `interesting` of some curves."""
    low, high = (scale * bound for bound in interesting(curves))
    axes.set_ylim(max(low, high / 1000) if axes.get_yscale() == "log" else low, high)


def end_labels(axes: Axes, ends: Sequence[tuple[str, float, str]]) -> None:
    """Label lines at the right edge; labels that would overlap move apart, and an arrow points to a line outside.

    Args:
      ends: text, value and color of every line.
    """
    axes.set_ylim(axes.get_ylim())  # later artists do not move the labels
    to_axes = axes.transScale + axes.transLimits  # from values to shares of the axis, logarithmic or not
    ends = sorted(ends, key=lambda end: end[1])
    actual = [float(to_axes.transform((1, value))[1]) for _, value, _ in ends]
    places = [min(max(place, 0.0), 1.0) for place in actual]
    line = LINE / inches(axes)[1]  # as a share of the panel's height
    for i in range(1, len(places)):  # up, then down again from the top of the panel
        places[i] = max(places[i], places[i - 1] + line)
    above = max(1.0, len(places) * line) + line
    for i in reversed(range(len(places))):
        places[i] = above = min(places[i], above - line)
    most = 18 if is_narrow() else 26
    for (name, _, color), place, at in zip(ends, places, actual, strict=True):
        arrow = "" if -0.01 <= at <= 1.01 else "\N{UPWARDS ARROW} " if at > 1 else "\N{DOWNWARDS ARROW} "
        axes.annotate(arrow + plain(shortened(name, most)), (1.0, place), xycoords="axes fraction", xytext=(8, 0),
                      textcoords="offset points", va="center", fontsize=10.5, color=color)  # fmt: skip


def tinted(blue: NDArray[np.bool_], alpha: FloatArray) -> FloatArray:
    """Pixels in blue where the mask is true and in orange elsewhere, with the strength as alpha, for any background.

    Args:
      blue: the mask.  # (..., H, W)
      alpha: from 0 to 1.  # (..., H, W)

    Returns:
      Red, green, blue and alpha from 0 to 1.  # (..., H, W, 4)
    """
    from matplotlib.colors import to_rgb

    color = np.where(blue[..., None], to_rgb(LIGHT["s1"]), to_rgb(LIGHT["s2"]))  # (..., H, W, 3)
    return np.concatenate([color, alpha[..., None]], axis=-1)


def class_labels(classes: Sequence[str]) -> list[str]:
    r"""Names of classes in up to three short lines where there is room for them, in one line where there are many.

    Example:
      >>> class_labels(["cat", "a very long name of a class"])
      ['cat', 'a very long name\nof a class']
    """
    most, lines = (16, 3) if len(classes) <= 12 else (20, 1)
    wrapped_names = (textwrap.wrap(shortened(name, most * lines), most) for name in classes)
    return [plain("\n".join([*lined[: lines - 1], shortened(" ".join(lined[lines - 1 :]), most)]).strip())
            for lined in wrapped_names]  # fmt: skip


def class_axes(axes: Axes, classes: Sequence[str]) -> None:
    """Label the axes of a matrix of classes: true classes down, predicted classes across."""
    style(axes, "predicted class", "true class", grid=None)
    if len(classes) <= 60:
        names, places = class_labels(classes), range(len(classes))
        slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks(places, names, color=LIGHT["ink"], **(slant if max(map(len, classes)) > 3 else {}))
        axes.set_yticks(places, names, color=LIGHT["ink"])
    axes.spines[:].set_visible(False)


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


def picture_axes(axes: Axes, width: float, height: float) -> None:
    """Set up axes for pictures, from (0, 0) at the upper left, without ticks, frame and distortion."""
    style(axes, "", "", grid=None)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlim(-0.01, width + 0.01)
    axes.set_ylim(height + 0.01, -0.01)
    axes.set_aspect("equal", anchor="NW")


def title(axes: Axes, text: str, lines: float = 0) -> None:
    """Set a title at the left, with room for so many lines of text below it."""
    shown = plain(wrapped(text, 36) if is_narrow() else filled(axes, text, 12))
    axes.set_title(shown, loc="left", fontsize=12, color=LIGHT["ink"], fontweight="bold", pad=10 + 15 * lines)


def titled_key(axes: Axes, text: str, columns: int = 3) -> None:
    """Set a title at the left and, below it, a legend of everything that was drawn with a label."""
    count, columns = len(axes.get_legend_handles_labels()[1]), 1 if is_narrow() else columns
    title(axes, text, -(-count // columns))
    if count:
        key = axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns, frameon=False, fontsize=9.5,
                          labelcolor=LIGHT["muted"], handletextpad=0.4, columnspacing=1.2)  # fmt: skip
        alone = len(cast("Figure", axes.get_figure(root=True)).axes) == 1
        key.set_in_layout(not alone)  # a long one may extend beyond the only panel, but never shrinks it


def legend(axes: Axes, marks: Sequence[Mapping[str, Any]], columns: int = 4) -> None:
    """Explain marks above the panel at the right.

    Args:
      marks: keyword arguments of `matplotlib.lines.Line2D` for each.
    """
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **{"linestyle": "none", **mark}) for mark in marks]
    style: dict[str, Any] = {"frameon": False, "fontsize": 10, "labelcolor": LIGHT["muted"], "handletextpad": 0.6,
                             "columnspacing": 1.4, "borderaxespad": 0.2}  # fmt: skip
    if is_narrow():
        cast("Figure", axes.get_figure(root=True)).legend(handles=handles, loc="outside upper left", ncols=2, **style)
    else:
        columns = max(1, min(columns, int(inches(axes)[0] / 1.4)))
        axes.legend(handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=columns, **style)


def log_axis(axes: Axes, ticks: tuple[float, ...] = (1.0, 2.0, 5.0)) -> None:
    """Set a logarithmic axis of values, labeled with plain numbers.

    Args:
      ticks: their places in a decade.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=ticks))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="y", which="minor", length=0)


def stop_mark(axes: Axes, epoch: float, text: str, *, above: bool = False) -> None:
    """Draw a thin vertical line at an epoch, labeled inside the panel at the top, or above the panel."""
    axes.axvline(epoch, color=LIGHT["muted"], linewidth=0.9, linestyle=(0, (1, 2)), zorder=0)
    late = epoch > sum(axes.get_xlim()) / 2  # then the label is to the left of the line, within the panel's width
    sideways, upward = -4 if late else 4, 2 if above else -3
    axes.annotate(text, (epoch, 1.0), xycoords=("data", "axes fraction"), xytext=(sideways, upward),
                  textcoords="offset points", ha="right" if late else "left", va="bottom" if above else "top",
                  fontsize=9, color=LIGHT["muted"])  # fmt: skip
