"""Which numbers float32 would round so coarsely that their differences suffer: times, coordinates, long numbers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["float32_blurs"]

_SHARE: Final = 1e-4
"""Of a column's range: a rounding error that is too large; standardized numbers then keep four digits."""

_HALF_A_STEP: Final = 2.0**-24  # relative: float32 keeps 24 bits
_EXACT: Final = 2.0**24  # whole numbers up to this are exact


def float32_blurs(low: Any, high: Any, *, whole: bool) -> NDArray[np.bool_]:
    """Whether float32 rounds numbers by more than a ten-thousandth of their range.

    Args:
      low, high: the least and the greatest number, finite, of one column or of each.  # () or (D,)
      whole: they are whole numbers.

    Returns:
      False where all numbers are the same.  # () or (D,)

    Example:
      >>> bool(float32_blurs(1.7e9, 1.7e9 + 3600, whole=True)), bool(float32_blurs(0, 1e6, whole=False))
      (True, False)
      >>> float32_blurs(np.array([48.123, -1.0]), np.array([48.133, 1.0]), whole=False)
      array([ True, False])
    """
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    size, spread = np.maximum(np.abs(low), np.abs(high)), high - low
    blurred: NDArray[np.bool_] = np.asarray((size * _HALF_A_STEP > _SHARE * spread) & (spread > 0))
    return blurred & (size > _EXACT) if whole else blurred
