"""What was taken for what: confusion matrices, and the pictures behind their cells.

The page's script is given the numbers of all variants, `mistakes_data`, and redraws matrix and gallery from them; what
stands here as text and pictures is their form without a script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from wellfit.base import IntArray, Mistakes
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.subjects.mistakes.numbers import agreement, kept_votes, tally

if TYPE_CHECKING:
    pass

__all__ = ["Group", "MatrixPanel", "Tile", "by_use", "gallery_groups", "matrix_data", "matrix_panels", "mistakes_data"]

LARGEST_TABLE: Final = 20
"""Classes up to which a confusion matrix is a table; larger ones are a picture."""

MOST_MATRICES: Final = 6
"""Matrices that stand on paper and where no script runs; of more variants, the first ones."""

MOST_TILES: Final = 12
"""Pictures of a kind that stand on paper."""

MOST_BOUNDS: Final = 40_000
"""Cells of all variants up to which the page has the intervals of their differences, half a million letters."""


@dataclass(frozen=True)
class Tile:
    """A picture of the gallery: its place on the sheet, and what stands below it."""

    place: str
    true: str
    predicted: str
    percent: str
    runs: str


@dataclass(frozen=True)
class Group:
    """Pictures that have something in common, and how many there are in all."""

    title: str
    total: int
    tiles: tuple[Tile, ...]


# --- Matrices ---------------------------------------------------------------------------------------------------------


# --- Pictures ---------------------------------------------------------------------------------------------------------


def by_use(mistakes: Mistakes) -> Mistakes:
    """The kept pictures in the order of their use, so that a sheet too small for all loses those that tell least.

    Args:
      mistakes: of a study of images.

    Returns:
      The same, with ``image_rows``, ``images`` and ``votes`` in this order: the first of every kind of the gallery,
      then the first picture of every cell of every variant's confusion matrix, then the second ones, and so on; of a
      cell's pictures those first that most runs agree on.
    """
    position = {int(row): place for place, row in enumerate(mistakes.image_rows)}
    kinds = [mistakes.all_wrong[:48], mistakes.flips[:24], *(rows[:12] for rows in mistakes.mended.values())]
    first = [position[int(row)] for rows in kinds for row in rows if int(row) in position]
    votes = kept_votes(mistakes)  # (V, I, K)
    labels = mistakes.labels[mistakes.image_rows]
    found = _of_others(votes, labels)  # (n, 3)
    seen: dict[tuple[int, int, int], int] = {}
    turns = np.full(len(labels), len(labels))  # (I,), in the cell where it stands foremost
    for v, place, predicted in found[np.argsort(-votes[tuple(found.T)], kind="stable")].tolist():
        cell = (v, int(labels[place]), predicted)
        seen[cell] = seen.get(cell, 0) + 1
        turns[place] = min(turns[place], seen[cell])
    often = mistakes.wrong[:, mistakes.image_rows].sum(axis=0)  # (I,)
    order = np.array(list(dict.fromkeys([*first, *np.lexsort((-often, turns)).tolist()])), np.int64)  # (I,)
    return replace(
        mistakes, image_rows=mistakes.image_rows[order], images=mistakes.images[order], votes=votes[:, order]
    )


def mistakes_data(mistakes: Mistakes, sheet: Sheet) -> dict[str, Any]:
    """What the page's script draws the gallery from: plain data.

    Args:
      mistakes: of the study.
      sheet: the pictures of its first ``image_rows``.

    Returns:
      ``variants`` and ``runs``, with a last entry for all variants together; ``labels`` and, for every variant,
      ``wrong`` (runs), ``predicted`` (-1 for none), ``agree`` (runs that took it for that) and ``percent`` of every
      picture; ``further`` (variant, picture, class, runs) where runs took it for yet another class; the pictures of
      every kind by their position on the sheet; in ``totals`` how many test images each kind has of every class, with
      a picture or without; in ``cells`` those of every variant's confusions, by the class that most of an image's
      wrong runs took it for; all of it in a sentence, ``said``; the sheet's form.
    """
    rows = mistakes.image_rows[: sheet.count]
    told = [*(tally(mistakes, variant) for variant in mistakes.variants), tally(mistakes)]
    predicted = np.stack([one.predicted[rows] for one in told])  # (V + 1, I)
    percent = np.stack([np.nan_to_num(one.probability[rows]) for one in told])  # (V + 1, I)
    votes = kept_votes(mistakes)[:, : len(rows)]  # (V, I, K)
    both = np.concatenate([votes, votes.sum(axis=0, keepdims=True)])  # (V + 1, I, K)
    agree = np.take_along_axis(both, np.maximum(predicted, 0)[..., None], axis=2)[..., 0]  # (V + 1, I)
    position = {int(row): place for place, row in enumerate(rows)}

    def kept(chosen: IntArray) -> list[int]:
        return [position[int(row)] for row in chosen if int(row) in position]

    def by_class(chosen: IntArray) -> list[int]:
        return [int(n) for n in np.bincount(mistakes.labels[chosen], minlength=votes.shape[2])]

    return {
        "variants": [*mistakes.variants, "all variants"],
        "runs": [one.runs for one in told],
        "labels": mistakes.labels[rows].tolist(),
        "wrong": [one.wrong[rows].tolist() for one in told],
        "predicted": predicted.tolist(),
        "agree": np.where(predicted >= 0, agree, 0).tolist(),
        "percent": np.rint(100 * percent).astype(np.int64).tolist(),
        "further": _further(votes, mistakes.labels[rows], predicted[:-1]),
        "kinds": {
            "every": kept(mistakes.all_wrong),
            "flips": kept(mistakes.flips),
            "mended": {name: kept(chosen) for name, chosen in mistakes.mended.items()},
        },
        "totals": {
            "often": [by_class(np.flatnonzero(one.wrong)) for one in told],
            "every": by_class(mistakes.all_wrong),
            "flips": by_class(mistakes.flips),
            "mended": {name: by_class(chosen) for name, chosen in mistakes.mended.items()},
        },
        "cells": [_cells(mistakes.labels, of_variant) for of_variant in mistakes.predicted],
        "said": _said(int((mistakes.wrong.sum(axis=0) > 0).sum()), len(mistakes.image_rows), sheet.count),
        "sheet": [sheet.columns, sheet.rows],
    }


def gallery_groups(data: Mapping[str, Any], classes: tuple[str, ...], sheet: Sheet) -> list[Group]:
    """The gallery without a script: a few pictures of every kind.

    Args:
      data: what `mistakes_data` returned.
      classes: the class names.
      sheet: the pictures.

    Returns:
      One group a kind that has pictures; where no image is wrong in every run, those that are most often.
    """
    first, every = data["variants"][0], len(data["variants"]) - 1
    totals, kinds = data["totals"], data["kinds"]
    often = sorted(range(len(data["labels"])), key=lambda place: -data["wrong"][every][place])
    groups = [
        ("Every run of every variant is wrong", totals["every"], kinds["every"], every),
        ("Most often wrong", totals["often"][every], [] if kinds["every"] else often, every),
        (f"Chance decides in {first}", totals["flips"], kinds["flips"], 0),
        *(
            (f"{name} mends what every run of {first} got wrong", totals["mended"][name], chosen, 0)
            for name, chosen in list(kinds["mended"].items())[:MOST_MATRICES]
        ),
    ]
    return [
        Group(title, sum(of_class), tuple(_tiles(data, chosen[:MOST_TILES], variant, classes, sheet)))
        for title, of_class, chosen, variant in groups
        if chosen
    ]


def _tiles(
    data: Mapping[str, Any], chosen: Iterable[int], variant: int, classes: tuple[str, ...], sheet: Sheet
) -> Iterable[Tile]:
    agree, wrong, runs = data["agree"][variant], data["wrong"][variant], data["runs"][variant]
    for place in chosen:
        predicted = data["predicted"][variant][place]
        yield Tile(
            place=sheet.place(place),
            true=classes[data["labels"][place]],
            predicted=classes[predicted] if predicted >= 0 else wording.NOTHING,
            percent=f"{data['percent'][variant][place]}\u00a0%" if predicted >= 0 else "",
            runs=agreement(agree[place], wrong[place], runs),
        )


def _of_others(votes: IntArray, labels: IntArray) -> IntArray:
    """Where runs voted for another class than the true one.

    Returns:
      Variant, picture and class of every such cell.  # (n, 3)
    """
    wrong = votes > 0  # (V, I, K)
    wrong[:, np.arange(len(labels)), labels] = False
    return np.argwhere(wrong)


def _further(votes: IntArray, labels: IntArray, predicted: IntArray) -> list[list[int]]:
    """The votes for classes that are neither the true one nor the most frequent wrong one."""
    found = _of_others(votes, labels)  # (n, 3)
    found = found[found[:, 2] != predicted[found[:, 0], found[:, 1]]]
    return [[*map(int, at), int(votes[tuple(at)])] for at in found]


def _cells(labels: IntArray, predicted: IntArray) -> dict[str, int]:
    """How many test images stand in each cell off the diagonal: ``"true,predicted"`` -> images."""
    wrong = predicted >= 0  # (M,)
    cells, images = np.unique(np.stack([labels[wrong], predicted[wrong]]), axis=1, return_counts=True)
    return {f"{true},{other}": int(n) for (true, other), n in zip(cells.T, images, strict=True)}


def _said(wrong: int, kept: int, shown: int) -> str:
    """How many images were wrong, how many of their pictures the study kept, and how many the page has."""
    found = f"{wording.count(wrong, 'test image')} {'was' if wrong == 1 else 'were'} wrong in some run"
    if shown < kept:
        return f"{found}; the study kept the pictures of {kept:,} of them, and this page has {shown:,}."
    return f"{found}; this page has the pictures of {'all' if kept == wrong else f'{kept:,}'} of them."
