"""What a command knows about its study: every part is computed once, when it is first needed, and then kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from jax.sharding import Mesh
from numpy.typing import NDArray

from wellfit.base import Dataset, IntArray, Preparation, Recipe, RunSpec, Splits, TrainingData
from wellfit.data.facts import Facts, data_facts, dataset_facts, fold_facts
from wellfit.data.folds import example_labels, examples_of, with_own_test_set
from wellfit.data.subsets import subset_rows
from wellfit.engine import devices, machine
from wellfit.engine.plan import Plan
from wellfit.engine.population import fetches
from wellfit.engine.precision import in_words
from wellfit.errors import OtherStudyError, StudyFileError, WellfitError
from wellfit.nn import accelerator
from wellfit.nn.kernels.availability import obstacle, remedy
from wellfit.spec.identity import spec_conflicts
from wellfit.spec.study import StudySpec, from_resolved, recipes, resolved
from wellfit.spec.study import runs as runs_of_study
from wellfit.store import open_if_begun
from wellfit.study.executors.parts import Pool
from wellfit.study.fold import Fold, Sizes, check_folds, fold_of, folds_used, groups_of_tests, hash_of_splits
from wellfit.study.forecasting import forecast_of
from wellfit.study.growth import NOTHING_STORED, Remaining, Stored, read_stored, remaining_work
from wellfit.study.pace import Stage, seconds_around, seconds_of, stages_of
from wellfit.study.planning import (
    Choices,
    Forecast,
    choose_and_plan,
    plan_runs,
    trained_on,
    training_facts,
)
from wellfit.study.shards import Shard, check_grown, part_of, restricted, runs_of
from wellfit.study.together import MOST, Together, trained_together, values_of

__all__ = ["Session"]

_WORTH_WATCHING: Final = 2.0
"""Seconds from which a study pays for finding out how busy the machine is."""
_SPARE_CORES: Final = 4
"""Cores from which a program is compiled beside a training: on two, neither ends sooner, and it takes 400 MB more."""
_TRAINERS: Final = 3
"""With data of their own that are in memory at most, while the one for the next population is made."""
_WATCHED_AGAIN: Final = 10.0
"""Seconds for which a measurement of that holds: a process may train hundreds of short studies."""


@lru_cache(maxsize=1)
def _slowdown(_moment: int) -> float:
    return machine.slowdown()


@dataclass(frozen=True, eq=False)
class Session:
    """A study, its data and its directory, and what follows from them.

    Planning, training and adding seeds until a study is decided share one session. It describes the directory as it was
    before training.

    Args:
      spec: the study.
      dataset: all of its data. Where a search precedes the study, the test set is the same for all seeds.
      directory: the study directory, which need not exist.
      fresh: whether to ignore what the directory holds; training then deletes it first.
      shard: the part of the study to train; None for all of it.
      pool: the machines that train; None for this process.

    Raises (on first access to what is affected):
      StudyFileError, ShapeError, DataError: the study does not fit the data, or the share of them that it uses, or has
        fewer parts than shards.
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
    shard: Shard | None = None
    pool: Pool | None = None

    def __post_init__(self) -> None:
        if self.spec.search is not None:
            object.__setattr__(self, "dataset", with_own_test_set(self.dataset))

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
                if conflict.startswith("[data] folds is 1 there"):
                    conflict += " (continue it with --set data.folds=1)"
                fix = "choose another directory with --out, or delete the study in it with --fresh"
                raise OtherStudyError(f"{self.directory}: holds another study: {conflict}; {fix}")
            return read_stored(store, self.resolved)

    # --- Data

    @property
    def folds(self) -> int:
        """The number of folds; 1 if all seeds have the same data."""
        return folds_used(self.dataset, self.spec.data)

    @cached_property
    def _fold(self) -> Callable[[int | None], Fold]:
        """The data of a seed; those of the latest are kept, since they may be large."""
        return lru_cache(maxsize=1)(partial(fold_of, self.dataset, self.spec.data))

    @cached_property
    def first(self) -> Fold:
        """The data of seed 0, which stand for all where one is enough: to plan, to audit, to describe.

        They do so whichever seeds the study has, so that directories with other seeds note the same, and can be merged.
        """
        _ = self._sizes  # refuses folds that cannot be made, and says which can
        return fold_of(self.dataset, self.spec.data, 0 if self.folds > 1 else None)

    def fold(self, seed: int) -> Fold:
        """The data of a seed."""
        return self.first if self.folds == 1 or seed == 0 else self._fold(seed)

    @property
    def used(self) -> Dataset:
        """The share of the data that seed 0 uses, as it was read."""
        return self.first.dataset

    @property
    def splits(self) -> Splits:
        """Which of these examples train and which validate."""
        return self.first.splits

    @property
    def preparation(self) -> Preparation:
        """How the columns of a table become features."""
        return self.first.preparation

    @property
    def prepared(self) -> Dataset:
        """The data as models see them before scaling; ``columns`` name the features of a table."""
        return self.first.prepared

    @cached_property
    def test_labels(self) -> IntArray:
        """The labels of all test examples, of which a seed may judge a fold.  # (M,)"""
        return self.dataset.y_test if self.folds == 1 else example_labels(self.dataset)

    @property
    def test_groups(self) -> IntArray | None:
        """The group of each test example; None without groups.  # (M,)"""
        return groups_of_tests(self.dataset, self.folds)

    @property
    def validation_groups(self) -> IntArray | None:
        """The group of each example by its number among those that any seed validates on; None without groups."""
        return self.used.groups if self.dataset.pool is None or self.folds == 1 else self.dataset.pool.groups

    def test_examples(self, rows: IntArray) -> NDArray[Any]:
        """Some of the test examples, as they were read.  # (m, ...)

        Args:
          rows: positions among the test examples.  # (m,)
        """
        return self.dataset.x_test[rows] if self.folds == 1 else examples_of(self.dataset, rows)

    @property
    def balanced(self) -> tuple[float, ...]:
        """The class weights ``N / (K N_k)``, by the labels of all folds together, so that all seeds have the same."""
        labels = self.used.y_train if self.dataset.pool is None or self.folds == 1 else self.test_labels
        counts = np.bincount(labels, minlength=len(self.dataset.classes))  # (K,)
        return tuple((len(labels) / (len(counts) * np.maximum(counts, 1))).tolist())

    @property
    def hashes(self) -> tuple[str, str]:
        """The hashes of the data and of how all seeds divide them, whichever seeds the study has."""
        if self.folds == 1:
            return self.used.hash, self.splits.hash
        return self.dataset.hash, hash_of_splits(self.dataset, self.spec.data)

    @property
    def data(self) -> TrainingData:
        """What the engine trains on."""
        data = self.first.data
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
        said = data_facts(self.used, self.splits, self.preparation, self.data.scaling)
        more = dict(fold_facts(self.dataset, self.splits, self.folds))
        if more and self.dataset.pool is not None and self.spec.data.train_share == 1:
            whole = dict(dataset_facts(self.dataset))  # a fold may leave out an example
            more |= {name: whole[name] for name in ("classes", "guessing") if name in whole}
        return (*(dict(said) | more).items(), *training_facts(self.trained, len(self.splits.train)))

    @property
    def trained(self) -> tuple[int, int]:
        """The fewest and the most training examples that a variant learns from."""
        return trained_on(self.recipes.values(), len(self.splits.train))

    @property
    def learned(self) -> IntArray:
        """The labels of the training examples that the variant with the most of them learns from.  # (n,)"""
        labels = self.used.y_train[self.splits.train]
        return labels[subset_rows(labels, self.trained[1], self.spec.data.split_seed)]

    @cached_property
    def examples(self) -> dict[str, int]:
        """The numbers of examples for training, for measuring training metrics, for validation and for the test."""
        data = self.data
        counts = len(data.x_train), len(data.sample), len(data.x_validation), len(self.test_labels)
        return dict(zip(("training", "sample", "validation", "test"), counts, strict=True))

    @cached_property
    def _sizes(self) -> dict[int, Sizes]:
        return check_folds(self.dataset, self.spec.data, self.spec.seeds, self.spec.metric)

    @cached_property
    def _stored_sizes(self) -> dict[int, Sizes]:
        """Of seeds that the directory holds and the study no longer asks for."""
        more = [seed for seed in self.stored.seeds if seed not in self._sizes]
        return check_folds(self.dataset, self.spec.data, more, self.spec.metric) if more else {}

    @property
    def most_judged(self) -> int:
        """At least the number of test and validation examples of any seed: all that some seed does not train on."""
        total = len(self.dataset.x_train) + len(self.dataset.x_test)
        return total - min(sizes.training for sizes in self._sizes.values())

    def check(self, seeds: Sequence[int] | None = None) -> None:
        """Refuse, before anything is trained or written, what would end the training of some seed.

        Args:
          seeds: by default those of the study.

        Raises:
          StudyFileError: a part that cannot grow alone, see ``check_grown``.
          StudyFileError, DataError: as for ``check_folds``, also for the seeds that the directory holds; a batch or a
            number of examples that the training examples of some seed are too few for.
        """
        if self.shard is not None:
            check_grown(self.shard, self.directory, self.asked, self.stored.outgrown)
        if seeds is None:
            examples, _ = self._sizes, self._stored_sizes  # judged on this metric, too
        else:
            examples = check_folds(self.dataset, self.spec.data, seeds, self.spec.metric)
        for seed, sizes in examples.items():
            if sizes.training != len(self.data.x_train):  # that of seed 0, which the plan checks
                runs = [RunSpec(name, seed, recipe) for name, recipe in self.recipes.items()]
                try:
                    plan_runs(runs, self.fold(seed).data, self.mesh.size, self.choices)
                except StudyFileError as error:
                    raise StudyFileError(f"seed {seed}: {error}") from None
        if self.kernels and (missing := obstacle()):
            raise WellfitError(
                f"generated kernels computed this study's convolutions, and there are none here: {missing}; "
                f"{remedy(missing)}"
            )

    # --- Plan

    @cached_property
    def mesh(self) -> Mesh:
        """The devices that train; on other machines, so many as here train one part."""
        here = devices.mesh()
        return here if self.pool is None else Mesh(here.devices[: self.pool.devices], here.axis_names)

    @cached_property
    def _planned(self) -> tuple[Choices, Plan]:
        return choose_and_plan(
            *(self.runs, self.data, self.mesh.size, self.spec.precision, self.stored.choices),
            planned_for=devices.mesh().size,  # the bits are those of a training here
            apart=self.folds > 1,
            balanced=self.balanced,
        )

    @property
    def choices(self) -> Choices:
        """What the plan depends on besides the study: as the store remembers it, or chosen now."""
        return self._planned[0]

    @cached_property
    def plan(self) -> Plan:
        """The plan of all runs, or of a shard's, including those that the directory holds."""
        whole = self._planned[1]
        return whole if self.shard is None else part_of(whole, self.shard)

    @property
    def asked(self) -> tuple[RunSpec, ...]:
        """The runs of the study, or those of a shard."""
        if self.shard is None:
            return self.runs
        of_shard = runs_of(self.plan)
        return tuple(run for run in self.runs if (run.variant, run.seed) in of_shard)

    @cached_property
    def remaining(self) -> Remaining:
        """What remains to be trained."""

        def planned(runs: Sequence[RunSpec]) -> Plan:
            if self.shard is not None and set(runs) <= set(self.runs):
                return restricted(self._planned[1], runs)
            automatic = self.spec.precision == "auto"
            together = self._batch_of(runs)
            whole = plan_runs(
                *(together, self.data, self.mesh.size, self.choices, automatic),
                apart=self.folds > 1,
                balanced=self.balanced,
            )
            return whole if len(together) == len(runs) else restricted(whole, runs)

        return remaining_work(self.asked, self.plan, self.stored, planned)

    def _batch_of(self, runs: Sequence[RunSpec]) -> Sequence[RunSpec]:
        """The runs that were planned together with these, if they were trained in parts; else these alone."""
        wanted = {(run.variant, run.seed) for run in runs}
        batch = next((batch for batch in self.stored.batches if wanted <= set(batch)), ())
        held = runs_of_study(from_resolved(dict(self.stored.study))) if batch else ()
        known = {(run.variant, run.seed): run for run in (*held, *self.runs, *runs)}
        return [known[key] for key in batch if key in known] or runs

    @property
    def kernels(self) -> bool:
        """Whether generated kernels compute the convolutions of what remains to be trained."""
        return any(population.program.kernels for population in self.remaining.plan.populations)

    @property
    def precision(self) -> str:
        """The precision of the matrix products, in words."""
        return in_words({population.program.precision for population in self.plan.populations})

    @cached_property
    def together(self) -> tuple[Together, ...]:
        """What remains to be trained, and what of it this process trains as one."""
        return self.joined(self.mesh.size, MOST if self.pool is None else 1)

    def joined(self, devices: int, most: int) -> tuple[Together, ...]:
        """What remains to be trained, with up to so many populations of seeds with small data of their own in one.

        Args:
          devices: that train one.
          most: populations in one.
        """
        populations = self.remaining.plan.populations
        if self.folds == 1 or most == 1:
            return tuple(Together(population, (population,)) for population in populations)
        sizes = self._sizes | self._stored_sizes
        parameters, held = max(self.plan.parameters), self.stored.checkpoints
        return trained_together(populations, sizes, self.data.input_shape, parameters, devices, held, most)

    @property
    def joint(self) -> Plan:
        """The plan of what remains to be trained, as this process trains it."""
        most = max((each.places for each in self.together), default=0)
        plan, populations = self.remaining.plan, tuple(each.population for each in self.together)
        data = most * self.mesh.size * _TRAINERS * values_of(self.data) * self.data.x_train.itemsize
        return replace(plan, populations=populations, memory=max(1, most) * plan.memory + data)

    @property
    def compiles_ahead(self) -> bool:
        """Whether this process compiles the program of the next population while one trains."""
        spare = devices.cores() >= _SPARE_CORES  # a training uses them, and so does a compiler
        return self.pool is None and spare and not accelerator.in_use() and fetches(self.data)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The forecast of every population that remains to be trained, on a machine that does nothing else."""
        here = devices.mesh().size
        return stages_of(self.joint, self.examples["training"], here, self.remaining.left)

    @cached_property
    def around_training(self) -> tuple[float, float]:
        """The forecast of the seconds before and after the training, on a machine that does nothing else."""
        counts, x = self.examples, self.used.x_train
        examples = counts["training"], counts["validation"], len(self.used.y_test)
        size = x.nbytes * (len(x) + examples[2]) // len(x)  # with the test examples, which nobody looks at yet
        return seconds_around(self.remaining.plan, examples, size)

    @cached_property
    def slowdown(self) -> float:
        """How many times longer the machine takes now because of other processes; 1 for a study of a moment."""
        watched = (self.pool is None or self.pool.here) and self.undisturbed > _WORTH_WATCHING
        return _slowdown(int(time.monotonic() / _WATCHED_AGAIN)) if watched else 1.0

    @property
    def undisturbed(self) -> float:
        """The forecast of all seconds, on a machine that does nothing else."""
        seconds = seconds_of(self.stages)
        if self.pool is not None and seconds:
            seconds *= devices.mesh().size / (self.pool.places * self.pool.devices)
        return seconds + sum(self.around_training)

    @cached_property
    def forecast(self) -> Forecast:
        """What training the rest of the study will take.

        A large study on a machine that has never been measured measures it first, as training would; the measurement is
        kept in wellfit's cache folder. Nothing else is written.
        """
        self.check()
        return forecast_of(self)
