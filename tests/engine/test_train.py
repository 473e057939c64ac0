"""Populations: alone or together the same run, private divergence, the same bits again, snapshots, compilations."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import jax
import numpy as np
import pytest

from wellfit.base import EarlyStopping, ModelSpec, Recipe, RunRecord, RunSpec, TrainingData
from wellfit.base.histograms import BIN_EDGES, BINS
from wellfit.engine.batches import batch_order
from wellfit.engine.final_states import UnusableStateError
from wellfit.engine.plan import Plan, make_plan
from wellfit.engine.predicting import predict_proba
from wellfit.engine.train import Epoch, Snapshot, Trainer, _compiled

BASE = Recipe(model=ModelSpec("mlp", (16, 8)), epochs=12, batch_size=32)
STOP = EarlyStopping(patience=2, restore_best_weights=True)
RECIPES = {
    "baseline": BASE,
    "l2": replace(BASE, l2=1e-2),
    "l1": replace(BASE, l1=1e-3),
    "dropout": replace(BASE, dropout=0.4),
    "stop": replace(BASE, early_stopping=STOP),
    "smooth": replace(BASE, label_smoothing=0.1, max_norm=1.0),
    "stop-dropout": replace(BASE, early_stopping=STOP, dropout=0.2),
    "decay": replace(BASE, weight_decay=0.1, learning_rate=0.01),
}


def plan_of(runs: Sequence[RunSpec], data: TrainingData, devices: int | None = None) -> Plan:
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    return make_plan(runs, data.input_shape, data.classes, sizes, devices or len(jax.devices()))


@functools.cache
def trainer_of(data: TrainingData) -> Trainer:
    """One trainer for all tests: programs of the same structure are compiled once."""
    return Trainer(data)


def train(runs: Sequence[RunSpec], data: TrainingData) -> dict[tuple[str, int], RunRecord]:
    trainer = trainer_of(data)
    records = [r for population in plan_of(runs, data).populations for r in trainer.train(population)]
    return {(r.spec.variant, r.spec.seed): r for r in records}


def runs_of(names: Sequence[str], seeds: Sequence[int]) -> list[RunSpec]:
    return [RunSpec(name, seed, RECIPES[name]) for name in names for seed in seeds]


def same_bits(a: RunRecord, b: RunRecord) -> bool:
    histories = all(np.array_equal(a.history[c], b.history[c], equal_nan=True) for c in a.history.columns)
    counted = all(np.array_equal(a.histograms[k], b.histograms[k]) for k in a.weights)
    weights = all(np.array_equal(a.weights[k], b.weights[k]) for k in a.weights)
    return histories and counted and weights and a.state == b.state


@pytest.fixture(scope="module")
def together(small_data: TrainingData) -> dict[tuple[str, int], RunRecord]:
    return train(runs_of(list(RECIPES), (0, 1, 2)), small_data)


@pytest.mark.parametrize("name", list(RECIPES))
def test_alone_and_in_a_population_of_24_the_same_run(
    name: str, small_data: TrainingData, together: dict[tuple[str, int], RunRecord]
) -> None:
    alone = train(runs_of([name], [1]), small_data)[name, 1]
    among = together[name, 1]
    assert (alone.epochs, alone.readout_epoch, alone.state) == (among.epochs, among.readout_epoch, among.state)
    for column in alone.history.columns:
        # sums in another order differ in float32's last bits, and Adam's division carries them on
        np.testing.assert_allclose(alone.history[column], among.history[column], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("companions", [2, 7])
def test_in_smaller_populations_too(
    companions: int, small_data: TrainingData, together: dict[tuple[str, int], RunRecord]
) -> None:
    names = list(RECIPES)[:companions]
    for key, record in train(runs_of(names, [2]), small_data).items():
        for column in record.history.columns:
            np.testing.assert_allclose(record.history[column], together[key].history[column], rtol=1e-5, atol=1e-5)


def test_a_companion_that_diverges_changes_no_bit_of_the_others(small_data: TrainingData) -> None:
    names = ["baseline", "l2", "dropout"]
    calm = runs_of(names, (0, 1)) + [RunSpec("other", s, replace(BASE, learning_rate=1e-4)) for s in (0, 1)]
    wild = runs_of(names, (0, 1)) + [RunSpec("other", s, replace(BASE, learning_rate=1e38)) for s in (0, 1)]
    quiet, loud = train(calm, small_data), train(wild, small_data)
    assert loud["other", 0].state == loud["other", 1].state == "diverged"
    assert loud["other", 0].readout_epoch == 0
    assert not loud["other", 0].weights
    assert not np.isfinite(loud["other", 0].history["running_loss"][-1])
    for key in quiet:
        if key[0] != "other":
            assert same_bits(quiet[key], loud[key]), key


def test_the_seed_decides_the_bits(small_data: TrainingData) -> None:
    first, again = (train(runs_of(["dropout"], (0, 1)), small_data) for _ in range(2))
    assert all(same_bits(first[key], again[key]) for key in first)
    kernels = [first["dropout", seed].weights["dense_1/kernel"] for seed in (0, 1)]
    assert not np.allclose(kernels[0], kernels[1])
    assert not np.array_equal(batch_order(0, 1, 150), batch_order(1, 1, 150))
    assert not np.array_equal(batch_order(0, 1, 150), batch_order(0, 2, 150))


def test_runs_that_differ_only_in_stopping_share_a_trajectory(small_data: TrainingData) -> None:
    patient = {f"patience={p}": replace(BASE, early_stopping=replace(STOP, patience=p)) for p in (1, 2, 4)}
    recipes = {"baseline": BASE, "short": replace(BASE, epochs=5), **patient}
    specs = [RunSpec(name, 0, recipe) for name, recipe in recipes.items()]
    assert plan_of(specs, small_data).trajectories == 1
    records = train(specs, small_data)
    baseline = records["baseline", 0]
    assert records["short", 0].epochs == 5
    assert len({r.trajectory for r in records.values()}) == 1
    for record in records.values():
        np.testing.assert_array_equal(record.history["train_loss"], baseline.history["train_loss"][: record.epochs])
        best = int(np.argmin(record.history["validation_loss"])) + 1
        assert record.readout_epoch == (best if "patience" in record.spec.variant else record.epochs)
    short = train([RunSpec("short", 0, recipes["short"])], small_data)["short", 0]
    for name, weights in short.weights.items():
        np.testing.assert_allclose(records["short", 0].weights[name], weights, rtol=1e-5, atol=1e-6)


def test_a_trajectory_ends_when_all_its_readouts_have(small_data: TrainingData) -> None:
    rule = EarlyStopping(patience=0, monitor="val_accuracy", min_delta=1.0)  # nothing improves by more than 1
    seen: list[Epoch] = []
    specs = [RunSpec("stop", 0, replace(BASE, epochs=50, early_stopping=rule))]
    (record,) = trainer_of(small_data).train(plan_of(specs, small_data).populations[0], on_epoch=seen.append)
    assert (record.state, record.epochs) == ("stopped", 2)
    assert [epoch.number for epoch in seen] == [1, 2]
    assert seen[-1].active == 0


@pytest.mark.parametrize("stop_at", [1, 4, 11])
def test_going_on_from_a_snapshot_gives_the_same_bits(stop_at: int, small_data: TrainingData) -> None:
    specs = runs_of(["baseline", "stop", "dropout"], (0, 1))
    population = plan_of(specs, small_data).populations[0]
    snapshots: list[Snapshot] = []

    def take(epoch: Epoch) -> None:
        if epoch.number == stop_at:
            snapshots.append(epoch.snapshot())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer_of(small_data).train(population, on_epoch=take)
    whole = trainer_of(small_data).train(population)
    for name, array, words in (
        ("rows/0", None, "rows/0 are no history"),
        ("rows/0", snapshots[0].arrays["rows/0"][:, 1:], "rows/0 are no history"),
        ("counts/0", np.zeros(9, np.uint8), "counts/0: a packed histogram is damaged"),
        ("state/0/0", np.zeros(3, np.float32), "state/0/0 is not that of this network"),
    ):
        arrays = {n: a for n, a in snapshots[0].arrays.items() if n != name} | ({} if array is None else {name: array})
        with pytest.raises(UnusableStateError, match=words):
            trainer_of(small_data).train(population, start=replace(snapshots[0], arrays=arrays))
    resumed = trainer_of(small_data).train(population, start=snapshots[0])
    assert all(same_bits(a, b) for a, b in zip(whole, resumed, strict=True))


def test_a_study_compiles_as_many_programs_as_its_plan_announces(small_data: TrainingData) -> None:
    deeper = replace(BASE, model=ModelSpec("mlp", (16, 8, 8)))
    specs = runs_of(list(RECIPES), (0, 1, 2)) + [RunSpec("deeper", seed, deeper) for seed in (0, 1, 2)]
    plan = plan_of(specs, small_data)
    _compiled.cache_clear()  # of other tests
    for population in plan.populations:
        Trainer(small_data).train(population)  # another trainer compiles nothing again
    programs = {population.program for population in plan.populations}
    sizes = [Trainer(small_data).compiled(program).run_epoch._cache_size() for program in programs]  # type: ignore[attr-defined]
    assert sizes == [1] * plan.programs == [1, 1]


def test_metrics_agree_with_numpy(small_data: TrainingData, together: dict[tuple[str, int], RunRecord]) -> None:
    record = together["l2", 0]
    probabilities = predict_proba(
        record.spec.recipe.model, record.weights, small_data.x_validation, 3, small_data.scaling
    )
    true = probabilities[np.arange(60), small_data.y_validation]
    assert record.history["validation_loss"][-1] == pytest.approx(-np.log(true).mean(), rel=1e-5)
    assert record.history["validation_accuracy"][-1] == pytest.approx(
        (probabilities.argmax(1) == small_data.y_validation).mean(), abs=1e-7
    )
    squares = sum((record.weights[f"dense_{i}/kernel"] ** 2).sum() for i in (1, 2))
    assert record.history["penalty"][-1] == pytest.approx(1e-2 * squares, rel=1e-5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_histograms_are_those_of_the_weights_that_are_read(together: dict[tuple[str, int], RunRecord]) -> None:
    for record in together.values():
        assert {of.shape for of in record.histograms.values()} == {(record.epochs, BINS)}
        for name, weights in record.weights.items():
            away = np.searchsorted(BIN_EDGES[BINS // 2 :], np.abs(weights).ravel(), side="right")
            places = BINS // 2 + np.where(weights.ravel() < 0, -away, away)
            counts = np.bincount(places, minlength=BINS)
            np.testing.assert_array_equal(record.histograms[name][record.readout_epoch - 1], counts)


def test_max_norm_bounds_the_incoming_weights(together: dict[tuple[str, int], RunRecord]) -> None:
    weights = together["smooth", 0].weights
    norms = [np.linalg.norm(weights[f"dense_{i}/kernel"], axis=0) for i in (1, 2, 3)]
    assert norms[0].max() <= 1 + 1e-5
    assert norms[1].max() <= 1 + 1e-5
    assert norms[0].max() > 0.99  # it does bind
    assert norms[2].max() > 1  # the output layer is left alone
