"""Texts of a study as a report may show them: what would steer a terminal, or hide or reverse a text, is spelled out.

Class names, columns, cells, file names and titles may come from a stranger. Each form of a report escapes what is
markup in its own language. This is about characters that are no markup, but act in every form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar

from wellfit.base import History, RunSummary, StudySummary
from wellfit.errors import escaped

__all__ = ["legible", "legible_summary"]

T = TypeVar("T")

_NUMBERS: Final = (History, RunSummary)  # thousands in a large study, and no texts but those of wellfit


def legible(value: T) -> T:
    r"""The same study, or any part of it, with every text as `errors.escaped` shows it.

    Args:
      value: text, a dataclass, or tuples, lists and mappings of them, keys included; anything else stays.

    Example:
      >>> from wellfit.base import Finding
      >>> legible({"a\u202eb": (1, Finding("a", "info", "bell \a", ""))})
      {'a\\u202eb': (1, Finding(code='a', level='info', message='bell \\x07', fix=''))}
    """
    return _legible(value)  # type: ignore[no-any-return]


def legible_summary(summary: StudySummary) -> StudySummary:
    """The same summary with legible texts, except for the settings, which a study file writes in its own way."""
    return replace(legible(summary), settings=summary.settings)


def _legible(value: Any) -> Any:
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {_legible(key): _legible(item) for key, item in value.items()}
    if isinstance(value, tuple):
        items = [_legible(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
    if isinstance(value, list):
        return [_legible(item) for item in value]
    if not is_dataclass(value) or isinstance(value, (type, *_NUMBERS)):
        return value
    return replace(value, **{field.name: _legible(getattr(value, field.name)) for field in fields(value) if field.init})
