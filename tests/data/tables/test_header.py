"""Names of columns below titles, in text and in Excel."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.base import Reading
from wellfit.data.tables.files import load_table
from wellfit.data.tables.header import names_columns, titles_above

HEADER = ["weight", "size", "label"]
ROWS = [["1.5", "7", "fuji"], ["2.5", "8", "gala"], ["3.5", "9", "fuji"]]


@pytest.mark.parametrize(
    ("above", "titles"),
    [
        ([], 0),
        ([["Apples of 2024"]], 1),
        ([["Apples of 2024", "", ""]], 1),
        ([["", "Apples", ""], ["2024, by hand"]], 2),
        ([["Apples", "", ""], ["", "", ""]], 2),  # as Excel saves an empty row
        ([["2024", "", ""]], 0),  # a number: a row with missing values
        ([["?", "", ""]], 0),
        ([["kg", "cm", ""]], 0),
        ([["t"]] * 6, 0),
    ],
)
def test_titles_above_a_header(above: list[list[str]], titles: int) -> None:
    assert titles_above([*above, HEADER, *ROWS]) == titles


def test_what_is_no_title() -> None:
    assert titles_above([["Apples", "", ""], *ROWS]) == 0  # no header below it
    assert titles_above([["Apples", "", ""], ["weight", "", "label"], *ROWS]) == 0
    assert titles_above([["label", ""], ["a", "1"], ["b", "2"]]) == 0  # the second column has no name
    assert titles_above([["Apples"], HEADER]) == 0


def test_titles_above_other_tables() -> None:
    assert titles_above([["Apples"], ["label", "a"], ["x", "1"], ["y", "2"]]) == 1
    assert titles_above([["Apples", "", ""], ["", "a", "b"], ["0", "1,5", "2"], ["1", "3,5", "4"]]) == 1
    assert titles_above([["Apples", "", ""], ["cap", "odor", "class"], ["x", "n", "p"], ["x", "s", "e"]]) == 1
    assert names_columns(["cap", "odor"], [["x", "n"], ["x", "s"]])


@pytest.mark.parametrize("padding", [0, 2])
def test_a_title_is_left_out_and_said(tmp_path: Path, padding: int) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    rows = [
        ["Apples of 2024", *[None] * padding],
        [None] * padding,
        HEADER,
        *([1.5 + i, 7, "ab"[i % 2]] for i in range(6)),
    ]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    (tmp_path / "a.csv").write_text("\n".join([*lines, ""]))
    for name, unit in (("a.csv", "line"), ("a.xlsx", "row")):
        table = load_table(tmp_path / name, Reading())
        assert table.names == ("weight", "size", "label")
        assert (table.frame.shape, table.frame.dtypes[0].kind, table.at(0)) == ((6, 3), "f", f"{unit} 4")
        assert table.facts == (("title", "above the header, left out: Apples of 2024"),)


def test_a_title_beside_the_table_in_excel(tmp_path: Path) -> None:
    """Its column is empty below."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [["Apples"], *([None, *row] for row in [HEADER, *ROWS])]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert load_table(tmp_path / "a.xlsx", Reading()).names == ("weight", "size", "label")
