"""Scores of whole splits: chunks agree with one pass, and units that are dead are counted."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax

from wellfit.base import LayerSpec, ModelSpec, Recipe, RunSpec, Scaling, TrainingData
from wellfit.engine.evaluation import Score, evaluate, params_and_stats, predict_program, rescale
from wellfit.engine.plan import make_plan
from wellfit.engine.train import Trainer
from wellfit.nn.models import Model, build

GENERATOR = np.random.default_rng(0)
X = GENERATOR.integers(0, 256, (2500, 6)).astype(np.uint8)
Y = GENERATOR.integers(0, 3, 2500).astype(np.int32)
SCALING = (jnp.float32(10.0), jnp.float32(1 / 255))
MLP = build(ModelSpec("mlp", (5, 4)), (6,), 3)


def group(model: Model, seeds: tuple[int, ...]) -> Any:
    """Initial weights of some runs, side by side; leaves (W, ...)."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *(model.init(seed) for seed in seeds))


def score(params: Any, x: np.ndarray = X, y: np.ndarray = Y, model: Model = MLP) -> Score:
    run = jax.jit(lambda params, x, y: evaluate(model, params, {}, x, y, SCALING))
    return jax.tree.map(np.asarray, run(params, jnp.asarray(x), jnp.asarray(y)))


def by_hand(x: np.ndarray, y: np.ndarray, params: Any, run: int) -> tuple[float, float, np.ndarray]:
    """Loss, accuracy and live units of one run in one pass, in NumPy and float64."""
    x, masks = (x.astype(np.float64) - 10) / 255, []
    for layer in ("dense_1", "dense_2"):
        weights = {name: np.asarray(a[run], np.float64) for name, a in params[layer].items()}
        x = np.maximum(x @ weights["kernel"] + weights["bias"], 0)
        masks.append((x > 0).any(axis=0))
    logits = x @ np.asarray(params["dense_3"]["kernel"][run], np.float64) + np.asarray(params["dense_3"]["bias"][run])
    losses = -log_softmax(logits, axis=1)[np.arange(len(y)), y]
    return losses.mean(), (logits.argmax(axis=1) == y).mean(), np.concatenate(masks)


@pytest.mark.parametrize("count", [1, 15, 1000, 1001, 1009, 2500])  # chunks of whole tiles overlap at the end
def test_chunks_agree_with_one_pass(count: int) -> None:
    rows = np.random.default_rng(1).permutation(2500)[:count]
    params = group(MLP, (0, 1))
    found = score(params, X[rows], Y[rows])
    for run in (0, 1):
        loss, accuracy, alive = by_hand(X[rows], Y[rows], params, run)
        assert found.loss[run] == pytest.approx(loss, rel=1e-5)
        assert found.accuracy[run] == pytest.approx(accuracy, abs=1e-6)
        np.testing.assert_array_equal(found.alive[run], alive)


@pytest.mark.parametrize("row", [0, 495, 504, 505, 511, 512, 1000])
def test_every_row_counts_once_wherever_the_chunks_meet(row: int) -> None:
    """1,001 rows are two chunks of 512: rows 489 to 511 are in both, and count in the first alone."""
    params = group(MLP, (0,))
    params["dense_3"]["bias"] = jnp.array([[0.0, 1.0, -1.0]])  # no row is without an opinion
    before = score(params, X[:1001], Y[:1001])
    y = Y[:1001].copy()
    y[row] = (y[row] + 1) % 3
    after = score(params, X[:1001], y)
    logits = MLP.apply(jax.tree.map(lambda a: a[0], params), {}, rescale(jnp.asarray(X[:1001]), *SCALING))[0]
    log_p = log_softmax(np.asarray(logits, np.float64), axis=1)
    expected = (log_p[row, Y[row]] - log_p[row, y[row]]) / 1001
    assert abs(expected) > 1e-5
    assert after.loss[0] - before.loss[0] == pytest.approx(expected, abs=1e-6)  # a mean of float32 sums of 512 rows


def test_units_forced_dead_are_dead_in_their_run_alone() -> None:
    params = group(MLP, (0, 0))
    params["dense_1"]["bias"] = jnp.array([[1.0] * 5, [1.0, -1e4, 1.0, -1e4, 1.0]])
    params["dense_2"]["bias"] = jnp.array([[10.0] * 4, [10.0, 10.0, 10.0, -1e4]])
    alive = score(params, X[:1500], Y[:1500]).alive
    assert alive[0].tolist() == [True] * 9
    assert alive[1].tolist() == [True, False, True, False, True, True, True, True, False]


