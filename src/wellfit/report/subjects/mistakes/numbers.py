"""Which misclassified examples a gallery shows, and what the runs predicted for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, IntArray, Mistakes
from wellfit.errors import DataError, UnknownNameError

__all__ = [
    "KINDS",
    "Choice",
    "Picture",
    "Tally",
    "agreement",
    "choose",
    "gallery",
    "kept_votes",
    "report_choices",
    "tally",
]

KINDS: Final = ("all-wrong", "mended", "flips", "most")
"""What a gallery may show: wrong in every run; corrected by a variant; decided by chance; most often wrong."""


class Choice(NamedTuple):
    """Test rows that have something in common, the most instructive first.

    Args:
      kind: one of `KINDS`; empty for rows that the caller chose.
      rows: of the test set.  # (n,)
      variant: whose runs the captions count; None for all variants.
      words: what they have in common.
    """

    kind: str
    rows: IntArray
    variant: str | None
    words: str

    @property
    def title(self) -> str:
        """The words with a capital letter."""
        return self.words[:1].upper() + self.words[1:]


class Tally(NamedTuple):
    """What the runs predicted for every test example; members are as in ``Mistakes``."""

    wrong: IntArray  # (M,)
    runs: IntArray  # (M,)
    predicted: IntArray  # (M,)
    probability: FloatArray  # (M,)


@dataclass(frozen=True, eq=False)
class Picture:
    """A test example and what the runs predicted.

    Args:
      row: of the test set, from 0.
      true: name of its class.
      predicted: name of the wrong class that most runs predicted; empty if none was wrong.
      probability: mean probability of that class in those runs; NaN if none was wrong.
      agree: how many runs predicted it; None if it is unknown, because the image was not kept.
      wrong: how many runs were wrong.
      runs: out of how many.
      image: uint8; None if it was not kept.  # (H, W) or (H, W, 3)
    """

    row: int
    true: str
    predicted: str
    probability: float
    agree: int | None
    wrong: int
    runs: int
    image: NDArray[Any] | None

    @property
    def agreement(self) -> str:
        """How many runs agree, in words."""
        return agreement(self.wrong if self.agree is None else self.agree, self.wrong, self.runs)


def choose(mistakes: Mistakes, kind: str = "all-wrong", variant: str | None = None) -> Choice:
    """Choose test rows by what the runs predicted.

    Args:
      kind: one of `KINDS`.
      variant: for ``"mended"``, the variant that corrects them, by default the one that corrects most; for ``"most"``,
        the variant whose mistakes count, by default all of them. Other kinds cover all variants, or the first one.

    Raises:
      UnknownNameError: there is no such kind or variant.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of mistake", kind, KINDS)
    if variant is not None and variant not in mistakes.variants:
        raise UnknownNameError("variant", variant, mistakes.variants, "the tested variants")
    first = mistakes.variants[0]
    if kind == "all-wrong":
        return Choice(kind, mistakes.all_wrong, None, "wrong in every run of every variant")
    if kind == "flips":
        return Choice(kind, mistakes.flips, first, f"decided by chance: wrong in about half of the runs of {first}")
    if kind == "mended":
        name = variant or max(mistakes.mended, key=lambda other: len(mistakes.mended[other]), default=first)
        words = f"wrong in every run of {first}, correct in every run of {name}"
        return Choice(kind, mistakes.mended.get(name, np.array([], np.int64)), first, words)
    wrong = tally(mistakes, variant).wrong
    order = np.argsort(-wrong, kind="stable")  # (M,)
    return Choice(kind, order[wrong[order] > 0], variant, f"most often wrong{f', {variant}' if variant else ''}")


def report_choices(mistakes: Mistakes, most: int) -> tuple[Choice, ...]:
    """What a report shows, without empty choices.

    Args:
      most: variants whose corrections it shows, those with the most corrections first.

    Returns:
      Wrong in every run, or most often where there is none; decided by chance; corrected by a variant.
    """
    corrected = sorted(mistakes.mended, key=lambda name: -len(mistakes.mended[name]))[:most]
    choices = (
        choose(mistakes, "all-wrong" if len(mistakes.all_wrong) else "most"),
        choose(mistakes, "flips"),
        *(choose(mistakes, "mended", name) for name in corrected),
    )
    return tuple(choice for choice in choices if len(choice.rows))


