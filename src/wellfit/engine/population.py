"""The compiled program: one epoch of the runs of a wave.

A wave is the groups that the devices train in one call; a group is ``width`` runs of one seed. On a CPU, every device
trains one group, so that the weights in use stay in its cache, and receives the group's batches in order. If all
examples fit the cache, it instead trains several groups in turn and gathers their batches itself. A GPU trains its
groups at once. Within a group, ``vmap`` turns one network into ``width`` networks that share the batch and its noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from wellfit.base import HISTORY_COLUMNS, FloatArray, TrainingData
from wellfit.base.histograms import BINS
from wellfit.engine.devices import POPULATION, replicated, sharded
from wellfit.engine.evaluation import evaluate
from wellfit.engine.hyperparameters import TRACED
from wellfit.engine.plan import Population, Program, is_small
from wellfit.engine.step import Batch, Hyper, State, optimizer_of, train_step
from wellfit.nn import accelerator
from wellfit.nn.histograms import array_names, weight_counts
from wellfit.nn.losses import penalty
from wellfit.nn.models import Model, ModelParams, build

__all__ = [
    "Data",
    "Measured",
    "device_data",
    "epoch_program",
    "fetches",
    "hyper",
    "initial_state",
    "optimizer_start",
]


class Data(NamedTuple):
    """The data that every device holds in full: what is evaluated after an epoch, and the source of fetched batches.

    Where every seed has data of its own, all arrays have an axis of seeds in front.
    """

    x_sample: jax.Array  # (s, ...)
    y_sample: jax.Array  # (s,)
    x_validation: jax.Array  # (v, ...)
    y_validation: jax.Array  # (v,)
    shift: jax.Array  # of the scaling, () or input_shape
    factor: jax.Array  # of the scaling, () or input_shape
    x_train: jax.Array | None  # (n, ...); None if the host lays out the batches
    y_train: jax.Array | None  # (n,)
    seeds: jax.Array | None = None  # (F,); None if all seeds have the same data

    def of_seed(self, seed: jax.Array) -> Data:
        """The data of a seed, without the axis of seeds."""
        if self.seeds is None:
            return self
        place = jnp.argmax(self.seeds == seed)
        return jax.tree.map(lambda a: jax.lax.dynamic_index_in_dim(a, place, keepdims=False), self._replace(seeds=None))


class Measured(NamedTuple):
    """What an epoch measures of each run, on the devices.

    Args:
      metrics: ``HISTORY_COLUMNS``, float32.  # (G, W, columns)
      counts: the histograms of the weights, int32; see ``nn.histograms.weight_counts``.  # (G, W, arrays, BINS)
    """

    metrics: jax.Array
    counts: jax.Array


def fetches(data: TrainingData) -> bool:
    """Return whether the devices gather their batches themselves: GPUs do, and CPUs if the examples fit the cache.

    Otherwise, laying out an epoch on the host is much faster.
    """
    return accelerator.in_use() or is_small(data.input_shape, len(data.x_train))


def device_data(data: TrainingData | Mapping[int, TrainingData], mesh: Mesh, places: int = 0) -> Data:
    """Copy the data that every device needs to it, unscaled and in their original type.

    Args:
      data: of all seeds, or of each; then they are small, and the last one's fill the remaining places.
      places: the seeds that programs are compiled for.
    """
    if isinstance(data, TrainingData):
        return Data(*jax.device_put(_arrays(data), replicated(mesh)))
    shapes = {of_seed.scaling.shift.shape for of_seed in data.values()}
    whole = next(iter(data.values())).input_shape if len(shapes) > 1 else None  # features that are constant for some
    seeds, each = np.array(list(data), np.uint32), [_arrays(of_seed, whole) for of_seed in data.values()]
    more = max(0, places - len(each))
    stacked = (None if a[0] is None else np.stack([*a, *[a[-1]] * more]) for a in zip(*each, strict=True))
    return Data(*jax.device_put((*stacked, np.pad(seeds, (0, more), "edge")), replicated(mesh)))


def _arrays(data: TrainingData, scaled: tuple[int, ...] | None = None) -> tuple[np.ndarray | None, ...]:
    """The arrays of ``Data``.

    Args:
      scaled: the shape of the scaling; None for its own.
    """
    fetch, shape = fetches(data), data.scaling.shift.shape if scaled is None else scaled
    return (
        data.x_train[data.sample],
        data.y_train[data.sample].astype(np.int32),
        data.x_validation,
        data.y_validation.astype(np.int32),
        np.broadcast_to(data.scaling.shift.astype(np.float32), shape),
        np.broadcast_to(data.scaling.factor.astype(np.float32), shape),
        data.x_train if fetch else None,
        data.y_train.astype(np.int32) if fetch else None,
    )


def hyper(population: Population, mesh: Mesh) -> Hyper:
    """Return the hyperparameters of a wave's runs; unused places repeat the first run's and are never trained."""
    first = population.trajectories[0]
    width, averages = population.program.width, population.program.averages
    rows = [[group[w] if w < len(group) else first for w in range(width)] for group in population.groups]

    def column(name: str) -> FloatArray:
        return np.array([[getattr(t.hyperparameters, name) for t in row] for row in rows], np.float32)  # (G, W, ...)

    decays = [[(*t.decays, *(0.0,) * averages)[:averages] for t in row] for row in rows]
    hyper = {name: column(name) for name in TRACED} | {"decays": np.array(decays, np.float32)}
    return jax.device_put(hyper, sharded(mesh))


def initial_state(population: Population, data: TrainingData, mesh: Mesh, start: Callable[[ModelParams], Any]) -> State:
    """Return initial weights and optimizer state; they depend only on seed and model, not on the variant.

    Args:
      data: the splits; only their shapes are used.
      start: maps params to the optimizer state, from ``optimizer_start``.
    """
    program = population.program
    model = build(program.model, data.input_shape, data.classes)
    seeds = [group[0].seed if group else 0 for group in population.groups]  # (G,)
    drawn = {seed: model.init(seed) for seed in set(seeds)}

    def stack(*of_groups: FloatArray) -> FloatArray:
        once = np.stack(of_groups)[:, None]  # (G, 1, ...)
        return np.repeat(once, program.width, axis=1)  # (G, W, ...)

    params = jax.tree.map(stack, *(drawn[seed] for seed in seeds))
    stats = jax.tree.map(stack, *(model.stats() for _ in seeds))
    averages = (
        jax.tree.map(lambda a: np.repeat(a[:, :, None], program.averages, axis=2), params) if program.averages else {}
    )
    params, stats, averages = jax.device_put((params, stats, averages), sharded(mesh))
    return State(params, stats, start(params), averages)


def optimizer_start(program: Program, mesh: Mesh) -> Callable[[ModelParams], Any]:
    """Jitted optimizer initialization: maps a population's params to its optimizer state, with the same sharding."""
    optimizer = optimizer_of(program, dict.fromkeys(TRACED, 0.0), 0.0)
    return jax.jit(jax.vmap(jax.vmap(optimizer.init)), out_shardings=sharded(mesh))


