"""Every gradient agrees with central finite differences in float64, for every number of a small network.

With steps of 1e-5 a difference is wrong by 1e-10 for its curvature and by as much for rounding; the tolerance leaves a
factor of 100.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from wellfit.base import Augmentation, LayerSpec, ModelSpec, Recipe, RunSpec
from wellfit.engine.hyperparameters import TRACED
from wellfit.engine.plan import make_plan
from wellfit.engine.step import Batch, State, optimizer_of, train_step
from wellfit.nn.convolution import average_pool, conv2d, global_average_pool, max_pool
from wellfit.nn.layers import ACTIVATIONS, Layer, Mode, activation, dense, dropout
from wellfit.nn.losses import cross_entropy, mean_squared_error, penalty
from wellfit.nn.models import build
from wellfit.nn.normalization import batch_norm
from wellfit.nn.tiles import from_tiles, to_tiles

GENERATOR = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _double_precision() -> Iterator[None]:
    jax.config.update("jax_disable_most_optimizations", True)  # programs that run once are not worth optimizing
    with jax.enable_x64(True):
        yield
    jax.config.update("jax_disable_most_optimizations", False)


def numbers(*shape: int) -> jax.Array:
    return jnp.asarray(GENERATOR.normal(size=shape))


def check(function: Callable[[Any], jax.Array], at: Any, gradient: Any = None) -> None:
    """Compare the gradient of a scalar function of a tree of float64 arrays with differences, number by number.

    The gradient is ``jax.grad``'s unless another is given.
    """
    flat, unravel = ravel_pytree(at)
    assert flat.dtype == jnp.float64

    def of_flat(flat: jax.Array) -> jax.Array:
        value = function(unravel(flat))
        assert value.dtype == jnp.float64  # nothing on the way has rounded to float32
        return value

    found = jax.jit(jax.grad(of_flat))(flat) if gradient is None else ravel_pytree(gradient)[0]
    moves = 1e-5 * jnp.eye(flat.size)
    both = jnp.concatenate([flat[None] + moves, flat[None] - moves])
    ahead, behind = jax.jit(jax.vmap(of_flat))(both).reshape(2, -1)
    differences = np.asarray(ahead - behind) / 2e-5
    assert np.abs(differences).max() > 1e-4  # there is something to compare
    np.testing.assert_allclose(found, differences, rtol=1e-6, atol=1e-8)


def check_layer(layer: Layer, x: jax.Array, mode: Mode | None = None) -> None:
    """With respect to params and input, under a random linear function of the output; images are in tiles within."""
    params = {name: jnp.asarray(a, jnp.float64) for name, a in layer.init(np.random.default_rng(1)).items()}
    stats = {name: jnp.asarray(a, jnp.float64) for name, a in layer.stats.items()}
    direction = numbers(len(x), *layer.output_shape)

    def apply(p_x: tuple[dict[str, jax.Array], jax.Array]) -> jax.Array:
        found = layer.apply(p_x[0], stats, to_tiles(p_x[1]) if x.ndim == 4 else p_x[1], mode)[0]
        return ((from_tiles(found) if found.ndim == 5 else found) * direction).sum()

    check(apply, (params, x))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_dense_with_every_activation(name: str) -> None:
    first = dense((4,), 3)
    params = {key: jnp.asarray(a, jnp.float64) for key, a in first.init(np.random.default_rng(1)).items()}
    x, direction = numbers(5, 4), numbers(5, 3)
    function = activation((3,), name)

    def apply(params: dict[str, jax.Array]) -> jax.Array:
        inner = first.apply(params, {}, x, None)[0]
        return (function.apply({}, {}, inner, None)[0] * direction).sum()

    check(apply, params)


@pytest.mark.parametrize(("stride", "padding"), [(1, "valid"), (1, "same"), (2, "same"), (3, "valid")])
def test_conv2d(stride: int, padding: str) -> None:
    check_layer(conv2d((5, 6, 2), 3, 3, stride, padding), numbers(2, 5, 6, 2))


@pytest.mark.parametrize(("size", "stride", "padding"), [(2, 2, "valid"), (3, 2, "same"), (2, 1, "valid")])
def test_pools(size: int, stride: int, padding: str) -> None:
    for pool in (max_pool, average_pool):
        check_layer(pool((5, 6, 2), size, stride, padding), numbers(2, 5, 6, 2))


def test_global_average_pool() -> None:
    check_layer(global_average_pool((3, 4, 2)), numbers(2, 3, 4, 2))


@pytest.mark.parametrize("shape", [(3,), (2, 2, 3)])
def test_batch_norm_while_training(shape: tuple[int, ...]) -> None:
    padded = jnp.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0])
    layer = batch_norm(shape)
    params = {"gamma": numbers(3), "beta": numbers(3)}
    stats = {name: jnp.asarray(a, jnp.float64) for name, a in layer.stats.items()}
    mode = Mode(jax.random.key(0), None, padded)
    direction = numbers(6, *shape) * padded.reshape(6, *(1,) * len(shape))

    def apply(p_x: tuple[dict[str, jax.Array], jax.Array]) -> jax.Array:
        found = layer.apply(p_x[0], stats, to_tiles(p_x[1]) if len(shape) == 3 else p_x[1], mode)[0]
        return ((from_tiles(found) if found.ndim == 5 else found) * direction).sum()

    check(apply, (params, numbers(6, *shape)))
    check_layer(layer, numbers(6, *shape))  # and in inference


def test_dropout_with_its_mask_fixed_by_the_key() -> None:
    mode = Mode(jax.random.key(4), jnp.array([0.4]), jnp.ones(5))
    check_layer(dropout((6,), 0), numbers(5, 6), mode)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("loss", [cross_entropy, mean_squared_error])
def test_losses(loss: Callable[..., jax.Array], smoothing: float) -> None:
    labels = jnp.array([0, 2, 1, 2])
    check(lambda logits: loss(logits, labels, smoothing).mean(), numbers(4, 3))


def test_penalties() -> None:
    params = {"dense_1": {"kernel": numbers(3, 4)}, "conv2d_1": {"kernel": numbers(2, 2, 1, 3)}}
    l1, l2 = jnp.array([0.1, 0.02]), jnp.array([0.3, 0.0])
    check(lambda p: penalty(p, ("dense_1", "conv2d_1"), l1, l2), params)


# --- The whole step ---------------------------------------------------------------------------------------------------

MLP = Recipe(model=ModelSpec("mlp", (5, 4), activation="tanh"), batch_size=6)
LENET = ModelSpec(
    "layers",
    layers=(
        LayerSpec("conv2d", filters=2, size=3, padding="same", function="relu"),
        LayerSpec("dropout", rate=0.2),
        LayerSpec("max_pool"),
        LayerSpec("conv2d", filters=3, size=3, function="relu"),
        LayerSpec("batch_norm"),
        LayerSpec("average_pool"),
        LayerSpec("flatten"),
        LayerSpec("dense", units=4, function="relu"),
        LayerSpec("dropout", rate=0.3),
        LayerSpec("dense", units=3),
    ),
)
STEPS = {
    "mlp": MLP,
    "batch-norm": replace(MLP, model=ModelSpec("mlp", (5,), activation="gelu", batch_norm=True)),
    "penalties-dropout-smoothing": replace(MLP, l1=1e-2, l2=(0.1, 0.02, 0.3), dropout=0.3, label_smoothing=0.1),
    "class-weights-mse": replace(MLP, class_weights=(1.0, 3.0, 0.5), loss="mse"),
    "mixup-noise": replace(MLP, augmentation=Augmentation(mixup=0.5, noise=0.1)),
    "lenet": replace(MLP, model=LENET, l2=1e-2, label_smoothing=0.1),
}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_gradient_descent_is_the_gradient_of_its_loss(name: str) -> None:
    """A step of plain SGD with rate 1 subtracts the gradient; the differences are of the loss that the step reports."""
    recipe = replace(STEPS[name], optimizer="sgd", learning_rate=1.0)
    shape = (8, 8) if name == "lenet" else (4,)
    (population,) = make_plan([RunSpec("v", 0, recipe)], shape, 3, (60, 6, 6), 1).populations
    program, traced = population.program, population.trajectories[0].hyperparameters
    hyper = {key: jnp.asarray(getattr(traced, key), jnp.float64) for key in TRACED}
    model = build(recipe.model, shape, 3)
    params, stats = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), (model.init(0), model.stats()))
    # a bias of zero puts units at relu's kink, where their inputs are zero
    params = jax.tree.map(lambda a: a + 0.1 * numbers(*a.shape), params)
    weight = jnp.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.0])  # a batch with padding
    batch = Batch(
        numbers(6, *shape),
        jnp.array([0, 1, 2, 1, 0, 0]),
        weight,
        jax.random.key(2),
        jnp.bool_(True),
        jnp.bool_(True),
        jnp.zeros(()),
        jnp.ones(()),
    )
    step = train_step(program, model)

    def loss(params: Any) -> jax.Array:
        state = State(params, stats, optimizer_of(program, hyper, hyper["learning_rate"]).init(params), {})
        return step(state, hyper, hyper["learning_rate"], batch)[1][0] / weight.sum()

    state = State(params, stats, optimizer_of(program, hyper, hyper["learning_rate"]).init(params), {})
    after, sums = jax.jit(step)(state, hyper, hyper["learning_rate"], batch)
    gradient = jax.tree.map(lambda old, new: old - new, params, after.params)
    check(loss, params, gradient)
    norm = np.sqrt(sum(float((g**2).sum()) for g in jax.tree.leaves(gradient)))
    assert float(sums[2]) == pytest.approx(norm, rel=1e-6)
