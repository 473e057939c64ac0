"""Test results that were seen before more seeds were added: later verdicts are second looks, and say so.

Interim analyses that were planned are no such looks: their levels allow for one another, see ``interim``.
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
    """Record the looks of merged studies: those that any part had. That the parts have different seeds is none.

    Args:
      out: the merged study, with its runs.
      parts: the studies that it was made from.
    """
    notes = [note for store in parts if (note := store.metadata.note(KEY)) is not None]
    if notes:
        seeds = sorted({seed for note in notes for seed in note["seeds"]})
        out.metadata.write_note(KEY, {"seeds": seeds, "looks": sorted({n for note in notes for n in note["looks"]})})
