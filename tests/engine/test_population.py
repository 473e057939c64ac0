"""Waves and groups: all at once, side by side or in turn the same runs; what has ended or is known costs nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from same_bits import assert_same_bits
from wellfit.base import EarlyStopping, ModelSpec, Recipe, RunRecord, RunSpec, Scaling, TrainingData
from wellfit.engine import batches, plan
from wellfit.engine.batches import batch_order
from wellfit.engine.devices import POPULATION
from wellfit.engine.plan import Plan, Population, make_plan
from wellfit.engine.population import NORM_EVERY, fetches
from wellfit.engine.train import Compiled, Epoch, Snapshot, Trainer, _compiled
from wellfit.nn import accelerator

BASE = Recipe(model=ModelSpec("mlp", (8,)), epochs=4, batch_size=32)  # five steps an epoch, the last of 22 examples
STOP = EarlyStopping(patience=0, monitor="val_accuracy", min_delta=1.0)  # ends after two epochs
RECIPES = {
    "baseline": BASE,
    "dropout": replace(BASE, dropout=0.4),
    "l2": replace(BASE, l2=1e-2),
    "stop": replace(BASE, learning_rate=2e-3, early_stopping=STOP),
    "wild": replace(BASE, learning_rate=1e38),
}
DEVICES = len(jax.devices())
ONE = Mesh(np.array(jax.devices()[:1]), (POPULATION,))


def runs_of(recipes: dict[str, Recipe], seeds: Sequence[int] = (0, 1)) -> list[RunSpec]:
    return [RunSpec(name, seed, recipe) for name, recipe in recipes.items() for seed in seeds]


def rates(count: int, epochs: int = 4) -> dict[str, Recipe]:
    """Variants of one program."""
    return {f"v{i}": replace(BASE, epochs=epochs, learning_rate=1e-3 * (i + 1)) for i in range(count)}


def plan_of(runs: Sequence[RunSpec], data: TrainingData, devices: int = DEVICES, **others: Any) -> Plan:
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    return make_plan(runs, data.input_shape, data.classes, sizes, devices, **others)


def only(result: Plan) -> Population:
    (population,) = result.populations
    return population


def by_run(records: Sequence[RunRecord]) -> dict[tuple[str, int], RunRecord]:
    return {(r.spec.variant, r.spec.seed): r for r in records}


@pytest.fixture(autouse=True)
def _no_data_are_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The data of these tests fit the cache, so treat them as data that do not."""
    monkeypatch.setattr(plan, "_SMALL", 0)


