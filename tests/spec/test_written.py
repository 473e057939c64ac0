"""A study file that is written is read as the same study."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit.base import EarlyStopping, Schedule
from wellfit.spec.listing import list_studies
from wellfit.spec.study import from_resolved, load_study, recipes, resolved, study_from_mapping
from wellfit.spec.written import study_file

EVERYTHING = [listed.name for listed in list_studies()]


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize("quick", [False, True])
def test_every_built_in_study_is_read_as_it_was(name: str, quick: bool, tmp_path: Path) -> None:
    study = load_study(name, quick=quick)
    file = tmp_path / "study.toml"
    file.write_text(study_file(study), encoding="utf-8")
    again = load_study(file)
    assert again == study
    assert recipes(again) == recipes(study)


LAYERS = [
    {"kind": "conv2d", "filters": 4, "function": "relu", "bias": False, "initializer": "random_normal", "spread": 0.1},
    {"kind": "flatten"},
    {"kind": "dense", "units": 10},
]


@pytest.mark.parametrize(
    "tables",
    [
        {"model": {"kind": "layers", "layers": LAYERS}},
        {"model": {"kind": "cnn", "hidden": [8, 16]}, "data": {"name": './my images/a"b\\c'}},
        {"train": {"early_stopping": EarlyStopping(3), "class_weights": [1, 2.5], "l2": [1e-3, 0]}},
        {"train": {"early_stopping": {"patience": 2}}, "variants": {"a": {}, "b": {"early_stopping": False}}},
        {"train": {"schedule": Schedule("cosine"), "examples": 50}, "variants": {"a": {}, "b": {"schedule": None}}},
        {"compare": {"metric": "log_loss"}},
        {"compare": {"metric": "brier", "margin": 0.001}},
        {"compare": {"margin": 0.004}, "train": {"seeds": [3, 9], "precision": "mixed", "augmentation": {"flip": 0.5}}},
    ],
)
def test_what_a_study_may_hold_survives(tables: dict[str, object], tmp_path: Path) -> None:
    study = from_resolved(resolved(study_from_mapping({"name": "s", "data": {"name": "digits"}, **tables})))
    file = tmp_path / "study.toml"
    file.write_text(study_file(study), encoding="utf-8")
    again = load_study(file)
    assert recipes(again) == recipes(study)
    assert dataclasses.replace(again, variants=study.variants) == study  # None is written as false


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(str.strip)


@given(title=TEXT, l2=st.floats(0, 1), rates=st.lists(st.floats(0, 0.9), min_size=2, max_size=2))
def test_any_title_and_any_number_survive(
    title: str, l2: float, rates: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tables = {"title": title, "data": {"name": "digits"}, "variants": {"a": {"l2": l2}, "b=1.5+c": {"dropout": rates}}}
    study = study_from_mapping(tables)
    file = tmp_path_factory.mktemp("written") / "study.toml"
    file.write_text(study_file(study), encoding="utf-8")
    again = load_study(file)
    assert again.title == study.title
    assert math.isclose(recipes(again)["a"].l2, l2, rel_tol=0, abs_tol=0)
    assert again.variants == study.variants
