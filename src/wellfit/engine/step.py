"""One step of one run: from a batch to new weights. The population makes many of it with ``vmap``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax

from wellfit.engine.evaluation import as_float, rescale
from wellfit.engine.plan import Program
from wellfit.nn.augmentation import AUGMENTATIONS, augment, mixup
from wellfit.nn.layers import Mode
from wellfit.nn.losses import example_losses, hits, penalty, penalty_gradient, soft_threshold
from wellfit.nn.models import Model, ModelParams
from wellfit.nn.optimizers import make_optimizer
from wellfit.nn.products import squared_norm

__all__ = ["Batch", "Hyper", "State", "augmented", "optimizer_of", "train_step"]

Hyper: TypeAlias = dict[str, jax.Array]
"""``Numbers`` as float32 arrays; of one run here, with the population's axes in front elsewhere."""

_AUGMENTATION_STREAM: Final = 1 << 20  # keys below it belong to the dropout layers
_MIXUP_STREAM: Final = _AUGMENTATION_STREAM + 1


class State(NamedTuple):
    """What a run carries from step to step; in a population every leaf has its axes in front, (G, W, ...)."""

    params: ModelParams
    stats: ModelParams
    opt_state: Any  # optax's, a pytree
    averages: ModelParams  # exponential moving averages of the weights, one a decay, (A, ...)


class Batch(NamedTuple):
    """One step's examples, and what the runs of a seed share beside them."""

    x: jax.Array  # unscaled, (B, ...)
    y: jax.Array  # (B,)
    weight: jax.Array  # 1, or 0 for padding, (B,)
    key: jax.Array  # the step's noise
    first: jax.Array  # whether this is the first step of the training
    measured: jax.Array  # whether the gradient's norm is wanted
    shift: jax.Array  # of the scaling, () or input_shape
    factor: jax.Array  # of the scaling, () or input_shape


def optimizer_of(program: Program, hyper: Mapping[str, Any], rate: Any) -> optax.GradientTransformation:
    """The program's optimizer with a run's numbers and the step's learning rate."""
    decay = hyper["weight_decay"] if "weight_decay" in program.uses else 0.0
    return make_optimizer(program.optimizer, rate, hyper["momentum"], decay)


def train_step(program: Program, model: Model) -> Callable[[State, Hyper, jax.Array, Batch], tuple[State, jax.Array]]:
    """One step of one run.

    Args:
      program: the structure; what it does not use is left out.
      model: the network.

    Returns:
      A function ``(state, numbers, learning_rate, batch) -> (state, sums)``; ``sums`` (3,) are the loss (penalty
      included) and the hits, each summed over the batch as they were before the step, and the norm of the gradient,
      penalty included, or 0 where it was not wanted.
    """
    objective = _objective(program, model)

    def step(state: State, hyper: Hyper, rate: jax.Array, batch: Batch) -> tuple[State, jax.Array]:
        gradient = jax.value_and_grad(objective, has_aux=True)
        (loss, (stats, correct)), of_data = gradient(state.params, state.stats, hyper, batch)
        loss += _penalty(program, model, state.params, hyper)

        def total() -> ModelParams:
            return _with_penalty(program, model, of_data, state.params, hyper)

        def norm() -> jax.Array:
            return jnp.sqrt(sum((squared_norm(g) for g in jax.tree.leaves(total())), jnp.float32(0)))

        # reading all gradients once more costs a twentieth of a step: only where it is asked for
        measured = jax.lax.cond(batch.measured, norm, lambda: jnp.zeros((), loss.dtype))
        grads = _clip(program, total(), hyper)
        with jax.named_scope("optimizer"):  # a profile names it
            updates, opt_state = optimizer_of(program, hyper, rate).update(grads, state.opt_state, state.params)
            params = _constrain(program, model, optax.apply_updates(state.params, updates), hyper, rate)
        averages = _average(program, state.averages, params, hyper, batch.first)
        sums = jnp.stack([loss * batch.weight.sum(), correct, measured])  # (3,)
        return State(params, stats, opt_state, averages), sums

    return step


def augmented(
    x: jax.Array,
    key: jax.Array,
    strength: Mapping[str, jax.Array],
    uses: Collection[str],
    shift: jax.Array,
    factor: jax.Array,
) -> jax.Array:
    """Scale a batch, augmented on the way: pictures are moved before they are scaled, and noise comes after.

    The order matters where every pixel has its own scale: a moved pixel is to be scaled as the place that it moves to.

    Args:
      x: unscaled examples.  # (B, ...)
      key: of the draws.
      strength: each augmentation's.
      uses: the augmentations that are in use; ``"mixup"`` is not done here.
      shift, factor: of the scaling.

    Returns:
      Scaled examples.  # (B, ...)
    """
    moves = set(uses) & {"shift", "flip", "rotation", "zoom"}
    covers = set(uses) & {"erasing", "noise"}
    if moves:
        x = augment(as_float(x), key, strength, moves, jnp.float32(0))
    scaled = rescale(x, shift, factor)
    if covers:
        empty = rescale(jnp.zeros_like(x[:1]), shift, factor)[0]  # one example
        scaled = augment(scaled, key, strength, covers, empty)
    return scaled


