"""A study as data: the question that a study file, a built-in name or Python asks, checked and complete."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wellfit.base import MARGIN, Question, Recipe, RunSpec
from wellfit.errors import UnknownNameError
from wellfit.spec.changes import changed, plain_of, recipe_from
from wellfit.spec.overlay import entitled, extended, other_data, put, read_study
from wellfit.spec.quick import quickened
from wellfit.spec.source import KeyPath, Source, read_setting

__all__ = [
    "DataSpec",
    "StudySpec",
    "from_resolved",
    "load_study",
    "recipes",
    "resolved",
    "runs",
    "study_from_mapping",
]


@dataclass(frozen=True)
class DataSpec:
    """What a study trains on.

    Args:
      name_or_path: a data set's name, or the path of a file or folder.
      validation: share of the training examples held out for validation.
      scale: ``"unit"`` or ``"standardize"``.
      split_seed: seed of the split, the same for every run.
      train_share: share of the training examples that is used at all, class by class; the rest is left out.
    """

    name_or_path: str
    validation: float = 0.2
    scale: str = "unit"
    split_seed: int = 0
    train_share: float = 1.0


@dataclass(frozen=True)
class StudySpec:
    """One question: a data set, a base recipe, named variants of it, seeds.

    Args:
      name: short name, fit for a file.
      title: the question, for headlines.
      data: what it trains on.
      base: the recipe that every variant starts from.
      variants: name -> what it changes in the base recipe, as it was written; the first is the reference.
      seeds: one run of every variant each.
      published: variant -> metric -> what the source of the study reports.
      description: a line for lists.
      precision: of the matrix products, ``"float32"``, ``"mixed"`` or ``"auto"``.
      margin: the largest difference in accuracy that does not matter, a share of 1; verdicts are given with it.
      questions: what it asks beyond which variants differ from the first.
    """

    name: str
    title: str
    data: DataSpec
    base: Recipe
    variants: Mapping[str, Mapping[str, Any]]
    seeds: tuple[int, ...]
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    description: str = ""
    precision: str = "float32"
    margin: float = MARGIN
    questions: tuple[Question, ...] = ()


# --- From text or Python to a study -----------------------------------------------------------------------------------


def load_study(
    study: str | Path | None = None,
    *,
    data: str | Path | None = None,
    seeds: int | Sequence[int] | None = None,
    epochs: int | None = None,
    precision: str | None = None,
    settings: Sequence[str] = (),
    quick: bool = False,
) -> StudySpec:
    """Loads a built-in study, a study file, or a part of one.

    Args:
      study: a built-in name or the path of a TOML file, with ``/PART`` after it for a part of it; None is the
        regularization study.
      data: another data set: its name or path. The study then drops the numbers that its source published, and its
        title asks of these data.
      seeds: how many (0, 1, ...), or which.
      epochs: of the base recipe; a variant that sets its own keeps them.
      precision: of the matrix products: ``"float32"``, ``"mixed"`` or ``"auto"``.
      settings: ``"KEY=VALUE"`` as ``--set`` takes them, such as ``"train.l2=1e-4"``; the title tells those that change
        what every variant starts from.
      quick: make it small enough for a minute or so, as its ``[quick]`` says; seeds, epochs and settings go before.

    Returns:
      The study, checked.

    Raises:
      UnknownNameError: an unknown study, part, key, optimizer, model or monitor; with the nearest known one.
      StudyFileError: anything else that is wrong with the file or a setting; one line, with file, line and key.

    Example:
      >>> study = load_study("regularization", seeds=2, settings=["variants.dropout.dropout=0.5"])
      >>> study.seeds, recipes(study)["dropout"].dropout
      ((0, 1), 0.5)
      >>> load_study("lab5/depth", quick=True).base.epochs
      8
    """
    raw, source = read_study("regularization" if study is None else study)
    given: list[tuple[KeyPath, Any, str]] = [(*read_setting(text), f"--set {text}") for text in settings]
    if data is not None:
        given.append((("data", "name"), str(data), f"--data {data}"))
    raw = other_data(raw, {path: value for path, value, _ in given}, source)
    raw = entitled(raw, [(path, value, text) for (path, value, _), text in zip(given, settings, strict=False)])
    if quick:
        raw = quickened(raw, source)
    if data is not None and isinstance(raw.get("data"), dict):
        raw["data"].pop("path", None)
    if seeds is not None:
        given.append((("train", "seeds"), seeds, f"--seeds {seeds}"))
    if epochs is not None:
        given.append((("train", "epochs"), epochs, f"--epochs {epochs}"))
    if precision is not None:
        given.append((("train", "precision"), precision, f"--precision {precision}"))
    put(raw, given)
    return _build(raw, dataclasses.replace(source, overrides={path: label for path, _, label in given}))


def study_from_mapping(mapping: Mapping[str, Any], where: str = "study") -> StudySpec:
    """A study from nested plain data, of the same form as a study file.

    Args:
      mapping: the tables of a study file; lists may be tuples or arrays, a model may be a ``ModelSpec``, a stopping
        rule an ``EarlyStopping`` and so on.
      where: how an error names it.

    Returns:
      The study, checked.

    Raises:
      StudyFileError: as ``load_study``.

    Example:
      >>> study = study_from_mapping({"data": {"name": "digits"}, "variants": {"a": {"l2": 1}, "b": {"dropout": 0.5}}})
      >>> list(study.variants), recipes(study)["a"].l2
      (['a', 'b'], 1.0)
    """
    return _build(*extended({"name": "study", **mapping}, Source(where)))


def _build(raw: Mapping[str, Any], source: Source) -> StudySpec:
    # pydantic, under these, is slow to load
    from wellfit.spec.checks import check_fit, check_name, check_questions, shared, swept
    from wellfit.spec.complaints import check
    from wellfit.spec.schema import METRICS, StudyTables

    plain = plain_of(raw)
    tables = check(StudyTables, plain, source)
    check_name(tables.name, ("name",), source)
    train = plain.get("train", {})
    own = {key: value for key, value in train.items() if key not in ("seeds", "precision")}
    base = changed(Recipe(), own | {"model": plain.get("model", {})})
    check_fit(base, train | {"model": plain.get("model", {})}, (), source)
    written = plain.get("variants") or {"baseline": {}}
    variants: dict[str, Mapping[str, Any]] = {}
    seen: dict[str, tuple[str, KeyPath]] = {}
    for name, changes, at in [*((n, c, ("variants", n)) for n, c in written.items()), *swept(plain, source)]:
        check_name(name, at, source)
        if (folded := name.lower()) in seen:
            source.refuse(at, shared(name, at, *seen[folded]))
        seen[folded] = name, at
        check_fit(changed(base, changes), changes, at, source)
        variants[name] = changes
    for name, metrics in tables.published.items():
        if name not in variants:
            raise UnknownNameError("variant", name, variants, source.table(("published", name)))
        for metric in metrics.keys() - METRICS:
            raise UnknownNameError("metric", metric, METRICS, source.table(("published", name, metric)))
    check_questions(tables.questions, variants, tables.published, source)
    seeds = tables.train.seeds
    return StudySpec(
        name=tables.name,
        title=tables.title or tables.name,
        data=_data(tables.data, source),
        base=base,
        variants=variants,
        seeds=tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds),
        published=tables.published,
        description=tables.description,
        precision=tables.train.precision,
        margin=tables.compare.margin,
        questions=tuple(_question(table.model_dump(exclude_none=True)) for table in tables.questions),
    )


def _question(plain: Mapping[str, Any]) -> Question:
    """A question from its plain data; lists of names as tuples."""
    fields: dict[str, Any] = {k: tuple(value) if isinstance(value, list) else value for k, value in plain.items()}
    return Question(**fields)


def _data(table: Any, source: Source) -> DataSpec:
    """[data], its path made relative to where the study is run rather than to the study file."""
    if (table.name is None) == (table.path is None):
        source.refuse(("data",), 'give either name, as name = "digits", or path, as path = "my-images/"')
    place = table.name
    if table.path is not None:
        path = (source.folder or Path()) / table.path
        place = str(path) if len(path.parts) > 1 else f"./{path}"  # a folder called "digits" is not the digits
    return DataSpec(place, table.validation, table.scale, table.split_seed, table.train_share)


# --- What a study is made of ------------------------------------------------------------------------------------------


def recipes(spec: StudySpec) -> dict[str, Recipe]:
    """Every variant's complete recipe, in order.

    Example:
      >>> recipes(load_study("lab5"))["l2"].l2
      0.001
    """
    return {name: changed(spec.base, changes) for name, changes in spec.variants.items()}


def runs(spec: StudySpec) -> tuple[RunSpec, ...]:
    """Every run: the variants in order, each with every seed.

    Example:
      >>> [(run.variant, run.seed) for run in runs(load_study("lab5", seeds=2))][:3]
      [('baseline', 0), ('baseline', 1), ('l2', 0)]
    """
    return tuple(RunSpec(name, seed, recipe) for name, recipe in recipes(spec).items() for seed in spec.seeds)


# --- Plain data, for the store ----------------------------------------------------------------------------------------


def resolved(spec: StudySpec) -> dict[str, Any]:
    """A study as nested plain data, every variant with its changes and its complete recipe.

    Example:
      >>> plain = resolved(load_study("lab5"))
      >>> plain["seeds"], plain["variants"]["l2"]["changes"], plain["variants"]["l2"]["recipe"]["batch_size"]
      ([0, 1, 2, 3, 4], {'l2': 0.001}, 256)
    """
    plain: dict[str, Any] = plain_of(spec)
    plain["variants"] = {
        name: {"changes": plain_of(spec.variants[name]), "recipe": plain_of(recipe)}
        for name, recipe in recipes(spec).items()
    }
    return plain


def from_resolved(plain: Mapping[str, Any]) -> StudySpec:
    """The study whose ``resolved`` form, perhaps read back from JSON, this is.

    Example:
      >>> study = load_study("lab5")
      >>> from_resolved(resolved(study)) == study
      True
    """
    variants = {name: variant["changes"] for name, variant in plain["variants"].items()}
    given = {"data": DataSpec(**plain["data"]), "base": recipe_from(plain["base"]), "variants": variants}
    questions = tuple(_question(question) for question in plain.get("questions", ()))  # an older study has none
    return StudySpec(**{**plain, **given, "seeds": tuple(plain["seeds"]), "questions": questions})
