"""Checks of examples, and of groups of examples, that are in more than one split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wellfit.base import Finding
from wellfit.data.audits.sets import Sets

__all__ = ["duplicates", "shared_groups"]


def duplicates(sets: Sets) -> Iterator[Finding]:
    """Count examples of the validation and test splits that are in another split too."""
    train, validation, test = (part.hashes for part in sets.all)
    trained, validated = set(train), set(validation)
    counts = (
        (sum(h in trained for h in validation), f"of {len(validation)} validation examples", "training"),
        (sum(h in trained for h in test), f"of {len(test)} test examples", "training"),
        (sum(h in validated for h in test), f"of {len(test)} test examples", "validation"),
    )
    copies = [f"{n} {of} {'is' if n == 1 else 'are'} also in the {split} split" for n, of, split in counts if n]
    if copies:
        yield Finding(
            "duplicate-across-splits",
            "warning",
            f"Some examples are in more than one split: {'; '.join(copies)}.",
            "Remove the copies, or bear in mind that the network can memorize these examples.",
        )


def shared_groups(sets: Sets) -> Iterator[Finding]:
    """Find groups with examples in the training split and in the validation split or the test set."""
    groups = sets.dataset.groups
    if groups is None:
        return
    train, validation = (groups[rows] for rows in (sets.splits.train, sets.splits.validation))
    total = len(np.unique(groups))
    for where, name, held in (("split", "validation", validation), ("set", "test", sets.dataset.test_groups)):
        shared = np.intersect1d(train, [] if held is None else held)
        if held is None or not len(shared):
            continue
        yield Finding(
            "group-across-splits",
            "error",
            f"{len(shared):,} of {total:,} groups {'is' if len(shared) == 1 else 'are'} in the training split and in "
            f"the {name} {where}: {int(np.isin(held, shared).sum()):,} of {len(held):,} {name} examples belong to a "
            "group that was trained on.",
            "Keep each group in one set; a validation set that is drawn by [data] group never divides one.",
        )
