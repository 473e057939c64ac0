"""Training a population: the loop over epochs on the host, from a plan to records."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from wellfit.analysis.metrics import accuracy, log_loss
from wellfit.base import FloatArray, ModelSpec, RunRecord, RunSpec, Scaling, TrainingData
from wellfit.engine.batches import Layouts, rows_of
from wellfit.engine.checks import check_data
from wellfit.engine.devices import mesh, sharded
from wellfit.engine.evaluation import predict_program
from wellfit.engine.plan import Population, Program
from wellfit.engine.population import (
    Data,
    device_data,
    epoch_program,
    fetches,
    hyper,
    initial_state,
    optimizer_start,
)
from wellfit.engine.readouts import Host, Progress, note, records
from wellfit.engine.step import Hyper, State
from wellfit.engine.stopping import Watch
from wellfit.nn.models import ModelParams, build, without_rates
from wellfit.nn.schedules import multipliers

__all__ = ["Epoch", "Snapshot", "Trainer", "predict_proba"]

_PREDICTION_ROWS = 2000  # examples predicted at a time


@dataclass(frozen=True)
class Snapshot:
    """A population between two epochs, as plain arrays and plain data: enough to go on with the same bits."""

    arrays: Mapping[str, np.ndarray]
    meta: Mapping[str, Any]


@dataclass(frozen=True)
class Epoch:
    """An epoch of a population that has just ended.

    Args:
      number: from 1.
      epochs: the most that any of its runs asks for.
      active: runs that still train.
      examples: training examples that its runs went through in this epoch, counted once a trajectory.
      seconds: wall time that it took.
      snapshot: takes a snapshot of the population as it is now; call it before the callback returns.
    """

    number: int
    epochs: int
    active: int
    examples: int
    seconds: float
    snapshot: Callable[[], Snapshot]


class Trainer:
    """Trains populations on one data set: the arrays go to the devices once, and a program is compiled once.

    Args:
      data: the training and validation splits.
      on: the devices; all of the default backend unless told otherwise.

    Raises:
      DataError: splits that do not fit together, or labels outside the classes.

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

    def __init__(self, data: TrainingData, on: Mesh | None = None) -> None:
        check_data(data)
        self.data = data
        self.mesh = mesh() if on is None else on
        self.arrays: Data = device_data(data, self.mesh)
        self.predictors: dict[Any, Callable[..., Any]] = {}
        self.programs: dict[Program, tuple[Callable[..., Any], Callable[..., Any]]] = {}

    def train(
        self,
        population: Population,
        start: Snapshot | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> list[RunRecord]:
        """Train a population to its end.

        Args:
          population: trajectories of one program; its groups must divide among the devices.
          start: a snapshot to go on from.
          on_epoch: called after every epoch; what it raises ends the training.

        Returns:
          One record a run, in the population's order.
        """
        run_epoch, start_optimizer = self._program(population.program)
        size, batch = population.program.groups, population.program.batch_size
        layouts = None if fetches(self.mesh, self.data) else Layouts(self.data, batch, self.mesh)
        waves = [
            _Wave(part, initial_state(part, self.data, self.mesh, start_optimizer), hyper(part, self.mesh))
            for part in population.waves
        ]
        progress = [
            Progress(trajectory, (g, w), [Watch()] * len(trajectory.readouts))
            for g, group in enumerate(population.groups)
            for w, trajectory in enumerate(group)
        ]
        first = 1
        if start is not None:
            _restore(start, progress, waves, self.mesh)
            first = int(start.meta["epoch"]) + 1
        epochs = max(p.trajectory.epochs for p in progress)
        for number in range(first, epochs + 1):
            active = [p for p in progress if p.active]
            if not active:
                break
            began = time.perf_counter()
            mask = _mask(population, active)
            metrics: dict[int, jax.Array] = {}
            for i, wave in enumerate(waves):
                of_wave = mask[i * size : (i + 1) * size]  # (G, W)
                if not of_wave.any():
                    continue  # all of its runs have ended
                if len(metrics) > 1:  # one at work, one ready: no further ahead, for every epoch laid out takes memory
                    jax.block_until_ready(list(metrics.values())[-2])
                by_group = jax.device_put((self._rates(wave.part, number), of_wave, wave.seeds), sharded(self.mesh))
                batches = (
                    self._rows(wave.seeds, number, batch)
                    if layouts is None
                    else layouts.of(wave.seeds, of_wave, number)
                )
                wave.state, metrics[i] = run_epoch(
                    wave.state, wave.numbers, *by_group, batches, jnp.uint32(number), self.arrays
                )
            note(active, number, _rows(active, metrics, size), partial(_weights, waves, size))
            seconds = time.perf_counter() - began
            for p in active:
                p.seconds += seconds / len(active)
            if on_epoch is not None:
                snapshot = partial(_snapshot, number, progress, waves)
                running = sum(not w.end_epoch for p in progress if p.active for w in p.watches)
                on_epoch(Epoch(number, epochs, running, len(active) * len(self.data.x_train), seconds, snapshot))
        return [record for p in progress for record in records(p, self._scores)]

    def _rows(self, seeds: np.ndarray, epoch: int, batch_size: int) -> jax.Array:
        """Where devices that fetch their batches find them: rows of the training split.  # (G, steps, B)"""
        once = {seed: rows_of(seed, epoch, len(self.data.x_train), batch_size) for seed in {int(s) for s in seeds}}
        return jax.device_put(np.stack([once[int(seed)] for seed in seeds]), sharded(self.mesh))

    def _rates(self, population: Population, epoch: int) -> FloatArray:
        """The learning rate of every step of an epoch.  # (G, W, steps)"""
        program = population.program
        steps = math.ceil(len(self.data.x_train) / program.batch_size)
        rates = np.zeros((program.groups, program.width, steps), np.float32)
        for g, group in enumerate(population.groups):
            for w, trajectory in enumerate(group):
                numbers = trajectory.numbers
                rates[g, w] = numbers.learning_rate
                if numbers.schedule is not None:
                    rates[g, w] *= multipliers(numbers.schedule, numbers.span * steps)[(epoch - 1) * steps :][:steps]
        return rates

    def _scores(self, run: RunSpec, weights: Mapping[str, FloatArray]) -> dict[str, float]:
        """Scores of weights that no epoch measured: an average over steps or epochs."""
        d = self.data
        scores = {}
        for split, x, y in (
            ("train", d.x_train[d.sample], d.y_train[d.sample]),
            ("validation", d.x_validation, d.y_validation),
        ):
            probabilities = predict_proba(run.recipe.model, weights, x, d.classes, d.scaling, self.predictors)
            scores[f"{split}_loss"] = log_loss(probabilities.astype(np.float64), y)  # float32 would be cut at 1e-7
            scores[f"{split}_accuracy"] = accuracy(probabilities, y)
        return scores

    def _program(self, program: Program) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """A wave's epoch and the start of its optimizer, compiled when they are first called."""
        if program not in self.programs:
            start = optimizer_start(program, self.mesh)
            self.programs[program] = (epoch_program(program, self.data, self.mesh), start)
        return self.programs[program]


@dataclass
class _Wave:
    """A wave on the devices: its part of the population, the state of its runs, and their numbers."""

    part: Population
    state: State
    numbers: Hyper

    @property
    def seeds(self) -> np.ndarray:
        """Of its groups; an empty one has seed 0.  # (G,)"""
        return np.array([group[0].seed if group else 0 for group in self.part.groups], np.uint32)


def _mask(population: Population, active: list[Progress]) -> np.ndarray:
    """Which places of a population train.  # (groups, W)"""
    mask = np.zeros((len(population.groups), population.program.width), bool)
    mask[tuple(np.array([p.place for p in active]).T)] = True
    return mask


def _rows(active: list[Progress], metrics: Mapping[int, jax.Array], size: int) -> list[FloatArray]:
    """``HISTORY_COLUMNS`` of the runs that trained, out of their waves'.  # (columns,) each"""
    fetched = {wave: np.asarray(values, np.float64) for wave, values in metrics.items()}  # (G, W, columns) each
    return [fetched[p.place[0] // size][p.place[0] % size, p.place[1]] for p in active]


def _weights(waves: list[_Wave], size: int, place: tuple[int, int]) -> Host:
    """Copy one run's weights out of its wave; the devices' buffers are used again."""
    (wave, group), position = divmod(place[0], size), place[1]

    def copy(leaf: jax.Array) -> FloatArray:
        shards = sorted(leaf.addressable_shards, key=lambda shard: shard.index[0].start or 0)
        lanes = size // len(shards)
        return np.array(np.asarray(shards[group // lanes].data)[group % lanes, position])

    state = waves[wave].state
    return Host(*jax.tree.map(copy, (state.params, state.stats, state.averages)))


def _snapshot(epoch: int, progress: list[Progress], waves: list[_Wave]) -> Snapshot:
    """The population after an epoch: the devices' states, and what the host remembers."""
    leaves = [(i, k, leaf) for i, wave in enumerate(waves) for k, leaf in enumerate(jax.tree.leaves(wave.state))]
    arrays = {f"state/{i}/{k}": np.asarray(leaf) for i, k, leaf in leaves}
    for i, p in enumerate(progress):
        arrays[f"rows/{i}"] = np.array(p.rows)
        arrays |= {f"kept/{i}/{k}/{name}": a for k, kept in p.kept.items() for name, a in kept.items()}
    host = [
        {"watches": [dataclasses.asdict(w) for w in p.watches], "diverged": p.diverged, "seconds": p.seconds}
        for p in progress
    ]
    return Snapshot(arrays, {"epoch": epoch, "progress": host})


def _restore(snapshot: Snapshot, progress: list[Progress], waves: list[_Wave], on: Mesh) -> None:
    """Fill in what the host remembers, and put the states back on the devices."""
    for i, (p, host) in enumerate(zip(progress, snapshot.meta["progress"], strict=True)):
        p.watches = [Watch(**w) for w in host["watches"]]
        p.diverged, p.seconds = host["diverged"], host["seconds"]
        p.rows = list(snapshot.arrays[f"rows/{i}"])
        for name, array in snapshot.arrays.items():
            if name.startswith(f"kept/{i}/"):
                _, _, readout, weight = name.split("/", 3)
                p.kept.setdefault(int(readout), {})[weight] = array
    for i, wave in enumerate(waves):
        leaves, tree = jax.tree.flatten(wave.state)
        restored = [snapshot.arrays[f"state/{i}/{k}"] for k in range(len(leaves))]
        wave.state = jax.device_put(jax.tree.unflatten(tree, restored), sharded(on))


def predict_proba(
    model: ModelSpec,
    weights: Mapping[str, FloatArray],
    x: np.ndarray,
    classes: int,
    scaling: Scaling,
    cache: dict[Any, Callable[..., Any]] | None = None,
) -> FloatArray:
    """Class probabilities of a trained network, in inference mode, its scaling included; always in float32.

    Args:
      model: the architecture.
      weights: of a ``RunRecord``.
      x: unscaled examples.  # (M, ...)
      classes: how many classes the run was trained for.
      scaling: the scaling that it was trained with.
      cache: keeps compiled programs between calls of one data set.

    Returns:
      Probabilities, float32; rows sum to 1.  # (M, classes)
    """
    built = build(model, tuple(x.shape[1:]), classes)
    programs = {} if cache is None else cache
    spec = without_rates(model)
    if spec not in programs:
        programs[spec] = predict_program(built, scaling)
    arrays: ModelParams = {}
    for path, array in weights.items():
        layer, name = path.split("/")
        arrays.setdefault(layer, {})[name] = jnp.asarray(array)
    stats = {layer: {name: arrays[layer].pop(name) for name in of} for layer, of in built.stats().items()}
    rows = min(_PREDICTION_ROWS, len(x))
    parts = []
    for begin in range(0, len(x), rows):
        part = x[begin : begin + rows]
        padded = np.concatenate([part, np.repeat(part[:1], rows - len(part), axis=0)])  # one shape, one program
        parts.append(np.asarray(programs[spec](arrays, stats, jnp.asarray(padded)))[: len(part)])
    return np.concatenate(parts)  # (M, classes)
