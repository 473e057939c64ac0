"""Labels become classes: numbers, names, booleans or one-hot rows in, numbers from 0 and class names out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.parts import Part, RawData, named_rows
from wellfit.errors import DataError

__all__ = ["class_names", "encode_labels", "flat_labels"]

_Label = int | str

_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][+-]?[0-9]+)?")  # 007 is a name
_FEW: Final = 20  # up to so many different numbers are classes
_REPEATS: Final = 5  # many different numbers, each less often than this, are measurements
_MOST_CELLS: Final = 2**31  # of one-hot labels
_ONE_HOT: Final = 1e-6  # rounding of a one-hot 0 or 1


def encode_labels(raw: RawData, classes: tuple[str, ...] | None) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Number the classes from 0: whole numbers in numerical order, other labels in alphabetical order.

    Args:
      classes: class names in the order of their labels. The labels are then ``0 .. len(classes) - 1``, or as many
        other whole numbers as there are names, or these names.

    Returns:
      The labels of all sets, in the order of ``raw.parts``, and the class names by label.

    Raises:
      DataError: labels that are missing, out of range, or numbers to predict instead of classes; rows that are not
        one-hot; classes that do not fit the labels; a single class.

    Example:
      >>> train = Part(np.zeros((3, 2)), np.array(["cat", "dog ", "cat"]), "memory")
      >>> codes, names = encode_labels(RawData(train), None)
      >>> codes.tolist(), names
      ([0, 1, 0], ('cat', 'dog'))
    """
    flat = [flat_labels(part) for part in raw.parts]
    if len({wide for _, wide in flat}) > 1:
        raise DataError(
            f"{raw.train.where}: the one-hot labels have {flat[0][1]} columns, but those of {raw.parts[-1].where} have "
            f"{flat[-1][1]}; give all sets the same columns"
        )
    found = [_distinct(labels, part) for (labels, _), part in zip(flat, raw.parts, strict=True)]
    if any(isinstance(value, str) for values, _ in found for value in values):
        found = [([str(value) for value in values], codes) for values, codes in found]
    else:
        _refuse_measurements(found, raw)
    names = None if classes is None else class_names(classes, raw.train.where)
    known, names = _numbering(found, names, raw, boolean=all(labels.dtype.kind == "b" for labels, _ in flat))
    if len(names) < 2:
        raise DataError(
            f"{raw.train.where}: all labels are {names[0]!r}, but training needs two or more classes; add another"
        )
    encoded = []
    for (values, codes), part in zip(found, raw.parts, strict=True):
        numbers = np.array([known.get(value, -1) for value in values], dtype=np.int32)[codes]  # (N,)
        if (numbers < 0).any():
            _refuse_unknown(values[codes[int(np.argmax(numbers < 0))]], numbers < 0, names, part)
        encoded.append(numbers)
    return np.concatenate(encoded), names


def class_names(classes: Sequence[str], where: str) -> tuple[str, ...]:
    """Check class names and trim spaces around them.

    Args:
      where: for error messages.

    Raises:
      DataError: an empty name, or a name that occurs twice.

    Example:
      >>> class_names(["cat", " dog"], "memory")
      ('cat', 'dog')
    """
    names = tuple(str(name).strip() for name in classes)
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if "" in names or twice is not None:
        what = "an empty name" if twice is None else f"{twice!r} twice"
        raise DataError(f"{where}: classes has {what}; give each class a name of its own")
    return names


