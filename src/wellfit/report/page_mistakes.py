"""What was taken for what: confusion matrices, and the pictures behind their cells.

The page's script is given the numbers of all variants, `mistakes_data`, and redraws matrix and gallery from them; what
stands here as text and pictures is their form without a script.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from wellfit.base import FloatArray, IntArray, StudySummary, VariantSummary
from wellfit.details import Mistakes, StudyDetails
from wellfit.report import wording
from wellfit.report.figure_data import Confusion, confusion_data, top_confusions
from wellfit.report.figures import plot_confusion
from wellfit.report.pictures import Sheet
from wellfit.report.svg import inline_svg

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["Group", "MatrixPanel", "Tile", "by_use", "gallery_groups", "matrix_data", "matrix_panels", "mistakes_data"]

LARGEST_TABLE: Final = 20
"""Classes up to which a confusion matrix is a table; larger ones are a picture."""

MOST_MATRICES: Final = 6
"""Matrices that stand on paper and where no script runs; of more variants, the first ones."""

MOST_TILES: Final = 12
"""Pictures of a kind that stand on paper."""


@dataclass(frozen=True)
class MatrixPanel:
    """A confusion matrix: a table where it is small enough, a figure otherwise."""

    index: int
    name: str
    right: str
    runs: int
    rows: tuple[tuple[str, tuple[tuple[str, int], ...]], ...]  # class, cells of (percent, strength)
    figure: Markup | None
    mistakes: tuple[str, ...]


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


def matrix_panels(summary: StudySummary) -> list[MatrixPanel]:
    """The confusion matrices of the variants with test results, at most `MOST_MATRICES` of them."""
    found = ((i, v, confusion_data(summary, v.name)) for i, v in enumerate(summary.variants))
    known = [(i, v, matrix) for i, v, matrix in found if matrix is not None][:MOST_MATRICES]
    return [_matrix_panel(summary, variant, index, matrix) for index, variant, matrix in known]


def matrix_data(summary: StudySummary, details: StudyDetails) -> dict[str, Any]:
    """What the page's script draws matrices and their differences from: plain data.

    Args:
      summary: the study.
      details: its details.

    Returns:
      Class names, and for every variant with test results its position, its name, its counts, and the interval of its
      difference from the first one, in points.
    """
    variants = []
    for index, variant in enumerate(summary.variants):
        matrix = confusion_data(summary, variant.name)
        if matrix is None:
            continue
        gain = details.differences.get(variant.name)
        bounds = None if gain is None else [_rounded(100 * gain.low), _rounded(100 * gain.high)]
        runs = sum(run.test_accuracy is not None for run in variant.runs)
        counts = matrix.counts.tolist()
        variants.append({"index": index, "name": variant.name, "runs": runs, "counts": counts, "bounds": bounds})
    return {"classes": list(summary.classes), "variants": variants}


def _rounded(values: FloatArray) -> list[list[float | None]]:
    return [[None if np.isnan(x) else round(float(x), 2) for x in row] for row in values]


def _matrix_panel(summary: StudySummary, variant: VariantSummary, index: int, matrix: Confusion) -> MatrixPanel:
    small = len(matrix.classes) <= LARGEST_TABLE
    return MatrixPanel(
        index=index,
        name=variant.name,
        right=wording.percent(float(matrix.counts.trace() / matrix.counts.sum())),
        runs=sum(run.test_accuracy is not None for run in variant.runs),
        rows=_matrix_rows(matrix) if small else (),
        figure=None if small else inline_svg(plot_confusion(summary, variant.name)),
        mistakes=tuple(
            f"{true} taken for {predicted}: {count:,} times, {wording.percent(share)} of its class"
            for true, predicted, count, share in top_confusions(matrix)
        ),
    )


def _matrix_rows(matrix: Confusion) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    """Class, then a cell for every predicted class: percent, and strength of the tint from 0 to 100."""
    rows = []
    for true, name in enumerate(matrix.classes):
        cells = []
        for count, share in zip(matrix.counts[true], matrix.shares[true], strict=True):
            shown = wording.whole_percent(float(share)) if count else ""
            cells.append((shown, round(100 * float(share) ** 0.5)))
        rows.append((name, tuple(cells)))
    return tuple(rows)


# --- Pictures ---------------------------------------------------------------------------------------------------------


def by_use(mistakes: Mistakes) -> Mistakes:
    """The kept pictures in the order of their use, so that a sheet too small for all loses those that tell least.

    Args:
      mistakes: of a study of images.

    Returns:
      The same, with ``image_rows``, ``images`` and ``votes`` in this order: the first of every kind of the gallery,
      then by turns one picture of every confusion, those that most runs got wrong first.
    """
    position = {int(row): place for place, row in enumerate(mistakes.image_rows)}
    kinds = [mistakes.all_wrong[:48], mistakes.flips[:24], *(rows[:12] for rows in mistakes.mended.values())]
    first = [position[int(row)] for rows in kinds for row in rows if int(row) in position]
    wrong, predicted, _ = _with_total(mistakes, mistakes.image_rows)
    labels = mistakes.labels[mistakes.image_rows]
    seen: dict[tuple[int, int], int] = {}
    turns = []
    for place in np.argsort(-wrong[-1], kind="stable"):
        cell = (int(labels[place]), int(predicted[-1, place]))
        seen[cell] = seen.get(cell, 0) + 1
        turns.append((seen[cell], -int(wrong[-1, place]), int(place)))
    order = np.array(list(dict.fromkeys([*first, *(place for _, _, place in sorted(turns))])), np.int64)  # (I,)
    votes = mistakes.votes[:, order] if mistakes.votes.size else mistakes.votes
    return replace(mistakes, image_rows=mistakes.image_rows[order], images=mistakes.images[order], votes=votes)


def mistakes_data(mistakes: Mistakes, sheet: Sheet) -> dict[str, Any]:
    """What the page's script draws the gallery from: plain data.

    Args:
      mistakes: of the study.
      sheet: the pictures of its first ``image_rows``.

    Returns:
      ``variants`` and ``runs``, with a last entry for all variants together; ``labels`` and, for every variant,
      ``wrong`` (runs), ``predicted`` (-1 for none) and ``percent`` of every picture; ``further`` (variant, picture,
      class, runs) where runs took it for yet another class; the pictures of every kind by their position on the sheet;
      the sheet's form.
    """
    rows = mistakes.image_rows[: sheet.count]
    wrong, predicted, percent = _with_total(mistakes, rows)
    position = {int(row): place for place, row in enumerate(rows)}

    def kept(chosen: IntArray) -> list[int]:
        return [position[int(row)] for row in chosen if int(row) in position]

    return {
        "variants": [*mistakes.variants, "all variants"],
        "runs": [*mistakes.runs.tolist(), int(mistakes.runs.sum())],
        "rows": rows.tolist(),
        "labels": mistakes.labels[rows].tolist(),
        "wrong": wrong.tolist(),
        "predicted": predicted.tolist(),
        "percent": percent.tolist(),
        "further": _further(mistakes, rows),
        "kinds": {
            "every": kept(mistakes.all_wrong),
            "flips": kept(mistakes.flips),
            "mended": {name: kept(chosen) for name, chosen in mistakes.mended.items()},
        },
        "totals": {
            "every": len(mistakes.all_wrong),
            "flips": len(mistakes.flips),
            "mended": {name: len(chosen) for name, chosen in mistakes.mended.items()},
        },
        "sheet": [sheet.columns, sheet.rows],
    }


def gallery_groups(data: Mapping[str, Any], classes: tuple[str, ...], sheet: Sheet) -> list[Group]:
    """The gallery without a script: a few pictures of every kind.

    Args:
      data: what `mistakes_data` returned.
      classes: the class names.
      sheet: the pictures.

    Returns:
      One group a kind that has pictures.
    """
    first, every = data["variants"][0], len(data["variants"]) - 1
    kinds = [
        ("Every run of every variant is wrong", data["totals"]["every"], data["kinds"]["every"], every),
        (f"Chance decides in {first}", data["totals"]["flips"], data["kinds"]["flips"], 0),
        *(
            (f"{name} mends what every run of {first} got wrong", data["totals"]["mended"][name], chosen, 0)
            for name, chosen in list(data["kinds"]["mended"].items())[:MOST_MATRICES]
        ),
    ]
    return [
        Group(title, total, tuple(_tiles(data, chosen[:MOST_TILES], variant, classes, sheet)))
        for title, total, chosen, variant in kinds
        if chosen
    ]


def _tiles(
    data: Mapping[str, Any], chosen: Iterable[int], variant: int, classes: tuple[str, ...], sheet: Sheet
) -> Iterable[Tile]:
    for place in chosen:
        predicted = data["predicted"][variant][place]
        yield Tile(
            place=sheet.place(place),
            true=classes[data["labels"][place]],
            predicted=classes[predicted] if predicted >= 0 else wording.NOTHING,
            percent=f"{data['percent'][variant][place]}\u00a0%" if predicted >= 0 else "",
            runs=f"{data['wrong'][variant][place]} of {data['runs'][variant]} runs wrong",
        )


def _further(mistakes: Mistakes, rows: IntArray) -> list[list[int]]:
    """The votes for classes that are neither the true one nor the most frequent wrong one."""
    votes = mistakes.votes[:, : len(rows)].copy()  # (V, I, K)
    if not votes.size:
        return []
    place = np.arange(len(rows))
    votes[:, place, mistakes.labels[rows]] = 0
    variant = np.arange(len(votes))[:, None]
    votes[variant, place[None], np.maximum(mistakes.predicted[:, rows], 0)] = 0  # class 0 of none wrong has no votes
    found = np.argwhere(votes > 0)  # (n, 3)
    return [[*map(int, at), int(votes[tuple(at)])] for at in found]


def _with_total(mistakes: Mistakes, rows: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Wrong runs, their most frequent class and its mean percent, of every variant and at last of all together."""
    wrong, predicted = mistakes.wrong[:, rows], mistakes.predicted[:, rows]  # (V, I)
    share = np.nan_to_num(mistakes.probability[:, rows])  # (V, I)
    votes = np.zeros((mistakes.counts.shape[1], len(rows)))  # (K, I)
    columns = np.arange(len(rows))
    for v in range(len(wrong)):
        there = predicted[v] >= 0
        np.add.at(votes, (predicted[v][there], columns[there]), wrong[v][there])
    most = np.where(wrong.sum(axis=0) > 0, votes.argmax(axis=0), -1)  # (I,)
    weight = wrong * (predicted == most)  # (V, I)
    mean = (weight * share).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)  # (I,)
    percent = np.rint(100 * np.vstack([share, mean])).astype(np.int64)
    return np.vstack([wrong, wrong.sum(axis=0)]), np.vstack([predicted, most]), percent
