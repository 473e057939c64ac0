"""[search]: every mistake is one line with its place, and a configuration is a variant's changes."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from wellfit.base import EarlyStopping, Range, Recipe, SearchSpec
from wellfit.errors import StudyFileError
from wellfit.spec.identity import fingerprint, spec_conflicts
from wellfit.spec.search import changes_of, configurations, corners, is_whole, rungs
from wellfit.spec.study import from_resolved, load_study, resolved, study_from_mapping
from wellfit.spec.variants import changed
from wellfit.spec.written import study_file

L2 = {"low": 1e-6, "high": 1e-2, "log": True}


def searched(space: Any, train: dict[str, Any] | None = None, compare: Any = None, **search: Any) -> SearchSpec:
    tables = {"data": {"name": "digits"}, "train": train or {}, "search": {"space": space, **search}}
    spec = study_from_mapping(tables | ({"compare": compare} if compare else {}))
    assert spec.search is not None
    return spec.search


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({}, "space: is missing, so there is nothing to search"),
        ({"l2": {"low": 1, "high": 0}}, "space.l2: low = 1 is above high = 0; exchange them"),
        ({"l2": {"low": 1, "high": 1}}, "space.l2: the range is empty: low and high are both 1"),
        ({"l2": {"low": 0, "high": 1, "log": True}}, "space.l2: a logarithmic range needs low above 0, got 0"),
        ({"l2": {"low": 1}}, "space.l2.high: is missing"),
        ({"l2": {"low": -1, "high": 1}}, "space.l2: must be at least 0, got -1.0"),
        ({"l2": {"low": 0, "high": 1, "lgo": True}}, "unknown key 'lgo'"),
        ({"l22": L2}, "unknown key 'l22' in study, [search]; did you mean 'l2'?"),
        ({"l2": []}, "space.l2: needs at least one choice"),
        ({"l2": [0.1, 0.1]}, "space.l2: has 0.1 twice; remove one"),
        ({"l2": [0.1, -0.1]}, "space.l2: must be at least 0, got -0.1"),
        ({"l2": 3}, "space.l2: must be a list, got 3"),
        ({"dropout": {"low": 0, "high": 1.5}}, "space.dropout: must be at least 0 and less than 1, got 1.5"),
        ({"batch_size": {"low": 16.5, "high": 64}}, "space.batch_size: takes whole numbers, but low is 16.5"),
        ({"epochs": {"low": 3, "high": 9}}, "space.epochs: cannot be searched, because the rungs follow from it"),
        ({"model.keras": ["a.keras"]}, "space.model.keras: cannot be searched; make one study for each file"),
        ({"model": {"low": 0, "high": 1}}, 'space.model: is a table; name a key in it: "model.kind"'),
        ({"model": {"hidden": [[3]]}}, 'space.model: a key with a dot is quoted: "model.hidden" = ...'),
        ({"model.hiden": [[3]]}, "unknown key 'hiden' in study, [search]; did you mean 'hidden'?"),
        ({"model.hiden": {"low": 1, "high": 2}}, "did you mean 'hidden'?"),
        ({"model.hidden": {"low": 1, "high": 2}}, "space.model.hidden: is not a number; give a list of choices"),
        ({"optimizer": {"low": 0, "high": 1}}, "space.optimizer: is not a number; give a list of choices"),
        ({"l2.x": {"low": 0, "high": 1}}, "space.l2.x: l2 has no keys of its own; remove .x"),
        ({"optimizer": ["adam", "sgd"], "momentum": {"low": 0, "high": 0.9}}, "space.momentum: adam has none"),
        (
            {"model": [{"kind": "logistic"}, {"kind": "mlp"}], "model.hidden": [[8]]},
            "model is searched as a whole, too",
        ),
        ({"early_stopping": [False], "early_stopping.patience": [1]}, "early_stopping is searched as a whole, too"),
        ({"model": [{"keras": "a.keras"}]}, "space.model: model.keras cannot be searched; make one study"),
        ({"model": [{"origin": "a"}, {"kind": "mlp"}]}, "space.model: model.origin cannot be searched; it is a record"),
        ({"dropout": [[0.1, 0.2, 0.3]], "l2": L2}, "3 rates for 2 hidden layers"),
    ],
)
def test_a_space_that_cannot_be_searched_is_one_line(space: Any, words: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        searched(space)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ({"trials": 5}, "trials = 5 is less than batch = 10; give more trials or a smaller batch"),
        ({"batch": 50}, "batch: trials = 40 is less than batch = 50"),
        ({"halving": 1}, "halving: must be from 2 to 100, got 1"),
        ({"seeds": 0}, "seeds: must be from 1 to 100, got 0"),
        ({"trials": 1}, "trials: must be from 2 to 10000, got 1"),
        ({"sampler": "tpa"}, "unknown sampler 'tpa' in study, [search] sampler; did you mean 'tpe'?"),
        ({"objective": "test_accuracy"}, "objective"),
        ({"sampler": "gp"}, 'sampler: sampler = "gp" learns from complete trainings alone'),
        ({"sampler": "gp", "halving": 2}, 'halving: sampler = "gp" learns'),
        ({"name": "Baseline"}, "name: the study has a variant 'Baseline' already"),
        ({"name": "a/b"}, "name: a name has"),
        ({"trails": 5}, "unknown key 'trails' in study, [search]; did you mean 'trials'?"),
    ],
)
def test_settings_that_contradict_are_one_line(search: dict[str, Any], words: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        searched({"l2": L2}, **search)
    assert words in str(caught.value)


def test_a_space_smaller_than_the_search_is_refused() -> None:
    with pytest.raises(StudyFileError, match=r"40 .* are asked for, but the space has only 4; use trials = 4"):
        searched({"l2": [0.1, 0.2], "optimizer": ["adam", "sgd"]})
    with pytest.raises(StudyFileError, match="the space has one configuration; give choices"):
        searched({"l2": [0.1]})


def test_seeds_of_the_study_are_not_those_of_the_search() -> None:
    with pytest.raises(StudyFileError, match="seeds from 2000000000 on are the search's"):
        searched({"l2": L2}, {"seeds": [0, 2_000_000_001]})


def test_a_mistake_in_a_file_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    file.write_text('[data]\nname = "digits"\n[search]\ntrials = 20\n[search.space]\nl2 = { low = 2, high = 1 }\n')
    with pytest.raises(StudyFileError, match=r"lab.toml, line 6, \[search\] space.l2: low = 2 is above high = 1"):
        load_study(file)


def test_settings_from_outside_reach_a_search(tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    file.write_text('[data]\nname = "digits"\n[search.space]\nl2 = { low = 0.1, high = 1 }\n')
    spec = load_study(file, settings=["search.trials=12", "search.space.dropout={low = 0, high = 0.5}"])
    assert spec.search is not None
    assert (spec.search.trials, list(spec.search.space)) == (12, ["l2", "dropout"])
    quick = load_study(file, quick=True).search
    assert quick is not None
    assert (quick.trials, quick.batch) == (10, 10)


@pytest.mark.parametrize(("metric", "objective"), [("accuracy", "val_accuracy"), ("log_loss", "val_loss")])
def test_the_objective_follows_the_metric(metric: str, objective: str) -> None:
    assert searched({"l2": L2}, compare={"metric": metric}).objective == objective
    assert searched({"l2": L2}, compare={"metric": metric}, objective="val_accuracy").objective == "val_accuracy"


def test_a_search_survives_the_store_and_a_file(tmp_path: Path) -> None:
    space = {"l2": L2, "batch_size": {"low": 16, "high": 64}, "model.hidden": [[128], [64, 32]]}
    spec = study_from_mapping({"data": {"name": "digits"}, "search": {"space": space, "halving": False}})
    assert from_resolved(resolved(spec)) == spec
    (tmp_path / "written.toml").write_text(study_file(spec))
    assert load_study(tmp_path / "written.toml").search == spec.search


def test_another_search_is_another_study() -> None:
    one, other = (
        resolved(study_from_mapping({"name": "a", "data": {"name": "digits"}, "search": {"space": space}}))
        for space in ({"l2": L2}, {"l2": {**L2, "high": 1.0}})
    )
    without = resolved(study_from_mapping({"name": "a", "data": {"name": "digits"}}))
    assert "[search] space" in str(spec_conflicts(one, other))
    assert "[search]" in str(spec_conflicts(without, one))
    assert "[search]" in str(spec_conflicts(one, without))
    assert fingerprint(one, other)
    assert spec_conflicts(one, one) is None


def test_a_study_with_a_search_does_not_grow_in_epochs() -> None:
    spec = study_from_mapping({"data": {"name": "digits"}, "search": {"space": {"l2": L2}}})
    longer = dataclasses.replace(spec, base=dataclasses.replace(spec.base, epochs=spec.base.epochs + 1))
    assert "epochs" in str(spec_conflicts(resolved(spec), resolved(longer), growing=True))


def test_a_key_within_a_table_keeps_the_rest_of_the_base_recipe() -> None:
    base = Recipe(early_stopping=EarlyStopping(patience=9, restore_best_weights=True))
    recipe = changed(base, changes_of({"early_stopping.patience": 2, "model.hidden": [8]}, base))
    assert recipe.early_stopping == EarlyStopping(patience=2, restore_best_weights=True)
    assert recipe.model.hidden == (8,)


def test_changes_share_nothing_with_the_space() -> None:
    space = {"model": {"kind": "mlp", "hidden": [8]}, "augmentation.shift": 2}
    changes = changes_of(space, Recipe())
    changes["model"]["hidden"].append(4)
    changes["model"]["kind"] = "cnn"
    assert space["model"] == {"kind": "mlp", "hidden": [8]}


def test_a_gaussian_process_without_halving() -> None:
    assert searched({"l2": L2}, sampler="gp", halving=False).sampler == "gp"


@pytest.mark.parametrize("key", ["batch_size", "early_stopping.patience"])
def test_settings_that_take_whole_numbers(key: str) -> None:
    assert is_whole(key)
    assert not is_whole("learning_rate")


def test_configurations_are_counted_where_they_can_be() -> None:
    assert configurations(SearchSpec({"l2": (0.1, 0.2), "batch_size": Range(8, 10)})) == 6
    assert configurations(SearchSpec({"l2": Range(0, 1)})) is None


def test_corners_have_every_choice_and_pair_of_a_large_space() -> None:
    space: dict[str, Any] = {f"key{n}": tuple(f"{n}.{place}" for place in range(3)) for n in range(8)}
    found = list(corners(SearchSpec(space | {"l2": Range(0.0, 1.0)})))
    assert len(found) <= 200
    assert found == list(corners(SearchSpec(space | {"l2": Range(0.0, 1.0)})))
    pairs = {pair for values in found for pair in itertools.combinations(values.values(), 2)}
    assert len(pairs) == 8 * 7 // 2 * 9 + 8 * 3 * 2
    many = {"l2": tuple(range(300)), "dropout": (0.0, 0.1)}
    assert {values["l2"] for values in corners(SearchSpec(many))} == set(range(300))
    small = SearchSpec({"l2": (1, 2), "dropout": (0.0, 0.1, 0.2)})
    assert len({tuple(values.values()) for values in corners(small)}) == 6


def test_a_first_key_that_does_not_fit_a_large_space_is_refused() -> None:
    space = {"optimizer": ["sgd", "adam"], "momentum": [0.1, 0.2], **{key: [0, 0.1, 0.2] for key in ("l1", "l2")}}
    more = {key: [0, 0.1, 0.2] for key in ("label_smoothing", "label_noise", "dropout")}
    with pytest.raises(StudyFileError, match="adam has none"):
        searched(space | more)


@pytest.mark.parametrize("epochs", [1, 2, 3, 30, 81])
@pytest.mark.parametrize("batch", [2, 3, 10, 100])
@pytest.mark.parametrize("halving", [2, 3, 4])
def test_rungs_ascend_to_the_last_epoch(epochs: int, batch: int, halving: int) -> None:
    found = rungs(epochs, batch, halving)
    assert list(found) == sorted(set(found))
    assert found[0] >= 1
    assert found[-1] == epochs
    left = batch
    for _ in found[:-1]:
        assert left > 1  # a rung that ends nothing would be none
        left = -(-left // halving)


PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "search.md").read_text(encoding="utf-8")


def test_the_documentation_has_every_key_with_its_default() -> None:
    rows = [line.split("|")[1:3] for line in PAGE.splitlines() if line.startswith("| `")]
    told = {key.strip(" `"): default.strip(" `") for key, default in rows}
    fields = dataclasses.fields(SearchSpec)
    assert told == {f.name: "" if f.name == "space" else json.dumps(f.default) for f in fields}


def test_the_example_of_the_documentation_is_a_search(tmp_path: Path) -> None:
    (tmp_path / "my-study.toml").write_text('[data]\nname = "digits"\n' + PAGE.split("```toml")[1].split("```")[0])
    search = load_study(tmp_path / "my-study.toml").search
    assert search is not None
    assert (search.trials, len(search.space)) == (40, 4)
