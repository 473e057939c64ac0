"""A study as data: what a study file, a built-in name or Python asks, checked and complete."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from wellfit.analysis.scores import MARGINS
from wellfit.base import Question, Recipe, RunSpec, SearchSpec
from wellfit.errors import StudyFileError
from wellfit.spec.consistency import check_name, check_published, check_questions, check_recipe, same_name
from wellfit.spec.imported.study import with_networks
from wellfit.spec.overlay import entitled, extended, other_data, published_in, put, read_study, split_part
from wellfit.spec.own_words import words_from
from wellfit.spec.quick import quickened
from wellfit.spec.reading import plain_of, read_table
from wellfit.spec.search import checked_search
from wellfit.spec.source import KeyPath, Source, builtin_studies, read_setting
from wellfit.spec.tables import DATA_FILES, DataSpec, StudyFile, StudySpec, settings_of
from wellfit.spec.variants import changed, recipe_from, swept

__all__ = [
    "DataSpec",
    "StudySpec",
    "check_utf8",
    "data_study",
    "from_resolved",
    "load_study",
    "place_of",
    "recipes",
    "resolved",
    "runs",
    "study_from_mapping",
]


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
    """Load a built-in study, a study file, or a part of one.

    Args:
      study: a built-in name or the path of a TOML file, followed by ``/PART`` for a part of it; None is the
        regularization study.
      data: another data set: its name or path. The study then drops the numbers that its source published, and its
        title names these data. A built-in study that trains on some of its own data trains on all of these.
      seeds: how many (0, 1, ...), or a list of them.
      epochs: of the base recipe; a variant that sets its own keeps them.
      precision: of the matrix products: ``"float32"``, ``"mixed"`` or ``"auto"``.
      settings: ``"KEY=VALUE"`` as ``--set`` takes them: ``"train.l2=1e-4"``. The title mentions those that change
        what every variant starts from.
      quick: shrink it to about a minute, as its ``[quick]`` says; seeds, epochs and settings take precedence.

    Returns:
      The study, checked.

    Raises:
      UnknownNameError: an unknown study, part, key, optimizer, model or monitor; suggests the nearest known one.
      StudyFileError: any other mistake in the file or a setting; one line with file, line and key.

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
        check_utf8(str(data), f"--data {data}")
        given.append((("data", "name"), str(data), f"--data {data}"))
    raw = other_data(raw, {path: value for path, value, _ in given}, source)
    raw = entitled(raw, [(path, value, text) for (path, value, _), text in zip(given, settings, strict=False)])
    if quick:
        raw = quickened(raw, source)
    if data is not None:
        raw.get("data", {}).pop("path", None)
    if seeds is not None:
        given.append((("train", "seeds"), plain_of(seeds), f"--seeds {seeds}"))
    if epochs is not None:
        given.append((("train", "epochs"), epochs, f"--epochs {epochs}"))
    if precision is not None:
        given.append((("train", "precision"), precision, f"--precision {precision}"))
    changed_raw = copy.deepcopy(raw)
    put(changed_raw, given)
    try:
        spec = _build(changed_raw, dataclasses.replace(source, overrides={path: label for path, _, label in given}))
    except StudyFileError as error:
        raise _blaming(error, raw, given, source) from None
    return dataclasses.replace(spec, published_at=_published_at(study, spec.published))


def _blaming(
    error: StudyFileError, raw: dict[str, Any], given: Sequence[tuple[KeyPath, Any, str]], source: Source
) -> StudyFileError:
    """An error of a study with settings from outside; of a sound study, these are to blame, whatever the place."""
    text = str(error)
    if not given or any(label in text for _, _, label in given):
        return error
    try:
        _build(raw, source)
    except StudyFileError:
        return error
    labels = " ".join(one[2] for one in given if _fails(raw, one, source)) or given[-1][2]
    problem = text.rpartition("; ")[0] or text if "(built in)" in text else text  # nobody changes a built-in file
    return StudyFileError(f"{labels}: the study does not allow that: {problem}")


def _fails(raw: dict[str, Any], one: tuple[KeyPath, Any, str], source: Source) -> bool:
    """Whether one setting alone makes a study fail."""
    alone = copy.deepcopy(raw)
    try:
        put(alone, [one])
        _build(alone, dataclasses.replace(source, overrides={one[0]: one[2]}))
    except StudyFileError:
        return True
    return False


