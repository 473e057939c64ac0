"""The compiled program: one epoch of every run of a population.

A population is ``groups`` of ``width`` runs. The groups are spread over the devices; each device takes its groups in
turn (on a CPU, so that the weights at work stay in the cache) or all at once (on a GPU). Within a group, ``vmap`` makes
one network into ``width`` of them that share the batch and its noise, which turns the first layer into one wide matrix
product.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from wellfit.base import HISTORY_COLUMNS, FloatArray, TrainingData
from wellfit.engine.devices import POPULATION, replicated, sharded
from wellfit.engine.evaluation import evaluate
from wellfit.engine.plan import TRACED, Population, Program
from wellfit.engine.step import Batch, Hyper, State, optimizer_of, train_step
from wellfit.nn.losses import penalty
from wellfit.nn.models import Model, ModelParams, build

__all__ = ["Data", "device_data", "epoch_program", "hyper", "initial_state", "optimizer_start"]


class Data(NamedTuple):
    """The data on the devices, whole on each."""

    x_train: jax.Array  # (n, ...)
    y_train: jax.Array  # (n,)
    x_validation: jax.Array  # (v, ...)
    y_validation: jax.Array  # (v,)
    sample: jax.Array  # (s,)
    shift: jax.Array  # () or input_shape
    factor: jax.Array  # () or input_shape


def device_data(data: TrainingData, on: Mesh) -> Data:
    """Put the splits on every device, unscaled, as the bytes that they are."""
    arrays: tuple[np.ndarray, ...] = (
        data.x_train,
        data.y_train.astype(np.int32),
        data.x_validation,
        data.y_validation.astype(np.int32),
        data.sample.astype(np.int32),
        data.scaling.shift.astype(np.float32),
        data.scaling.factor.astype(np.float32),
    )
    return Data(*jax.device_put(arrays, replicated(on)))


def hyper(population: Population, on: Mesh) -> Hyper:
    """The numbers of a population's runs; empty places repeat the first run's, and are never trained."""
    first = population.trajectories[0]
    width, averages = population.program.width, population.program.averages
    rows = [[group[w] if w < len(group) else first for w in range(width)] for group in population.groups]

    def column(name: str) -> FloatArray:
        return np.array([[getattr(t.numbers, name) for t in row] for row in rows], np.float32)  # (G, W, ...)

    decays = [[(*t.decays, *(0.0,) * averages)[:averages] for t in row] for row in rows]
    numbers = {name: column(name) for name in TRACED} | {"decays": np.array(decays, np.float32)}
    return jax.device_put(numbers, sharded(on))


def initial_state(population: Population, data: TrainingData, on: Mesh, start: Callable[[ModelParams], Any]) -> State:
    """Initial weights and optimizer state: a function of the seed and the model, the same for every variant.

    Args:
      population: whose runs.
      data: the splits; only their shapes are used.
      on: the devices.
      start: params -> optimizer state, as ``optimizer_start`` makes it.
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
    params, stats, averages = jax.device_put((params, stats, averages), sharded(on))
    return State(params, stats, start(params), averages)


def optimizer_start(program: Program, on: Mesh) -> Callable[[ModelParams], Any]:
    """Compile-ready start of an optimizer: weights of a population -> its optimizer state, on the same devices."""
    optimizer = optimizer_of(program, dict.fromkeys(TRACED, 0.0), 0.0)
    return jax.jit(jax.vmap(jax.vmap(optimizer.init)), out_shardings=sharded(on))


def epoch_program(program: Program, data: TrainingData, on: Mesh) -> Callable[..., tuple[State, jax.Array]]:
    """Compile-ready program for one epoch of a population.

    Args:
      program: the structure.
      data: the splits; only their shapes are used.
      on: the devices.

    Returns:
      A jitted function ``(state, hyper, rates, active, seeds, orders, epoch, data) -> (state, metrics)``, where
      ``rates`` (G, W, steps) is each step's learning rate, ``active`` (G, W) marks the runs that train, ``seeds`` (G,)
      are theirs, ``orders`` (G, n) is each group's order of training examples, and ``metrics`` (G, W, columns) holds
      ``HISTORY_COLUMNS``. Runs that are not active, and runs whose loss is not finite, keep the weights that they
      had. A group without an active run costs nothing where groups are taken in turn.
    """
    model = build(program.model, data.input_shape, data.classes)
    train_group = _group_epoch(program, model, len(data.x_train))

    def on_device(*arguments: Any) -> tuple[State, jax.Array]:
        *by_group, epoch, arrays = arguments

        def group(one: tuple[Any, ...]) -> tuple[State, jax.Array]:
            state, numbers, rates, active, seed, order = one
            key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), 1), epoch)

            def train(state: State) -> tuple[State, jax.Array]:
                return train_group(state, numbers, rates, active, key, order, epoch, arrays)

            def rest(state: State) -> tuple[State, jax.Array]:
                return state, jnp.full((program.width, len(HISTORY_COLUMNS)), jnp.nan, jnp.float32)

            return jax.lax.cond(active.any(), train, rest, state)

        together = on.devices.flat[0].platform != "cpu"
        return jax.vmap(group)(tuple(by_group)) if together else jax.lax.map(group, tuple(by_group))

    spread, whole = PartitionSpec(POPULATION), PartitionSpec()
    mapped = jax.shard_map(
        on_device, mesh=on, in_specs=(*(spread,) * 6, whole, whole), out_specs=(spread, spread), check_vma=False
    )
    return jax.jit(mapped, donate_argnums=0)


