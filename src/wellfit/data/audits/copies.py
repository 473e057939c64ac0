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
            f"Some examples are in more than one split: {'; '.join(copies)}.{_first_copy(sets)}",
            "Remove the copies, or bear in mind that the network can memorize these examples.",
        )


def _first_copy(sets: Sets) -> str:
    """The first two examples that are the same, by their numbers in the files, as a sentence."""
    pool, count = sets.dataset.pool, len(sets.dataset.x_train)
    rows = (sets.splits.train, sets.splits.validation, count + np.arange(len(sets.dataset.x_test)))
    seen: dict[bytes, int] = {}
    for part, places in zip(sets.all, rows, strict=True):
        here = list(zip(part.hashes, places.tolist(), strict=True))
        both = next(((seen[example], place) for example, place in here if example in seen), None)
        if both is not None and pool is None:
            first, second = (_name(sets, at) for at in both)
            return f" For example, {second} is {first}, counted from 1."
        if both is not None and pool is not None:  # a part of one file was held out
            if sets.dataset.validation_rows is not None or len(pool) != count + len(sets.dataset.x_test):
                return ""
            order = np.argsort(pool.places())
            low, high = sorted(int(order[at]) + 1 for at in both)
            return f" For example, the examples {low:,} and {high:,}, counted from 1, are the same."
        for example, place in here:
            seen.setdefault(example, place)
    return ""


def _name(sets: Sets, at: int) -> str:
    """An example by its set and number; the test examples follow those for training and validation."""
    count, given = len(sets.dataset.x_train), sets.dataset.validation_rows
    if at >= count:
        return f"test example {at - count + 1:,}"
    if given is not None and len(found := np.flatnonzero(np.asarray(given) == at)):
        return f"validation example {int(found[0]) + 1:,}"
    return f"training example {at + 1:,}"


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
