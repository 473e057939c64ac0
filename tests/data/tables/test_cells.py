"""What the text of one cell is."""

from __future__ import annotations

from wellfit.data.tables.cells import is_missing, is_number


def test_cells() -> None:
    assert all(is_missing(t) for t in ("", " NA ", "nan", "?", "None", "-inf", "N/A"))
    assert not any(is_missing(t) for t in ("0", "n", "nothing"))
    assert all(is_number(t) for t in ("1", "-1.5", ".5", "5.", "1e9", " 2 "))
    assert not any(is_number(t) for t in ("", "nan", "1_0", "1,5", "0x1", "1.2.3", "१"))
