"""What single values of a study file may be, with their ranges in words, for pydantic, and for editors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Discriminator, GetCoreSchemaHandler, GetJsonSchemaHandler, Tag
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from wellfit.base import MONITORS

__all__ = [
    "ONE",
    "SEVERAL",
    "Count",
    "Layers",
    "Monitor",
    "Natural",
    "OrFalse",
    "Part",
    "Positive",
    "PositiveShare",
    "ProperShare",
    "Rates",
    "Ratio",
    "Rule",
    "Seed",
    "SeedCount",
    "Seeds",
    "Share",
    "Strength",
    "Strengths",
    "Words",
    "between",
    "must",
    "one_of",
]

MAX_LAYERS: Final = 64
MAX_COUNT: Final = 1_000_000  # no honest study has more epochs, units or examples a batch; 2**40 is a slip


@dataclass(frozen=True)
class Rule:
    """A check of a value, told to pydantic and, for editors, in the words of JSON Schema."""

    validate: Callable[[Any], Any]
    json: Mapping[str, Any] = field(hash=False)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.validate, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), **self.json}


def must(be: str, holds: Callable[[Any], bool], **json: Any) -> Rule:
    """A rule that tells in words what a value must be.

    Args:
      be: what an error says after "must be".
      holds: whether a value keeps to it.
      json: the same in JSON Schema's words, as far as it has them.

    Example:
      >>> must("even", lambda x: x % 2 == 0, multipleOf=2).json
      {'multipleOf': 2}
    """

    def validate(value: Any) -> Any:
        if not holds(value):
            raise PydanticCustomError("range", "must be {be}", {"be": be})
        return value

    return Rule(validate, json)


def one_of(kind: str, known: tuple[str, ...]) -> Rule:
    """A rule that takes one of a few names.

    Args:
      kind: what they name, for the error.
      known: the names.
    """

    def validate(value: str) -> str:
        if value not in known:
            raise PydanticCustomError("unknown_name", "unknown", {"kind": kind, "known": known})
        return value

    return Rule(validate, {"enum": list(known)})


def _check_monitor(value: str) -> str:
    """Tell why the other metrics that Keras would watch are not to be watched."""
    if value in MONITORS:
        return value
    if value in ("loss", "accuracy") or value.startswith("train_"):
        why = "training metrics go on improving while a network over-fits; only val_loss or val_accuracy can stop it"
        raise PydanticCustomError("monitor", "{why}", {"why": why})
    if value.startswith("test_"):
        why = "the test set is opened once, at the end; only val_loss or val_accuracy can stop a training"
        raise PydanticCustomError("monitor", "{why}", {"why": why})
    raise PydanticCustomError("unknown_name", "unknown", {"kind": "monitor", "known": MONITORS})


ONE, SEVERAL = "<one>", "<several>"  # pydantic puts these into an error's path; no key of a study file looks so


def _number_or_list(value: Any) -> str:
    return SEVERAL if isinstance(value, list) else ONE


def between(low: int, high: int) -> Rule:
    """A rule that takes numbers of a range, both ends included."""
    return must(f"from {low} to {high}", lambda x: low <= x <= high, minimum=low, maximum=high)


_SHARE = must("at least 0 and less than 1", lambda x: 0 <= x < 1, minimum=0, exclusiveMaximum=1)
_POSITIVE_SHARE = must("greater than 0 and at most 1", lambda x: 0 < x <= 1, exclusiveMinimum=0, maximum=1)
_PROPER_SHARE = must("greater than 0 and less than 1", lambda x: 0 < x < 1, exclusiveMinimum=0, exclusiveMaximum=1)
_DISTINCT = must("a list of distinct seeds", lambda x: len(x) == len(set(x)) > 0, minItems=1, uniqueItems=True)

Share = Annotated[float, _SHARE]
PositiveShare = Annotated[float, _POSITIVE_SHARE]
ProperShare = Annotated[float, _PROPER_SHARE]
Part = Annotated[float, between(0, 1)]
Ratio = Annotated[float, must("at least 1", lambda x: x >= 1, minimum=1)]
Strength = Annotated[float, must("at least 0", lambda x: x >= 0, minimum=0)]
Positive = Annotated[float, must("greater than 0", lambda x: x > 0, exclusiveMinimum=0)]
Count = Annotated[int, between(1, MAX_COUNT)]
Natural = Annotated[int, between(0, MAX_COUNT)]
Seed = Annotated[int, between(0, 2**31 - 1)]
SeedCount = Annotated[int, between(1, 10_000)]
SeedList = Annotated[list[Seed], _DISTINCT]
Layers = Annotated[
    list[Count], must(f"at most {MAX_LAYERS} layers", lambda x: len(x) <= MAX_LAYERS, maxItems=MAX_LAYERS)
]
Monitor = Annotated[str, Rule(_check_monitor, {"enum": list(MONITORS)})]
Words = Annotated[str, must("some words", lambda x: x.strip() != "", minLength=1)]
Rates = Annotated[Annotated[Share, Tag(ONE)] | Annotated[list[Share], Tag(SEVERAL)], Discriminator(_number_or_list)]
Strengths = Annotated[
    Annotated[Strength, Tag(ONE)] | Annotated[list[Strength], Tag(SEVERAL)], Discriminator(_number_or_list)
]
OrFalse = BeforeValidator(lambda x: None if x is False else x)  # a variant without what the base recipe has
Seeds = Annotated[Annotated[SeedCount, Tag(ONE)] | Annotated[SeedList, Tag(SEVERAL)], Discriminator(_number_or_list)]
