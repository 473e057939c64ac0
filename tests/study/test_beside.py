"""New study directories that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.errors import StoreError
from wellfit.study.beside import built_beside, check_new


def test_a_directory_appears_when_it_is_whole(tmp_path: Path):
    with built_beside(tmp_path / "new") as place:
        (place / "a").write_text("a")
        assert not (tmp_path / "new").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "a"]


def test_nothing_is_left_after_an_error(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), built_beside(tmp_path / "new"):
        _ = 1 / 0
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_never_replaced(tmp_path: Path):
    with pytest.raises(StoreError, match="already exists; choose another --out, which judge creates"):
        check_new(tmp_path, "judge")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"), built_beside(tmp_path / "file" / "new"):
        pass


def test_folders_that_were_made_for_it_go_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), built_beside(tmp_path / "a" / "b" / "out"):
        raise ValueError("no")
    assert not list(tmp_path.iterdir())
    with built_beside(tmp_path / "a" / "b" / "out") as place:
        (place / "x").touch()
    assert (tmp_path / "a" / "b" / "out" / "x").exists()
