"""Gradients of the operations by finite differences, under ``vmap``, and the gradient that nobody asks for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from generated import by_definition, distance, of_registers, runnable

pytest.importorskip("llvmlite")

from wellfit.nn.kernels.direct import convolve, convolve_and_pool

HERE = runnable()[:1]
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(2, 2, 7, 6, 16)).astype(np.float32)
KERNEL = GENERATOR.normal(size=(3, 3, 2, 4)).astype(np.float32)
BIAS = GENERATOR.normal(size=4).astype(np.float32)


@pytest.mark.parametrize("operation", [convolve, convolve_and_pool])
@pytest.mark.parametrize("processor", HERE, ids=of_registers)
def test_gradients_are_finite_differences(operation: Callable[..., jax.Array], processor: object) -> None:
    factor = GENERATOR.normal(size=operation(X, KERNEL, BIAS, 1, processor).shape).astype(np.float32)

    @jax.jit
    def output(x: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
        return operation(x, kernel, bias, 1, processor)

    given = (X, KERNEL, BIAS)
    gradients = jax.jit(jax.grad(lambda *a: (output(*a) * factor).sum(), (0, 1, 2)))(*given)
    for place, gradient in enumerate(gradients):
        direction = GENERATOR.normal(size=given[place].shape).astype(np.float32)
        step = 2e-4 * direction  # small, so that hardly a cell has another largest value; sums are in float64
        up, down = (
            (np.asarray(output(*(a + s * step if i == place else a for i, a in enumerate(given))), np.float64) * factor)
            for s in (1, -1)
        )
        expected = float((np.asarray(gradient) * direction).sum())
        assert (up - down).sum() / 4e-4 == pytest.approx(expected, rel=1e-2, abs=0.1)


@pytest.mark.parametrize("operation", [convolve, convolve_and_pool])
@pytest.mark.parametrize("processor", HERE, ids=of_registers)
def test_a_network_has_the_same_bits_alone_and_in_a_population(
    operation: Callable[..., jax.Array], processor: object
) -> None:
    def loss(params: tuple[jax.Array, jax.Array], x: jax.Array) -> jax.Array:
        return jnp.square(operation(x, *params, 1, processor)).sum()

    kernels, biases = jnp.stack([KERNEL, KERNEL + 1, -KERNEL]), jnp.stack([BIAS, BIAS, BIAS * 2])
    step = jax.grad(loss, (0, 1))
    together = jax.jit(jax.vmap(step, (0, None)))((kernels, biases), X)
    of_each = jax.jit(jax.vmap(step, (0, 0)))((kernels, biases), jnp.stack([jnp.asarray(X)] * 3))
    for i in range(3):
        alone = jax.tree.leaves(jax.jit(step)((kernels[i], biases[i]), X))
        for population in (together, of_each):
            for a, b in zip(jax.tree.leaves(population), alone, strict=True):
                np.testing.assert_array_equal(a[i], b)


@pytest.mark.parametrize("processor", HERE, ids=of_registers)
def test_populations_of_populations(processor: object) -> None:
    kernels = np.stack([[KERNEL, -KERNEL], [2 * KERNEL, KERNEL]])
    one = partial(convolve, bias=jnp.asarray(BIAS), stride=1, processor=processor)
    found = jax.jit(jax.vmap(jax.vmap(lambda k: one(X, k))))(kernels)
    for i in range(2):
        for j in range(2):
            expected = by_definition(X, kernels[i, j], BIAS, 1, np.zeros((2, 4, 5, 4, 16), np.float32)).output
            assert distance(found[i, j], expected) < 1e-6


@pytest.mark.parametrize("processor", HERE, ids=of_registers)
def test_the_first_layer_computes_no_gradient_of_the_images(processor: object) -> None:
    def loss(kernel: jax.Array, x: jax.Array) -> jax.Array:
        return convolve(x, kernel, jnp.asarray(BIAS), 1, processor).sum()

    calls = [str(jax.make_jaxpr(jax.grad(loss, which))(KERNEL, X)).count("ffi_call[") for which in (0, (0, 1))]
    assert calls == [2, 3]
