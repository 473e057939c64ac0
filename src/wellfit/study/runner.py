"""From a study and a data set to a finished study directory: the one place that holds the test set."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from wellfit.analysis.metrics import accuracy, log_loss
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Dataset, TrainingData
from wellfit.data.audits import audit
from wellfit.data.subsets import subset
from wellfit.engine import machine
from wellfit.engine.ends import End
from wellfit.engine.plan import Population
from wellfit.engine.train import Epoch, Trainer, predict_proba
from wellfit.engine.waves import Snapshot
from wellfit.spec.study import StudySpec, resolved
from wellfit.store import Store, create_or_open, fresh
from wellfit.study.forecasts import recipe_of
from wellfit.study.growing import NOTHING_HELD, Work, held
from wellfit.study.interrupts import Interrupted, Wish, interruptible
from wellfit.study.keepsakes import keep
from wellfit.study.outlook import Outlook, Prepared, choices_of, look_into, prepare
from wellfit.study.planned_looks import begin_look, check_seeds, take_look
from wellfit.study.provenance import provenance

__all__ = ["Interrupted", "Outlook", "Tick", "run_study"]

CHECKPOINT_SECONDS: Final = 30.0
"""How much training may be lost, besides the epoch at work: checkpoints are taken where epochs end, and only there."""


@dataclass(frozen=True)
class Tick:
    """How far a study is, after an epoch or when the test set is opened.

    Args:
      epoch, epochs: of the population at work; both 0 while the test set is evaluated.
      active: runs that still train in it.
      examples: training examples that its trajectories went through in this epoch.
      share: of the whole work, from 0 to 1.
    """

    epoch: int
    epochs: int
    active: int
    examples: int
    share: float


def run_study(
    spec: StudySpec,
    dataset: Dataset,
    directory: Path,
    *,
    command: str = "",
    anew: bool = False,
    look: InterimAnalysis | None = None,
    on_plan: Callable[[Outlook], None] | None = None,
    on_tick: Callable[[Tick], None] | None = None,
) -> None:
    """Train what is missing of a study, then open the test set once and evaluate every new run on it.

    A study with more epochs than the directory holds goes on where its trajectories ended; see ``growing``.

    Args:
      spec: the study.
      dataset: its data.
      directory: the study directory; made if it does not exist, continued if it holds this study.
      command: what the user typed, for the report.
      anew: throw away what the directory holds of this or another study first.
      look: which of the planned looks at the study this is, where seeds are added until it is decided.
      on_plan: is told what will happen, before anything is trained.
      on_tick: is told after every epoch.

    Raises:
      StudyFileError, ShapeError: the study does not fit the data, or its looks; nothing was written.
      DataError: the data cannot be split as asked.
      StoreError: the directory cannot be used.
      Interrupted: Ctrl-C was pressed, or SIGTERM came; the study can be continued.
    """
    found = NOTHING_HELD if anew else look_into(spec, directory)
    if not anew:
        check_seeds(directory, spec, look)
    ready = prepare(spec, dataset, choices_of(found))  # raises before anything is written
    if anew:
        fresh(directory)
    facts = provenance(ready.dataset, ready.splits, command, ready.precision)
    with create_or_open(directory, resolved(spec), provenance=facts) as store:
        if found.choices is None:
            store.metadata.write_note("choices", asdict(ready.choices))
        store.metadata.write_note("examples", ready.examples)
        if look is not None:
            begin_look(store, look)
        work = ready.missing(held(store, spec))
        if on_plan is not None:
            on_plan(ready.outlook(work))
        store.metadata.save_findings(audit(ready.dataset, ready.splits))
        store.keepsakes.save_labels(dataset.y_test, dataset.classes)
        _train(work, _trainers(ready), store, on_tick)
        if store.runs.is_complete():
            store.checkpoints.drop_all()
        _open_test_set(store, dataset, ready.data, None if look is None else spec.seeds, on_tick)
        keep(store, ready, dataset)
        if look is not None:
            take_look(store, look, spec.seeds)


def _trainers(ready: Prepared) -> Callable[[Population], Trainer]:
    """The trainer of a population; those that train on the same examples and labels stand in a row, and share one."""

    @lru_cache(maxsize=1)
    def trainer(examples: int | None, label_noise: float) -> Trainer:
        return Trainer(subset(ready.data, examples, label_noise, ready.spec.data.split_seed), ready.on)

    def of(population: Population) -> Trainer:
        recipe = recipe_of(population)
        return trainer(recipe.examples, recipe.label_noise)

    return of


def _train(
    work: Work, trainer: Callable[[Population], Trainer], store: Store, on_tick: Callable[[Tick], None] | None
) -> None:
    """Train every population, save its records, and leave a checkpoint behind where it is interrupted."""
    total = sum(work.left(population) for population in work.plan.populations) or 1
    before = 0
    with interruptible() as wish:
        for population in work.plan.populations:

            def tell(epoch: Epoch, population: Population = population, before: int = before) -> None:
                if on_tick is not None:
                    done = work.gone(population, epoch.number)
                    share = min(1.0, (before + done) / total)
                    on_tick(Tick(epoch.number, epoch.epochs, epoch.active, epoch.examples, share))

            _train_population(population, work, trainer(population), store, tell, wish)
            before += work.left(population)
            if wish.made:
                raise Interrupted("Everything up to the last epoch is saved")


def _train_population(
    population: Population, work: Work, trainer: Trainer, store: Store, tell: Callable[[Epoch], None], wish: Wish
) -> None:
    """Train a population from where it is, and save its records and the ends of its trajectories."""
    saved = time.monotonic()
    epochs: list[tuple[int, float]] = []  # examples and seconds; the first compiles
    last: list[Epoch] = []

    def after_epoch(epoch: Epoch) -> None:
        nonlocal saved
        store.metadata.add_seconds(epoch.seconds)
        epochs.append((epoch.examples, epoch.seconds))
        last[:] = [epoch]
        store.progress.write(epoch.rows)
        tell(epoch)
        if epoch.active and (wish.made or time.monotonic() - saved > CHECKPOINT_SECONDS):
            snapshot = epoch.snapshot()
            store.checkpoints.save(population.name, snapshot.arrays, {**snapshot.meta, "of": _identity(population)})
            saved = time.monotonic()
        if wish.made and epoch.active:
            raise Interrupted("Everything up to the last epoch is saved")

    def before_wave() -> None:
        if wish.impatient:
            raise Interrupted("The epoch at work was left; the runs and the checkpoint saved last are kept")

    start = _checkpoint(store, population)
    ends = {} if start is not None else {t.name: _end(store, work, t.name) for t in population.trajectories
                                         if t.name in work.begins}  # fmt: skip
    records = trainer.train(population, start, after_epoch, before_wave, ends)
    examples, seconds = (sum(column) for column in zip((0, 0.0), *epochs[1:], strict=True))
    machine.learn(population, examples // len(trainer.data.x_train), seconds)
    ended = (
        (end.name, end.arrays, {**end.facts, "population": population.name})
        for end in (last[0].ends() if last else ())
        if work.begins.get(end.name) != end.epoch
    )
    store.runs.save([r for r in records if (r.spec.variant, r.spec.seed) not in work.done], final_states=ended)
    store.checkpoints.drop(population.name)
    store.progress.drop()


def _end(store: Store, work: Work, name: str) -> End:
    facts = work.ends[name]
    return End(name, facts["epoch"], store.final_states.load(facts), facts)


def _identity(population: Population) -> str:
    """Two populations with the same identity can continue each other's checkpoints."""
    program = population.program
    return repr(
        (
            *(program.model, program.optimizer, program.batch_size, program.precision, program.width, program.groups),
            *(sorted(program.uses), population.groups),
        )
    )


