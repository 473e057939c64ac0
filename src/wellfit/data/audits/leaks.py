"""Whether a single column of a table gives the label away: a copy or code of it, or a row number of sorted rows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Finding, IntArray
from wellfit.data.audits.sets import Sets, column_name, sample
from wellfit.data.audits.signal import Agreement, agreement, at_least
from wellfit.data.parts import listed

__all__ = ["label_leaks"]

_VALUES: Final = 4_000_000  # cells looked at, so that very wide tables take no longer
_COLUMNS: Final = 10_000  # likewise
_ROWS: Final = (200, 5000)  # of each split, at least and at most
_FEWEST: Final = 20  # rows, below which a column determines the classes by chance
_NEAR: Final = 0.98  # kappa of a column that gives the label away
_ERRORS, _UNSURE = 0.03, 0.01  # such a column's error rate is below this, with this probability of being mistaken
_NUMBERED: Final = 0.3  # kappa of a row number
_CHANCE: Final = 1e-6  # probability that one of the columns does so by chance
_NUMBERED_NAME: Final = re.compile(r"column (\d+)")
_DENSE: Final = 3  # numbers of rows have a range of at most this many times the number of rows


class _Leak(NamedTuple):
    """A column, its single-column agreement with the labels, and what it is."""

    name: str
    found: Agreement
    kind: str  # "code", "number" or "value"


def label_leaks(sets: Sets) -> Iterator[Finding]:
    """Find columns that alone predict the class of held-out training examples nearly without error."""
    if sets.images or len(sets.training.y) < _FEWEST:
        return
    leaks = list(_leaks(sets))
    codes = [leak.name for leak in leaks if leak.kind == "code"]
    if codes:
        yield Finding(
            "label-leak",
            "error",
            f"{_start(codes)} {'is' if len(codes) == 1 else 'are'} the label in other words: each value stands for "
            f"one class, and each class has one value, in all {len(sets.dataset.y_train):,} training and validation "
            "examples.",
            _fix(codes),
        )
    for kind in ("number", "value"):
        some = [leak for leak in leaks if leak.kind == kind]
        if some:
            yield _finding(some, kind == "number")


def _fix(names: list[str]) -> str:
    """Which columns to leave out, by name, or by the number that stands for a name."""
    dropped = ", ".join(n.group(1) if (n := _NUMBERED_NAME.fullmatch(name)) else f'"{name}"' for name in names[:5])
    return f"Leave out what is not known before the label is: [data] drop = [{dropped}]."


def _finding(leaks: list[_Leak], numbers: bool) -> Finding:
    names = [leak.name for leak in leaks]
    worst = max(leaks, key=lambda leak: leak.found.kappa)
    rate = (
        f"{worst.name} alone predicts the class of {100 * worst.found.right / worst.found.total:.1f} % of the "
        f"training and validation examples by one another ({100 * worst.found.chance:.1f} % by chance)"
    )
    if numbers:
        what = "numbers the rows" if len(names) == 1 else "number the rows"
        message = f"{_start(names)} {what}, and the class follows their order: {rate}."
        return Finding("label-leak", "error", message, _fix(names))
    message = f"{_start(names)} may give the label away: {rate}."
    return Finding("label-leak", "warning", message, f"{_fix(names)} Otherwise, one column is all that is needed.")


def _start(names: list[str]) -> str:
    text = listed(names)
    return text[0].upper() + text[1:] if _NUMBERED_NAME.fullmatch(names[0]) else text


def _leaks(sets: Sets) -> Iterator[_Leak]:
    dataset, classes = sets.dataset, len(sets.dataset.classes)
    x, y = dataset.x_train, dataset.y_train
    width = x.shape[1]
    most = int(np.clip(_VALUES // width, *_ROWS))
    train, held = (rows[sample(len(rows), most)] for rows in (sets.splits.train, sets.splits.validation))
    numeric = set(sets.numeric)
    for j in range(min(width, _COLUMNS)):
        column = x[:, j]
        pairs = [(train, held), (held, train)]  # each split is predicted by the other
        predicted = np.concatenate([_by_column(column[a], y[a], column[b], classes) for a, b in pairs])
        found = agreement(predicted, np.concatenate([y[held], y[train]]), classes)
        kind = ""
        if _is_code(column[train], y[train], 1) and _is_code(column, y, width):
            kind = "code"
        elif found.kappa >= _NUMBERED and found.p * width < _CHANCE and j in numeric and _numbers_rows(column):
            kind = "number"
        elif found.kappa >= _NEAR and at_least(found.right, found.total, 1 - _ERRORS) < _UNSURE:
            kind = "value"
        if kind:
            yield _Leak(column_name(dataset, j), found, kind)


def _by_column(x: NDArray[Any], y: IntArray, held: NDArray[Any], classes: int) -> IntArray:
    """Predict the most frequent class of the same value, or of the closest one; missing is a value of its own."""
    values, place = np.unique(x, return_inverse=True)  # NaN comes last
    if len(values) * classes > len(x) * 50:  # many classes: look at the pairs that occur
        order = np.lexsort((y, place))
        best = y[order][np.searchsorted(place[order], np.arange(len(values)))]  # (v,)
    else:
        counts = np.bincount(place * classes + y, minlength=len(values) * classes).reshape(len(values), classes)
        best = counts.argmax(axis=1)  # (v,)
    left = np.maximum(np.searchsorted(values, held, side="right") - 1, 0)  # (m,)
    right = np.minimum(left + 1, len(values) - 1)  # (m,)
    value = held.astype(np.float64)
    at = np.where(values[right] - value < value - values[left], right, left)  # left where one of them is missing
    predicted: IntArray = best[at]
    return predicted


def _is_code(column: NDArray[Any], labels: IntArray, columns: int) -> bool:
    """Whether every value stands for one class and every class has one value, in all examples and not by chance."""
    values, place = np.unique(column, return_inverse=True)
    counts = np.bincount(labels)
    present = counts[counts > 0]
    if len(values) != len(present) or len(np.unique(place.astype(np.int64) * len(counts) + labels)) != len(present):
        return False
    # Of all orders of the labels, this many have such a column: (number of classes)! / (n! / (n_1! n_2! ...)).
    orders = math.lgamma(len(labels) + 1) - sum(math.lgamma(n + 1) for n in present.tolist())
    return math.log(columns) + math.lgamma(len(present) + 1) - orders < math.log(_CHANCE)


def _numbers_rows(column: NDArray[Any]) -> bool:
    """Whether a column holds different whole numbers with few gaps."""
    if not np.isfinite(column).all() or (column != np.floor(column)).any():
        return False
    return len(np.unique(column)) == len(column) and float(np.ptp(column)) <= _DENSE * len(column)
