"""What a study will take: its data prepared, its runs planned, its time forecast, before anything is trained."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jax.sharding import Mesh

from wellfit.base import Dataset, Recipe, RunSpec, Splits, TrainingData
from wellfit.data.splits import make_splits, training_data
from wellfit.data.subsets import thinned
from wellfit.engine import devices, machine
from wellfit.engine.checks import check_data
from wellfit.engine.plan import Costs, Plan, Population, is_small, make_plan
from wellfit.engine.precision import in_words
from wellfit.errors import OtherStudyError, StudyFileError
from wellfit.nn.models import layer_specs
from wellfit.study.identity import spec_conflicts
from wellfit.study.spec import StudySpec, resolved, runs
from wellfit.study.store import open_existing

__all__ = ["Outlook", "Prepared", "forecast", "foresee", "prepare", "recipe_of", "to_json"]

_WORTH_MEASURING: Final = 2e13
"""Operations from which on a study pays for measuring the machine first: a minute or two of work."""


@dataclass(frozen=True)
class Outlook:
    """What is about to happen.

    Args:
      plan: what is to be trained now; runs that are in the store already are not in it.
      done: runs that are in the store already.
      data: title and source of the data.
      examples: training, validation and test examples.
      devices: over how many devices a population is spread.
      precision: of the matrix products, in words.
      seconds: forecast of the training time.
      memory: forecast of the process's largest memory, in bytes.
    """

    plan: Plan
    done: int
    data: str
    examples: tuple[int, int, int]
    devices: int
    precision: str
    seconds: float
    memory: int


@dataclass(frozen=True, eq=False)
class Prepared:
    """A study whose data are split and whose runs are planned.

    Args:
      spec: the study.
      dataset: its data, or the share of them that it asks for.
      splits, data: what trains and what validates.
      on: the devices.
      costs: of the widths that groups may have on this machine.
      plan: of all runs, also of those that a store may hold already.
    """

    spec: StudySpec
    dataset: Dataset
    splits: Splits
    data: TrainingData
    on: Mesh
    costs: Costs
    plan: Plan

    @property
    def precision(self) -> str:
        """The precision of the matrix products, in words."""
        return in_words({population.program.precision for population in self.plan.populations})

    def missing(self, finished: Collection[tuple[str, int]]) -> Plan:
        """What is still to be trained, where the runs of these variants and seeds are finished.

        A population of which nothing is finished stays as it was planned, so that a resumed study has the same
        programs, and the same bits, as one that was never stopped.
        """
        # in the order of the study, not of the waves: the same runs in another order would be planned otherwise
        todo = [run for run in runs(self.spec) if (run.variant, run.seed) not in finished]
        return self.plan if len(todo) == self.plan.runs else _plan(self.spec, todo, self.data, self.on.size, self.costs)

    def outlook(self, todo: Plan) -> Outlook:
        """What it takes to train ``todo``, a part of the plan."""
        train = len(self.data.x_train)
        return Outlook(
            plan=todo,
            done=self.plan.runs - todo.runs,
            data=f"{self.dataset.title} ({self.dataset.source})",
            examples=(train, len(self.data.x_validation), len(self.dataset.y_test)),
            devices=self.on.size,
            precision=self.precision,
            seconds=forecast(todo, train, self.on.size),
            memory=_bytes(todo),
        )


def prepare(spec: StudySpec, dataset: Dataset) -> Prepared:
    """Split a study's data and plan its runs.

    Args:
      spec: the study.
      dataset: its data, all of them.

    Raises:
      StudyFileError, ShapeError: the study does not fit the data.
      DataError: the data cannot be split as asked.
    """
    dataset = thinned(dataset, spec.data.train_share, spec.data.split_seed)
    splits = make_splits(dataset.y_train, validation=spec.data.validation, seed=spec.data.split_seed)
    data = training_data(dataset, splits, spec.data.scale)
    on = devices.mesh()
    wanted = runs(spec)
    check_data(data)
    costs: Costs = ((1, 1.0),)
    plan = _plan(spec, wanted, data, on.size, costs)
    if plan.work > _WORTH_MEASURING:
        costs = machine.machine().costs
        plan = _plan(spec, wanted, data, on.size, costs)
    return Prepared(spec, dataset, splits, data, on, costs, plan)


def foresee(spec: StudySpec, dataset: Dataset, directory: Path | None = None) -> Outlook:
    """What ``run_study`` would tell of its plan; nothing of the study is trained or written.

    A large study on a machine that was never measured has that done first, as ``run_study`` would; it is kept in
    wellfit's cache folder.

    Args:
      spec: the study.
      dataset: its data.
      directory: the study directory, whose finished runs would not be trained again; None if it would be emptied.

    Raises:
      StudyFileError, ShapeError, DataError: as ``prepare``.
      OtherStudyError, StoreUnreadableError: the directory holds another study, or cannot be read.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> from wellfit.study.spec import load_study
      >>> foresee(load_study("regularization/l2", seeds=2), load_dataset("digits")).plan.runs
      14
    """
    ready = prepare(spec, dataset)
    finished: set[tuple[str, int]] = set()
    if directory is not None and (directory / "study.db").is_file():
        with open_existing(directory) as store:
            finished, conflict = store.finished(), spec_conflicts(store.study(), resolved(spec))
        if conflict is not None:
            mend = "choose another directory with --out, or throw it away with --fresh"
            raise OtherStudyError(f"{directory}: holds another study: {conflict}; {mend}")
    return ready.outlook(ready.missing(finished))


def forecast(plan: Plan, examples: int, on: int) -> float:
    """Forecast the seconds that a plan will take: arithmetic at this machine's rate, steps' overhead, compilation.

    Args:
      plan: what is to be trained.
      examples: training examples of a run that does not ask for fewer.
      on: how many devices train it.
    """
    return sum(_seconds(population, examples, on) for population in plan.populations)


def _seconds(population: Population, examples: int, on: int) -> float:
    """A population's share: what its program attained here last time, or what programs like it attain."""
    program = population.program
    rate = machine.attained(program)
    if rate is not None:
        return population.work / rate + devices.START_SECONDS
    images = any(layer.kind == "conv2d" for layer in layer_specs(program.model, 2))
    share = devices.ATTAINED_BY_CONVOLUTIONS if images else devices.ATTAINED
    steps = (recipe_of(population).examples or examples) / program.batch_size
    overhead = devices.STEP_SECONDS * steps * sum(t.epochs for t in population.trajectories)
    compiling = devices.COMPILE_SECONDS * (3 if images else 1)
    return (population.work / (devices.product_rate() * share) + overhead) / on + compiling


