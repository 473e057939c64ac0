"""Sums over channels against the definition in float64, with lanes and pixels that do not fill a turn of the loop."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("llvmlite")

from generated import distance, of_registers, runnable
from wellfit.nn.kernels.calls import channel_sums
from wellfit.nn.kernels.moments import Images
from wellfit.nn.kernels.processor import Processor

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize("processor", runnable(), ids=of_registers)
@pytest.mark.parametrize("size", [(3, 4, 5, 6, 10), (2, 1, 3, 1, 16), (1, 2, 8, 8, 21)])
def test_sums_of_every_channel(size: tuple[int, ...], processor: Processor) -> None:
    x, g = (GENERATOR.normal(1, 2, size=size).astype(np.float32) for _ in range(2))
    center, weight = GENERATOR.normal(size=size[1]).astype(np.float32), np.ones((size[0], size[4]), np.float32)
    weight[-1, -2:] = 0
    away = x.astype(np.float64) - center[None, :, None, None, None]
    counted = weight[:, None, None, None, :]
    others = (0, 2, 3, 4)
    moments = channel_sums("moments", processor, jnp.asarray(x), jnp.asarray(center), jnp.asarray(weight))
    products = channel_sums("products", processor, jnp.asarray(g), jnp.asarray(x), jnp.asarray(center))
    expected = [(away * counted), away**2 * counted, g.astype(np.float64), g * away]
    for found, each in zip((*moments, *products), expected, strict=True):
        assert distance(found, each.sum(axis=others)) < 1e-6 * max(1.0, np.abs(each).sum() / np.abs(each.sum()))


@pytest.mark.parametrize("processor", runnable()[:1], ids=of_registers)
def test_networks_that_share_images(processor: Processor) -> None:
    x, weight = jnp.asarray(GENERATOR.normal(size=(2, 3, 4, 4, 16)), jnp.float32), jnp.ones((2, 16))
    centers = jnp.asarray(GENERATOR.normal(size=(3, 3)), jnp.float32)
    together = jax.jit(jax.vmap(lambda c: channel_sums("moments", processor, x, c, weight)))(centers)
    for i, center in enumerate(centers):
        alone = channel_sums("moments", processor, x, center, weight)
        for a, b in zip(together, alone, strict=True):
            np.testing.assert_array_equal(a[i], b)


def test_axes_of_images() -> None:
    images = Images(3, 20, 16)
    assert (images.tail.shape, images.each.shape) == ((3, 20, 16), (3,))
