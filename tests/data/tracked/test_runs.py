"""Tracked runs, and settings as texts."""

from __future__ import annotations

from typing import Any

import pytest

from wellfit.data.tracked.runs import Tracked, flat, number
from wellfit.errors import DataError


def test_settings_are_flat_texts():
    assert flat({"a": {"b": [1, 2], "c": {}}, 3: None, "lr": 1e-3, "whole": 4.0}, "f") == {
        "a/b": "[1, 2]", "a/c": "{}", "3": "None", "lr": "0.001", "whole": "4"
    }  # fmt: skip
    assert len(flat({"a": "x" * 10_000}, "f")["a"]) == 250


def test_settings_without_end_are_one_line():
    with pytest.raises(DataError, match="f: settings within settings, 20 deep"):
        flat({"a": _nested(30)}, "f")
    with pytest.raises(DataError, match="f: more than 2,000 settings"):
        flat({str(i): i for i in range(3000)}, "f")


def _nested(depth: int) -> dict[str, Any]:
    return {"a": 1} if not depth else {"a": _nested(depth - 1)}


def test_numbers():
    assert number("1e400") == float("inf")
    assert number(10**400) is None
    assert number([1]) is None


def test_what_is_given_is_known():
    assert Tracked().given == ()
    assert Tracked(percent=True, seed="s").given == ("percent", "seed")


def test_values_are_written_as_python_does_up_to_a_length():
    of = {"a": [1, "x", (2,), {"k": None}], "b": (1, 2.5), "c": [], "d": {}, "e": ["y" * 300]}
    found = flat(of, "f")
    assert [found[name] for name in "abcd"] == [str(of[name]) for name in "abcd"]
    assert found["e"] == str(of["e"])[:250]
    assert Tracked(by="lr").by == ("lr",)
