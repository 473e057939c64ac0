"""Cells that run without Jupyter."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pytest

from wellfit.errors import WellfitError
from wellfit.report.forms.executed import MOST_COLUMNS, MOST_ROWS, Cells
from wellfit.report.marks.static import done, own_axes
from wellfit.report.parts import Code, Drawing, Paragraph, Table


@dataclass(frozen=True)
class Inner:
    depth: int = 1


@dataclass(frozen=True)
class Settings:
    rate: float = 0.1
    inner: Inner = Inner()


def raises() -> None:
    raise WellfitError("no such data")


FIGURE = done(own_axes(None, (2, 2)), "a figure")
NAMES = {"pd": pd, "FIGURE": FIGURE, "Settings": Settings, "Inner": Inner, "raises": raises}


def test_what_is_printed_displayed_and_left_comes_in_order() -> None:
    cells = Cells(NAMES)
    parts = cells.run("x = 2\nprint('one', x)\ndisplay(FIGURE)\nprint('two')\nx + 1")
    assert [type(part) for part in parts] == [Code, Drawing, Code, Code]
    assert [part.text for part in parts if isinstance(part, Code)] == ["one 2", "two", "3"]
    assert parts[1].draw() is FIGURE
    assert cells.run("x") == [Code("2")]
    assert cells.run("None") == cells.run("y = 1") == cells.run("print()") == []


def test_lines_of_words_are_prose_and_arrays_are_code() -> None:
    cells = Cells({})
    words = "A long line of plain words " * 5
    assert cells.run(f"print({words!r})\nprint('short')") == [Paragraph(words), Code("short")]
    parts = cells.run("import numpy as np\nprint(np.zeros((3, 28), int) + 255)")
    assert isinstance(parts[0], Code)
    assert len(parts[0].text.splitlines()) == 3


def test_tables() -> None:
    frame = {"name": ["a", "b"], "examples": [12_345, 7], "share_of": [0.123456, float("nan")], "shape": [(2, 3), (4,)]}
    cells = Cells({**NAMES, "frame": pd.DataFrame(frame)})
    assert cells.run("frame") == [
        Table(("name", "examples", "share of", "shape"), (("a", "12,345", "0.1235", "2 × 3"), ("b", "7", "", "4")), 1)
    ]
    (named,) = cells.run("frame.set_index('name')[['examples']]")
    assert named == Table(("name", "examples"), (("a", "12,345"), ("b", "7")), 1)
    assert cells.run("pd.Series([1e-7, 0.0], name='p')") == [Table(("p",), (("1.0e-07",), ("0",)), 1)]
    (long,) = cells.run(f"pd.DataFrame({{'n': range({MOST_ROWS + 5})}})")
    assert isinstance(long, Table)
    assert len(long.rows) == MOST_ROWS + 1
    wide = cells.run(f"pd.DataFrame([range({MOST_COLUMNS + 3})])")
    assert [len(table.rows[0]) for table in wide if isinstance(table, Table)] == [7, 6]
    wide = cells.run(f"pd.DataFrame([['a', *range({MOST_COLUMNS + 3})]])")
    assert [table.rows[0][0] for table in wide if isinstance(table, Table)] == ["a", "a"]


def test_a_dataclass_is_what_differs_from_its_defaults() -> None:
    assert Cells(NAMES).run("Settings(0.2, Inner(3))") == [Table((), (("rate", "0.2"), ("inner, depth", "3")), 2)]


def test_a_cell_that_cannot_run_says_why_and_those_that_need_it_too() -> None:
    cells = Cells(NAMES)
    with pytest.raises(NameError):  # a mistake in the cell
        cells.run("gone")
    assert cells.run("print('before')\nraises()\nlater = 1") == [
        Code("before"),
        Paragraph("Not shown: no such data", kind="small"),
    ]
    assert cells.run("later") == [Paragraph("Not shown: it needs what is missing above.", kind="small")]
    with pytest.raises(ZeroDivisionError):
        cells.run("1 / 0")
