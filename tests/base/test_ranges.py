"""Ranges: what a value is checked for and what the JSON Schema says are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from wellfit.base import (
    EarlyStopping,
    NonNegative,
    OrOff,
    Positive,
    PositiveShare,
    Probability,
    ProperShare,
    Rate,
    Ratio,
    Seeds,
    Text,
    UpTo64,
)
from wellfit.errors import StudyFileError
from wellfit.spec.reading import read_table
from wellfit.spec.source import Source

RANGES = [Rate, Probability, PositiveShare, ProperShare, Ratio, NonNegative, Positive]


def settings(declared: Any) -> type:
    """A dataclass with one setting."""
    return dataclass(type("One", (), {"__annotations__": {"value": declared}}))


def accepted(declared: Any, value: Any) -> Any:
    return read_table(settings(declared), {"value": value}, Source("test")).value


@pytest.mark.parametrize("declared", RANGES)
@given(value=st.one_of(st.sampled_from([0.0, 1.0]), st.floats(-1, 2)))
def test_the_json_schema_has_the_range_that_is_checked(declared: Any, value: float) -> None:
    schema = TypeAdapter(declared).json_schema()
    fits = (
        value >= schema.get("minimum", -9)
        and value <= schema.get("maximum", 9)
        and value > schema.get("exclusiveMinimum", -9)
        and value < schema.get("exclusiveMaximum", 9)
    )
    if fits:
        assert accepted(declared, value) == value
    else:
        with pytest.raises(StudyFileError, match=r"must be .* got"):
            accepted(declared, value)


@pytest.mark.parametrize(
    ("declared", "value", "problem"),
    [
        (UpTo64[float], [1.0] * 65, "must have at most 64 values, got 65"),
        (Seeds, [], "must have 1 or more values, got 0"),
        (Seeds, [3, 3], r"must be a list of distinct values, got \[3, 3\]"),
        (Text, "  ", "must not be empty"),
        (OrOff[EarlyStopping], True, "must be a table, got True"),
        (EarlyStopping | None, False, "must be a table, got False"),
    ],
)
def test_marks_are_checked(declared: Any, value: Any, problem: str) -> None:
    with pytest.raises(StudyFileError, match=f"value: {problem}$"):
        accepted(declared, value)


def test_false_is_none_where_a_setting_can_be_off() -> None:
    assert accepted(OrOff[EarlyStopping], False) is None
    assert accepted(EarlyStopping | None, None) is None
