"""Learning curves of runs that others trained, in a table: one row for each run, epoch, metric and split."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from wellfit.base import DEFAULT_READING, HISTORY_COLUMNS, History
from wellfit.data.predictions.runs import GivenRuns
from wellfit.data.predictions.tensors import untensored
from wellfit.data.tables.files import load_table, without_settings
from wellfit.errors import DataError

__all__ = ["CURVES", "epoch_metric", "epoch_rows", "histories_of", "run_history", "stored_history"]

CURVES: Final = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
"""Columns of a history that others know, and arrays of the same names in the archive of a run."""

_FORM: Final = "the columns are variant, seed, epoch, metric (loss or accuracy), split (train or validation) and value"
_NEEDED: Final = ("variant", "seed", "epoch", "metric", "split", "value")
_METRICS: Final[Mapping[str, str]] = {"loss": "loss", "accuracy": "accuracy", "acc": "accuracy"}
_SPLITS: Final[Mapping[str, str]] = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation"
}  # fmt: skip
_MOST: Final = 1_000_000  # epochs of a run
_LARGEST: Final = 1e30
_ROW: Final = "give rows of epoch, metric, split and value, or name -> one value per epoch"
_ACCURACIES: Final = ("categorical_accuracy", "sparse_categorical_accuracy", "binary_accuracy")
"""Further names of the accuracy in Keras."""


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
                f"{at}: {seed!r}, {epoch!r} or {value!r} is not a number, or seed or epoch is no whole one; {_FORM}"
            ) from None
        if run not in known:
            raise DataError(f"{at}: {run[0]!r}, seed {run[1]} is no run that is judged; leave its rows out")
        of = columns.setdefault(run, {}).setdefault(column, {})
        _note(of, number, measured, at, f" of {run[0]!r}, seed {run[1]}", f"{metric}, {split}")
    from_zero = any(0 in of for run in columns.values() for of in run.values())
    return {run: _history(of, from_zero) for run, of in columns.items()}


def run_history(curves: Any, where: str) -> History:
    """The history of one run.

    Args:
      curves: rows of epoch, metric, split and value, in a DataFrame with these columns or a list; or name -> one value
        per epoch, as Keras has it in ``history.history``: of it, losses and accuracies are kept.
      where: the argument, for errors.

    Raises:
      DataError: another form, or an epoch that is there twice.

    Example:
      >>> run_history({"loss": [0.9, 0.7], "val_accuracy": [0.6, 0.8], "learning_rate": [0.1, 0.1]}, "curves")[
      ...     "validation_accuracy"
      ... ].tolist()
      [0.6, 0.8]
    """
    columns: dict[str, dict[int, float]] = {}
    for at, epoch, metric, split, value in _rows(curves, where):
        column = _column(str(metric), str(split), at)
        try:
            number, measured = _whole(epoch), float(value)
        except (TypeError, ValueError, OverflowError):
            raise DataError(f"{at}: {epoch!r} is not a whole number, or {value!r} no number; {_ROW}") from None
        _note(columns.setdefault(column, {}), number, measured, at, "", f"{metric}, {split}")
    return _history(columns, any(0 in of for of in columns.values())) if columns else History({})


def _rows(curves: Any, where: str) -> list[tuple[str, Any, Any, Any, Any]]:
    """The place of each row, and its epoch, metric, split and value."""
    if isinstance(curves, Mapping):
        named = [(name, epoch_metric(str(name)), untensored(values)) for name, values in curves.items()]
        kept = [(name, found, values) for name, found, values in named if found is not None]
        if curves and not kept:
            raise DataError(f"{where}: {', '.join(map(repr, list(curves)[:6]))}, none of which is a loss or accuracy; "
                            "name them loss, accuracy, val_loss or val_accuracy")  # fmt: skip
        if wrong := [name for name, _, values in kept if np.ndim(values) != 1 or isinstance(values, str)]:
            raise DataError(f"{where}: {wrong[0]!r} has no value for each epoch; {_ROW}")
        lengths = {len(values): name for name, _, values in kept}
        if len(lengths) > 1:
            (one, first), (other, second) = list(lengths.items())[:2]
            raise DataError(f"{where}: {first!r} has {one} values, but {second!r} has {other}; give one per epoch, or "
                            "rows of epoch, metric, split and value")  # fmt: skip
        return [
            (f"{where}, {name!r}", epoch, *found, value)
            for name, found, values in kept
            for epoch, value in enumerate(values, start=1)
        ]
    if hasattr(curves, "columns"):
        if missing := [name for name in _NEEDED[2:] if name not in curves.columns]:
            raise DataError(f"{where}: has no column {missing[0]}; {_ROW}")
        curves = list(zip(*(curves[name].tolist() for name in _NEEDED[2:]), strict=True))
    if not isinstance(curves, Sequence) or isinstance(curves, str) or any(np.shape(row) != (4,) for row in curves):
        raise DataError(f"{where}: of type {type(curves).__name__}, or a row without four values; {_ROW}")
    return [(f"{where}, row {at} (from 0)", *row) for at, row in enumerate(curves)]


def epoch_metric(name: str) -> tuple[str, str] | None:
    """Metric and split of a name that a training loop gives; None for another metric, or one of single steps.

    Example:
      >>> epoch_metric("val_sparse_categorical_accuracy"), epoch_metric("train/loss_epoch"), epoch_metric("val_auc")
      (('accuracy', 'validation'), ('loss', 'train'), None)
    """
    words = [word for word in re.split(r"[/_. ]", name.strip().lower()) if word]
    words = words[:-1] if words[-1:] == ["epoch"] else words
    split = "train"
    if words and words[0] in _SPLITS:
        split = _SPLITS[words.pop(0)]
    rest = "_".join(words)
    metric = "accuracy" if rest in _ACCURACIES else _METRICS.get(rest)
    return None if metric is None else (metric, split)


def epoch_rows(epoch: int, metrics: Mapping[str, Any]) -> list[tuple[int, str, str, float]]:
    """Rows of epoch, metric, split and value: the losses and accuracies among what was measured after an epoch.

    Example:
      >>> epoch_rows(1, {"loss": 0.5, "val_acc": 0.8, "val_accuracy": 0.8, "lr": 0.1})
      [(1, 'loss', 'train', 0.5), (1, 'accuracy', 'validation', 0.8)]
    """
    found: dict[tuple[str, str], float] = {}
    for name, value in metrics.items():
        if (named := epoch_metric(name)) is not None:
            found.setdefault(named, float(value))
    return [(epoch, metric, split, value) for (metric, split), value in found.items()]


def stored_history(read: Mapping[str, Any], where: str) -> History:
    """The history in the arrays of a run's archive.

    Args:
      read: name -> array, of ``CURVES``.  # (E,) each
      where: the file, for errors.

    Raises:
      DataError: arrays of other shapes, or of different lengths.
    """
    shapes = {values.shape for values in read.values()}
    if len(shapes) > 1 or any(v.ndim != 1 or v.dtype.kind not in "iuf" or len(v) >= _MOST for v in read.values()):
        raise DataError(f"{where}: {', '.join(read)} of shapes {', '.join(map(str, sorted(shapes)))}; give one number "
                        "per epoch, NaN where it is not known")  # fmt: skip
    return _history({name: dict(enumerate(v.astype(np.float64).tolist(), 1)) for name, v in read.items()}, False)


def _note(of: dict[int, float], epoch: int, value: float, at: str, run: str, which: str) -> None:
    """Add the value of an epoch, which must be one and there once."""
    if not 0 <= epoch < _MOST:
        raise DataError(f"{at}: epoch {epoch}; number the epochs from 0 or 1")
    if epoch in of:
        raise DataError(f"{at}: epoch {epoch}{run} has two values of {which}; keep one")
    of[epoch] = value


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
    epochs = 1 + max(max(of, default=0) for of in columns.values()) - first
    found = {name: np.full(epochs, np.nan) for name in HISTORY_COLUMNS}
    for name, of in columns.items():
        values = np.array(list(of.values()), np.float64)
        values[np.abs(values) > _LARGEST] = np.inf  # of a run that diverged; sums of them would overflow
        found[name][np.array(list(of), np.int64) - first] = values
    return History(found)


def _frame(curves: Any, where: str) -> tuple[Any, str]:
    """The table as a DataFrame, and its place."""
    if isinstance(curves, str | Path):
        with without_settings():
            table = load_table(Path(curves), DEFAULT_READING)
        frame = table.frame.copy(deep=False)
        frame.columns = [name.strip().lower() for name in (table.bare or table.names)]
        return frame, str(curves)
    if not hasattr(curves, "columns"):
        raise DataError(f"{where}: of type {type(curves).__name__}; give a DataFrame, or the path of a table; {_FORM}")
    return curves, where