@pytest.fixture(scope="module")
def in_turn(small_data: TrainingData) -> dict[tuple[str, int], RunRecord]:
    """All of RECIPES as CPUs train them: one run at a time on each device, its batches given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "_SMALL", 0)
        population = only(plan_of(runs_of(RECIPES), small_data))
        assert (population.program.width, population.program.groups) == (1, DEVICES)
        return by_run(Trainer(small_data).train(population))


@pytest.fixture
def accelerated() -> Iterator[None]:
    """Devices that fetch their batches themselves, and train their groups at once."""
    with accelerator.assumed():
        yield


# --- Three ways to train the same runs --------------------------------------------------------------------------------


def assert_agree(found: dict[tuple[str, int], RunRecord], expected: dict[tuple[str, int], RunRecord]) -> None:
    assert found.keys() == expected.keys()
    for key, record in expected.items():
        other = found[key]
        assert (other.state, other.epochs) == (record.state, record.epochs), key
        if record.state == "diverged":
            assert not np.isfinite(other.history["running_loss"][-1])
            continue
        for column in record.history.columns:
            # sums in another order differ in float32's last bits, and Adam's division carries them on
            np.testing.assert_allclose(other.history[column], record.history[column], rtol=1e-4, atol=1e-5)
        for name, weights in record.weights.items():
            np.testing.assert_allclose(other.weights[name], weights, rtol=1e-4, atol=1e-5, err_msg=f"{key} {name}")


def test_the_runs_that_are_compared_differ_diverge_and_stop(in_turn: dict[tuple[str, int], RunRecord]) -> None:
    states = {name: in_turn[name, 0].state for name in RECIPES}
    assert states == {
        **{"baseline": "finished", "dropout": "finished", "l2": "finished"},
        **{"stop": "stopped", "wild": "diverged"},
    }
    assert in_turn["stop", 0].epochs == 2
    kernels = [in_turn[name, seed].weights["dense_1/kernel"] for name in ("baseline", "dropout") for seed in (0, 1)]
    for i, a in enumerate(kernels):
        assert not any(np.allclose(a, b, atol=1e-3) for b in kernels[:i])


def test_cpus_are_given_their_batches_unless_the_data_are_small(
    small_data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not fetches(small_data)
    assert Trainer(small_data, ONE).arrays.x_train is None
    monkeypatch.undo()
    assert fetches(small_data)


def test_gathering_small_data_gives_the_same_runs(
    small_data: TrainingData, in_turn: dict[tuple[str, int], RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    population = only(plan_of(runs_of(RECIPES), small_data))
    assert len(population.waves) == 1  # all in one call
    trainer = Trainer(small_data)
    assert trainer.arrays.x_train is not None
    assert_agree(by_run(trainer.train(population)), in_turn)


@pytest.mark.usefixtures("accelerated")
@pytest.mark.parametrize(("fit", "width"), [(1000, 1), (2, 1), (1000, 2)])
def test_all_at_once_the_same_runs(
    fit: int, width: int, small_data: TrainingData, in_turn: dict[tuple[str, int], RunRecord]
) -> None:
    weights = 16 * 8 + 8 + 8 * 3 + 3
    batch = 2 * 32 * ((17 + 9) + (16 + 3 * 8 + 3))
    costs = ((1, 1.0), (width, 0.1)) if width > 1 else ((1, 1.0),)
    population = only(plan_of(runs_of(RECIPES), small_data, costs=costs, memory=fit * 4 * (weights * 7 + batch)))
    assert population.program.width == width
    assert len(population.waves) == (1 if fit == 1000 else -(-10 // DEVICES // 2) or 1)
    assert population.program.groups > DEVICES or DEVICES > 5  # several lanes a device
    trainer = Trainer(small_data)
    assert trainer.arrays.x_train is not None
    assert_agree(by_run(trainer.train(population)), in_turn)


@pytest.mark.parametrize("width", [2, 4])
def test_side_by_side_the_same_runs(
    width: int, small_data: TrainingData, in_turn: dict[tuple[str, int], RunRecord]
) -> None:
    population = only(plan_of(runs_of(RECIPES), small_data, costs=((1, 1.0), (width, 0.1))))
    assert population.program.width == width
    assert max(len(group) for group in population.groups) == width
    assert_agree(by_run(Trainer(small_data).train(population)), in_turn)


def test_in_many_waves_the_same_bits_as_alone() -> None:
    """Large enough that an epoch is still at work while the next wave's is laid out in the other buffer."""
    generator = np.random.default_rng(1)
    x = generator.integers(0, 256, (3000, 20, 20)).astype(np.uint8)
    y = generator.integers(0, 4, 3000).astype(np.int32)
    scaling = Scaling("unit", np.zeros((), np.float32), np.full((), 1 / 255, np.float32))
    data = TrainingData(x[:2500], y[:2500], x[2500:], y[2500:], np.arange(200), 4, scaling)
    trainer = Trainer(data, ONE)
    recipe = replace(BASE, epochs=2, batch_size=100)
    runs = [RunSpec("v", seed, recipe) for seed in range(6)]
    population = only(plan_of(runs, data, 1))
    assert len(population.waves) == 6
    together = trainer.train(population)
    for run, record in zip(runs, together, strict=True):
        (alone,) = trainer.train(only(plan_of([run], data, 1)))
        assert_same_bits(alone, record)


# --- What the program is called with ----------------------------------------------------------------------------------


class Calls:
    """A trainer's program, with what it was called with: copies, since the buffers are used again."""

    def __init__(self, trainer: Trainer, population: Population) -> None:
        self.made: list[dict[str, Any]] = []
        epoch, start = trainer.compiled(population.program)

        def noted(
            state: Any, hyperparameters: Any, rates: Any, active: Any, seeds: Any, given: Any, number: Any, d: Any
        ) -> Any:
            copies = jax.tree.map(np.array, (active, seeds, given, number))
            self.made.append(dict(zip(("active", "seeds", "batches", "epoch"), copies, strict=True)))
            return epoch(state, hyperparameters, rates, active, seeds, given, number, d)

        trainer.compiled = lambda _: Compiled(noted, start)  # type: ignore[method-assign]