def _group_epoch(program: Program, model: Model, examples: int) -> Callable[..., tuple[State, jax.Array]]:
    """One epoch of the runs of a group: all steps, then both splits in inference mode."""
    batch = program.batch_size
    steps = math.ceil(examples / batch)
    one_step = jax.vmap(train_step(program, model), in_axes=(0, 0, 0, None))

    def train_group(
        state: State,
        numbers: Hyper,
        rates: jax.Array,
        active: jax.Array,
        key: jax.Array,
        order: jax.Array,
        epoch: jax.Array,
        data: Data,
    ) -> tuple[State, jax.Array]:
        scaling = (data.shift, data.factor)
        rows = jnp.pad(order, (0, steps * batch - examples)).reshape(steps, batch)  # (steps, B)
        weight = (jnp.arange(steps * batch) < examples).astype(jnp.float32).reshape(steps, batch)  # (steps, B)

        def step(carry: tuple[State, jax.Array], now: tuple[jax.Array, ...]) -> tuple[tuple[State, jax.Array], None]:
            state, sums = carry
            index, rows, weight, rate = now
            x = data.x_train[rows]  # (B, ...)
            first = (epoch == 1) & (index == 0)
            shared = Batch(x, data.y_train[rows], weight, jax.random.fold_in(key, index), first, *scaling)
            state, now_sums = one_step(state, numbers, rate, shared)
            return (state, sums + now_sums), None  # (W, 3)

        sums = jnp.zeros((program.width, 3), jnp.float32)
        (trained, sums), _ = jax.lax.scan(step, (state, sums), (jnp.arange(steps), rows, weight, rates.T))
        running = sums / jnp.array([examples, examples, steps], jnp.float32)[None]  # (W, 3)
        metrics = _measure(model, trained, numbers, running, rates[:, -1], data)  # (W, columns)
        losses = metrics[:, jnp.array([HISTORY_COLUMNS.index(name) for name in _MUST_BE_FINITE])]
        keep = active & jnp.isfinite(losses).all(axis=1)  # (W,)

        def choose(new: jax.Array, old: jax.Array) -> jax.Array:
            return jnp.where(keep.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

        return jax.tree.map(choose, trained, state), metrics

    return train_group


_MUST_BE_FINITE = ("running_loss", "train_loss", "validation_loss")


def _measure(model: Model, state: State, numbers: Hyper, running: jax.Array, rate: jax.Array, data: Data) -> jax.Array:
    """Measure all of ``HISTORY_COLUMNS`` for each run of a group after an epoch; (W, columns)."""
    scaling = (data.shift, data.factor)
    everything = jnp.arange(len(data.x_validation))
    train = evaluate(model, state.params, state.stats, data.x_train, data.y_train, data.sample, scaling)
    validation = evaluate(model, state.params, state.stats, data.x_validation, data.y_validation, everything, scaling)
    kernels = [state.params[name]["kernel"].reshape(len(rate), -1) for name in model.kernels]  # (W, weights) each
    weights = sum(kernel.shape[1] for kernel in kernels)
    columns = {
        "running_loss": running[:, 0],
        "running_accuracy": running[:, 1],
        "train_loss": train.loss,
        "train_accuracy": train.accuracy,
        "validation_loss": validation.loss,
        "validation_accuracy": validation.accuracy,
        "penalty": jax.vmap(lambda p, n: penalty(p, model.kernels, n["l1"], n["l2"]))(state.params, numbers),
        "weight_norm": jnp.sqrt(sum((jnp.square(kernel).sum(axis=1) for kernel in kernels), jnp.float32(0))),
        "gradient_norm": running[:, 2],
        "small_weights": sum(((jnp.abs(k) < 1e-3).sum(axis=1) for k in kernels), jnp.int32(0)) / weights,
        "dead_units": 1 - train.alive.mean(axis=1),
        "learning_rate": rate,
    }
    return jnp.stack([columns[name].astype(jnp.float32) for name in HISTORY_COLUMNS], axis=1)  # (W, columns)
