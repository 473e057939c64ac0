"""How much a file of data may ask for, and the one setting that raises all of these limits.

It is a variable of the environment and no key of a study file, since study files come from strangers too.
"""

from __future__ import annotations

import math
import os
from typing import Final

from wellfit.errors import DataError

__all__ = ["VARIABLE", "raised", "remedy"]

VARIABLE: Final = "WELLFIT_LIMITS"
"""The factor by which the limits are raised."""

_MOST: Final = 1000


def raised(limit: int) -> int:
    """A limit, times the number in ``WELLFIT_LIMITS``, if that is set.

    Args:
      limit: as documented: bytes, columns, files or a ratio.

    Raises:
      DataError: the variable holds something else than a number from 1 to 1000.

    Example:
      >>> raised(50)
      50
    """
    return int(limit * _factor())


def remedy(needed: float, limit: int) -> str:
    """How to read a file that asks for more than a limit, for the end of an error.

    Args:
      needed: what the file asks for, as far as that is known.
      limit: the documented one.

    Example:
      >>> remedy(130, 50)
      'if you trust the file, set WELLFIT_LIMITS=3'
      >>> remedy(1e9, 50)
      'no setting raises this limit so far'
    """
    factor = max(math.ceil(needed / limit), math.floor(_factor()) + 1)
    if factor > _MOST:
        return "no setting raises this limit so far"
    return f"if you trust the file, set {VARIABLE}={factor}"


def _factor() -> float:
    text = os.environ.get(VARIABLE) or "1"
    try:
        factor = float(text)
    except ValueError:
        factor = math.nan
    if not 1 <= factor <= _MOST:
        raise DataError(f"{VARIABLE} = {text!r}: not a number from 1 to {_MOST}; set it to 2, for example, or unset it")
    return factor
