"""Planning: what shares a trajectory, what shares a program, and how groups are laid over devices."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.base import Augmentation, EarlyStopping, LayerSpec, ModelSpec, Recipe, RunSpec
from wellfit.engine.plan import Plan, make_plan
from wellfit.errors import StudyFileError

BASE = Recipe(batch_size=256)
SIZES = (48_000, 12_000, 12_000)


WEIGHTS = 784 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10  # 109,386, of the network 128-64
NUMBERS = (785 + 129 + 65) + (784 + 3 * 128 + 3 * 64 + 10)  # of an example: what is multiplied, every layer's output
# weights, two moments and a gradient, and the new ones of each but the gradient; the batch, and its gradients
RUN_BYTES = 4 * WEIGHTS * 7 + 4 * 256 * 2 * NUMBERS


def plan(recipes: dict[str, Recipe], seeds: int = 5, devices: int = 2, **others: Any) -> Plan:
    runs = [RunSpec(name, seed, recipe) for name, recipe in recipes.items() for seed in range(seeds)]
    return make_plan(runs, (28, 28), 10, SIZES, devices, **others)


def variants(count: int) -> dict[str, Recipe]:
    return {f"v{i}": replace(BASE, l2=i * 1e-4) for i in range(count)}


def test_numbers_are_traced_and_structure_is_compiled() -> None:
    hyperparameters = {
        "baseline": BASE,
        "l2": replace(BASE, l2=1e-3),
        "l1": replace(BASE, l1=1e-4),
        "d": replace(BASE, dropout=0.5),
    }
    assert plan(hyperparameters).programs == 1
    structures = {"wide": replace(BASE, model=ModelSpec("mlp", (512,))), "sgd": replace(BASE, optimizer="sgd")}
    assert plan({**hyperparameters, **structures, "batch": replace(BASE, batch_size=64)}).programs == 4


def test_explicit_defaults_share_the_trajectory() -> None:
    same = {
        "a": BASE,
        "b": replace(BASE, learning_rate=1e-3),
        "c": replace(BASE, dropout=(0.0, 0.0), l2=(0.0, 0.0, 0.0)),
    }
    assert plan(same, seeds=1).trajectories == 1


def test_a_program_leaves_out_what_no_run_uses() -> None:
    (population,) = plan({"baseline": BASE, "l2": replace(BASE, l2=1e-3)}).populations
    assert population.program.uses == {"learning_rate", "l2"}


def test_augmented_runs_get_a_program_of_their_own() -> None:
    plain = {"baseline": BASE, "l2": replace(BASE, l2=1e-3)}
    moved = {"moved": replace(BASE, augmentation=Augmentation(shift=0.1))}
    first, second = plan({**plain, **moved}).populations
    assert (first,) == plan(plain).populations
    assert (second,) == plan(moved).populations
    assert "shift" in second.program.uses
    assert "shift" not in first.program.uses


@pytest.mark.parametrize(("examples", "memory", "waves"), [(1149, None, 1), (48_000, None, 3), (1149, 1, 3)])
def test_on_small_data_all_groups_of_a_device_are_one_call(examples: int, memory: int | None, waves: int) -> None:
    recipe = Recipe(model=ModelSpec("mlp", (8,)), batch_size=32)
    runs = [RunSpec("v", seed, recipe) for seed in range(5)]
    side = 8 if examples == 1149 else 28
    (population,) = make_plan(runs, (side, side), 10, (examples, 300, 300), 2, memory=memory).populations
    assert len(population.waves) == waves
    assert population.program.groups == (6 if waves == 1 else 2)


COSTS = st.sampled_from([((1, 1.0),), ((1, 1.0), (2, 0.6), (4, 0.55)), ((1, 1.0), (3, 0.3))])


@settings(deadline=None)  # the first example builds the models
@given(
    count=st.integers(1, 9),
    seeds=st.integers(1, 12),
    devices=st.sampled_from([1, 2, 3, 8]),
    stops=st.integers(0, 3),
    costs=COSTS,
    fit=st.sampled_from([None, 1, 2, 5, 1000]),
)
def test_every_run_is_planned_once_and_waves_fill_the_devices(
    count: int, seeds: int, devices: int, stops: int, costs: Any, fit: int | None
) -> None:
    recipes = variants(count)
    recipes |= {f"s{i}": replace(BASE, early_stopping=EarlyStopping(i)) for i in range(stops)}
    result = plan(recipes, seeds, devices, costs=costs, memory=None if fit is None else fit * RUN_BYTES)
    (population,) = result.populations
    size, groups = population.program.groups, population.groups
    assert result.trajectories == count * seeds
    planned = [(r.run.variant, r.run.seed) for t in population.trajectories for r in t.readouts]
    assert sorted(planned) == sorted((name, seed) for name in recipes for seed in range(seeds))
    for group in groups:
        assert len(group) <= population.program.width
        assert len({trajectory.seed for trajectory in group}) <= 1

    # waves: of one size, with their parts in order, and empty groups at the very end
    assert size % devices == 0
    assert [len(wave.groups) for wave in population.waves] == [size] * (len(groups) // size)
    assert sum((wave.groups for wave in population.waves), ()) == groups
    assert all(wave.program == population.program for wave in population.waves)
    full = sum(bool(group) for group in groups)
    assert all(groups[:full])
    assert not any(groups[full:])
    assert len(groups) - full < size

    # places: as even as they will go, and one seed after the other
    places = [[group for group in groups[place::size] if group] for place in range(size)]
    loads = [len(place) for place in places]
    assert max(loads) - min(loads) <= 1
    assert loads == sorted(loads, reverse=True)
    assert [group[0].seed for place in places for group in place] == sorted(group[0].seed for group in groups[:full])

    lanes = size // devices
    if fit is None:
        assert lanes == 1
    else:
        most = max(1, fit // population.program.width)
        a_device = math.ceil(full / devices)
        assert lanes <= most  # within memory
        assert len(population.waves) == math.ceil(a_device / most)  # and no more waves than it takes
        assert (a_device > most) or len(population.waves) == 1


def test_five_seeds_of_five_variants_keep_two_devices_busy() -> None:
    (population,) = plan(variants(5)).populations
    loads = [sum(len(wave.groups[device]) for wave in population.waves) for device in (0, 1)]
    assert sorted(loads) == [12, 13]


@pytest.mark.parametrize(
    ("count", "seeds", "devices", "costs", "width"),
    [
        (4, 1, 1, ((1, 1.0), (4, 0.9)), 4),  # 3.6 against 4
        (5, 1, 1, ((1, 1.0), (4, 0.6)), 4),  # two groups of four places: 4.8 against 5
        (5, 1, 1, ((1, 1.0), (4, 0.7)), 1),  # 5.6 against 5
        (2, 1, 2, ((1, 1.0), (2, 0.6)), 1),  # one device would rest: 1.2 against 1
        (2, 2, 2, ((1, 1.0), (2, 0.6)), 2),  # 1.2 against 2
        (3, 4, 2, ((1, 1.0), (4, 0.1)), 1),  # no seed has four
        (6, 2, 2, ((1, 1.0), (2, 0.8), (3, 0.75), (4, 0.7)), 3),  # 4.8, 4.5, and 5.6 for two groups of four
        (2, 1, 1, ((1, 1.0), (2, 1.0)), 1),  # no gain
    ],
)
def test_a_wide_group_is_chosen_where_it_pays_after_padding(
    count: int, seeds: int, devices: int, costs: Any, width: int
) -> None:
    (population,) = plan(variants(count), seeds, devices, costs=costs).populations
    assert population.program.width == width


@pytest.mark.parametrize(
    ("memory", "devices", "lanes", "waves"),
    [
        (None, 1, 1, 25),
        (10**12, 1, 25, 1),
        (25 * RUN_BYTES, 1, 25, 1),
        (25 * RUN_BYTES - 1, 1, 13, 2),  # 24 fit; two waves of 13 have one empty place, of 24 they had 23
        (6 * RUN_BYTES, 2, 5, 3),  # 13 on the busier device
        (1, 2, 1, 13),
    ],
)
def test_little_memory_makes_more_waves(memory: int | None, devices: int, lanes: int, waves: int) -> None:
    (population,) = plan(variants(5), 5, devices, memory=memory).populations
    assert population.program.groups == devices * lanes
    assert len(population.waves) == waves


def test_in_memory_a_wide_group_counts_as_many_runs() -> None:
    (population,) = plan(variants(4), 3, 1, costs=((1, 1.0), (4, 0.5)), memory=9 * RUN_BYTES).populations
    assert (population.program.width, population.program.groups, len(population.waves)) == (4, 2, 2)


def test_in_memory_the_patches_of_convolutions_count() -> None:
    patches = 4 * 128 * (25 * 28 * 28 + 150 * 10 * 10)  # bytes of a run's batch, of both convolutions
    runs = [RunSpec("v", seed, Recipe(model=ModelSpec("lenet5"), batch_size=128)) for seed in range(100)]
    (population,) = make_plan(runs, (28, 28), 10, (48_000, 12_000, 4000), 1, memory=20 * patches).populations
    assert 5 <= population.program.groups <= 20  # their weights alone would fit a hundred times


def test_a_batch_larger_than_all_training_examples_is_refused() -> None:
    with pytest.raises(
        StudyFileError, match="variant 'big': batch_size = 50000, but it trains on 48000 examples; choose at most 48000"
    ):
        plan({"big": replace(BASE, batch_size=50_000)})


def test_parameters_and_work() -> None:
    """Two operations a weight; three products a step, without the gradient of the first layer's input; two scores."""
    result = plan({"baseline": BASE}, seeds=1)
    assert result.parameters == (WEIGHTS,) == (109_386,)
    forward, first = 2 * WEIGHTS, 2 * (784 * 128 + 128)
    expected = 30 * (48_000 * (3 * forward - first) + 24_000 * forward)
    assert result.work == result.populations[0].work == expected
    assert result.memory > 60_000 * 784


