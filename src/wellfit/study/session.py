"""What a command knows about its study: every part is computed once, when it is first needed, and then kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jax.sharding import Mesh

from wellfit.base import Dataset, Preparation, Recipe, RunSpec, Splits, TrainingData
from wellfit.data.facts import Facts, data_facts, data_line
from wellfit.data.preparation import binary_features, fit_preparation, prepare, prepared_dataset
from wellfit.data.splits import split_of, training_data
from wellfit.data.subsets import thinned
from wellfit.engine import devices, programs
from wellfit.engine.plan import Plan
from wellfit.engine.precision import in_words
from wellfit.engine.validation import check_data
from wellfit.errors import OtherStudyError, StoreUnreadableError, StudyFileError
from wellfit.spec.identity import default_directory, spec_conflicts
from wellfit.spec.study import StudySpec, recipes, resolved
from wellfit.store import open_existing, open_if_begun
from wellfit.study.growth import NOTHING_STORED, Remaining, Stored, read_stored, remaining_work
from wellfit.study.planning import (
    Choices,
    automatic_precision,
    choose_and_plan,
    memory_of,
    memory_to_read,
    plan_runs,
    seconds_of,
)
from wellfit.study.provenance import continued_elsewhere, machine_facts

__all__ = ["Forecast", "Session", "directory_of", "to_json"]


@dataclass(frozen=True)
class Forecast:
    """What a study is about to train, and what that will take.

    Args:
      plan: the runs to train; runs that the study directory holds already are not among them.
      done: runs that the study directory holds already.
      title: the study's question.
      data: title and source of the data.
      facts: what was decided about the data, as pairs of a short name and a text.
      cautions: what is unusual about this machine, in sentences without a full stop.
      examples: training, validation and test examples.
      epochs: of the base recipe.
      devices: the number of devices that train a population.
      precision: of the matrix products, in words.
      seconds: forecast of the training time.
      memory: forecast of the peak memory of the process, in bytes.
      continued: trainings that continue where they ended with fewer epochs.
      saved: epochs of these trainings that are not repeated.
      restarted: reason -> the number of trainings that start over although the store has them with fewer epochs.
    """

    plan: Plan
    done: int
    title: str
    data: str
    examples: tuple[int, int, int]
    epochs: int
    devices: int
    precision: str
    seconds: float
    memory: int
    continued: int = 0
    saved: int = 0
    restarted: Mapping[str, int] = field(default_factory=dict)
    facts: Facts = ()
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Session:
    """A study, its data and its directory, and what follows from them.

    Planning, training and adding seeds until a study is decided share one session. It describes the directory as it was
    before training.

    Args:
      spec: the study.
      dataset: all of its data.
      directory: the study directory, which need not exist.
      fresh: whether to ignore what the directory holds; training then deletes it first.

    Raises (on first access to what is affected):
      StudyFileError, ShapeError, DataError: the study does not fit the data, or the share of them that it uses.
      OtherStudyError, StoreUnreadableError: the directory holds another study, or cannot be read.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> from wellfit.spec.study import load_study
      >>> session = Session(load_study("regularization/l2", seeds=2), load_dataset("digits"), Path("unused"))
      >>> session.forecast.plan.runs
      14
    """

    spec: StudySpec
    dataset: Dataset
    directory: Path
    fresh: bool = False

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The study as nested plain data, as the store keeps it."""
        return resolved(self.spec)

    @cached_property
    def recipes(self) -> dict[str, Recipe]:
        """The complete recipe of every variant, in order."""
        return recipes(self.spec)

    @cached_property
    def runs(self) -> tuple[RunSpec, ...]:
        """Every run that the study asks for."""
        return tuple(RunSpec(name, seed, recipe) for name, recipe in self.recipes.items() for seed in self.spec.seeds)

    @cached_property
    def stored(self) -> Stored:
        """What the directory holds of the study."""
        store = None if self.fresh else open_if_begun(self.directory)
        if store is None:
            return NOTHING_STORED
        with store:
            conflict = spec_conflicts(store.runs.trained_study(), self.resolved, growing=True)
            if conflict is not None:
                fix = "choose another directory with --out, or delete the study in it with --fresh"
                raise OtherStudyError(f"{self.directory}: holds another study: {conflict}; {fix}")
            return read_stored(store, self.resolved)

    # --- Data

    @cached_property
    def used(self) -> Dataset:
        """The share of the data that the study uses, as it was read."""
        return thinned(self.dataset, self.spec.data.train_share, self.spec.data.split_seed)

    @cached_property
    def splits(self) -> Splits:
        """Which examples train and which validate."""
        return split_of(self.used, self.spec.data.validation, self.spec.data.split_seed)

    @cached_property
    def preparation(self) -> Preparation:
        """How the columns of a table become features, fitted on the training split."""
        return fit_preparation(self.used, self.splits.train)

    @cached_property
    def training(self) -> Dataset:
        """The data that the study uses, with the training examples as its models see them before scaling.

        The test set is as it was read.
        """
        x_train = prepare(self.preparation, self.used.columns, self.used.x_train)
        return self.used if x_train is self.used.x_train else dataclasses.replace(self.used, x_train=x_train)

    @cached_property
    def prepared(self) -> Dataset:
        """The same with the test set, for use when it is opened; ``columns`` name the features of a table."""
        return prepared_dataset(self.used, self.preparation)

    @cached_property
    def data(self) -> TrainingData:
        """What the engine trains on."""
        data = training_data(self.training, self.splits, self.spec.data.scale, binary_features(self.preparation))
        check_data(data)
        share, examples = self.spec.data.train_share, len(data.x_train)
        for name, recipe in self.recipes.items():
            if share < 1 and recipe.batch_size > examples:
                raise StudyFileError(
                    f"batch_size = {recipe.batch_size} of variant {name!r} is larger than the training split of "
                    f"{examples} examples, because only {100 * share:g} % of the data are used (--quick or "
                    "data.train_share); to use all of them: --set data.train_share=1"
                )
        return data

    @cached_property
    def facts(self) -> Facts:
        """What was decided about the data, in words."""
        return data_facts(self.used, self.splits, self.preparation, self.data.scaling)

    @cached_property
    def examples(self) -> dict[str, int]:
        """The numbers of examples for training, for measuring training metrics, for validation and for the test."""
        data = self.data
        counts = len(data.x_train), len(data.sample), len(data.x_validation), len(self.dataset.y_test)
        return dict(zip(("training", "sample", "validation", "test"), counts, strict=True))

    # --- Plan

    @cached_property
    def mesh(self) -> Mesh:
        """The devices that train."""
        return devices.mesh()

    @cached_property
    def _planned(self) -> tuple[Choices, Plan]:
        return choose_and_plan(self.runs, self.data, self.mesh.size, self.spec.precision, self.stored.choices)

    @property
    def choices(self) -> Choices:
        """What the plan depends on besides the study: as the store remembers it, or chosen now."""
        return self._planned[0]

    @property
    def plan(self) -> Plan:
        """The plan of all runs, including those that the directory holds."""
        return self._planned[1]

    @cached_property
    def remaining(self) -> Remaining:
        """What remains to be trained."""

        def planned(runs: Sequence[RunSpec]) -> Plan:
            return plan_runs(runs, self.data, self.mesh.size, self.choices, self.spec.precision == "auto")

        return remaining_work(self.runs, self.plan, self.stored, planned)

    @property
    def precision(self) -> str:
        """The precision of the matrix products, in words."""
        return in_words({population.program.precision for population in self.plan.populations})

    @property
    def _recorded(self) -> Mapping[str, str]:
        """The provenance of what the directory holds, if there is something to continue."""
        return self.stored.provenance if self.remaining.plan.runs else {}

    @cached_property
    def forecast(self) -> Forecast:
        """What training the rest of the study will take.

        A large study on a machine that has never been measured measures it first, as training would; the measurement is
        kept in wellfit's cache folder. Nothing else is written.
        """
        work, precision = self.remaining, self.precision
        counts = self.examples
        epochs = max(recipe.epochs for recipe in self.recipes.values())
        reading = memory_to_read(len(self.recipes), len(self.spec.seeds), counts["test"], epochs)
        mixed = self.spec.precision == "auto" and self.choices.precision == "mixed"
        if mixed and automatic_precision() == "float32":
            precision += ", as when this study began, although this machine gains nothing from it"
        return Forecast(
            plan=work.plan,
            done=len(work.done & {(run.variant, run.seed) for run in self.runs}),
            title=self.spec.title,
            data=data_line(self.used.title, self.used.source),
            examples=(counts["training"], counts["validation"], counts["test"]),
            epochs=self.spec.base.epochs,
            devices=self.mesh.size,
            precision=precision,
            seconds=seconds_of(work.plan, counts["training"], self.mesh.size, work.left),
            memory=memory_of(work.plan, reading),
            continued=len(work.begins),
            saved=work.saved,
            restarted=work.restarted,
            facts=self.facts,
            cautions=tuple(filter(None, (continued_elsewhere(self._recorded, machine_facts()), programs.refusal()))),
        )


