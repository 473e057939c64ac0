"""Whether two studies are the same, how to merge them, and a study's default directory."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from wellfit.base import LayerSpec
from wellfit.errors import StudyFileError
from wellfit.spec.overlay import split_part
from wellfit.spec.own_words import joined_words
from wellfit.spec.reading import plain_of, read_table
from wellfit.spec.source import Source, builtin_studies
from wellfit.spec.study import DataSpec, StudySpec, load_study, resolved
from wellfit.spec.tables import DATA_FILES
from wellfit.spec.variants import recipe_from

__all__ = ["STUDIES", "default_directory", "fingerprint", "merged", "setting_differences", "spec_conflicts"]

STUDIES: Final = Path("wellfit-studies")
"""The folder of all studies without another place, in the working directory."""


def spec_conflicts(stored: Mapping[str, Any], new: Mapping[str, Any], *, growing: bool = False) -> str | None:
    """The first difference that makes two studies different ones.

    Two studies are the same if they have the same name, split, precision and base recipe, and the same recipe for each
    variant that both have. Seeds, new variants, title and published numbers may differ. Data are compared by their
    hashes elsewhere, not by their path.

    Args:
      stored: a study in ``resolved`` form, perhaps of an older version.
      new: another one.
      growing: whether the new one may have more epochs: it then continues where the stored one ended. A study with a
        search may not: what it found, it found with these epochs.

    Returns:
      The difference in words, or None.

    Example:
      >>> from wellfit.spec.study import load_study, resolved
      >>> spec_conflicts(resolved(load_study("lab5")), resolved(load_study("lab5", epochs=3, seeds=2)))
      '[train] epochs is 30 there and 3 here'
    """
    if stored["name"] != new["name"]:
        return f"it is called {stored['name']!r} there and {new['name']!r} here"
    by_wellfit = [not study.get("elsewhere") for study in (stored, new)]
    if by_wellfit[0] != by_wellfit[1]:
        there, here = ("by wellfit" if own else "elsewhere" for own in by_wellfit)
        return f"its runs were trained {there} there and {here} here"
    folded = {name.lower(): name for name in stored["variants"]}
    for name in new["variants"]:
        if (twin := folded.get(name.lower(), name)) != name:
            return f"variant {name!r} would share its files with {twin!r}"
    for key, there, here in _differences(stored, new):
        if growing and not new.get("search") and key.endswith(" epochs") and int(there) <= int(here):
            continue
        return f"{key} is {_said(there)} there and {_said(here)} here"
    return None


def _said(value: str) -> str:
    """A setting, given as JSON, in words."""
    return "not set" if value == "null" else value


def fingerprint(reference: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """A hash of a study's changes to its reference, for the name of its directory.

    Args:
      reference: a study in ``resolved`` form.
      new: the changed study.

    Returns:
      Four hexadecimal digits; empty if the two can share a directory.

    Example:
      >>> from wellfit.spec.study import load_study, resolved
      >>> lab5 = resolved(load_study("lab5"))
      >>> fingerprint(lab5, resolved(load_study("lab5", seeds=2)))
      ''
      >>> fingerprint(lab5, resolved(load_study("lab5", epochs=3)))
      '20fc'
    """
    changes = sorted((key, here) for key, _, here in _differences(reference, new))
    return hashlib.sha256(json.dumps(changes).encode()).hexdigest()[:4] if changes else ""


def setting_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Every setting in which two studies differ, whatever they are called: key, and both values as JSON or "not set".

    Settings of a variant are named if both studies have the variant and the base recipe does not differ likewise.

    Args:
      first, second: studies in ``resolved`` form.

    Example:
      >>> from wellfit.spec.study import load_study, resolved
      >>> setting_differences(resolved(load_study("lab5")), resolved(load_study("lab5", epochs=3, seeds=2)))
      (('[train] epochs', '30', '3'),)
    """
    found = list(_differences(first, second))
    of_base = {(key.removeprefix("[train] "), there, here) for key, there, here in found if key.startswith("[train] ")}
    return tuple(
        (entry, _said(before), _said(now))
        for key, there, here in found
        if not (key.startswith("[variants.") and (key.partition("] ")[2], there, here) in of_base)
        for entry, before, now in _entries(key, there, here)
    )


def _entries(key: str, there: str, here: str) -> Iterator[tuple[str, str, str]]:
    """A difference, or of two tables those of their entries."""
    before, now = json.loads(there), json.loads(here)
    if not (isinstance(before, dict) and isinstance(now, dict)):
        yield key, there, here
        return
    table = "[model] " if key == "[train] model" else f"{key}."  # a study file has the model beside [train]
    for entry in {**before, **now}:
        if before.get(entry) != now.get(entry):
            yield f"{table}{entry}", json.dumps(before.get(entry)), json.dumps(now.get(entry))


