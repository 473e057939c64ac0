"""Test results that were seen before more seeds were added, or another metric or margin was chosen: verdicts say so.

Interim analyses that were planned are no such looks: their levels allow for one another, see ``interim``. Neither are
parts of one study that were trained side by side and merged; a part that began when another could be seen is one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import takewhile
from typing import Any, Final

from wellfit.base import NO_LOOKS, EarlierLooks
from wellfit.spec.study import StudySpec
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
    asked = note.get("asked", [])
    now = {**note, "seeds": seeds, "asked": asked if _asked(store) in asked else [*asked, _asked(store)]}
    if seeds and now != note:
        store.metadata.write_note(KEY, now)


def earlier_looks(store: Store) -> EarlierLooks:
    """What was seen before the present seeds, and before the present metric and margin were chosen.

    A study that returns to its first metric and margin has none of the latter.
    """
    note: dict[str, Any] | None = store.metadata.note(KEY)
    if note is None:
        return NO_LOOKS
    asked, (metric, margin) = note.get("asked", []), _asked(store)
    metrics = takewhile(lambda name: name != metric, dict.fromkeys(name for name, _ in asked))
    margins = takewhile(lambda size: size != margin, (size for name, size in asked if name == metric))
    return EarlierLooks(tuple(sorted(note["looks"])), tuple(metrics), tuple(margins))


def _asked(store: Store) -> list[Any]:
    """How variants are compared: metric and margin, as JSON has them."""
    study = store.metadata.study()
    return [study.get("metric", StudySpec.metric), study["margin"]]


def combined_looks(out: Store, parts: Sequence[Store]) -> None:
    """Record the looks of merged studies: those that any part had, and parts that were seen before others began.

    The metrics and margins of all parts count, in the order in which their test sets were opened.

    A part can be seen once its test set was opened, if it has two seeds or more: one shows no comparison. A part that
    began later, with seeds that the former lacks, makes a further look, as if the seeds had been added in one
    directory. Parts trained side by side make none, and neither do shards of one plan, whenever each was trained, and
    parts that were never concluded.

    Args:
      out: the merged study, with its runs.
      parts: the studies that it was made from.
    """
    seeds = [_seen_seeds(store) for store in parts]
    looks = {number for store in parts for number in earlier_looks(store).seeds}
    for later, added in zip(parts, seeds, strict=True):
        before = [
            of
            for store, of in zip(parts, seeds, strict=True)
            if len(of) > 1 and _opened_before(store, later) and not _of_one_plan(store, later)
        ]
        if before and not added <= (seen := set[int]().union(*before)):
            looks.add(len(seen))
    if together := set[int]().union(*seeds):
        opened = sorted(parts, key=lambda store: store.metadata.test_opened() or "")
        asked = [pair for store in opened for pair in (store.metadata.note(KEY) or {}).get("asked", [])]
        asked = [pair for at, pair in enumerate(asked) if pair not in asked[:at]]
        out.metadata.write_note(KEY, {"seeds": sorted(together), "looks": sorted(looks), "asked": asked})


def _seen_seeds(store: Store) -> set[int]:
    """The seeds whose results can be seen; an earlier version that tested runs did not note them."""
    note: dict[str, Any] | None = store.metadata.note(KEY)
    return {seed for _, seed in store.runs.test_scores()} if note is None else set(note["seeds"])


def _of_one_plan(store: Store, later: Store) -> bool:
    """Whether both directories are shards of a study that was divided into as many."""
    one, other = (of.metadata.provenance().get("shard", "").rpartition("/")[2] for of in (store, later))
    return one == other != ""


def _opened_before(store: Store, later: Store) -> bool:
    """Whether a test set was opened before another study began."""
    opened, created = store.metadata.test_opened(), later.metadata.created()
    return opened is not None and created is not None and opened.split(", ")[0] < created
