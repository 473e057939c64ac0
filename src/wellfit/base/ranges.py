"""What a setting may be: number types with their ranges, and the marks that a plain type cannot carry.

Study files, ``--set``, error messages and the JSON Schema all read these annotations; nothing here validates.

Example:
  >>> RATE.ge, RATE.lt
  (0, 1)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from annotated_types import Interval, MaxLen, MinLen

__all__ = [
    "Count",
    "Distinct",
    "Natural",
    "NonNegative",
    "Off",
    "OrOff",
    "Positive",
    "PositiveShare",
    "Probability",
    "ProperShare",
    "Rate",
    "Ratio",
    "Seed",
    "Seeds",
    "Text",
    "UpTo64",
]

MAX_COUNT: Final = 1_000_000  # no real study needs more epochs, units or examples per batch; 2**40 is a typing error
RATE: Final = Interval(ge=0, lt=1)

Anything = TypeVar("Anything")


@dataclass(frozen=True)
class Off:
    """Marks an optional setting that ``false`` turns off: the setting is then None."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """Let editors accept ``false``."""
        return {"anyOf": [*handler(schema)["anyOf"], {"const": False}]}


@dataclass(frozen=True)
class Distinct:
    """Marks a list whose items must differ."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        """The same in JSON Schema."""
        return {**handler(schema), "uniqueItems": True}


OrOff = Annotated[Anything | None, Off()]
UpTo64 = Annotated[tuple[Anything, ...], MaxLen(64)]

Rate = Annotated[float, RATE]
Probability = Annotated[float, Interval(ge=0, le=1)]
PositiveShare = Annotated[float, Interval(gt=0, le=1)]
ProperShare = Annotated[float, Interval(gt=0, lt=1)]
Ratio = Annotated[float, Interval(ge=1)]
NonNegative = Annotated[float, Interval(ge=0)]
Positive = Annotated[float, Interval(gt=0)]
Count = Annotated[int, Interval(ge=1, le=MAX_COUNT)]
Natural = Annotated[int, Interval(ge=0, le=MAX_COUNT)]
Seed = Annotated[int, Interval(ge=0, le=2**31 - 1)]
Seeds = Annotated[tuple[Seed, ...], MinLen(1), Distinct()]
Text = Annotated[str, MinLen(1)]
