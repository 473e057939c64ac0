"""Losses and penalties: the objective that training minimizes."""

from __future__ import annotations

from typing import Final

import jax
import jax.numpy as jnp

from wellfit.errors import UnknownNameError
from wellfit.nn.models import ModelParams
from wellfit.nn.products import squared_norm

__all__ = [
    "LOSSES",
    "cross_entropy",
    "example_losses",
    "hits",
    "mean_squared_error",
    "penalty",
    "penalty_gradient",
    "soft_threshold",
]

LOSSES: Final = ("cross_entropy", "mse")


def example_losses(
    kind: str, logits: jax.Array, labels: jax.Array, label_smoothing: jax.Array | float = 0.0
) -> jax.Array:
    """Compute the loss of every example.  # (B,)

    Args:
      kind: one of ``LOSSES``.
      logits: float32.  # (B, K)
      labels: int32, from 0.  # (B,)
      label_smoothing: s; the target is ``(1 - s) * onehot + s / K``, as in Keras.

    Raises:
      UnknownNameError: an unknown loss.
    """
    if kind == "cross_entropy":
        return cross_entropy(logits, labels, label_smoothing)
    if kind == "mse":
        return mean_squared_error(logits, labels, label_smoothing)
    raise UnknownNameError("loss", kind, LOSSES)


def cross_entropy(logits: jax.Array, labels: jax.Array, label_smoothing: jax.Array | float = 0.0) -> jax.Array:
    """Cross-entropy of every example, in nats: ``-sum_k t_k log softmax(logits)_k``.

    It equals both sparse and one-hot cross-entropy, and also binary cross-entropy, because one sigmoid unit z is
    treated as two logits ``(0, z)``.

    Args:
      logits: float32.  # (B, K)
      labels: int32, from 0.  # (B,)
      label_smoothing: s, a number in [0, 1).

    Returns:
      The loss of every example.  # (B,)

    Source: Szegedy et al. (2016), "Rethinking the Inception architecture", section 7, for the smoothing.

    Example:
      >>> round(float(cross_entropy(jnp.zeros((1, 10)), jnp.array([3]))[0]), 4)
      2.3026
    """
    log_probabilities = jax.nn.log_softmax(logits)  # (B, K)
    true = jnp.take_along_axis(log_probabilities, labels[:, None], axis=1)[:, 0]  # (B,)
    return -(1 - label_smoothing) * true - label_smoothing * log_probabilities.mean(axis=1)  # (B,)


def mean_squared_error(logits: jax.Array, labels: jax.Array, label_smoothing: jax.Array | float = 0.0) -> jax.Array:
    """Squared error of every example, ``mean_k (p_k - t_k)**2`` with ``p = softmax(logits)``.

    For one sigmoid unit this is ``(p - t)**2``.

    Args:
      logits: float32.  # (B, K)
      labels: int32, from 0.  # (B,)
      label_smoothing: s, a number in [0, 1).

    Returns:
      The loss of every example.  # (B,)

    Source: Brier (1950), divided by K as Keras's ``mean_squared_error``.

    Example:
      >>> float(mean_squared_error(jnp.zeros((1, 2)), jnp.array([1]))[0])
      0.25
    """
    classes = logits.shape[1]
    target = (1 - label_smoothing) * jax.nn.one_hot(labels, classes, dtype=logits.dtype) + label_smoothing / classes
    return jnp.square(jax.nn.softmax(logits) - target).mean(axis=1)  # (B,)


def hits(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Return 1 for every correct prediction and 0 for every other; NaN logits are never correct.  # (B,)

    Args:
      logits: float32.  # (B, K)
      labels: int32.  # (B,)

    Example:
      >>> hits(jnp.array([[0.0, 1.0], [2.0, 1.0]]), jnp.array([1, 1])).tolist()
      [1.0, 0.0]
    """
    true = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]  # (B,)
    first = jnp.argmax(logits, axis=1) == labels  # (B,)
    return (first & ~jnp.isnan(true)).astype(jnp.float32)  # (B,)


def penalty(params: ModelParams, kernels: tuple[str, ...], l1: jax.Array | None, l2: jax.Array | None) -> jax.Array:
    """Penalty ``sum_i l1_i sum|W_i| + l2_i sum W_i**2`` over the kernels, without a factor 1/2, as in Keras.

    Args:
      kernels: names of the layers with a kernel.
      l1, l2: the strength for each kernel, float32; None if no run has the penalty.  # (kernels,)

    Example:
      >>> params = {"dense_1": {"kernel": jnp.array([[1.0, -2.0]])}}
      >>> float(penalty(params, ("dense_1",), jnp.array([0.5]), jnp.array([0.1])))
      2.0
    """
    total = jnp.float32(0)
    for i, name in enumerate(kernels):
        kernel = params[name]["kernel"]
        if l1 is not None:
            total += l1[i] * jnp.abs(kernel).sum()
        if l2 is not None:
            total += l2[i] * squared_norm(kernel)
    return total


def penalty_gradient(kernel: jax.Array, l1: jax.Array | None, l2: jax.Array | None) -> jax.Array:
    """Gradient of one kernel's penalty, ``l1 * sign(W) + 2 * l2 * W``; 0 for weights that are exactly 0.

    Args:
      l1, l2: the kernel's strengths, float32; None if no run has the penalty.  # ()

    Example:
      >>> penalty_gradient(jnp.array([1.0, -2.0]), jnp.float32(0.5), jnp.float32(0.25)).tolist()
      [1.0, -1.5]
    """
    total = jnp.zeros_like(kernel)
    if l1 is not None:
        total += l1 * jnp.sign(kernel)
    if l2 is not None:
        total += 2 * l2 * kernel
    return total


def soft_threshold(w: jax.Array, threshold: jax.Array) -> jax.Array:
    """Proximal step of an L1 penalty, ``sign(w) * max(|w| - threshold, 0)``; it sets weights to exactly zero.

    Source: Daubechies, Defrise & De Mol (2004); Duchi & Singer (2009) for stochastic gradients.

    Example:
      >>> soft_threshold(jnp.array([0.5, -0.1]), jnp.float32(0.25)).tolist()
      [0.25, -0.0]
    """
    return jnp.sign(w) * jnp.maximum(jnp.abs(w) - threshold, jnp.float32(0))