def to_json(session: Session, version: str) -> dict[str, Any]:
    """The plain data that ``wellfit plan --json`` prints; the memory is in bytes."""
    spec, forecast = session.spec, session.forecast
    return {
        "wellfit": version,
        "study": {
            "name": spec.name,
            "title": spec.title,
            "data": forecast.data,
            "directory": str(session.directory),
        },
        "facts": dict(forecast.facts),
        "cautions": list(forecast.cautions),
        "examples": dict(zip(("training", "validation", "test"), forecast.examples, strict=True)),
        "seeds": list(spec.seeds),
        "epochs": forecast.epochs,
        "runs": forecast.plan.runs,
        "done": forecast.done,
        "trajectories": forecast.plan.trajectories,
        "programs": forecast.plan.programs,
        "devices": forecast.devices,
        "parameters": list(forecast.plan.parameters),
        "precision": {"asked": spec.precision, "chosen": forecast.precision},
        "seconds": forecast.seconds,
        "memory": forecast.memory,
        "continued": forecast.continued,
        "saved_epochs": forecast.saved,
        "restarted": dict(forecast.restarted),
    }


def directory_of(spec: StudySpec, study: str | None, data: str) -> Path:
    """The directory of a study without ``--out``: ``default_directory``, shared by all numbers of epochs if possible.

    The same command finds its directory again. A study that differs from another one in nothing but more epochs
    continues in its directory; one with fewer epochs gets its own.

    Args:
      spec: the study.
      study: its name or file, as ``load_study`` takes it.
      data: the name of its data set.
    """
    own = default_directory(spec, study, data)
    if (own / "study.db").is_file():
        return own
    shared = default_directory(spec, study, data, any_epochs=True)
    if not (shared / "study.db").is_file():
        return shared
    try:
        with open_existing(shared) as store:
            return shared if store.runs.trained_study()["base"]["epochs"] <= spec.base.epochs else own
    except StoreUnreadableError:
        return shared  # opening it again reports what is wrong with it
