"""The JSON Schema says what the checks say."""

from __future__ import annotations

import dataclasses
import json
from typing import get_args

from wellfit.base import Optimizer, Recipe
from wellfit.spec.json_schema import json_schema
from wellfit.spec.tables import DataSpec, StudyFile, settings_of

SCHEMA = json_schema()
TABLES = SCHEMA["$defs"]


def test_every_table_knows_its_keys_and_describes_them() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["properties"].keys() == settings_of(StudyFile).keys()
    for table in (SCHEMA, *TABLES.values()):
        assert table["additionalProperties"] is False
        assert table["description"]
        assert all(setting["description"] for setting in table["properties"].values())
    assert TABLES["Changes"]["properties"].keys() == {field.name for field in dataclasses.fields(Recipe)}
    assert TABLES["Data"]["properties"]["name"]["description"] == "of a data set; see wellfit list."
    assert DataSpec.__doc__
    assert TABLES["Data"]["properties"]["split_seed"]["description"] in DataSpec.__doc__


def test_it_has_the_ranges_and_names_of_the_settings() -> None:
    train = TABLES["Train"]["properties"]
    assert train["optimizer"]["enum"] == list(get_args(Optimizer))
    smoothing = {"exclusiveMaximum": 1, "minimum": 0, "type": "number"}
    assert train["label_smoothing"].items() > smoothing.items()
    assert TABLES["Sweep"]["properties"]["label_smoothing"]["items"] == smoothing
    seeds = {"minItems": 1, "uniqueItems": True, "type": "array"}
    assert train["seeds"]["anyOf"][1].items() > seeds.items()
    assert TABLES["Model"]["properties"]["hidden"]["maxItems"] == 64
    assert {"const": False} in train["early_stopping"]["anyOf"]
    assert train["examples"]["anyOf"][1] == {"const": False}
    assert train["momentum"].items() > {"type": "number", "minimum": 0, "exclusiveMaximum": 1}.items()


def test_it_has_neither_defaults_nor_nulls_and_asks_for_no_table() -> None:
    text = json.dumps(SCHEMA)
    assert '"default"' not in text
    assert '"null"' not in text
    assert "required" not in SCHEMA
    assert [name for name, table in TABLES.items() if "required" in table] == [
        *("Averaging", "EarlyStopping", "LayerSpec", "Question", "Range")
    ]
    assert SCHEMA["properties"]["title"]["type"] == "string"  # a key of the file, not pydantic's title of a schema