def flat_labels(part: Part) -> tuple[NDArray[Any], int]:
    """Return one label per example, and the number of columns if they were one-hot (0 otherwise).

    Raises:
      DataError: a shape that is neither, or a row that is not one-hot.

    Example:
      >>> flat_labels(Part(np.zeros((2, 3)), np.eye(2), "memory"))
      (array([0, 1]), 2)
    """
    labels = part.labels
    if labels.ndim > 1 and labels.size == max(labels.shape):  # (N, 1) or (1, N)
        return labels.reshape(-1), 0
    if labels.ndim == 1:
        return labels, 0
    if labels.ndim == 2 and part.x.ndim:
        sizes = (len(part.x), part.x.shape[-1])
        if len(labels) not in sizes and labels.shape[1] in sizes:
            labels = labels.T  # one-hot columns, as MATLAB's toolboxes store them
    if labels.ndim != 2 or labels.dtype.kind not in "buif" or not 0 < labels.size <= _MOST_CELLS:
        raise DataError(f"{part.where}: the labels have shape {labels.shape}; give one label per example")
    low = -1 if labels.min() == -1 else 0
    high = np.abs(labels - 1.0) <= _ONE_HOT  # (N, K)
    good = (high.sum(axis=1) == 1) & (high | (np.abs(labels - float(low)) <= _ONE_HOT)).all(axis=1)
    if not good.all():
        row, ones = ~good, int(high[int(np.argmin(good))].sum())
        what = f"has {ones} ones" if ones != 1 else "has values other than 0 and 1"
        raise DataError(
            f"{part.where}: the labels have shape {part.labels.shape}, and {named_rows(part, _first(row))} {what}; "
            "give one label per example, or one-hot rows with a single 1 (wellfit predicts one class per example)"
        )
    return high.argmax(axis=1), labels.shape[1]


def _first(rows: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask of the first row alone."""
    first: NDArray[np.bool_] = np.arange(len(rows)) == int(np.argmax(rows))
    return first


# --- Values -----------------------------------------------------------------------------------------------------------


def _distinct(labels: NDArray[Any], part: Part) -> tuple[list[_Label], NDArray[np.intp]]:
    """Return the different labels, all whole numbers or all names, and the position of each example's label."""
    kind = labels.dtype.kind
    if kind in "biu":
        values, codes = np.unique(labels, return_inverse=True)
        return [int(v) for v in values], codes
    if kind == "f":
        return _of_floats(labels, part)
    if kind not in "SUO":
        raise DataError(f"{part.where}: labels of type {labels.dtype} are not classes; give whole numbers or names")
    if kind == "O":
        items = labels.tolist()
        _refuse_missing(np.array([_is_missing(item) for item in items], bool), part)
        if items and all(isinstance(item, int | float | np.integer | np.floating | np.bool_) for item in items):
            whole = not any(isinstance(item, float | np.floating) for item in items)
            return _indexed([int(item) for item in items]) if whole else _of_floats(labels.astype(np.float64), part)
        texts, codes = _indexed([_text(item) for item in items])
    else:
        different, codes = np.unique(labels, return_inverse=True)
        texts = [_text(item) for item in different.tolist()]
    return _of_texts([str(text) for text in texts], codes, part)


def _of_floats(labels: NDArray[Any], part: Part) -> tuple[list[_Label], NDArray[np.intp]]:
    _refuse_missing(np.isnan(labels), part)
    values, codes = np.unique(labels, return_inverse=True)
    odd = ~np.isfinite(values) | (values != np.floor(values))
    if odd.any():
        _refuse_fractions([float(v) for v in values], odd, codes, part)
    return [int(v) for v in values], codes


def _of_texts(texts: Sequence[str], codes: NDArray[np.intp], part: Part) -> tuple[list[_Label], NDArray[np.intp]]:
    """Trim the names, and turn them into numbers if all of them are whole numbers."""
    texts = [text.strip() for text in texts]
    _refuse_missing(np.array([text in {"", "nan", "NaN", "<NA>"} for text in texts], bool)[codes], part)
    numbers: list[_Label] = list(texts)
    if all(_NUMBER.fullmatch(text) and math.isfinite(float(text)) for text in texts):
        odd = np.array([not float(text).is_integer() for text in texts], bool)
        if odd.any():
            _refuse_fractions([float(text) for text in texts], odd, codes, part)
        numbers = [int(text.partition(".")[0]) if "e" not in text.lower() else int(float(text)) for text in texts]
    merged, again = _indexed(numbers)
    return merged, again[codes]


def _indexed(items: Iterable[_Label]) -> tuple[list[_Label], NDArray[np.intp]]:
    """Return the different items in the order of their first occurrence, and each item's position among them."""
    known: dict[_Label, int] = {}
    codes = np.array([known.setdefault(item, len(known)) for item in items], np.intp)
    return list(known), codes


def _text(item: object) -> str:
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)


