"""Training a population: the epoch loop on the host, from a plan to run records."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from wellfit.analysis.metrics import accuracy, log_loss
from wellfit.base import FloatArray, ModelSpec, RunRecord, RunSpec, Scaling, TrainingData
from wellfit.base.histograms import Histograms
from wellfit.engine.batches import Layouts, rows_of
from wellfit.engine.devices import mesh, sharded
from wellfit.engine.evaluation import predict_program
from wellfit.engine.final_states import FinalState
from wellfit.engine.plan import Population, Program
from wellfit.engine.population import (
    Data,
    Measured,
    device_data,
    epoch_program,
    fetches,
    hyper,
    initial_state,
    optimizer_start,
)
from wellfit.engine.readouts import Progress, histograms_so_far, note, records, rows_so_far
from wellfit.engine.release import MOST_PROGRAMS
from wellfit.engine.stopping import Watch
from wellfit.engine.validation import check_data
from wellfit.engine.waves import (
    Snapshot,
    Wave,
    active_mask,
    check_snapshot,
    counts_of_epoch,
    final_states_of,
    go_on,
    restore,
    rows_of_epoch,
    take_snapshot,
    weights_at,
)
from wellfit.nn.histograms import array_names
from wellfit.nn.models import ModelParams, build, without_rates
from wellfit.nn.schedules import multipliers

__all__ = ["Compiled", "Epoch", "Snapshot", "Trainer", "predict_proba"]

_PREDICTION_ROWS = 2000  # examples per prediction batch


@dataclass(frozen=True)
class Epoch:
    """An epoch of a population that has just ended.

    Args:
      number: counted from 1.
      epochs: the largest number of epochs of any run.
      active: number of runs still training.
      examples: training examples processed in this epoch, over all trajectories.
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
      devices: defaults to all devices of the default backend.

    Raises:
      DataError: inconsistent splits, or labels outside the classes.

    Example:
      >>> from wellfit.base import Recipe
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

    def __init__(self, data: TrainingData, devices: Mesh | None = None) -> None:
        check_data(data)
        self.data = data
        self.mesh = mesh() if devices is None else devices
        self.arrays: Data = device_data(data, self.mesh)

    def train(
        self,
        population: Population,
        start: Snapshot | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
        on_wave: Callable[[], None] | None = None,
        ends: Mapping[str, FinalState] | None = None,
    ) -> list[RunRecord]:
        """Train a population until all of its runs have ended.

        Args:
          population: trajectories of one program; its number of groups must be a multiple of the number of devices.
          start: a snapshot to resume from.
          on_epoch: called after every epoch; an exception that it raises ends training.
          on_wave: called before every wave of an epoch; an exception that it raises ends training within the epoch.
          ends: final states by trajectory name; these trajectories continue from them, the others start from scratch.

        Returns:
          One record per run, in the population's order, without runs that were read before their trajectory continued.
        """
        program = population.program
        start_optimizer = self.compiled(program).start_optimizer
        layouts = None if fetches(self.mesh, self.data) else Layouts(self.data, program.batch_size, self.mesh)
        waves = [
            Wave(part, initial_state(part, self.data, self.mesh, start_optimizer), hyper(part, self.mesh))
            for part in population.waves
        ]
        names = array_names(waves[0].state.params)
        progress = [
            Progress(trajectory, (g, w), [Watch()] * len(trajectory.readouts))
            for g, group in enumerate(population.groups)
            for w, trajectory in enumerate(group)
        ]
        if start is not None:
            check_snapshot(start, progress, waves)
            restore(start, progress, waves, self.mesh)
        elif ends:
            go_on(ends, progress, waves, self.mesh)
        first = min((len(p.rows) for p in progress if p.active), default=0) + 1
        epochs = max(p.trajectory.epochs for p in progress)
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
            if on_epoch is not None:
                on_epoch(
                    Epoch(
                        number,
                        epochs,
                        active=sum(not w.end_epoch for p in progress if p.active for w in p.watches),
                        examples=len(active) * len(self.data.x_train),
                        seconds=seconds,
                        snapshot=partial(take_snapshot, number, progress, waves),
                        ends=partial(final_states_of, progress, waves, program),
                        rows=partial(rows_so_far, progress),
                        histograms=partial(histograms_so_far, progress, names),
                    )
                )
        return [record for p in progress for record in records(p, names, self._scores)]

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
            by_group = jax.device_put((self._rates(wave.part, epoch), of_wave, wave.seeds), sharded(self.mesh))
            batches = (
                self._rows(wave.seeds, epoch, program.batch_size)
                if layouts is None
                else layouts.of(wave.seeds, of_wave, epoch)
            )
            wave.state, measured[i] = run_epoch(
                wave.state, wave.hyper, *by_group, batches, jnp.uint32(epoch), self.arrays
            )
        return measured

    def _rows(self, seeds: np.ndarray, epoch: int, batch_size: int) -> jax.Array:
        """Return the training rows of every batch, for devices that gather batches themselves.  # (G, steps, B)"""
        once = {seed: rows_of(seed, epoch, len(self.data.x_train), batch_size) for seed in {int(s) for s in seeds}}
        return jax.device_put(np.stack([once[int(seed)] for seed in seeds]), sharded(self.mesh))

    def _rates(self, population: Population, epoch: int) -> FloatArray:
        """Return the learning rate of every step of an epoch.  # (G, W, steps)"""
        program = population.program
        steps = math.ceil(len(self.data.x_train) / program.batch_size)
        rates = np.zeros((program.groups, program.width, steps), np.float32)
        for g, group in enumerate(population.groups):
            for w, trajectory in enumerate(group):
                hyper = trajectory.hyperparameters
                rates[g, w] = hyper.learning_rate
                if hyper.schedule is not None:
                    rates[g, w] *= multipliers(hyper.schedule, hyper.span * steps)[(epoch - 1) * steps :][:steps]
        return rates

    def _scores(self, run: RunSpec, weights: Mapping[str, FloatArray]) -> dict[str, float]:
        """Evaluate weights averaged over steps or epochs, which no epoch measured."""
        d = self.data
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
        return _compiled(program, self.data.input_shape, self.data.classes, len(self.data.x_train), self.mesh)


