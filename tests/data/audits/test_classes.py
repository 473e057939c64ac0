"""Classes that are missing, named alike, or in order."""

from __future__ import annotations

import numpy as np
import pytest

from planted import changed, codes, message, toy
from wellfit.base import Splits


def test_missing_classes():
    sound = toy()
    assert codes(changed(sound, classes=("a", "b", "c")))["class-missing-from-split"] == "error"
    only = changed(sound, y_test=np.zeros(200))
    assert message(only, "class-missing-from-split").startswith("The test split has no example of b: it covers 1 of 2")
    # mlp_week09: the last fifth of sorted rows
    ordered = changed(sound, y_train=np.sort(sound.y_train))
    tail = Splits(np.arange(320), np.arange(320, 400), np.arange(80), 0, "")
    assert "The validation split has no example of a" in message(ordered, "class-missing-from-split", tail)
    many = changed(sound, classes=tuple(f"c{i}" for i in range(9)))
    assert "c2, c3, c4, c5, c6, c7 and 1 more:" in message(many, "class-missing-from-split")


@pytest.mark.parametrize(
    "names",
    [
        ("cat", "Cat "),
        ("T-shirt", "t_shirt"),
        ("New York", "New  York"),
        ("caf\u00e9", "cafe\u0301"),
        ("\uff21\uff22", "AB"),
        ("zero\u200bwidth", "zero width"),
        ("Yes", "yes"),
    ],
)
def test_names_that_differ_in_spelling_alone(names):
    fault = changed(toy(), classes=names)
    assert codes(fault)["similar-class-names"] == "warning"
    assert f"differ only in spelling: {names[0]!r} and {names[1]!r}." in message(fault, "similar-class-names")


@pytest.mark.parametrize(
    "names", [("cat", "cats"), ("a", "A"), ("-1", "1"), ("A-", "A"), ("C", "C++"), ("+", "-"), ("_", " "), ("1", "01")]
)
def test_names_of_different_classes(names):
    assert "similar-class-names" not in codes(changed(toy(), classes=names))


def test_order_of_rows():
    sound = toy()
    ordered = changed(sound, y_train=np.sort(sound.y_train))
    assert codes(ordered)["rows-sorted-by-class"] == "info"
    assert "the label changes 1 time instead of the 199 expected" in message(ordered, "rows-sorted-by-class")
    assert "shuffled (seed 0)" in message(ordered, "rows-sorted-by-class")
    almost = np.sort(sound.y_train)
    almost[[3, 399]] = almost[[399, 3]]
    assert "rows-sorted-by-class" in codes(changed(sound, y_train=almost))
    assert "rows-sorted-by-class" not in codes(sound)


def test_order_of_rows_with_a_given_validation_set():
    sound = toy()
    ordered = changed(sound, y_train=np.sort(sound.y_train), validation_rows=np.arange(150, 250))
    splits = Splits(np.r_[:150, 250:400], np.arange(150, 250), np.arange(50), 0, "")
    assert "Every epoch shuffles the rows" in message(ordered, "rows-sorted-by-class", splits)
