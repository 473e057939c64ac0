"""A step: sparsity, clipping, class weights, padding, schedules; unused computations change no bit."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_iris

from wellfit.base import Augmentation, ModelSpec, Recipe, RunRecord, RunSpec, Schedule, TrainingData
from wellfit.engine.hyperparameters import TRACED
from wellfit.engine.plan import make_plan
from wellfit.engine.step import Batch, State, optimizer_of, train_step
from wellfit.engine.train import Trainer
from wellfit.nn.models import build
from wellfit.nn.schedules import SCHEDULES, multipliers

SGD = Recipe(model=ModelSpec("mlp", (6, 5)), batch_size=8, optimizer="sgd", learning_rate=0.1)
GENERATOR = np.random.default_rng(0)


class Stepper:
    """One run of a recipe, stepped by hand."""

    def __init__(self, recipe: Recipe, shape: tuple[int, ...], classes: int) -> None:
        (population,) = make_plan([RunSpec("v", 0, recipe)], shape, classes, (10_000, 8, 8), 1).populations
        hyperparameters = population.trajectories[0].hyperparameters
        self.hyper = {name: jnp.asarray(getattr(hyperparameters, name), jnp.float32) for name in TRACED}
        self.rate = self.hyper["learning_rate"]
        model = build(recipe.model, shape, classes)
        params, stats = jax.tree.map(jnp.asarray, (model.init(0), model.stats()))
        optimizer = optimizer_of(population.program, self.hyper, self.rate)
        self.start = State(params, stats, optimizer.init(params), {})
        self.step = jax.jit(train_step(population.program, model))

    def __call__(self, batch: Batch, rate: float | None = None) -> tuple[State, jax.Array]:
        return self.step(self.start, self.hyper, self.rate if rate is None else jnp.float32(rate), batch)


@functools.cache
def stepper_of(recipe: Recipe, shape: tuple[int, ...] = (4,)) -> Stepper:
    """A stepper for three classes; the same recipe is compiled once."""
    return Stepper(recipe, shape, 3)


def batch_of(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None, measured: bool = True) -> Batch:
    weights = np.ones(len(y)) if weight is None else weight
    return Batch(
        jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.int32), jnp.asarray(weights, jnp.float32),
        jax.random.key(1), jnp.bool_(True), jnp.bool_(measured), jnp.zeros(()), jnp.ones(()),
    )  # fmt: skip


def moved(stepper: Stepper, batch: Batch) -> dict[str, np.ndarray]:
    """By how much a step changes each array."""
    state, _ = stepper(batch)
    return {
        f"{layer}/{name}": np.asarray(a - stepper.start.params[layer][name], np.float64)
        for layer, arrays in state.params.items()
        for name, a in arrays.items()
    }


X = GENERATOR.normal(size=(8, 4)).astype(np.float32)
Y = GENERATOR.integers(0, 3, 8)


# --- Proximal L1 ------------------------------------------------------------------------------------------------------


def test_proximal_l1_solves_l1_logistic_regression() -> None:
    """Full batches for 6,000 steps: the result satisfies the condition that makes it the one minimum of a convex loss.

    G, the gradient of the mean cross-entropy, is -strength * sign(w) where w is not 0; |G| <= strength where it is.
    """
    x, y = load_iris(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    strength = 0.03
    recipe = replace(SGD, model=ModelSpec("logistic", ()), proximal_l1=strength, batch_size=150, learning_rate=0.5)
    stepper, batch = stepper_of(recipe), batch_of(x, y)

    @jax.jit
    def train(state: State) -> State:
        return jax.lax.fori_loop(0, 6000, lambda _, s: stepper.step(s, stepper.hyper, stepper.rate, batch)[0], state)

    found = train(stepper.start).params["dense_1"]
    kernel, bias = (np.asarray(found[name], np.float64) for name in ("kernel", "bias"))
    error = (softmax(x @ kernel + bias, axis=1) - np.eye(3)[y]) / len(y)  # (150, 3)
    gradient = x.T @ error  # (4, 3)
    zero = kernel == 0
    assert 3 <= zero.sum() <= 9
    np.testing.assert_allclose(gradient[~zero], -strength * np.sign(kernel[~zero]), atol=1e-5)  # float32 sums of 150
    assert (np.abs(gradient[zero]) <= strength + 1e-5).all()
    np.testing.assert_allclose(error.sum(axis=0), 0, atol=1e-5)  # the bias has no penalty


def test_a_penalty_in_the_loss_reaches_no_exact_zero() -> None:
    x, y = load_iris(return_X_y=True)
    recipe = replace(SGD, model=ModelSpec("logistic", ()), l1=0.03, batch_size=150)
    state, _ = stepper_of(recipe)(batch_of(x, y))
    assert np.all(np.asarray(state.params["dense_1"]["kernel"]) != 0)


def test_proximal_l1_shrinks_hidden_kernels_by_rate_times_strength() -> None:
    plain, sparse = stepper_of(SGD), stepper_of(replace(SGD, proximal_l1=0.5))
    without, shrunk = (stepper(batch_of(X, Y))[0].params for stepper in (plain, sparse))
    for layer in ("dense_1", "dense_2"):
        w = np.asarray(without[layer]["kernel"])
        expected = np.sign(w) * np.maximum(np.abs(w) - 0.1 * 0.5, 0)
        np.testing.assert_allclose(shrunk[layer]["kernel"], expected, atol=1e-7)
        assert (expected == 0).any()
    np.testing.assert_array_equal(shrunk["dense_3"]["kernel"], without["dense_3"]["kernel"])


# --- Clipping ---------------------------------------------------------------------------------------------------------


def norms(changes: Mapping[str, np.ndarray]) -> dict[str, float]:
    return {name: float(np.sqrt((change**2).sum())) for name, change in changes.items()}


def test_clipping_keeps_each_arrays_direction() -> None:
    batch, bound = batch_of(3 * X, Y), 0.3
    plain = moved(stepper_of(SGD), batch)
    clipped = moved(stepper_of(replace(SGD, clip_norm=bound)), batch)
    lengths = norms(plain)
    assert min(lengths.values()) < 0.1 * bound < max(lengths.values())  # some are within, some beyond
    for name, change in plain.items():
        factor = min(1, 0.1 * bound / lengths[name])
        np.testing.assert_allclose(clipped[name], factor * change, rtol=1e-4, atol=1e-7, err_msg=name)


def test_the_whole_gradient_is_clipped_to_its_bound() -> None:
    batch = batch_of(3 * X, Y)
    plain = moved(stepper_of(SGD), batch)
    whole = np.sqrt(sum(length**2 for length in norms(plain).values()))
    clipped = moved(stepper_of(replace(SGD, global_clip_norm=0.2)), batch)
    for name, change in plain.items():
        np.testing.assert_allclose(clipped[name], change * 0.1 * 0.2 / whole, rtol=1e-4, atol=1e-7)
    both = norms(moved(stepper_of(replace(SGD, clip_norm=0.3, global_clip_norm=0.2)), batch))
    assert np.sqrt(sum(length**2 for length in both.values())) == pytest.approx(0.1 * 0.2, rel=1e-4)


@pytest.mark.parametrize("key", ["clip_norm", "global_clip_norm", "max_norm"])
def test_a_bound_that_does_not_bind_changes_no_bit(key: str) -> None:
    plain = moved(stepper_of(SGD), batch_of(X, Y))
    bounded = moved(stepper_of(replace(SGD, **{key: 1e6})), batch_of(X, Y))
    for name, change in plain.items():
        np.testing.assert_array_equal(bounded[name], change)


def test_the_reported_gradient_norm_is_before_clipping() -> None:
    batch = batch_of(3 * X, Y)
    plain = norms(moved(stepper_of(SGD), batch))
    whole = np.sqrt(sum(length**2 for length in plain.values())) / 0.1
    clipped = stepper_of(replace(SGD, global_clip_norm=0.2))
    state, sums = clipped(batch)
    assert float(sums[2]) == pytest.approx(whole, rel=1e-4)
    unmeasured, without = clipped(batch_of(3 * X, Y, measured=False))
    assert float(without[2]) == 0
    np.testing.assert_array_equal(without[:2], sums[:2])
    for a, b in zip(jax.tree.leaves(unmeasured), jax.tree.leaves(state), strict=True):
        np.testing.assert_array_equal(a, b)  # measuring it changes no bit


# --- Penalties --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strengths", "l1", "l2"),
    [
        ({"l1": 0.03}, (0.03, 0.03, 0.0), (0.0, 0.0, 0.0)),
        ({"l2": 0.2}, (0.0, 0.0, 0.0), (0.2, 0.2, 0.0)),
        ({"l1": (0.1, 0.0, 0.02), "l2": (0.0, 0.3, 0.05)}, (0.1, 0.0, 0.02), (0.0, 0.3, 0.05)),
    ],
)
def test_a_penalty_counts_once_in_the_loss_the_step_and_the_norm(
    strengths: dict[str, Any], l1: tuple[float, ...], l2: tuple[float, ...]
) -> None:
    """Against the step without it: the loss by the penalty, the step by the penalty's gradient, both by hand."""
    batch = batch_of(X, Y)
    plain, penalized = stepper_of(SGD), stepper_of(replace(SGD, **strengths))
    (_, without), (_, sums) = plain(batch), penalized(batch)
    before, expected = moved(plain, batch), moved(penalized, batch)
    total, squares = 0.0, 0.0
    for name, change in before.items():
        gradient = change / -0.1
        if name.endswith("kernel"):
            i = int(name[len("dense_")]) - 1
            w = np.asarray(plain.start.params[f"dense_{i + 1}"]["kernel"], np.float64)
            total += l1[i] * np.abs(w).sum() + l2[i] * np.square(w).sum()
            gradient = gradient + l1[i] * np.sign(w) + 2 * l2[i] * w
        np.testing.assert_allclose(expected[name], -0.1 * gradient, rtol=1e-4, atol=1e-6, err_msg=name)
        squares += np.square(gradient).sum()
    assert total > 0.05
    assert float(sums[0] - without[0]) == pytest.approx(8 * total, rel=1e-4)  # of eight examples
    assert float(sums[1]) == float(without[1])
    assert float(sums[2]) == pytest.approx(np.sqrt(squares), rel=1e-4)