def test_a_wave_whose_runs_have_ended_is_not_dispatched(small_data: TrainingData) -> None:
    """On every device a run of four epochs, and after it one of two."""
    recipes = rates(2 * DEVICES)
    recipes |= {name: replace(r, epochs=2) for i, (name, r) in enumerate(recipes.items()) if i % 2}
    population = only(plan_of(runs_of(recipes, (0,)), small_data))
    assert [[g[0].epochs for g in wave.groups] for wave in population.waves] == [[4] * DEVICES, [2] * DEVICES]
    trainer = Trainer(small_data)
    calls = Calls(trainer, population)
    records = trainer.train(population)
    assert [int(call["epoch"]) for call in calls.made] == [1, 1, 2, 2, 3, 4]
    assert all(call["active"].all() for call in calls.made)
    assert sorted(r.epochs for r in records) == [2] * DEVICES + [4] * DEVICES


def test_an_ended_run_is_inactive_beside_a_training_one(small_data: TrainingData) -> None:
    recipes = {"long": BASE, "short": replace(BASE, learning_rate=2e-3, epochs=1), "wild": RECIPES["wild"]}
    population = only(plan_of(runs_of(recipes, (0,)), small_data, 1, costs=((1, 1.0), (3, 0.1))))
    trainer = Trainer(small_data, ONE)
    calls = Calls(trainer, population)
    trainer.train(population)
    assert [call["active"].tolist() for call in calls.made] == [[[True] * 3]] + [[[True, False, False]]] * 3


def test_batches_are_given_in_the_order_of_seed_and_epoch(small_data: TrainingData) -> None:
    population = only(plan_of(runs_of(rates(3, epochs=2), (0, 5, 9)), small_data))
    trainer = Trainer(small_data)
    calls = Calls(trainer, population)
    trainer.train(population)
    assert len(calls.made) == 2 * len(population.waves)
    looked_at = 0
    for call in calls.made:
        x, y = call["batches"]
        assert x.dtype == np.uint8  # unscaled, as they lie in memory
        assert x.shape == (DEVICES, 5, 32, 4, 4)
        assert y.shape == (DEVICES, 5, 32)
        for place in np.flatnonzero(call["active"].any(axis=1)):
            order = batch_order(int(call["seeds"][place]), int(call["epoch"]), 150)
            np.testing.assert_array_equal(x[place].reshape(160, 4, 4)[:150], small_data.x_train[order])
            np.testing.assert_array_equal(y[place].ravel()[:150], small_data.y_train[order])
            looked_at += 1
    assert looked_at == 2 * 9