def _checkpoint(store: Store, population: Population) -> Snapshot | None:
    found = store.checkpoints.load(population.name)
    if found is None or found[1].get("of") != _identity(population):
        return None
    return Snapshot(*found)


def _open_test_set(
    store: Store,
    dataset: Dataset,
    data: TrainingData,
    seeds: Collection[int] | None,
    on_tick: Callable[[Tick], None] | None,
) -> None:
    """Evaluate every run, or those of a look's seeds, that has not been evaluated on the test set, at its readout."""
    tested = store.runs.test_scores()
    todo = [r for r in store.runs.records() if r.readout_epoch and (r.spec.variant, r.spec.seed) not in tested]
    todo = [r for r in todo if seeds is None or r.spec.seed in seeds]
    if not todo:
        return
    if on_tick is not None:
        on_tick(Tick(0, 0, len(todo), 0, 1.0))
    store.metadata.mark_test_opened()
    programs: dict[Any, Callable[..., Any]] = {}
    for record in todo:
        variant, seed = record.spec.variant, record.spec.seed
        probabilities = predict_proba(
            record.spec.recipe.model,
            store.runs.weights(variant, seed),
            dataset.x_test,
            data.classes,
            data.scaling,
            programs,
        )
        store.runs.save_test(
            variant,
            seed,
            probabilities,
            accuracy(probabilities, dataset.y_test),
            log_loss(probabilities.astype(np.float64), dataset.y_test),  # float32 would be cut at 1e-7
        )
