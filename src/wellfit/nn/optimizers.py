"""Optimizers: optax's implementations with Keras's defaults; learning rate, momentum and decay may be traced.

Where the definitions differ, these optimizers follow Keras: Adam adds epsilon to the root of the *uncorrected* second
moment, RMSprop adds it under the root, momentum includes the learning rate in the velocity, and NAdam uses Dozat's
momentum schedule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import jax
import jax.numpy as jnp
import optax

from wellfit.errors import UnknownNameError

__all__ = ["OPTIMIZERS", "Defaults", "make_optimizer"]

EPSILON: Final = 1e-7


class Defaults(NamedTuple):
    """Keras 3's default hyperparameters of an optimizer family."""

    learning_rate: float
    momentum: float = 0.0
    weight_decay: float = 0.0


OPTIMIZERS: Final[Mapping[str, Defaults]] = {
    "sgd": Defaults(0.01),
    "momentum": Defaults(0.01, momentum=0.9),
    "nesterov": Defaults(0.01, momentum=0.9),
    "adagrad": Defaults(0.001),
    "rmsprop": Defaults(0.001),
    "adam": Defaults(0.001),
    "adamw": Defaults(0.001, weight_decay=0.004),
    "nadam": Defaults(0.001),
    "lion": Defaults(0.001),
}


def make_optimizer(
    family: str, learning_rate: jax.Array | float, momentum: jax.Array | float, weight_decay: jax.Array | float
) -> optax.GradientTransformation:
    """Make an optimizer as an optax ``init``/``update`` pair; its hyperparameters may be traced.

    Args:
      family: a key of ``OPTIMIZERS``.
      momentum: decay of the velocity, for sgd, momentum and nesterov.
      weight_decay: decoupled decay, multiplied by the learning rate; applies to all weights and biases, as in Keras.

    Raises:
      UnknownNameError: an unknown family.

    Source: Kingma & Ba (2015) for Adam; Loshchilov & Hutter (2019) for decoupled decay; Dozat (2016) for NAdam; Chen et
    al. (2023) for Lion; Duchi et al. (2011) for Adagrad; Sutskever et al. (2013) for Nesterov's momentum in this form.

    Example:
      >>> tx = make_optimizer("sgd", 0.1, 0.0, 0.0)
      >>> updates, _ = tx.update({"w": jnp.ones(2)}, tx.init({"w": jnp.zeros(2)}), {"w": jnp.zeros(2)})
      >>> [round(x, 3) for x in updates["w"].tolist()]
      [-0.1, -0.1]
    """
    decay = optax.add_decayed_weights(-learning_rate * weight_decay)  # negative, because it follows the scaling
    if family in ("sgd", "momentum", "nesterov"):
        velocity = optax.trace(decay=momentum, nesterov=family == "nesterov")
        return optax.chain(optax.scale(-learning_rate), velocity, decay)
    if family == "adagrad":
        scaling = optax.scale_by_rss(initial_accumulator_value=0.1, eps=EPSILON)
    elif family == "rmsprop":
        scaling = optax.scale_by_rms(decay=0.9, eps=EPSILON, eps_in_sqrt=True)
    elif family in ("adam", "adamw"):
        scaling = _scale_by_keras_adam(b1=0.9, b2=0.999)
    elif family == "nadam":
        scaling = _scale_by_keras_nadam(b1=0.9, b2=0.999)
    elif family == "lion":
        scaling = optax.scale_by_lion(b1=0.9, b2=0.99)
    else:
        raise UnknownNameError("optimizer", family, OPTIMIZERS)
    return optax.chain(scaling, optax.scale(-learning_rate), decay)


def _scale_by_keras_adam(b1: float, b2: float) -> optax.GradientTransformation:
    """Adam as Keras defines it: ``m / (1 - b1^t) * sqrt(1 - b2^t) / (sqrt(v) + eps)``.

    optax adds epsilon to the corrected root ``sqrt(v / (1 - b2^t))``; dividing epsilon by ``sqrt(1 - b2^t)`` makes the
    two equal.
    """

    def init(params: optax.Params) -> optax.OptState:
        return optax.scale_by_adam(b1, b2).init(params)

    def update(
        grads: optax.Updates, state: optax.OptState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, optax.OptState]:
        step = (state.count + 1).astype(jnp.float32)
        eps = EPSILON / jnp.sqrt(1 - jnp.power(jnp.float32(b2), step))
        with jax.numpy_dtype_promotion("standard"):  # optax raises a float to an integer power
            return optax.scale_by_adam(b1, b2, eps=eps).update(grads, state, params)

    return optax.GradientTransformation(init, update)


class _NadamState(NamedTuple):
    step: jax.Array
    product: jax.Array  # running product of the momentum schedule
    mu: optax.Updates
    nu: optax.Updates


def _scale_by_keras_nadam(b1: float, b2: float) -> optax.GradientTransformation:
    """NAdam with the momentum schedule ``u_t = b1 * (1 - 0.96^t / 2)`` of Dozat (2016), which optax's NAdam lacks.

    ``m_hat = u_{t+1} m / (1 - prod_{i<=t+1} u_i) + (1 - u_t) g / (1 - prod_{i<=t} u_i)``; the step is
    ``m_hat / (sqrt(v / (1 - b2^t)) + eps)``.
    """

    def schedule(step: jax.Array) -> jax.Array:
        return b1 * (1 - 0.5 * jnp.power(jnp.float32(0.96), step))

    def init(params: optax.Params) -> _NadamState:
        zeros = jax.tree.map(jnp.zeros_like, params)
        return _NadamState(jnp.zeros((), jnp.int32), jnp.ones(()), zeros, zeros)

    def update(
        grads: optax.Updates, state: _NadamState, params: optax.Params | None = None
    ) -> tuple[optax.Updates, _NadamState]:
        step = (state.step + 1).astype(jnp.float32)
        now, following = schedule(step), schedule(step + 1)
        product = state.product * now
        mu = jax.tree.map(lambda g, m: m + (1 - b1) * (g - m), grads, state.mu)
        nu = jax.tree.map(lambda g, v: v + (1 - b2) * (jnp.square(g) - v), grads, state.nu)
        correction = 1 - jnp.power(jnp.float32(b2), step)

        def scaled(g: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
            looking_ahead = following * m / (1 - product * following) + (1 - now) * g / (1 - product)
            return looking_ahead / (jnp.sqrt(v / correction) + EPSILON)

        return jax.tree.map(scaled, grads, mu, nu), _NadamState(state.step + 1, product, mu, nu)

    return optax.GradientTransformation(init, update)
