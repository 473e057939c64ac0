"""Separator, decimal mark and header of a text table, by its first rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.base import Reading
from wellfit.data.tables.dialect import MAX_COLUMNS, detect, single_spaced
from wellfit.errors import DataError


def found(text: str, **settings):
    return detect(text.encode(), Reading(**settings), "t")


@pytest.mark.parametrize(
    ("text", "separator", "decimal"),
    [
        ("a,b\n1.5,2\n", ",", "."),
        ("a;b\n1,5;2\n3;2,5\n", ";", ","),
        ("1,5;2,5\n3,5;2,5\n", ";", ","),  # as many commas in every row
        ("a\tb\n1,5\t2\n", "\t", ","),
        ("a|b\n1.5|2\n", "|", "."),
        ("1.5 2\n3 4\n", " ", "."),
        ("  1.5   2\n 10.5  3\n", " ", "."),
        ('a,b,c\n"x;y",1,2\n"x;z",1,2\n', ",", "."),
        ("a;b\nSmith, J;1.5\nRoe, K;2.5\n", ";", "."),
        ("a,b\nnew york,1\nlos angeles,2\n", ",", "."),
        ('a,b\n"1,5",2\n"2,5",3\n', ",", ","),
        ('a,b,c\n"1,065",985,2.5\n', ",", "."),  # beside a decimal point, the comma groups thousands
        ("sep=;\na;b\n1;2\n", ";", "."),
        ("a;b\n2020-01-01 10:00;1,25\n", ";", ","),
    ],
)
def test_separators_and_decimal_marks(text, separator, decimal):
    dialect = found(text)
    assert (dialect.separator, dialect.decimal) == (separator, decimal)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(2, 5),
    st.integers(3, 9),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ","), ("|", ".")]),
    st.booleans(),
    st.integers(0, 99),
)
def test_what_pandas_writes_is_understood(columns, rows, style, header, seed):
    frame = pd.DataFrame(np.random.default_rng(seed).normal(size=(rows, columns)), columns=list("abcde")[:columns])
    text = frame.to_csv(index=False, sep=style[0], decimal=style[1], header=header)
    dialect = found(text)
    assert (dialect.separator, dialect.decimal) == style
    assert dialect.header == (tuple("abcde"[:columns]) if header else ())
    assert dialect.columns == columns


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("label,a\nx,1\n", ("label", "a")),
        ("x,1\ny,2\n", ()),
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n", ()),
        ("a,b,class\n5.1,3.5,setosa\n4.9,3.0,setosa\n", ("a", "b", "class")),
        ("label,0,1\n7,1.5,2\n8,3,4\n", ("label", "0", "1")),
        ("0,1,2,3,4,5\n7,1,2,0,0,0\n8,3,4,0,0,0\n", tuple("012345")),
        ("1,2,3,4,5,6\n7,1,2,0,0,0\n8,3,4,0,0,0\n", tuple("123456")),
        ("0,1,2\n0.5,1.5,2.5\n0.25,3.5,4.5\n", ("0", "1", "2")),  # what numbers from 0 are above fractions
        ("0,1,2\n1,3,4\n0,5,6\n", ()),
        (",0,1\n0,1.5,2\n1,3,4\n", ("", "0", "1")),
        (",a,b\n0,1.5,2\n1,3,4\n", ("", "a", "b")),
        ("class,cap,odor\np,x,s\ne,x,n\np,b,s\ne,b,n\n", ("class", "cap", "odor")),
        ("p,x,s\ne,x,n\np,b,s\ne,b,n\n", ()),
        ("Y,1,2\nN,3,4\n", ()),  # Y for yes
        ("y,1st,2nd\n0,3,4\n1,3,4\n", ("y", "1st", "2nd")),
        ("country,1990,1991,1992\nx,1,2,3\ny,1,2,3\n", ("country", "1990", "1991", "1992")),
        ("abc,1,2\n3,4,5\n6,7,8\n", ()),  # a bad cell in the first row
        ("# written 2021\nlabel,a\nx,1\n", ("label", "a")),
        ("# a b label\n1.5 2.5 0\n2.5 3.5 1\n", ("a", "b", "label")),  # np.savetxt(header="a b label")
        ("a,b\n1,2,x\n2,3,y\n3,4,z\n", ("", "a", "b")),  # R leaves out the name of the row names
        ("a,b,c\n1,2,,\n", ("a", "b", "c")),
    ],
)
def test_headers(text, header):
    assert found(text).header == header


def test_the_settings_decide():
    assert found("a,b\nc,d\n", header=False).header == ()
    assert found("1,2\n3,4\n", header=True).header == ("1", "2")
    assert found("a;b,c\n1;2,3\n", separator=",").separator == ","
    assert found("a\tb\n1\t2\n", separator="\\t").separator == "\t"
    assert found("a;b\n1,065;2\n", decimal=".").decimal == "."


def test_where_the_rows_begin():
    text = '\n# c\n"two\nlines",b\n\n1,2\n'
    dialect = found(text, header=True)
    assert text.encode()[dialect.start :].lstrip(b"\n") == b"1,2\n"
    assert (dialect.line, dialect.comments) == (5, 1)


@pytest.mark.parametrize("cells", ["1.065 900.5", "1.065 99", "1.065 1000", "0.065 900", "1.06 900", "1.065 2.100"])
def test_dots_that_cannot_group_thousands_are_decimal_points(cells):
    assert found("n;s\n" + "".join(f"{cell};x\n" for cell in cells.split())).decimal == "."


def test_a_separator_at_the_ends_of_lines():
    assert [found(text).trailing for text in ("a,b,\n1,2,\n", "a,b\n1,2,\n", "a,b,\n1,2,3\n4,5,\n")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("", {}, r"t: the file is empty"),
        ("\n \n", {}, r"t: the file is empty"),
        ("# only\n# notes\n", {}, r"t: the file is empty"),
        ("sep=;\n", {}, r"t: the file is empty"),
        ("label,a\n\n", {}, r"t: has a header but no rows"),
        ("a\n1,2\n1,2\n", {"header": True}, r"t: the header has 1 names, but most lines have 2 columns"),
        ("a,b\n1,2\n", {"separator": "::"}, r"t: separator '::' cannot separate columns"),
        ("a,b\n1,2\n", {"separator": '"'}, r"cannot separate columns; set \[data\] separator"),
        ("n\ts\n1,065\tx\n2,100\ty\n", {}, r"t: line 2, column 1: '1,065' may be 1\.065 or 1065; set \[data\] decimal"),
        ('# a\ns,n,m\nx,"a\nb",1\ny,c,"2,300"\n', {}, r"t: line 5, column 3: '2,300' may be 2\.300 or 2300"),
        (
            "n;s\n1.065;x\n900;y\n",
            {},
            r"t: line 2, column 1: '1\.065' may be 1065 or 1\.065; for 1065, set \[data\] decimal = \",\"",
        ),
        ("@relation iris\n@data\n", {}, r"t: an ARFF file; convert it"),
        ("a,b\n1," + "x" * 200_000 + "\n", {"separator": ","}, r"t: line 2: field larger than field limit.*separator"),
        ("," * MAX_COLUMNS + "\n", {}, r"t: has 50,001 columns, but tables of up to 50,000 are read"),
        ("1 " * (33 << 20), {}, r"t: has a line of more than 64 MiB"),
    ],
)
def test_what_is_no_table(text, settings, message):
    with pytest.raises(DataError, match=message):
        found(text, **settings)


def test_spaces():
    assert single_spaced(b" 1 \t 2 \n3  4") == b"1 2\n3 4"
