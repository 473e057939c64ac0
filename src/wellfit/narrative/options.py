"""Command-line options that a sentence recommends: short enough to be copied from one line of a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from wellfit.base import Recipe

__all__ = ["new_variant_option", "option_for", "seeds_option", "setting_text", "toml_value"]


def setting_text(key: str, value: object) -> str:
    """A setting as in a study file.

    Example:
      >>> setting_text("l2", 1e-4), setting_text("model.batch_norm", True), setting_text("model.hidden", (64, 32))
      ('l2 = 0.0001', 'model.batch_norm = true', 'model.hidden = [64, 32]')
    """
    if isinstance(value, tuple):
        return f"{key} = [{', '.join(map(str, value))}]"
    if isinstance(value, bool):
        return f"{key} = {str(value).lower()}"
    return f"{key} = {value:g}" if isinstance(value, float) else f"{key} = {value}"


def new_variant_option(name: str, changes: Mapping[str, str]) -> str:
    r"""The option of ``wellfit run`` that adds a variant to the study; finished runs stay as they are.

    A short name and tables without spaces keep it on one line of a terminal; otherwise it could not be copied.

    Args:
      name: of the new variant.
      changes: key -> value in TOML.

    Example:
      >>> new_variant_option("l2=0.01", {"l2": "0.01"})
      '--set "variants.\'l2=0.01\'.l2=0.01"'
      >>> new_variant_option("stop", {"early_stopping": "{patience=5}"})
      '--set "variants.stop.early_stopping={patience=5}"'
    """
    return " ".join(f'--set "variants.{_quoted(name)}.{key}={value}"' for key, value in changes.items())


def option_for(key: str, value: float, variant: str, recipes: Mapping[str, Recipe]) -> str:
    """The option of ``wellfit run`` that trains a variant with another value of a setting.

    It changes the base recipe if there is only one variant, if the setting is the epochs that all variants share, and
    if the variant belongs to a sweep over something else. For a value of a sweep over this setting it adds a variant.
    Otherwise it changes the variant itself. It ends a sentence without a full stop, which would be copied along.

    Args:
      key: in a recipe, for example ``"learning_rate"`` or ``"early_stopping.patience"``.
      value: the new value.
      variant: name of the variant.
      recipes: of all variants.

    Example:
      >>> option_for("learning_rate", 0.1, "sgd", {"sgd": Recipe(learning_rate=1.0), "adam": Recipe()})
      '--set variants.sgd.learning_rate=0.1'
      >>> option_for("epochs", 20, "adam", {"adam": Recipe()})
      '--epochs 20'
      >>> option_for("learning_rate", 1e-4, "adam", {"adam": Recipe()})
      '--set train.learning_rate=0.0001'
    """
    number = f"{value:.3g}" if isinstance(value, float) else json.dumps(value)
    if "=" in variant and re.search(rf"(^|\W){re.escape(key)}=", variant):
        name = f"{key}={number}"
        # With a prefix, because --set treats a name close to an existing one as a typo.
        return f"as in {name}" if name in recipes else new_variant_option(f"try-{name}", {key: number})
    common_epochs = key == "epochs" and len({recipe.epochs for recipe in recipes.values()}) == 1
    if "=" in variant or len(recipes) <= 1 or common_epochs:
        return f"--epochs {number}" if key == "epochs" else f"--set train.{key}={number}"
    name = _quoted(variant)
    return f"--set variants.{name}.{key}={number}" if name == variant else new_variant_option(variant, {key: number})


def seeds_option(seeds: Sequence[int], count: int) -> str:
    """The option of ``wellfit run`` that trains more seeds and keeps the study's own.

    Args:
      seeds: of the study; a list other than 0, 1, 2, ... is extended by the smallest unused ones.
      count: of all seeds.

    Example:
      >>> seeds_option((0, 1), 5), seeds_option((7, 1), 4)
      ('--seeds 5', '--set train.seeds=[7,1,0,2]')
    """
    if sorted(seeds) == list(range(len(seeds))):
        return f"--seeds {count}"
    unused = (seed for seed in range(count + len(seeds)) if seed not in seeds)
    further = [next(unused) for _ in range(max(0, count - len(seeds)))]
    return f"--set train.seeds=[{','.join(map(str, [*seeds, *further]))}]"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f"'{name}'"


def toml_value(value: Any) -> str:
    """A setting's value as one line of TOML, as short as possible: it must fit on one line of a terminal.

    Example:
      >>> toml_value({"patience": 3, "monitor": "val_loss", "restore_best_weights": True, "shift": [0.1, 0.0]})
      '{patience=3,restore_best_weights=true,shift=[0.1,0.0]}'
    """
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if (key, item) != ("monitor", "val_loss")}  # its default
        return "{" + ",".join(f"{key}={toml_value(item)}" for key, item in kept.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(toml_value, value))}]"
    return json.dumps(value)