@pytest.mark.usefixtures("accelerated")
def test_devices_that_fetch_are_given_rows(small_data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.engine.train.memory_limit", lambda: None)  # the program is only called
    population = only(plan_of(runs_of(rates(2, epochs=1), (0, 5)), small_data, memory=10**9))
    trainer = Trainer(small_data)
    calls = Calls(trainer, population)
    trainer.train(population)
    (call,) = calls.made
    for seed, rows in zip(call["seeds"], call["batches"], strict=True):
        np.testing.assert_array_equal(rows.ravel()[:150], batch_order(int(seed), 1, 150))
        assert (rows.ravel()[150:] == 0).all()


def test_an_epoch_is_laid_out_once_for_all_runs_of_a_seed(
    small_data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    result: list[tuple[int, int]] = []
    rows_of = batches.rows_of

    def noted(seed: int, epoch: int, examples: int, batch_size: int) -> np.ndarray:
        result.append((seed, epoch))
        return rows_of(seed, epoch, examples, batch_size)

    monkeypatch.setattr(batches, "rows_of", noted)
    population = only(plan_of(runs_of(rates(3, epochs=2), (0, 5)), small_data, 1))
    assert len(population.waves) == 6
    Trainer(small_data, ONE).train(population)
    assert result == [(0, 1), (5, 1), (0, 2), (5, 2)]


# --- Compilations -----------------------------------------------------------------------------------------------------


@pytest.fixture
def compilations() -> Iterator[list[str]]:
    """The programs that JAX compiles from here on."""
    seen: list[str] = []

    def note(event: str, duration_secs: float, **kwargs: str | int) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(note)
    yield seen
    jax.monitoring.unregister_event_duration_listener(note)


def test_a_study_that_grows_compiles_nothing_new(small_data: TrainingData, compilations: list[str]) -> None:
    trainer, first = Trainer(small_data), only(plan_of(runs_of(rates(3), (0,)), small_data))
    _compiled.cache_clear()  # of other tests
    trainer.train(first)
    assert compilations  # the counter counts
    compilations.clear()
    grown = only(plan_of(runs_of(rates(7), (0,)), small_data))
    assert len(trainer.train(grown)) == 7
    trainer.train(only(plan_of(runs_of(rates(2), range(4)), small_data)))
    assert compilations == []
    assert trainer.compiled(first.program).run_epoch._cache_size() == 1  # type: ignore[attr-defined]


# --- Snapshots --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [1, 3])
@pytest.mark.parametrize("interrupt", [True, False])
@pytest.mark.parametrize("devices", sorted({1, DEVICES}))
def test_seven_runs_go_on_from_a_snapshot_with_the_same_bits(
    devices: int, interrupt: bool, at: int, small_data: TrainingData
) -> None:
    """Whether the training ended with the snapshot, or went on and used the devices' buffers again."""
    recipes = {**rates(3), "dropout": RECIPES["dropout"], "stop": RECIPES["stop"]}
    runs = runs_of(recipes)[:7] + runs_of({"wild": RECIPES["wild"]}, (1,))
    population = only(plan_of(runs, small_data, devices))
    assert len(population.waves) == -(-8 // devices) > 1
    trainer = Trainer(small_data, Mesh(np.array(jax.devices()[:devices]), (POPULATION,)))
    snapshots: list[Snapshot] = []

    def take(epoch: Epoch) -> None:
        if epoch.number == at:
            snapshots.append(epoch.snapshot())
            if interrupt:
                raise KeyboardInterrupt

    if interrupt:
        with pytest.raises(KeyboardInterrupt):
            trainer.train(population, on_epoch=take)
    else:
        trainer.train(population, on_epoch=take)
    whole = trainer.train(population)
    hyperparameters: list[int] = []
    resumed = trainer.train(population, snapshots[0], lambda epoch: hyperparameters.append(epoch.number))
    assert hyperparameters == list(range(at + 1, 5))
    assert len(whole) == len(resumed) == 8
    for a, b in zip(whole, resumed, strict=True):
        assert_same_bits(a, b)


# --- The gradient's norm ----------------------------------------------------------------------------------------------


def test_the_gradients_norm_is_the_mean_over_every_eighth_step(small_data: TrainingData) -> None:
    """With a learning rate of 0 the weights stay, and the gradient of every batch can be computed by hand."""
    recipe = Recipe(
        model=ModelSpec("logistic", ()), epochs=1, batch_size=7, optimizer="sgd", learning_rate=1e-30, l2=0.05
    )  # 22 steps: numbers 0, 8 and 16 count
    (record,) = Trainer(small_data).train(only(plan_of([RunSpec("v", 3, recipe)], small_data)))
    kernel, bias = (record.weights[f"dense_1/{name}"].astype(np.float64) for name in ("kernel", "bias"))
    order = batch_order(3, 1, 150)
    norms = []
    for rows in np.split(order, range(7, 150, 7)):
        x = small_data.x_train[rows].reshape(len(rows), 16) / 255
        p = np.exp(x @ kernel + bias)
        error = (p / p.sum(axis=1, keepdims=True) - np.eye(3)[small_data.y_train[rows]]) / len(rows)
        of_kernel = x.T @ error + 2 * 0.05 * kernel
        norms.append(np.sqrt((of_kernel**2).sum() + (error.sum(axis=0) ** 2).sum()))
    assert NORM_EVERY == 8
    expected = np.mean([norms[0], norms[8], norms[16]])
    assert abs(expected - np.mean(norms)) > 1e-3  # not the mean over all steps
    assert record.history["gradient_norm"][0] == pytest.approx(expected, rel=1e-5)