def _bytes(plan: Plan) -> int:
    """Forecast of the process's memory: what it has now, the plan's arrays, compiled programs and their room."""
    known = all(machine.attained(population.program) for population in plan.populations)
    return devices.resident() + plan.memory + (devices.ROOM_BYTES if known else 2 * devices.ROOM_BYTES)


def to_json(outlook: Outlook, spec: StudySpec, directory: Path, version: str) -> dict[str, Any]:
    """The form that ``wellfit plan --json`` prints: plain data; the memory is in bytes."""
    plan = outlook.plan
    return {
        "wellfit": version,
        "study": {"name": spec.name, "title": spec.title, "data": outlook.data, "directory": str(directory)},
        "examples": dict(zip(("training", "validation", "test"), outlook.examples, strict=True)),
        "seeds": list(spec.seeds),
        "epochs": spec.base.epochs,
        "runs": plan.runs,
        "done": outlook.done,
        "trajectories": plan.trajectories,
        "programs": plan.programs,
        "devices": outlook.devices,
        "parameters": list(plan.parameters),
        "precision": {"asked": spec.precision, "chosen": outlook.precision},
        "seconds": outlook.seconds,
        "memory": outlook.memory,
    }


def _plan(spec: StudySpec, wanted: Sequence[RunSpec], data: TrainingData, on: int, costs: Costs) -> Plan:
    """Runs that train on other examples or labels are planned apart: they share no batches."""
    apart: dict[tuple[int, float], list[RunSpec]] = {}
    for run in wanted:
        examples = run.recipe.examples or len(data.x_train)
        if examples > len(data.x_train):
            raise StudyFileError(
                f"variant {run.variant!r} wants {examples} training examples, and the training split has "
                f"{len(data.x_train)}; choose at most that"
            )
        apart.setdefault((examples, run.recipe.label_noise), []).append(run)
    # a precision for the whole study, or its variants would differ in that too
    small = spec.precision == "auto" and is_small(data.input_shape, len(data.x_train))
    precision = "float32" if small else spec.precision
    plans = []
    for (examples, _), together in apart.items():
        sizes = (examples, len(data.x_validation), min(examples, len(data.sample)))
        room = machine.memory()
        plans.append(make_plan(together, data.input_shape, data.classes, sizes, on, precision, costs, room))
    return Plan(
        tuple(population for plan in plans for population in plan.populations),
        len(wanted),
        tuple(sorted({n for plan in plans for n in plan.parameters}, reverse=True)),
        sum(plan.work for plan in plans),
        max((plan.memory for plan in plans), default=0),
    )


def recipe_of(population: Population) -> Recipe:
    """A recipe of a population's; in the examples and the labels that they train on, all of them are alike."""
    return population.trajectories[0].readouts[0].run.recipe
