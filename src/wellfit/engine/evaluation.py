"""Scores of whole splits in inference mode, in chunks small enough that activations stay in or near the cache."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp

from wellfit.base import FloatArray
from wellfit.nn.losses import cross_entropy, hits
from wellfit.nn.models import Model, ModelParams

__all__ = ["Score", "as_float", "evaluate", "params_and_stats", "predict_program", "rescale"]

_ROWS: Final = 1000
_ROWS_OF_CONVOLUTIONS: Final = 256  # fewer, because their activations are larger
_TILE: Final = 16  # chunks are whole tiles of images, see ``nn.tiles``


class Score(NamedTuple):
    """The scores of a group's runs on one split."""

    loss: jax.Array  # mean cross-entropy without penalty, (W,)
    accuracy: jax.Array  # (W,)
    alive: jax.Array  # relu units that are positive for at least one example, (W, units)


def as_float(x: jax.Array) -> jax.Array:
    """Convert integer arrays to float32; floating-point arrays are returned unchanged."""
    return x if jnp.issubdtype(x.dtype, jnp.floating) else x.astype(jnp.float32)


def rescale(x: jax.Array, shift: jax.Array, factor: jax.Array) -> jax.Array:
    """Apply the scaling that precedes every model: ``(x - shift) * factor`` in float32."""
    one = x.shape[1:]
    centered = as_float(x) - jnp.broadcast_to(shift, one)[None]
    return centered * jnp.broadcast_to(factor, one)[None]  # (B, ...)


def params_and_stats(model: Model, weights: Mapping[str, FloatArray]) -> tuple[ModelParams, ModelParams]:
    """The weights of a ``RunRecord``, on the device, as a model takes them: its params, and its running statistics.

    Args:
      weights: ``"layer/array"`` -> the array.
    """
    params: ModelParams = {}
    for path, array in weights.items():
        layer, name = path.split("/")
        params.setdefault(layer, {})[name] = jnp.asarray(array)
    return params, {layer: {name: params[layer].pop(name) for name in of} for layer, of in model.stats().items()}


def evaluate(
    model: Model,
    params: ModelParams,
    stats: ModelParams,
    x: jax.Array,
    y: jax.Array,
    scaling: tuple[jax.Array, jax.Array],
) -> Score:
    """Score each run of a group on a split; all runs read the same chunks of examples.

    Args:
      params, stats: the group's weights and statistics; every leaf is (W, ...).
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
        begin = jnp.minimum(number * size, len(x) - size)  # the last chunk overlaps the one before, with weight 0
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


def predict_program(
    model: Model,
) -> Callable[[ModelParams, ModelParams, jax.Array, tuple[jax.Array, jax.Array]], jax.Array]:
    """Return a jitted function from one network's weights, unscaled examples and scaling to class probabilities."""

    def predict(
        params: ModelParams, stats: ModelParams, x: jax.Array, scaling: tuple[jax.Array, jax.Array]
    ) -> jax.Array:
        return jax.nn.softmax(model.apply(params, stats, rescale(x, *scaling))[0])  # (B, K)

    return jax.jit(predict)
