"""What a study file may say: its tables, made from the dataclasses that hold each setting's type, range and default."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, Final, Literal, get_type_hints

from annotated_types import Interval
from pydantic import BaseModel, ConfigDict, create_model

from wellfit.analysis.scores import ScoredMetric
from wellfit.base import (
    MARGIN,
    Count,
    Metric,
    ModelSpec,
    OwnWords,
    PositiveShare,
    ProperShare,
    Question,
    Rate,
    Reading,
    Recipe,
    SearchSpec,
    Seed,
    Seeds,
    Text,
)

__all__ = [
    "DATA_FILES",
    "Changes",
    "DataSpec",
    "Part",
    "PrecisionChoice",
    "Quick",
    "Report",
    "StudyFile",
    "StudySpec",
    "settings_of",
]

PrecisionChoice = Literal["float32", "mixed", "auto"]
Folds = Annotated[int, Interval(ge=1, le=1000)]
SeedCount = Annotated[int, Interval(ge=1, le=10_000)]

DATA_FILES: Final = ("test_file", "validation_file")
"""The settings of ``DataSpec`` that are paths; in a study file they are relative to it."""


@dataclass(frozen=True)
class DataSpec(Reading):
    """The data that a study trains on, and how they are read.

    Args:
      name_or_path: a data set's name, or the path of a file or folder.
      validation: share of the training examples that is held out for validation.
      scale: ``"unit"`` divides pixels by their largest value; ``"standardize"`` gives each feature mean 0 and standard
        deviation 1; ``"auto"`` is unit for images and standardize for tables.
      folds: seed s leaves out fold s mod folds: as its test set if the data have none of their own, or else as its
        validation set. 1 is one split for all seeds.
      split_seed: seed of folds and splits.
      train_share: share of the training examples that is used at all, stratified by class; the rest is left out.
    """

    name_or_path: str
    validation: ProperShare = 0.2
    scale: Literal["auto", "unit", "standardize"] = "auto"
    folds: Folds = 5
    split_seed: Seed = 0
    train_share: PositiveShare = 1.0


@dataclass(frozen=True)
class StudySpec:
    """One question: a data set, a base recipe, named variants of it, seeds.

    Args:
      name: short name, usable as a file name.
      title: the question, for headlines.
      data: the data to train on.
      base: the recipe that every variant starts from.
      variants: name -> changes to the base recipe, as written; the first variant is the reference.
      seeds: each variant is trained once per seed.
      published: variant -> metric -> what the source of the study reports.
      description: one line for lists.
      precision: of the matrix products; ``"mixed"`` computes them in bfloat16, ``"auto"`` does so where it is faster.
      metric: what variants are compared on: verdicts, ranking and conclusion rest on it alone.
      margin: the largest difference in it that does not matter, shares as fractions of 1; by default 0.001 for shares,
        0.005 for the log loss and 0.002 for the Brier score.
      questions: what the study asks beyond which variants differ from the first.
      published_at: the settings behind the published numbers of a study file, in the form of ``resolved``: those of
        the file, without settings from outside. Empty for built-in studies, whose name tells.
      report: what the authors say in the report themselves.
      search: which configurations are tried before the study is judged; the best one becomes another variant.
      elsewhere: whether wellfit only judges runs that others trained. Its variants then hold their settings as they
        were given, whatever these mean, and ``base`` says nothing.
    """

    name: str
    title: str
    data: DataSpec
    base: Recipe
    variants: Mapping[str, Mapping[str, Any]]
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    description: str = ""
    precision: PrecisionChoice = "float32"
    metric: ScoredMetric = "accuracy"
    margin: Rate = MARGIN
    questions: tuple[Question, ...] = ()
    published_at: Mapping[str, Any] = field(default_factory=dict, compare=False)
    report: OwnWords = field(default_factory=OwnWords)
    search: SearchSpec | None = None
    elsewhere: bool = False


@dataclass(frozen=True)
class Quick:
    """[quick]: the smaller version that ``--quick`` trains.

    Args:
      epochs: of the base recipe; those of variants shrink in proportion.
      seeds: at most this many.
      values: at most this many values of each list of a sweep.
      train_share: at most this share of the training examples.
    """

    epochs: Count = 3
    seeds: SeedCount = 2
    values: Annotated[int, Interval(ge=2, le=1000)] = 3
    train_share: PositiveShare = 0.25


# --- The tables -------------------------------------------------------------------------------------------------------
# A table need not give every setting: what it leaves out is inherited, or has the default of its dataclass.


@cache
def settings_of(table: type) -> dict[str, Any]:
    """The settings of a table or dataclass: name -> annotated type.

    Example:
      >>> list(settings_of(Quick))
      ['epochs', 'seeds', 'values', 'train_share']
    """
    return get_type_hints(table, include_extras=True)


def _table(name: str, text: str, settings: Mapping[str, Any], *documents: type) -> type[BaseModel]:
    """A table; ``text`` and the docstrings of ``documents`` describe it and its settings."""
    fields: dict[str, Any] = {key: (declared, None) for key, declared in settings.items()}
    doc = "\n\n".join((text, *(inspect.getdoc(kind) or "" for kind in documents)))
    return create_model(name, __config__=ConfigDict(defer_build=True), __doc__=doc, **fields)


def _without(settings: Mapping[str, Any], left_out: str) -> dict[str, Any]:
    return {key: declared for key, declared in settings.items() if key != left_out}


_DATA = """[data]: the data to train on; give either name or path.

