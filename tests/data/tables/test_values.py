"""The cells of one column: what its texts are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from wellfit.data.tables.values import is_date, is_numeric, join, meaning_of, numbers_of, texts_of
from wellfit.errors import DataError


def texts(*cells, missing=(), keep=frozenset()):
    return texts_of(pd.Series(list(cells), dtype=object), tuple(missing), keep)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["True", "FALSE", "true"], "truth"),
        (["1", " 2.5", "1e3"], "numbers"),
        (["yes", "no", "yes"], "categories"),
        (["", "?", None], "empty"),
        (["2020-01-01", "2020-01-02", "2021-03-04T10:00:00"], "dates"),
        (["3.5.2020", "14/12/99", "1-2-2003"], "dates"),
        (["12:30", "23:59:59", "1:05 pm"], "dates"),
        (["5-Jan-2020", "Feb 3, 2021", "17 March 1999"], "dates"),
        (["a", "b", "c"], "free"),  # a different text in every row
        ([f"w{i % 150}" for i in range(200)], "free"),
        ([f"w{i % 100}" for i in range(400)], "categories"),
        ([f"w{i % 600}" for i in range(6000)], "free"),
        ([*map(str, range(500)), "abc"], "faulty"),
        ([*map(str, range(500)), "12,5x", "abc"], "faulty"),
        ([*map(str, range(60)), *["unknown"] * 50, *["n. s."] * 50], "faulty"),
        ([*map(str, range(60)), *["a", "b", "c"] * 50], "categories"),
        (["0", "1", "2", "3+"] * 50, "categories"),  # "3+" is as frequent as the others: no slip
        ([*(["0", "1"] * 100), "x"], "faulty"),
        (["A/5 21171", "PC 17599", "113803"] * 3, "categories"),
        (["1,065", "2,034", "1,011"] * 3, "faulty"),  # 1.065 or 1065?
        (["12,5", "13,25"], "faulty"),
        ([f"{i},5" for i in range(50)], "faulty"),
        ([*(f"{i} kg" for i in range(50)), *(f"{i}%" for i in range(50))], "faulty"),
        (["10-20", "20-30"] * 9, "categories"),
    ],
)
def test_what_texts_are(cells, kind):
    assert meaning_of(texts(*cells)).kind == kind


@pytest.mark.parametrize(
    ("cells", "numbers", "sign"),
    [
        (["12%", "7.5 %"], [12, 7.5], "'%' left out"),
        (["$1,200.50", "$3", "-$4"], [1200.5, 3, -4], "'$' left out and the comma in 1,000 left out"),
        (["1,065", "985"], [1065, 985], "the comma in 1,000 left out"),
        (["1,065.5", "2,034"], [1065.5, 2034], "the comma in 1,000 left out"),
        (["5 kg", "7.5 kg"], [5, 7.5], "'kg' left out"),
        (["3 €", "4 €"], [3, 4], "'€' left out"),
        (["5 kg", "1,500.5 kg"], [5, 1500.5], "'kg' left out and the comma in 1,000 left out"),
    ],
)
def test_numbers_with_signs(cells, numbers, sign):
    meaning = meaning_of(texts(*cells))
    assert (meaning.kind, meaning.values.tolist(), meaning.sign) == ("numbers", numbers, sign)


def test_a_decimal_comma_after_a_zero_is_no_thousands_separator():
    assert meaning_of(texts("0,125", "250", "0,500")).kind == "faulty"


def test_the_first_faulty_text_is_named():
    assert meaning_of(texts(*map(str, range(99)), "12,5x", "abc")).fault == "12,5x"


def test_missing_texts():
    found = texts(" a", "a ", "NA", "", None, np.nan, "-", "-999", 5, 5.0, b"raw", missing=["-999"])
    assert found.texts == ("a", "5", "raw")
    assert found.codes.tolist() == [0, 0, -1, -1, -1, -1, -1, -1, 1, 1, 2]
    assert found.counts().tolist() == [2, 2, 1]
    assert texts("+", "-", keep=frozenset("-")).texts == ("+", "-")
    assert texts("-999.0", "3", missing=["-999"]).texts == ("3",)


def test_cells_that_are_lists():
    with pytest.raises(DataError, match="its cells are lists"):
        texts([1, 2], [3])


def test_sets_share_their_texts():
    one, two = join([texts("b", "a", None), texts("c")])
    assert one.texts == two.texts == ("a", "b", "c")
    assert (one.codes.tolist(), two.codes.tolist()) == ([1, 0, -1], [2])


@pytest.mark.parametrize("dtype", ["int64", "uint8", "Int64", "float32", "Float64", "double[pyarrow]", "int8[pyarrow]"])
def test_numbers_of_every_type(dtype):
    column = pd.Series([3, 1, 2], dtype=dtype)
    assert is_numeric(column)
    assert numbers_of(column, ()).tolist() == [3, 1, 2]
    np.testing.assert_array_equal(numbers_of(column, ("1", "x")), [3, np.nan, 2])
    if "int8" not in dtype and dtype not in ("int64",):
        gaps = column.astype("Float64").where(column != 1)
        np.testing.assert_array_equal(numbers_of(gaps, ()), [3, np.nan, 2])


def test_infinite_numbers_are_missing():
    np.testing.assert_array_equal(numbers_of(pd.Series([1, np.inf, -np.inf]), ()), [1, np.nan, np.nan])


def test_dates_of_pandas():
    assert is_date(pd.Series(pd.date_range("2020", periods=2)))
    assert is_date(pd.Series(pd.period_range("2020", periods=2, freq="D")))
    assert not is_date(pd.Series(["a"]))
    assert not is_date(pd.Series([1]))
    assert not is_date(pd.cut(pd.Series([1, 2, 3]), 2))
    assert not is_date(pd.Series(pd.interval_range(0, 2)))
