"""Batch normalization, with the moving statistics that inference uses."""

from __future__ import annotations

import math
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from wellfit.nn.layers import Initial, Layer, Mode, Params

__all__ = ["batch_norm"]

MOMENTUM: Final = 0.99
EPSILON: Final = 1e-3


def batch_norm(shape: tuple[int, ...]) -> Layer:
    """Normalize every channel by the batch's mean and variance while training, by their moving averages in inference.

    ``gamma * (x - mean) / sqrt(variance + 1e-3) + beta``, and ``moving = 0.99 * moving + 0.01 * batch``: Keras's
    defaults. The padding of a last, smaller batch does not count. With a batch of one a channel of a row has no
    variance, and the layer would give ``beta`` whatever the example is: the plan refuses it.

    Args:
      shape: the shape of one example; the last axis holds the channels.

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

    def init(generator: np.random.Generator) -> Initial:
        return {"gamma": np.ones(channels, np.float32), "beta": np.zeros(channels, np.float32)}

    def apply(params: Params, stats: Params, x: jax.Array, mode: Mode | None) -> tuple[jax.Array, Params]:
        rows = x.reshape(-1, channels)  # (B · positions, channels)
        if mode is None:
            mean, variance = stats["mean"], stats["variance"]
        else:
            counted = jnp.repeat(mode.weight, positions)[:, None]  # (B · positions, 1)
            count = mode.weight.sum() * positions
            mean = (rows * counted).sum(axis=0) / count  # (channels,)
            variance = (jnp.square(rows - mean[None, :]) * counted).sum(axis=0) / count
            stats = {
                "mean": MOMENTUM * stats["mean"] + (1 - MOMENTUM) * mean,
                "variance": MOMENTUM * stats["variance"] + (1 - MOMENTUM) * variance,
            }
        factor = params["gamma"] * jax.lax.rsqrt(variance + EPSILON)  # (channels,)
        out = (rows - mean[None, :]) * factor[None, :] + params["beta"][None, :]
        return out.reshape(x.shape), stats

    moving = {"mean": np.zeros(channels, np.float32), "variance": np.ones(channels, np.float32)}
    return Layer("batch_norm", shape, apply, init, moving)
