"""Training a population: the loop over epochs on the host, from a plan to records."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from wellfit.base import HISTORY_COLUMNS, FloatArray, History, IntArray, RunRecord, RunState, Scaling, TrainingData
from wellfit.engine.devices import mesh, sharded
from wellfit.engine.plan import Population, Program, Trajectory
from wellfit.engine.population import (
    Data,
    State,
    device_data,
    epoch_program,
    hyper,
    initial_state,
    optimizer_start,
    predict_program,
)
from wellfit.engine.stopping import Watch, look
from wellfit.nn.models import ModelParams, build

__all__ = ["Epoch", "Snapshot", "Trainer", "batch_order", "predict_proba"]

_LOSS, _VALIDATION_LOSS, _VALIDATION_ACCURACY = (
    HISTORY_COLUMNS.index(name) for name in ("running_loss", "validation_loss", "validation_accuracy")
)
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


@dataclass
class _Progress:
    """What the host remembers of one trajectory while it trains."""

    trajectory: Trajectory
    place: tuple[int, int]  # group, position in the group
    watches: list[Watch]  # one a readout
    rows: list[FloatArray] = field(default_factory=list)  # one an epoch, (columns,)
    kept: dict[int, dict[str, FloatArray]] = field(default_factory=dict)  # readout -> weights
    diverged: bool = False
    seconds: float = 0.0

    @property
    def active(self) -> bool:
        return not self.diverged and any(not watch.end_epoch for watch in self.watches)


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

    Example:
      >>> from wellfit.base import Recipe, RunSpec, Scaling
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
        self.data = data
        self.mesh = mesh() if on is None else on
        self.arrays: Data = device_data(data, self.mesh)
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
            _Progress(trajectory, (g, w), [Watch()] * len(trajectory.readouts))
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
            mask = np.zeros((len(population.groups), population.program.width), bool)  # (G, W)
            mask[tuple(np.array([p.place for p in active]).T)] = True
            order = {seed: batch_order(seed, number, len(self.data.x_train)) for seed in {int(s) for s in seeds}}
            orders = np.stack([order[int(seed)] for seed in seeds])  # (G, n)
            state, metrics = run_epoch(
                state, numbers, spread(mask), spread(seeds), spread(orders), jnp.uint32(number), self.arrays
            )
            _note(active, number, np.asarray(metrics, np.float64), state)
            seconds = time.perf_counter() - began
            for p in active:
                p.seconds += seconds / len(active)
            if on_epoch is not None:
                snapshot = partial(_snapshot, number, progress, state)
                running = sum(not w.end_epoch for p in progress if p.active for w in p.watches)
                on_epoch(Epoch(number, epochs, running, len(active) * len(self.data.x_train), seconds, snapshot))
        return [record for p in progress for record in _records(p)]

    def _program(self, population: Population) -> tuple[Callable[..., Any], Callable[..., Any]]:
        """A population's epoch and the start of its optimizer, compiled when they are first called."""
        program = population.program
        if program not in self.programs:
            start = optimizer_start(program, self.mesh)
            self.programs[program] = (epoch_program(program, self.data, self.mesh), start)
        return self.programs[program]


def _note(active: list[_Progress], epoch: int, metrics: FloatArray, state: State) -> None:
    """Note an epoch in every trajectory, let its readouts look, and copy the weights that they ask for."""
    weights: ModelParams | None = None
    for p in active:
        row = metrics[p.place]  # (columns,)
        p.rows.append(row)
        if not np.isfinite(row[[_LOSS, _VALIDATION_LOSS]]).all():
            p.diverged = True
            continue
        for i, readout in enumerate(p.trajectory.readouts):
            before = p.watches[i]
            p.watches[i] = look(
                before, readout.rule, epoch, readout.epochs, row[_VALIDATION_LOSS], row[_VALIDATION_ACCURACY]
            )
            if p.watches[i].kept_epoch == epoch != before.kept_epoch:
                weights = jax.device_get(state.params) if weights is None else weights
                p.kept[i] = _flat(weights, p.place)


def _flat(weights: ModelParams, place: tuple[int, int]) -> dict[str, FloatArray]:
    """One run's weights out of a population's, by ``"layer/array"``; copies, since the buffers are used again."""
    return {f"{layer}/{name}": np.array(a[place]) for layer, arrays in weights.items() for name, a in arrays.items()}


def _records(p: _Progress) -> list[RunRecord]:
    columns = np.array(p.rows).T  # (columns, epochs)
    records = []
    for i, (readout, watch) in enumerate(zip(p.trajectory.readouts, p.watches, strict=True)):
        state: RunState = "stopped" if watch.stopped else "finished" if watch.end_epoch else "diverged"
        epochs = watch.end_epoch or len(p.rows)
        history = History({name: columns[c, :epochs] for c, name in enumerate(HISTORY_COLUMNS)})
        kept = p.kept.get(i, {}) if watch.end_epoch else {}
        read = watch.kept_epoch if watch.end_epoch else 0
        share = p.seconds / len(p.watches)
        records.append(RunRecord(readout.run, state, epochs, read, history, kept, share, p.trajectory.name))
    return records


def _snapshot(epoch: int, progress: list[_Progress], state: State) -> Snapshot:
    """The population after an epoch: the device's state, and what the host remembers."""
    arrays = {f"state/{i}": np.asarray(leaf) for i, leaf in enumerate(jax.tree.leaves(state))}
    for i, p in enumerate(progress):
        arrays[f"rows/{i}"] = np.array(p.rows)
        arrays.update({f"kept/{i}/{k}/{name}": a for k, kept in p.kept.items() for name, a in kept.items()})
    host = [
        {"watches": [dataclasses.asdict(w) for w in p.watches], "diverged": p.diverged, "seconds": p.seconds}
        for p in progress
    ]
    return Snapshot(arrays, {"epoch": epoch, "progress": host})


def _restore(snapshot: Snapshot, progress: list[_Progress], like: State, on: Mesh) -> State:
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
    record: RunRecord, x: np.ndarray, classes: int, scaling: Scaling, cache: dict[Any, Callable[..., Any]] | None = None
) -> FloatArray:
    """Class probabilities of a trained run, in inference mode, its scaling included.

    Args:
      record: the run, with its weights.
      x: unscaled examples.  # (M, ...)
      classes: how many classes the run was trained for.
      scaling: the scaling that it was trained with.
      cache: keeps compiled programs between calls of one data set.

    Returns:
      Probabilities, float32; rows sum to 1.  # (M, classes)
    """
    spec = record.spec.recipe.model
    programs = {} if cache is None else cache
    if spec not in programs:
        programs[spec] = predict_program(build(spec, tuple(x.shape[1:]), classes), scaling)
    params: ModelParams = {}
    for path, array in record.weights.items():
        layer, name = path.split("/")
        params.setdefault(layer, {})[name] = jnp.asarray(array)
    rows = min(_PREDICTION_ROWS, len(x))
    parts = []
    for begin in range(0, len(x), rows):
        part = x[begin : begin + rows]
        padded = np.concatenate([part, np.repeat(part[:1], rows - len(part), axis=0)])  # one shape, one program
        parts.append(np.asarray(programs[spec](params, jnp.asarray(padded)))[: len(part)])
    return np.concatenate(parts)  # (M, classes)
