"""The compiled program: one epoch of every run of a population.

A population is ``groups`` of ``width`` runs. The groups are spread over the devices; each device takes its groups in turn
(on a CPU, so that the weights at work stay in the cache) or all at once (on a GPU). Within a group, ``vmap`` makes one
network into ``width`` of them that share the batch and its noise, which turns the first layer into one wide matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, PartitionSpec

from wellfit.base import HISTORY_COLUMNS, FloatArray, Scaling, TrainingData
from wellfit.engine.devices import POPULATION, replicated, sharded
from wellfit.engine.plan import Numbers, Population, Program
from wellfit.nn.layers import Mode
from wellfit.nn.losses import cross_entropy, hits, penalty, weighted_mean
from wellfit.nn.models import Model, ModelParams, build
from wellfit.nn.optimizers import make_optimizer

__all__ = ["Data", "Hyper", "State", "device_data", "epoch_program", "hyper", "initial_state", "optimizer_start", "predict_program", "rescale", "train_step"]

_EVALUATION_ROWS: Final = 1000  # examples scored at a time, so that activations stay in the cache

Hyper: TypeAlias = dict[str, jax.Array]
"""``Numbers`` as float32 arrays with the population's axes in front.  # (G, W) or (G, W, layers)"""


class State(NamedTuple):
    """What a run carries from epoch to epoch; every leaf has the population's axes in front, (G, W, ...)."""

    params: ModelParams
    opt_state: Any  # optax's, a pytree


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
    arrays = Data(
        data.x_train,
        data.y_train.astype(np.int32),
        data.x_validation,
        data.y_validation.astype(np.int32),
        data.sample.astype(np.int32),
        data.scaling.shift.astype(np.float32),
        data.scaling.factor.astype(np.float32),
    )
    return jax.device_put(arrays, replicated(on))


def hyper(population: Population, on: Mesh) -> Hyper:
    """The numbers of a population's runs; empty places repeat the first run's, and are never trained."""
    first = population.trajectories[0].numbers
    program = population.program
    rows = [
        [(group[w].numbers if w < len(group) else first) for w in range(program.width)] for group in population.groups
    ]

    def column(name: str) -> FloatArray:
        return np.array([[getattr(numbers, name) for numbers in row] for row in rows], np.float32)  # (G, W, ...)

    return jax.device_put({name: column(name) for name in Numbers.__dataclass_fields__}, sharded(on))


def rescale(x: jax.Array, shift: jax.Array, factor: jax.Array) -> jax.Array:
    """The scaling that every model begins with: ``(x - shift) * factor`` in float32."""
    one = x.shape[1:]
    centered = x.astype(jnp.float32) - jnp.broadcast_to(shift, one)[None]
    return centered * jnp.broadcast_to(factor, one)[None]  # (B, ...)


def initial_state(
    population: Population, data: TrainingData, on: Mesh, start: Callable[[ModelParams], Any]
) -> State:
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

    params = jax.device_put(jax.tree.map(stack, *(drawn[seed] for seed in seeds)), sharded(on))
    return State(params, start(params))


def optimizer_start(program: Program, on: Mesh) -> Callable[[ModelParams], Any]:
    """Compile-ready start of an optimizer: weights of a population -> its optimizer state, on the same devices."""
    at_rest = dict.fromkeys(Numbers.__dataclass_fields__, 0.0)
    return jax.jit(jax.vmap(jax.vmap(_optimizer(program, at_rest).init)), out_shardings=sharded(on))


def _optimizer(program: Program, numbers: Mapping[str, Any]) -> optax.GradientTransformation:
    decay = numbers["weight_decay"] if "weight_decay" in program.uses else 0.0
    return make_optimizer(program.optimizer, numbers["learning_rate"], numbers["momentum"], decay)