Args:
  name: of a data set; see wellfit list.
  path: of a file or folder, relative to the study file.
"""
_MODEL = """[model]: the architecture of a network.

Args:
  keras: a .keras file, relative to the study file, whose network this is; no other key is given then.
"""
_TRAIN = """[train]: the base recipe that every variant starts from, except its model.

Args:
  seeds: how many (0, 1, ...), or a list of them.
"""
_PART = """[parts.NAME]: another question about the same data.

Args:
  extends: another study, a study file, or a part of either; this one then says only what differs.
  title: the question, for headlines.
  description: one line for lists.
  data: the data to train on.
  model: the architecture of the base recipe.
  train: the base recipe.
  variants: named changes to the base recipe; the first variant is the reference.
  sweeps: named lists of values; one variant per value, or per combination.
  published: what the source of the study reports, by variant and metric.
  compare: how variants are compared.
  search: which configurations are tried first; the best one becomes another variant.
  questions: what the study asks beyond which variants differ from the first.
  quick: the smaller version that --quick trains.
  report: who hands the report in, and in whose own words.
"""
_REPORT = """[report]: who hands the report in, and what they say in it themselves; changing it trains nothing again.

Args:
  authors: names, a list or one text.
  course: for which it is handed in.
  text: in Markdown, one text that precedes the report, or a table [report.text] with a text for each section.
"""
_STUDY = """A study file: one question, asked of a data set.

Args:
  name: short name, usable as a file name.
  parts: further questions about the same data.
"""

_study, _recipe = settings_of(StudySpec), settings_of(Recipe)

_data = {"name": Text, "path": Text, **_without(settings_of(DataSpec), "name_or_path")}
Data = _table("Data", _DATA, _data, DataSpec, Reading)
Model = _table("Model", _MODEL, {**settings_of(ModelSpec), "keras": Text}, ModelSpec)
_train = {**_without(_recipe, "model"), "seeds": SeedCount | Seeds, "precision": _study["precision"]}
Train = _table("Train", _TRAIN, _train, Recipe, StudySpec)
Changes = _table("Changes", "[variants.NAME]: changes to the base recipe.", {**_recipe, "model": Model}, Recipe)
_swept: dict[str, Any] = {
    key: tuple[declared, ...]  # type: ignore[valid-type]
    for key, declared in settings_of(Changes).items()
}
Sweep = _table("Sweep", "[sweeps.NAME]: one variant per value of a list, or per combination.", _swept, Recipe)
_compare = {key: _study[key] for key in ("metric", "margin")}
Report = _table("Report", _REPORT, {"authors": str | tuple[str, ...], "course": str, "text": str | dict[str, str]})
Compare = _table("Compare", "[compare]: how variants are compared.", _compare, StudySpec)

_part: dict[str, Any] = {
    "extends": Text,
    "title": Text,
    "description": str,
    "data": Data,
    "model": Model,
    "train": Train,
    "variants": dict[str, Changes],  # type: ignore[valid-type]
    "sweeps": dict[str, Sweep],  # type: ignore[valid-type]
    "published": dict[str, dict[Metric, float]],
    "compare": Compare,
    "search": SearchSpec,
    "questions": tuple[Question, ...],
    "quick": Quick,
    "report": Report,
}
Part = _table("Part", _PART, _part)
StudyFile = _table("StudyFile", f"{_STUDY}\n{_PART}", {"name": str, **_part, "parts": dict[str, Part]})  # type: ignore[valid-type]
