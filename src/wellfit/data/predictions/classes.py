"""The classes of labels and predictions: their names, their order, and what is none."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.data.predictions.label_values import INTEGER, label_values
from wellfit.errors import DataError

__all__ = ["check_predicted", "class_codes", "class_names", "predicted_classes"]


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
    _refuse_blanks(found, given or (), where)
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


def _refuse_blanks(found: NDArray[Any], given: Sequence[str], where: str) -> None:
    """Refuse labels that differ in blanks around them alone, unless these are all, or both are given as classes."""
    if found.dtype.kind != "U":
        return
    seen: dict[str, str] = {}
    for text in found.tolist():
        twin = seen.setdefault(text.strip(), text)
        if twin != text and text.strip() and not {text, twin} <= set(map(str, given)):
            raise DataError(f"{where}: labels {twin!r} and {text!r} differ in blanks alone; write them alike, or name "
                            "all classes, --classes (class_names=)")  # fmt: skip


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
                f"{where}: predicts {odd!r}, but the label is {spelled[_spelled(odd)]!r}; if these are two classes, "
                "name all, --classes (class_names=); otherwise write both alike"
            )
    if not runs or known.dtype.kind != "i" or any(found.dtype.kind != "i" for _, found in runs):
        return
    union = np.unique(np.concatenate([found for _, found in runs]))
    for step in (-1, 1):
        if np.array_equal(union, known + step):
            raise DataError(f"{runs[0][0]}: all runs predict {_few(union)}, but the labels are {_few(known)}; {fix}")


def predicted_classes(values: Any, stands_for: Sequence[Any], where: str) -> IntArray:
    """The classes that a run predicts, as positions among the classes.

    Raises:
      DataError: a class that no label has.
    """
    return class_codes(label_values(values, where), stands_for, where)


def _spelled(text: str) -> str:
    """A label without what differs between spellings of one: forms of Unicode, blanks, case, ``1.0`` for ``1``."""
    text = unicodedata.normalize("NFKC", text).strip().casefold()
    return text.removesuffix(".0") if INTEGER.fullmatch(text.removesuffix(".0")) else text


def _shown(label: Any) -> str:
    return repr(str(label)) if isinstance(label, str) else str(label)


def _few(values: NDArray[Any]) -> str:
    shown = (str(value) if len(str(value)) <= 30 else f"{str(value)[:27]}..." for value in values[:6].tolist())
    return ", ".join(shown) + (" ..." if len(values) > 6 else "")