def default_directory(
    spec: StudySpec, study: str | None, data: str, *, any_epochs: bool = False, folder: Path = STUDIES
) -> Path:
    """The default directory of a study: its name and its data's name, in wellfit-studies or another folder.

    If settings or the file make it differ from the built-in study of its name (or from the file alone), a hash of the
    changes follows: the same command finds its directory again, and another command gets its own.

    Args:
      spec: the study.
      study: where it comes from, as for ``load_study``.
      data: the name of its data set.
      any_epochs: ignore the base recipe's epochs.
      folder: of all studies.
    """
    try:
        named = spec.name if spec.name in builtin_studies() else study
        builtin = isinstance(named, str) and split_part(named)[0] in builtin_studies()
        reference = load_study(named, data=spec.data.name_or_path if builtin else None)
    except StudyFileError:  # a file that only its settings complete
        reference = spec
    if any_epochs:
        reference = dataclasses.replace(reference, base=dataclasses.replace(reference.base, epochs=spec.base.epochs))
    changes = fingerprint(resolved(reference), resolved(spec))
    return folder / "-".join(filter(None, (spec.name, Path(data).name, changes)))


def _differences(stored: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every key in which two studies differ, with both values as JSON; settings that either lacks have defaults."""
    pairs = [("[data]", _data(stored), _data(new)), ("[train]", _train(stored), _train(new))]
    pairs.append(("[search]", stored.get("search") or {}, new.get("search") or {}))
    for name, variant in new["variants"].items():
        if name in stored["variants"]:
            pairs.append((f"[variants.{name}]", _variant(stored["variants"][name]), _variant(variant)))
    for table, before, now in pairs:
        for key in {**before, **now}:
            if before.get(key) != now.get(key):
                yield f"{table} {key}", json.dumps(before.get(key)), json.dumps(now.get(key))


def _data(study: Mapping[str, Any]) -> dict[str, Any]:
    table = dataclasses.asdict(read_table(DataSpec, study["data"], Source("stored study")))
    for key in ("name_or_path", *DATA_FILES):  # the same data may have another path; the store compares hashes
        del table[key]
    return {key: plain_of(value) for key, value in table.items()}


def _variant(plain: Mapping[str, Any]) -> dict[str, Any]:
    """The recipe of a variant; of one that was trained elsewhere, its settings as they were given."""
    return _recipe(plain["recipe"]) if "recipe" in plain else dict(plain["changes"])


def _train(study: Mapping[str, Any]) -> dict[str, Any]:
    if "base" not in study:
        return {}
    return {**_recipe(study["base"]), "precision": study.get("precision", StudySpec.precision)}


def _recipe(plain: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's settings as plain data, without the file that its network came from.

    Settings of layers that earlier versions lacked are left out where they have their defaults: the names of the
    directories of earlier studies depend on it.
    """
    recipe = dataclasses.asdict(recipe_from(plain))
    layers = [
        {key: value for key, value in layer.items() if _LATER.get(key) != value} for layer in recipe["model"]["layers"]
    ]
    model = {key: value for key, value in recipe["model"].items() if key != "origin"}
    return {**recipe, "model": {**model, "layers": tuple(layers)}}


_LATER: Final = {key: getattr(LayerSpec("dense"), key) for key in ("bias", "spread")}


def merged(stored: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Two versions of the same study as one: everything stored stays, new variants and seeds follow.

    If the epochs grow, they grow for stored variants too, except those that set their own. The authors' own words stay
    where the new version has none.

    Args:
      stored: a study in ``resolved`` form.
      new: another one, without conflict.

    Example:
      >>> from wellfit.spec.study import load_study, resolved
      >>> merged(resolved(load_study("lab5", seeds=[3])), resolved(load_study("lab5", seeds=2)))["seeds"]
      [3, 0, 1]
    """
    epochs = new["base"]["epochs"] if "base" in new else 0
    kept = {
        name: variant
        if "epochs" in variant["changes"] or "recipe" not in variant
        else {**variant, "recipe": {**variant["recipe"], "epochs": epochs}}
        for name, variant in stored["variants"].items()
    }
    words = joined_words(stored.get("report", {}), new.get("report", {}))
    return {
        **new,
        **({"report": words} if words else {}),
        "variants": {**kept, **new["variants"]},
        "seeds": list(dict.fromkeys([*stored["seeds"], *new["seeds"]])),
        "published": {**stored["published"], **new["published"]},
    }
