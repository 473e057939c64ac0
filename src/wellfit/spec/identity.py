"""When two studies are the same one, what the two are together, and where a study goes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wellfit.errors import StudyFileError
from wellfit.spec.changes import recipe_from
from wellfit.spec.source import builtin_studies
from wellfit.spec.study import DataSpec, StudySpec, load_study, resolved

__all__ = ["default_directory", "fingerprint", "merged", "spec_conflicts"]


def spec_conflicts(stored: Mapping[str, Any], new: Mapping[str, Any], *, growing: bool = False) -> str | None:
    """What keeps two studies from being the same one.

    They are the same with the same name, split, precision and base recipe, and the same recipe for every variant that
    both have. Seeds, new variants, title and published numbers may differ. Whether the data are the same tell their
    hashes, not the path that leads to them.

    Args:
      stored, new: studies in ``resolved`` form.
      growing: whether the new one may have more epochs: it then goes on where the stored one ended.

    Returns:
      The first difference in words, or None.

    Example:
      >>> from wellfit.spec.study import load_study, resolved
      >>> spec_conflicts(resolved(load_study("lab5")), resolved(load_study("lab5", epochs=3, seeds=2)))
      '[train] epochs is 30 there and 3 here'
    """
    if stored["name"] != new["name"]:
        return f"it is called {stored['name']!r} there and {new['name']!r} here"
    folded = {name.lower(): name for name in stored["variants"]}
    for name in new["variants"]:
        if (twin := folded.get(name.lower(), name)) != name:
            return f"variant {name!r} would share its files with {twin!r}"
    for key, there, here in _differences(stored, new):
        if growing and key.endswith(" epochs") and int(there) <= int(here):
            continue
        return f"{key} is {there} there and {here} here"
    return None


def fingerprint(reference: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What tells a changed study from its reference in a directory's name; the same changes have the same.

    Args:
      reference, new: studies in ``resolved`` form.

    Returns:
      Four hexadecimal digits; empty where the two could share a directory.

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


def default_directory(spec: StudySpec, study: str | None, data: str, *, any_epochs: bool = False) -> Path:
    """Where a study goes that is not told where: a folder of its name and its data's name, in wellfit-studies.

    Where settings, or the file, make it another study than the built-in one of its name (or than the file alone), four
    digits of these changes follow: the same command finds its directory again, and another command makes its own.

    Args:
      spec: the study.
      study: what it was made of, as ``load_study`` takes it.
      data: the name of its data set.
      any_epochs: leave the base recipe's epochs out of account.
    """
    try:
        reference = load_study(spec.name if spec.name in builtin_studies() else study)
    except StudyFileError:  # a file that is a study with its settings only
        reference = spec
    if any_epochs:
        reference = dataclasses.replace(reference, base=dataclasses.replace(reference.base, epochs=spec.base.epochs))
    changes = fingerprint(resolved(reference), resolved(spec))
    return Path("wellfit-studies") / "-".join(filter(None, (spec.name, Path(data).name, changes)))


def _differences(stored: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every key in which two studies differ, with its values there and here as JSON.

    Both are read back first, so that what an older wellfit did not yet write has its default on both sides.
    """
    pairs = [("[data]", _split(stored), _split(new)), ("[train]", _train(stored), _train(new))]
    for name, variant in new["variants"].items():
        if name in stored["variants"]:
            there = _recipe(stored["variants"][name]["recipe"])
            pairs.append((f"[variants.{name}]", there, _recipe(variant["recipe"])))
    for table, before, now in pairs:
        for key in now:
            if before[key] != now[key]:
                yield f"{table} {key}", json.dumps(before[key]), json.dumps(now[key])


def _split(study: Mapping[str, Any]) -> dict[str, Any]:
    table = dataclasses.asdict(DataSpec(**study["data"]))
    del table["name_or_path"]  # the same data may be reached by another path; their hashes tell
    return table


def _train(study: Mapping[str, Any]) -> dict[str, Any]:
    return {**_recipe(study["base"]), "precision": study.get("precision", "float32")}


def _recipe(plain: Mapping[str, Any]) -> dict[str, Any]:
    return dataclasses.asdict(recipe_from(plain))


def merged(stored: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Two forms of the same study as one: nothing that is stored vanishes, new variants and seeds follow.

    Where the epochs grow, those of the stored variants that set none of their own grow with them.

    Args:
      stored, new: studies in ``resolved`` form, without conflict.

    Example:
      >>> from wellfit.spec.study import load_study, resolved
      >>> merged(resolved(load_study("lab5", seeds=[3])), resolved(load_study("lab5", seeds=2)))["seeds"]
      [3, 0, 1]
    """
    epochs = new["base"]["epochs"]
    kept = {
        name: variant
        if "epochs" in variant["changes"]
        else {**variant, "recipe": {**variant["recipe"], "epochs": epochs}}
        for name, variant in stored["variants"].items()
    }
    return {
        **new,
        "variants": {**kept, **new["variants"]},
        "seeds": list(dict.fromkeys([*stored["seeds"], *new["seeds"]])),
        "published": {**stored["published"], **new["published"]},
    }
