"""One training step of one run: from a batch to new weights. The population vectorizes it with ``vmap``."""

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
"""``Hyperparameters`` as float32 arrays: of one run in this module, with leading population axes elsewhere."""

_AUGMENTATION_STREAM: Final = 1 << 20  # keys below it belong to the dropout layers
_MIXUP_STREAM: Final = _AUGMENTATION_STREAM + 1


class State(NamedTuple):
    """The state that a run carries from step to step; in a population, every leaf is (G, W, ...)."""

    params: ModelParams
    stats: ModelParams
    opt_state: Any  # optax's, a pytree
    averages: ModelParams  # exponential moving averages of the weights, one per decay, (A, ...)


class Batch(NamedTuple):
    """One step's examples and the other inputs that the runs of a seed share."""

    x: jax.Array  # unscaled, (B, ...)
    y: jax.Array  # (B,)
    weight: jax.Array  # 1, or 0 for padding, (B,)
    key: jax.Array  # random key of the step's noise
    first: jax.Array  # whether this is the first step of training
    measured: jax.Array  # whether to measure the gradient norm
    shift: jax.Array  # of the scaling, () or input_shape
    factor: jax.Array  # of the scaling, () or input_shape


def optimizer_of(program: Program, hyper: Mapping[str, Any], rate: Any) -> optax.GradientTransformation:
    """Return the program's optimizer with a run's hyperparameters and the step's learning rate."""
    decay = hyper["weight_decay"] if "weight_decay" in program.uses else 0.0
    return make_optimizer(program.optimizer, rate, hyper["momentum"], decay)


def train_step(program: Program, model: Model) -> Callable[[State, Hyper, jax.Array, Batch], tuple[State, jax.Array]]:
    """Return the function that makes one training step of one run.

    Args:
      program: the structure; computations that it does not use are left out.

    Returns:
      A function ``(state, hyper, learning_rate, batch) -> (state, sums)``. ``sums`` (3,) are the loss, with penalty,
      and the number of correct predictions, both summed over the batch and measured before the update, and the norm of
      the gradient, with penalty, or 0 if not measured.
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

        # reading all gradients again takes a twentieth of a step, so only some steps do it
        measured = jax.lax.cond(batch.measured, norm, lambda: jnp.zeros((), loss.dtype))
        grads = _clip(program, total(), hyper)
        with jax.named_scope("optimizer"):  # labels this part in profiles
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
    """Augment and scale a batch: geometric changes come before the scaling, erasing and noise after it.

    The order matters if every pixel has its own scale: a moved pixel must be scaled like its new position.

    Args:
      x: unscaled examples.  # (B, ...)
      key: random key of the step.
      strength: strength of each augmentation.
      uses: the augmentations in use; ``"mixup"`` is ignored here.
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
    """Return the loss function: a batch's mean loss without penalty, the new statistics, and the number correct."""
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
    """Return l1 and l2 of every kernel; None if no run of the program has that penalty."""
    l1, l2 = (hyper[name] if name in program.uses else None for name in ("l1", "l2"))
    return l1, l2


def _penalty(program: Program, model: Model, params: ModelParams, hyper: Hyper) -> jax.Array:
    return penalty(params, model.kernels, *_strengths(program, hyper))


def _with_penalty(program: Program, model: Model, grads: ModelParams, params: ModelParams, hyper: Hyper) -> ModelParams:
    """Add the gradients of the penalty to those of the loss."""
    l1, l2 = _strengths(program, hyper)
    if l1 is None and l2 is None:
        return grads
    changed = {name: dict(arrays) for name, arrays in grads.items()}
    for i, name in enumerate(model.kernels):
        of_kernel = (None if strength is None else strength[i] for strength in (l1, l2))
        changed[name]["kernel"] += penalty_gradient(params[name]["kernel"], *of_kernel)
    return changed


def _clip(program: Program, grads: ModelParams, hyper: Hyper) -> ModelParams:
    """Clip each array's gradient norm, then the global norm (Pascanu et al., 2013)."""
    if "clip_norm" in program.uses:
        bound = hyper["clip_norm"]
        grads = jax.tree.map(lambda g: g * _shorten(jnp.sqrt(jnp.square(g).sum()), bound), grads)
    if "global_clip_norm" in program.uses:
        factor = _shorten(optax.tree.norm(grads), hyper["global_clip_norm"])
        grads = jax.tree.map(lambda g: g * factor, grads)
    return grads


def _shorten(norm: jax.Array, bound: jax.Array) -> jax.Array:
    """Return the factor that reduces a norm to its bound; exactly 1 if the norm is within the bound."""
    return jnp.where(norm > bound, bound / norm, jnp.float32(1))


def _constrain(program: Program, model: Model, params: ModelParams, hyper: Hyper, rate: jax.Array) -> ModelParams:
    """Apply soft thresholding and the max-norm constraint after the optimizer's update."""
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
    """Update the exponential moving averages; the first step sets them to the weights, as Keras does."""
    if not program.averages:
        return averages
    decay = jnp.where(first, jnp.float32(0), hyper["decays"])  # (A,)

    def move(average: jax.Array, new: jax.Array) -> jax.Array:
        d = decay.reshape(-1, *(1,) * new.ndim)
        return d * average + (1 - d) * new[None]  # (A, ...)

    return jax.tree.map(move, averages, params)
