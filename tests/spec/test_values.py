"""What single values may be: the words of an error, and JSON Schema's, say the same."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wellfit.spec.values import Layers, Part, Positive, PositiveShare, ProperShare, Share, between, must, one_of

RANGES = {"share": Share, "whole": PositiveShare, "proper": ProperShare, "part": Part, "positive": Positive}


@pytest.mark.parametrize("kind", RANGES.values(), ids=list(RANGES))
@given(value=st.one_of(st.sampled_from([0.0, 1.0]), st.floats(-1, 2)))
def test_the_schema_takes_what_the_rule_takes(kind: object, value: float) -> None:
    adapter: TypeAdapter[float] = TypeAdapter(kind)
    said = adapter.json_schema()
    fits = (
        value >= said.get("minimum", -9)
        and value <= said.get("maximum", 9)
        and value > said.get("exclusiveMinimum", -9)
        and value < said.get("exclusiveMaximum", 9)
    )
    if fits:
        assert adapter.validate_python(value) == value
    else:
        with pytest.raises(ValidationError, match="must be"):
            adapter.validate_python(value)


def test_rules_say_what_must_be() -> None:
    even: TypeAdapter[int] = TypeAdapter(Annotated[int, must("even", lambda x: x % 2 == 0, multipleOf=2)])
    assert even.json_schema() == {"multipleOf": 2, "type": "integer"}
    with pytest.raises(ValidationError, match="must be even"):
        even.validate_python(3)
    color: TypeAdapter[str] = TypeAdapter(Annotated[str, one_of("color", ("red", "blue"))])
    assert color.json_schema() == {"enum": ["red", "blue"], "type": "string"}
    with pytest.raises(ValidationError, match="unknown"):
        color.validate_python("green")
    with pytest.raises(ValidationError, match="must be from 2 to 3"):
        TypeAdapter(Annotated[int, between(2, 3)]).validate_python(4)
    with pytest.raises(ValidationError, match="at most 64 layers"):
        TypeAdapter(Layers).validate_python([1] * 65)