def epoch_program(program: Program, data: TrainingData, on: Mesh) -> Callable[..., tuple[State, jax.Array]]:
    """Compile-ready program for one epoch of a population.

    Args:
      program: the structure.
      data: the splits; only their shapes are used.
      on: the devices.

    Returns:
      A jitted function ``(state, hyper, active, seeds, orders, epoch, data) -> (state, metrics)``, where ``active`` (G, W)
      marks the runs that train, ``seeds`` (G,) are theirs, ``orders`` (G, n) is each group's order of training examples,
      and ``metrics`` (G, W, columns) holds ``HISTORY_COLUMNS``. Runs that are not active, and runs whose loss is not
      finite, keep the weights that they had. A group without an active run costs nothing.
    """
    model = build(program.model, data.input_shape, data.classes)
    train_group = _group_epoch(program, model, len(data.x_train))

    def on_device(
        state: State, numbers: Hyper, active: jax.Array, seeds: jax.Array, orders: jax.Array, epoch: jax.Array, arrays: Data
    ) -> tuple[State, jax.Array]:
        def group(one: tuple[State, Hyper, jax.Array, jax.Array, jax.Array]) -> tuple[State, jax.Array]:
            state, numbers, active, seed, order = one
            key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), 1), epoch)

            def train(state: State) -> tuple[State, jax.Array]:
                return train_group(state, numbers, active, key, order, arrays)

            def rest(state: State) -> tuple[State, jax.Array]:
                return state, jnp.full((program.width, len(HISTORY_COLUMNS)), jnp.nan, jnp.float32)

            return jax.lax.cond(active.any(), train, rest, state)

        stacked = (state, numbers, active, seeds, orders)
        together = on.devices.flat[0].platform != "cpu"
        return jax.vmap(group)(stacked) if together else jax.lax.map(group, stacked)

    spread, whole = PartitionSpec(POPULATION), PartitionSpec()
    mapped = jax.shard_map(
        on_device,
        mesh=on,
        in_specs=(spread, spread, spread, spread, spread, whole, whole),
        out_specs=(spread, spread),
        check_vma=False,
    )
    return jax.jit(mapped, donate_argnums=0)