# --- Weights of examples ----------------------------------------------------------------------------------------------


def test_class_weights_are_examples_repeated() -> None:
    weights = (1.0, 3.0, 2.0)
    repeated = np.repeat(np.arange(8), [int(weights[label]) for label in Y])
    weighted = moved(stepper_of(replace(SGD, class_weights=weights)), batch_of(X, Y))
    many = moved(stepper_of(SGD), batch_of(X[repeated], Y[repeated]))
    for name, change in weighted.items():
        # Keras divides by the number of examples, not by the sum of their weights
        np.testing.assert_allclose(change, many[name] * len(repeated) / 8, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_padded_last_batch_equals_a_smaller_one(batch_norm: bool) -> None:
    model = ModelSpec("mlp", (6,), batch_norm=batch_norm)
    recipe = replace(SGD, model=model, l2=0.1, label_smoothing=0.1, class_weights=(1.0, 2.0, 3.0))
    padded_x, padded_y = np.concatenate([X[:5], 100 + X[5:]]), np.concatenate([Y[:5], [0, 0, 0]])
    small, small_sums = stepper_of(recipe)(batch_of(X[:5], Y[:5]))
    padded, padded_sums = stepper_of(recipe)(batch_of(padded_x, padded_y, np.arange(8) < 5))
    for a, b in zip(jax.tree.leaves(padded), jax.tree.leaves(small), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(padded_sums, small_sums, rtol=1e-5)


# --- Whole trainings --------------------------------------------------------------------------------------------------


@functools.cache
def trainer_of(data: TrainingData) -> Trainer:
    """One trainer for all tests: programs of the same structure are compiled once."""
    return Trainer(data)


def train(recipes: Mapping[str, Recipe], data: TrainingData) -> dict[str, RunRecord]:
    runs = [RunSpec(name, 0, recipe) for name, recipe in recipes.items()]
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    plan = make_plan(runs, data.input_shape, data.classes, sizes, len(jax.devices()))
    assert plan.programs == 1
    trained = trainer_of(data).train(plan.populations[0])
    return {record.spec.variant: record for record in trained}


def test_schedules_multiply_the_rate_of_every_step(small_data: TrainingData) -> None:
    epochs, steps = 4, 5  # 150 examples in batches of 32
    base = replace(SGD, epochs=epochs, batch_size=32)
    recipes = {kind: replace(base, schedule=Schedule(kind)) for kind in SCHEDULES} | {"none": base}
    records = train(recipes, small_data)
    for kind in SCHEDULES:
        expected = 0.1 * multipliers(Schedule(kind), epochs * steps)[steps - 1 :: steps]  # of each epoch's last step
        np.testing.assert_allclose(records[kind].history["learning_rate"], expected, rtol=1e-6)
    np.testing.assert_allclose(records["none"].history["learning_rate"], 0.1, rtol=1e-6)
    np.testing.assert_array_equal(
        records["none"].weights["dense_1/kernel"], records["constant"].weights["dense_1/kernel"]
    )
    assert not np.allclose(
        records["none"].weights["dense_1/kernel"], records["cosine"].weights["dense_1/kernel"], atol=1e-3
    )


def test_a_schedule_is_used_step_by_step(small_data: TrainingData) -> None:
    """A rate that is 0 from the second half on moves nothing there."""
    base = replace(SGD, epochs=4, batch_size=32)
    step = replace(base, schedule=Schedule("step", every=0.5, factor=0.0))
    record = train({"step": step}, small_data)["step"]
    loss = record.history["train_loss"]
    assert loss[0] != loss[1]
    assert loss[1] == loss[2] == loss[3]


EVERYTHING = Augmentation(shift=0.2, flip=0.5, rotation=20, zoom=0.2, erasing=0.5, noise=0.1, mixup=0.4)


@pytest.mark.parametrize("name", [*vars(EVERYTHING), "all"])
def test_augmentation_of_strength_0_changes_no_bit(name: str) -> None:
    """The program that can augment, with the numbers of a run that does not, against the program that cannot."""
    change = EVERYTHING if name == "all" else Augmentation(**{name: getattr(EVERYTHING, name)})
    plain, able = (stepper_of(replace(SGD, augmentation=a), (4, 4)) for a in (Augmentation(), change))
    batch = batch_of(np.random.default_rng(1).normal(size=(8, 4, 4)), Y)
    expected = plain(batch)[0].params
    at_rest, _ = able.step(able.start, plain.hyper, plain.rate, batch)
    augmented = able(batch)[0].params
    for layer, arrays in expected.items():
        for array, weights in arrays.items():
            np.testing.assert_array_equal(at_rest.params[layer][array], weights)
    assert not np.array_equal(augmented["dense_1"]["kernel"], expected["dense_1"]["kernel"])


def test_a_companions_strength_changes_no_bit_of_a_run(small_data: TrainingData) -> None:
    base = replace(SGD, epochs=1, batch_size=32, optimizer="adam", learning_rate=0.01)
    weak = Augmentation(**{key: value / 2 for key, value in vars(EVERYTHING).items()})
    moved = replace(base, augmentation=Augmentation(shift=0.2))
    one, two = (
        train({"moved": moved, "other": replace(base, augmentation=change)}, small_data)
        for change in (EVERYTHING, weak)
    )
    for array, weights in two["moved"].weights.items():
        np.testing.assert_array_equal(one["moved"].weights[array], weights)
    assert not np.array_equal(one["other"].weights["dense_1/kernel"], two["other"].weights["dense_1/kernel"])
    # with a companion that needs less of the program, products are summed in another order
    apart = train({"moved": moved, "other": replace(moved, learning_rate=0.02)}, small_data)
    for array, weights in apart["moved"].weights.items():
        np.testing.assert_allclose(one["moved"].weights[array], weights, rtol=1e-5, atol=1e-6)


def test_neutral_values_beside_companions_change_nothing(small_data: TrainingData) -> None:
    base = replace(SGD, epochs=1, batch_size=32, optimizer="adam", learning_rate=0.01)
    uses: dict[str, Any] = {
        **{"l1": 0.1, "l2": 0.1, "proximal_l1": 0.1, "weight_decay": 0.1, "dropout": 0.3, "label_smoothing": 0.1},
        **{"max_norm": 0.5, "clip_norm": 0.01, "global_clip_norm": 0.01, "class_weights": (1.0, 2.0, 3.0)},
    }
    among = train({"plain": base, "other": replace(base, **uses)}, small_data)
    apart = train({"plain": base, "other": replace(base, learning_rate=0.02)}, small_data)
    for array, weights in apart["plain"].weights.items():
        np.testing.assert_allclose(
            among["plain"].weights[array], weights, rtol=1e-5, atol=1e-6
        )  # sums in another order
