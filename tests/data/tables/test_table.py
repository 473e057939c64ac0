"""Names and positions of columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wellfit.data.tables.table import Table, name_columns, position, positions
from wellfit.errors import DataError


def table(*header: str) -> Table:
    names, _ = name_columns(header, max(len(header), 1))
    frame = pd.DataFrame(np.zeros((1, len(names))))
    return Table(frame, names, bool(header), bool(header), "t", np.array([2]), bare=header)


def test_columns_have_different_names():
    assert name_columns((), 2) == (("column 1", "column 2"), "")
    names, said = name_columns(("a", "", "a", "a", "column 2"), 5)
    assert len(set(names)) == 5
    assert said == "a stands 3 times"


@pytest.mark.parametrize(("key", "place"), [("b", 1), (" B ", 1), (1, 0), (3, 2), (-1, 2), (-3, 0), ("7", 2)])
def test_a_column_by_name_or_number(key, place):
    assert position(table("a", "b", "7"), key, "label") == place


def test_a_repeated_name_with_its_number():
    assert position(table("a", "b", "a"), "a (column 3)", "label") == 2


def test_the_exact_name_wins_over_another_case():
    assert [position(table("a", "A"), key, "label") for key in ("a", "A")] == [0, 1]


@pytest.mark.parametrize(
    ("header", "key", "message"),
    [
        (("a", "b"), 0, r"t: \[data\] label = 0, but the 2 columns are numbered from 1"),
        (("a", "b"), 3, r"t: \[data\] label = 3, but the 2 columns"),
        (("a", "b"), -3, r"t: \[data\] label = -3, but the 2 columns"),
        (("label", "b"), "lable", r"no such column; did you mean 'label'\? \(columns: label, b\)"),
        (("A", "a", "b"), " a", r"may be column 1, 2; give the number, for example label = 1"),
        (("label", "b", "label"), "label", r"may be column 1, 3"),
        ((), "label", r"the table has no header; give the column's number"),
    ],
)
def test_columns_that_are_not_there(header, key, message):
    with pytest.raises(DataError, match=message):
        position(table(*header), key, "label")


def test_several_columns():
    assert positions(table("a", "b", "c"), ("c", 1, "c"), "drop") == (0, 2)
