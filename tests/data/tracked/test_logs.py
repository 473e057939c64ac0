"""Tables that loggers write."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.data.tracked.logs import columns_of, curves_in, header_of, table_of
from wellfit.errors import DataError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_empty_cells_are_no_values_and_the_last_of_a_step_counts(tmp_path: Path):
    table = table_of(write(tmp_path / "m.csv", "epoch,loss,acc,note\n,,,a\n0,3,,b\n0,2,0.5,c\n1,1,,d\n"))
    assert curves_in(table, "epoch") == {"loss": {0: 2, 1: 1}, "acc": {0: 0.5}}


def test_headers(tmp_path: Path):
    assert header_of(write(tmp_path / "a.csv", "\ufeffEpoch;Val Loss \n1;2\n")) == ("epoch", "val loss")
    assert header_of(write(tmp_path / "b.csv", "a\x00b\n")) == ()
    assert header_of(tmp_path / "gone.csv") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step,loss\n0,1\n1,2\n", "has no column epoch"),
        ("epoch,loss\n0,1\n-1,2\n", "line 3: epoch is not a whole number from 0"),
        ("epoch,loss\n0,1\n0.5,2\n", "line 3: epoch is not a whole number from 0"),
        ("0,1\n1,2\n", "has no header"),
    ],
)
def test_tables_that_are_no_logs_are_one_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(DataError, match=message):
        curves_in(table_of(write(tmp_path / "m.csv", text)), "epoch")


def test_two_columns_of_a_name_are_one_line(tmp_path: Path):
    with pytest.raises(DataError, match="has two columns 'loss'; keep one of them"):
        columns_of(table_of(write(tmp_path / "m.csv", "epoch,loss,loss\n0,1,2\n1,2,3\n")))
