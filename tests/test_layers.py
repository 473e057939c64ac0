"""Layers: affine maps, activations as Keras defines them, and dropout that shares its noise between rates."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from wellfit.errors import ShapeError, UnknownNameError
from wellfit.nn.layers import ACTIVATIONS, Mode, activation, dense, dropout, flatten

GENERATOR = np.random.default_rng(0)


def mode(rates: tuple[float, ...], rows: int, key: int = 0) -> Mode:
    return Mode(jax.random.key(key), jnp.array(rates, jnp.float32), jnp.ones(rows))


def test_dense_is_an_affine_map() -> None:
    layer = dense((4,), 3)
    params = layer.init(np.random.default_rng(1))
    assert params["kernel"].shape == (4, 3)
    assert params["bias"].tolist() == [0.0, 0.0, 0.0]
    params["bias"] = np.array([1.0, -2.0, 0.5], np.float32)
    x = GENERATOR.normal(size=(5, 4)).astype(np.float32)
    found, stats = layer.apply(jax.tree.map(jnp.asarray, params), {}, jnp.asarray(x), None)
    expected = x.astype(np.float64) @ params["kernel"] + params["bias"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)  # float32 sums of 4 terms
    assert stats == {}
    assert layer.output_shape == (3,)


def test_dense_refuses_images_and_no_units() -> None:
    with pytest.raises(ShapeError, match=r"dense with 10 units takes one row .* got shape \(28, 28\); put a flatten"):
        dense((28, 28), 10)
    with pytest.raises(ShapeError, match=r"dense takes shape \(4,\) to 0 units; give it at least one"):
        dense((4,), 0)


def test_flatten_keeps_the_order_of_rows_columns_channels() -> None:
    x = np.arange(24.0).reshape(2, 2, 3, 2)
    layer = flatten((2, 3, 2))
    assert layer.output_shape == (12,)
    np.testing.assert_array_equal(layer.apply({}, {}, jnp.asarray(x), None)[0], x.reshape(2, 12))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_keras_own(name: str) -> None:
    x = np.linspace(-6, 6, 401, dtype=np.float32)[None]
    layer = activation((401,), name)
    found = layer.apply({}, {}, jnp.asarray(x), None)[0]
    oracle = getattr(keras.activations, name)
    np.testing.assert_allclose(found, np.asarray(oracle(jnp.asarray(x))), rtol=1e-6, atol=1e-6)
    assert (layer.kind, layer.output_shape) == (name, (401,))


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown activation 'rulu'; did you mean 'relu'"):
        activation((3,), "rulu")


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_dropout_drops_its_share_and_scales_the_rest(rate: float) -> None:
    layer = dropout((100,), 0)
    found = np.asarray(layer.apply({}, {}, jnp.ones((200, 100)), mode((rate,), 200))[0])
    dropped = (found == 0).mean()
    assert dropped == pytest.approx(rate, abs=5 * (rate * (1 - rate) / found.size) ** 0.5)  # five standard errors
    np.testing.assert_allclose(found[found != 0], 1 / (1 - rate), rtol=1e-6)


def test_a_higher_rate_drops_what_a_lower_one_drops_and_more() -> None:
    layer = dropout((50,), 1)
    low, high = (np.asarray(layer.apply({}, {}, jnp.ones((40, 50)), mode((0.9, r), 40))[0]) == 0 for r in (0.2, 0.6))
    assert (high | ~low).all()
    assert high.sum() > low.sum()


def test_layers_and_steps_have_noise_of_their_own() -> None:
    x = jnp.ones((40, 50))
    first, second = (np.asarray(dropout((50,), i).apply({}, {}, x, mode((0.5, 0.5), 40))[0]) for i in (0, 1))
    again = np.asarray(dropout((50,), 0).apply({}, {}, x, mode((0.5, 0.5), 40))[0])
    later = np.asarray(dropout((50,), 0).apply({}, {}, x, mode((0.5, 0.5), 40, key=1))[0])
    np.testing.assert_array_equal(first, again)
    for other in (second, later):
        assert (first == other).mean() == pytest.approx(0.5, abs=0.06)  # independent: half agree; five standard errors


def test_dropout_leaves_inference_and_rate_zero_alone() -> None:
    x = jnp.asarray(GENERATOR.normal(size=(6, 7)).astype(np.float32))
    layer = dropout((7,), 0)
    for inference in (None, Mode(jax.random.key(0), None, jnp.ones(6)), mode((0.0,), 6)):
        np.testing.assert_array_equal(layer.apply({}, {}, x, inference)[0], x)
