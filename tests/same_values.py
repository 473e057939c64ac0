"""Whether two values are the same through and through: types, order, every bit of a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def check_same(one: Any, other: Any, at: str = "") -> None:
    """Fail at the first part that differs; the kind of a read-only mapping does not count.

    Args:
      one, other: numbers, texts, arrays, or tuples, lists, mappings and dataclasses of them.
      at: what they are parts of.
    """
    if isinstance(one, Mapping):
        assert isinstance(other, Mapping), at
        assert list(one) == list(other), at
        for key in one:
            check_same(one[key], other[key], f"{at}[{key!r}]")
        return
    assert type(one) is type(other), f"{at}: {type(one)}, {type(other)}"
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes()), at
    elif is_dataclass(one):
        for field in fields(one):
            check_same(getattr(one, field.name), getattr(other, field.name), f"{at}.{field.name}")
    elif isinstance(one, tuple | list):
        assert len(one) == len(other), at
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            check_same(a, b, f"{at}[{number}]")
    else:
        assert repr(one) == repr(other), at  # NaN is itself, and 0.0 is not -0.0
