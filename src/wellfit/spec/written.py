"""A study as the text of a study file: what was resolved, written so that it can be read again."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from wellfit.base import MARGIN, ModelSpec, Question, Recipe
from wellfit.spec.changes import HIDDEN
from wellfit.spec.study import StudySpec

__all__ = ["study_file"]


def study_file(spec: StudySpec) -> str:
    """Write a study as a study file.

    Args:
      spec: the study.

    Returns:
      TOML that ``load_study`` reads as the same study; every sweep is written out, variant by variant.

    Example:
      >>> from wellfit.spec.study import load_study
      >>> study_file(load_study("lab5")).splitlines()[:2]
      ['name = "lab5"', 'title = "Which regularizer helps a 128-64 network on Fashion-MNIST?"']
    """
    head = {"name": spec.name, "title": spec.title, "description": spec.description}
    data = {"name": spec.data.name_or_path, **_changed(spec.data, {"name_or_path"})}
    train = _changed(spec.base, {"model"}, Recipe()) | {"seeds": list(spec.seeds), "precision": spec.precision}
    lines = [*_pairs(head), "", "[data]", *_pairs(data), "", "[model]", *_pairs(_model(spec.base.model))]
    lines += ["", "[train]", *_pairs(train)]
    for name, changes in spec.variants.items():
        lines += ["", f"[variants.{_key(name)}]", *_pairs(changes)]
    if spec.published:
        lines += ["", "[published]", *_pairs(spec.published)]
    if spec.margin != MARGIN:
        lines += ["", "[compare]", *_pairs({"margin": spec.margin})]
    for question in spec.questions:
        asked = _changed(question, set(), Question(question.ask, question.kind))
        lines += ["", "[[questions]]", *_pairs({"ask": question.ask, "kind": question.kind, **asked})]
    return "\n".join(lines) + "\n"


def _changed(value: Any, without: set[str], usual: Any = None) -> dict[str, Any]:
    """The fields of a dataclass, as plain data; if there is a usual one, those that differ from it."""
    fields = [field.name for field in dataclasses.fields(value) if field.name not in without]
    kept = [name for name in fields if usual is None or getattr(value, name) != getattr(usual, name)]
    plain = dataclasses.asdict(value)
    return {name: plain[name] for name in kept}


def _model(model: ModelSpec) -> dict[str, Any]:
    """A model as its table says it: only what its kind has a use for."""
    table = _changed(model, {"hidden", "layers"})
    if model.kind in HIDDEN:
        table["hidden"] = list(model.hidden)
    if model.kind == "layers":  # an empty function is none, which a study file says by leaving it out
        layers = [dataclasses.asdict(layer) for layer in model.layers]
        table["layers"] = [{key: value for key, value in layer.items() if value != ""} for layer in layers]
    return table


def _pairs(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        yield f"{_key(key)} = {_value(value)}"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _value(name)


def _value(value: Any) -> str:
    """A value as TOML writes it; None is what a study file calls false: the setting is off."""
    if value is None or isinstance(value, bool):
        return str(bool(value)).lower()
    if isinstance(value, str):
        # TOML's strings are JSON's, but for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return f"{{ {', '.join(_pairs(value))} }}" if value else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    return repr(value)
