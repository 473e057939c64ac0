"""Products against NumPy in float64, alone and vectorized; bfloat16 where it should be, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from ml_dtypes import bfloat16

from wellfit.base import LayerSpec, ModelSpec, Recipe, RunSpec
from wellfit.engine.hyperparameters import TRACED
from wellfit.engine.plan import make_plan
from wellfit.engine.step import Batch, State, optimizer_of, train_step
from wellfit.nn import accelerator
from wellfit.nn.models import build
from wellfit.nn.products import PRECISIONS, Precision, dot, factor, product, squared_norm

GENERATOR = np.random.default_rng(0)
B, I, O = 9, 7, 5  # noqa: E741
G, W = 2, 3  # groups and the variants of each


def numbers(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype(np.float32)


def rounded(x: np.ndarray, precision: str) -> np.ndarray:
    """Round to the factors' type without JAX, then convert to float64, in which the products are exact."""
    return x.astype(bfloat16 if precision == "mixed" else np.float64).astype(np.float64)


def by_numpy(x: np.ndarray, kernel: np.ndarray, cotangent: np.ndarray, precision: str) -> list[np.ndarray]:
    """The product, and the gradients of both factors."""
    x, kernel, cotangent = (rounded(a, precision) for a in (x, kernel, cotangent))
    return [x @ kernel, cotangent @ kernel.swapaxes(-1, -2), x.swapaxes(-1, -2) @ cotangent]


def ours(precision: Precision) -> Any:
    def value_and_gradients(x: jax.Array, kernel: jax.Array, cotangent: jax.Array) -> list[jax.Array]:
        value, back = jax.vjp(lambda x, kernel: product(x, kernel, precision), x, kernel)
        return [value, *back(cotangent)]

    return value_and_gradients


def assert_agree(found: list[jax.Array], expected: list[np.ndarray]) -> None:
    """Float32 sums of at most nine terms are a few steps of 6e-8 wrong; unrounded factors would be wrong by 1e-3."""
    for name, a, b in zip(("value", "of x", "of kernel"), found, expected, strict=True):
        assert a.dtype == jnp.float32
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6 * np.abs(b).max(), err_msg=name)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("outputs", [2, O], ids=["gradient transposed", "batch transposed"])
def test_a_product_and_its_gradients(outputs: int, precision: Precision) -> None:
    x, kernel, cotangent = numbers(B, I), numbers(I, outputs), numbers(B, outputs)
    assert_agree(jax.jit(ours(precision))(x, kernel, cotangent), by_numpy(x, kernel, cotangent, precision))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("batch", ["shared", "own"])
@pytest.mark.parametrize("outputs", [2, O], ids=["gradient transposed", "batch transposed"])
@pytest.mark.parametrize("variants", [1, W])
def test_variants_with_one_batch_and_with_their_own(
    variants: int, outputs: int, batch: str, precision: Precision
) -> None:
    x = numbers(B, I) if batch == "shared" else numbers(variants, B, I)
    kernel, cotangent = numbers(variants, I, outputs), numbers(variants, B, outputs)
    found = jax.jit(jax.vmap(ours(precision), (None if batch == "shared" else 0, 0, 0)))(x, kernel, cotangent)
    assert_agree(found, by_numpy(np.broadcast_to(x, (variants, B, I)), kernel, cotangent, precision))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("batch", ["shared", "own"])
def test_groups_of_variants(batch: str, precision: Precision) -> None:
    """As in a population on a GPU: the groups' batches differ, a group's variants share theirs or do not."""
    x = numbers(G, B, I) if batch == "shared" else numbers(G, W, B, I)
    kernel, cotangent = numbers(G, W, I, O), numbers(G, W, B, O)
    within = jax.vmap(ours(precision), (None if batch == "shared" else 0, 0, 0))
    found = jax.jit(jax.vmap(within))(x, kernel, cotangent)
    each = np.broadcast_to(x[:, None] if batch == "shared" else x, (G, W, B, I))
    assert_agree(found, by_numpy(each, kernel, cotangent, precision))


