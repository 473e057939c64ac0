"""Halving a population: who goes on, in the same program, and where averages are read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wellfit.base import Averaging, Recipe, RunSpec
from wellfit.engine.halving import alone, continued
from wellfit.engine.plan import Population, make_plan

BASE = Recipe(epochs=9)


def population(count: int, *, seeds: int = 1, small: bool = True, **more: object) -> Population:
    recipes = [replace(BASE, l2=(i + 1) * 1e-4, **more) for i in range(count)]  # type: ignore[arg-type]
    runs = [RunSpec(f"t{i}", seed, recipe) for i, recipe in enumerate(recipes) for seed in range(seeds)]
    shape, sizes = ((8, 8), (1000, 200, 200)) if small else ((28, 28), (48_000, 12_000, 12_000))
    (planned,) = make_plan(runs, shape, 10, sizes, devices=2).populations
    return alone(planned, 2, most=20 if small else 2)


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("count", [1, 2, 5, 10])
def test_every_trajectory_has_a_group_of_its_own(count: int, small: bool) -> None:
    found = population(count, seeds=2, small=small)
    assert found.program.width == 1
    assert sorted(t.name for t in found.trajectories) == sorted(f"t{i}.{s}" for i in range(count) for s in (0, 1))
    assert len(found.groups) % found.program.groups == 0


@pytest.mark.parametrize("small", [True, False])
def test_populations_of_any_size_share_a_program(small: bool) -> None:
    assert population(2, small=small).program == population(8, small=small).program


def test_those_that_go_on_keep_the_program() -> None:
    whole = population(5)
    part = continued(whole, lambda t: t.name in ("t1.0", "t4.0"), 3)
    assert part is not None
    assert part.program == whole.program
    assert [t.name for t in part.trajectories] == ["t1.0", "t4.0"]
    assert {t.epochs for t in part.trajectories} == {3}
    assert [t.hyperparameters for t in part.trajectories] == [whole.trajectories[i].hyperparameters for i in (1, 4)]
    assert continued(whole, lambda _: False, 3) is None


def test_a_rung_beyond_the_end_changes_nothing() -> None:
    whole = population(3)
    part = continued(whole, lambda _: True, 99)
    assert part is not None
    assert part.trajectories == whole.trajectories


def test_averages_over_the_last_epochs_are_of_the_end_alone() -> None:
    for average, kept in ((Averaging("swa", last=3), None), (Averaging("ema", decay=0.9), Averaging("ema", decay=0.9))):
        part = continued(population(2, average=average), lambda _: True, 3)
        assert part is not None
        assert {r.average for t in part.trajectories for r in t.readouts} == {kept}
