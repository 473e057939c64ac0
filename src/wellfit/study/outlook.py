"""What a study will take: its data prepared, its runs planned, its time forecast, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from jax.sharding import Mesh

from wellfit.base import Dataset, ModelSpec, RunSpec, Splits, TrainingData
from wellfit.data.splits import make_splits, training_data
from wellfit.data.subsets import thinned
from wellfit.engine import devices, machine
from wellfit.engine.checks import check_data
from wellfit.engine.plan import Costs, Plan, is_small, make_plan
from wellfit.engine.precision import in_words, resolve
from wellfit.errors import OtherStudyError, StudyFileError
from wellfit.spec.identity import spec_conflicts
from wellfit.spec.study import StudySpec, recipes, resolved, runs
from wellfit.store import holds_study, open_existing
from wellfit.study.forecasts import forecast, has_convolution, memory_of
from wellfit.study.growing import NOTHING_HELD, Held, Work, held, plan_work

__all__ = [
    "Choices",
    "Outlook",
    "Prepared",
    "choices_of",
    "foresee",
    "look_into",
    "prepare",
    "to_json",
]

_WORTH_MEASURING: Final = 2e13
"""Operations from which on a study pays for measuring the machine first: a minute or two of work."""


@dataclass(frozen=True)
class Choices:
    """What a plan depends on beside the study: kept in the store at the first plan, and used when it is continued.

    A study that was interrupted goes on with its programs and its bits, also where the machine's measurements were
    lost, and no study has runs of two precisions.

    Args:
      costs: of the widths that groups may have.
      precision: of the matrix products, as ``resolve`` answers for a network without convolutions.
    """

    costs: Costs
    precision: str


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
      continued: trajectories that go on where they ended, with fewer epochs, before.
      saved: epochs of these trajectories that are not trained again.
      anew: why -> how many trajectories of runs that the store has with fewer epochs are trained anew.
    """

    plan: Plan
    done: int
    data: str
    examples: tuple[int, int, int]
    devices: int
    precision: str
    seconds: float
    memory: int
    continued: int = 0
    saved: int = 0
    anew: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A study whose data are split and whose runs are planned.

    Args:
      spec: the study.
      dataset: its data, or the share of them that it asks for.
      splits, data: what trains and what validates.
      on: the devices.
      choices: what the plan depends on beside all this.
      plan: of all runs, also of those that a store may hold already.
    """

    spec: StudySpec
    dataset: Dataset
    splits: Splits
    data: TrainingData
    on: Mesh
    choices: Choices
    plan: Plan

    @property
    def examples(self) -> dict[str, int]:
        """How many examples train, are scored of those after every epoch, validate, and test."""
        data = self.data
        counts = len(data.x_train), len(data.sample), len(data.x_validation), len(self.dataset.y_test)
        return dict(zip(("training", "sample", "validation", "test"), counts, strict=True))

    @property
    def precision(self) -> str:
        """The precision of the matrix products, in words."""
        return in_words({population.program.precision for population in self.plan.populations})

    @property
    def precision_here(self) -> str:
        """The same, with what is to be said of it on this machine."""
        slow = self.spec.precision == "auto" and self.choices.precision == "mixed" and _automatic() == "float32"
        return (
            f"{self.precision}, as this study began, though this machine gains nothing by it"
            if slow
            else self.precision
        )

    def missing(self, held: Held) -> Work:
        """What is still to be trained, where a store holds runs already."""

        def planned(wanted: Sequence[RunSpec]) -> Plan:
            return _plan(self.spec, wanted, self.data, self.on.size, self.choices)

        return plan_work(self.spec, self.plan, held, planned)

    def outlook(self, work: Work) -> Outlook:
        """What it takes to train what is missing."""
        train = len(self.data.x_train)
        todo = work.plan
        return Outlook(
            plan=todo,
            done=len(work.done & {(run.variant, run.seed) for run in runs(self.spec)}),
            data=f"{self.dataset.title} ({self.dataset.source})",
            examples=(train, len(self.data.x_validation), len(self.dataset.y_test)),
            devices=self.on.size,
            precision=self.precision_here,
            seconds=forecast(todo, train, self.on.size, work),
            memory=memory_of(todo),
            continued=len(work.begins),
            saved=work.saved,
            anew=work.anew,
        )


def prepare(spec: StudySpec, dataset: Dataset, choices: Choices | None = None) -> Prepared:
    """Split a study's data and plan its runs.

    Args:
      spec: the study.
      dataset: its data, all of them.
      choices: those of the study so far; made now where it is new.

    Raises:
      StudyFileError, ShapeError: the study does not fit the data, or the share of them that it keeps.
      DataError: the data cannot be split as asked.
    """
    dataset = thinned(dataset, spec.data.train_share, spec.data.split_seed)
    splits = make_splits(dataset.y_train, validation=spec.data.validation, seed=spec.data.split_seed)
    data = training_data(dataset, splits, spec.data.scale)
    on = devices.mesh()
    wanted = runs(spec)
    check_data(data)
    _check_share(spec, len(data.x_train))
    chosen = choices or Choices(((1, 1.0),), _precision(spec, data))
    plan = _plan(spec, wanted, data, on.size, chosen)
    if choices is None and plan.work > _WORTH_MEASURING:
        chosen = replace(chosen, costs=machine.group_costs())
        plan = _plan(spec, wanted, data, on.size, chosen)
    return Prepared(spec, dataset, splits, data, on, chosen, plan)


def _check_share(spec: StudySpec, examples: int) -> None:
    """Refuse a batch that is too large for the share of the data that is kept, and say so: --quick keeps a quarter."""
    share = spec.data.train_share
    for name, recipe in recipes(spec).items():
        if share < 1 and recipe.batch_size > examples:
            raise StudyFileError(
                f"batch_size = {recipe.batch_size} of variant {name!r} is larger than the training split of {examples} "
                f"examples, as {100 * share:g} % of the data are kept (by --quick, or data.train_share); to keep all: "
                "--set data.train_share=1"
            )


def choices_of(held: Held) -> Choices | None:
    """The choices that a store remembers; None where it has none.

    Example:
      >>> choices_of(Held(choices={"costs": [[1, 1.0], [4, 0.8]], "precision": "mixed"}))
      Choices(costs=((1, 1.0), (4, 0.8)), precision='mixed')
    """
    if held.choices is None:
        return None
    return Choices(tuple((int(width), float(cost)) for width, cost in held.choices["costs"]), held.choices["precision"])


def look_into(spec: StudySpec, directory: Path) -> Held:
    """What a study directory holds of a study, before it is opened for writing; nothing where there is none.

    Raises:
      OtherStudyError, StoreUnreadableError: the directory holds another study, or cannot be read.
    """
    if not holds_study(directory):
        return NOTHING_HELD
    with open_existing(directory) as store:
        conflict = spec_conflicts(store.runs.trained_study(), resolved(spec), growing=True)
        if conflict is not None:
            mend = "choose another directory with --out, or throw it away with --fresh"
            raise OtherStudyError(f"{directory}: holds another study: {conflict}; {mend}")
        return held(store, spec)


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
      >>> from wellfit.spec.study import load_study
      >>> foresee(load_study("regularization/l2", seeds=2), load_dataset("digits")).plan.runs
      14
    """
    found = NOTHING_HELD if directory is None else look_into(spec, directory)
    ready = prepare(spec, dataset, choices_of(found))
    return ready.outlook(ready.missing(found))


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
        "continued": outlook.continued,
        "saved_epochs": outlook.saved,
        "anew": dict(outlook.anew),
    }