def test_variants_with_one_gradient() -> None:
    """The batches differ but the gradient is shared: the batching rule holds in reverse too."""
    x, kernel, cotangent = numbers(W, B, I), numbers(I, O), numbers(B, O)

    def of_kernel(x: jax.Array) -> jax.Array:
        return ours("float32")(x, kernel, cotangent)[2]

    expected = x.astype(np.float64).swapaxes(1, 2) @ cotangent
    np.testing.assert_allclose(jax.jit(jax.vmap(of_kernel))(x), expected, rtol=0, atol=1e-6 * np.abs(expected).max())


def test_gradients_are_those_of_the_plain_product() -> None:
    x, kernel = numbers(B, I), numbers(I, O)
    with jax.enable_x64(True):
        at = jnp.asarray(x, jnp.float64), jnp.asarray(kernel, jnp.float64)
        found = jax.jit(jax.grad(lambda x, w: jnp.tanh(product(x, w)).sum(), (0, 1)))(*at)
        expected = jax.jit(jax.grad(lambda x, w: jnp.tanh(x @ w).sum(), (0, 1)))(*at)
        for a, b in zip(found, expected, strict=True):
            assert a.dtype == jnp.float64
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def test_factors_are_rounded_to_the_nearest_and_sums_are_not() -> None:
    x = numbers(1000)
    np.testing.assert_array_equal(np.asarray(factor(jnp.asarray(x), "mixed")).astype(np.float32), x.astype(bfloat16))
    np.testing.assert_array_equal(factor(jnp.asarray(x), "float32"), x)
    # 1 + 256 · 2**-9 is 1.5; a sum in bfloat16, whose steps there are 2**-7, would stay at 1
    ones = np.ones((257, 1), np.float32)
    terms = np.full((1, 257), 2**-9, np.float32)
    terms[0, 0] = 1
    found = jax.jit(dot, static_argnums=2)(terms, ones, "mixed")
    assert (found.dtype, found.tolist()) == (jnp.float32, [[1.5]])


@pytest.mark.parametrize("shape", [(), (7,), (40, 30), (3, 3, 2, 4), (0,)])
def test_squared_norm_and_numpy_agree(shape: tuple[int, ...]) -> None:
    x = numbers(*shape) if shape else np.float32(-3)
    expected = np.square(np.asarray(x, np.float64)).sum()
    np.testing.assert_allclose(squared_norm(jnp.asarray(x)), expected, rtol=1e-5)  # float32 sums of up to 1200 terms
    np.testing.assert_allclose(jax.grad(squared_norm)(jnp.asarray(x)), 2 * x, rtol=1e-6)


def test_squared_norms_of_a_population() -> None:
    x = numbers(G, W, 6, 5)
    found = jax.jit(jax.vmap(jax.vmap(squared_norm)))(x)
    np.testing.assert_allclose(found, np.square(x.astype(np.float64)).sum(axis=(2, 3)), rtol=1e-5)


# --- Where a mixed training step rounds -------------------------------------------------------------------------------

LAYERS = (
    LayerSpec("conv2d", filters=2, size=3, padding="same", function="relu"),
    LayerSpec("dropout", rate=0.2),
    LayerSpec("max_pool"),
    LayerSpec("conv2d", filters=3, size=3),
    LayerSpec("batch_norm"),
    LayerSpec("activation", function="gelu"),
    LayerSpec("flatten"),
    LayerSpec("dense", units=4, function="relu"),
    LayerSpec("dense", units=3),
)
MOVES = {
    "concatenate",
    "convert_element_type",
    "optimization_barrier",
    "pad",
    "reshape",
    "slice",
    "transpose",
}  # no arithmetic


def equations(jaxpr: Jaxpr) -> Iterator[JaxprEqn]:
    """The equations of a program and of the programs within it, without those that only hold others."""
    for equation in jaxpr.eqns:
        inner = [a for value in equation.params.values() for a in (value if isinstance(value, tuple) else (value,))]
        inner = [a.jaxpr if isinstance(a, ClosedJaxpr) else a for a in inner]
        programs = [a for a in inner if isinstance(a, Jaxpr)]
        for program in programs:
            yield from equations(program)
        if not programs:
            yield equation


