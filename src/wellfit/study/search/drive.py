"""The search before a study: batch by batch until all configurations are tried; then the best one is a variant.

The test set has no part in it. The study itself then trains the variant that was found like every other, on fresh
seeds, and opens the test set once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from importlib import metadata

from wellfit.base import SearchSpec, Trial
from wellfit.engine.train import Epoch
from wellfit.errors import StudyFileError
from wellfit.narrative.searched import fates
from wellfit.spec.search import changes_of
from wellfit.store import Store, create_or_open, fresh, open_if_begun
from wellfit.store.metadata import joined
from wellfit.study.interrupts import Interrupted, interruptible
from wellfit.study.run import Progress, facts_of
from wellfit.study.search.ask import ask, require_sampler
from wellfit.study.search.record import Record, best_of, read_record, whole_epochs, write_record
from wellfit.study.search.train import KEPT, batches_of, check_space, planned_epochs, train_batch
from wellfit.study.session import Session

__all__ = ["Tried", "check_possible", "search_first"]


@dataclass(frozen=True)
class Tried:
    """A search after a batch.

    Args:
      trials: configurations so far, of ``of``.
      best: the best of those that were trained to the end; None before there is any.
      metric: ``"validation_accuracy"`` or ``"validation_loss"``.
      trained: epochs so far, over all trainings.
      whole: epochs that training all of them to the end would have taken.
    """

    trials: tuple[Trial, ...]
    of: int
    best: Trial | None
    metric: str
    trained: int
    whole: int


def check_possible(session: Session) -> None:
    """Refuse a search that could not be made, before anything is trained or written; nothing without a search.

    Raises:
      WellfitError: Optuna is missing, and the search is not complete.
      StudyFileError, ShapeError, DataError: its seeds, or a space that does not fit the data.
    """
    search = session.spec.search
    if search is None:
        return
    if not _is_complete(session, search):
        require_sampler(search)
    session.check([*session.spec.seeds, *search.own_seeds])
    check_space(session)


def search_first(
    session: Session,
    *,
    command: str = "",
    on_batch: Callable[[Tried], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Session:
    """Search, if the study asks for it, and return the session of the study with the variant that was found.

    A search that was interrupted goes on with the next batch; one that is complete trains nothing.

    Args:
      session: the study, its data and its directory, which is created if it does not exist.
      command: what the user typed, for the report.
      on_batch: called after every batch.
      on_progress: called after every epoch.

    Raises:
      WellfitError: Optuna is missing.
      StudyFileError, ShapeError, DataError, StoreError: as for ``run_study``; or every configuration diverged.
      Interrupted: Ctrl-C or SIGTERM; finished batches are kept.
    """
    search = session.spec.search
    if search is None:
        return session
    check_possible(session)
    complete = _is_complete(session, search)
    facts = facts_of(session, command)
    if not complete:
        facts = joined(facts, {"optuna": metadata.version("optuna")})
    if session.fresh:
        fresh(session.directory)
        session = replace(session, fresh=False)
    with create_or_open(session.directory, session.resolved, provenance=facts) as store:
        if session.stored.choices is None:  # those of the study that follows, too
            store.metadata.write_note("choices", asdict(session.choices))
        record = read_record(store, search)
        with interruptible() as stop:
            work = _Work(session, store, on_progress)
            while not record.complete:
                first = len(record.trials)
                asked = ask(search, record.trials, min(search.batch, search.trials - first))
                trials, trained = train_batch(session, asked, first, work.after_epoch, stop) if asked else ([], 0)
                record = work.save(record, trials, trained)
                if on_batch is not None:
                    whole = whole_epochs(record.trials, search, session.spec.base.epochs)
                    best = best_of(record.trials, search)
                    on_batch(Tried(record.trials, search.trials, best, search.metric, record.trained, whole))
                if stop.requested:
                    raise Interrupted(KEPT)
    best = best_of(record.trials, search)
    if best is None:
        diverged = any(trial.state == "diverged" for trial in record.trials)
        fix = "smaller values of learning_rate, or set clip_norm" if diverged else "values that fit together"
        raise StudyFileError(
            f"no configuration of the search was trained to the end: {fates(record.trials)}; search {fix}"
        )
    changes = changes_of(best.values, session.spec.base)
    return replace(session, spec=replace(session.spec, variants={**session.spec.variants, search.name: changes}))


def _is_complete(session: Session, search: SearchSpec) -> bool:
    """Whether the directory holds the whole search, so that nothing is asked any more."""
    _ = session.stored  # refuses another study in its own words
    store = None if session.fresh else open_if_begun(session.directory)
    if store is None:
        return False
    with store:
        return read_record(store, search).complete


class _Work:
    """The progress of a search: its epochs, against those that are expected, and its time."""

    def __init__(self, session: Session, store: Store, on_progress: Callable[[Progress], None] | None) -> None:
        search = session.spec.search
        assert search is not None
        self._search, self._store, self._on_progress = search, store, on_progress
        self._expected = [planned_epochs(session.spec.base.epochs, size, search) for size in batches_of(search)]
        self._done = len(read_record(store, search).trials) // search.batch  # batches
        self._began = self._counted = time.monotonic()
        self._at_first = sum(self._expected[: self._done])

    def after_epoch(self, epoch: Epoch, trained: int) -> None:
        """Count the time, and report."""
        now = time.monotonic()
        self._store.metadata.add_seconds(now - self._counted)
        self._counted = now
        if self._on_progress is None:
            return
        total = sum(self._expected)
        done = sum(self._expected[: self._done]) + min(trained, self._expected[self._done])
        rate = (done - self._at_first) / max(now - self._began, 1e-9)
        left = (total - done) / rate if done - self._at_first > 0 else None
        self._on_progress(Progress(epoch.number, epoch.epochs, epoch.active, epoch.examples, done / total, left))

    def save(self, record: Record, trials: list[Trial], trained: int) -> Record:
        """Save a batch; one without trials ends a search whose space has no more configurations."""
        everything = (*record.trials, *trials)
        complete = not trials or len(everything) == self._search.trials
        record = Record(everything, record.trained + trained, complete)
        write_record(self._store, record)
        self._store.metadata.save_seconds()
        self._done = min(self._done + 1, len(self._expected) - 1)
        return record
