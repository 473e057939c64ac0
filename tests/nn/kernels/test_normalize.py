"""Batch normalization by kernels against the layer without them: output, statistics and gradients, padding left out."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("llvmlite")

from generated import of_registers, runnable
from wellfit.nn.kernels.normalize import normalize
from wellfit.nn.kernels.processor import Processor
from wellfit.nn.layers import Mode
from wellfit.nn.normalization import EPSILON, batch_norm


@pytest.mark.parametrize("processor", runnable(), ids=of_registers)
@pytest.mark.parametrize("spread", [2.0, 1e-3])  # wide, and narrow enough that epsilon counts
def test_normalized_images_and_gradients_agree_with_the_layer(spread: float, processor: Processor) -> None:
    generator = np.random.default_rng(0)
    size = (2, 3, 4, 5, 10)
    x, g = generator.normal(1, spread, size=size).astype(np.float32), generator.normal(size=size).astype(np.float32)
    gamma, beta = (generator.normal(size=3).astype(np.float32) for _ in range(2))
    weight = np.ones((2, 10), np.float32)
    weight[-1, -3:] = 0  # padding of the last batch
    layer = batch_norm((4, 5, 3))
    start = {name: jnp.asarray(array) for name, array in layer.stats.items()}
    mode = Mode(jax.random.key(0), None, jnp.asarray(weight).reshape(-1))

    @jax.jit
    def by_layer(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> tuple[jax.Array, ...]:
        y, stats = layer.apply({"gamma": gamma, "beta": beta}, start, x, mode)
        return y, (stats["mean"] - 0.99 * start["mean"]) / 0.01, (stats["variance"] - 0.99 * start["variance"]) / 0.01

    @jax.jit
    def by_kernels(x: jax.Array, gamma: jax.Array, beta: jax.Array) -> tuple[jax.Array, ...]:
        return normalize(x, gamma, beta, jnp.asarray(weight), EPSILON, processor)

    with jax.enable_x64(True):  # the oracle alone
        wide = [jnp.asarray(a, jnp.float64) for a in (x, gamma, beta)]
        expected, way_back = jax.vjp(by_layer, *wide)
        gradients = way_back((jnp.asarray(g, jnp.float64), *(jnp.zeros(3, jnp.float64),) * 2))
        expected, gradients = ([np.asarray(a) for a in part] for part in (expected, gradients))
    found, found_back = jax.vjp(by_kernels, x, gamma, beta)
    for a, b in zip(
        (*found, *found_back((jnp.asarray(g), jnp.zeros(3), jnp.zeros(3)))), (*expected, *gradients), strict=True
    ):
        # the difference of a pixel and the mean loses what both have in common
        np.testing.assert_allclose(a, b, rtol=0, atol=(2e-6 + 4e-7 / spread) * np.abs(b).max())
