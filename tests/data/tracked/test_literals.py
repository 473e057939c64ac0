"""Values of Python in a text."""

from __future__ import annotations

import ast
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit.data.tracked.literals import literal

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda of: st.lists(of, max_size=3) | st.dictionaries(st.text() | st.integers(), of, max_size=3),
    max_leaves=9,
)


@given(VALUES)
def test_what_python_writes_is_read_as_python_reads_it(value: Any):
    assert literal(str(value) if not isinstance(value, str) else repr(value)) == value
    assert literal(repr(value)) == ast.literal_eval(repr(value))


def test_numbers_that_are_no_literals():
    assert math.isnan(literal("{'loss': nan}")["loss"])
    assert literal("[inf, -inf]") == [math.inf, -math.inf]
    assert literal("(1, (2,))") == [1, [2]]
    assert literal("{'a': '\\d', True: None}") == {"a": "\\d", True: None}  # a warning of Python is no concern of users


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "print(1)", "{'a': open('x')}", "{**{}}", "a", "1 + 1", "[x for x in [1]]", "{[]: 1}", "-'a'",
        "(" * 100_000, "-" * 100_000 + "1", "9" * 5000, "\0", "'" + "a" * (1 << 20) + "'", "{'a': 1}.__class__",
        "0x" + "f" * 5000, "{0b1" + "0" * 2000 + ": 1}", "[1j]", "b'a'", "...", "True and 1",
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_nothing_runs(text: str):
    with pytest.raises(ValueError, match=r"not a value of Python|more than 1,048,576 characters"):
        literal(text)
