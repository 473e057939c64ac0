"""What a run was trained with, as a JSON text in its archive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.arrays.names import Stored
from wellfit.data.predictions.labels import array_named
from wellfit.data.predictions.tensors import untensored
from wellfit.errors import DataError

__all__ = ["SETTINGS", "first_difference", "other_setting", "settings_in", "settings_text"]

SETTINGS: Final = "settings"
"""The array with the text."""

_DEEPEST: Final = 50  # of lists and mappings within one another


def settings_text(settings: Any, where: str) -> str:
    """Settings as a JSON text.

    Args:
      settings: name -> text, number, list or mapping of these.
      where: the argument, for errors.

    Raises:
      DataError: another form.

    Example:
      >>> settings_text({"lr": np.float32(0.5), "hidden": [64, 64]}, "settings")
      '{"lr": 0.5, "hidden": [64, 64]}'
    """
    if not isinstance(settings, Mapping):
        raise DataError(f"{where}: of type {type(settings).__name__}; give name -> value")
    try:
        if _depth(dict(settings), _DEEPEST) > _DEEPEST:
            raise DataError(f"{where}: nests more than {_DEEPEST} deep; flatten it")
        return json.dumps(dict(settings), allow_nan=False, default=_plain)
    except (TypeError, ValueError, RecursionError):
        raise DataError(f"{where}: holds more than texts, finite numbers and lists; leave it out") from None


def _plain(value: Any) -> Any:
    """What JSON has for a number or an array of another library."""
    if isinstance(value, Path):
        return str(value)
    found = untensored(value)
    if isinstance(found, np.ndarray | np.generic):
        return found.tolist()
    raise TypeError(type(value).__name__)


def settings_in(arrays: Mapping[str, Stored], file: Path) -> dict[str, Any] | None:
    """The settings in an archive; None if it has none.

    Raises:
      DataError: another text.
    """
    stored = array_named(arrays, (SETTINGS,))
    if stored is None:
        return None
    text: NDArray[Any] = stored.read()
    try:
        found = json.loads(str(text.reshape(-1)[0]), parse_constant=_refuse)
        if text.size == 1 and text.dtype.kind == "U" and isinstance(found, dict):
            if _depth(found, _DEEPEST) > _DEEPEST:
                raise DataError(f"{file}: settings nest more than {_DEEPEST} deep; flatten them")
            return found
    except (ValueError, IndexError, RecursionError):
        pass
    raise DataError(f"{file}: settings are no JSON text of name -> value; leave them out, or write them with log(...)")


def _depth(value: Any, most: int) -> int:
    """How deep lists and mappings are within one another, up to a little more than ``most``."""
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return 0 if most < 0 else 1 + max((_depth(one, most - 1) for one in inside), default=-1)


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def first_difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """The first setting in which two runs differ.

    Example:
      >>> first_difference({"lr": 0.1, "l2": 0}, {"lr": 0.1, "l2": 0, "seed": 1})
      'seed'
    """
    nothing = object()
    return next((key for key in {**one, **other} if one.get(key, nothing) != other.get(key, nothing)), None)


def other_setting(key: str, here: Mapping[str, Any], before: Mapping[str, Any], first: str) -> str:
    """The line about two runs of a variant that differ in a setting."""
    now, then = (f"is {json.dumps(of[key])[:60]}" if key in of else "is missing" for of in (here, before))
    return (
        f"setting {key!r} {now}, but {then} in {first}; settings are the same for all seeds of a variant: leave out "
        "what varies with the seed"
    )
