"""Populations in an accelerator's memory: waves as small as the compiled program says, and smaller if it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
from jax.sharding import Mesh

from wellfit.base import EarlyStopping, ModelSpec, Recipe, RunRecord, RunSpec, TrainingData
from wellfit.engine import train
from wellfit.engine.devices import POPULATION
from wellfit.engine.final_states import FinalState, UnusableStateError
from wellfit.engine.fitting import bytes_needed, fitted, halved, is_out_of_memory, out_of_memory_error, resized
from wellfit.engine.plan import Population, make_plan
from wellfit.engine.train import Compiled, Epoch, Snapshot, Trainer
from wellfit.errors import WellfitError
from wellfit.nn import accelerator

DEVICES = 2
PAIR = Mesh(np.array(jax.devices()[:DEVICES]), (POPULATION,))
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
    for words in (
        FULL,
        "INTERNAL: CUDA_ERROR_OUT_OF_MEMORY: out of memory",
        "INTERNAL: Failed to create cuBLAS handle",
    ):
        assert is_out_of_memory(jax.errors.JaxRuntimeError(words))
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
    assert str(out_of_memory_error(wide, "does not fit", None)) == (
        "v0.0: training 4 runs side by side does not fit in the device's memory; "
        "use a smaller batch_size or network, or end other programs on the device"
    )


# --- Training ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(small_data: TrainingData) -> list[RunRecord]:
    with accelerator.assumed():
        return Trainer(small_data, PAIR).train(planned(small_data))


@pytest.mark.usefixtures("_on_accelerators")
def test_a_population_trains_in_waves_that_fit(
    small_data: TrainingData, whole: list[RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, population = Trainer(small_data, PAIR), planned(small_data)
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

    told: list[tuple[int, int, list[tuple[str, int]], int]] = []

    def note(epoch: Epoch) -> None:
        rows = epoch.rows()
        told.append((epoch.number, epoch.active, list(rows), len(rows["v0", 0])))

    sizes = noted_sizes(monkeypatch, full)
    trained = Trainer(small_data, PAIR).train(population, on_epoch=note)
    assert_same(trained, whole)
    assert [record.spec for record in trained] == [record.spec for record in whole]
    halves = halved(population, DEVICES)
    assert halves is not None
    assert set(sizes[at:]) == {halves.program.groups}
    order = [(r.run.variant, r.run.seed) for t in population.trajectories for r in t.readouts]
    assert [number for number, *_ in told] == [1, 2, 3]  # each epoch once
    assert all((runs, length) == (order, number) for number, _, runs, length in told)


@pytest.mark.usefixtures("_on_accelerators")
def test_what_was_told_of_keeps_no_memory(small_data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers keep the latest epoch, whose arrays would be on the device beside those of the smaller waves."""
    population, epochs = planned(small_data), list[Epoch]()

    def full(groups: int, trained: int) -> None:
        if groups == population.program.groups and trained == 1:
            raise jax.errors.JaxRuntimeError(FULL)

    noted_sizes(monkeypatch, full)
    first: list[Epoch] = []
    Trainer(small_data, PAIR).train(
        population, on_epoch=lambda epoch: first.append(epoch) if not first else epochs.append(epoch)
    )
    with pytest.raises(RuntimeError, match="deleted"):
        first[0].snapshot()
    assert epochs[-1].snapshot()


@pytest.mark.usefixtures("_on_accelerators")
def test_data_that_do_not_fit_are_one_line(small_data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise jax.errors.JaxRuntimeError(FULL)

    monkeypatch.setattr(train, "device_data", full)
    with pytest.raises(WellfitError, match=r"0\.0 GB of data do not fit in the device's memory; use fewer examples"):
        Trainer(small_data, PAIR)

    def broken(*_: Any) -> None:
        raise jax.errors.JaxRuntimeError("INTERNAL: an error")

    monkeypatch.setattr(train, "device_data", broken)
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        Trainer(small_data, PAIR)


@pytest.mark.usefixtures("_on_accelerators")
def test_a_memory_that_stays_full_is_one_line(small_data: TrainingData, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(groups: int, trained: int) -> None:
        raise jax.errors.JaxRuntimeError(FULL)

    noted_sizes(monkeypatch, full)
    with pytest.raises(WellfitError, match=r"training a single run does not fit in the device's memory; use"):
        Trainer(small_data, PAIR).train(planned(small_data))

    def broken(groups: int, trained: int) -> None:
        raise jax.errors.JaxRuntimeError("INTERNAL: an error")

    noted_sizes(monkeypatch, broken)
    with pytest.raises(jax.errors.JaxRuntimeError, match="INTERNAL"):
        Trainer(small_data, PAIR).train(planned(small_data))


@pytest.mark.usefixtures("_on_accelerators")
def test_a_snapshot_goes_on_in_waves_of_another_size(
    small_data: TrainingData, whole: list[RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken in halves; now the memory suffices for all at once, and the other way round."""
    population = planned(small_data)
    trainer = Trainer(small_data, PAIR)
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
    population, trainer = planned(small_data), Trainer(small_data, PAIR)
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
def test_a_study_trained_in_halves_continues_with_more_epochs(
    small_data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its final states say how it was planned, and are those of its runs."""
    population, trainer = planned(small_data), Trainer(small_data, PAIR)
    longer = planned(small_data, epochs=5)
    needed = trainer._bytes_needed(population)
    ends: list[dict[str, FinalState]] = []
    for limit in (needed, needed - 1):
        monkeypatch.setattr(train, "memory_limit", lambda limit=limit: limit)
        sizes, last = noted_sizes(monkeypatch), list[Epoch]()
        trainer.train(population, on_epoch=last.append)
        assert (set(sizes) == {population.program.groups}) is (limit == needed)
        ends.append({end.name: end for end in last[-1].ends()})
    whole, halves = ends
    assert whole.keys() == halves.keys()
    for name, end in whole.items():
        assert [end.facts[of] for of in ("program", "training")] == [
            halves[name].facts[of] for of in ("program", "training")
        ]
        for array, values in end.arrays.items():
            if array.startswith("state/"):
                np.testing.assert_allclose(halves[name].arrays[array], values, rtol=1e-4, atol=1e-6)
    monkeypatch.setattr(train, "memory_limit", lambda: None)
    assert_same(trainer.train(longer, ends=halves), trainer.train(longer))
