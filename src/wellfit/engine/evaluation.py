"""Scores of whole splits in inference mode, so many examples at a time that activations stay near the cache."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp

from wellfit.base import Scaling
from wellfit.nn.losses import cross_entropy, hits
from wellfit.nn.models import Model, ModelParams

__all__ = ["Score", "as_float", "evaluate", "predict_program", "rescale"]

_ROWS: Final = 1000
_ROWS_OF_CONVOLUTIONS: Final = 256  # whose activations are larger
_TILE: Final = 16  # whole tiles of images, see ``nn.tiles``


class Score(NamedTuple):
    """What a split says of each run of a group."""

    loss: jax.Array  # mean cross-entropy without penalty, (W,)
    accuracy: jax.Array  # (W,)
    alive: jax.Array  # relu units that some example made positive, (W, units)


def as_float(x: jax.Array) -> jax.Array:
    """Bytes as float32; what is floating already stays what it is."""
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)


def rescale(x: jax.Array, shift: jax.Array, factor: jax.Array) -> jax.Array:
    """The scaling that every model begins with: ``(x - shift) * factor`` in float32."""
    one = x.shape[1:]
    centered = as_float(x) - jnp.broadcast_to(shift, one)[None]
    return centered * jnp.broadcast_to(factor, one)[None]  # (B, ...)


def evaluate(
    model: Model,
    params: ModelParams,
    stats: ModelParams,
    x: jax.Array,
    y: jax.Array,
    scaling: tuple[jax.Array, jax.Array],
) -> Score:
    """Score each run of a group on a split; the chunks are the same for all of them.

    Args:
      model: the network.
      params, stats: of a group; leaves (W, ...).
      x, y: unscaled examples and labels.  # (n, ...), (n,)
      scaling: shift and factor.
    """
    convolves = any(name.startswith("conv") for name in model.kernels)
    chunks = math.ceil(len(x) / (_ROWS_OF_CONVOLUTIONS if convolves else _ROWS))
    size = min(math.ceil(len(x) / chunks / _TILE) * _TILE, len(x))  # whole tiles

    def score(params: ModelParams, stats: ModelParams, x: jax.Array, y: jax.Array, weight: jax.Array) -> Score:
        logits, alive = model.alive(params, stats, x)  # (size, K), (units,)
        return Score((cross_entropy(logits, y) * weight).sum(), (hits(logits, y) * weight).sum(), alive)

    def chunk(total: Score, number: jax.Array) -> tuple[Score, None]:
        begin = jnp.minimum(number * size, len(x) - size)  # the last chunk begins early, and counts what is new in it
        rows = jax.lax.dynamic_slice_in_dim(x, begin, size)
        labels = jax.lax.dynamic_slice_in_dim(y, begin, size)
        weight = (begin + jnp.arange(size) >= number * size).astype(jnp.float32)  # (size,)
        inputs = rescale(rows, *scaling)
        each = jax.vmap(score, in_axes=(0, 0, None, None, None))(params, stats, inputs, labels, weight)
        return Score(total.loss + each.loss, total.accuracy + each.accuracy, total.alive | each.alive), None

    width = len(jax.tree.leaves(params)[0])
    units = jax.eval_shape(jax.vmap(model.alive, (0, 0, None)), params, stats, rescale(x[:1], *scaling))[1].shape[1]
    zero = Score(jnp.zeros(width), jnp.zeros(width), jnp.zeros((width, units), bool))
    total, _ = jax.lax.scan(chunk, zero, jnp.arange(chunks))
    return Score(total.loss / len(x), total.accuracy / len(x), total.alive)


def predict_program(model: Model, scaling: Scaling) -> Callable[[ModelParams, ModelParams, jax.Array], jax.Array]:
    """Class probabilities of one network for a batch of unscaled examples, in inference mode, jitted."""
    shift, factor = jnp.asarray(scaling.shift, jnp.float32), jnp.asarray(scaling.factor, jnp.float32)

    def predict(params: ModelParams, stats: ModelParams, x: jax.Array) -> jax.Array:
        return jax.nn.softmax(model.apply(params, stats, rescale(x, shift, factor))[0])  # (B, K)

    return jax.jit(predict)