def tally(mistakes: Mistakes, variant: str | None = None) -> Tally:
    """Count the runs of one variant, or of all variants together.

    Args:
      variant: None for all.

    Returns:
      The counts. For all variants together, each one votes with its runs for the wrong class that it predicts most
      often; the probability is the mean over the runs of the variants that voted for the winner.
    """
    if variant is not None:
        v = mistakes.variants.index(variant)
        return Tally(mistakes.wrong[v], mistakes.runs[v], mistakes.predicted[v], mistakes.probability[v])
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
        runs=mistakes.runs.sum(axis=0),
        predicted=np.where(any_wrong, chosen, -1),
        probability=mean.astype(np.float32),
    )


def kept_votes(mistakes: Mistakes) -> IntArray:
    """How many runs predicted each class for each kept image.

    Returns:
      The votes; where they were not counted, all wrong runs vote for the class that most of them chose.  # (V, I, K)
    """
    if mistakes.votes.size:
        return mistakes.votes
    wrong, predicted = (values[:, mistakes.image_rows] for values in (mistakes.wrong, mistakes.predicted))  # (V, I)
    return np.where(np.arange(mistakes.counts.shape[1]) == predicted[..., None], wrong[..., None], 0)  # (V, I, K)


def agreement(agree: int, wrong: int, runs: int) -> str:
    """How many runs predicted the class that is shown, and how many were wrong at all.

    Example:
      >>> agreement(5, 5, 5), agreement(3, 5, 5), agreement(1, 1, 5)
      ('all 5 runs agree', '3 of 5 runs agree, 5 are wrong', '1 of 5 runs')
      >>> agreement(1, 1, 1), agreement(2, 2, 2), agreement(0, 0, 5)
      ('the only run', 'both runs agree', 'no run is wrong')
    """
    if not wrong:
        return "no run is wrong"
    if runs == 1:
        return "the only run"
    if agree == runs:
        return "both runs agree" if runs == 2 else f"all {runs} runs agree"
    text = f"{agree} of {runs} runs{' agree' if agree > 1 else ''}"
    return text if agree == wrong else f"{text}, {wrong} are wrong"


def gallery(
    mistakes: Mistakes,
    classes: Sequence[str],
    rows: Sequence[int] | IntArray,
    variant: str | None = None,
    count: int = 25,
) -> tuple[Picture, ...]:
    """Test examples and what the runs predicted for them.

    Args:
      classes: class names, by label.
      rows: of the test set.
      variant: whose runs are counted; None for all variants.
      count: how many at most.

    Returns:
      The first of them in their order; in a study of images, only those whose images were kept.

    Raises:
      DataError: there is no such row.
    """
    for row in rows:
        if not 0 <= row < len(mistakes.labels):
            raise DataError(f"there is no test row {row}; give rows from 0 to {len(mistakes.labels) - 1}")
    kept = {int(row): image for row, image in zip(mistakes.image_rows, mistakes.images, strict=False)}
    counts = tally(mistakes, variant)
    votes = kept_votes(mistakes)  # (V, I, K)
    mine = votes.sum(axis=0) if variant is None else votes[mistakes.variants.index(variant)]  # (I, K)
    agree = {int(row): of_class[counts.predicted[row]] for row, of_class in zip(mistakes.image_rows, mine, strict=True)}
    shown = [int(row) for row in rows if not kept or int(row) in kept][:count]
    return tuple(
        Picture(
            row=row,
            true=classes[int(mistakes.labels[row])],
            predicted=classes[int(counts.predicted[row])] if counts.predicted[row] >= 0 else "",
            probability=float(counts.probability[row]),
            agree=int(agree[row]) if row in agree and counts.predicted[row] >= 0 else None,
            wrong=int(counts.wrong[row]),
            runs=int(counts.runs[row]),
            image=kept.get(row),
        )
        for row in shown
    )