def test_one_example_that_makes_a_unit_positive_keeps_it_alive() -> None:
    params = group(MLP, (0,))
    kernel = np.zeros((6, 5), np.float32)
    kernel[0] = 1.0
    params["dense_1"] = {"kernel": jnp.asarray(kernel)[None], "bias": jnp.full((1, 5), -0.5)}
    x, y = np.zeros((1500, 6), np.uint8), Y[:1500]
    assert not score(params, x, y).alive[0, :5].any()
    x[1400, 0] = 255  # in the second chunk
    assert score(params, x, y).alive[0, :5].all()
    assert not score(params, x[:1400], y[:1400]).alive[0, :5].any()


def test_of_a_convolution_the_channels_are_counted() -> None:
    specs = (
        LayerSpec("conv2d", filters=3, function="relu"),
        LayerSpec("global_average_pool"),
        LayerSpec("dense", units=2, function="tanh"),  # not a relu: not counted
        LayerSpec("dense", units=3),
    )
    model = build(ModelSpec("layers", layers=specs), (5, 5), 3)
    params = group(model, (0,))
    params["conv2d_1"]["bias"] = jnp.array([[5.0, -1e4, 5.0]])
    x = GENERATOR.integers(0, 256, (4, 5, 5)).astype(np.uint8)
    assert score(params, x, Y[:4], model).alive.tolist() == [[True, False, True]]


def test_a_network_without_relu_has_no_dead_unit(small_data: TrainingData) -> None:
    (record,) = trained(small_data, Recipe(model=ModelSpec("logistic", ()), epochs=1))
    assert record.history["dead_units"].tolist() == [0.0]


def trained(data: TrainingData, recipe: Recipe) -> list[Any]:
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    (population,) = make_plan(
        [RunSpec("v", 0, recipe)], data.input_shape, data.classes, sizes, len(jax.devices())
    ).populations
    return Trainer(data).train(population)


def test_the_history_has_the_fraction_of_dead_units(small_data: TrainingData) -> None:
    recipe = Recipe(model=ModelSpec("mlp", (12, 8)), epochs=2, optimizer="sgd", learning_rate=2.0, batch_size=16)
    (record,) = trained(small_data, recipe)
    x, alive = small_data.x_train[small_data.sample].reshape(60, 16) / 255, []
    for layer in ("dense_1", "dense_2"):
        x = np.maximum(x @ record.weights[f"{layer}/kernel"].astype(np.float64) + record.weights[f"{layer}/bias"], 0)
        alive.append((x > 0).any(axis=0))
    share = 1 - np.concatenate(alive).mean()
    assert 0 < share < 1  # the rate did kill some
    assert record.history["dead_units"][-1] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_rescaling_is_subtraction_and_multiplication_in_float32(shape: tuple[int, ...]) -> None:
    shift, factor = GENERATOR.uniform(0, 100, shape), GENERATOR.uniform(0.01, 1, shape)
    x = GENERATOR.integers(0, 256, (4, 2, 3)).astype(np.uint8)
    found = rescale(jnp.asarray(x), jnp.asarray(shift, jnp.float32), jnp.asarray(factor, jnp.float32))
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, (x - shift) * factor, rtol=1e-5, atol=1e-4)


def test_predictions_are_a_softmax_of_scaled_inputs() -> None:
    scaling = Scaling("unit", np.float32(10.0) * np.ones(()), np.ones(()) / 255)
    params = jax.tree.map(jnp.asarray, MLP.init(0))
    found = np.asarray(
        predict_program(MLP)(params, {}, jnp.asarray(X[:7]), (jnp.asarray(scaling.shift), jnp.asarray(scaling.factor)))
    )
    logits = np.asarray(MLP.apply(params, {}, jnp.asarray((X[:7] - 10.0) / 255, jnp.float32))[0], np.float64)
    np.testing.assert_allclose(found, np.exp(log_softmax(logits, axis=1)), rtol=1e-4)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_weights_are_divided_into_params_and_statistics() -> None:
    norm, dense = LayerSpec("batch_norm"), LayerSpec("dense", units=3)
    layers = (LayerSpec("conv2d", filters=2, size=3), norm, LayerSpec("flatten"), dense)
    model = build(ModelSpec("layers", (), layers=layers), (4, 4), 3)
    parts = (model.init(0), model.stats())
    weights = {
        f"{layer}/{name}": np.asarray(array)
        for part in parts
        for layer, of in part.items()
        for name, array in of.items()
    }
    for found, expected in zip(params_and_stats(model, weights), parts, strict=True):
        assert {layer: set(of) for layer, of in found.items() if of} == {
            layer: set(of) for layer, of in expected.items() if of
        }
    assert any(model.stats().values())