def epoch_program(
    program: Program, input_shape: tuple[int, ...], classes: int, examples: int, mesh: Mesh
) -> Callable[..., tuple[State, Measured]]:
    """Return the jitted program for one epoch of a wave.

    Args:
      input_shape: the shape of one example.
      classes: number of classes.
      examples: number of training examples.

    Returns:
      A function ``(state, hyper, rates, active, seeds, batches, epoch, data) -> (state, measured)``. ``rates`` (G, W,
      steps) are learning rates, ``active`` (G, W) marks the runs that train, ``seeds`` (G,) are the groups' seeds,
      ``batches`` are the examples of every step ``(x (G, steps, B, ...), y (G, steps, B))`` or, if the devices gather
      them, row numbers (G, steps, B). Inactive runs, and runs whose loss is not finite, keep their weights. A group
      without an active run costs nothing if groups train in turn.
    """
    model = build(program.model, input_shape, classes, program.precision, kernels=program.kernels)
    train_group = _group_epoch(program, model, examples)

    def on_device(*arguments: Any) -> tuple[State, Measured]:
        *by_group, epoch, arrays = arguments

        def group(one: tuple[Any, ...]) -> tuple[State, Measured]:
            state, hyper, rates, active, seed, batches = one
            key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), 1), epoch)

            def train(state: State) -> tuple[State, Measured]:
                return train_group(state, hyper, rates, active, key, batches, epoch, arrays.of_seed(seed))

            def rest(state: State) -> tuple[State, Measured]:
                return state, _nothing_measured(program.width, state)

            return jax.lax.cond(active.any(), train, rest, state)

        return jax.vmap(group)(tuple(by_group)) if accelerator.in_use() else jax.lax.map(group, tuple(by_group))

    spread, whole = PartitionSpec(POPULATION), PartitionSpec()
    mapped = jax.shard_map(
        on_device, mesh=mesh, in_specs=(*(spread,) * 6, whole, whole), out_specs=(spread, spread), check_vma=False
    )
    return jax.jit(mapped, donate_argnums=0)


