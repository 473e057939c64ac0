"""A study as the text of a study file that loads as the same study."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import tomli_w

from wellfit.analysis.scores import MARGINS
from wellfit.base import LayerSpec, ModelSpec, Question, Recipe, SearchSpec
from wellfit.errors import escaped
from wellfit.spec.tables import StudySpec
from wellfit.spec.variants import HIDDEN

__all__ = ["model_table", "study_file"]


def study_file(spec: StudySpec) -> str:
    """Write a study as a study file.

    Args:
      spec: the study.

    Returns:
      TOML that ``load_study`` reads as the same study, with sweeps written out as variants; without the variant that a
      search found, which the search of the file finds again.

    Example:
      >>> from wellfit.spec.study import load_study
      >>> study_file(load_study("lab5")).splitlines()[:2]
      ['name = "lab5"', 'title = "Which regularizer helps a 128-64 network on Fashion-MNIST?"']
    """
    data = dataclasses.asdict(spec.data)
    recipe = _changes(spec.base, Recipe())
    recipe.pop("model", None)
    found = None if spec.search is None else spec.search.name
    tables: dict[str, Any] = {
        "name": spec.name,
        "title": spec.title,
        "description": spec.description,
        "data": {"name": data.pop("name_or_path"), **data},
        "model": model_table(spec.base.model),
        "train": {**recipe, "seeds": spec.seeds, "precision": spec.precision},
        "variants": {name: _switched(changes) for name, changes in spec.variants.items() if name != found},
        "published": spec.published,
        "compare": _compare(spec),
        "search": {} if spec.search is None else _search(spec.search),
        "questions": [_question(question) for question in spec.questions],
    }
    optional = ("published", "compare", "search", "questions")
    text = tomli_w.dumps(_plain({key: table for key, table in tables.items() if table or key not in optional}))
    text = re.sub(r" = \[\n((?:    (?:[\w.+-]+|\"[^\"\\\n]*\"),\n)+)\]", _on_one_line, text)
    if spec.report:
        report = {key: value for key, value in dataclasses.asdict(spec.report).items() if value}
        text += "\n" + tomli_w.dumps(_plain({"report": report}), multiline_strings=True)
    return re.sub(r"[^\n\t -~]", _seen, text)


def _on_one_line(found: re.Match[str]) -> str:
    """A short list on one line."""
    items = ", ".join(line.strip().rstrip(",") for line in found[1].splitlines())
    return f" = [{items}]" if len(items) < 100 else found[0]


def _seen(found: re.Match[str]) -> str:
    """A character as it is, or as TOML escapes it if a reader would not see it, or would see it elsewhere."""
    return found[0] if escaped(found[0]) == found[0] else f"\\U{ord(found[0]):08X}"


def _changes(value: Any, usual: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from a usual one, as plain data."""
    return {key: item for key, item in dataclasses.asdict(value).items() if item != dataclasses.asdict(usual)[key]}


def _compare(spec: StudySpec) -> dict[str, Any]:
    """Metric and margin where they are not the usual ones; every metric has a margin of its own."""
    usual = {"metric": StudySpec.metric, "margin": MARGINS[spec.metric]}
    return {key: value for key in usual if (value := getattr(spec, key)) != usual[key]}


def _search(search: SearchSpec) -> dict[str, Any]:
    """[search] in full, because some of what it leaves out depends on the rest of the study."""
    return _switched(dataclasses.asdict(search))


def _question(question: Question) -> dict[str, Any]:
    named = {"ask": question.ask, "kind": question.kind}
    return {**named, **_changes(question, Question(question.ask, question.kind))}


def model_table(model: ModelSpec) -> dict[str, Any]:
    """A model as a table of a study file, with only the settings that its kind uses; of layers, what is not usual.

    Example:
      >>> "layers" in model_table(ModelSpec("mlp"))
      False
    """
    table = dataclasses.asdict(model)
    if not model.origin:
        del table["origin"]
    if model.kind not in HIDDEN:
        del table["hidden"]
    if model.kind == "layers":
        table["layers"] = [{"kind": k.kind, **_changes(k, LayerSpec(k.kind))} for k in model.layers]
    else:
        del table["layers"]
    return table


def _switched(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes as a study file writes them: ``false`` turns off what the base recipe has."""
    return {key: False if value is None else value for key, value in changes.items()}


def _plain(value: Any) -> Any:
    """Lists for tuples, and without None: what is left out has its default."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
