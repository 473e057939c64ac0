"""Findings: what checks of data, split and training report."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["FINDING_TITLES", "Finding"]

FINDING_TITLES: Final[Mapping[str, str]] = {
    # data and split
    "class-missing-from-split": "A class is missing from a split",
    "scale-shift-between-splits": "Training and test sets are scaled differently",
    "images-transformed-between-splits": "Images of one set are turned or inverted",
    "labels-shifted-between-splits": "Labels of one set mean other classes",
    "labels-unrelated-in-split": "Labels of one set do not fit its examples",
    "duplicate-across-splits": "Splits share identical examples",
    "near-duplicate-across-splits": "Splits share nearly identical images",
    "group-across-splits": "A group is in more than one split",
    "all-features-constant": "All training examples are alike",
    "label-leak": "A column gives the label away",
    "features-without-signal": "No sign that features predict the labels",
    "similar-class-names": "Class names differ only in spelling",
    "few-class-examples": "A class has very few examples",
    "class-imbalance": "Classes are imbalanced",
    "rows-sorted-by-class": "Rows are sorted by class",
    "suspicious-values": "Some values may stand for missing ones",
    "far-values": "Some values lie far from all others",
    "missing-values": "Most values of a column are missing",
    "similar-categories": "Categories differ only in spelling",
    "unseen-categories": "Some categories are not in training",
    "constant-features": "Some features never change",
    "few-test-examples": "The test set is small",
    # training
    "diverged": "Training diverged",
    "learning-rate-high": "The learning rate is too high",
    "learning-rate-low": "The learning rate is too low",
    "penalty-too-strong": "The regularization is too strong",
    "underfitting": "Underfitting",
    "dead-units": "Many ReLU units are dead",
    "vanishing-gradients": "Gradients vanish in sigmoid layers",
    "majority-guess": "Only the most frequent class is predicted",
    "accuracy-hides-recall": "Accuracy hides the rare classes",
    "labels-unrelated": "Inputs do not predict the labels",
    "overfitting": "Overfitting",
    "best-not-restored": "The best weights were not restored",
    "never-stopped": "Early stopping never stopped",
    "stopped-at-once": "Early stopping saw no improvement",
    "stopped-too-soon": "Early stopping came too early",
    "seeds-disagree": "Seeds disagree",
    "validation-above-training": "Validation accuracy exceeds training accuracy",
    "validation-unlike-test": "Validation and test sets differ",
    "calibration-worsened": "Accuracy improved, calibration worsened",
    "still-improving": "Validation loss was still falling",
    "edge-of-sweep": "The best value is at the edge of its sweep",
    "validation-optimism": "Validation accuracy exceeds test accuracy",
    "dropout-explains": "Running accuracy is below validation accuracy",
    "few-seeds": "Few seeds",
}
"""The title of every finding, by its code."""


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Args:
      code: stable; a key of ``FINDING_TITLES``.
      level: how serious it is.
      message: the evidence, in sentences; its first clause also works alone, see ``note``.
      fix: what to do about it; empty if nothing has to be done.
    """

    code: str
    level: Literal["info", "warning", "error"]
    message: str
    fix: str

    @property
    def title(self) -> str:
        """A plain title.

        Example:
          >>> Finding("few-seeds", "info", "Each variant has 2 seeds.", "").title
          'Few seeds'
        """
        return FINDING_TITLES.get(self.code, self.code.replace("-", " ").capitalize())

    @property
    def note(self) -> str:
        """The message up to its first colon, semicolon or full stop: short enough for a line of notes.

        Example:
          >>> Finding("few-seeds", "info", "Each variant has 2 seeds: two seeds say little.", "").note
          'Each variant has 2 seeds'
        """
        return re.split(r"[.:;](?:\s|$)", self.message, maxsplit=1)[0]
