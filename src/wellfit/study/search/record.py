"""What a search tried, as the study directory keeps it: a note in the database, checked whenever it is read."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter

from wellfit.base import SearchResult, SearchSpec, Trial, VariantSummary
from wellfit.errors import StoreUnreadableError
from wellfit.spec.reading import plain_of
from wellfit.spec.search import changes_of
from wellfit.spec.study import StudySpec
from wellfit.store import Store
from wellfit.study.fold import OVERLAP

__all__ = ["KEY", "Record", "best_of", "read_record", "result_of", "whole_epochs", "write_record"]

KEY: Final = "search"
"""Of the note in the store."""


@dataclasses.dataclass(frozen=True)
class Record:
    """The search so far.

    Args:
      trials: in their order.
      trained: epochs that they took, over all trainings.
      complete: whether nothing is left to try, also where the space has no more configurations.
    """

    trials: tuple[Trial, ...] = ()
    trained: int = 0
    complete: bool = False


_READ: Final = TypeAdapter(Record)


def read_record(store: Store, search: SearchSpec) -> Record:
    """The record in a study directory; an empty one before the first batch.

    Raises:
      StoreUnreadableError: a record that no search can have left.
    """
    note = store.metadata.note(KEY)
    if note is None:
        return Record()
    with store.database.reading("the record of its search"):
        record = _READ.validate_json(json.dumps(note), strict=True)
        for place, trial in enumerate(record.trials):
            _check(trial, place, search)
        if len(record.trials) > search.trials or record.trained < 0:
            raise ValueError("more trials than the study asks for")
        return record


def _check(trial: Trial, place: int, search: SearchSpec) -> None:
    """Refuse a trial that contradicts the search."""
    if trial.number != place or trial.values.keys() != search.space.keys():
        raise ValueError(f"trial {place} is of another search")
    least = 0 if trial.state == "refused" else 1
    if len(trial.scores) != search.seeds or trial.rung < least or trial.epochs < least:
        raise ValueError(f"trial {place} was not trained with the seeds of the search")
    if not all(score is None or math.isfinite(score) for score in trial.scores):
        raise ValueError(f"trial {place} has a score that is not a number")
    if (trial.mean is None) != (trial.state in ("diverged", "refused")):
        raise ValueError(f"trial {place} is {trial.state}, which its scores contradict")
    for key, options in search.space.items():
        value = trial.values[key]
        if value not in options if isinstance(options, tuple) else not options.low <= value <= options.high:
            raise ValueError(f"trial {place} has a {key} outside of the space")


def write_record(store: Store, record: Record) -> None:
    """Replace the record."""
    store.metadata.write_note(KEY, plain_of(record))


def best_of(trials: Sequence[Trial], search: SearchSpec) -> Trial | None:
    """The trial with the best mean among those that were trained to the end; of equal ones, the first.

    Example:
      >>> trials = [Trial(n, {}, "finished", 1, 9, (score,)) for n, score in enumerate([0.8, 0.9, 0.9])]
      >>> best_of(trials, SearchSpec()).number
      1
    """
    finished = [(trial, mean) for trial in trials if trial.state == "finished" and (mean := trial.mean) is not None]
    return max(finished, key=lambda pair: search.better(pair[1]), default=(None, 0.0))[0]


def result_of(store: Store, spec: StudySpec, variants: Sequence[VariantSummary]) -> SearchResult | None:
    """What the search of a study found, and what is left of it on fresh seeds; None for a study without one.

    Args:
      store: the study.
      spec: the study, as the store has it.
      variants: its results.

    Raises:
      StoreUnreadableError: a record that no search can have left, or a variant that is not what it found.
    """
    search = spec.search
    if search is None:
        return None
    record = read_record(store, search)
    best = best_of(record.trials, search)
    if search.name in spec.variants and not _is(spec.variants[search.name], best, spec):
        raise StoreUnreadableError(
            f"{store.directory}: study.db: variant {search.name!r} is not the best of its search; restore it from a "
            "copy, or search again into another directory (--out)"
        )
    found = [variant for variant in variants if variant.name == search.name]
    runs = found[0].runs if found else ()
    scores = [value for run in runs if (value := getattr(run, search.metric)) is not None]
    return SearchResult(
        trials=record.trials,
        asked=search.trials,
        metric=search.metric,
        seeds=search.seeds,
        name=search.name,
        best=None if best is None else best.number,
        trained=record.trained,
        whole=whole_epochs(record.trials, search, spec.base.epochs),
        fresh=math.fsum(scores) / len(scores) if scores else None,
        fresh_seeds=len(scores),
        fresh_diverged=sum(run.state == "diverged" for run in runs),
        shared=(store.metadata.note(OVERLAP) or {}).get("searched"),
    )


def whole_epochs(trials: Sequence[Trial], search: SearchSpec, epochs: int) -> int:
    """The epochs that training all trials to the end would have taken, without those that were refused.

    Example:
      >>> trials = Trial(0, {}, "ended", 1, 3, (0.5, 0.5)), Trial(1, {}, "refused", 0, 0, (None, None))
      >>> whole_epochs(trials, SearchSpec(), 9)
      18
    """
    return sum(trial.state != "refused" for trial in trials) * search.seeds * epochs


def _is(changes: Mapping[str, Any], best: Trial | None, spec: StudySpec) -> bool:
    """Whether a variant is what the search found."""
    return best is not None and plain_of(changes) == plain_of(changes_of(best.values, spec.base))
