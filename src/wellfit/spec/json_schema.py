"""The JSON Schema of a study file, for editors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wellfit.spec.tables import StudyFile

__all__ = ["json_schema"]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a study file, with ranges, names and descriptions.

    Nothing is required at its top, because a file may extend another, and it holds no defaults, because a part or a
    variant inherits its settings.

    Example:
      >>> json_schema()["$defs"]["Train"]["properties"]["label_smoothing"]["description"]
      'share of the target that is spread evenly over the classes.'
    """
    schema = _tidy(StudyFile.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "wellfit study file", **schema}


def _tidy(schema: Any) -> Any:
    """A schema of TOML, which has no null, without pydantic's titles and defaults, and with the docstrings' words."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {key: _tidy(item) for key, item in schema.items() if not _is_noise(key, item)}
    for key in schema.keys() & {"properties", "$defs"}:  # whose keys are names
        tidy[key] = {name: _tidy(item) for name, item in schema[key].items()}
    if "anyOf" in tidy:
        options = [option for option in tidy.pop("anyOf") if option != {"type": "null"}]
        tidy |= options[0] if len(options) == 1 else {"anyOf": options}
    return _described(tidy) if "properties" in tidy else tidy


def _is_noise(key: str, item: Any) -> bool:
    return key == "default" or (key == "title" and isinstance(item, str))


def _described(table: dict[str, Any]) -> dict[str, Any]:
    """A table that allows its own keys only, each described as in the docstring of its dataclass."""
    text = table["description"].replace("``", "")
    entries = re.findall(r"^  (\w+): (.*(?:\n {4}.*)*)", text, re.MULTILINE)
    words = {key: " ".join(what.split()) for key, what in reversed(entries)}  # the table's own words come first
    properties: Mapping[str, Any] = table["properties"]
    return {
        **table,
        "description": " ".join(text.split("\n\n")[0].split()),
        "properties": {key: {**item, "description": words[key]} for key, item in properties.items()},
        "additionalProperties": False,
    }
