"""The looks at a study to which seeds are added until it is decided: planned once, kept in the store, and held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from wellfit.analysis.sequential import InterimAnalysis
from wellfit.errors import StudyFileError
from wellfit.spec.study import StudySpec
from wellfit.store import Store, holds_study, open_existing

__all__ = [
    "BATCH",
    "MAX_SEEDS",
    "Taken",
    "at_last_look",
    "begin_look",
    "check_seeds",
    "planned_looks",
    "take_look",
    "taken_look",
]

Outcome = TypeVar("Outcome")

BATCH: Final = 5
"""Seeds that are added from look to look."""

MAX_SEEDS: Final = 20

_KEY: Final = "looks"


class Taken(NamedTuple):
    """The last look that was taken, and the seeds that it looked at.

    Args:
      number: of the look, from 1; 0 where the first is still to be taken.
      planned: how many seeds there are at every look.
      seeds: those of the last look.
    """

    number: int
    planned: tuple[int, ...]
    seeds: frozenset[int]


def planned_looks(max_seeds: int = MAX_SEEDS, first: int = BATCH) -> tuple[int, ...]:
    """How many seeds there are at every look.

    Args:
      max_seeds: at the last look.
      first: at the first look.

    Raises:
      StudyFileError: fewer seeds than the first look has, or than two.

    Example:
      >>> planned_looks(), planned_looks(12), planned_looks(20, first=8)
      ((5, 10, 15, 20), (5, 10, 12), (8, 13, 18, 20))
    """
    if max_seeds < 2:
        raise StudyFileError(f"--max-seeds {max_seeds}: nothing is decided by fewer than 2 seeds; give 2 or more")
    return (*range(min(first, max_seeds), max_seeds, BATCH), max_seeds)


def begin_look(store: Store, look: InterimAnalysis) -> None:
    """Fix the planned looks in the store, before the first of them is taken."""
    found = store.metadata.note(_KEY)
    if found is None:
        # what a study of these seeds was seen to say before counts as its first look
        before = sorted({seed for _, seed in store.runs.test_scores()})
        store.metadata.write_note(_KEY, {"planned": list(look.seeds), "taken": 1 if before else 0, "seeds": before})


def take_look(store: Store, look: InterimAnalysis, seeds: Sequence[int]) -> None:
    """Record that a look is taken: all of its seeds are trained, and tested."""
    store.metadata.write_note(_KEY, {"planned": list(look.seeds), "taken": look.number, "seeds": list(seeds)})


def taken_look(store: Store) -> Taken | None:
    """Which look the store's comparisons are to allow for; None where the study is looked at once."""
    found: dict[str, Any] | None = store.metadata.note(_KEY)
    if found is None:
        return None
    return Taken(found["taken"], tuple(found["planned"]), frozenset(found["seeds"]))


def at_last_look(
    store: Store, runs: Mapping[str, Mapping[int, Outcome]]
) -> tuple[InterimAnalysis | None, Mapping[str, Mapping[int, Outcome]]]:
    """What comparisons are made of: the runs that the last look looked at, and which look of which it was.

    Args:
      store: the study.
      runs: variant -> seed -> outcome, of every run that was tested.

    Returns:
      None and all runs where the study is looked at once. Runs of a batch at work wait for its look.
    """
    taken = taken_look(store)
    if taken is None:
        return None, runs
    seen = {name: {seed: outcome for seed, outcome in of.items() if seed in taken.seeds} for name, of in runs.items()}
    return InterimAnalysis(max(taken.number, 1), taken.planned), seen


def check_seeds(directory: Path, spec: StudySpec, look: InterimAnalysis | None) -> None:
    """Refuse what would quietly change the planned looks of a stored study.

    Args:
      directory: the study directory.
      spec: the study as it is asked for.
      look: the look that it is to be trained for; None where no look was asked for.

    Raises:
      StudyFileError: seeds are added to a study with planned looks, other than for its next look.
    """
    if not holds_study(directory):
        return
    with open_existing(directory) as store:
        found, stored = taken_look(store), store.metadata.study()["seeds"]
    if found is None:
        return
    planned = ", ".join(map(str, found.planned))
    if look is not None and look.seeds != found.planned:
        raise StudyFileError(
            f"{directory}: its looks were planned at {planned} seeds before the first was taken, and are not changed: "
            f"that would undo their level; leave out --max-seeds, or give {found.planned[-1]}"
        )
    if look is None and not set(spec.seeds) <= set(stored):
        raise StudyFileError(
            f"{directory}: it is looked at with {planned} seeds, and other seeds would undo the level of these looks; "
            "go on with --until-decided, or choose another directory with --out"
        )
