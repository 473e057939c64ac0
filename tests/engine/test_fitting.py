"""Populations in an accelerator's memory: waves as small as the compiled program says, and smaller if it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit.base import EarlyStopping, ModelSpec, Recipe, RunRecord, RunSpec, TrainingData
from wellfit.engine import train
from wellfit.engine.final_states import UnusableStateError
from wellfit.engine.fitting import bytes_needed, fitted, halved, is_out_of_memory, resized, too_little
from wellfit.engine.plan import Population, make_plan
from wellfit.engine.train import Compiled, Epoch, Snapshot, Trainer
from wellfit.errors import WellfitError
from wellfit.nn import accelerator

DEVICES = len(jax.devices())
BASE = Recipe(model=ModelSpec("mlp", (8,)), epochs=3, batch_size=32)
FULL = "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes."


@pytest.fixture
def _on_accelerators() -> Iterator[None]:
    with accelerator.assumed():
        yield


def planned(data: TrainingData, recipes: int = 4, seeds: Sequence[int] = (0, 1, 2), **others: Any) -> Population:
    stop = EarlyStopping(patience=0, monitor="val_accuracy", min_delta=1.0, restore_best_weights=True)
    made = {f"v{at}": replace(BASE, learning_rate=1e-3 * (at + 1), **others) for at in range(recipes)}
    made["stop"] = replace(BASE, learning_rate=0.02, early_stopping=stop)
    runs = [RunSpec(name, seed, recipe) for name, recipe in made.items() for seed in seeds]
    sizes = (len(data.x_train), len(data.x_validation), len(data.sample))
    (population,) = make_plan(runs, data.input_shape, data.classes, sizes, DEVICES, memory=10**9).populations
    return population


def by_run(records: Sequence[RunRecord]) -> dict[tuple[str, int], RunRecord]:
    return {(record.spec.variant, record.spec.seed): record for record in records}


def assert_same(found: Sequence[RunRecord], expected: Sequence[RunRecord]) -> None:
    other = by_run(expected)
    assert by_run(found).keys() == other.keys()
    for key, record in by_run(found).items():
        assert (record.state, record.epochs) == (other[key].state, other[key].epochs)
        for name, weights in record.weights.items():
            # products of other sizes sum in another order
            np.testing.assert_allclose(weights, other[key].weights[name], rtol=1e-4, atol=1e-6, err_msg=f"{key} {name}")


# --- Sizes ------------------------------------------------------------------------------------------------------------


def test_every_size_has_every_run_and_keeps_the_order_of_each_place(small_data: TrainingData) -> None:
    population = planned(small_data)
    names = sorted(trajectory.name for trajectory in population.trajectories)
    assert len(names) == 15
    for size in range(1, 20):
        of_size = resized(population, size)
        assert of_size.program == replace(population.program, groups=size)
        assert sorted(trajectory.name for trajectory in of_size.trajectories) == names
        assert len(of_size.groups) == -(-len(names) // size) * size
        assert resized(of_size, population.program.groups) == population
        for place in range(size):
            seeds = [group[0].seed for group in of_size.groups[place::size] if group]
            assert seeds == sorted(seeds)


def test_waves_are_halved_until_a_device_has_one_group(small_data: TrainingData) -> None:
    population: Population | None = planned(small_data)
    lanes = []
    while population is not None:
        lanes.append(population.program.groups // DEVICES)
        assert population.program.groups % DEVICES == 0
        population = halved(population, DEVICES)
    assert lanes[-1] == 1
    assert all(later <= max(earlier // 2, 1) for earlier, later in pairwise(lanes))


@given(limit=st.integers(1, 40), each=st.integers(1, 9))
def test_the_largest_halving_that_fits_is_taken(limit: int, each: int) -> None:
    data = TrainingData(
        *(np.zeros((64, 4, 4), np.uint8), np.zeros(64, np.int32), np.zeros((8, 4, 4), np.uint8), np.zeros(8, np.int32)),
        *(np.arange(8), 3, SimpleNamespace()),  # type: ignore[arg-type]
    )
    population = planned(data)

    def needs(of: Population) -> int:
        return of.program.groups // DEVICES * each

    if each > limit:
        with pytest.raises(
            WellfitError, match=r"v0\.0: training a single run needs 0\.0 GB .*; use a smaller batch_size"
        ):
            fitted(population, needs, limit, DEVICES)
        return
    found = fitted(population, needs, limit, DEVICES)
    assert needs(found) <= limit
    if found != population:
        tried = [population]
        while (less := halved(tried[-1], DEVICES)) is not None:
            tried.append(less)
        assert needs(tried[tried.index(found) - 1]) > limit


def test_what_a_program_needs_is_what_its_compiler_says() -> None:
    x = jnp.ones((256, 256), jnp.float32)
    needed = bytes_needed(jax.jit(lambda x: (x @ x, (x + 1) @ x)), (x,))
    assert needed >= 3 * x.nbytes  # the argument and two results
    donated = bytes_needed(jax.jit(lambda x: x + 1, donate_argnums=0), (x,))
    assert x.nbytes <= donated < 2 * x.nbytes  # in place
    silent = SimpleNamespace(
        lower=lambda *_: SimpleNamespace(compile=lambda: SimpleNamespace(memory_analysis=lambda: None))
    )
    assert bytes_needed(silent, (x,)) == 0


def test_which_errors_say_that_the_memory_is_full() -> None:
    assert is_out_of_memory(jax.errors.JaxRuntimeError(FULL))
    assert not is_out_of_memory(jax.errors.JaxRuntimeError("INTERNAL: an error"))
    assert not is_out_of_memory(MemoryError(FULL))


def test_an_error_while_asking_counts_as_too_much(small_data: TrainingData) -> None:
    asked: list[int] = []

    def needs(of: Population) -> int:
        asked.append(of.program.groups)
        if len(asked) == 1:
            raise jax.errors.JaxRuntimeError(FULL)
        return 1

    assert fitted(planned(small_data), needs, 10, DEVICES).program.groups == asked[1] < asked[0]

    def broken(of: Population) -> int:
        raise jax.errors.JaxRuntimeError("INTERNAL: an error")

    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        fitted(planned(small_data), broken, 10, DEVICES)


def test_the_error_says_what_to_do(small_data: TrainingData) -> None:
    population = planned(small_data)
    wide = replace(population, program=replace(population.program, width=4))
    assert str(too_little(wide, "finds no room", None)) == (
        "v0.0: training 4 runs side by side finds no room in the device's memory; "
        "use a smaller batch_size or network, or end other programs on the device"
    )


# --- Training ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(small_data: TrainingData) -> list[RunRecord]:
    with accelerator.assumed():
        return Trainer(small_data).train(planned(small_data))


@pytest.mark.usefixtures("_on_accelerators")
def test_a_population_trains_in_waves_that_fit(
    small_data: TrainingData, whole: list[RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, population = Trainer(small_data), planned(small_data)
    needed = trainer._bytes_needed(population)
    halves = halved(population, DEVICES)
    assert halves is not None
    assert trainer._bytes_needed(halves) < needed
    sizes = noted_sizes(monkeypatch)
    monkeypatch.setattr(train, "memory_limit", lambda: needed - 1)
    assert_same(trainer.train(population), whole)
    assert set(sizes) == {halves.program.groups}
    monkeypatch.setattr(train, "memory_limit", lambda: 1000)
    with pytest.raises(WellfitError, match=r"training a single run needs 0\.0 GB in the device's memory, and"):
        trainer.train(population)


def noted_sizes(monkeypatch: pytest.MonkeyPatch, after: Callable[[int, int], None] | None = None) -> list[int]:
    """Groups of each wave that trains from here on; ``after`` is told these and how many waves have trained."""
    sizes: list[int] = []
    compiled = Trainer.compiled

    def watched(self: Trainer, program: Any) -> Compiled:
        run_epoch, start = compiled(self, program)

        def noted(*arguments: Any) -> Any:
            if after is not None:
                after(program.groups, len(sizes))
            sizes.append(program.groups)
            return run_epoch(*arguments)

        noted.lower = run_epoch.lower  # type: ignore[attr-defined]
        return Compiled(noted, start)

    monkeypatch.setattr(Trainer, "compiled", watched)
    return sizes


@pytest.mark.usefixtures("_on_accelerators")
@pytest.mark.parametrize("at", [0, 2])
def test_a_memory_that_is_full_while_it_trains_halves_the_waves(
    at: int, small_data: TrainingData, whole: list[RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    population = planned(small_data)

    def full(groups: int, trained: int) -> None:
        if groups == population.program.groups and trained >= at:
            raise jax.errors.JaxRuntimeError(FULL)

    sizes = noted_sizes(monkeypatch, full)
    assert_same(Trainer(small_data).train(population), whole)
    halves = halved(population, DEVICES)
    assert halves is not None
    assert set(sizes[at:]) == {halves.program.groups}


@pytest.mark.usefixtures("_on_accelerators")
def test_a_memory_that_stays_full_is_one_line(small_data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(groups: int, trained: int) -> None:
        raise jax.errors.JaxRuntimeError(FULL)

    noted_sizes(monkeypatch, full)
    with pytest.raises(
        WellfitError, match=r"training a single run finds no room in the device's memory, and the device"
    ):
        Trainer(small_data).train(planned(small_data))

    def broken(groups: int, trained: int) -> None:
        raise jax.errors.JaxRuntimeError("INTERNAL: an error")

    noted_sizes(monkeypatch, broken)
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        Trainer(small_data).train(planned(small_data))


@pytest.mark.usefixtures("_on_accelerators")
def test_a_snapshot_goes_on_in_waves_of_another_size(
    small_data: TrainingData, whole: list[RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken in halves; now the memory suffices for all at once, and the other way round."""
    population = planned(small_data)
    trainer = Trainer(small_data)
    full = trainer._bytes_needed(population)
    for first, then in ((full - 1, full), (full, full - 1)):
        snapshots: dict[int, Snapshot] = {}

        def keep(epoch: Epoch, snapshots: dict[int, Snapshot] = snapshots) -> None:
            snapshots[epoch.number] = epoch.snapshot()

        monkeypatch.setattr(train, "memory_limit", lambda limit=first: limit)
        trainer.train(population, on_epoch=keep)
        monkeypatch.setattr(train, "memory_limit", lambda limit=then: limit)
        assert_same(trainer.train(population, snapshots[2]), whole)


