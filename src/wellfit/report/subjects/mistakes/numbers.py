"""Which mistakes a gallery shows, and what is said of each: computed from ``Mistakes``, apart from drawing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, IntArray, Mistakes
from wellfit.errors import DataError, UnknownNameError

__all__ = ["KINDS", "Choice", "Picture", "Tally", "agreement", "choose", "gallery", "kept_votes", "tally"]

KINDS: Final = ("all-wrong", "mended", "flips", "most")
"""What a gallery may show: rows that every run got wrong, that a variant mends, that chance decides, all mistakes."""


class Choice(NamedTuple):
    """Test rows of one kind of mistake, the most telling first.

    Args:
      rows: of the test set.  # (n,)
      told: the variant whose runs are counted; None for those of all variants.
      words: what they have in common.
    """

    rows: IntArray  # (n,)
    told: str | None
    words: str


class Tally(NamedTuple):
    """What some variants' runs made of every test example; members are as ``Mistakes`` has them."""

    wrong: IntArray  # (M,)
    runs: int
    predicted: IntArray  # (M,)
    probability: FloatArray  # (M,)


@dataclass(frozen=True, eq=False)
class Picture:
    """A test example and what the runs took it for.

    Args:
      row: its place in the test set, from 0.
      true: name of its class.
      predicted: name of the wrong class that most of them took it for; empty where none was wrong.
      probability: mean probability that those runs gave that class; NaN where none was wrong.
      agree: how many runs took it for that class; None where the picture was not kept, for only of those it is known.
      wrong: how many runs were wrong.
      runs: of how many.
      image: its pixels, uint8; None where the picture was not kept.  # (H, W) or (H, W, 3)
    """

    row: int
    true: str
    predicted: str
    probability: float
    agree: int | None
    wrong: int
    runs: int
    image: NDArray[Any] | None