def _published_at(study: str | Path | None, published: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of the variants with published numbers, as the file that holds the numbers has them."""
    if study is None or split_part(study)[0] in builtin_studies() or not any(published.values()):
        return {}
    try:
        there = resolved(_build(*read_study(published_in(study))))
    except StudyFileError:  # a file that only settings from outside complete
        return {}
    return {
        "data": {key: there["data"][key] for key in ("name_or_path", "train_share")},
        "base": {"epochs": there["base"]["epochs"]},
        "variants": {name: {"recipe": v["recipe"]} for name, v in there["variants"].items() if name in published},
    }


def data_study(
    data: str | Path, *, settings: Sequence[str] = (), validation: float | None = None, where: str = "data"
) -> StudySpec:
    """A study that is only about its data, for commands that look at data.

    Args:
      data: name or path of a data set.
      settings: ``"data.KEY=VALUE"`` as ``--set`` takes them.
      validation: share of the training examples held out for validation.
      where: how an error names the data.

    Raises:
      StudyFileError: an invalid setting, or one of another table.

    Example:
      >>> data_study("people.csv", settings=["data.label=Churn"]).data.label
      'Churn'
    """
    given = [(*read_setting(text), f"--set {text}") for text in settings]
    for path, _, text in given:
        if path[0] != "data":
            raise StudyFileError(f"{text}: only settings of [data] apply here, like --set data.label=NAME; remove it")
    if validation is not None:
        given.append((("data", "validation"), validation, f"--validation {validation:g}"))
    check_utf8(str(data), f"{where} {data}")
    plain: dict[str, Any] = {"name": "study", "data": {"name": str(data)}}
    put(plain, given)
    return _build(plain, Source(where, overrides={path: label for path, _, label in given}))


def place_of(study: str | Path | None, keys: Sequence[KeyPath], settings: Sequence[str] = ()) -> str:
    """Where the user's own file or settings give a value, for an error that is found after the study is loaded.

    Args:
      study: as for ``load_study``.
      keys: paths of which the study has at most one.
      settings: as for ``load_study``.

    Returns:
      File, line, table and key, followed by a colon and a space; empty if neither a file nor a setting has it.

    Example:
      >>> place_of("lab5", [("train", "l2")], ["train.l2=1"]), place_of("lab5", [("train", "l2")])
      ('--set train.l2=1: ', '')
    """
    given = {read_setting(text)[0]: f"--set {text}: " for text in settings}
    for path in keys:
        if path in given:
            return given[path]
    if study is None or not Path(split_part(study)[0]).is_file():
        return ""
    raw, source = read_study(study)
    for path in keys:
        table: Any = raw
        for key in path:
            table = table.get(key) if isinstance(table, dict) else None
        if table is not None:
            return f"{source.place(path)}: "
    return ""


def study_from_mapping(mapping: Mapping[str, Any], where: str = "study") -> StudySpec:
    """A study from nested plain data of the same form as a study file.

    Args:
      mapping: the tables of a study file. Lists may be tuples or arrays; a model may be a ``ModelSpec``, a stopping
        rule an ``EarlyStopping``, and so on.
      where: how an error names it.

    Returns:
      The study, checked.

    Raises:
      StudyFileError: any mistake, as for ``load_study``.

    Example:
      >>> study = study_from_mapping({"data": {"name": "digits"}, "variants": {"a": {"l2": 1}, "b": {"dropout": 0.5}}})
      >>> list(study.variants), recipes(study)["a"].l2
      (['a', 'b'], 1.0)
    """
    plain, source = plain_of({"name": "study", **mapping}), Source(where)
    read_table(StudyFile, plain, source, partial=True)
    return _build(*extended(plain, source))


def check_utf8(text: str, where: str) -> None:
    """Refuse the name or path of data that a title, a database and a report cannot hold.

    Raises:
      StudyFileError: it has bytes that are not UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise StudyFileError(f"{where}: the name is not UTF-8; rename the file or folder") from None


def _build(plain: Mapping[str, Any], source: Source) -> StudySpec:
    """Check every value of the merged tables, then what must fit together."""
    read_table(StudyFile, plain, source)
    plain = with_networks(plain, source)
    file = read_table(StudyFile, plain, source)
    check_name(file["name"], ("name",), source)
    data = _data(file, source)
    of_recipe = settings_of(Recipe)
    written = {key: value for key, value in plain.get("train", {}).items() if key in of_recipe}
    written["model"] = plain.get("model", {})
    base = changed(Recipe(), written)
    check_recipe(base, written, (), source)
    study = {key: value for key, value in file.get("train", {}).items() if key not in of_recipe}
    if isinstance(seeds := study.get("seeds"), int):
        study["seeds"] = tuple(range(seeds))
    variants = _variants(plain, base, source)
    published, questions = file.get("published", {}), file.get("questions", ())
    check_published(published, variants, source)
    check_questions(questions, variants, published, source)
    spec = StudySpec(
        name=file["name"],
        title=file.get("title", file["name"]),
        data=data,
        base=base,
        variants=variants,
        published=published,
        description=file.get("description", ""),
        questions=questions,
        report=words_from(plain.get("report", {}), source),
        **study,
        **_compare(file.get("compare", {})),
    )
    if "search" in file:
        spec = dataclasses.replace(spec, search=checked_search(file["search"], plain["search"], spec, source))
    return spec


def _compare(table: Mapping[str, Any]) -> dict[str, Any]:
    """[compare], with the margin of its metric where it gives none."""
    return {"margin": MARGINS[table.get("metric", StudySpec.metric)], **table}


def _variants(plain: Mapping[str, Any], base: Recipe, source: Source) -> dict[str, Mapping[str, Any]]:
    """Every variant's changes as written, those of the sweeps last."""
    written = plain.get("variants") or {"baseline": {}}
    variants: dict[str, Mapping[str, Any]] = {}
    seen: dict[str, tuple[str, KeyPath]] = {}
    named = ((name, changes, ("variants", name)) for name, changes in written.items())
    for name, changes, at in (*named, *swept(plain.get("sweeps", {}), source)):
        check_name(name, at, source)
        if (folded := name.lower()) in seen:
            source.refuse(at, same_name(name, at, *seen[folded]))
        seen[folded] = name, at
        check_recipe(changed(base, changes), changes, at, source)
        variants[name] = changes
    return variants


def _data(file: Mapping[str, Any], source: Source) -> DataSpec:
    """[data], its path relative to the working directory instead of the study file."""
    if "data" not in file:
        fix = 'add [data] with name = "digits" or path = "my-data.csv", or extends = "lab5" above all tables'
        source.refuse(("data",), f"is missing, so there is nothing to train on; {fix}")
    settings = dict(file["data"])
    name, path = settings.pop("name", None), settings.pop("path", None)
    if (name is None) == (path is None):
        source.refuse(("data",), 'give either name (name = "digits") or path (path = "my-images/")')
    if path is not None:
        place = (source.folder or Path()) / path
        name = str(place) if len(place.parts) > 1 else f"./{place}"  # a folder called "digits" is not the data set
    files = [key for key in DATA_FILES if settings.get(key) and ("data", key) not in source.overrides]
    settings |= {key: str((source.folder or Path()) / settings[key]) for key in files}
    return DataSpec(name, **settings)


# --- The parts of a study ------------------------------------------------------------------------------------------


def recipes(spec: StudySpec) -> dict[str, Recipe]:
    """The complete recipe of each variant, in order; one that says nothing for runs that were trained elsewhere.

    Example:
      >>> recipes(load_study("lab5"))["l2"].l2
      0.001
    """
    if spec.elsewhere:
        return dict.fromkeys(spec.variants, spec.base)
    return {name: changed(spec.base, changes) for name, changes in spec.variants.items()}


def runs(spec: StudySpec) -> tuple[RunSpec, ...]:
    """All runs: the variants in order, each with every seed.

    Example:
      >>> [(run.variant, run.seed) for run in runs(load_study("lab5", seeds=2))][:3]
      [('baseline', 0), ('baseline', 1), ('l2', 0)]
    """
    return tuple(RunSpec(name, seed, recipe) for name, recipe in recipes(spec).items() for seed in spec.seeds)


# --- Plain data, for the store ----------------------------------------------------------------------------------------


def resolved(spec: StudySpec) -> dict[str, Any]:
    """A study as nested plain data, each variant with its changes and its complete recipe.

    Example:
      >>> plain = resolved(load_study("lab5"))
      >>> plain["seeds"], plain["variants"]["l2"]["changes"], plain["variants"]["l2"]["recipe"]["batch_size"]
      ([0, 1, 2, 3, 4], {'l2': 0.001}, 256)
    """
    plain: dict[str, Any] = plain_of(spec)
    if spec.elsewhere:
        return _resolved_elsewhere(spec, plain)
    del plain["elsewhere"]
    plain["variants"] = {
        name: {"changes": plain_of(spec.variants[name]), "recipe": plain_of(recipe)}
        for name, recipe in recipes(spec).items()
    }
    for key in ("published_at", "report", "search"):
        if not getattr(spec, key):
            del plain[key]
    return plain


_OF_TRAINING: Final = ("base", "precision", "published_at", "search")
"""What the resolved form of a study that was trained elsewhere does not say."""


def _resolved_elsewhere(spec: StudySpec, plain: dict[str, Any]) -> dict[str, Any]:
    """A study that was trained elsewhere, without anything about data or training that only wellfit's own have."""
    kept = {key: value for key, value in plain.items() if key not in _OF_TRAINING and (key != "report" or spec.report)}
    variants = {name: {"changes": plain_of(changes)} for name, changes in spec.variants.items()}
    return {**kept, "data": {"name_or_path": spec.data.name_or_path}, "variants": variants}


def from_resolved(plain: Mapping[str, Any]) -> StudySpec:
    """The study with this ``resolved`` form, which may have been read back from JSON.

    Raises:
      StudyFileError: it holds a setting that no study could have.

    Example:
      >>> study = load_study("lab5")
      >>> from_resolved(resolved(study)) == study
      True
    """
    source = Source("stored study")
    parts = {
        "data": read_table(DataSpec, plain["data"], source, ("data",)),
        "base": recipe_from(plain["base"]) if "base" in plain else Recipe(),
        "variants": {name: variant["changes"] for name, variant in plain["variants"].items()},
        "seeds": tuple(plain["seeds"]),
        "questions": tuple(read_table(Question, question, source) for question in plain.get("questions", ())),
        "report": words_from(plain.get("report", {}), source),
        "search": read_table(SearchSpec, plain["search"], source, ("search",)) if "search" in plain else None,
    }
    return StudySpec(**{**plain, **parts})
