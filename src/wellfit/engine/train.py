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
from wellfit.base import FloatArray, IntArray, ModelSpec, RunRecord, RunSpec, Scaling, TrainingData
from wellfit.engine.checks import check_data
from wellfit.engine.devices import mesh, sharded
from wellfit.engine.evaluation import predict_program
from wellfit.engine.plan import Population, Program
from wellfit.engine.population import Data, device_data, epoch_program, hyper, initial_state, optimizer_start
from wellfit.engine.readouts import Progress, note, records
from wellfit.engine.step import State
from wellfit.engine.stopping import Watch
from wellfit.nn.models import ModelParams, build, without_rates
from wellfit.nn.schedules import multipliers

__all__ = ["Epoch", "Snapshot", "Trainer", "batch_order", "predict_proba"]

_PREDICTION_ROWS = 2000  # examples predicted at a time
_ORDER_STREAM = 2  # distinguishes the stream of batch orders from others of the same seed


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


def batch_order(seed: int, epoch: int, examples: int) -> IntArray:
    """The order of the training examples in an epoch: a function of seed and epoch alone.

    Args:
      seed: the run's seed.
      epoch: from 1.
      examples: how many there are.

    Returns:
      A permutation of ``range(examples)``, int32.  # (examples,)

    Example:
      >>> sorted(batch_order(0, 1, 4).tolist())
      [0, 1, 2, 3]
    """
    generator = np.random.Generator(np.random.PCG64([seed, epoch, _ORDER_STREAM]))
    return generator.permutation(examples).astype(np.int32)


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
        run_epoch, start_optimizer = self._program(population)
        state = initial_state(population, self.data, self.mesh, start_optimizer)
        progress = [
            Progress(trajectory, (g, w), [Watch()] * len(trajectory.readouts))
            for g, group in enumerate(population.groups)
            for w, trajectory in enumerate(group)
        ]
        first = 1
        if start is not None:
            state, first = _restore(start, progress, state, self.mesh), int(start.meta["epoch"]) + 1
        numbers = hyper(population, self.mesh)
        seeds = np.array([group[0].seed if group else 0 for group in population.groups], np.uint32)  # (G,)
        spread = partial(jax.device_put, device=sharded(self.mesh))
        epochs = max(p.trajectory.epochs for p in progress)
        for number in range(first, epochs + 1):
            active = [p for p in progress if p.active]
            if not active:
                break
            began = time.perf_counter()
            by_group = (self._rates(population, number), _mask(population, active), seeds, self._orders(seeds, number))
            state, metrics = run_epoch(state, numbers, *map(spread, by_group), jnp.uint32(number), self.arrays)
            note(active, number, np.asarray(metrics, np.float64), state)
            seconds = time.perf_counter() - began
            for p in active:
                p.seconds += seconds / len(active)
            if on_epoch is not None:
                snapshot = partial(_snapshot, number, progress, state)
                running = sum(not w.end_epoch for p in progress if p.active for w in p.watches)
                on_epoch(Epoch(number, epochs, running, len(active) * len(self.data.x_train), seconds, snapshot))
        return [record for p in progress for record in records(p, self._scores)]

    def _orders(self, seeds: IntArray, epoch: int) -> IntArray:
        """Each group's order of the training examples in an epoch.  # (G, n)"""
        examples = len(self.data.x_train)
        order = {seed: batch_order(seed, epoch, examples) for seed in {int(s) for s in seeds}}
        return np.stack([order[int(seed)] for seed in seeds])

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

    def _program(self, population: Population) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """A population's epoch and the start of its optimizer, compiled when they are first called."""
        program = population.program
        if program not in self.programs:
            start = optimizer_start(program, self.mesh)
            self.programs[program] = (epoch_program(program, self.data, self.mesh), start)
        return self.programs[program]


def _mask(population: Population, active: list[Progress]) -> np.ndarray:
    """Which places of a population train.  # (G, W)"""
    mask = np.zeros((len(population.groups), population.program.width), bool)
    mask[tuple(np.array([p.place for p in active]).T)] = True
    return mask


def _snapshot(epoch: int, progress: list[Progress], state: State) -> Snapshot:
    """The population after an epoch: the device's state, and what the host remembers."""
    arrays = {f"state/{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(state))}
    for i, p in enumerate(progress):
        arrays[f"rows/{i}"] = np.array(p.rows)
        arrays |= {f"kept/{i}/{k}/{name}": a for k, kept in p.kept.items() for name, a in kept.items()}
    host = [
        {"watches": [dataclasses.asdict(w) for w in p.watches], "diverged": p.diverged, "seconds": p.seconds}
        for p in progress
    ]
    return Snapshot(arrays, {"epoch": epoch, "progress": host})


def _restore(snapshot: Snapshot, progress: list[Progress], like: State, on: Mesh) -> State:
    """Fill in what the host remembers, and put the state back on the devices."""
    for i, (p, host) in enumerate(zip(progress, snapshot.meta["progress"], strict=True)):
        p.watches = [Watch(**w) for w in host["watches"]]
        p.diverged, p.seconds = host["diverged"], host["seconds"]
        p.rows = list(snapshot.arrays[f"rows/{i}"])
        for name, array in snapshot.arrays.items():
            if name.startswith(f"kept/{i}/"):
                _, _, readout, weight = name.split("/", 3)
                p.kept.setdefault(int(readout), {})[weight] = array
    leaves, tree = jax.tree.flatten(like)
    restored = [snapshot.arrays[f"state/{i}"] for i in range(len(leaves))]
    return jax.device_put(jax.tree.unflatten(tree, restored), sharded(on))


def predict_proba(
    model: ModelSpec,
    weights: Mapping[str, FloatArray],
    x: np.ndarray,
    classes: int,
    scaling: Scaling,
    cache: dict[Any, Callable[..., Any]] | None = None,
) -> FloatArray:
    """Class probabilities of a trained network, in inference mode, its scaling included.

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
