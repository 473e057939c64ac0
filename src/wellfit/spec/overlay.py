"""Merging tables: those of a study that is extended, of a part, and settings from outside the file."""

from __future__ import annotations

import dataclasses
import difflib
import os.path
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Final

from wellfit.base import ModelSpec, Reading
from wellfit.data.entries import CATALOG
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.spec.imported.study import with_places
from wellfit.spec.reading import read_table
from wellfit.spec.source import KeyPath, Source, builtin_studies, read_file
from wellfit.spec.tables import DATA_FILES, StudyFile
from wellfit.spec.variants import swept

__all__ = [
    "entitled",
    "extended",
    "other_data",
    "published_in",
    "put",
    "read_study",
    "split_part",
    "swept_names",
    "without_variants",
]

SHARED: Final = ("data", "model", "train", "compare", "quick", "report")  # a part inherits these, not the variants
READING: Final = tuple(field.name for field in dataclasses.fields(Reading))
"""The settings of [data] that describe how certain files are read."""

SHOWN_ANYWAY: Final = (  # next to every title
    *(("data", key) for key in READING),
    ("data", "name"),
    ("data", "path"),
    ("train", "epochs"),
    ("train", "precision"),
    ("train", "seeds"),
)
TYPO: Final = 0.75  # similarity above which a new variant's name counts as a misspelling of another


def split_part(study: str | Path) -> tuple[str | Path, str | None]:
    """Split a name or path into the study and its part, if there is one.

    Args:
      study: for example ``"lab5"``, ``"lab5/depth"``, ``"my.toml"`` or ``"my.toml/depth"``.

    Example:
      >>> split_part("lab5/depth"), split_part("lab5"), split_part("folder/lab5")
      (('lab5', 'depth'), ('lab5', None), ('folder/lab5', None))
    """
    head, _, part = str(study).rpartition("/")
    builtin = isinstance(study, str) and head in builtin_studies()
    if part and (builtin or (head.endswith(".toml") and os.path.isfile(head))):
        return head, part
    return study, None


def read_study(study: str | Path, above: tuple[str, ...] = ()) -> tuple[dict[str, Any], Source]:
    """Read a built-in study, a study file or a part of one, merged with what it extends.

    Every file is checked on its own; whether the whole is complete and consistent is not.

    Args:
      study: the name of a built-in study, or the path of a TOML file; followed by ``/PART`` for a part.
      above: the studies that extend this one, to detect cycles.

    Returns:
      Nested plain data without parts, and their source.

    Raises:
      UnknownNameError: neither a built-in study nor a file, or no such part.
      StudyFileError: a file that cannot be read, is not TOML, holds a mistake, or extends itself.

    Example:
      >>> raw, source = read_study("lab5/depth")
      >>> raw["name"], raw["data"]["name"]
      ('lab5-depth', 'fashion-mnist')
    """
    if str(study) in above:
        raise StudyFileError(f"{' extends '.join([*above, str(study)])}: a study cannot extend itself")
    place, part = split_part(study)
    raw, source = read_file(place)
    read_table(StudyFile, raw, source, partial=True)
    raw = with_places(raw, source.folder)
    raw, source = extended(raw, source, (*above, str(study)))
    return (raw, source) if part is None else _part(raw, part, source, (*above, str(study)))


def _part(raw: Mapping[str, Any], part: str, source: Source, above: tuple[str, ...]) -> tuple[dict[str, Any], Source]:
    """A part, merged with the data, model and training of its study, or with the study that it extends."""
    parts = raw.get("parts", {})
    if part not in parts:
        if not parts:
            raise StudyFileError(f"{source.label}: has no parts; remove /{part}")
        raise UnknownNameError("part", part, parts, source.label)
    here = dataclasses.replace(source, prefix=("parts", part), under=source)
    own = {**parts[part], "name": f"{raw['name']}-{part}"}
    if "extends" in own:
        return extended(own, here, above)
    return _over({key: raw[key] for key in SHARED if key in raw}, own, source), here


def extended(raw: dict[str, Any], source: Source, above: tuple[str, ...] = ()) -> tuple[dict[str, Any], Source]:
    """Tables merged with those of the study that they extend, if they extend one.

    Args:
      raw: the tables; ``extends`` is a built-in study, the path of a file, or a part of either.
      source: of the tables.
      above: the studies that extend this one, to detect cycles.

    Returns:
      The merged tables, and their source.

    Raises:
      StudyFileError: as for ``read_study``, with the place of ``extends``.

    Example:
      >>> raw, _ = extended({"extends": "lab5", "name": "mine", "train": {"epochs": 5}}, Source("example"))
      >>> raw["name"], raw["train"]["epochs"], raw["train"]["batch_size"]
      ('mine', 5, 256)
    """
    if "extends" not in raw:
        return raw, source
    try:
        under, below = read_study(_extended_place(raw["extends"], source), above)
    except StudyFileError as error:
        raise StudyFileError(f"{source.place(('extends',))}: {error}") from None
    if below.folder is not None:
        data = under.get("data", {})
        places = {key: str((below.folder / data[key]).absolute()) for key in ("path", *DATA_FILES) if key in data}
        under = {**under, "data": {**data, **places}} if places else under
    merged, source = _over(under, raw, below), dataclasses.replace(source, under=below)
    gone = swept_names(under, below) - swept_names(merged, source) - raw.get("published", {}).keys()
    return without_variants(merged, gone, keep="questions" in raw), source