def test_work_counts_epochs_and_image_positions() -> None:
    layers = (
        LayerSpec("conv2d", filters=3, size=3),
        LayerSpec("max_pool"),
        LayerSpec("flatten"),
        LayerSpec("dense", units=5),
    )
    image = replace(BASE, model=ModelSpec("layers", layers=layers), batch_size=10)
    recipes = {
        "ten": replace(image, epochs=10),
        "four": replace(image, epochs=4),  # read from the same trajectory
        "l2": replace(image, epochs=7, l2=0.1),
        "other": Recipe(model=ModelSpec("logistic", ()), epochs=2, batch_size=10),
    }
    runs = [RunSpec(name, seed, recipe) for name, recipe in recipes.items() for seed in (0, 1)]
    result = make_plan(runs, (8, 8), 5, (100, 40, 20), 2)
    convolution = 2 * 6 * 6 * (3 * 3 * 3 + 3)  # at 6 x 6 positions, biases too
    dense = 2 * (3 * 3 * 3 * 5 + 5)
    of_image = 100 * (2 * convolution + 3 * dense) + 60 * (convolution + dense)
    logistic = 2 * (64 * 5 + 5)
    of_other = 100 * 2 * logistic + 60 * logistic
    assert [population.work for population in result.populations] == [of_image * 2 * (10 + 7), of_other * 2 * 2]
    assert result.work == sum(population.work for population in result.populations)