def _is_missing(item: object) -> bool:
    """None, NaN, and the missing values of pandas."""
    return (
        item is None or type(item).__name__ in {"NAType", "NaTType"} or (isinstance(item, float) and math.isnan(item))
    )


# --- Numbering --------------------------------------------------------------------------------------------------------


def _numbering(
    found: Sequence[tuple[list[_Label], NDArray[np.intp]]],
    names: tuple[str, ...] | None,
    raw: RawData,
    *,
    boolean: bool,
) -> tuple[dict[_Label, int], tuple[str, ...]]:
    """Return the number of each label, and the class names by number."""
    distinct: list[Any] = sorted({value for values, _ in found for value in values})
    if names is None:
        shown = [str(bool(value)) for value in distinct] if boolean else [str(value) for value in distinct]
        return {value: number for number, value in enumerate(distinct)}, tuple(shown)
    if any(isinstance(value, str) for value in distinct):
        return {name: number for number, name in enumerate(names)}, names
    if not set(distinct) <= set(range(len(names))):
        trained = sorted(int(value) for value in found[0][0])
        if len(trained) == len(names):  # 1 .. K, or -1 and 1: the names in the order of the labels
            return {value: number for number, value in enumerate(trained)}, names
        if len(trained) > len(names):
            raise DataError(
                f"{raw.train.where}: the labels are {len(trained)} different numbers ({trained[0]} to {trained[-1]}), "
                f"but classes has {len(names)} names; give one name per class"
            )
    return {number: number for number in range(len(names))}, names


# --- What is refused --------------------------------------------------------------------------------------------------


def _refuse_missing(missing: NDArray[np.bool_], part: Part) -> None:
    count = int(missing.sum())
    if count:
        what = "a label is" if count == 1 else f"{count:,} labels are"
        raise DataError(f"{part.where}: {what} missing, in {named_rows(part, missing)}; add the label or drop the row")


def _refuse_fractions(values: list[float], odd: NDArray[np.bool_], codes: NDArray[np.intp], part: Part) -> None:
    distinct = len(set(values))
    if distinct > _FEW:
        _refuse_regression(distinct, min(values), max(values), part)
    at = odd[codes]  # (N,)
    value = values[int(codes[int(np.argmax(at))])]
    raise DataError(
        f"{part.where}: label {value:g} in {named_rows(part, _first(at))} is not a class; give whole numbers or names "
        "(wellfit trains classifiers and does not predict numbers), or name the column of the classes with "
        "[data] label"
    )


def _refuse_measurements(found: Sequence[tuple[list[_Label], NDArray[np.intp]]], raw: RawData) -> None:
    """Refuse many different numbers that each occur only a few times: prices, ages, measurements."""
    values, codes = found[0]
    if len(values) > _FEW and len(codes) < _REPEATS * len(values):
        numbers = [int(value) for value in values]
        if max(numbers) - min(numbers) >= 2 * len(numbers):  # with few gaps they are classes, if rare ones
            _refuse_regression(len(numbers), min(numbers), max(numbers), raw.train)


def _refuse_regression(count: int, low: float, high: float, part: Part) -> None:
    raise DataError(
        f"{part.where}: the labels are {count:,} different numbers from {low:g} to {high:g}: they look like numbers to "
        "predict, but wellfit trains classifiers; give classes, for example ranges (pandas.qcut(y, 3, labels=False)), "
        "or name the column of the classes with [data] label"
    )


def _refuse_unknown(value: _Label, rows: NDArray[np.bool_], names: tuple[str, ...], part: Part) -> None:
    listed = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    if isinstance(value, str):
        raise DataError(
            f"{part.where}: label {value!r} in {named_rows(part, _first(rows))} is not among the classes ({listed}); "
            "add it to classes, or omit classes"
        )
    raise DataError(
        f"{part.where}: label {value} in {named_rows(part, _first(rows))} is out of range; use 0 to {len(names) - 1} "
        f"for the classes {listed}"
    )
