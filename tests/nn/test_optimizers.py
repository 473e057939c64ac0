"""Optimizers against their formulas, written out in NumPy: a few steps with the same gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import keras
import numpy as np
import optax
import pytest

from wellfit.errors import UnknownNameError
from wellfit.nn.optimizers import OPTIMIZERS, make_optimizer

RATE, MOMENTUM, DECAY, EPS = 0.05, 0.8, 0.1, 1e-7
GENERATOR = np.random.default_rng(0)
START = GENERATOR.normal(size=6)
GRADIENTS = GENERATOR.normal(size=(8, 6)) * [1e-4, 0.01, 0.1, 1.0, 10.0, 100.0]

Step = Callable[[Iterator[np.ndarray]], Iterator[np.ndarray]]
"""Gradients in, changes of the weights out, decoupled decay left out."""


def sgd(gradients: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    v = 0.0
    for g in gradients:
        v = MOMENTUM * v - RATE * g
        yield v


def nesterov(gradients: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    v = 0.0
    for g in gradients:
        v = MOMENTUM * v - RATE * g
        yield MOMENTUM * v - RATE * g


def adagrad(gradients: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    total = 0.1
    for g in gradients:
        total = total + g**2
        yield -RATE * g / np.sqrt(total + EPS)


def rmsprop(gradients: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    v = 0.0
    for g in gradients:
        v = 0.9 * v + 0.1 * g**2
        yield -RATE * g / np.sqrt(v + EPS)


def adam(gradients: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        yield -RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + EPS)


def nadam(gradients: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    m = v = 0.0
    product = 1.0
    for t, g in enumerate(gradients, start=1):
        now, following = (0.9 * (1 - 0.5 * 0.96**s) for s in (t, t + 1))
        product *= now
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        ahead = following * m / (1 - product * following) + (1 - now) * g / (1 - product)
        yield -RATE * ahead / (np.sqrt(v / (1 - 0.999**t)) + EPS)


def lion(gradients: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    m = 0.0
    for g in gradients:
        yield -RATE * np.sign(0.9 * m + 0.1 * g)
        m = 0.99 * m + 0.01 * g


BY_HAND: dict[str, Step] = {
    "sgd": sgd,
    "momentum": sgd,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adam,
    "nadam": nadam,
    "lion": lion,
}


def steps_of(family: str, rate: float, momentum: float, decay: float) -> np.ndarray:
    """The weights after every step."""

    def run(numbers: jax.Array, gradients: jax.Array) -> jax.Array:
        tx = make_optimizer(family, numbers[0], numbers[1], numbers[2])

        def step(
            carry: tuple[jax.Array, optax.OptState], g: jax.Array
        ) -> tuple[tuple[jax.Array, optax.OptState], jax.Array]:
            w, state = carry
            updates, state = tx.update(g, state, w)
            w = optax.apply_updates(w, updates)
            return (w, state), w

        w = jnp.asarray(START, jnp.float32)
        return jax.lax.scan(step, (w, tx.init(w)), gradients)[1]

    return np.asarray(jax.jit(run)(jnp.array([rate, momentum, decay]), jnp.asarray(GRADIENTS, jnp.float32)))


@pytest.mark.parametrize("decay", [0.0, DECAY])
@pytest.mark.parametrize("family", OPTIMIZERS)
def test_steps_agree_with_the_formulas(family: str, decay: float) -> None:
    w, expected = START.copy(), []
    for change in BY_HAND[family](iter(GRADIENTS)):
        w = w + change - RATE * decay * w  # decoupled: of the weights before the step, whatever the gradient
        expected.append(w)
    found = steps_of(family, RATE, MOMENTUM, decay)
    # float32 sums; where 1 - 0.999**t is a difference of nearly equal numbers it has five digits
    np.testing.assert_allclose(found, np.array(expected), rtol=2e-4, atol=2e-5)


# Keras's own, of its way to turn a variable into an array
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_defaults_are_keras_own() -> None:
    classes = {"momentum": "SGD", "nesterov": "SGD", "sgd": "SGD", "rmsprop": "RMSprop", "adamw": "AdamW"}
    for family, defaults in OPTIMIZERS.items():
        config = getattr(keras.optimizers, classes.get(family, family.capitalize()))().get_config()
        assert defaults.learning_rate == pytest.approx(config["learning_rate"], rel=1e-6), family
        assert defaults.weight_decay == pytest.approx(config["weight_decay"] or 0.0), family
        assert defaults.momentum == (0.9 if family in ("momentum", "nesterov") else 0.0)


def test_a_step_is_linear_in_a_traced_rate() -> None:
    one, two = (steps_of("adam", rate, 0.0, 0.0)[0] - START for rate in (0.01, 0.02))
    np.testing.assert_allclose(two, 2 * one, rtol=1e-3, atol=1e-6)


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown optimizer 'adma'; did you mean 'adam'"):
        make_optimizer("adma", 0.1, 0.0, 0.0)
