"""From a session to a finished study directory; the only module that opens the test set."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import groupby, pairwise
from typing import Final

import numpy as np

from wellfit.analysis.metrics import accuracy, correctness, log_loss
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import FloatArray, TrainingData
from wellfit.data.audits import audit
from wellfit.data.subsets import subset
from wellfit.engine import machine
from wellfit.engine.final_states import UnusableStateError
from wellfit.engine.plan import Population
from wellfit.engine.predicting import predict_proba
from wellfit.engine.release import release
from wellfit.engine.train import Epoch, Trainer
from wellfit.engine.waves import of_member
from wellfit.store import Store, create_or_open, fresh
from wellfit.store.tested import Validated
from wellfit.study.compiling import compiling_ahead
from wellfit.study.executors.driver import Told, check_nodes, train_parts
from wellfit.study.fold import OVERLAP, Fold, searched_overlap, validation_overlap
from wellfit.study.growth import Remaining, read_stored
from wellfit.study.inputs import has_inputs, save_inputs
from wellfit.study.interim import check_seeds, record_analysis, record_plan
from wellfit.study.interrupts import Interrupted, StopRequest, interruptible
from wellfit.study.looks import note_look, note_seen
from wellfit.study.pace import Pace
from wellfit.study.planning import Forecast, recipe_of
from wellfit.study.provenance import MACHINE, provenance
from wellfit.study.report_data import keep_report_data
from wellfit.study.resuming import begins_of, save_checkpoint, save_trained, unusable
from wellfit.study.session import Session
from wellfit.study.together import Together

__all__ = ["Interrupted", "Progress", "facts_of", "run_study"]

CHECKPOINT_SECONDS: Final = 30.0
"""Seconds between checkpoints; each waits for the end of an epoch."""


@dataclass(frozen=True)
class Progress:
    """The progress of a study after an epoch, or when the test set is opened.

    Args:
      epoch, epochs: of the population in training; both 0 while the test set is evaluated.
      active: runs in it that still train.
      examples: training examples that its trajectories processed in this epoch.
      share: of the whole work, from 0 to 1.
      left: the seconds until the last result; None while they are unknown.
      rows: (variant, seed) -> ``HISTORY_COLUMNS`` of every epoch so far, of the population in training; call it before
        the callback returns.
    """

    epoch: int
    epochs: int
    active: int
    examples: int
    share: float
    left: float | None = None
    rows: Callable[[], Mapping[tuple[str, int], Sequence[FloatArray]]] = dict


def run_study(
    session: Session,
    *,
    command: str = "",
    interim: InterimAnalysis | None = None,
    on_plan: Callable[[Forecast], None] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> None:
    """Train what is missing of a study, then open the test set once and evaluate every new run on it.

    A study with more epochs than the directory holds continues where its trajectories ended; see ``growth``.

    Args:
      session: the study, its data and its directory, which is created if it does not exist.
      command: what the user typed, for the report.
      interim: the interim analysis that the study is trained for, if there is one.
      on_plan: called with the forecast before anything is trained.
      on_progress: called after every epoch.
      on_epoch: called after every epoch with all that it has; it must not keep the epoch.

    Raises:
      StudyFileError, ShapeError: the study does not fit the data, or its interim analyses; nothing was written.
      DataError: the data cannot be split as the study asks.
      StoreError: the directory cannot be used.
      Interrupted: Ctrl-C or SIGTERM; the study can be continued.
    """
    check_seeds(session, interim)
    session.check()
    pool = session.pool if session.remaining.plan.runs else None
    if pool is not None:
        check_nodes(pool.nodes, kernels=session.kernels)
    facts = facts_of(session, command, here=pool is None)  # raises before anything is written
    if session.fresh:
        fresh(session.directory)
    with create_or_open(session.directory, session.resolved, provenance=facts) as store:
        if read_stored(store, session.resolved).progress != session.stored.progress:
            session = replace(session, fresh=False)  # another process has trained this study in the meantime
        if session.stored.choices is None:
            store.metadata.write_note("choices", asdict(session.choices))
        per_class = np.bincount(session.learned, minlength=session.data.classes).tolist()
        store.metadata.write_note("examples", session.examples)
        _note_overlap(store, session)
        store.metadata.write_note("per_class", per_class)
        if interim is not None:
            record_plan(store, interim)
        if on_plan is not None:
            on_plan(session.forecast)
        count_time = _stopwatch(store)
        tested, metric = len(session.test_labels), session.spec.metric
        store.metadata.save_findings(audit(session.used, session.splits, tested, session.learned, metric))
        store.keepsakes.save_labels(session.test_labels, session.dataset.classes, session.test_groups)
        if pool is None:
            _train(session, store, on_progress, on_epoch, count_time)
        else:
            train_parts(session, store, pool, _told(on_progress), count_time)
        store.progress.drop()  # also that of a process that was killed at its end
        if store.runs.is_complete():
            store.checkpoints.drop_all()
        _open_test_set(store, session, None if interim is None else session.spec.seeds, on_progress)
        for seed in session.spec.seeds:
            _keep_inputs(store, session, seed)  # of runs that the first edition left
        keep_report_data(store, session)
        if interim is not None:
            record_analysis(store, interim, session.spec.seeds)
        if session.remaining.plan.runs:
            count_time()
    release()


def facts_of(session: Session, command: str, *, here: bool = True) -> dict[str, str]:
    """The provenance of what this process trains; of what is trained elsewhere, the machines come with the runs.

    Args:
      session: the study.
      command: what the user typed.
      here: whether this process trains.
    """
    facts = provenance(
        *(session.used, session.splits, command, session.precision),
        folds=session.folds,
        hashes=session.hashes,
        kernels=session.kernels,
    )
    if not here:
        facts = {name: value for name, value in facts.items() if name not in MACHINE}
    if session.spec.search is not None and (optuna := session.stored.provenance.get("optuna")):  # that searched
        facts["optuna"] = optuna
    return facts if session.shard is None else facts | {"shard": str(session.shard)}


def _stopwatch(store: Store) -> Callable[[], None]:
    """What adds the time since its last call, and first since now, to the time of the study."""
    last = time.monotonic()

    def count() -> None:
        nonlocal last
        now = time.monotonic()
        store.metadata.add_seconds(now - last)
        last = now

    return count


def _note_overlap(store: Store, session: Session) -> None:
    """Keep what share of their validation examples the seeds have in common; see ``selection.ValidationSet``."""
    seeds = sorted(store.metadata.study()["seeds"])  # all of the directory's: a part of them may be run again
    if (store.metadata.note(OVERLAP) or {}).get("seeds") != seeds:
        overlap = validation_overlap(session.dataset, session.spec.data, seeds)
        note = {"seeds": seeds, "overlap": overlap}
        if (search := session.spec.search) is not None:
            note["searched"] = searched_overlap(session.dataset, session.spec.data, seeds, search.own_seeds)
        store.metadata.write_note(OVERLAP, note)


def _train(
    session: Session,
    store: Store,
    on_progress: Callable[[Progress], None] | None,
    on_epoch: Callable[[Epoch], None] | None,
    count_time: Callable[[], None],
) -> None:
    """Train every population and save its records; leave a checkpoint behind after an interruption."""
    work, trainer = session.remaining, _trainers(session)
    total = sum(work.left(population) for population in work.plan.populations) or 1
    before, began = 0, time.monotonic()
    pace = Pace(session.stages, session.around_training[1], session.slowdown)
    with interruptible() as stop, compiling_ahead(trainer) as compile_next:
        for position, (together, following) in enumerate(pairwise((*session.together, None))):
            assert together is not None
            population = together.population

            def time_left(epoch: Epoch, population: Population = population, position: int = position) -> float | None:
                count_time()
                return pace.after_epoch(position, time.monotonic() - began, work.trained_by(population, epoch.number))

            def report(
                epoch: Epoch, left: float | None, population: Population = population, before: int = before
            ) -> None:
                if on_epoch is not None:
                    on_epoch(epoch)
                if on_progress is not None:
                    share = min(1.0, (before + work.trained_by(population, epoch.number)) / total)
                    of_epoch = epoch.number, epoch.epochs, epoch.active, epoch.examples
                    on_progress(Progress(*of_epoch, share, left, epoch.rows))

            of_these = trainer(together)
            compile_next(following if session.compiles_ahead else None)
            _train_together(together, work, of_these, store, time_left, report, stop, session.slowdown)
            before += work.left(population)
            if stop.requested:
                raise Interrupted("Everything up to the last epoch is saved")


def _told(on_progress: Callable[[Progress], None] | None) -> Told:
    """What shows the progress of parts that are trained elsewhere."""

    def tell(
        epoch: int,
        epochs: int,
        active: int,
        share: float,
        left: float | None,
        rows: Callable[[], Mapping[tuple[str, int], Sequence[FloatArray]]],
    ) -> None:
        if on_progress is not None:
            on_progress(Progress(epoch, epochs, active, 0, share, left, rows))

    return tell


def _trainers(session: Session) -> Callable[[Together], Trainer]:
    """The trainer of some populations; consecutive ones with the same examples and labels share it."""

    @lru_cache(maxsize=2 if session.compiles_ahead else 1)  # also that of the next population
    def trainer(seeds: tuple[int, ...], places: int, examples: int | None, label_noise: float) -> Trainer:
        def of_seed(seed: int) -> TrainingData:
            return subset(session.fold(seed).data, examples, label_noise, session.spec.data.split_seed)

        data = {seed: of_seed(seed) for seed in seeds} if places else of_seed(seeds[0])
        return Trainer(data, session.mesh, places)

    def of(together: Together) -> Trainer:
        recipe = recipe_of(together.population)
        seeds = together.seeds if session.folds > 1 else session.spec.seeds[:1]
        return trainer(seeds, together.places, recipe.examples, recipe.label_noise)

    return of


def _train_together(
    together: Together,
    work: Remaining,
    trainer: Trainer,
    store: Store,
    time_left: Callable[[Epoch], float | None],
    report: Callable[[Epoch, float | None], None],
    stop: StopRequest,
    slowdown: float,
) -> None:
    """Train populations from where they are; save their records and the final states of their trajectories."""
    population, members = together.population, together.members
    saved = time.monotonic()
    timings: list[tuple[int, float]] = []  # examples and seconds
    last: list[Epoch] = []  # the latest alone: an epoch refers to the arrays on the devices

    def after_epoch(epoch: Epoch) -> None:
        nonlocal saved
        left = time_left(epoch) if epoch.examples else None
        timings.append((epoch.examples, epoch.seconds))
        last[:] = [epoch]
        store.progress.write(epoch.rows, left)
        report(epoch, left)
        if epoch.active and (stop.requested or time.monotonic() - saved > CHECKPOINT_SECONDS):
            snapshot = epoch.snapshot()
            for member in members:
                own = snapshot if member is population else of_member(snapshot, population, member)
                save_checkpoint(store, member, own)
            saved = time.monotonic()
        if stop.requested and epoch.active:
            raise Interrupted("Everything up to the last epoch is saved")

    def before_wave() -> None:
        if stop.overdue:
            raise Interrupted("The epoch in progress was discarded; finished runs and the last checkpoint are kept")

    start, ends = begins_of(store, work, population)
    try:
        records = trainer.train(population, start, after_epoch, before_wave, ends, members[0].program)
    except UnusableStateError as error:
        raise unusable(store, population, ends, error.name, error.reason) from None
    examples, seconds = (sum(column) for column in zip((0, 0.0), *timings[1:], strict=True))  # the first compiles
    machine.learn(population, examples // len(trainer.data.x_train), seconds / slowdown)
    ended = (end for end in (last[0].ends() if last else ()) if work.begins.get(end.name) != end.epoch)
    save_trained(store, work, members, records, ended)
    store.progress.drop()


def _open_test_set(
    store: Store, session: Session, seeds: Collection[int] | None, on_progress: Callable[[Progress], None] | None
) -> None:
    """Evaluate all runs, or those of an interim analysis, that have not been evaluated, at their readouts."""
    tested = store.runs.test_scores()
    todo = [r for r in store.runs.records() if r.readout_epoch and (r.spec.variant, r.spec.seed) not in tested]
    todo = [r for r in todo if seeds is None or r.spec.seed in seeds]
    if not todo:
        note_seen(store)  # the process that tested the last run may have been killed before it said so
        return
    if on_progress is not None:
        on_progress(Progress(0, 0, len(todo), 0, 1.0))
    store.metadata.mark_test_opened()
    note_look(store, {record.spec.seed for record in todo}, planned=seeds is not None)
    place = {seed: number for number, seed in enumerate(session.spec.seeds)}
    in_order = sorted(todo, key=lambda record: place.get(record.spec.seed, -1))
    for seed, records in groupby(in_order, key=lambda record: record.spec.seed):  # fold by fold
        fold = session.fold(seed)
        _keep_inputs(store, session, seed)
        data, labels = fold.data, fold.dataset.y_test
        x = np.concatenate([fold.prepared.x_test, data.x_validation])  # in one call: each shape is compiled
        for record in records:
            variant, model = record.spec.variant, record.spec.recipe.model
            weights = store.runs.weights(variant, seed)
            found = predict_proba(model, weights, x, data.classes, data.scaling, session.most_judged)
            probabilities, validated = found[: len(labels)], found[len(labels) :]
            loss = log_loss(probabilities.astype(np.float64), labels)  # float32 would be clipped at 1e-7
            store.runs.save_test(
                *(variant, seed, probabilities, accuracy(probabilities, labels), loss, fold.tested),
                _validated(session, fold, validated),
            )
    note_seen(store)


def _validated(session: Session, fold: Fold, probabilities: FloatArray) -> Validated | None:
    """Whether a run is right about each validation example; with (v, K) probabilities."""
    if fold.validated is None:
        return None
    groups = session.validation_groups
    return Validated(
        correctness(probabilities, fold.data.y_validation),
        fold.validated,
        None if groups is None else groups[fold.validated],
    )


def _keep_inputs(store: Store, session: Session, seed: int) -> None:
    """Keep what precedes the networks of a seed; with one fold, all seeds share it."""
    own = seed if session.folds > 1 else None
    counts = sorted({recipe.examples for recipe in session.recipes.values() if recipe.examples is not None})
    if not has_inputs(store, own, counts):
        save_inputs(store, session.dataset, session.fold(seed), own, counts)
