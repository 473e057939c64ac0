"""From a study and a data set to a finished study directory: the one place that holds the test set."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any, Final

import numpy as np

from wellfit.analysis.metrics import accuracy, log_loss
from wellfit.base import Dataset, TrainingData
from wellfit.data.audits import audit
from wellfit.data.subsets import subset
from wellfit.engine import machine
from wellfit.engine.plan import Plan, Population
from wellfit.engine.train import Epoch, Snapshot, Trainer, predict_proba
from wellfit.study.outlook import Outlook, Prepared, prepare, recipe_of
from wellfit.study.provenance import provenance
from wellfit.study.spec import StudySpec, resolved
from wellfit.study.store import Store, create_or_open, fresh

__all__ = ["Interrupted", "Outlook", "Tick", "run_study"]

CHECKPOINT_SECONDS: Final = 30.0


class Interrupted(KeyboardInterrupt):
    """The study was interrupted between two epochs, and everything up to there was saved."""


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
    on_plan: Callable[[Outlook], None] | None = None,
    on_tick: Callable[[Tick], None] | None = None,
) -> None:
    """Train what is missing of a study, then open the test set once and evaluate every new run on it.

    Args:
      spec: the study.
      dataset: its data.
      directory: the study directory; made if it does not exist, continued if it holds this study.
      command: what the user typed, for the report.
      anew: throw away what the directory holds of this or another study first.
      on_plan: is told what will happen, before anything is trained.
      on_tick: is told after every epoch.

    Raises:
      StudyFileError, ShapeError: the study does not fit the data; nothing was written.
      DataError: the data cannot be split as asked.
      StoreError: the directory cannot be used.
      Interrupted: Ctrl-C was pressed, or SIGTERM came; the study can be continued.
    """
    ready = prepare(spec, dataset)  # raises before anything is written
    if anew:
        fresh(directory)
    facts = provenance(ready.dataset, ready.splits, command, ready.precision)
    with create_or_open(directory, resolved(spec), provenance=facts) as store:
        todo = ready.missing(store.finished())
        if on_plan is not None:
            on_plan(ready.outlook(todo))
        store.save_findings(audit(ready.dataset, ready.splits))
        store.save_labels(dataset.y_test, dataset.classes)
        _train(todo, _trainers(ready), store, on_tick)
        _open_test_set(store, dataset, ready.data, on_tick)


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
    plan: Plan, trainer: Callable[[Population], Trainer], store: Store, on_tick: Callable[[Tick], None] | None
) -> None:
    """Train every population, save its records, and leave a checkpoint behind where it is interrupted."""
    total = sum(p.epochs for population in plan.populations for p in population.trajectories) or 1
    before = 0
    with _interruptible() as interrupted:
        for population in plan.populations:
            saved = time.monotonic()
            steady: list[tuple[int, float]] = []  # examples and seconds of every epoch; the first compiles

            def after_epoch(
                epoch: Epoch,
                population: Population = population,
                before: int = before,
                steady: list[tuple[int, float]] = steady,
            ) -> None:
                nonlocal saved
                store.add_seconds(epoch.seconds)
                steady.append((epoch.examples, epoch.seconds))
                if on_tick is not None:
                    done = sum(min(epoch.number, t.epochs) for t in population.trajectories)
                    on_tick(Tick(epoch.number, epoch.epochs, epoch.active, epoch.examples, (before + done) / total))
                if epoch.active and (interrupted() or time.monotonic() - saved > CHECKPOINT_SECONDS):
                    snapshot = epoch.snapshot()
                    store.save_checkpoint(
                        population.name, snapshot.arrays, {**snapshot.meta, "of": _identity(population)}
                    )
                    saved = time.monotonic()
                if interrupted() and epoch.active:
                    raise Interrupted

            with_data = trainer(population)
            records = with_data.train(population, _checkpoint(store, population), after_epoch)
            examples, seconds = (sum(column) for column in zip((0, 0.0), *steady[1:], strict=True))
            machine.learn(population, examples // len(with_data.data.x_train), seconds)
            store.save(records)
            store.drop_checkpoint(population.name)
            before += sum(t.epochs for t in population.trajectories)
            if interrupted():
                raise Interrupted


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
    found = store.load_checkpoint(population.name)
    if found is None or found[1].get("of") != _identity(population):
        return None
    return Snapshot(*found)


@contextlib.contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C, or SIGTERM, into a wish that is granted after the epoch; the second ends it at once."""
    pressed: list[bool] = []
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return

    def note(signum: int, frame: FrameType | None) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(True)

    before = {wish: signal.signal(wish, note) for wish in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(pressed)
    finally:
        for wish, handler in before.items():
            signal.signal(wish, handler)


def _open_test_set(store: Store, dataset: Dataset, data: TrainingData, on_tick: Callable[[Tick], None] | None) -> None:
    """Evaluate every run that has not been evaluated on the test set, at its readout."""
    tested = store.tests()
    todo = [r for r in store.records() if r.readout_epoch and (r.spec.variant, r.spec.seed) not in tested]
    if not todo:
        return
    if on_tick is not None:
        on_tick(Tick(0, 0, len(todo), 0, 1.0))
    store.mark_test_opened()
    programs: dict[Any, Callable[..., Any]] = {}
    for record in todo:
        variant, seed = record.spec.variant, record.spec.seed
        probabilities = predict_proba(
            record.spec.recipe.model, store.weights(variant, seed), dataset.x_test, data.classes, data.scaling, programs
        )
        store.save_test(
            variant,
            seed,
            probabilities,
            accuracy(probabilities, dataset.y_test),
            log_loss(probabilities.astype(np.float64), dataset.y_test),  # float32 would be cut at 1e-7
        )