NORM_EVERY: Final = 8
"""The gradient norm is measured at every eighth step of an epoch, starting with the first, and averaged."""

_MUST_BE_FINITE: Final = ("running_loss", "train_loss", "validation_loss")


def _group_epoch(program: Program, model: Model, examples: int) -> Callable[..., tuple[State, Measured]]:
    """Return a function that trains a group for one epoch and evaluates both splits in inference mode."""
    batch = program.batch_size
    steps = math.ceil(examples / batch)
    one_step = jax.vmap(train_step(program, model), in_axes=(0, 0, 0, None))

    def train_group(
        state: State,
        hyper: Hyper,
        rates: jax.Array,
        active: jax.Array,
        key: jax.Array,
        batches: tuple[jax.Array, jax.Array] | jax.Array,
        epoch: jax.Array,
        data: Data,
    ) -> tuple[State, Measured]:
        weight = (jnp.arange(steps * batch) < examples).astype(jnp.float32).reshape(steps, batch)  # (steps, B)

        def step(carry: tuple[State, jax.Array], now: tuple[Any, ...]) -> tuple[tuple[State, jax.Array], None]:
            state, sums = carry
            index, step_key, batch, weight, rate = now
            x, y = batch if data.x_train is None or data.y_train is None else (data.x_train[batch], data.y_train[batch])
            first, measured = (epoch == 1) & (index == 0), index % NORM_EVERY == 0
            shared = Batch(x, y, weight, step_key, first, measured, data.shift, data.factor)
            state, now_sums = one_step(state, hyper, rate, shared)
            return (state, sums + now_sums), None  # (W, 3)

        sums = jnp.zeros((program.width, 3), jnp.float32)
        numbered = jnp.arange(steps)
        keys = jax.vmap(partial(jax.random.fold_in, key))(numbered)  # (steps,)
        (trained, sums), _ = jax.lax.scan(step, (state, sums), (numbered, keys, batches, weight, rates.T))
        running = sums / jnp.array([examples, examples, -(-steps // NORM_EVERY)], jnp.float32)[None]  # (W, 3)
        with jax.named_scope("scoring"):  # labels this part in profiles
            metrics = _measure(model, trained, hyper, running, rates[:, -1], data)  # (W, columns)
        losses = metrics[:, jnp.array([HISTORY_COLUMNS.index(name) for name in _MUST_BE_FINITE])]
        keep = active & jnp.isfinite(losses).all(axis=1)  # (W,)

        def choose(new: jax.Array, old: jax.Array) -> jax.Array:
            return jnp.where(keep.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

        with jax.named_scope("histograms"):
            counts = weight_counts(trained.params)  # (W, arrays, BINS)
        return jax.tree.map(choose, trained, state), Measured(metrics, counts)

    return train_group


def _nothing_measured(width: int, state: State) -> Measured:
    metrics = jnp.full((width, len(HISTORY_COLUMNS)), jnp.nan, jnp.float32)
    return Measured(metrics, jnp.zeros((width, len(array_names(state.params)), BINS), jnp.int32))


def _measure(model: Model, state: State, hyper: Hyper, running: jax.Array, rate: jax.Array, data: Data) -> jax.Array:
    """Measure ``HISTORY_COLUMNS`` for each run of a group after an epoch.  # (W, columns)"""
    scaling = (data.shift, data.factor)
    train = evaluate(model, state.params, state.stats, data.x_sample, data.y_sample, scaling)
    validation = evaluate(model, state.params, state.stats, data.x_validation, data.y_validation, scaling)
    kernels = [state.params[name]["kernel"].reshape(len(rate), -1) for name in model.kernels]  # (W, weights) each
    weights = sum(kernel.shape[1] for kernel in kernels)
    columns = {
        "running_loss": running[:, 0],
        "running_accuracy": running[:, 1],
        "train_loss": train.loss,
        "train_accuracy": train.accuracy,
        "validation_loss": validation.loss,
        "validation_accuracy": validation.accuracy,
        "penalty": jax.vmap(lambda p, n: penalty(p, model.kernels, n["l1"], n["l2"]))(state.params, hyper),
        "weight_norm": jnp.sqrt(sum((jnp.square(kernel).sum(axis=1) for kernel in kernels), jnp.float32(0))),
        "gradient_norm": running[:, 2],
        "small_weights": sum(((jnp.abs(k) < 1e-3).sum(axis=1) for k in kernels), jnp.int32(0)) / weights,
        "dead_units": 1 - train.alive.mean(axis=1),
        "learning_rate": rate,
    }
    return jnp.stack([columns[name].astype(jnp.float32) for name in HISTORY_COLUMNS], axis=1)  # (W, columns)