@pytest.mark.usefixtures("_on_accelerators")
def test_a_snapshot_of_another_population_is_refused(small_data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    population, trainer = planned(small_data), Trainer(small_data)
    snapshots: list[Snapshot] = []
    trainer.train(population, on_epoch=lambda epoch: snapshots.append(epoch.snapshot()))
    halves = halved(population, DEVICES)
    assert halves is not None
    monkeypatch.setattr(train, "memory_limit", lambda: trainer._bytes_needed(halves))
    arrays = snapshots[0].arrays
    assert trainer.train(population, snapshots[0])
    for name, array in (
        ("state/0/1", arrays["state/0/1"][:1]),
        ("state/0/1", arrays["state/0/1"][..., :1]),
        ("state/0/0", arrays["state/0/0"][:3]),
        ("rows/2", arrays["rows/2"][:, 1:]),
    ):
        damaged = replace(snapshots[0], arrays={**arrays, name: array})
        with pytest.raises(
            UnusableStateError, match=r"state/\d/\d is not that of this network|rows/\d+ are no history"
        ):
            trainer.train(population, damaged)


@pytest.mark.usefixtures("_on_accelerators")
def test_final_states_say_how_it_was_planned(small_data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained in halves, a study still continues where it ended when it is asked for more epochs."""
    population, trainer = planned(small_data), Trainer(small_data)
    facts: list[Mapping[str, Any]] = []
    for less in (0, 1):
        monkeypatch.setattr(train, "memory_limit", lambda less=less: trainer._bytes_needed(population) - less)
        last: list[Epoch] = []
        trainer.train(population, on_epoch=last.append)
        facts.append({end.name: [end.facts[of] for of in ("program", "training")] for end in last[-1].ends()})
    assert facts[0] == facts[1]
