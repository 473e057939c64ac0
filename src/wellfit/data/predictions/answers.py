"""What a run predicted, checked: probabilities that are some, classes that exist, labels that say which."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, IntArray
from wellfit.errors import DataError

__all__ = [
    "SOFTMAX",
    "as_integers",
    "check_predicted",
    "class_codes",
    "class_names",
    "distinct",
    "group_codes",
    "label_values",
    "predicted_classes",
    "probabilities_of",
    "same_labels",
]

_OFF: Final = 0.02
"""How far a sum of probabilities may be from 1: bfloat16, or three decimal places of many classes."""
_SUM: Final = 1e-3
"""How far sums of values between 0 and 1 may be from 1 for these to be probabilities and no logits."""
_ROUNDED: Final = 1e-6
"""How far a probability may be from 0 or 1 by rounding."""
_LONGEST: Final = 500  # characters of a label
_NESTED: Final = (list, tuple, dict, set, np.ndarray)
_INTEGER: Final = re.compile("0|-?[1-9][0-9]{0,17}")
SOFTMAX: Final = "--softmax (softmax=True)"
"""The option that makes probabilities of logits."""


def probabilities_of(
    values: Any,
    classes: int,
    where: str,
    *,
    softmax: bool = False,
    row: Callable[[int], str] = "row {} (from 0)".format,
) -> FloatArray:
    """Probabilities of a run, checked. One column is the probability of the second of two classes.

    They are kept as float32 unless that would change which class is the most probable.

    Args:
      values: one row an example, one column a class.  # (m, K), or (m,) or (m, 1) for two classes
      classes: their number, K.
      where: the file or argument, for errors.
      softmax: whether the values are logits.
      row: names a row, for errors.

    Raises:
      DataError: another shape, NaN, rows that are no probabilities, or probabilities that are said to be logits.

    Example:
      >>> probabilities_of([0.25, 1.0], 2, "p").tolist()
      [[0.75, 0.25], [0.0, 1.0]]
      >>> probabilities_of([[2, -1]], 2, "p")
      Traceback (most recent call last):
        ...
      wellfit.errors.DataError: p: 2 in row 0 (from 0) is not a probability; if these are logits, give --softmax \
(softmax=True)
    """
    p = _numbers(values, where)
    single = p.ndim == 1 or (p.ndim == 2 and p.shape[1] == 1)
    if single and classes == 2:
        p = _two_columns(p.reshape(-1), softmax)  # (m, 2)
    if p.ndim != 2 or p.shape[1] != classes or not len(p):
        raise DataError(
            f"{where}: probabilities of shape {p.shape}, but there are {classes} classes; give one row per example and "
            "one column per class"
        )
    if not (finite := np.isfinite(p)).all():
        at = int(np.flatnonzero(~finite.all(axis=1))[0])
        raise DataError(f"{where}: NaN or infinity in {row(at)}; leave runs out that diverged, or predict again")
    if softmax and not single:
        if ((p >= 0) & (p <= 1)).all() and (np.abs(p.sum(axis=1, dtype=np.float64) - 1) <= _SUM).all():
            raise DataError(f"{where}: these are probabilities already; leave out {SOFTMAX} for them")
        shifted = np.exp(p.astype(np.float64) - p.max(axis=1, keepdims=True))
        p = shifted / shifted.sum(axis=1, keepdims=True)
    _check_probabilities(p, where, row)
    return _smallest(p)


def _numbers(values: Any, where: str) -> NDArray[Any]:
    p = np.asarray(values)
    if p.dtype.kind not in "fiub":
        raise DataError(f"{where}: {p.dtype} instead of probabilities; give numbers")
    return p if p.dtype in (np.float32, np.float64) else p.astype(np.float64)


def _two_columns(second: NDArray[Any], softmax: bool) -> NDArray[Any]:
    """The probabilities of both classes from those, or the logits, of the second.  # (m,) -> (m, 2)"""
    if softmax:
        from scipy.special import expit

        second = expit(second.astype(np.float64))
    return np.stack([1 - second, second], axis=1)


def _check_probabilities(p: NDArray[Any], where: str, row: Callable[[int], str]) -> None:
    outside = (p < -_ROUNDED) | (p > 1 + _ROUNDED)
    if outside.any():
        at, column = (int(i[0]) for i in np.nonzero(outside))
        raise DataError(
            f"{where}: {p[at, column]:.4g} in {row(at)} is not a probability; if these are logits, give {SOFTMAX}"
        )
    sums = p.sum(axis=1, dtype=np.float64)  # (m,)
    off = np.abs(sums - 1) > _OFF
    if off.any():
        at = int(np.flatnonzero(off)[0])
        raise DataError(
            f"{where}: the probabilities in {row(at)} sum to {sums[at]:.4g}, not to 1; give the probabilities of all "
            f"classes, or, if these are logits, {SOFTMAX}"
        )


