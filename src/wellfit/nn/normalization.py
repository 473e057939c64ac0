"""Batch normalization, with moving statistics for inference."""

from __future__ import annotations

import math
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from wellfit.nn.kernels.availability import processor_in_use
from wellfit.nn.layers import Initial, Layer, Mode, Params
from wellfit.nn.tiles import channel_axis

__all__ = ["batch_norm"]

MOMENTUM: Final = 0.99
EPSILON: Final = 1e-3


def batch_norm(shape: tuple[int, ...], *, kernels: bool = False) -> Layer:
    """Normalize every channel by the batch's mean and variance in training, by their moving averages in inference.

    The output is ``gamma * (x - mean) / sqrt(variance + 1e-3) + beta``, and ``moving = 0.99 * moving + 0.01 * batch``,
    as in Keras by default. The padding of the last batch does not count. In a batch of one feature row, the variance is
    zero and the output would be ``beta`` for every example, so planning rejects such batches.

    Args:
      shape: the shape of one example; the last axis holds the channels.
      kernels: whether generated kernels compute the sums over images; see ``nn.kernels``.

    Source: Ioffe & Szegedy (2015), "Batch normalization: accelerating deep network training".

    Example:
      >>> mode = Mode(jax.random.key(0), None, jnp.ones(2))
      >>> layer = batch_norm((1,))
      >>> params = layer.init(np.random.default_rng(0))
      >>> y, stats = layer.apply(params, dict(layer.stats), jnp.array([[-1.0], [1.0]]), mode)
      >>> y.round(3).tolist(), stats["mean"].tolist()
      ([[-1.0], [1.0]], [0.0])
    """
    channels = shape[-1]
    positions = math.prod(shape[:-1])
    processor = processor_in_use() if kernels and len(shape) == 3 else None

    def init(generator: np.random.Generator) -> Initial:
        return {"gamma": np.ones(channels, np.float32), "beta": np.zeros(channels, np.float32)}

    def apply(params: Params, stats: Params, x: jax.Array, mode: Mode | None) -> tuple[jax.Array, Params]:
        axis = channel_axis(x)
        others = tuple(a for a in range(x.ndim) if a != axis)

        def each(of_channels: jax.Array) -> jax.Array:
            return jnp.expand_dims(of_channels, others)

        if mode is not None and processor is not None:
            from wellfit.nn.kernels.normalize import normalize

            weight = mode.weight.reshape(x.shape[0], x.shape[4])  # (T, M)
            y, mean, variance = normalize(x, params["gamma"], params["beta"], weight, EPSILON, processor)
            return y, _moved(stats, mean, variance)
        if mode is None:
            mean, variance = stats["mean"], stats["variance"]
        else:
            counted = mode.weight.reshape(x.shape[0], *(1,) * (x.ndim - 2), -1)  # (B, ..., 1), of tiles (T, ..., M)
            count = mode.weight.sum() * positions
            mean = (x * counted).sum(axis=others) / count  # (channels,)
            variance = (jnp.square(x - each(mean)) * counted).sum(axis=others) / count
            stats = _moved(stats, mean, variance)
        scale = params["gamma"] * jax.lax.rsqrt(variance + EPSILON)  # (channels,)
        return (x - each(mean)) * each(scale) + each(params["beta"]), stats

    moving = {"mean": np.zeros(channels, np.float32), "variance": np.ones(channels, np.float32)}
    return Layer("batch_norm", shape, apply, init, moving)


def _moved(stats: Params, mean: jax.Array, variance: jax.Array) -> Params:
    """Move the statistics toward those of a batch."""
    return {
        "mean": MOMENTUM * stats["mean"] + (1 - MOMENTUM) * mean,
        "variance": MOMENTUM * stats["variance"] + (1 - MOMENTUM) * variance,
    }
