"""Checks of the classes: missing from a split, named alike, or in order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from wellfit.base import Finding
from wellfit.data.audits.sets import Sets
from wellfit.data.parts import listed

__all__ = ["missing_classes", "plain_name", "row_order", "similar_names"]

_SORTED_SHARE: Final = 0.1  # rows count as sorted below this fraction of the label changes expected in random order


def missing_classes(sets: Sets) -> Iterator[Finding]:
    """Find classes without an example in a split."""
    classes = sets.dataset.classes
    for part in sets.all:
        present = np.bincount(part.y, minlength=len(classes)) > 0  # (K,)
        missing = [c for c, there in zip(classes, present, strict=True) if not there]
        if missing:
            yield Finding(
                "class-missing-from-split",
                "error",
                f"The {part.name} split has no example of {listed(missing)}: it covers {int(present.sum())} of "
                f"{len(present)} classes.",
                "Add examples of every class, enlarge the split, or drop the class.",
            )


def similar_names(sets: Sets) -> Iterator[Finding]:
    """Find class names that differ only in case, spaces, hyphens, underscores or the form of a character.

    Single letters that differ in case are different classes, as in EMNIST.
    """
    spelled: dict[str, list[str]] = {}
    for name in sets.dataset.classes:
        spelled.setdefault(plain_name(name), []).append(name)
    groups = [names for names in spelled.values() if len(names) > 1]
    pairs = [f"{a!r} and {b!r}" for names in groups for a, b in pairwise(names)]
    if pairs:
        yield Finding(
            "similar-class-names",
            "warning",
            f"Classes have names that differ only in spelling: {listed(pairs)}.",
            "If they are the same class, give it one spelling in the data.",
        )


def plain_name(name: str) -> str:
    """A name without differences of case, spaces, inner hyphens and character form; ``"A-"`` stays different.

    Example:
      >>> plain_name("New-York "), plain_name("new york"), plain_name("A-")
      ('new york', 'new york', 'a-')
    """
    text = re.sub(r"[\s\u200b\ufeff]+", " ", unicodedata.normalize("NFKC", name)).strip()
    text = re.sub(r"(?<=\w)[\s_\-\u2010-\u2013]+(?=\w)", " ", text).strip(" _")
    return text.casefold() if len(text) > 1 else text or name


def row_order(sets: Sets) -> Iterator[Finding]:
    """Say whether the rows are sorted by class."""
    labels = sets.dataset.y_train
    changes = int((labels[1:] != labels[:-1]).sum())
    shares = np.bincount(labels) / len(labels)
    by_chance = (len(labels) - 1) * (1 - float((shares**2).sum()))
    blocks = int((shares > 0).sum())
    if blocks > 1 and (changes == blocks - 1 or changes < _SORTED_SHARE * by_chance):
        harmless = (
            f"The split is stratified and shuffled (seed {sets.splits.seed}), so the order does no harm."
            if sets.dataset.validation_rows is None
            else "Every epoch shuffles the rows, so the order does no harm."
        )
        yield Finding(
            "rows-sorted-by-class",
            "info",
            f"The training rows are sorted by class: the label changes {changes:,} "
            f"{'time' if changes == 1 else 'times'} instead of the {by_chance:,.0f} expected in random order. "
            f"{harmless}",
            "",
        )
