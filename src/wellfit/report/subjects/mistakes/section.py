"""Misclassified images in the report."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from wellfit.base import FirstPredictions, Mistakes, StudyDetails, StudySummary
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.parts import Drawing, Part
from wellfit.report.subjects.mistakes.gallery_data import gallery_data
from wellfit.report.subjects.mistakes.numbers import Picture, gallery, report_choices
from wellfit.report.subjects.mistakes.static import plot_gallery, plot_predictions

__all__ = ["fragment", "parts"]

SHOWN: Final = 12
"""Images of a kind: two rows of a written form."""

CORRECTED: Final = 6
"""Variants whose corrections the page shows without JavaScript."""


class Tile(NamedTuple):
    """An image of the page: its place on the sheet, and its caption."""

    place: str
    true: str
    predicted: str
    probability: str
    runs: str


class Group(NamedTuple):
    """Images that have something in common, out of so many."""

    title: str
    total: int
    tiles: tuple[Tile, ...]


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """A gallery of each kind, then the first test images, right or wrong; nothing if no images were kept."""
    mistakes = details.mistakes
    if mistakes is None or not mistakes.images.size:
        return _first(summary, details)
    galleries: list[Part] = [
        Drawing(
            f"mistakes-{choice.kind}",
            f"{choice.title}. Below each image: true class, → predicted class, its probability and runs, test row.",
            partial(plot_gallery, mistakes, summary.classes, choice.kind, count=SHOWN, columns=6),
            detail=choice.kind == "mended",
        )
        for choice in report_choices(mistakes, 1)
        if gallery(mistakes, summary.classes, choice.rows, choice.variant, 1)
    ]
    return [*galleries, *_first(summary, details)]


def _first(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """The first test images with what one run predicts, right or wrong."""
    if details.first is None or not len(details.first.images):
        return []
    caption = f"The first {len(details.first.images)} test images, right or wrong. GT: true class; P: predicted class."
    return [Drawing("predictions", caption, partial(plot_predictions, details.first, summary.classes))]


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The numbers of all images for the page's script, a few of each kind for readers without it, and the first ones.

    Without misclassified images, only the first test images are shown; without those, nothing is.
    """
    mistakes, sheet = details.mistakes, sheets.get("mistakes")
    groups = () if mistakes is None or sheet is None else _groups(mistakes, summary.classes, sheet)
    first = _first_tiles(details.first, summary.classes, sheets.get("first"))
    if mistakes is None or sheet is None or not groups:
        return {"data": None, "groups": (), "first": first} if first else {}
    return {"data": gallery_data(mistakes, sheet), "groups": groups, "first": first}


def _groups(mistakes: Mistakes, classes: tuple[str, ...], sheet: Sheet) -> tuple[Group, ...]:
    """The images of every kind that are on the sheet."""
    position = {int(row): place for place, row in enumerate(mistakes.image_rows[: sheet.count])}
    groups = []
    for choice in report_choices(mistakes, CORRECTED):
        rows = [int(row) for row in choice.rows if int(row) in position]
        pictures = gallery(mistakes, classes, rows, choice.variant, SHOWN)
        tiles = tuple(_tile(picture, sheet.place(position[picture.row])) for picture in pictures)
        if tiles:
            groups.append(Group(choice.title, len(choice.rows), tiles))
    return tuple(groups)


def _first_tiles(first: FirstPredictions | None, classes: tuple[str, ...], sheet: Sheet | None) -> tuple[Tile, ...]:
    """The first test images with what one run predicts, right or wrong."""
    if first is None or sheet is None:
        return ()
    shown = zip(range(sheet.count), first.labels, first.predicted, first.probability, first.seeds, strict=False)
    return tuple(
        Tile(sheet.place(at), classes[true], classes[predicted], f"{wording.whole_percent(float(sure))}\u00a0%",
             f"{first.variant}, seed {seed}")
        for at, true, predicted, sure, seed in shown
    )  # fmt: skip


def _tile(picture: Picture, place: str) -> Tile:
    probability = f"{wording.whole_percent(picture.probability)}\u00a0%" if picture.predicted else ""
    return Tile(place, picture.true, picture.predicted or wording.NOTHING, probability, picture.agreement)
