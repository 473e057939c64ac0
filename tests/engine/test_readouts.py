"""Readouts: averages of the weights against NumPy and Keras, and many readouts of one training."""

from __future__ import annotations

from dataclasses import replace

import jax
import keras
import numpy as np
import pytest

from wellfit.base import Averaging, EarlyStopping, ModelSpec, Recipe, RunRecord, RunSpec, TrainingData
from wellfit.engine.batches import batch_order
from wellfit.engine.plan import Plan, make_plan
from wellfit.engine.train import Trainer, _compiled
from wellfit.nn.models import build

EPOCHS = 6
BASE = Recipe(model=ModelSpec("mlp", (8,)), epochs=EPOCHS, batch_size=150, learning_rate=0.02)  # one step an epoch
STOP = EarlyStopping(patience=1, monitor="val_accuracy", min_delta=1.0, restore_best_weights=True)  # ends after two
RECIPES = {
    **{f"short-{n}": replace(BASE, epochs=n) for n in range(1, EPOCHS)},
    f"short-{EPOCHS}": BASE,
    "slow": replace(BASE, average=Averaging("ema", decay=0.9)),
    "fast": replace(BASE, average=Averaging("ema", decay=0.3)),
    "fast-short": replace(BASE, average=Averaging("ema", decay=0.3), epochs=3),
    "fast-stop": replace(BASE, average=Averaging("ema", decay=0.3), early_stopping=replace(STOP, patience=1)),
    "swa-3": replace(BASE, average=Averaging("swa", last=3)),
    "swa-all": replace(BASE, average=Averaging("swa", last=100)),
    "swa-short": replace(BASE, average=Averaging("swa", last=2), epochs=4),
    "stop": replace(BASE, early_stopping=STOP),
}


def plan_of(recipes: dict[str, Recipe], data: TrainingData, seeds: tuple[int, ...] = (0,)) -> Plan:
    runs = [RunSpec(name, seed, recipe) for name, recipe in recipes.items() for seed in seeds]
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    return make_plan(runs, data.input_shape, data.classes, sizes, len(jax.devices()))


@pytest.fixture(scope="module")
def trainer(small_data: TrainingData) -> Trainer:
    return Trainer(small_data)


@pytest.fixture(scope="module")
def records(trainer: Trainer) -> dict[str, RunRecord]:
    (population,) = plan_of(RECIPES, trainer.data).populations
    return {r.spec.variant: r for r in trainer.train(population)}


def after_each_epoch(records: dict[str, RunRecord], name: str) -> list[np.ndarray]:
    return [records[f"short-{n}"].weights[name].astype(np.float64) for n in range(1, EPOCHS + 1)]


def averaged(weights: list[np.ndarray], decay: float) -> np.ndarray:
    """Keras's recursion: the first step sets the average to the weights."""
    average = weights[0]
    for w in weights[1:]:
        average = decay * average + (1 - decay) * w
    return average


