"""The probabilities that a run predicts, checked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray
from wellfit.errors import DataError

__all__ = ["SOFTMAX", "probabilities_of"]

_OFF: Final = 0.02
"""How far a sum of probabilities may be from 1: bfloat16, or three decimal places of many classes."""
_SUM: Final = 1e-3
"""How far sums of values between 0 and 1 may be from 1 for these to be probabilities and no logits."""
_ROUNDED: Final = 1e-6
"""How far a probability may be from 0 or 1 by rounding."""
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
