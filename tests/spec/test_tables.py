"""A setting is defined once, in a dataclass; the tables of the study file follow."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any, get_args

import pytest

from wellfit.base import LayerSpec, ModelSpec, Question, Range, Reading, Recipe, SearchSpec
from wellfit.spec import tables
from wellfit.spec.tables import DataSpec, settings_of

RECIPE = {field.name for field in dataclasses.fields(Recipe)}


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        (tables.Changes, RECIPE),
        (tables.Sweep, RECIPE),
        (tables.Train, RECIPE - {"model"} | {"seeds", "precision"}),
        (tables.Model, {field.name for field in dataclasses.fields(ModelSpec)} | {"keras"}),
        (tables.Data, {field.name for field in dataclasses.fields(DataSpec)} - {"name_or_path"} | {"name", "path"}),
    ],
)
def test_the_fields_of_the_dataclasses_are_the_keys(table: type, keys: set[str]) -> None:
    assert settings_of(table).keys() == keys


def test_the_documentation_has_every_setting_of_data() -> None:
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
    rows = [line.split("`")[1] for line in page.partition("## Settings")[2].splitlines() if line.startswith("| `")]
    assert set(rows) == settings_of(tables.Data).keys() - {"name", "path"}
    assert len(rows) == len(set(rows))


def test_types_keep_their_ranges() -> None:
    assert settings_of(tables.Changes)["l2"] == settings_of(tables.Train)["l2"] == settings_of(Recipe)["l2"]
    assert settings_of(tables.Compare)["margin"] == settings_of(tables.StudySpec)["margin"]
    assert settings_of(tables.Changes)["model"] is tables.Model  # which need not be complete
    assert get_args(settings_of(tables.Sweep)["epochs"]) == (settings_of(Recipe)["epochs"], ...)


@pytest.mark.parametrize(
    "kind",
    [Reading, DataSpec, tables.StudySpec, tables.Quick, Recipe, ModelSpec, LayerSpec, Question, SearchSpec, Range],
)
def test_every_setting_is_documented(kind: Any) -> None:
    text = "\n".join(map(inspect.cleandoc, [kind.__doc__, Reading.__doc__ or "" if issubclass(kind, Reading) else ""]))
    missing = [field.name for field in dataclasses.fields(kind) if f"\n  {field.name}: " not in text]
    assert not missing


def test_every_setting_about_data_is_in_the_table_of_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip().strip("`") for line in page.splitlines() if line.startswith("| `")}
    assert {field.name for field in dataclasses.fields(DataSpec)} - {"name_or_path"} <= rows
