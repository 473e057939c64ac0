"""Parts of a data set, and how messages name their rows."""

from __future__ import annotations

import numpy as np

from wellfit.data.parts import Part, RawData, listed, named_rows


def test_the_parts_in_the_order_of_their_rows():
    train, validation, test = (Part(np.zeros((2, 1)), np.arange(2), name) for name in "abc")
    assert [part.where for part in RawData(train, test, validation).parts] == ["a", "b", "c"]
    assert RawData(train).parts == (train,)


def test_rows_are_named_by_line_where_lines_are_known():
    plain = Part(np.zeros((8, 1)), np.zeros(8), "a")
    lined = Part(plain.x, plain.labels, "a", lines=np.arange(2, 10))
    assert named_rows(plain, np.arange(8) == 2) == "row 2 (counted from 0)"
    assert named_rows(lined, np.arange(8) == 2) == "line 4"
    assert named_rows(lined, np.arange(8) != 2) == "lines 2, 3, 5, 6, 7 and 2 more"


def test_long_lists_are_counted():
    assert listed([]) == ""
    assert listed(list("abcdefgh"), 3) == "a, b, c and 5 more"