def _smallest(p: NDArray[Any]) -> FloatArray:
    """As float32, if that leaves the most probable class of every example as it is."""
    small = p.astype(np.float32)
    same = p.dtype == np.float32 or np.array_equal(small.argmax(axis=1), p.argmax(axis=1))
    return small if same else p.astype(np.float64)


# --- Labels and classes -----------------------------------------------------------------------------------------------


def label_values(labels: Any, where: str) -> NDArray[Any]:
    """Labels as one value an example: integers or texts; those in one-hot columns become integers.

    Raises:
      DataError: another shape, no label, or a missing one.

    Example:
      >>> label_values([[0, 1], [1, 0]], "y").tolist(), label_values(["cat", "dog"], "y").tolist()
      ([1, 0], ['cat', 'dog'])
    """
    try:
        y = np.asarray(labels)
        if y.dtype.kind == "U" and not hasattr(labels, "dtype"):
            y = np.asarray(labels, dtype=object)  # NumPy makes NaN among texts the text nan
    except ValueError:
        raise DataError(f"{where}: labels of unlike lengths; give one label per example") from None
    if y.dtype.kind not in "biufOUS":
        raise DataError(f"{where}: labels of type {y.dtype}; give whole numbers or names")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "biuf" and _one_hot(y):
        y = y.argmax(axis=1)
    if y.ndim != 1 or not len(y):
        raise DataError(f"{where}: labels of shape {y.shape}; give one label per example")
    if y.dtype.kind in "OUS":
        return _named_values(y, where)
    if y.dtype.kind in "fu":
        whole = (y == np.floor(y)) & (np.abs(y.astype(np.float64)) < 2**63)  # not for NaN, which is unequal to itself
        if not whole.all():
            at = int(np.flatnonzero(~whole)[0])
            raise DataError(f"{where}: label {y[at]} of example {at} is not a class; give whole numbers or names")
    return y.astype(np.int64)


def _named_values(y: NDArray[Any], where: str) -> NDArray[Any]:
    """Labels of objects or texts: as integers if all are, or as texts."""
    import pandas as pd

    if y.dtype.kind == "S":
        y = _decoded(y, "labels", where)
    if y.dtype.kind == "U":
        y = y.astype(y.dtype.newbyteorder("="))
        codes = np.ascontiguousarray(y).view(np.uint32) if y.dtype.itemsize else np.zeros(1, np.uint32)
        if int(codes.max()) > sys.maxunicode or ((codes >= 0xD800) & (codes < 0xE000)).any():
            raise DataError(f"{where}: labels hold what is not a character; save them again")
        lengths = np.char.str_len(y)
        if not lengths.all():
            _refuse_missing(int(np.flatnonzero(lengths == 0)[0]), where)
        _check_length(int(lengths.max()), int(lengths.argmax()), where)
        return y
    values = y.tolist()
    nested = next((at for at, value in enumerate(values) if isinstance(value, _NESTED)), None)
    if nested is not None:
        kind = type(values[nested]).__name__
        raise DataError(f"{where}: the label of example {nested} is of type {kind}; give whole numbers or names")
    missing = pd.isna(y) | np.array([isinstance(value, str) and not value for value in values])
    if missing.any():
        _refuse_missing(int(np.flatnonzero(missing)[0]), where)
    if all(isinstance(value, int | np.integer) for value in values):
        if odd := next((value for value in values if abs(value) >= 2**63), None):
            raise DataError(f"{where}: a label of {odd.bit_length()} bits is too large; number the classes from 0")
        return np.array(values, np.int64)
    try:
        return _named_values(np.array([str(value) for value in values]), where)
    except ValueError:  # of an integer that Python refuses to write
        raise DataError(f"{where}: labels hold very large numbers; number the classes from 0") from None


def _decoded(values: NDArray[Any], what: str, where: str) -> NDArray[Any]:
    """Bytes as texts."""
    try:
        return np.char.decode(values, "utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{where}: {what} are bytes that are no text in UTF-8; save them as text") from None


def _refuse_missing(at: int, where: str) -> NoReturn:
    raise DataError(f"{where}: the label of example {at} is missing; give every example one")


def _check_length(length: int, at: int, where: str) -> None:
    if length > _LONGEST:
        raise DataError(f"{where}: the label of example {at} has {length:,} characters; use at most {_LONGEST}")


