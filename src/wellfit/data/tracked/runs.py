"""A run as a tracker keeps it, and what a user may say about how it is read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from wellfit.errors import DataError

__all__ = ["Found", "Tracked", "TrackedRun", "flat", "number"]

_MOST = 2000  # settings of a run
_DEEP = 20
_LONGEST = 250  # characters of a value


@dataclass(frozen=True)
class Tracked:
    """How the runs of a tracker are read, where it must not be guessed.

    Args:
      accuracy: the metric that is the test accuracy; by default the only one whose name says so.
      percent: whether it is in percent.
      seed: the setting that holds the seed; by default the one called seed, random_state or the like.
      by: the settings that make a variant, or the only one; by default all but the seed. Empty for the default.
      experiment: the experiment of MLflow or the study of Optuna, where there are several.
      artifact: the path of the predictions among the artifacts of each run of MLflow.

    Example:
      >>> Tracked(accuracy="val_acc", by=("lr", "dropout")).given
      ('accuracy', 'by')
    """

    accuracy: str | None = None
    percent: bool = False
    seed: str | None = None
    by: Sequence[str] = ()
    experiment: str | None = None
    artifact: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.by, str):
            object.__setattr__(self, "by", (self.by,))

    @property
    def given(self) -> tuple[str, ...]:
        """The names of what is not the default."""
        return tuple(name for name, value in vars(self).items() if value)


@dataclass(frozen=True, eq=False)
class TrackedRun:
    """One run.

    Args:
      where: it is, for errors.
      params: what it was trained with, flat; with the seed, if that is known.
      labels: other words about it, such as its name, by which runs can be grouped if the user says so.
      metrics: name -> the last value.
      curves: metric -> step -> value.
      named: variant and seed, if the names of its files or folders say so.
      artifacts: path among its artifacts -> the file.
    """

    where: str
    params: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    named: tuple[str, int] | None = None
    artifacts: Mapping[str, Path] = field(default_factory=dict)


class Found(NamedTuple):
    """What a reader found.

    Args:
      runs: in the order of the source.
      notes: what was left out or decided, one sentence each.
      kind: the program, as users call it.
      keep: what must live as long as the files of the runs.
    """

    runs: list[TrackedRun]
    notes: list[str]
    kind: str
    keep: Any = None


def number(value: Any) -> float | None:
    """A number, also one in a text; None for anything else.

    Example:
      >>> number("0.5"), number(True), number("adam"), number(None)
      (0.5, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def flat(values: Mapping[Any, Any], where: str) -> dict[str, str]:
    """Nested settings as name -> text; names of inner ones follow a slash.

    Args:
      values: what a file holds.
      where: the file, for errors.

    Raises:
      DataError: nested too deep, or too many.

    Example:
      >>> flat({"optimizer": {"name": "adam", "lr": 0.1}, "layers": [32, 32]}, "hparams.yaml")
      {'optimizer/name': 'adam', 'optimizer/lr': '0.1', 'layers': '[32, 32]'}
    """
    found: dict[str, str] = {}
    waiting: list[tuple[str, Any, int]] = [("", values, 0)]
    while waiting:
        name, value, depth = waiting.pop()
        if isinstance(value, Mapping) and value:
            if depth > _DEEP:
                raise DataError(f"{where}: settings within settings, {_DEEP} deep; flatten them")
            inner = [(f"{name}/{key}" if name else str(key), of, depth + 1) for key, of in value.items()]
            waiting.extend(reversed(inner))
        elif name:
            found[name] = _text(value)
        if len(found) > _MOST or len(waiting) > _MOST:
            raise DataError(f"{where}: more than {_MOST:,} settings; leave out what does not differ between runs")
    return found


def _text(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))  # 3.0 in a table with empty cells is 3
    if not isinstance(value, list | tuple | dict | set):
        return str(value)[:_LONGEST]
    text = ""
    for part in _parts(value):  # as repr does, but aliases of aliases in YAML would make it gigabytes
        text += part
        if len(text) >= _LONGEST:
            break
    return text[:_LONGEST]


def _parts(value: Any) -> Iterator[str]:
    """The text of a value, piece by piece."""
    if isinstance(value, dict):
        yield "{"
        for at, (key, of) in enumerate(value.items()):
            yield f"{', ' if at else ''}{key!r}: "
            yield from _parts(of)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "[" if isinstance(value, list) else "("
        for at, of in enumerate(value):
            yield ", " if at else ""
            yield from _parts(of)
        yield "]" if isinstance(value, list) else ",)" if len(value) == 1 else ")"
    elif isinstance(value, set):  # its order changes from one start of Python to the next
        yield "{"
        for at, of in enumerate(sorted(value, key=repr)):
            yield ", " if at else ""
            yield from _parts(of)
        yield "}"
    else:
        yield repr(value)