def forward(weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Probabilities of the network of these tests, in NumPy."""
    hidden = x.reshape(len(x), -1).astype(np.float64) / 255 @ weights["dense_1/kernel"] + weights["dense_1/bias"]
    logits = np.maximum(hidden, 0) @ weights["dense_2/kernel"] + weights["dense_2/bias"]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_all_readouts_share_one_training_and_program(small_data: TrainingData) -> None:
    plan = plan_of(RECIPES, small_data)
    assert (plan.runs, plan.trajectories, plan.programs) == (len(RECIPES), 1, 1)
    assert plan.populations[0].trajectories[0].decays == (0.3, 0.9)
    _compiled.cache_clear()  # of other tests
    trainer, epochs = Trainer(small_data), []
    trained = trainer.train(plan.populations[0], on_epoch=lambda epoch: epochs.append(epoch.examples))
    assert len(trained) == len(RECIPES)
    assert epochs == [150] * EPOCHS  # each epoch was trained once, for all of them
    assert trainer.compiled(plan.populations[0].program).run_epoch._cache_size() == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(("variant", "decay", "steps"), [("slow", 0.9, 6), ("fast", 0.3, 6), ("fast-short", 0.3, 3)])
def test_moving_averages_equal_a_recursion_in_numpy(
    variant: str, decay: float, steps: int, records: dict[str, RunRecord]
) -> None:
    for name, found in records[variant].weights.items():
        expected = averaged(after_each_epoch(records, name)[:steps], decay)
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)  # float32
    assert not np.allclose(found, records[f"short-{steps}"].weights[name], atol=1e-4)


def test_a_moving_average_may_be_read_where_a_rule_stops(records: dict[str, RunRecord]) -> None:
    record = records["fast-stop"]
    assert (record.state, record.epochs, record.readout_epoch) == ("stopped", 2, 1)
    for name, found in record.weights.items():
        np.testing.assert_allclose(found, after_each_epoch(records, name)[0], rtol=1e-6)


@pytest.mark.parametrize(("variant", "first", "last"), [("swa-3", 4, 6), ("swa-all", 1, 6), ("swa-short", 3, 4)])
def test_swa_is_the_mean_over_the_last_epochs(
    variant: str, first: int, last: int, records: dict[str, RunRecord]
) -> None:
    for name, found in records[variant].weights.items():
        expected = np.mean(after_each_epoch(records, name)[first - 1 : last], axis=0)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
        assert found.dtype == np.float32
    assert records[variant].readout_epoch == last


@pytest.mark.parametrize("variant", ["slow", "fast", "swa-3", "stop", "short-4"])
def test_scores_are_those_of_the_weights_that_are_read(
    variant: str, records: dict[str, RunRecord], small_data: TrainingData
) -> None:
    record = records[variant]
    sample = small_data.sample
    splits = {
        "train": (small_data.x_train[sample], small_data.y_train[sample]),
        "validation": (small_data.x_validation, small_data.y_validation),
    }
    for split, (x, y) in splits.items():
        probabilities = forward(record.weights, x)
        loss = -np.log(probabilities[np.arange(len(y)), y]).mean()
        assert record.scores[f"{split}_loss"] == pytest.approx(loss, rel=1e-5)
        assert record.scores[f"{split}_accuracy"] == pytest.approx((probabilities.argmax(axis=1) == y).mean(), abs=1e-7)


def test_the_history_is_the_trajectorys_own_whatever_is_read(records: dict[str, RunRecord]) -> None:
    for variant in ("slow", "swa-3", "fast-short"):
        record = records[variant]
        assert len(record.history) == record.epochs == record.spec.recipe.epochs
        np.testing.assert_array_equal(
            record.history["validation_loss"], records["short-6"].history["validation_loss"][: record.epochs]
        )
    assert records["slow"].scores["validation_loss"] != records["slow"].history["validation_loss"][-1]


def test_averages_with_batch_normalization_carry_its_statistics(trainer: Trainer) -> None:
    normal = replace(BASE, model=ModelSpec("mlp", (8,), batch_norm=True), epochs=2)
    recipes = {
        "one": replace(normal, epochs=1),
        "two": normal,
        "ema": replace(normal, average=Averaging("ema", decay=0.5)),
        "swa": replace(normal, average=Averaging("swa", last=2)),
    }
    (population,) = plan_of(recipes, trainer.data).populations
    records = {r.spec.variant: r.weights for r in trainer.train(population)}
    one, two = records["one"], records["two"]
    assert set(one) == set(two) == set(records["ema"]) == set(records["swa"])
    for name in ("batch_norm_1/mean", "batch_norm_1/variance"):
        np.testing.assert_array_equal(records["ema"][name], two[name])  # Keras averages trainable weights alone
        np.testing.assert_allclose(records["swa"][name], (one[name] + two[name]) / 2, rtol=1e-6)
    np.testing.assert_allclose(
        records["ema"]["batch_norm_1/gamma"], (one["batch_norm_1/gamma"] + two["batch_norm_1/gamma"]) / 2
    )


def test_an_average_of_a_diverged_run_is_no_record(trainer: Trainer) -> None:
    recipes = {name: replace(RECIPES[name], learning_rate=1e38) for name in ("slow", "swa-3")}
    (population,) = plan_of(recipes, trainer.data).populations
    for record in trainer.train(population):
        assert record.state == "diverged"
        assert (record.readout_epoch, dict(record.scores), dict(record.weights)) == (0, {}, {})


# Keras's own, of its way to turn a variable into an array
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_moving_average_is_keras_own(trainer: Trainer) -> None:
    """Three epochs of five batches, the last one smaller, with Keras's ``use_ema``."""
    data, batch = trainer.data, 32
    recipe = replace(BASE, epochs=3, batch_size=batch, average=Averaging("ema", decay=0.9))
    (population,) = plan_of({"ema": recipe, "last": replace(recipe, average=None)}, data, seeds=(3,)).populations
    records = {r.spec.variant: r.weights for r in trainer.train(population)}

    initial = build(recipe.model, data.input_shape, data.classes).init(3)
    with jax.numpy_rank_promotion("allow"):  # Keras is not as strict as we are
        optimizer = keras.optimizers.Adam(0.02, use_ema=True, ema_momentum=0.9)
        layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="softmax")]
        network = keras.Sequential([keras.Input((16,)), *layers])
        network.set_weights([initial[f"dense_{i}"][name] for i in (1, 2) for name in ("kernel", "bias")])
        network.compile(optimizer, "sparse_categorical_crossentropy")
        x = data.x_train.reshape(len(data.x_train), -1).astype(np.float32) / 255
        for epoch in (1, 2, 3):
            order = batch_order(3, epoch, len(x))
            for rows in np.split(order, range(batch, len(x), batch)):
                network.train_on_batch(x[rows], data.y_train[rows])
        names = [f"dense_{i}/{name}" for i in (1, 2) for name in ("kernel", "bias")]
        for name, expected in zip(names, network.get_weights(), strict=True):
            np.testing.assert_allclose(records["last"][name], expected, rtol=1e-4, atol=1e-5)
        optimizer.finalize_variable_values(network.trainable_variables)  # puts the averages in place of the weights
        for name, expected in zip(names, network.get_weights(), strict=True):
            np.testing.assert_allclose(records["ema"][name], expected, rtol=1e-4, atol=1e-5)
            assert not np.allclose(records["ema"][name], records["last"][name], atol=1e-3)