def _automatic() -> str:
    """What ``"auto"`` is on this machine for networks without convolutions."""
    return resolve("auto", ModelSpec("logistic", ()))


def _precision(spec: StudySpec, data: TrainingData) -> str:
    """A precision for the whole study, or its variants would differ in that too."""
    if spec.precision != "auto":
        return spec.precision
    return "float32" if is_small(data.input_shape, len(data.x_train)) else _automatic()


def _plan(spec: StudySpec, wanted: Sequence[RunSpec], data: TrainingData, on: int, choices: Choices) -> Plan:
    """Runs that train on other examples or labels are planned apart: they share no batches."""
    apart: dict[tuple[int, float, str], list[RunSpec]] = {}
    for run in wanted:
        examples = run.recipe.examples or len(data.x_train)
        if examples > len(data.x_train):
            raise StudyFileError(
                f"variant {run.variant!r} wants {examples} training examples, and the training split has "
                f"{len(data.x_train)}; choose at most that"
            )
        slow = spec.precision == "auto" and has_convolution(run.recipe.model)  # see ``resolve``
        precision = "float32" if slow else choices.precision
        apart.setdefault((examples, run.recipe.label_noise, precision), []).append(run)
    plans = []
    for (examples, _, precision), together in apart.items():
        sizes = (examples, len(data.x_validation), min(examples, len(data.sample)))
        room = machine.memory()
        plans.append(make_plan(together, data.input_shape, data.classes, sizes, on, precision, choices.costs, room))
    return Plan(
        tuple(population for plan in plans for population in plan.populations),
        len(wanted),
        tuple(sorted({n for plan in plans for n in plan.parameters}, reverse=True)),
        sum(plan.work for plan in plans),
        max((plan.memory for plan in plans), default=0),
    )