def _extended_place(name: str, source: Source) -> str:
    """What a file extends, as ``read_study`` takes it: a path is relative to the file."""
    named = split_part(name)[0] in builtin_studies() or not ("/" in name or name.endswith(".toml"))
    return name if named or source.folder is None else str(source.folder / name)


def published_in(study: str | Path) -> str | Path:
    """The study whose file holds the published numbers of a study: itself, or the one that it extends.

    A file that adds numbers to those of the study that it extends counts as their source.

    Args:
      study: as for ``read_study``, which has read it.

    Example:
      >>> published_in("lab5"), published_in("lab5/l2")
      ('lab5', 'lab5/l2')
    """
    place, part = split_part(study)
    raw, source = read_file(place)
    own = raw if part is None else raw["parts"][part]
    if "extends" not in own or any(own.get("published", {}).values()):
        return study
    return published_in(_extended_place(own["extends"], source))


def _over(under: Mapping[str, Any], raw: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """A study's tables merged over another's, key by key; a sweep replaces the other's sweep of the same name.

    The other's title, published numbers and settings about reading are dropped if the data differ, because they
    describe its own data, and so is what a built-in study chooses for them, see ``_whole``.

    Args:
      source: of the other study.
    """
    own, theirs = raw.get("data", {}), under.get("data", {})
    below = {key: value for key, value in under.items() if key not in ("parts", "extends")}
    if "report" in below:  # a text is about one study
        below["report"] = {key: value for key, value in below["report"].items() if key != "text"}
    for key, twin in (("name", "path"), ("path", "name")):
        if key in own and own[key] != theirs.get(key):
            kept = {k: v for k, v in theirs.items() if k != twin and k not in READING}
            below = _without_claims(_whole(below, source), "title") | {"data": kept}
    sweeps = {**below.get("sweeps", {}), **raw.get("sweeps", {})}
    merged = {key: value for key, value in _merged(below, raw).items() if key != "extends"}
    return {**merged, "sweeps": sweeps}


def _merged(under: Mapping[str, Any], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Nested tables, key by key; a table of another kind (of model, of schedule) replaces the one below."""
    merged = dict(under)
    for key, value in raw.items():
        below = under.get(key)
        merged[key] = value
        if isinstance(value, dict) and isinstance(below, dict):
            kind = below.get("kind", ModelSpec().kind if key == "model" else None)
            if value.get("kind", kind) == kind and "keras" not in value:
                merged[key] = _merged({k: v for k, v in below.items() if k != "origin"}, value)
    return merged


# --- What no longer applies when variants or data are gone ------------------------------------------------------------


def without_variants(raw: Mapping[str, Any], gone: Set[str], *, keep: bool = False) -> dict[str, Any]:
    """A study's tables without the published numbers of removed variants and the questions that name them.

    Args:
      raw: the tables.
      gone: names of the removed variants.
      keep: whether to keep all questions.
    """

    def names(question: Mapping[str, Any]) -> set[str]:
        return {question.get("variant", ""), *question.get("than", ()), *question.get("variants", ())}

    published = {name: row for name, row in raw.get("published", {}).items() if name not in gone}
    questions = [question for question in raw.get("questions", ()) if keep or not names(question) & gone]
    return {**raw, "published": published, "questions": questions}


def _without_claims(raw: Mapping[str, Any], *more: str) -> dict[str, Any]:
    """A study's tables without what its source says about its own data, and without questions about that."""
    questions = [question for question in raw.get("questions", ()) if question.get("kind") not in ("winner", "matches")]
    kept = {key: value for key, value in raw.items() if key not in ("published", "description", *more)}
    return {**kept, "questions": questions}


def _whole(raw: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """A study's tables without the number of training examples that a built-in study chooses for its own data.

    Its number of seeds, which goes with that, is dropped too. What the user's own file says stays.
    """
    train = raw.get("train", {})
    own = {key for key in ("examples", "seeds") if source.builtin(("train", key))}
    kept = {key: value for key, value in train.items() if key not in own}
    return {**raw, "train": kept} if "examples" in train and "examples" in own else dict(raw)


def swept_names(raw: Mapping[str, Any], source: Source) -> set[str]:
    """The names of the variants that a study's sweeps make."""
    return {name for name, _, _ in swept(raw.get("sweeps", {}), source)}


# --- Flags and settings -----------------------------------------------------------------------------------------------


def other_data(raw: Mapping[str, Any], given: Mapping[KeyPath, Any], source: Source) -> dict[str, Any]:
    """A study's tables for other data than the file's, if others are given.

    The title, the published numbers and the settings about reading are dropped, because they describe the file's own
    data, and so is what a built-in study chooses for its own data, see ``_whole``.

    Args:
      raw: the study's tables.
      given: path -> value, for values given outside the file.
      source: of the tables.
    """
    place = given.get(("data", "name"), given.get(("data", "path")))
    table = raw.get("data", {})
    if not isinstance(place, str) or place in ("", table.get("name")):
        return dict(raw)  # as in the file, or malformed
    if "path" in table and Path(place).absolute() == ((source.folder or Path()) / table["path"]).absolute():
        return dict(raw)
    title = CATALOG[place].title if place in CATALOG else Path(place).name
    settings = {key: value for key, value in table.items() if key not in READING}
    raw = {**raw, "data": settings} if table else raw
    raw = _whole(raw, source)
    return _without_claims(raw) | {"title": f"Which variant of {raw['name']} generalizes best on {title}?"}


def entitled(raw: Mapping[str, Any], given: Sequence[tuple[KeyPath, Any, str]]) -> dict[str, Any]:
    """A study whose title mentions the settings from outside that change all variants.

    Settings that are shown next to every title, like the number of seeds, and those of single variants are not
    mentioned.

    Args:
      raw: the study's tables, as in the file.
      given: path, value and text of each setting.

    Example:
      >>> raw = {"title": "Does a 128-64 network need l2?", "model": {"hidden": [128, 64]}}
      >>> entitled(raw, [(("model", "hidden"), [16], "model.hidden=[16]")])["title"]
      'Does a 128-64 network need l2? (with model.hidden=[16])'
    """
    texts = [
        text
        for path, value, text in given
        if path[0] in ("data", "model", "train") and path not in SHOWN_ANYWAY and _value_at(raw, path) != value
    ]
    if not texts or "title" not in raw:
        return dict(raw)
    more = [f"{len(texts) - 2} more settings"] if len(texts) > 3 else []
    return {**raw, "title": f"{raw['title']} (with {', '.join([*texts[: 3 - len(more)], *more])})"}


def _value_at(raw: Mapping[str, Any], path: KeyPath) -> Any:
    """The value at a path, or None."""
    table: Any = raw
    for key in path:
        table = table.get(key) if isinstance(table, dict) else None
    return table


def put(raw: dict[str, Any], given: Sequence[tuple[KeyPath, Any, str]]) -> None:
    """Set values in nested tables, in place; missing tables are created.

    Args:
      raw: the tables.
      given: path, value and label for errors of each setting.

    Raises:
      UnknownNameError: a variant's name that looks like a misspelling of another.
      StudyFileError: a key along the path has a value, or is one that only a file can set.
    """
    paths = {path for path, _, _ in given}
    names = list(raw.get("variants") or ["baseline"])
    for path, value, label in given:
        if path[0] in ("extends", "parts", "quick"):
            raise StudyFileError(f"{label}: {path[0]} can only be set in the study file")
        if path[0] == "variants" and not raw.get("variants"):
            raw["variants"] = {"baseline": {}}  # implied in a study without variants
        if path[0] == "variants" and len(path) > 1 and path[1] not in names and _misspelled(str(path[1]), names):
            raise UnknownNameError("variant", str(path[1]), names, label)
        if path[-2:] == ("model", "kind") and (*path[:-1], "hidden") not in paths:
            _drop_hidden(raw, path, value)
        if path[-2:-1] == ("model",):
            _drop_file(raw, path)
        table = raw
        for depth, key in enumerate(path[:-1], start=1):
            table = table.setdefault(str(key), {})
            if not isinstance(table, dict):
                raise StudyFileError(f"{label}: {'.'.join(map(str, path[:depth]))} is a value, not a table")
        table[str(path[-1])] = value


def _misspelled(name: str, names: Sequence[str]) -> bool:
    return bool(difflib.get_close_matches(name.lower(), [known.lower() for known in names], 1, TYPO))


def _drop_file(raw: Mapping[str, Any], path: KeyPath) -> None:
    """Drop where a model came from if it is changed, and all of it if a file replaces it."""
    if isinstance(table := _value_at(raw, path[:-1]), dict):
        table.pop("origin", None)
        if path[-1] == "keras":
            table.clear()


def _drop_hidden(raw: Mapping[str, Any], path: KeyPath, kind: Any) -> None:
    """Drop the hidden layers of a model of another kind."""
    table = _value_at(raw, path[:-1])
    if isinstance(table, dict) and table.get("kind", ModelSpec().kind) != kind:
        table.pop("hidden", None)