class Compiled(NamedTuple):
    """The jitted functions of a program, each compiled at its first call."""

    run_epoch: Callable[..., Any]
    start_optimizer: Callable[..., Any]


@lru_cache(maxsize=MOST_PROGRAMS)
def _compiled(program: Program, shape: tuple[int, ...], classes: int, examples: int, mesh: Mesh) -> Compiled:
    return Compiled(epoch_program(program, shape, classes, examples, mesh), optimizer_start(program, mesh))


@lru_cache(maxsize=MOST_PROGRAMS)
def _predictor(model: ModelSpec, shape: tuple[int, ...], classes: int) -> Callable[..., jax.Array]:
    return predict_program(build(model, shape, classes))


def predict_proba(
    model: ModelSpec,
    weights: Mapping[str, FloatArray],
    x: np.ndarray,
    classes: int,
    scaling: Scaling,
    most: int = 0,
) -> FloatArray:
    """Predict class probabilities with a trained network in inference mode, always in float32.

    Args:
      weights: a ``RunRecord``'s weights.
      x: unscaled examples.  # (M, ...)
      classes: number of classes that the run was trained for.
      scaling: the scaling that it was trained with.
      most: the largest number of examples of all calls that shall share a program, where these have various numbers.

    Returns:
      Probabilities, float32; rows sum to 1.  # (M, classes)
    """
    shape = tuple(x.shape[1:])
    program = _predictor(without_rates(model), shape, classes)
    scales = jnp.asarray(scaling.shift, jnp.float32), jnp.asarray(scaling.factor, jnp.float32)
    arrays: ModelParams = {}
    for path, array in weights.items():
        layer, name = path.split("/")
        arrays.setdefault(layer, {})[name] = jnp.asarray(array)
    stats = {
        layer: {name: arrays[layer].pop(name) for name in of}
        for layer, of in build(model, shape, classes).stats().items()
    }
    rows = min(_PREDICTION_ROWS, max(len(x), most))
    parts = []
    for begin in range(0, len(x), rows):
        part = x[begin : begin + rows]
        padded = np.concatenate([part, np.repeat(part[:1], rows - len(part), axis=0)])  # one shape compiles once
        parts.append(np.asarray(program(arrays, stats, jnp.asarray(padded), scales))[: len(part)])
    return np.concatenate(parts)  # (M, classes)