def choose(mistakes: Mistakes, kind: str = "all-wrong", variant: str | None = None) -> Choice:
    """Choose test rows by what the runs made of them.

    Args:
      mistakes: of the study.
      kind: one of ``KINDS``.
      variant: of ``"mended"``, who mends them, by default the variant that mends most; of ``"most"``, whose mistakes,
        by default those of all variants. The other kinds speak of all variants, or of the first.

    Returns:
      The rows, and what they have in common.

    Raises:
      UnknownNameError: there is no such kind or variant.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of mistake", kind, KINDS)
    if variant is not None and variant not in mistakes.variants:
        raise UnknownNameError("variant", variant, mistakes.variants, "the tested variants")
    first = mistakes.variants[0]
    if kind == "all-wrong":
        return Choice(mistakes.all_wrong, None, "wrong in every run of every variant")
    if kind == "flips":
        return Choice(mistakes.flips, first, f"decided by chance: about half of the runs of {first} are wrong")
    if kind == "mended":
        name = variant or max(mistakes.mended, key=lambda other: len(mistakes.mended[other]), default=first)
        words = f"wrong in every run of {first}, right in every run of {name}"
        return Choice(mistakes.mended.get(name, np.array([], np.int64)), first, words)
    wrong = tally(mistakes, variant).wrong
    order = np.argsort(-wrong, kind="stable")  # (M,)
    return Choice(order[wrong[order] > 0], variant, f"most often wrong{f', {variant}' if variant else ''}")


def tally(mistakes: Mistakes, variant: str | None = None) -> Tally:
    """Count the runs of one variant, or of all variants together.

    Args:
      mistakes: of the study.
      variant: one of its variants, or None for all.

    Returns:
      The counts. Of all variants, the wrong class is the one that most runs took an example for, where each variant
      votes for its own most frequent one; the probability is the mean over the runs of those that did.
    """
    if variant is not None:
        v = mistakes.variants.index(variant)
        return Tally(mistakes.wrong[v], int(mistakes.runs[v]), mistakes.predicted[v], mistakes.probability[v])
    votes = np.where(mistakes.predicted >= 0, mistakes.wrong, 0)  # (V, M)
    total = np.zeros((mistakes.counts.shape[1], len(mistakes.labels)))  # (K, M)
    sure = np.zeros_like(total)
    columns = np.arange(len(mistakes.labels))
    for predicted, weight, probability in zip(mistakes.predicted, votes, mistakes.probability, strict=True):
        total[predicted, columns] += weight
        sure[predicted, columns] += weight * np.nan_to_num(probability)
    chosen, any_wrong = total.argmax(axis=0), total.max(axis=0, initial=0) > 0  # (M,), (M,)
    mean = np.where(any_wrong, sure[chosen, columns] / np.maximum(total[chosen, columns], 1), np.nan)
    return Tally(
        wrong=mistakes.wrong.sum(axis=0),
        runs=int(mistakes.runs.sum()),
        predicted=np.where(any_wrong, chosen, -1),
        probability=mean.astype(np.float32),
    )


def kept_votes(mistakes: Mistakes) -> IntArray:
    """How many runs took each kept picture for each class.

    Args:
      mistakes: of the study.

    Returns:
      The votes; where they were not counted, all wrong runs vote for the class that most of them chose.  # (V, I, K)
    """
    if mistakes.votes.size:
        return mistakes.votes
    wrong, predicted = (values[:, mistakes.image_rows] for values in (mistakes.wrong, mistakes.predicted))  # (V, I)
    return np.where(np.arange(mistakes.counts.shape[1]) == predicted[..., None], wrong[..., None], 0)  # (V, I, K)


def agreement(agree: int, wrong: int, runs: int) -> str:
    """How many runs took a picture for the class that is shown, and how many were wrong at all.

    Example:
      >>> agreement(5, 5, 5), agreement(3, 5, 5), agreement(1, 1, 5)
      ('5 of 5 runs agree', '3 of 5 runs agree, 5 are wrong', '1 of 5 runs')
      >>> agreement(1, 1, 1), agreement(0, 0, 5)
      ('the only run', 'no run is wrong')
    """
    if not wrong:
        return "no run is wrong"
    if runs == 1:
        return "the only run"
    said = f"{agree} of {runs} runs{' agree' if agree > 1 else ''}"
    return said if agree == wrong else f"{said}, {wrong} are wrong"


def gallery(
    mistakes: Mistakes,
    classes: Sequence[str],
    rows: Sequence[int] | IntArray,
    variant: str | None = None,
    count: int = 25,
) -> tuple[Picture, ...]:
    """Test examples and what is said of each.

    Args:
      mistakes: of the study.
      classes: the name of every class, by label.
      rows: which test examples.
      variant: whose runs are counted; None for those of all variants.
      count: how many at most.

    Returns:
      The first of them, in their order; of images, only those whose pictures were kept.

    Raises:
      DataError: there is no such row.
    """
    for row in rows:
        if not 0 <= row < len(mistakes.labels):
            raise DataError(f"there is no test row {row}; give rows from 0 to {len(mistakes.labels) - 1}")
    kept = {int(row): image for row, image in zip(mistakes.image_rows, mistakes.images, strict=False)}
    told = tally(mistakes, variant)
    votes = kept_votes(mistakes)  # (V, I, K)
    mine = votes.sum(axis=0) if variant is None else votes[mistakes.variants.index(variant)]  # (I, K)
    agree = {int(row): votes[told.predicted[row]] for row, votes in zip(mistakes.image_rows, mine, strict=True)}
    shown = [int(row) for row in rows if not kept or int(row) in kept][:count]
    return tuple(
        Picture(
            row=row,
            true=classes[int(mistakes.labels[row])],
            predicted=classes[int(told.predicted[row])] if told.predicted[row] >= 0 else "",
            probability=float(told.probability[row]),
            agree=int(agree[row]) if row in agree and told.predicted[row] >= 0 else None,
            wrong=int(told.wrong[row]),
            runs=told.runs,
            image=kept.get(row),
        )
        for row in shown
    )
