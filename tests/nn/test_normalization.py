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
from wellfit.nn.tiles import from_tiles, to_tiles

# Keras's own, of its way to turn a variable into an array
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

BATCH = 20  # two tiles of 10


def example(shape: tuple[int, ...], rows: int = 47) -> np.ndarray:
    generator = np.random.default_rng(0)
    return (generator.normal(size=(rows, *shape)) * [0.1, 1.0, 5.0] + [2.0, 0.0, -3.0]).astype(np.float32)


def laid_out(x: np.ndarray, tiled: bool) -> jax.Array:
    return to_tiles(jnp.asarray(x)) if tiled else jnp.asarray(x)


def params_of() -> dict[str, Any]:
    return {"gamma": jnp.array([1.0, 0.5, 2.0]), "beta": jnp.array([0.0, 1.0, -1.0])}


def mode(weight: np.ndarray) -> Mode:
    return Mode(jax.random.key(0), None, jnp.asarray(weight, jnp.float32))


@pytest.mark.parametrize(
    ("shape", "tiled"), [((3,), False), ((4, 5, 3), False), ((4, 5, 3), True)], ids=["rows", "images", "tiles"]
)
def test_training_moving_statistics_and_inference_are_keras_own(shape: tuple[int, ...], tiled: bool) -> None:
    layer, params = batch_norm(shape), params_of()
    stats: dict[str, Any] = {name: jnp.asarray(a) for name, a in layer.stats.items()}
    with jax.numpy_rank_promotion("allow"):  # Keras is not as strict as we are
        twin = keras.layers.BatchNormalization()
        twin.build((None, *shape))
        twin.set_weights([params["gamma"], params["beta"], stats["mean"], stats["variance"]])
        x = example(shape)
        for batch in (x[:20], x[20:40], x[40:]):  # the last is smaller: ours is padded, with what must not count
            padded = np.concatenate([batch, np.full((BATCH - len(batch), *shape), 1e3, np.float32)])
            counted = mode(np.arange(BATCH) < len(batch))
            found, stats = layer.apply(params, stats, laid_out(padded, tiled), counted)
            expected = np.asarray(twin(batch, training=True))
            back = (from_tiles(found) if tiled else found)[: len(batch)]
            np.testing.assert_allclose(back, expected, rtol=1e-4, atol=1e-4)  # float32, divided by 0.03
        _, _, mean, variance = twin.get_weights()
        np.testing.assert_allclose(stats["mean"], mean, rtol=1e-5, atol=1e-8)  # a mean that happens to be near 0
        np.testing.assert_allclose(stats["variance"], variance, rtol=1e-5)
        inferred, unmoved = layer.apply(params, stats, laid_out(x, tiled), None)
        back = from_tiles(inferred) if tiled else inferred
        np.testing.assert_allclose(back, np.asarray(twin(x, training=False)), rtol=1e-5, atol=1e-5)
    assert unmoved is stats


def test_tiles_have_the_gradients_of_the_same_batch_in_rows() -> None:
    """Of rows, finite differences check them (test_gradients)."""
    layer, params = batch_norm((4, 5, 3)), params_of()
    stats = {name: jnp.asarray(a) for name, a in layer.stats.items()}
    weight = mode(np.arange(BATCH) < 13)  # the second tile is padding from its third example on
    x = jnp.asarray(example((4, 5, 3), BATCH))
    direction = jnp.asarray(np.random.default_rng(1).normal(size=x.shape), jnp.float32)
    direction = jnp.where(weight.weight[:, None, None, None] > 0, direction, 0)

    def of_rows(params: Any, x: jax.Array) -> jax.Array:
        return (layer.apply(params, stats, x, weight)[0] * direction).sum()

    def of_tiles(params: Any, x: jax.Array) -> jax.Array:
        return (from_tiles(layer.apply(params, stats, to_tiles(x), weight)[0]) * direction).sum()

    expected = jax.jit(jax.grad(of_rows, (0, 1)))(params, x)
    found = jax.jit(jax.grad(of_tiles, (0, 1)))(params, x)
    assert not np.asarray(found[1])[13:].any()  # nothing goes back to the padding
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        scale = np.abs(theirs).max()
        assert scale > 1e-2
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * scale)  # the order of float32 sums


def test_a_normalized_batch_has_mean_beta_and_deviation_gamma() -> None:
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
