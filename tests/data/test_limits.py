"""The limits of what files may ask for, and the variable that raises them."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from wellfit.base import Reading
from wellfit.data.arrays.bounds import check_size
from wellfit.data.idx import read_content
from wellfit.data.images import stack, walk
from wellfit.data.limits import raised, remedy
from wellfit.data.tables.dialect import MAX_COLUMNS, detect
from wellfit.data.tables.text import unpack
from wellfit.errors import DataError, StudyFileError
from wellfit.spec.study import load_study


def test_a_number_raises_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (raised(50), remedy(120, 50)) == (50, "if you trust the file, set WELLFIT_LIMITS=3")
    for text, expected in {"": 50, "1": 50, "2.5": 125, "1000": 50_000}.items():
        monkeypatch.setenv("WELLFIT_LIMITS", text)
        assert raised(50) == expected
    monkeypatch.setenv("WELLFIT_LIMITS", "4")
    assert remedy(0, 50).endswith("=5")  # not known how much it needs: the next one
    assert remedy(10**9, 50) == "no setting raises this limit so far"


@pytest.mark.parametrize("text", ["0", "0.5", "-1", "1001", "inf", "nan", "two", "1e999", "\x1b[2J"])
def test_other_texts_are_one_line(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLFIT_LIMITS", text)
    with pytest.raises(DataError, match=r"^WELLFIT_LIMITS = .*: not a number from 1 to 1000; set it to 2, for") as told:
        raised(1)
    assert str(told.value).isprintable()


def test_what_the_error_says_suffices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(1 << 20))
    (tmp_path / "a.gz").write_bytes(bomb)
    (tmp_path / "folder").mkdir()
    for at in range(12):
        (tmp_path / "folder" / f"{at}.txt").touch()
    monkeypatch.setattr("wellfit.data.tables.text._UNSUSPECTED", 1000)
    monkeypatch.setattr("wellfit.data.idx._SMALL", 1000)
    monkeypatch.setattr(walk, "_MOST_ENTRIES", 5)
    wide = b"a" + b",b" * (MAX_COLUMNS + 10) + b"\n"
    for attempt in (
        lambda: check_size((2**31,), np.dtype("u1"), 2**20, "a.npz"),
        lambda: unpack(bomb, "a.csv.gz"),
        lambda: read_content(tmp_path / "a.gz"),
        lambda: detect(wide * 2, Reading(), "wide.csv"),
        lambda: walk.list_folder(tmp_path / "folder"),
    ):
        for _ in range(30):
            try:
                attempt()
                break
            except DataError as error:
                said = str(error).rpartition("set WELLFIT_LIMITS=")[2]
            monkeypatch.setenv("WELLFIT_LIMITS", str(int(said)))
        else:
            pytest.fail("the limit was not raised")
        monkeypatch.delenv("WELLFIT_LIMITS")


def test_a_study_file_cannot_raise_them(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[data]\nname = "digits"\nlimits = 2\n')
    with pytest.raises(StudyFileError, match="unknown key 'limits'"):
        load_study(tmp_path / "a.toml")


def test_the_memory_of_images(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"or, if the memory suffices, WELLFIT_LIMITS=4$"):
        stack._check_room((100, 100), 1, 800_000, "images")
    monkeypatch.setenv("WELLFIT_LIMITS", "4")
    stack._check_room((100, 100), 1, 800_000, "images")
