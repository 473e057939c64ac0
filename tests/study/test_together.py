"""Which populations are trained as one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from small_studies import small
from wellfit.base import Dataset, ModelSpec, Recipe, RunSpec
from wellfit.data.assemble import make_dataset
from wellfit.data.catalog import load_dataset
from wellfit.engine.plan import Population, make_plan
from wellfit.nn import accelerator
from wellfit.store import create_or_open
from wellfit.store.checkpoints import name_of
from wellfit.study import together
from wellfit.study.fold import Sizes
from wellfit.study.session import Session
from wellfit.study.together import Together, trained_together, values_of

SIZES = Sizes(50, 20)
RECIPE = Recipe(model=ModelSpec("mlp", (4,)), epochs=2, batch_size=16)
WIDE = replace(RECIPE, model=ModelSpec("mlp", (8,)))


def planned(seed: int, recipe: Recipe = RECIPE) -> Population:
    runs = [RunSpec(f"v{l2}", seed, replace(recipe, l2=l2)) for l2 in (0.0, 0.1)]
    examples = recipe.examples or SIZES.training
    return make_plan(runs, (5,), 3, (examples, SIZES.validation, examples), devices=2).populations[0]


def joined_seeds(found: tuple[Together, ...]) -> list[tuple[int, ...]]:
    return [each.seeds for each in found]


def test_the_seeds_of_a_program_are_joined_and_all_programs_of_some_seeds_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(together, "MOST", 4)
    populations = [planned(seed, recipe) for seed in range(6) for recipe in (RECIPE, WIDE)]
    found = trained_together(populations, dict.fromkeys(range(6), SIZES), (5,), 100, 2)
    assert joined_seeds(found) == [(0, 1, 2, 3)] * 2 + [(4, 5)] * 2
    assert [each.population.program.model for each in found] == [RECIPE.model, WIDE.model] * 2
    assert sorted(part.name for each in found for part in each.members) == sorted(p.name for p in populations)
    for each in found:
        assert each.population.trajectories == tuple(t for part in each.members for t in part.trajectories)


@pytest.mark.parametrize("other", [Sizes(51, 20), Sizes(50, 21)])
def test_seeds_of_other_sizes_are_not_joined(other: Sizes) -> None:
    sizes = {0: SIZES, 1: other, 2: SIZES, 3: other}
    found = trained_together([planned(seed) for seed in range(4)], sizes, (5,), 100, 2)
    assert joined_seeds(found) == [(0, 2), (1, 3)]


def test_other_examples_and_labels_are_not_joined() -> None:
    recipes = RECIPE, replace(RECIPE, examples=30), replace(RECIPE, label_noise=0.1)
    populations = [planned(seed, recipe) for seed in range(2) for recipe in recipes]
    found = trained_together(populations, dict.fromkeys(range(2), SIZES), (5,), 100, 2)
    assert joined_seeds(found) == [(0, 1)] * 3
    trained = [[t.readouts[0].run.recipe for t in each.population.trajectories] for each in found]
    of_each = [{(recipe.examples, recipe.label_noise) for recipe in of} for of in trained]
    assert of_each == [{(None, 0.0)}, {(30, 0.0)}, {(None, 0.1)}]


def test_an_interrupted_population_continues_alone() -> None:
    populations = [planned(seed) for seed in range(4)]
    held = {name_of(populations[2].name)}
    found = trained_together(populations, dict.fromkeys(range(4), SIZES), (5,), 100, 2, held)
    assert joined_seeds(found) == [(2,), (0, 1, 3)]
    assert found[0] == Together(populations[2], (populations[2],))


def test_what_does_not_fit_is_trained_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    populations, sizes = [planned(seed) for seed in range(8)], dict.fromkeys(range(8), SIZES)
    assert joined_seeds(trained_together(populations, sizes, (5,), 100, 2)) == [tuple(range(8))]
    with monkeypatch.context() as patch:
        patch.setattr(together, "_BYTES", 3 * 2 * 100 * 28)  # three seeds with two runs of 100 weights
        assert joined_seeds(trained_together(populations, sizes, (5,), 100, 2)) == [(0, 1, 2), (3, 4, 5), (6, 7)]
    with monkeypatch.context() as patch:
        patch.setattr(together, "_VALUES", 4 * 2 * 5 * (50 + 50 + 20))  # of four seeds, on two devices
        assert joined_seeds(trained_together(populations, sizes, (5,), 100, 2)) == [(0, 1, 2, 3), (4, 5, 6, 7)]
    too_wide = trained_together(populations, sizes, (5,), 10**9, 2)
    assert too_wide == tuple(Together(population, (population,)) for population in populations)


def test_a_program_is_compiled_for_any_number_of_seeds() -> None:
    sizes = dict.fromkeys(range(20), SIZES)
    programs = set()
    for seeds in (range(1), range(3), range(16), range(5, 20)):
        (found,) = trained_together([planned(seed) for seed in seeds], sizes, (5,), 100, 2)
        assert found.places == 16
        programs.add(found.population.program)
    assert len(programs) == 1


def test_large_data_and_accelerators_train_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    populations, sizes = [planned(seed) for seed in range(3)], dict.fromkeys(range(3), SIZES)
    large = trained_together(populations, dict.fromkeys(range(3), Sizes(1 << 20, 20)), (5,), 100, 2)
    assert large == tuple(Together(population, (population,)) for population in populations)
    monkeypatch.setattr(accelerator, "in_use", lambda: True)
    assert trained_together(populations, sizes, (5,), 100, 2) == large


# --- In a session -----------------------------------------------------------------------------------------------------


def folded() -> Dataset:
    digits = load_dataset("digits")
    return make_dataset(digits.x_train[:200].reshape(200, 64), digits.y_train[:200], name="digits")


def test_a_session_joins_its_folds_and_forecasts_them_so(tmp_path: Path) -> None:
    session = Session(small(2, 5, folds=5), folded(), tmp_path / "s")
    (whole,) = session.together
    assert whole.seeds == (0, 1, 2, 3, 4)
    assert whole.members == session.plan.populations
    assert session.joint.populations == (whole.population,)
    data = 16 * session.mesh.size * 3 * values_of(session.data) * session.data.x_train.itemsize
    assert session.joint.memory == 16 * session.plan.memory + data
    assert len(session.stages) == 1
    assert session.stages[0].units == sum(t.epochs for part in whole.members for t in part.trajectories)


def test_a_session_with_one_fold_joins_nothing(tmp_path: Path) -> None:
    session = Session(small(2, 5), folded(), tmp_path / "s")
    assert session.joint == session.remaining.plan
    assert [each.members for each in session.together] == [(p,) for p in session.plan.populations]


def test_a_session_leaves_interrupted_populations_alone(tmp_path: Path) -> None:
    session = Session(small(2, 3, folds=5), folded(), tmp_path / "s")
    with create_or_open(session.directory, session.resolved, provenance={}) as store:
        store.checkpoints.save(session.plan.populations[1].name, {}, {})
    again = Session(small(2, 3, folds=5), folded(), tmp_path / "s")
    assert joined_seeds(again.together) == [(1,), (0, 2)]
