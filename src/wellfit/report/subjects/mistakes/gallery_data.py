"""What the page's script draws the gallery from: plain data on all variants, and the images in order of use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from wellfit.base import IntArray, Mistakes
from wellfit.report import wording
from wellfit.report.marks.pictures import Sheet
from wellfit.report.subjects.mistakes.numbers import kept_votes, tally

__all__ = ["by_use", "gallery_data"]


def by_use(mistakes: Mistakes) -> Mistakes:
    """Sort the kept images so that a sheet too small for all of them loses the least useful ones.

    Returns:
      The same with another order of ``image_rows``, ``images`` and ``votes``: the first images of every kind of the
      gallery, then the first image of every confusion of every variant, then the second ones, and so on; within a
      confusion, images on which most runs agree come first.
    """
    position = {int(row): place for place, row in enumerate(mistakes.image_rows)}
    kinds = [mistakes.all_wrong[:48], mistakes.flips[:24], *(rows[:12] for rows in mistakes.mended.values())]
    first = [position[int(row)] for rows in kinds for row in rows if int(row) in position]
    votes = kept_votes(mistakes)  # (V, I, K)
    labels = mistakes.labels[mistakes.image_rows]
    confusions = _confusions(votes, labels)  # (n, 3)
    seen: dict[tuple[int, int, int], int] = {}
    turns = np.full(len(labels), len(labels))  # (I,), the image's best place within its confusions
    for v, place, predicted in confusions[np.argsort(-votes[tuple(confusions.T)], kind="stable")].tolist():
        cell = (v, int(labels[place]), predicted)
        seen[cell] = seen.get(cell, 0) + 1
        turns[place] = min(turns[place], seen[cell])
    often = mistakes.wrong[:, mistakes.image_rows].sum(axis=0)  # (I,)
    order = np.array(list(dict.fromkeys([*first, *np.lexsort((-often, turns)).tolist()])), np.int64)  # (I,)
    return replace(
        mistakes, image_rows=mistakes.image_rows[order], images=mistakes.images[order], votes=votes[:, order]
    )


def gallery_data(mistakes: Mistakes, sheet: Sheet) -> dict[str, Any]:
    """The numbers that the page's script needs.

    Args:
      sheet: the images of the first ``image_rows``.

    Returns:
      ``variants`` and ``runs`` (a number, or one for each image), the last entry for all variants together; ``rows`` of
      the test set; ``labels``; for every variant
      ``wrong`` (runs), ``predicted`` (class, -1 for none), ``agree`` (runs that predicted it) and ``percent`` (mean
      probability); ``further`` (variant, image, class, runs) where runs predicted yet another class; ``kinds``: images
      by their position on the sheet; ``totals``: test images of each kind by class, with an image or without;
      ``cells``: test images of each confusion by the class that most wrong runs predicted; ``text``: a sentence on how
      many images there are; ``sheet``: its columns and rows.
    """
    rows = mistakes.image_rows[: sheet.count]
    tallies = [*(tally(mistakes, variant) for variant in mistakes.variants), tally(mistakes)]
    predicted = np.stack([one.predicted[rows] for one in tallies])  # (V + 1, I)
    percent = np.stack([np.nan_to_num(one.probability[rows]) for one in tallies])  # (V + 1, I)
    votes = kept_votes(mistakes)[:, : len(rows)]  # (V, I, K)
    both = np.concatenate([votes, votes.sum(axis=0, keepdims=True)])  # (V + 1, I, K)
    agree = np.take_along_axis(both, np.maximum(predicted, 0)[..., None], axis=2)[..., 0]  # (V + 1, I)
    position = {int(row): place for place, row in enumerate(rows)}

    def kept(chosen: IntArray) -> list[int]:
        return [position[int(row)] for row in chosen if int(row) in position]

    def by_class(chosen: IntArray) -> list[int]:
        return [int(n) for n in np.bincount(mistakes.labels[chosen], minlength=votes.shape[2])]

    wrong = int((mistakes.wrong.sum(axis=0) > 0).sum())
    return {
        "variants": [*mistakes.variants, "all variants"],
        "runs": [_runs(one.runs[rows]) for one in tallies],
        "rows": rows.tolist(),
        "labels": mistakes.labels[rows].tolist(),
        "wrong": [one.wrong[rows].tolist() for one in tallies],
        "predicted": predicted.tolist(),
        "agree": np.where(predicted >= 0, agree, 0).tolist(),
        "percent": np.rint(100 * percent).astype(np.int64).tolist(),
        "further": _further(votes, mistakes.labels[rows], predicted[:-1]),
        "kinds": {
            "every": kept(mistakes.all_wrong),
            "flips": kept(mistakes.flips),
            "corrected": {name: kept(chosen) for name, chosen in mistakes.mended.items()},
        },
        "totals": {
            "often": [by_class(np.flatnonzero(one.wrong)) for one in tallies],
            "every": by_class(mistakes.all_wrong),
            "flips": by_class(mistakes.flips),
            "corrected": {name: by_class(chosen) for name, chosen in mistakes.mended.items()},
        },
        "cells": [_cells(mistakes.labels, of_variant) for of_variant in mistakes.predicted],
        "text": _counts(wrong, len(mistakes.image_rows), sheet.count),
        "sheet": [sheet.columns, sheet.rows],
    }


def _runs(judged: IntArray) -> int | list[int]:
    """How many runs judged each image; one number where it is the same for all."""
    numbers = {int(n) for n in judged}
    return judged.tolist() if len(numbers) > 1 else next(iter(numbers), 0)


def _confusions(votes: IntArray, labels: IntArray) -> IntArray:
    """Variant, image and class of every wrong prediction.  # (n, 3)"""
    wrong = votes > 0  # (V, I, K)
    wrong[:, np.arange(len(labels)), labels] = False
    return np.argwhere(wrong)


def _further(votes: IntArray, labels: IntArray, predicted: IntArray) -> list[list[int]]:
    """The votes for classes that are neither the true one nor the most frequent wrong one."""
    confusions = _confusions(votes, labels)  # (n, 3)
    confusions = confusions[confusions[:, 2] != predicted[confusions[:, 0], confusions[:, 1]]]
    return [[*map(int, at), int(votes[tuple(at)])] for at in confusions]


def _cells(labels: IntArray, predicted: IntArray) -> dict[str, int]:
    """How many test images each confusion has: ``"true,predicted"`` -> images."""
    wrong = predicted >= 0  # (M,)
    cells, images = np.unique(np.stack([labels[wrong], predicted[wrong]]), axis=1, return_counts=True)
    return {f"{true},{other}": int(n) for (true, other), n in zip(cells.T, images, strict=True)}


def _counts(wrong: int, kept: int, shown: int) -> str:
    """How many images were misclassified, how many the study kept, and how many the page has."""
    text = f"{wording.count(wrong, 'test image')} {'was' if wrong == 1 else 'were'} misclassified in at least one run"
    if shown < kept:
        return f"{text}; the study kept {kept:,} of them, and this page shows {shown:,}."
    return f"{text}; this page shows {'all' if kept == wrong else f'{kept:,}'} of them."
