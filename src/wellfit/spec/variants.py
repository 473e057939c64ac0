"""Variants: recipes that change a base recipe, written one by one or as sweeps."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from wellfit.base import ModelSpec, Recipe
from wellfit.spec.reading import read_table
from wellfit.spec.source import KeyPath, Source
from wellfit.spec.tables import Changes

__all__ = ["HIDDEN", "changed", "recipe_from", "swept"]

HIDDEN: Final = {"mlp": ModelSpec().hidden, "cnn": (16, 32, 64)}
"""Default hidden layers: units of an MLP, filters of a CNN."""

MAX_SWEEP: Final = 1000  # variants of one sweep; more is a typing error, and would not fit on a page


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A recipe with changes, given as plain data.

    Raises:
      StudyFileError: a change that no study file could make.

    Example:
      >>> changed(Recipe(), {"l2": 1, "model": {"kind": "cnn"}}).model.hidden
      (16, 32, 64)
    """
    given = read_table(Changes, changes, Source("recipe"))
    return replace(recipe, **{**given, "model": _changed_model(recipe.model, given.get("model", {}))})


def _changed_model(model: ModelSpec, given: Mapping[str, Any]) -> ModelSpec:
    """A model with changes; what its kind does not use is reset, so that equal models are equal.

    A model of another kind does not inherit hidden layers: an MLP's units are not a CNN's filters. A changed model does
    not come from the file of the other.
    """
    new = replace(model, **({"origin": "", **given} if given else {}))
    hidden = new.hidden if new.kind == model.kind or "hidden" in given else HIDDEN.get(new.kind, ())
    return replace(new, hidden=hidden if new.kind in HIDDEN else (), layers=new.layers if new.kind == "layers" else ())


def recipe_from(plain: Mapping[str, Any]) -> Recipe:
    """A recipe from its plain data, as in ``resolved(spec)["base"]``.

    Example:
      >>> from wellfit.spec.reading import plain_of
      >>> recipe_from({**plain_of(Recipe()), "dropout": [0.1, 0.2]}).dropout
      (0.1, 0.2)
    """
    return changed(Recipe(), plain)


def swept(
    sweeps: Mapping[str, Mapping[str, list[Any]]], source: Source
) -> Iterator[tuple[str, dict[str, Any], KeyPath]]:
    """The variants of all sweeps: one per value, or with several keys one per combination.

    Args:
      sweeps: name -> key -> values.
      source: where they were written.

    Yields:
      Name, changes and the path of the sweep.

    Raises:
      StudyFileError: a sweep without values, or with more than 1,000 combinations.

    Example:
      >>> [name for name, _, _ in swept({"a": {"l2": [0.1, 1], "dropout": [0.5]}}, Source("lab.toml"))]
      ['l2=0.1,dropout=0.5', 'l2=1,dropout=0.5']
    """
    for sweep, lists in sweeps.items():
        at: KeyPath = ("sweeps", sweep)
        for key, values in lists.items():
            if not values:
                source.refuse((*at, key), "a sweep needs at least one value")
        for count, combination in enumerate(itertools.product(*lists.values()) if lists else (), start=1):
            if count > MAX_SWEEP:
                source.refuse(at, f"makes more than {MAX_SWEEP} variants")
            changes = dict(zip(lists, combination, strict=True))
            yield ",".join(f"{key}={_word(value)}" for key, value in changes.items()), changes, at


def _word(value: Any) -> str:
    """A value as part of a variant's name.

    Example:
      >>> _word(1e-5), _word({"kind": "mlp", "hidden": [128, 64]}), _word(False)
      ('1e-05', 'mlp-128-64', 'false')
    """
    if isinstance(value, dict | list):
        return "-".join(_word(item) for item in (value.values() if isinstance(value, dict) else value))
    return str(value).lower() if isinstance(value, bool) else str(value)
