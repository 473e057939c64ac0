"""The scaling that precedes every model, fitted on the training split alone."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, Scaling
from wellfit.errors import DataError, UnknownNameError

__all__ = ["fit_scaling"]

_BLOCK: Final = 2**20  # values converted to float64 at a time: 8 MB, which stays in or near the cache


def fit_scaling(
    x_train: NDArray[Any],
    kind: str,
    pixel_max: float | None,
    binary: NDArray[np.bool_] | None = None,
    *,
    silent: bool = False,
) -> Scaling:
    """Fit ``(x - shift) * factor`` on the training split.

    ``"unit"`` divides pixels by their largest possible value. ``"standardize"`` subtracts each feature's mean and
    divides by its population standard deviation, both computed in float64; constant features have factor 1.
    ``"auto"`` is unit for images whose largest possible value is known and standardize for everything else.

    Args:
      x_train: the training split, uint8 or float32.  # (n, ...)
      kind: ``"auto"``, ``"unit"`` or ``"standardize"``.
      pixel_max: the largest possible pixel value; None for feature rows.
      binary: features that are 0 or 1 by construction, which ``"standardize"`` leaves as they are.  # (D,)
      silent: whether features that are constant here are 0 in every example; of images, if standardized.

    Returns:
      The scaling, float32: scalars for ``"unit"``, arrays of one example's shape for ``"standardize"``, and for
      ``"unit"`` if a feature is silent.

    Raises:
      UnknownNameError: an unknown kind.
      DataError: ``"unit"`` for feature rows with values outside [0, 1].

    Example:
      >>> float(fit_scaling(np.zeros((2, 4), np.uint8), "unit", 16).factor)
      0.0625
    """
    if kind == "auto":
        kind = "unit" if x_train.ndim > 2 and pixel_max is not None else "standardize"
    if kind == "standardize":
        shift, factor = _moments(x_train)
        if binary is not None and len(binary):
            shift[binary], factor[binary] = 0, 1
        if silent:
            factor[_constant(x_train)] = 0
        return Scaling(kind="standardize", shift=shift, factor=factor)
    if kind != "unit":
        raise UnknownNameError("scaling", kind, ["auto", "unit", "standardize"])
    if pixel_max is None:
        low, high = float(x_train.min()), float(x_train.max())
        if low < 0 or high > 1:
            raise DataError(
                f'scale = "unit" is for pixels, but these features range from {low:g} to {high:g}; '
                'use scale = "standardize"'
            )
    factor = np.asarray(1 / (pixel_max or 1), dtype=np.float32)
    shift = np.zeros((), np.float32)
    constant = _constant(x_train) if silent and x_train.ndim == 2 else np.zeros(1, bool)
    if constant.any():
        factor = np.where(constant, np.float32(0), factor)  # (D,)
        shift = np.zeros(len(factor), np.float32)
    return Scaling(kind="unit", shift=shift, factor=factor)


def _constant(x: NDArray[Any]) -> NDArray[np.bool_]:
    """Which features have one value; minimum and maximum tell, since rounding makes a deviation tiny, not zero."""
    constant: NDArray[np.bool_] = x.min(axis=0) == x.max(axis=0)
    return constant


def _moments(x: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Compute every feature's mean and reciprocal deviation in two blockwise passes, without a float64 copy."""
    flat = x.reshape(len(x), -1)  # (n, D)
    rows = max(1, _BLOCK // flat.shape[1])
    blocks = [flat[start : start + rows] for start in range(0, len(flat), rows)]
    mean = sum((b.sum(axis=0, dtype=np.float64) for b in blocks), np.zeros(flat.shape[1])) / len(flat)  # (D,)
    squares = np.zeros(flat.shape[1])
    for block in blocks:
        deviation = block - mean  # (rows, D) float64
        squares += np.einsum("nd,nd->d", deviation, deviation)
    with np.errstate(divide="ignore", over="ignore"):
        factor = (1 / np.sqrt(squares / len(flat))).astype(np.float32)
    factor[_constant(flat) | ~np.isfinite(factor)] = 1
    return mean.astype(np.float32).reshape(x.shape[1:]), factor.reshape(x.shape[1:])
