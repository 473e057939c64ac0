"""Any two variants of a study side by side, where the details compare each with the first alone."""

from __future__ import annotations

from pathlib import Path

from wellfit.analysis.confusions import confusion_difference
from wellfit.base import ConfusionDifference
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.store import open_existing
from wellfit.study.tested import answered_seeds, answers, probabilities

__all__ = ["confusion_contrast"]


def confusion_contrast(directory: Path, variant: str, against: str) -> ConfusionDifference:
    """The confusion matrix of a variant minus that of another, over the seeds that both have.

    Args:
      directory: the study directory.
      variant, against: names of two of its variants.

    Returns:
      The difference and its intervals.

    Raises:
      UnknownNameError: there is no such variant.
      StudyFileError: no seed of both was tested.
      StoreUnreadableError: there is no study in the directory, or it is damaged.
    """
    with open_existing(directory) as store:
        names = tuple(store.metadata.study()["variants"])
        for name in (variant, against):
            if name not in names:
                raise UnknownNameError("variant", name, names, f"the study in {directory}")
        labels, classes = store.keepsakes.labels()
        tested = answered_seeds(store)
        seeds = tuple(s for s in tested.get(variant, ()) if s in tested.get(against, ()))
        if not seeds:
            raise StudyFileError(f"{variant} and {against} have no seed of which both were tested; run the study first")
        one, other = (answers(seeds, probabilities(store, name, seeds)).predicted for name in (variant, against))
    return confusion_difference(variant, against, one, other, labels, len(classes))
