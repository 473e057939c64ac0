"""Test results that were seen before more seeds were added: later verdicts are second looks, and say so.

Interim analyses that were planned are no such looks: their levels allow for one another, see ``interim``. Neither are
parts of one study that were trained side by side and merged; a part that began when another could be seen is one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from wellfit.store import Store

__all__ = ["KEY", "combined_looks", "earlier_looks", "note_look", "note_seen"]

KEY: Final = "seen"
"""Of the note in the store."""


def note_look(store: Store, seeds: Collection[int], *, planned: bool = False) -> None:
    """Record, before runs are tested, that results of fewer seeds were seen already.

    Args:
      store: the study.
      seeds: those of the runs that are tested now.
      planned: whether this is a planned interim analysis.
    """
    note: dict[str, Any] | None = store.metadata.note(KEY)
    if note is None:  # nothing was tested yet, or an earlier version tested it
        note = {"seeds": sorted({seed for _, seed in store.runs.test_scores()}), "looks": []}
    seen = len(note["seeds"])
    if seen and not planned and not set(seeds) <= set(note["seeds"]) and seen not in note["looks"]:
        note = {**note, "looks": [*note["looks"], seen]}
    store.metadata.write_note(KEY, note)


def note_seen(store: Store) -> None:
    """Record, after all runs were tested, that the results of their seeds can be seen; nothing if that is known."""
    note: dict[str, Any] = store.metadata.note(KEY) or {"seeds": [], "looks": []}
    seeds = sorted({seed for _, seed in store.runs.test_scores()})
    if seeds != note["seeds"]:
        store.metadata.write_note(KEY, {**note, "seeds": seeds})


def earlier_looks(store: Store) -> tuple[int, ...]:
    """The numbers of seeds whose results were seen before more were added, ascending."""
    note: dict[str, Any] | None = store.metadata.note(KEY)
    return () if note is None else tuple(sorted(note["looks"]))


def combined_looks(out: Store, parts: Sequence[Store]) -> None:
    """Record the looks of merged studies: those that any part had, and parts that were seen before others began.

    A part can be seen once its test set was opened, if it has two seeds or more: one shows no comparison. A part that
    began later, with seeds that the former lacks, makes a further look, as if the seeds had been added in one
    directory. Parts trained side by side make none, and neither do parts that were never concluded.

    Args:
      out: the merged study, with its runs.
      parts: the studies that it was made from.
    """
    seeds = [_seen_seeds(store) for store in parts]
    looks = {number for store in parts for number in earlier_looks(store)}
    for later, added in zip(parts, seeds, strict=True):
        before = [of for store, of in zip(parts, seeds, strict=True) if len(of) > 1 and _opened_before(store, later)]
        if before and not added <= (seen := set[int]().union(*before)):
            looks.add(len(seen))
    if together := set[int]().union(*seeds):
        out.metadata.write_note(KEY, {"seeds": sorted(together), "looks": sorted(looks)})


def _seen_seeds(store: Store) -> set[int]:
    """The seeds whose results can be seen; an earlier version that tested runs did not note them."""
    note: dict[str, Any] | None = store.metadata.note(KEY)
    return {seed for _, seed in store.runs.test_scores()} if note is None else set(note["seeds"])


def _opened_before(store: Store, later: Store) -> bool:
    """Whether a test set was opened before another study began."""
    opened, created = store.metadata.test_opened(), later.metadata.created()
    return opened is not None and created is not None and opened.split(", ")[0] < created
