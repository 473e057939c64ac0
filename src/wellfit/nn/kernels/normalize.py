"""Batch normalization of images whose sums generated kernels compute, with its gradient written out.

With weights w of the examples, their number n times the pixels, mean m, variance v and r = 1 / sqrt(v + e), the output
is ``y = gamma r (x - m) + beta``. For a gradient g of y, with A = sum of g and B = sum of g (x - m) per channel:

- of beta ``A``, of gamma ``r B``
- of x ``gamma r (g - w / n (A + r^2 B (x - m)))``

Source: Ioffe & Szegedy (2015), "Batch normalization: accelerating deep network training", section 3, with weights.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp

from wellfit.nn.kernels import calls
from wellfit.nn.kernels.processor import Processor

__all__ = ["normalize"]

Normalized: TypeAlias = tuple[jax.Array, jax.Array, jax.Array]


@partial(jax.custom_vjp, nondiff_argnums=(4, 5))
def normalize(
    x: jax.Array, gamma: jax.Array, beta: jax.Array, weight: jax.Array, epsilon: float, processor: Processor
) -> Normalized:
    """Normalize every channel by its weighted mean and variance.

    Args:
      x: images.  # (T, C, H, W, M)
      gamma, beta: scale and shift.  # (C,)
      weight: of every example; no gradient is computed.  # (T, M)
      epsilon: added to the variance.
      processor: that the kernels are generated for.

    Returns:
      The output, and the mean and variance of every channel, whose gradients are taken to be zero.
    """
    return _forward(x, gamma, beta, weight, epsilon, processor)[0]


def _each(of_channels: jax.Array) -> jax.Array:
    return of_channels[None, :, None, None, None]


def _forward(
    x: jax.Array, gamma: jax.Array, beta: jax.Array, weight: jax.Array, epsilon: float, processor: Processor
) -> tuple[Normalized, tuple[jax.Array, ...]]:
    count = weight.sum() * (x.shape[2] * x.shape[3])
    mean = calls.channel_sums("moments", processor, x, jnp.zeros_like(gamma), weight)[0] / count
    variance = calls.channel_sums("moments", processor, x, mean, weight)[1] / count
    rate = jax.lax.rsqrt(variance + epsilon)
    y = (x - _each(mean)) * _each(gamma * rate) + _each(beta)
    return (y, mean, variance), (x, gamma, weight / count, mean, rate)


def _backward(
    epsilon: float, processor: Processor, kept: tuple[jax.Array, ...], gradients: Normalized
) -> tuple[jax.Array, jax.Array, jax.Array, jax.Array]:
    x, gamma, share, mean, rate = kept
    g = gradients[0]
    total, product = calls.channel_sums("products", processor, g, x, mean)
    of_batch = _each(total) + _each(rate * rate * product) * (x - _each(mean))
    of_x = _each(gamma * rate) * (g - share[:, None, None, None] * of_batch)
    return of_x, rate * product, total, jnp.zeros_like(share)


normalize.defvjp(_forward, _backward)
