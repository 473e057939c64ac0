"""Labels in the forms that people have, as one value an example: integers or texts."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any, Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.errors import DataError

__all__ = ["INTEGER", "as_integers", "distinct", "group_codes", "label_values", "same_labels"]

INTEGER: Final = re.compile("0|-?[1-9][0-9]{0,17}")
"""A whole number as it is usually written."""

_LONGEST: Final = 500  # characters of a label
_NESTED: Final = (list, tuple, dict, set, np.ndarray)


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


def _one_hot(y: NDArray[Any]) -> bool:
    return y.shape[1] > 1 and bool(((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all())


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
    if labels.dtype.kind != "U" or not all(INTEGER.fullmatch(one) for one in np.unique(labels).tolist()):
        return labels
    return labels.astype(np.int64)


def same_labels(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether labels of the same examples, as ``label_values`` gives them, are the same; 1 and "1" are.

    Example:
      >>> same_labels(np.array([1, 0]), np.array(["1", "0"])), same_labels(np.array([1, 0]), np.array([1]))
      (True, False)
    """
    texts = one.dtype.kind != other.dtype.kind
    return np.array_equal(one.astype(str), other.astype(str)) if texts else np.array_equal(one, other)