def _objective(
    program: Program, model: Model
) -> Callable[[ModelParams, ModelParams, Hyper, Batch], tuple[jax.Array, tuple[ModelParams, jax.Array]]]:
    """Mean loss of a batch, without the penalty; the statistics after it, and how many examples were hit."""
    uses = program.uses
    changes = uses & set(AUGMENTATIONS)

    def losses(logits: jax.Array, labels: jax.Array, hyper: Hyper) -> jax.Array:
        smoothing = hyper["label_smoothing"] if "label_smoothing" in uses else 0.0
        each = example_losses(program.loss, logits, labels, smoothing)  # (B,)
        return each * hyper["class_weights"][labels] if "class_weights" in uses else each

    def objective(
        params: ModelParams, stats: ModelParams, hyper: Hyper, batch: Batch
    ) -> tuple[jax.Array, tuple[ModelParams, jax.Array]]:
        key = jax.random.fold_in(batch.key, _AUGMENTATION_STREAM)
        x = augmented(batch.x, key, hyper, changes, batch.shift, batch.factor)
        if "mixup" in changes:
            key = jax.random.fold_in(batch.key, _MIXUP_STREAM)
            x, partner, share = mixup(x, key, hyper["mixup"], batch.weight)
        mode = Mode(batch.key, hyper["dropout"] if "dropout" in uses else None, batch.weight)
        logits, moved = model.apply(params, stats, x, mode)  # (B, K)
        each = losses(logits, batch.y, hyper)  # (B,)
        if "mixup" in changes:
            each = share * each + (1 - share) * losses(logits, batch.y[partner], hyper)
        # class weights do not change the divisor: Keras divides by the number of examples
        loss = (each * batch.weight).sum() / batch.weight.sum()
        return loss, (moved, (hits(logits, batch.y) * batch.weight).sum())

    return objective


def _strengths(program: Program, hyper: Hyper) -> tuple[jax.Array | None, jax.Array | None]:
    """l1 and l2 of every kernel, None where no run of the program has the penalty."""
    l1, l2 = (hyper[name] if name in program.uses else None for name in ("l1", "l2"))
    return l1, l2


def _penalty(program: Program, model: Model, params: ModelParams, hyper: Hyper) -> jax.Array:
    return penalty(params, model.kernels, *_strengths(program, hyper))


def _with_penalty(program: Program, model: Model, grads: ModelParams, params: ModelParams, hyper: Hyper) -> ModelParams:
    """Gradients of the loss with those of the penalty."""
    l1, l2 = _strengths(program, hyper)
    if l1 is None and l2 is None:
        return grads
    changed = {name: dict(arrays) for name, arrays in grads.items()}
    for i, name in enumerate(model.kernels):
        of_kernel = (None if strength is None else strength[i] for strength in (l1, l2))
        changed[name]["kernel"] += penalty_gradient(params[name]["kernel"], *of_kernel)
    return changed


def _clip(program: Program, grads: ModelParams, hyper: Hyper) -> ModelParams:
    """Shorten each array's gradient, and the whole of it, to their bounds (Pascanu et al., 2013)."""
    if "clip_norm" in program.uses:
        bound = hyper["clip_norm"]
        grads = jax.tree.map(lambda g: g * _shorten(jnp.sqrt(jnp.square(g).sum()), bound), grads)
    if "global_clip_norm" in program.uses:
        factor = _shorten(optax.tree.norm(grads), hyper["global_clip_norm"])
        grads = jax.tree.map(lambda g: g * factor, grads)
    return grads


def _shorten(norm: jax.Array, bound: jax.Array) -> jax.Array:
    """The factor that brings a norm down to its bound, exactly 1 where it is within."""
    return jnp.where(norm > bound, bound / norm, jnp.float32(1))


def _constrain(program: Program, model: Model, params: ModelParams, hyper: Hyper, rate: jax.Array) -> ModelParams:
    """Soft thresholding and max-norm, after the optimizer's step."""
    bounded = model.kernels[:-1] or model.kernels
    changed = {name: dict(arrays) for name, arrays in params.items()}
    for i, name in enumerate(model.kernels):
        kernel = params[name]["kernel"]
        if "proximal_l1" in program.uses:
            kernel = soft_threshold(kernel, rate * hyper["proximal_l1"][i])
        if "max_norm" in program.uses and name in bounded:
            inputs = tuple(range(kernel.ndim - 1))
            norms = jnp.sqrt(jnp.square(kernel).sum(axis=inputs, keepdims=True))  # (1, ..., units)
            kernel = kernel * _shorten(norms, hyper["max_norm"])  # Srivastava et al. (2014), section 5.1
        changed[name]["kernel"] = kernel
    return changed


def _average(
    program: Program, averages: ModelParams, params: ModelParams, hyper: Hyper, first: jax.Array
) -> ModelParams:
    """Move the exponential averages; the first step sets them to the weights, as Keras does."""
    if not program.averages:
        return averages
    decay = jnp.where(first, jnp.float32(0), hyper["decays"])  # (A,)

    def move(average: jax.Array, new: jax.Array) -> jax.Array:
        d = decay.reshape(-1, *(1,) * new.ndim)
        return d * average + (1 - d) * new[None]  # (A, ...)

    return jax.tree.map(move, averages, params)
