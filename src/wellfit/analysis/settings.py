"""Variants compared setting by setting: their recipes with dotted keys, and what each setting means for a sweep."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from wellfit.base import StudySummary

__all__ = ["DATA_SETTINGS", "DIRECTION", "ZERO_IS_NONE", "FlatRecipe", "flat_recipes", "flattened", "is_number"]

DIRECTION: Final = {
    **dict.fromkeys(("l1", "l2", "proximal_l1", "weight_decay", "dropout", "label_smoothing"), 1),
    **{f"augmentation.{key}": 1 for key in ("shift", "flip", "rotation", "zoom", "erasing", "noise", "mixup")},
    "max_norm": -1,
}
"""Whether larger values of a setting regularize more (1) or less (-1)."""

ZERO_IS_NONE: Final = ("max_norm", "clip_norm", "global_clip_norm")
"""Bounds for which 0 means no bound: not a small value, but one beyond the largest."""

DATA_SETTINGS: Final = ("examples", "label_noise")
"""The amount and quality of the training data: a path shows their effect, and no value is chosen."""

FlatRecipe = Mapping[str, Any]


def flat_recipes(summary: StudySummary) -> dict[str, FlatRecipe]:
    """Every variant's recipe with dotted keys, so that two can be compared setting by setting.

    A variant without a stored recipe is described by what it changes; nothing is known of one that others trained.

    Returns:
      Variant -> key -> value; lists are tuples. No dropout is 0, unless the model's layers set their own rates. The
      file that a network came from is no setting.

    Example:
      >>> from wellfit.base import VariantSummary
      >>> l2 = VariantSummary("l2", {"l2": 0.1, "model": {"hidden": [8]}}, 9, (), {}, {}, 0.0, {})
      >>> s = StudySummary("s", "?", "d", "running", (), 5, 0.0, "", (l2,), (), (), "", {}, {}, (), {}, {})
      >>> flat_recipes(s)
      {'l2': {'l2': 0.1, 'model.hidden': (8,)}}
    """
    if summary.elsewhere:
        return {variant.name: {} for variant in summary.variants}
    stored = summary.settings.get("variants", {})
    flat: dict[str, FlatRecipe] = {}
    for variant in summary.variants:
        recipe = dict(flattened(stored.get(variant.name, {}).get("recipe", variant.settings)))
        if "dropout" in recipe and recipe["dropout"] is None and recipe.get("model.kind") != "layers":
            recipe["dropout"] = 0.0
        recipe.pop("model.origin", None)
        flat[variant.name] = recipe
    return flat


def flattened(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The settings of nested tables by dotted key; lists become tuples.

    Args:
      table: nested tables.
      prefix: put before every key.

    Example:
      >>> dict(flattened({"l2": 0.1, "model": {"hidden": [8]}}))
      {'l2': 0.1, 'model.hidden': (8,)}
    """
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, _frozen(value)


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return tuple((key, _frozen(item)) for key, item in value.items())
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value


def is_number(value: Any) -> bool:
    """Whether a setting is a single finite number; booleans are not.

    Example:
      >>> is_number(0.5), is_number(None), is_number(True)
      (True, False, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
