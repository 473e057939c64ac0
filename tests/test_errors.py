"""Errors are one line, suggest the nearest name, and can be caught by their family."""

from __future__ import annotations

import pytest

from wellfit import errors
from wellfit.errors import UnknownNameError, nearest


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("ADAM", "adam"), ("rmsporp", "rmsprop"), ("lamb-2023", None), ("", None)],
)
def test_the_nearest_name_ignores_case(name: str, suggestion: str | None) -> None:
    assert nearest(name, ["adam", "rmsprop"]) == suggestion


@pytest.mark.parametrize("name", ["iris", "wine", "titanic", "cifar10", "penguins", "breast_cancer"])
def test_another_data_set_is_no_misspelling(name: str) -> None:
    assert nearest(name, ["cosines", "digits", "fashion-mnist", "mnist"]) is None


@pytest.mark.parametrize(
    ("name", "meant"),
    [("sdg", "sgd"), ("rnu", "run"), ("fashion", "fashion-mnist"), ("fmnist", "mnist"), ("predcit", "predict"),
     ("shwo", "show"), ("l3", "l1"), ("reg", "regularization"), ("foo", None), ("train", None), ("x", None)],
)  # fmt: skip
def test_suggestions_are_good_or_none(name: str, meant: str | None) -> None:
    known = ["sgd", "run", "fashion-mnist", "mnist", "predict", "show", "l1", "l2", "regularization", "look", "plan"]
    assert nearest(name, known) == meant


def test_an_unknown_name_is_reported_with_its_place() -> None:
    text = str(UnknownNameError("optimizer", "adm", ["sgd", "adam"], "lab.toml, line 3"))
    assert text == "unknown optimizer 'adm' in lab.toml, line 3; did you mean 'adam'? (known: adam, sgd)"
    assert str(UnknownNameError("part", "x", ["depth"])) == "unknown part 'x' (known: depth)"
    assert str(UnknownNameError("data set", "x", ["a"], instead="or a path")).endswith("(known: a, or a path)")


def test_every_error_is_a_users_mistake() -> None:
    families = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    assert all(issubclass(family, errors.WellfitError) for family in families)
    assert issubclass(UnknownNameError, errors.StudyFileError)
    assert not issubclass(errors.WellfitError, ValueError)


def test_a_message_is_one_printable_line_of_bounded_length() -> None:
    text = "/data/a\nb \x1b[31m\udcff猫: damaged; replace the file"
    assert str(errors.DataError(text)) == "/data/a\\nb \\x1b[31m\\udcff猫: damaged; replace the file"
    long = str(errors.DataError("start " + "\0" * 10_000 + " end"))
    assert len(long) <= 1010
    assert long.startswith("start \\x00")
    assert long.endswith("\\x00 end")
    assert str(errors.DataError()) == ""
    cell = "9" * 5000
    assert str(errors.DataError(f"'a)' and {cell!r}: 'b'")) == f"'a)' and '{cell[:57]}...': 'b'"
    assert str(errors.UnknownNameError("study", cell, ["a"])) == f"unknown study '{cell[:57]}...' (known: a)"