def _group_epoch(program: Program, model: Model, examples: int) -> Callable[..., tuple[State, jax.Array]]:
    """One epoch of the runs of a group: all steps, then both splits in inference mode."""
    batch = program.batch_size
    steps = math.ceil(examples / batch)

    def train_group(
        state: State, numbers: Hyper, active: jax.Array, key: jax.Array, order: jax.Array, data: Data
    ) -> tuple[State, jax.Array]:
        rows = jnp.pad(order, (0, steps * batch - examples)).reshape(steps, batch)  # (steps, B)
        weight = (jnp.arange(steps * batch) < examples).astype(jnp.float32).reshape(steps, batch)  # (steps, B)

        def step(carry: tuple[State, jax.Array], now: tuple[jax.Array, ...]) -> tuple[tuple[State, jax.Array], None]:
            state, sums = carry
            index, rows, weight = now
            x = rescale(data.x_train[rows], data.shift, data.factor)  # (B, ...)
            noise = jax.random.fold_in(key, index)
            one = jax.vmap(train_step(program, model), in_axes=(0, 0, None, None, None, None))
            state, scores = one(state, numbers, x, data.y_train[rows], weight, noise)
            return (state, sums + scores), None  # scores: (W, 2)

        sums = jnp.zeros((program.width, 2), jnp.float32)
        (trained, sums), _ = jax.lax.scan(step, (state, sums), (jnp.arange(steps), rows, weight))
        running = sums / examples  # (W, 2)
        train = _evaluate(model, trained.params, data.x_train, data.y_train, data.sample, data)  # (W, 2)
        everything = jnp.arange(len(data.x_validation))
        validation = _evaluate(model, trained.params, data.x_validation, data.y_validation, everything, data)  # (W, 2)
        extra = jax.vmap(lambda p, n: penalty(p, model.kernels, n["l1"], n["l2"]))(trained.params, numbers)  # (W,)
        metrics = jnp.concatenate([running, train, validation, extra[:, None], numbers["learning_rate"][:, None]], axis=1)
        finite = jnp.isfinite(running[:, 0]) & jnp.isfinite(train[:, 0]) & jnp.isfinite(validation[:, 0])
        keep = active & finite  # (W,)

        def choose(new: jax.Array, old: jax.Array) -> jax.Array:
            return jnp.where(keep.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

        return jax.tree.map(choose, trained, state), metrics  # (W, columns)

    return train_group


def train_step(program: Program, model: Model) -> Callable[..., tuple[State, jax.Array]]:
    """One step of one run.

    Args:
      program: the structure; what it does not use is left out.
      model: the network.

    Returns:
      A function ``(state, numbers, x, y, weight, noise) -> (state, sums)`` of one run: scaled inputs (B, ...), labels
      (B,), 1 or 0 for padding (B,), the step's key; ``sums`` (2,) are the loss, penalty included, and the hits, each
      summed over the batch, before the step.
    """

    def objective(
        params: ModelParams, numbers: Hyper, x: jax.Array, y: jax.Array, weight: jax.Array, noise: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        mode = Mode(noise, numbers["dropout"], weight) if "dropout" in program.uses else None
        logits = model.apply(params, x, mode)  # (B, K)
        smoothing = numbers["label_smoothing"] if "label_smoothing" in program.uses else 0.0
        loss = weighted_mean(cross_entropy(logits, y, smoothing), weight)
        if program.uses & {"l1", "l2"}:
            loss += penalty(params, model.kernels, numbers["l1"], numbers["l2"])
        return loss, (hits(logits, y) * weight).sum()

    def step(
        state: State, numbers: Hyper, x: jax.Array, y: jax.Array, weight: jax.Array, noise: jax.Array
    ) -> tuple[State, jax.Array]:
        gradient = jax.value_and_grad(objective, has_aux=True)
        (loss, correct), grads = gradient(state.params, numbers, x, y, weight, noise)
        updates, opt_state = _optimizer(program, numbers).update(grads, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        if "max_norm" in program.uses:
            params = _bound_norms(params, model.kernels[:-1] or model.kernels, numbers["max_norm"])
        return State(params, opt_state), jnp.stack([loss * weight.sum(), correct])  # (2,)

    return step


def _bound_norms(params: ModelParams, kernels: tuple[str, ...], bound: jax.Array) -> ModelParams:
    """Shrink each unit's incoming weights to a norm of at most ``bound`` (Srivastava et al., 2014, section 5.1)."""

    def shrink(kernel: jax.Array) -> jax.Array:
        norms = jnp.sqrt(jnp.square(kernel).sum(axis=0, keepdims=True))  # (1, units)
        return kernel * jnp.where(norms > bound, bound / norms, jnp.float32(1))

    return {name: {**p, "kernel": shrink(p["kernel"])} if name in kernels else p for name, p in params.items()}


def _evaluate(
    model: Model, params: ModelParams, x: jax.Array, y: jax.Array, rows: jax.Array, data: Data
) -> jax.Array:
    """Mean loss and accuracy of each run of a group on some rows, in inference mode, without the penalty.  # (W, 2)"""
    chunks = math.ceil(len(rows) / _EVALUATION_ROWS)
    size = math.ceil(len(rows) / chunks)
    padded = jnp.pad(rows, (0, chunks * size - len(rows))).reshape(chunks, size)
    weight = (jnp.arange(chunks * size) < len(rows)).astype(jnp.float32).reshape(chunks, size)

    def score(params: ModelParams, inputs: jax.Array, labels: jax.Array, weight: jax.Array) -> jax.Array:
        logits = model.apply(params, inputs)  # (size, K)
        return jnp.stack([(cross_entropy(logits, labels) * weight).sum(), (hits(logits, labels) * weight).sum()])

    def chunk(total: jax.Array, now: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        rows, weight = now
        inputs = rescale(x[rows], data.shift, data.factor)
        return total + jax.vmap(score, in_axes=(0, None, None, None))(params, inputs, y[rows], weight), None  # (W, 2)

    width = len(jax.tree.leaves(params)[0])
    total, _ = jax.lax.scan(chunk, jnp.zeros((width, 2), jnp.float32), (padded, weight))
    return total / len(rows)


def predict_program(model: Model, scaling: Scaling) -> Callable[[ModelParams, jax.Array], jax.Array]:
    """Class probabilities of one network for a batch of unscaled examples, in inference mode, jitted."""
    shift, factor = jnp.asarray(scaling.shift, jnp.float32), jnp.asarray(scaling.factor, jnp.float32)

    def predict(params: ModelParams, x: jax.Array) -> jax.Array:
        return jax.nn.softmax(model.apply(params, rescale(x, shift, factor)))  # (B, K)

    return jax.jit(predict)
