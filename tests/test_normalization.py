"""Batch normalization as Keras's, in training and inference; and padding that does not count."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from wellfit.nn.layers import Mode
from wellfit.nn.normalization import batch_norm

# Keras's own, of its way to turn a variable into an array
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SHAPES = [(3,), (4, 5, 3)]


def example(shape: tuple[int, ...], rows: int = 12) -> np.ndarray:
    generator = np.random.default_rng(0)
    return (generator.normal(size=(rows, *shape)) * [0.1, 1.0, 5.0] + [2.0, 0.0, -3.0]).astype(np.float32)


def params_of() -> dict[str, Any]:
    return {"gamma": jnp.array([1.0, 0.5, 2.0]), "beta": jnp.array([0.0, 1.0, -1.0])}


def mode(weight: np.ndarray) -> Mode:
    return Mode(jax.random.key(0), None, jnp.asarray(weight, jnp.float32))


@pytest.mark.parametrize("shape", SHAPES, ids=["rows", "images"])
def test_training_moving_statistics_and_inference_are_keras_own(shape: tuple[int, ...]) -> None:
    layer, params = batch_norm(shape), params_of()
    stats: dict[str, Any] = {name: jnp.asarray(a) for name, a in layer.stats.items()}
    with jax.numpy_rank_promotion("allow"):  # Keras is not as strict as we are
        twin = keras.layers.BatchNormalization()
        twin.build((None, *shape))
        twin.set_weights([params["gamma"], params["beta"], stats["mean"], stats["variance"]])
        x = example(shape)
        for batch in (x[:5], x[5:10], x[10:]):  # the last is smaller: ours is padded, with what must not count
            padded = np.concatenate([batch, np.full((5 - len(batch), *shape), 1e3, np.float32)])
            found, stats = layer.apply(params, stats, jnp.asarray(padded), mode(np.arange(5) < len(batch)))
            expected = np.asarray(twin(batch, training=True))
            np.testing.assert_allclose(found[: len(batch)], expected, rtol=1e-4, atol=1e-4)  # float32, divided by 0.03
        _, _, mean, variance = twin.get_weights()
        np.testing.assert_allclose(stats["mean"], mean, rtol=1e-5)
        np.testing.assert_allclose(stats["variance"], variance, rtol=1e-5)
        inferred, unmoved = layer.apply(params, stats, jnp.asarray(x), None)
        np.testing.assert_allclose(inferred, np.asarray(twin(x, training=False)), rtol=1e-5, atol=1e-5)
    assert unmoved is stats


def test_a_normalized_batch_has_the_mean_beta_and_the_deviation_gamma() -> None:
    x = example((3,), rows=1000)
    params = params_of()
    layer = batch_norm((3,))
    y = np.asarray(layer.apply(params, dict(layer.stats), jnp.asarray(x), mode(np.ones(1000)))[0])
    np.testing.assert_allclose(y.mean(axis=0), params["beta"], atol=1e-3)  # rounding of a mean 20 deviations away
    shrunk = np.sqrt(x.var(axis=0) / (x.var(axis=0) + 1e-3))  # what epsilon takes of the deviation
    np.testing.assert_allclose(y.std(axis=0), params["gamma"] * shrunk, rtol=1e-3)


def test_initial_params_and_statistics() -> None:
    layer = batch_norm((4, 5, 3))
    init = layer.init(np.random.default_rng(0))
    assert {name: a.tolist() for name, a in init.items()} == {"gamma": [1.0] * 3, "beta": [0.0] * 3}
    assert {name: a.tolist() for name, a in layer.stats.items()} == {"mean": [0.0] * 3, "variance": [1.0] * 3}
    assert layer.output_shape == (4, 5, 3)
