"""Which figures a written report shows, of which variants, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from wellfit.base import DataLook, StudyDetails, StudySummary
from wellfit.report.marks import static as drawing
from wellfit.report.marks.colors import LIGHT
from wellfit.report.marks.fonts import fit_letters
from wellfit.report.subjects.mistakes import static as gallery_figures
from wellfit.report.subjects.mistakes.numbers import choose, gallery

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "Named",
    "data",
    "galleries",
]

Named = tuple[str, str, Callable[[], "Figure"]]
"""The name of a figure's file, what it shows, what draws it."""

SEVERAL: Final = 4
"""Variants up to which each has figures of its own; of more, the first and the best on validation."""

LARGEST: Final = 30
"""Classes up to which a row or a cell for each can be read on paper."""

OVERLAY: Final = (8.6, 3.25)
"""Inches of curves over each other: loss, accuracy and gap fill a page."""

HALF: Final = (5.3, 5.5)
NEAR: Final = (5.3, 4.7)
FLAT: Final = (5.3, 3.9)
"""Inches of figures that stand beside another of their size on paper: a matrix, regions, weights."""

LAYERS: Final = 4
"""Layers up to which a legend of theirs stands above half a page's width."""

BESIDE: Final = 12
"""Classes up to which a matrix can be read at half the width of a page."""

SHOWN: Final = 12
"""Pictures of a gallery: two rows, so that two galleries fill a page."""


def galleries(summary: StudySummary, details: StudyDetails) -> list[Named]:
    """Test images that all runs get wrong, that one variant mends, that chance decides; nothing where none was kept."""
    found: list[Named] = []
    mistakes = details.mistakes
    told = {
        "all-wrong": "Wrong in every run of every variant: hard, or wrongly labeled.",
        "mended": "Wrong in every run of the first variant, right in every run of another.",
        "flips": "Decided by chance: right in about half of the runs of the first variant.",
    }
    for kind, caption in told.items():
        if mistakes is None or not mistakes.images.size:
            continue
        choice = choose(mistakes, kind)
        if gallery(mistakes, summary.classes, choice.rows, choice.told, 1):
            draw = partial(gallery_figures.plot_gallery, mistakes, summary.classes, kind, count=SHOWN, columns=6)
            found.append((f"mistakes-{kind}", caption, draw))
    return found


def data(summary: StudySummary, look: DataLook) -> list[Named]:
    """The first examples of every class, and how many there are."""
    if len(summary.classes) > LARGEST:
        return []
    caption = "The first training examples of every class, and how many of it each split holds."
    return [("data", caption, partial(gallery_figures.plot_data_look, look, summary.classes))]


# --- Parts ------------------------------------------------------------------------------------------------------------


def _file(summary: StudySummary, variant: str) -> str:
    """A variant as part of a file's name: its position, which no other has, and its name."""
    at = [v.name for v in summary.variants].index(variant) + 1
    return f"{at}-{_safe(variant)}".rstrip("-")


def _safe(name: str) -> str:
    """A name with nothing that a file system, a link or a shell takes for more than a letter.

    Example:
      >>> _safe("l2=0.001"), _safe("a/b <c>")
      ('l2=0.001', 'a-b-c')
    """
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "=.+_") else "-" for c in name)
    return "-".join(part for part in kept.split("-") if part)[:60].strip(".")


def _half(draw: Callable[..., Figure], size: tuple[float, float] = HALF, columns: int = 3, least: int = 1) -> Figure:
    """A figure of half the width of a page; between title and panel, on at least so many lines, what the marks are."""
    figure = draw(ax=drawing.own_axes(None, size))
    for axes in figure.axes:
        legend = axes.get_legend()
        lines = least if legend is None else -(-len(legend.get_texts()) // columns)
        axes.set_title(axes.get_title(loc="left"), loc="left", fontsize=12, fontweight="bold", pad=11 + 15 * lines)
        if legend is not None:
            handles = [handle for handle in legend.legend_handles if handle is not None]
            labels = [text.get_text() for text in legend.get_texts()]
            made = axes.legend(handles, labels, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns,
                               frameon=False, fontsize=9.5, labelcolor=LIGHT["muted"], handletextpad=0.4,
                               columnspacing=1.2)  # fmt: skip
            made.set_in_layout(False)  # a long one may reach beyond the panel, but never shrink it
        fit_letters(axes)
    return figure
