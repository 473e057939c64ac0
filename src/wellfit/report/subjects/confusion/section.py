"""Confusion matrices in the report."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.marks.svg import inline_svg
from wellfit.report.numbers import highlighted
from wellfit.report.parts import Drawing, Part, file_name
from wellfit.report.subjects.confusion.numbers import DENSE, confusion_data, confusion_sentences, matrix_data
from wellfit.report.subjects.confusion.static import plot_confusion, plot_confusion_difference

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["fragment", "parts"]

LARGEST: Final = 30
"""Classes up to which the cells of a difference can be read on paper."""

NARROW: Final = 12
"""Classes up to which a matrix can be read at half the width of a page."""

MOST: Final = 6
"""Matrices of the page without JavaScript, and of its printout: those of the first variants; of many classes, two."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The first variant's matrix, then how those of a few others differ from it."""
    width: Literal["full", "half"] = "half" if len(summary.classes) <= NARROW else "full"
    drawings: list[Part] = [
        Drawing(
            f"confusion-{file_name(summary, variant.name)}",
            f"{variant.name}: percent of every true class, over all its runs.",
            partial(plot_confusion, summary, variant.name),
            width,
        )
        for variant in summary.variants[:1]
        if variant.name in summary.confusion
    ]
    for name in highlighted(summary) if len(summary.classes) <= LARGEST else ():
        if (difference := details.differences.get(name)) is None:
            continue
        caption = f"{name} minus {difference.against}, in percentage points of the true class."
        draw = partial(plot_confusion_difference, difference, summary.classes)
        drawings.append(Drawing(f"confusion-difference-{file_name(summary, name)}", caption, draw, width))
    return drawings


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of all matrices for the page's script, and the first ones as figures for readers without it."""
    data, most = matrix_data(summary, details), MOST if len(summary.classes) <= DENSE else 2
    tested = [(v.name, matrix) for v in summary.variants if (matrix := confusion_data(summary, v.name)) is not None]
    matrices = [(matrix, _untitled(summary, name), confusion_sentences(matrix)) for name, matrix in tested[:most]]
    return {"data": data, "matrices": matrices} if matrices else {}


def _untitled(summary: StudySummary, variant: str) -> Markup:
    """The matrix without its title, which the page prints itself."""
    figure = plot_confusion(summary, variant)
    figure.axes[0].set_title("", loc="left")
    return inline_svg(figure)