def group_codes(groups: Any, examples: int, where: str) -> IntArray:
    """The group of each example as an integer from 0.

    Args:
      groups: numbers or texts, one an example; if some are texts, all are compared as such.  # (M,)
      examples: their number, M.
      where: the file or argument, for errors.

    Raises:
      DataError: another shape, or a missing group.

    Example:
      >>> group_codes(["b", "a", "b"], 3, "y").tolist()
      [1, 0, 1]
    """
    import pandas as pd

    found = np.asarray(groups, dtype=None if hasattr(groups, "dtype") else object)
    if found.shape != (examples,):
        raise DataError(f"{where}: groups of shape {found.shape} for {examples} labels; give one for each")
    if found.dtype.kind == "S":
        found = _decoded(found, "groups", where)
    missing = pd.isna(found) | (found.astype(str) == "" if found.dtype.kind in "OU" else False)
    if missing.any():
        at = int(np.flatnonzero(missing)[0])
        raise DataError(f"{where}: the group of example {at} is missing; give every example one")
    values = found.astype(str) if found.dtype.kind == "O" else found
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _one_hot(y: NDArray[Any]) -> bool:
    return y.shape[1] > 1 and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


def class_names(
    labels: NDArray[Any], columns: int | None, given: Sequence[str] | None, where: str
) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """The names of the classes in the order of the columns, and the labels that stand for them.

    Integers from 0 count the columns. Other labels are in ascending order, as scikit-learn has its columns.

    Args:
      labels: all that occur, as ``label_values`` gives them.  # (N,)
      columns: the number of probabilities of an example; None where only classes are predicted.
      given: the names, in the order of the columns.
      where: the file or argument, for errors.

    Raises:
      DataError: labels that do not fit the columns or the names.

    Example:
      >>> class_names(np.array([0, 2]), 3, None, "y")[0], class_names(np.array([5, 7]), 2, None, "y")[0]
      (('0', '1', '2'), ('5', '7'))
    """
    found = np.unique(labels)
    _refuse_blanks(found, where)
    counted = found.dtype.kind == "i" and found[0] >= 0
    if given is not None:
        names = tuple(map(str, given))
        if len(set(names)) != len(names) or len(names) < 2:
            raise DataError(f"{where}: class names {', '.join(names)}; give two or more, each once")
        if columns is not None and len(names) != columns:
            raise DataError(f"{where}: {len(names)} class names for {columns} probabilities per example; give one each")
        if counted and found[-1] < len(names) and not {str(value) for value in found} <= set(names):
            return names, tuple(range(len(names)))
        unknown = [str(value) for value in found if str(value) not in names]
        if unknown:
            raise DataError(f"{where}: label {unknown[0]!r} is none of the classes {', '.join(names[:12])}")
        return names, names  # as texts, since not all names need be numbers
    if columns is not None and found.dtype.kind == "U":
        _refuse_two_orders(found.tolist(), where)
    if columns is not None and counted and found[-1] < columns:
        return tuple(map(str, range(columns))), tuple(range(columns))
    if columns is not None and len(found) != columns:
        raise DataError(
            f"{where}: {len(found)} different labels ({', '.join(map(str, found[:5]))} ...), but {columns} "
            "probabilities per example; name the classes in the order of the columns, --classes (class_names=)"
        )
    if len(found) < 2:
        raise DataError(f"{where}: all labels are {found[0]}, so there is nothing to predict; give all test examples")
    return tuple(map(str, found)), tuple(found.tolist())


def class_codes(labels: NDArray[Any], stands_for: Sequence[Any], where: str) -> IntArray:
    """Labels or predictions as positions among the classes.

    Args:
      labels: as ``label_values`` gives them.  # (N,)
      stands_for: the label of each class, from ``class_names``.
      where: the file or argument, for errors.

    Raises:
      DataError: a label that is not a class.

    Example:
      >>> class_codes(np.array(["b", "a"]), ("a", "b"), "y").tolist()
      [1, 0]
    """
    known = np.asarray(stands_for)
    if (known.dtype.kind == "i") != (labels.dtype.kind == "i"):
        known, labels = known.astype(str), labels.astype(str)
    order = np.argsort(known, kind="stable")
    places = np.searchsorted(known, labels, sorter=order).clip(max=len(known) - 1)
    codes = order[places]
    wrong = known[codes] != labels
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        classes = ", ".join(map(str, stands_for[:12]))
        raise DataError(f"{where}: {_shown(labels[at])} of example {at} is none of the classes {classes}")
    found: IntArray = codes.astype(np.int32)
    return found


def distinct(every: Iterable[NDArray[Any]]) -> NDArray[Any]:
    """The different values of several arrays, ascending; if some are texts, all are.

    Example:
      >>> distinct([np.array([2, 1]), np.array(["b", "1"])]).tolist()
      ['1', '2', 'b']
    """
    parts = [np.unique(values) for values in every]
    texts = any(part.dtype.kind == "U" for part in parts)
    return np.unique(np.concatenate([part.astype(str) if texts else part for part in parts]))


