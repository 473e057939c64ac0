"""The parts of a plan that are trained elsewhere: together they are the whole, in its programs."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.base import HISTORY_COLUMNS, History, ModelSpec, Recipe, RunRecord, RunSpec
from wellfit.engine.plan import Plan, make_plan
from wellfit.study.executors.parts import Trained, parts_of, seeds_of_part

RECIPES = {
    "plain": Recipe(epochs=3),
    "l2": Recipe(epochs=3, l2=1e-3),
    "wide": Recipe(model=ModelSpec("mlp", (300,)), epochs=3),
    "longer": Recipe(epochs=9, learning_rate=0.1),
}


def planned(seeds: int, devices: int, names: Any = RECIPES, costs: Any = ((1, 1.0),), examples: int = 50_000) -> Plan:
    runs = [RunSpec(name, seed, RECIPES[name]) for name in names for seed in range(seeds)]
    return make_plan(runs, (28, 28), 10, (examples, 100, 100), devices, costs=costs)


@settings(max_examples=40, deadline=None)
@given(
    seeds=st.integers(1, 9),
    places=st.integers(1, 20),
    devices=st.integers(1, 3),
    examples=st.sampled_from([500, 50_000]),
    costs=st.sampled_from([((1, 1.0),), ((1, 1.0), (2, 0.6), (3, 0.5))]),
    at_once=st.booleans(),
)
def test_parts_are_disjoint_and_complete(
    seeds: int, places: int, devices: int, examples: int, costs: Any, at_once: bool
) -> None:
    plan = planned(seeds, devices, costs=costs, examples=examples)
    parts = parts_of(plan, (), places, devices, at_once=at_once)
    groups = [group for population in plan.populations for group in population.groups if group]
    found = [group for part in parts for group in part.population.groups if group]
    assert sorted(group[0].name for group in found) == sorted(group[0].name for group in groups)
    assert np.isclose(sum(part.work for part in parts), plan.work)
    whole = {population.name: population for population in plan.populations}
    for part in parts:
        population = part.population
        assert population.program == whole[part.whole].program
        assert len(population.groups) % population.program.groups == 0
        for wave in population.waves:  # every device has about as many groups
            lanes = population.program.groups // devices
            loads = [sum(map(bool, wave.groups[at : at + lanes])) for at in range(0, len(wave.groups), lanes)]
            assert max(loads) - min(loads) <= 1


def test_there_are_a_few_parts_for_each_place() -> None:
    plan = planned(40, 2, ["plain"])
    assert [len(parts_of(plan, (), places, 2)) for places in (1, 2, 100)] == [4, 10, 20]
    assert len(parts_of(plan, (), 2, 2, at_once=True)) >= 8


def test_groups_of_finished_runs_are_left_out() -> None:
    plan = planned(4, 2, ["plain", "l2"])
    done = [("plain", 0), ("l2", 0), ("plain", 1), ("l2", 1), ("plain", 2)]
    left = {t.name for part in parts_of(plan, done, 1, 2) for t in part.population.trajectories}
    assert {name.split(".")[1] for name in left} == {"2", "3"}
    assert parts_of(plan, [(name, seed) for name in RECIPES for seed in range(4)], 1, 2) == ()


def test_the_rows_of_what_was_trained_are_those_of_its_histories() -> None:
    history = History({name: np.arange(2.0) + i for i, name in enumerate(HISTORY_COLUMNS)})
    record = RunRecord(RunSpec("l2", 3, Recipe()), "finished", 2, 2, history, {}, {}, 0.0, "l2.3")
    rows = Trained([record], [], {}).rows()
    assert list(rows) == [("l2", 3)]
    assert rows["l2", 3].shape == (2, len(HISTORY_COLUMNS))
    assert rows["l2", 3][1, 0] == 1.0


@given(st.integers(1, 200), st.integers(1, 40))
def test_seeds_of_a_part_leave_no_place_idle(seeds: int, places: int) -> None:
    plan = Plan((planned(1, 2).populations[0],) * seeds, seeds, (), 0.0, 0)
    together = seeds_of_part(plan, places)
    assert 1 <= together <= 16
    assert together == 1 or seeds / together >= 4 * places
