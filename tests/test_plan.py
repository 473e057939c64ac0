"""Planning: what shares a trajectory, what shares a program, and how groups are laid over devices."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit.base import EarlyStopping, ModelSpec, Recipe, RunSpec
from wellfit.engine.plan import Plan, make_plan
from wellfit.errors import StudyFileError

BASE = Recipe(batch_size=256)
SIZES = (48_000, 12_000, 12_000)


def plan(recipes: dict[str, Recipe], seeds: int = 5, devices: int = 2) -> Plan:
    runs = [RunSpec(name, seed, recipe) for name, recipe in recipes.items() for seed in range(seeds)]
    return make_plan(runs, (28, 28), 10, SIZES, devices)


def test_numbers_are_traced_and_structure_is_compiled() -> None:
    numbers = {
        "baseline": BASE,
        "l2": replace(BASE, l2=1e-3),
        "l1": replace(BASE, l1=1e-4),
        "d": replace(BASE, dropout=0.5),
    }
    assert plan(numbers).programs == 1
    structures = {"wide": replace(BASE, model=ModelSpec("mlp", (512,))), "sgd": replace(BASE, optimizer="sgd")}
    assert plan({**numbers, **structures, "batch": replace(BASE, batch_size=64)}).programs == 4


def test_what_is_written_out_and_what_is_default_is_the_same_trajectory() -> None:
    same = {
        "a": BASE,
        "b": replace(BASE, learning_rate=1e-3),
        "c": replace(BASE, dropout=(0.0, 0.0), l2=(0.0, 0.0, 0.0)),
    }
    assert plan(same, seeds=1).trajectories == 1


def test_a_program_leaves_out_what_no_run_uses() -> None:
    (population,) = plan({"baseline": BASE, "l2": replace(BASE, l2=1e-3)}).populations
    assert population.program.uses == {"learning_rate", "l2"}


def test_a_single_strength_leaves_the_output_layer_alone() -> None:
    (population,) = plan({"l2": replace(BASE, l2=1e-3)}, seeds=1).populations
    assert population.trajectories[0].numbers.l2 == (1e-3, 1e-3, 0.0)
    (logistic,) = plan({"l2": replace(BASE, l2=1e-3, model=ModelSpec("logistic", ()))}, seeds=1).populations
    assert logistic.trajectories[0].numbers.l2 == (1e-3,)


@given(
    variants=st.integers(1, 9), seeds=st.integers(1, 12), devices=st.sampled_from([1, 2, 3, 8]), stops=st.integers(0, 3)
)
def test_every_run_is_planned_once_and_groups_divide_among_the_devices(
    variants: int, seeds: int, devices: int, stops: int
) -> None:
    recipes = {f"v{i}": replace(BASE, l2=i * 1e-4) for i in range(variants)}
    recipes |= {f"s{i}": replace(BASE, early_stopping=EarlyStopping(i)) for i in range(stops)}
    made = plan(recipes, seeds, devices)
    (population,) = made.populations
    assert len(population.groups) == population.program.groups
    assert len(population.groups) % devices == 0
    assert made.trajectories == variants * seeds
    planned = [(r.run.variant, r.run.seed) for t in population.trajectories for r in t.readouts]
    assert sorted(planned) == sorted((name, seed) for name in recipes for seed in range(seeds))
    for group in population.groups:
        assert len(group) <= population.program.width
        assert len({trajectory.seed for trajectory in group}) <= 1
    share = len(population.groups) // devices
    loads = [sum(len(g) for g in population.groups[d * share : (d + 1) * share]) for d in range(devices)]
    assert max(loads) <= share * population.program.width


def test_five_seeds_of_five_variants_keep_two_devices_busy() -> None:
    recipes = {f"v{i}": replace(BASE, l2=i * 1e-4) for i in range(5)}
    (population,) = plan(recipes).populations
    program = population.program
    assert program.groups // 2 * program.width <= 14  # 25 trainings: 13 for the busier device at best


def test_a_batch_larger_than_the_training_split_is_refused() -> None:
    with pytest.raises(
        StudyFileError, match="batch_size = 50000 of variant 'big' is larger than the training split of 48000"
    ):
        plan({"big": replace(BASE, batch_size=50_000)})


def test_a_list_that_fits_no_layers_is_refused() -> None:
    with pytest.raises(StudyFileError, match="dropout of variant 'd' has 3 values, the model has 2 places"):
        plan({"d": replace(BASE, dropout=(0.1, 0.2, 0.3))})


def test_parameters_and_work() -> None:
    made = plan({"baseline": BASE}, seeds=1)
    assert made.parameters == (109_386,)
    assert made.work == pytest.approx(30 * 2 * 109_386 * (3 * 48_000 + 24_000))
    assert made.memory > 60_000 * 784
