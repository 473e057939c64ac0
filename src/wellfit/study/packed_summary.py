"""A summary as named arrays and plain data that JSON can hold, and back: every value, type and order the same.

Histories are one array, since they are by far the most. Everything else is plain data, with the class of each part by
its name; only the classes of a summary are known, so that nothing else can come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import (
    HISTORY_COLUMNS,
    Answer,
    Comparison,
    Divergence,
    EarlierLooks,
    Finding,
    History,
    PairedEvidence,
    Ranked,
    RunSummary,
    SearchResult,
    Sentence,
    StudySummary,
    Trial,
    VarianceComponents,
    VariantSummary,
)

__all__ = ["packed", "unpacked"]

Arrays = dict[str, NDArray[Any]]

_CLASSES: Final[Mapping[str, Any]] = {
    of.__name__: of
    for of in (
        *(Answer, Comparison, Divergence, EarlierLooks, Finding, PairedEvidence, Ranked, RunSummary, SearchResult),
        *(Sentence, StudySummary, Trial, VarianceComponents, VariantSummary),
    )
}
_TUPLE: Final = "()"
_MAPPING: Final = "{}"
_PLAIN: Final = (str, int, float, bool, type(None))


def packed(summary: StudySummary) -> tuple[Arrays, Any]:
    """A summary as arrays and plain data.

    Raises:
      TypeError: something in it is neither plain nor of a class of summaries.

    Example:
      >>> summary = StudySummary("s", "?", "digits", "finished", (0,), 1, 1.0, "", (), (), (), "", {}, {}, (), {}, {})
      >>> arrays, plain = packed(summary)
      >>> unpacked(arrays, plain).seeds
      (0,)
    """
    every = [history for of in summary.histories.values() for history in of.values()]
    epochs, end = np.empty((sum(map(len, every)), len(HISTORY_COLUMNS))), 0  # (all epochs, columns)
    for history in every:
        begin, end = end, end + len(history)
        for column, name in enumerate(HISTORY_COLUMNS if len(history) else ()):
            epochs[begin:end, column] = history[name]
    arrays: Arrays = {"epochs": epochs}
    arrays |= {f"confusion {number}": counts for number, counts in enumerate(summary.confusion.values())}
    lengths = {name: {seed: len(history) for seed, history in of.items()} for name, of in summary.histories.items()}
    rest = replace(summary, histories={}, confusion={})
    return arrays, _plain((rest, lengths, tuple(summary.confusion)))


def unpacked(arrays: Arrays, plain: Any) -> StudySummary:
    """The summary that was packed.

    Args:
      arrays, plain: as ``packed`` gave them.

    Raises:
      KeyError, IndexError, TypeError, ValueError, AttributeError: they are something else.
    """
    summary, lengths, confusion = _restored(plain)
    epochs = arrays["epochs"]
    if sum(length for of in lengths.values() for length in of.values()) != len(epochs):
        raise ValueError("other epochs than those of its histories")
    histories: dict[str, dict[int, History]] = {}
    end = 0
    for name, of in lengths.items():
        histories[name] = {}
        for seed, length in of.items():
            begin, end = end, end + length
            histories[name][seed] = History(dict(zip(HISTORY_COLUMNS, epochs[begin:end].T, strict=True)))
    counts = {name: arrays[f"confusion {number}"] for number, name in enumerate(confusion)}
    found: StudySummary = replace(summary, histories=histories, confusion=counts)
    return found


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return [_plain(item) for item in value]
    if kind is tuple:
        return {_TUPLE: [_plain(item) for item in value]}
    if kind in (dict, MappingProxyType):
        return {_MAPPING: [[_plain(key), _plain(item)] for key, item in value.items()]}
    if isinstance(value, np.generic):
        return value.item()
    if _CLASSES.get(kind.__name__) is not kind:
        raise TypeError(f"{kind.__name__} is no part of a summary")
    return {kind.__name__: [_plain(item) for item in _items(value)]}


def _items(value: Any) -> Iterator[Any]:
    """The values of a dataclass or a named tuple, in order."""
    return iter(value) if isinstance(value, tuple) else (getattr(value, field.name) for field in fields(value))


def _restored(plain: Any) -> Any:
    if type(plain) in _PLAIN:
        return plain
    if type(plain) is list:
        return [_restored(item) for item in plain]
    ((kind, items),) = plain.items()
    if kind == _MAPPING:
        return {_restored(key): _restored(item) for key, item in items}
    values = map(_restored, items)
    return tuple(values) if kind == _TUPLE else _CLASSES[kind](*values)