def traced_step(precision: Precision) -> tuple[list[JaxprEqn], Any, Any]:
    """The equations of a step that uses what there is, vectorized; the state before and (its shape) after it."""
    spec = ModelSpec("layers", layers=LAYERS)
    recipe = Recipe(model=spec, l1=1e-3, l2=1e-2, label_smoothing=0.1, clip_norm=1.0, batch_size=20)
    plan = make_plan([RunSpec("v", 0, recipe)], (8, 8), 3, (60, 6, 6), 1, precision)
    program = plan.populations[0].program
    assert program.precision == precision
    model = build(program.model, (8, 8), 3, program.precision)
    hyper = {
        name: jnp.asarray(getattr(plan.populations[0].trajectories[0].hyperparameters, name), jnp.float32)
        for name in TRACED
    }
    params, stats = jax.tree.map(jnp.asarray, (model.init(0), model.stats()))
    state = State(params, stats, optimizer_of(program, hyper, hyper["learning_rate"]).init(params), {})
    state = jax.tree.map(lambda a: jnp.stack([a] * 2), state)
    x, y = jnp.asarray(numbers(20, 8, 8)), jnp.zeros(20, jnp.int32)
    yes = jnp.bool_(True)
    batch = Batch(x, y, jnp.ones(20), jax.random.key(0), yes, yes, jnp.zeros(()), jnp.ones(()))
    step = jax.vmap(train_step(program, model), in_axes=(0, None, None, None))
    result, after = jax.make_jaxpr(step, return_shape=True)(state, hyper, hyper["learning_rate"], batch)
    return list(equations(result.jaxpr)), state, after


def dtypes(variables: Any) -> set[str]:
    return {str(v.aval.dtype) for v in variables if hasattr(v.aval, "dtype")}


def test_a_mixed_step_uses_bfloat16_only_in_factors() -> None:
    result, before, after = traced_step("mixed")
    products = [e for e in result if e.primitive.name == "dot_general"]
    rough = [e for e in products if "bfloat16" in dtypes(e.invars)]
    assert all(dtypes(e.invars) == {"bfloat16"} and dtypes(e.outvars) == {"float32"} for e in rough)
    assert len(rough) == 4 * 3  # four layers, each with one product forward and two back
    # the others are squared norms and their gradients: of vectors, one for each of two variants
    exact = [e for e in products if e not in rough]
    assert exact
    assert all(
        dtypes((*e.invars, *e.outvars)) == {"float32"} and max(v.aval.ndim for v in e.invars) == 2 for e in exact
    )
    others = {e.primitive.name for e in result if "bfloat16" in dtypes((*e.invars, *e.outvars))} - {"dot_general"}
    assert others - MOVES == set()
    # weights, statistics, optimizer, losses
    assert {str(a.dtype) for a in jax.tree.leaves((before.params, before.stats))} == {"float32"}
    state, sums = after
    kinds = {str(a.dtype) for a in jax.tree.leaves((state.params, state.stats, state.opt_state, sums))}
    assert kinds <= {"float32", "int32"}
    assert jax.tree.map(lambda a: a.dtype, state) == jax.tree.map(lambda a: a.dtype, before)


def test_a_float32_step_rounds_nowhere() -> None:
    result, _, _ = traced_step("float32")
    assert not any("bfloat16" in dtypes((*e.invars, *e.outvars)) for e in result)


def test_on_an_accelerator_products_of_float32_are_in_float32() -> None:
    """JAX would compute them with fewer bits there; all products ask for all bits, forwards and backwards."""
    from wellfit.nn.convolution import conv2d

    layer = conv2d((5, 5, 2), 3, 3)
    images, kernels = jnp.ones((1, 2, 5, 5, 4)), jnp.ones((3, 3, 2, 3))

    def dense(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return product(x, kernel).sum() + squared_norm(kernel)

    def convolved(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return layer.apply({"kernel": kernel, "bias": jnp.zeros(3)}, {}, x, None)[0].sum()

    def asked(loss: Any, *arguments: jax.Array) -> tuple[int, int]:
        jax.clear_caches()
        found = str(jax.make_jaxpr(jax.grad(loss, argnums=(0, 1)))(*arguments))
        return found.count("dot_general["), found.count("HIGHEST, ") or found.count("HIGHEST")

    for loss, *arguments in ((dense, jnp.ones((4, 3)), jnp.ones((3, 2))), (convolved, images, kernels)):
        products, of_all_bits = asked(loss, *arguments)
        assert products >= 3
        assert of_all_bits == 0
        with accelerator.assumed():
            products, of_all_bits = asked(loss, *arguments)
        assert of_all_bits == products >= 3
    jax.clear_caches()
