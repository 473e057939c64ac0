"""Recipes and their changes as plain data: what tables say, made of the types that ``Recipe`` declares, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from wellfit.base import Augmentation, Averaging, EarlyStopping, LayerSpec, ModelSpec, Recipe, Schedule

__all__ = ["HIDDEN", "changed", "plain_of", "recipe_from"]

HIDDEN: Final = {"mlp": ModelSpec().hidden, "cnn": (16, 32, 64)}
"""The hidden layers of a kind of model that is given without any: units of an MLP, filters of a CNN."""


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """A recipe with the changes of a table that was checked.

    Example:
      >>> changed(Recipe(), {"l2": 1, "model": {"kind": "cnn"}}).model.hidden
      (16, 32, 64)
    """
    fields = _typed(Recipe, {key: value for key, value in changes.items() if key != "model"})
    if "model" in changes:
        fields["model"] = _changed_model(recipe.model, changes["model"])
    return dataclasses.replace(recipe, **fields)


def _changed_model(model: ModelSpec, table: Mapping[str, Any]) -> ModelSpec:
    """A model with the changes of a table; what its kind has no use for is left out, so that equal models are equal.

    A model of another kind does not take over the hidden layers: the units of an MLP are no filters of a CNN.
    """
    new = dataclasses.replace(model, **_typed(ModelSpec, table))
    anew = new.kind != model.kind and "hidden" not in table
    hidden = HIDDEN.get(new.kind, ()) if anew else new.hidden
    layers = new.layers if new.kind == "layers" else ()
    return dataclasses.replace(new, hidden=hidden if new.kind in HIDDEN else (), layers=layers)


_PARTS: Final = {part.__name__: part for part in (EarlyStopping, Averaging, Augmentation, Schedule, LayerSpec)}


def _typed(kind: type, table: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data as the fields of a dataclass declare them: floats, tuples and the dataclasses of parts."""
    types = {f.name: str(f.type) for f in dataclasses.fields(kind)}
    return {key: _converted(types[key], value) for key, value in table.items()}


def _converted(declared: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_converted(declared, item) for item in value)
    if isinstance(value, dict):
        part = next(part for name, part in _PARTS.items() if name in declared)
        return part(**_typed(part, value))
    if "None" in declared and value is False:
        return None
    return float(value) if "float" in declared and value is not None else value


def plain_of(value: Any) -> Any:
    """Nested dicts, lists and Python scalars, from TOML, JSON or Python.

    Example:
      >>> plain_of({"early_stopping": EarlyStopping(patience=3)})["early_stopping"]["patience"]
      3
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain_of(dataclasses.asdict(value))
    if isinstance(value, Mapping):
        return {key: plain_of(item) for key, item in value.items()}
    if isinstance(value, tuple | list | range):
        return [plain_of(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value  # NumPy's arrays and scalars


def recipe_from(plain: Mapping[str, Any]) -> Recipe:
    """A recipe from its plain data, such as ``resolved(spec)["base"]``.

    Example:
      >>> recipe_from({**plain_of(Recipe()), "dropout": [0.1, 0.2]}).dropout
      (0.1, 0.2)
    """
    return changed(Recipe(), plain)
