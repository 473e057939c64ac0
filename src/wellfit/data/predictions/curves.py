"""Learning curves of runs that others trained, in a table: one row for each run, epoch, metric and split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from wellfit.base import DEFAULT_READING, HISTORY_COLUMNS, History
from wellfit.data.predictions.runs import GivenRuns
from wellfit.data.tables.files import load_table
from wellfit.errors import DataError

__all__ = ["histories_of"]

_FORM: Final = "the columns are variant, seed, epoch, metric (loss or accuracy), split (train or validation) and value"
_NEEDED: Final = ("variant", "seed", "epoch", "metric", "split", "value")
_METRICS: Final[Mapping[str, str]] = {"loss": "loss", "accuracy": "accuracy", "acc": "accuracy"}
_SPLITS: Final[Mapping[str, str]] = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation"
}  # fmt: skip
_MOST: Final = 1_000_000  # epochs of a run


def histories_of(curves: Any, given: GivenRuns, where: str) -> dict[tuple[str, int], History]:
    """The histories of runs.

    Args:
      curves: a DataFrame, or the path of a table.
      given: the runs, of which all curves must be.
      where: the argument or option, for errors.

    Raises:
      DataError: another form, a run that is not judged, or a column or an epoch that is there twice.
    """
    frame, place = _frame(curves, where)
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise DataError(f"{place}: has no column {missing[0]}; {_FORM}")
    if twice := [name for name in _NEEDED if list(frame.columns).count(name) > 1]:
        raise DataError(f"{place}: has {list(frame.columns).count(twice[0])} columns {twice[0]}; keep one of them")
    known = {(run.variant, run.seed) for run in given.runs}
    columns: dict[tuple[str, int], dict[str, dict[int, float]]] = {}
    for row, (variant, seed, epoch, metric, split, value) in enumerate(
        zip(*(frame[name].tolist() for name in _NEEDED), strict=True)
    ):
        at = f"{place}, row {row} (from 0)"
        column = _column(str(metric), str(split), at)
        try:
            run, number, measured = (str(variant), _whole(seed)), _whole(epoch), float(value)
        except (TypeError, ValueError, OverflowError):
            raise DataError(
                f"{at}: {seed!r}, {epoch!r} or {value!r} is no number, or seed or epoch is no whole one; {_FORM}"
            ) from None
        if run not in known:
            raise DataError(f"{at}: {run[0]!r}, seed {run[1]} is no run that is judged; leave its rows out")
        if not 0 <= number < _MOST:
            raise DataError(f"{at}: epoch {epoch!r}; number the epochs from 0 or 1")
        of = columns.setdefault(run, {}).setdefault(column, {})
        if number in of:
            raise DataError(f"{at}: epoch {number} of {run[0]!r}, seed {run[1]} has two values of {metric}, {split}; "
                            "keep one")  # fmt: skip
        of[number] = measured
    from_zero = any(0 in of for run in columns.values() for of in run.values())
    return {run: _history(of, from_zero) for run, of in columns.items()}


def _whole(value: Any) -> int:
    """A whole number, also one in a text or a float; another raises ValueError."""
    if not isinstance(value, str) and float(value) != int(value):
        raise ValueError(value)
    return int(value)


def _column(metric: str, split: str, at: str) -> str:
    kind, of = _METRICS.get(metric.strip().lower()), _SPLITS.get(split.strip().lower())
    if kind is None or of is None:
        raise DataError(f"{at}: metric {metric!r} of split {split!r}; give loss or accuracy of train or validation, "
                        "and leave other rows out")  # fmt: skip
    return f"{of}_{kind}"


def _history(columns: Mapping[str, Mapping[int, float]], from_zero: bool) -> History:
    """Epochs from 1; NaN where nothing is known."""
    first = 0 if from_zero else 1
    epochs = 1 + max(max(of) for of in columns.values()) - first
    found = {name: np.full(epochs, np.nan) for name in HISTORY_COLUMNS}
    for name, of in columns.items():
        found[name][np.array(list(of)) - first] = list(of.values())
    return History(found)


def _frame(curves: Any, where: str) -> tuple[Any, str]:
    """The table as a DataFrame, and its place."""
    if isinstance(curves, str | Path):
        table = load_table(Path(curves), DEFAULT_READING)
        frame = table.frame.copy(deep=False)
        frame.columns = [name.strip().lower() for name in (table.bare or table.names)]
        return frame, str(curves)
    if not hasattr(curves, "columns"):
        raise DataError(f"{where}: of type {type(curves).__name__}; give a DataFrame, or the path of a table; {_FORM}")
    return curves, where
