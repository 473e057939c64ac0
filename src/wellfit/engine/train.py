"""Training a population: the epoch loop on the host, from a plan to run records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from wellfit.analysis.metrics import accuracy, log_loss
from wellfit.base import FloatArray, RunRecord, RunSpec, TrainingData
from wellfit.base.histograms import Histograms
from wellfit.engine.batches import Layouts
from wellfit.engine.calls import arguments, waves_of
from wellfit.engine.devices import memory_limit, mesh
from wellfit.engine.final_states import FinalState
from wellfit.engine.fitting import bytes_needed, fitted, halved, is_out_of_memory, out_of_memory_error, resized
from wellfit.engine.plan import Population, Program
from wellfit.engine.population import (
    Data,
    Measured,
    device_data,
    epoch_program,
    fetches,
    optimizer_start,
)
from wellfit.engine.predicting import predict_proba
from wellfit.engine.readouts import Progress, histograms_so_far, note, records, rows_so_far
from wellfit.engine.release import MOST_PROGRAMS
from wellfit.engine.validation import check_data
from wellfit.engine.waves import (
    Snapshot,
    Wave,
    active_mask,
    check_snapshot,
    counts_of_epoch,
    drop,
    final_states_of,
    go_on,
    progress_of,
    rearranged,
    restore,
    rows_of_epoch,
    take_snapshot,
    weights_at,
)
from wellfit.errors import WellfitError
from wellfit.nn import accelerator
from wellfit.nn.histograms import array_names

__all__ = ["Compiled", "Epoch", "Snapshot", "Trainer"]


@dataclass(frozen=True)
class Epoch:
    """An epoch of a population that has just ended.

    Args:
      number: counted from 1.
      epochs: the largest number of epochs of any run.
      active: number of runs still training.
      examples: training examples processed in this epoch, over all trajectories; 0 where a population had ended before.
      seconds: wall time.
      snapshot: takes a snapshot of the population as it is now; call it before the callback returns.
      ends: yields the final states of all trajectories; valid for the last epoch, also after the callback has returned.
      rows: (variant, seed) -> ``HISTORY_COLUMNS`` of every epoch so far; call it before the callback returns.
      histograms: maps an epoch, from 1, to (variant, seed) -> histograms of the weights from it on; likewise.
    """

    number: int
    epochs: int
    active: int
    examples: int
    seconds: float
    snapshot: Callable[[], Snapshot]
    ends: Callable[[], Iterator[FinalState]]
    rows: Callable[[], Mapping[tuple[str, int], Sequence[FloatArray]]]
    histograms: Callable[[int], Mapping[tuple[str, int], Histograms]]


class Trainer:
    """Trains populations on one data set, which is copied to the devices once.

    A program is compiled once for all trainers on data of the same shapes.

    Args:
      data: of all seeds; or of each seed, if they are small and of the same shapes.
      devices: defaults to all devices of the default backend.
      places: the seeds that programs are compiled for, of which some may be missing; see ``joining``.

    Raises:
      DataError: inconsistent splits, or labels outside the classes.
      WellfitError: the data do not fit in an accelerator's memory.

    Example:
      >>> from wellfit.base import Recipe, RunSpec, Scaling, TrainingData
      >>> from wellfit.engine.plan import make_plan
      >>> x = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
      >>> y = (x[:, 0] > 0).astype(np.int32)
      >>> scaling = Scaling("standardize", np.zeros(2, np.float32), np.ones(2, np.float32))
      >>> data = TrainingData(x[:40], y[:40], x[40:], y[40:], np.arange(20), 2, scaling)
      >>> trainer = Trainer(data)
      >>> runs = [RunSpec("baseline", seed, Recipe(epochs=2)) for seed in (0, 1)]
      >>> plan = make_plan(runs, (2,), 2, (40, 20, 20), devices=1)
      >>> [(r.spec.seed, r.state, r.epochs) for r in trainer.train(plan.populations[0])]
      [(0, 'finished', 2), (1, 'finished', 2)]
    """

    def __init__(
        self, data: TrainingData | Mapping[int, TrainingData], devices: Mesh | None = None, places: int = 0
    ) -> None:
        each = [data] if isinstance(data, TrainingData) else list(data.values())
        self._of_seed: Mapping[int, TrainingData] = {} if isinstance(data, TrainingData) else data
        for of_seed in each:
            check_data(of_seed)
        self.data = each[0]
        self.mesh = mesh() if devices is None else devices
        try:
            self.arrays: Data = device_data(data, self.mesh, places)
        except jax.errors.JaxRuntimeError as error:
            if not is_out_of_memory(error):
                raise
            size = sum(of_seed.x_train.nbytes + of_seed.x_validation.nbytes for of_seed in each) / 1e9
            raise WellfitError(f"{size:.1f} GB of data do not fit in the device's memory; use fewer examples") from None

    def train(
        self,
        population: Population,
        start: Snapshot | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
        on_wave: Callable[[], None] | None = None,
        ends: Mapping[str, FinalState] | None = None,
        ends_of: Program | None = None,
    ) -> list[RunRecord]:
        """Train a population until all of its runs have ended.

        On accelerators it trains in smaller waves than planned if the memory does not suffice. If that turns out while
        it trains, it begins again, and repeats the epochs that it has told of without telling of them.

        Args:
          population: trajectories of one program; its number of groups must be a multiple of the number of devices.
          start: a snapshot to resume from.
          on_epoch: called after every epoch; an exception that it raises ends training.
          on_wave: called before every wave of an epoch; an exception that it raises ends training within the epoch.
          ends: final states by trajectory name; these trajectories continue from them, the others start from scratch.
          ends_of: the program that the final states are of, if the population is several joined.

        Returns:
          One record per run, in the population's order, without runs that were read before their trajectory continued.

        Raises:
          UnusableStateError: a snapshot or final state is not one of this population.
          WellfitError: an accelerator's memory does not suffice for a single group.
        """
        limit, told = memory_limit(), 0

        def tell(epoch: Epoch) -> None:
            nonlocal told
            if on_epoch is not None and epoch.number > told:
                told = epoch.number
                on_epoch(epoch)

        now = population if limit is None else fitted(population, self._bytes_needed, limit, self.mesh.size)
        while True:
            try:
                progress, names = self._train(now, population, start, tell, on_wave, ends, ends_of)
                break
            except jax.errors.JaxRuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            less = halved(now, self.mesh.size)
            if less is None:
                raise out_of_memory_error(now, "does not fit", limit)
            now = less
        return [record for p in progress for record in records(p, names, self._scores)]

    def compile(self, population: Population) -> None:
        """Compile a population's program, if that takes no laid-out batches; another thread may train meanwhile.

        An epoch in which no run is active compiles the program and takes no time.
        """
        if not fetches(self.data) or accelerator.in_use():
            return
        program = population.program
        run_epoch, start_optimizer = self.compiled(program)
        (wave,) = waves_of(population.waves[0], self.data, self.mesh, start_optimizer)
        nobody = np.zeros((program.groups, program.width), bool)
        jax.block_until_ready(run_epoch(*arguments(wave, nobody, 1, self.data, self.mesh, self.arrays)))

    def _bytes_needed(self, population: Population) -> int:
        """The bytes that a population takes on a device, as its compiled program says."""
        program = population.program
        run_epoch, start_optimizer = self.compiled(program)
        (wave,) = waves_of(population.waves[0], self.data, self.mesh, start_optimizer)
        active = np.ones((program.groups, program.width), bool)
        given = arguments(wave, active, 1, self.data, self.mesh, self.arrays)
        state = sum(leaf.nbytes for leaf in jax.tree.leaves((wave.state, wave.hyper)))
        return bytes_needed(run_epoch, given) + state // self.mesh.size * (len(population.waves) - 1)

    def _train(
        self,
        population: Population,
        planned: Population,
        start: Snapshot | None,
        on_epoch: Callable[[Epoch], None],
        on_wave: Callable[[], None] | None,
        ends: Mapping[str, FinalState] | None,
        ends_of: Program | None,
    ) -> tuple[list[Progress], tuple[str, ...]]:
        """Train a population in waves that fit, as ``train`` says.

        Args:
          planned: the population in the waves that were planned.
          ends_of: the program that the final states are of, if it is another.

        Returns:
          The progress of its trajectories, in the planned order, and the names of the weights.
        """
        waves = waves_of(population, self.data, self.mesh, self.compiled(population.program).start_optimizer)
        progress = progress_of(population, planned)
        try:
            if start is not None:
                self._resume(start, population, planned, progress, waves)
            elif ends:
                go_on(ends, progress, waves, self.mesh)
            self._train_waves(population, ends_of or planned.program, progress, waves, on_epoch, on_wave)
        except jax.errors.JaxRuntimeError as error:
            if is_out_of_memory(error):
                drop(waves)  # an epoch that was told of may still refer to them
            raise
        return progress, array_names(waves[0].state.params)

    def _train_waves(
        self,
        population: Population,
        planned: Program,
        progress: list[Progress],
        waves: list[Wave],
        on_epoch: Callable[[Epoch], None],
        on_wave: Callable[[], None] | None,
    ) -> None:
        """Train from where the progress is to the last epoch of the last trajectory."""
        program, names = population.program, array_names(waves[0].state.params)
        layouts = None if fetches(self.data) else Layouts(self.data, program.batch_size, self.mesh)
        first = min((len(p.rows) for p in progress if p.active), default=0) + 1
        epochs = max(p.trajectory.epochs for p in progress)

        def tell(number: int, trained: int, seconds: float) -> None:
            on_epoch(
                Epoch(
                    number,
                    epochs,
                    active=sum(not w.end_epoch for p in progress if p.active for w in p.watches),
                    examples=trained * len(self.data.x_train),
                    seconds=seconds,
                    snapshot=partial(take_snapshot, number, progress, waves),
                    ends=partial(final_states_of, progress, waves, planned),
                    rows=partial(rows_so_far, progress),
                    histograms=partial(histograms_so_far, progress, names),
                )
            )

        if not any(p.active for p in progress):  # resumed after its end: others that it was trained with went on
            tell(max(len(p.rows) for p in progress), 0, 0.0)
        for number in range(first, epochs + 1):
            active = [p for p in progress if p.active and len(p.rows) < number]  # trajectories that are ahead wait
            if not active:
                if any(p.active for p in progress):
                    continue
                break
            began = time.perf_counter()
            measured = self._run_waves(program, waves, active_mask(population, active), number, layouts, on_wave)
            rows = rows_of_epoch(active, measured, program.groups)
            counts = counts_of_epoch(active, measured, program.groups)
            note(active, number, rows, counts, partial(weights_at, waves, program.groups))
            seconds = time.perf_counter() - began
            for p in active:
                p.seconds += seconds / len(active)
            tell(number, len(active), seconds)

    def _resume(
        self, start: Snapshot, population: Population, planned: Population, progress: list[Progress], waves: list[Wave]
    ) -> None:
        """Restore a snapshot, which may have been taken in other waves, of the planned size or a smaller one."""
        first, most = start.arrays.get("state/0/0"), planned.program.groups
        size = first.shape[0] if first is not None and first.ndim else 0
        if size != population.program.groups and size in range(self.mesh.size, most + 1, self.mesh.size):
            before = planned if size == most else resized(planned, size)
            start = rearranged(start, before, population)
        check_snapshot(start, progress, waves)
        restore(start, progress, waves, self.mesh)

    def _run_waves(
        self,
        program: Program,
        waves: Sequence[Wave],
        active: np.ndarray,
        epoch: int,
        layouts: Layouts | None,
        on_wave: Callable[[], None] | None,
    ) -> dict[int, Measured]:
        """Train every wave that has an active run for one epoch.

        Args:
          active: marks the runs that train.  # (waves * G, W)
          layouts: lays out the batches; None if the devices gather them.

        Returns:
          What the epoch measured, by the wave's position.
        """
        run_epoch, size = self.compiled(program).run_epoch, program.groups
        measured: dict[int, Measured] = {}
        for i, wave in enumerate(waves):
            of_wave = active[i * size : (i + 1) * size]  # (G, W)
            if not of_wave.any():
                continue  # all of its runs have ended
            if on_wave is not None:
                on_wave()
            if len(measured) > 1:  # at most two waves in flight, since every laid-out epoch takes memory
                jax.block_until_ready(list(measured.values())[-2])
            given = arguments(wave, of_wave, epoch, self.data, self.mesh, self.arrays, layouts)
            wave.state, measured[i] = run_epoch(*given)
        return measured

    def _scores(self, run: RunSpec, weights: Mapping[str, FloatArray]) -> dict[str, float]:
        """Evaluate weights averaged over steps or epochs, which no epoch measured."""
        d = self._of_seed.get(run.seed, self.data)
        scores = {}
        for split, x, y in (
            ("train", d.x_train[d.sample], d.y_train[d.sample]),
            ("validation", d.x_validation, d.y_validation),
        ):
            probabilities = predict_proba(run.recipe.model, weights, x, d.classes, d.scaling)
            scores[f"{split}_loss"] = log_loss(probabilities.astype(np.float64), y)  # float32 would be clipped at 1e-7
            scores[f"{split}_accuracy"] = accuracy(probabilities, y)
        return scores

    def compiled(self, program: Program) -> Compiled:
        """What a program is compiled to on data of these shapes."""
        data = self.data
        return _compiled(program, data.input_shape, data.classes, len(data.x_train), self.mesh, accelerator.in_use())


class Compiled(NamedTuple):
    """The jitted functions of a program, each compiled at its first call."""

    run_epoch: Callable[..., Any]
    start_optimizer: Callable[..., Any]


@lru_cache(maxsize=MOST_PROGRAMS)
def _compiled(
    program: Program, shape: tuple[int, ...], classes: int, examples: int, mesh: Mesh, accelerated: bool
) -> Compiled:
    """Compiled functions.

    Args:
      accelerated: only tells programs apart; whether the devices are accelerators is known where it is needed.
    """
    return Compiled(epoch_program(program, shape, classes, examples, mesh), optimizer_start(program, mesh))