def as_integers(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels as integers, if all are written as integers are; else as they are.

    Example:
      >>> as_integers(np.array(["10", "-2"])).tolist(), as_integers(np.array(["1", "01"])).tolist()
      ([10, -2], ['1', '01'])
    """
    if labels.dtype.kind != "U" or not all(_INTEGER.fullmatch(one) for one in np.unique(labels).tolist()):
        return labels
    return labels.astype(np.int64)


def _refuse_two_orders(names: Sequence[str], where: str) -> None:
    """Refuse numbers that are texts if their order, by which columns are found, is another for numbers."""
    try:
        in_order = sorted(names, key=float)
    except ValueError:
        return
    if in_order != sorted(names):
        as_text, as_numbers = (", ".join(order[:4]) for order in (sorted(names), in_order))
        raise DataError(
            f"{where}: labels are numbers written as text, whose columns may be in the order {as_text} or "
            f"{as_numbers}; give them as numbers, or name the classes in the order of the columns, --classes "
            "(class_names=)"
        )


def same_labels(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether labels of the same examples, as ``label_values`` gives them, are the same; 1 and "1" are.

    Example:
      >>> same_labels(np.array([1, 0]), np.array(["1", "0"])), same_labels(np.array([1, 0]), np.array([1]))
      (True, False)
    """
    texts = one.dtype.kind != other.dtype.kind
    return np.array_equal(one.astype(str), other.astype(str)) if texts else np.array_equal(one, other)


def check_predicted(labels: NDArray[Any], predicted: Iterable[tuple[str, NDArray[Any]]]) -> None:
    """Refuse predictions that are written in another way than the labels, which would all be wrong.

    Args:
      labels: as ``label_values`` gives them.  # (M,)
      predicted: the place of each run, for errors, and the classes that it predicts, likewise.

    Raises:
      DataError: no prediction of a run is a label, one differs from a label in its spelling alone, or those of all
        runs are the labels plus or minus 1.

    Example:
      >>> check_predicted(np.array(["cat", "dog"]), [("l2.0.npz", np.array([0, 1]))])
      Traceback (most recent call last):
        ...
      wellfit.errors.DataError: l2.0.npz: predicts 0, 1, none of which is a label (cat, dog); predict the labels \
themselves, or name all classes, --classes (class_names=)
    """
    fix = "predict the labels themselves, or name all classes, --classes (class_names=)"
    known = np.unique(labels)
    runs = [(where, np.unique(values)) for where, values in predicted]
    names = set(map(str, known.tolist()))
    spelled = {_spelled(name): name for name in names}
    for where, found in runs:
        others = [text for text in map(str, found.tolist()) if text not in names]
        if len(others) == len(found):
            raise DataError(f"{where}: predicts {_few(found)}, none of which is a label ({_few(known)}); {fix}")
        if odd := next((text for text in others if _spelled(text) in spelled), None):
            raise DataError(
                f"{where}: predicts {odd!r}, but the label is {spelled[_spelled(odd)]!r}; write both alike, or name "
                "all classes, --classes (class_names=)"
            )
    if not runs or known.dtype.kind != "i" or any(found.dtype.kind != "i" for _, found in runs):
        return
    union = np.unique(np.concatenate([found for _, found in runs]))
    for step in (-1, 1):
        if np.array_equal(union, known + step):
            raise DataError(f"{runs[0][0]}: all runs predict {_few(union)}, but the labels are {_few(known)}; {fix}")


def _shown(label: Any) -> str:
    return repr(str(label)) if isinstance(label, str) else str(label)


def _spelled(text: str) -> str:
    """A label without what differs between spellings of one: forms of Unicode, blanks, case, ``1.0`` for ``1``."""
    text = unicodedata.normalize("NFKC", text).strip().casefold()
    return text.removesuffix(".0") if _INTEGER.fullmatch(text.removesuffix(".0")) else text


def _refuse_blanks(found: NDArray[Any], where: str) -> None:
    """Refuse labels that differ in blanks around them alone."""
    if found.dtype.kind != "U":
        return
    seen: dict[str, str] = {}
    for text in found.tolist():
        if (twin := seen.setdefault(text.strip(), text)) != text:
            raise DataError(f"{where}: labels {twin!r} and {text!r} differ in blanks alone; write them alike")


def _few(values: NDArray[Any]) -> str:
    shown = (str(value) if len(str(value)) <= 30 else f"{str(value)[:27]}..." for value in values[:6].tolist())
    return ", ".join(shown) + (" ..." if len(values) > 6 else "")


def predicted_classes(values: Any, stands_for: Sequence[Any], where: str) -> IntArray:
    """The classes that a run predicts, as positions among the classes.

    Raises:
      DataError: a class that no label has.
    """
    return class_codes(label_values(values, where), stands_for, where)
