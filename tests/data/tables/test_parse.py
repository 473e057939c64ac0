"""Text to columns: what pandas reads, rows of unequal length, and the lines of the rows."""

from __future__ import annotations

import csv
import io
import string
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.base import Reading
from wellfit.data.tables.parse import parse_text
from wellfit.errors import DataError


def parsed(text: str, **settings):
    return parse_text(text.encode(), Reading(**settings), "t")


numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)
OTHERS = ("na", "nan", "null", "none", "inf", "infinity", "true", "false")  # missing values, numbers, booleans
words = st.text(string.ascii_letters + ' ,"éß\n', min_size=1, max_size=8).filter(
    lambda s: s.strip() == s and s.lower() not in OTHERS
)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 4).flatmap(
        lambda d: st.lists(st.tuples(words, st.lists(numbers, min_size=d, max_size=d)), min_size=1, max_size=8)
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_read(rows, newline):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=newline)
    writer.writerow(["label", *(f"f{i}" for i in range(len(rows[0][1])))])
    for label, features in rows:
        writer.writerow([label, *map(repr, features)])
    table = parsed(buffer.getvalue(), header=True, separator=",", decimal=".")
    assert table.frame[0].astype(str).tolist() == [label.replace("\r\n", "\n") for label, _ in rows]
    # A decimal that float32 wrote is read back exactly.
    np.testing.assert_array_equal(
        table.frame.iloc[:, 1:].to_numpy(np.float32), np.array([f for _, f in rows], np.float32)
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a,b\n1,2\n3,4\n", [2, 3]),
        ("\n\na,b\n\n1,2\n \n3,4", [5, 7]),
        ('a,b\n"x\ny",2\nz,4\n', [2, 4]),
        ("# c\na b\n1  2\n\n3 4\n", [3, 5]),
    ],
)
def test_lines_are_those_of_the_file(text, lines):
    table = parsed(text, header=True)
    assert table.lines.tolist() == lines
    assert table.at(0) == f"line {lines[0]}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label,a,b\n0,1,2\n1,2\n1,2,3\n", r"t: line 3 has 2 columns, but the header has 3; fix the row"),
        ("0,1,2\n\n1,2,3,4\n3,4,5\n", r"t: line 3 has 4 columns, but most lines have 3"),
        ("label,a\n0,1,2\n1,2,3\n1,2,3\n", r"t: line 1 has 2 columns, but most lines have 3"),
        ("a,b,c\n1,2,3\n1,2\n1,2,3,4\n", r"t: line 3 has 2 columns"),  # as many separators as if both were right
        ('a,b\n1,2\n3,"4\n5,6\n7,8\n', r"t: line 3: .*close the quotation mark"),
        ('a,b,c\n1,2,3\n3,"4,5\n5,6,7\n7,8","9\n1,2,3\n', r"t: line 3"),
    ],
)
def test_the_faulty_line_is_named(text, message):
    with pytest.raises(DataError, match=message) as caught:
        parsed(text)
    assert "\n" not in str(caught.value)


def test_a_bad_line_far_below():
    text = "a,b\n" + "1,2\n" * 5000 + "1,2,3\n" + "1,2\n" * 9
    with pytest.raises(DataError, match=r"t: line 5002 has 3 columns, but the header has 2"):
        parsed(text)


def test_columns_that_turn_out_to_be_texts_are_kept_as_written():
    text = "a,b,c\n" + "1,2,007\n" * 3000 + "x,01,3\n"
    table = parsed(text)
    assert [table.frame[at].iloc[0] for at in range(3)] == ["1", 2, "007"]
    assert table.frame[0].iloc[-1] == "x"
    assert parsed("a,b\nTrue,1\nfalse,2\n").frame[0].tolist() == ["True", "false"]


def test_missing_values():
    table = parsed("a,b\n1,2\n,NA\n?,nan\nnull,3\n")
    assert table.frame[0].isna().tolist() == [False, True, True, True]
    assert table.frame[1].isna().tolist() == [False, True, True, False]


def test_facts_and_names():
    table = parse_text("größe;a;a;\n1,5;2;3;4\n2,5;2;3;4\n".encode("latin-1"), Reading(), "t")
    assert dict(table.facts) == {
        "encoding": "Latin-1",
        "separator": "semicolon; decimal comma",
        "columns of the same name": "a stands twice",
    }
    assert table.names == ("größe", "a (column 2)", "a (column 3)", "column 4")
    assert table.named
    assert not parsed("V1,V2\n1.5,2\n").named
    assert parsed("a,b\n1,2\n").facts == ()
    assert dict(parsed("# c\na,b\n1,2\n").facts) == {"comment lines": "1 above the table"}


def test_a_separator_at_the_end_of_the_rows_is_no_column():
    assert parsed("a,b\n1,2,\n3,4,\n").frame.shape == (2, 2)


@pytest.mark.parametrize("style", [{}, {"sep": ";", "decimal": ","}, {"sep": "\t"}, {"quoting": csv.QUOTE_ALL}])
def test_the_same_numbers_as_pandas(tmp_path: Path, style):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 5)), columns=list("abcde"))
    frame.to_csv(tmp_path / "t.csv", index=False, **style)
    table = parse_text((tmp_path / "t.csv").read_bytes(), Reading(), "t")
    np.testing.assert_array_equal(
        table.frame.astype(float).to_numpy(), pd.read_csv(tmp_path / "t.csv", **style).to_numpy()
    )


def test_a_decimal_comma_beside_texts():
    table = parsed("a;b\n1,5;x\nn/a;2,5\n,5;3\n")
    assert table.frame[0].tolist() == ["1.5", "n/a", ".5"]
    assert table.frame[1].tolist() == ["x", "2.5", "3"]


def test_dots_that_group_thousands_beside_a_decimal_comma():
    frame = parsed("umsatz;ip;label\n1.048,50;1.2;x\n900,25;1.300;y\n-2.000.000;1;x\n", decimal=",").frame
    assert frame.iloc[:, 0].tolist() == ["1048.50", "900.25", "-2000000"]
    assert frame.iloc[:, 1].tolist() == ["1.2", "1.300", "1"]  # 1.2 groups nothing
    table = parsed("umsatz;label\n1.048;x\n900;y\n", decimal=",").frame
    assert table.iloc[:, 0].astype(float).tolist() == [1048, 900]
