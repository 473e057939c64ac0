"""Populations of several seeds with data of their own, trained as one."""

from __future__ import annotations

from dataclasses import replace

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from same_bits import assert_same_bits
from wellfit.base import ModelSpec, Recipe, RunSpec, Scaling, TrainingData
from wellfit.engine.joining import joined
from wellfit.engine.plan import Population, make_plan
from wellfit.engine.train import Epoch, Trainer
from wellfit.engine.waves import Snapshot, of_member

SEEDS = (3, 5, 8)
RECIPES = {
    "plain": Recipe(model=ModelSpec("mlp", (4,)), epochs=4, batch_size=16),
    "l2": Recipe(model=ModelSpec("mlp", (4,)), epochs=4, batch_size=16, l2=0.1),
    "wild": Recipe(model=ModelSpec("mlp", (4,)), epochs=4, batch_size=16, learning_rate=1e30),
}


def data(seed: int, labels: int = 3) -> TrainingData:
    """Points of a seed alone, in a scale of their own."""
    generator = np.random.default_rng(seed)
    x = generator.normal(seed, 1 + seed, (70, 5)).astype(np.float32)
    y = generator.integers(0, labels, 70).astype(np.int32)
    scaling = Scaling("standardize", x.mean(axis=0), 1 / x.std(axis=0))
    return TrainingData(x[:50], y[:50], x[50:], y[50:], np.arange(seed, 30 + seed), labels, scaling)


def planned(seed: int, devices: int | None = None) -> Population:
    runs = [RunSpec(name, seed, recipe) for name, recipe in RECIPES.items()]
    costs = ((1, 1.0), (2, 0.7))
    return make_plan(runs, (5,), 3, (50, 20, 30), devices or len(jax.devices()), costs=costs).populations[0]


PLACES = 20


@given(st.integers(1, PLACES), st.integers(1, 5), st.integers(1, 3))
def test_all_groups_are_distributed_evenly(parts: int, devices: int, waves: int) -> None:
    each = [planned(seed, devices) for seed in range(parts)]
    each = [replace(part, groups=(part.groups + ((),) * devices) * waves) for part in each]
    whole = joined(each, PLACES, devices)
    assert whole.trajectories == tuple(trajectory for part in each for trajectory in part.trajectories)
    assert len(whole.waves) == 1
    assert whole.program == replace(each[0].program, groups=len(whole.groups))
    assert whole.work == pytest.approx(sum(part.work for part in each))
    lanes = len(whole.groups) // devices
    trained = [sum(bool(g) for g in whole.groups[d * lanes : (d + 1) * lanes]) for d in range(devices)]
    assert max(trained) == -(-sum(trained) // devices)
    assert joined(each[:1], PLACES, devices).program == whole.program  # compiled once


def test_every_seed_has_the_bits_that_it_has_alone() -> None:
    parts, of_seed = [planned(seed) for seed in SEEDS], {seed: data(seed) for seed in SEEDS}
    whole = joined(parts, 4, len(jax.devices()))
    together = Trainer(of_seed, places=4).train(whole, ends_of=parts[0].program)
    alone = [record for part, own in zip(parts, of_seed.values(), strict=True) for record in Trainer(own).train(part)]
    for a, b in zip(together, alone, strict=True):
        assert_same_bits(a, b)
    assert {record.state for record in alone} == {"finished", "diverged"}
    finished = [record for record in alone if record.state == "finished"]
    assert len({record.weights["dense_1/kernel"].tobytes() for record in finished}) == len(finished) == 6


def test_a_feature_that_is_constant_in_one_fold_alone() -> None:
    """Its scaling then has a number for every feature, where those of the others have one for all."""
    one = Scaling("unit", np.zeros((), np.float32), np.full((), 0.5, np.float32))
    each = Scaling("unit", np.zeros(5, np.float32), np.array([0.5, 0.5, 1, 0.5, 0.5], np.float32))
    of_seed = {seed: replace(data(seed), scaling=each if seed == 5 else one) for seed in SEEDS}
    parts = [planned(seed) for seed in SEEDS]
    together = Trainer(of_seed, places=4).train(joined(parts, 4, len(jax.devices())))
    alone = [record for part, own in zip(parts, of_seed.values(), strict=True) for record in Trainer(own).train(part)]
    for a, b in zip(together, alone, strict=True):
        assert_same_bits(a, b)


def test_the_snapshot_of_a_part_continues_to_the_same_bits_alone() -> None:
    parts, of_seed = [planned(seed) for seed in SEEDS], {seed: data(seed) for seed in SEEDS}
    whole, taken = joined(parts, 4, len(jax.devices())), list[Snapshot]()

    def look(epoch: Epoch) -> None:
        if epoch.number == 2:
            taken.append(epoch.snapshot())

    together = Trainer(of_seed, places=4).train(whole, on_epoch=look)
    ended = [
        record
        for part, own in zip(parts, of_seed.values(), strict=True)
        for record in Trainer(own).train(part, of_member(taken[0], whole, part))
    ]
    for a, b in zip(ended, together, strict=True):
        assert_same_bits(a, b)


def test_final_states_are_those_of_the_program_that_was_planned() -> None:
    parts, of_seed = [planned(seed) for seed in SEEDS], {seed: data(seed) for seed in SEEDS}
    last: list[Epoch] = []

    def keep(epoch: Epoch) -> None:
        last[:] = [epoch]

    Trainer(of_seed, places=4).train(joined(parts, 4, len(jax.devices())), on_epoch=keep, ends_of=parts[0].program)
    together = {end.name: end for end in last[0].ends()}
    for part, own in zip(parts, of_seed.values(), strict=True):
        Trainer(own).train(part, on_epoch=keep)
        for end in last[0].ends():
            assert {k: v for k, v in end.facts.items() if k != "seconds"} == {
                k: v for k, v in together[end.name].facts.items() if k != "seconds"
            }
            assert end.arrays.keys() == together[end.name].arrays.keys()
            for name, array in end.arrays.items():
                np.testing.assert_array_equal(array, together[end.name].arrays[name])
