"""From a study and a data set to a finished study directory: the one place that holds the test set."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

import numpy as np

from wellfit.analysis.metrics import accuracy, log_loss
from wellfit.base import Dataset, RunSpec, TrainingData
from wellfit.data.audits import audit
from wellfit.data.splits import make_splits, training_data
from wellfit.engine import devices
from wellfit.engine.checks import check_data
from wellfit.engine.plan import Plan, Population, make_plan
from wellfit.engine.train import Epoch, Snapshot, Trainer, predict_proba
from wellfit.study.provenance import provenance
from wellfit.study.spec import StudySpec, resolved, runs
from wellfit.study.store import Store, create_or_open, fresh

__all__ = ["Interrupted", "Outlook", "Tick", "run_study"]

CHECKPOINT_SECONDS: Final = 30.0


class Interrupted(KeyboardInterrupt):
    """The study was interrupted between two epochs, and everything up to there was saved."""


@dataclass(frozen=True)
class Outlook:
    """What is about to happen.

    Args:
      plan: what is to be trained now; runs that are in the store already are not in it.
      done: runs that are in the store already.
      examples: training, validation and test examples.
      devices: over how many devices a population is spread.
      seconds: forecast of the training time.
    """

    plan: Plan
    done: int
    examples: tuple[int, int, int]
    devices: int
    seconds: float


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
    splits = make_splits(dataset.y_train, validation=spec.data.validation, seed=spec.data.split_seed)
    data = training_data(dataset, splits, spec.data.scale)
    on = devices.mesh()
    wanted = runs(spec)
    check_data(data)
    plan = _plan(wanted, data, on.size)  # raises before anything is written
    if anew:
        fresh(directory)
    facts = provenance(dataset, splits, command)
    with create_or_open(directory, resolved(spec), provenance=facts) as store:
        todo = _missing(plan, store.finished(), data, on.size)
        if on_plan is not None:
            sizes = (len(data.x_train), len(data.x_validation), len(dataset.x_test))
            on_plan(Outlook(todo, plan.runs - todo.runs, sizes, on.size, forecast(todo, len(data.x_train), on.size)))
        store.save_findings(audit(dataset, splits))
        store.save_labels(dataset.y_test, dataset.classes)
        _train(todo, Trainer(data, on), store, on_tick)
        _open_test_set(store, dataset, data, on_tick)


def forecast(plan: Plan, examples: int, on: int) -> float:
    """Forecast the seconds that a plan will take: arithmetic at this machine's rate, steps' overhead, compilation.

    Args:
      plan: what is to be trained.
      examples: training examples.
      on: how many devices train it.
    """
    arithmetic = plan.work / (devices.product_rate() * on * devices.ATTAINED)
    steps = sum(
        trajectory.epochs * examples / population.program.batch_size
        for population in plan.populations
        for trajectory in population.trajectories
    )
    return arithmetic + devices.STEP_SECONDS * steps / on + devices.COMPILE_SECONDS * plan.programs


def _plan(wanted: Sequence[RunSpec], data: TrainingData, on: int) -> Plan:
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    return make_plan(wanted, data.input_shape, data.classes, sizes, on)


def _missing(plan: Plan, finished: set[tuple[str, int]], data: TrainingData, on: int) -> Plan:
    """What of a plan is still to be trained.

    A population of which nothing is finished stays as it was planned, so that a resumed study has the same programs,
    and the same bits, as one that was never stopped.
    """

    def missing(population: Population) -> list[RunSpec]:
        specs = [readout.run for t in population.trajectories for readout in t.readouts]
        return [run for run in specs if (run.variant, run.seed) not in finished]

    todo = [run for population in plan.populations for run in missing(population)]
    return plan if len(todo) == plan.runs else _plan(todo, data, on)


def _train(plan: Plan, trainer: Trainer, store: Store, on_tick: Callable[[Tick], None] | None) -> None:
    """Train every population, save its records, and leave a checkpoint behind where it is interrupted."""
    total = sum(p.epochs for population in plan.populations for p in population.trajectories) or 1
    before = 0
    with _interruptible() as interrupted:
        for population in plan.populations:
            saved = time.monotonic()

            def after_epoch(epoch: Epoch, population: Population = population, before: int = before) -> None:
                nonlocal saved
                store.add_seconds(epoch.seconds)
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

            records = trainer.train(population, _checkpoint(store, population), after_epoch)
            store.save(records)
            store.drop_checkpoint(population.name)
            before += sum(t.epochs for t in population.trajectories)
            if interrupted():
                raise Interrupted


def _identity(population: Population) -> str:
    """Two populations with the same identity can continue each other's checkpoints."""
    program = population.program
    return repr(
        (program.model, program.optimizer, program.batch_size, program.width, sorted(program.uses), population.groups)
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
