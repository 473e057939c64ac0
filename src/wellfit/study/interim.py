"""The interim analyses of a study that gets more seeds until it is decided: planned once, recorded, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from wellfit.analysis.sequential import InterimAnalysis
from wellfit.errors import StudyFileError
from wellfit.store import Store

if TYPE_CHECKING:
    from wellfit.study.session import Session

__all__ = [
    "BATCH",
    "LOOKS",
    "MAX_SEEDS",
    "Recorded",
    "check_seeds",
    "compared_runs",
    "planned_seeds",
    "record_analysis",
    "record_plan",
    "recorded",
]

Outcome = TypeVar("Outcome")

BATCH: Final = 5
"""Seeds added from one interim analysis to the next."""

MAX_SEEDS: Final = 20

LOOKS: Final = "looks"
"""The name of the note in the store that has the plan."""


class Recorded(NamedTuple):
    """The planned interim analyses of a study, and the last one made.

    Args:
      number: of the last analysis, from 1; 0 before the first.
      planned: the number of seeds at each analysis.
      seeds: those of the last analysis.
    """

    number: int
    planned: tuple[int, ...]
    seeds: frozenset[int]


def planned_seeds(max_seeds: int = MAX_SEEDS, first: int = BATCH) -> tuple[int, ...]:
    """The number of seeds at each interim analysis.

    Args:
      max_seeds: at the last analysis.
      first: at the first analysis.

    Raises:
      StudyFileError: fewer than two seeds.

    Example:
      >>> planned_seeds(), planned_seeds(12), planned_seeds(20, first=8)
      ((5, 10, 15, 20), (5, 10, 12), (8, 13, 18, 20))
    """
    if max_seeds < 2:
        raise StudyFileError(f"--max-seeds {max_seeds}: comparing variants takes at least 2 seeds; give 2 or more")
    return (*range(min(first, max_seeds), max_seeds, BATCH), max_seeds)


def record_plan(store: Store, interim: InterimAnalysis) -> None:
    """Fix the planned analyses in the store before the first one is made; does nothing later on."""
    if store.metadata.note(LOOKS) is None:
        # results of these seeds that were visible before count as the first analysis
        seen = sorted({seed for _, seed in store.runs.test_scores()})
        store.metadata.write_note(LOOKS, {"planned": list(interim.seeds), "taken": 1 if seen else 0, "seeds": seen})


def record_analysis(store: Store, interim: InterimAnalysis, seeds: Sequence[int]) -> None:
    """Record that an analysis is made: all of its seeds are trained and tested."""
    note = {"planned": list(interim.seeds), "taken": interim.number, "seeds": list(seeds)}
    store.metadata.write_note(LOOKS, note)


def recorded(store: Store) -> Recorded | None:
    """The record of a study's interim analyses; None if none were planned."""
    note: dict[str, Any] | None = store.metadata.note(LOOKS)
    return None if note is None else Recorded(note["taken"], tuple(note["planned"]), frozenset(note["seeds"]))


def compared_runs(
    store: Store, runs: Mapping[str, Mapping[int, Outcome]]
) -> tuple[InterimAnalysis | None, Mapping[str, Mapping[int, Outcome]]]:
    """The runs that are compared.

    Args:
      store: the study.
      runs: variant -> seed -> outcome, of every run that was tested.

    Returns:
      The last interim analysis and the runs of its seeds; runs of later seeds wait for the next analysis. None and all
      runs where no interim analyses were planned.
    """
    record = recorded(store)
    if record is None:
        return None, runs
    seen = {name: {seed: outcome for seed, outcome in of.items() if seed in record.seeds} for name, of in runs.items()}
    return InterimAnalysis(max(record.number, 1), record.planned), seen


def check_seeds(session: Session, interim: InterimAnalysis | None) -> None:
    """Refuse seeds that would silently change a stored plan of interim analyses.

    Args:
      session: the study as requested.
      interim: the analysis that it is trained for, if any.

    Raises:
      StudyFileError: another plan, or seeds added outside of the planned analyses.
    """
    record = session.stored.interim
    if record is None:
        return
    planned = ", ".join(map(str, record.planned))
    if interim is not None and interim.seeds != record.planned:
        raise StudyFileError(
            f"{session.directory}: its interim analyses were planned at {planned} seeds, and changing the plan would "
            f"invalidate their levels; leave out --max-seeds, or give {record.planned[-1]}"
        )
    if interim is None and not set(session.spec.seeds) <= set(session.stored.seeds):
        raise StudyFileError(
            f"{session.directory}: its interim analyses are planned at {planned} seeds, and adding other seeds would "
            "invalidate their levels; continue with --until-decided, or choose another directory with --out"
        )
