"""SQLite databases of trackers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from wellfit.data.tracked import databases
from wellfit.data.tracked.databases import copied, is_database, program_of
from wellfit.data.tracked.read import kind_of
from wellfit.errors import DataError


def made(path: Path, *tables: str) -> Path:
    with sqlite3.connect(path) as connection:
        for table in tables:
            connection.execute(f"CREATE TABLE {table} (x)")
    connection.close()
    return path


def test_the_tables_say_whose_it_is(tmp_path: Path):
    assert program_of(made(tmp_path / "a.db", "runs", '"experiments"')) == "mlflow"
    assert program_of(made(tmp_path / "b.db", "studies", "trials")) == "optuna"
    other = made(tmp_path / "c.db", "songs")
    assert (is_database(other), program_of(other), is_database(tmp_path / "gone")) == (True, None, False)
    with pytest.raises(DataError, match=r"c.db: an SQLite database of neither MLflow nor Optuna"):
        kind_of(other)
    assert kind_of(tmp_path) == "optuna"


def test_a_copy_leaves_the_original_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("sqlalchemy")
    file = made(tmp_path / "a b%20#?.db", "studies")
    before = file.read_bytes()
    keep = copied(file)
    assert program_of(keep.path / "copy.db") == "optuna"
    assert (file.read_bytes(), sorted(tmp_path.iterdir())) == (before, [file])
    file.write_bytes(before[:100] + b"\xff" * 500 + before[600:])
    with pytest.raises(DataError, match=r"cannot be read \(.*\); restore it from a backup"):
        copied(file)
    file.write_bytes(before)
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DataError, match=r"cannot be read \(database is locked\); wait until the program"):
            copied(file)
    for why, fix in (("unable to open database file", "its permissions"), ("disk is full", "free space")):
        assert fix in databases._fix(why)
    monkeypatch.setattr(databases, "_MOST", 100)
    with pytest.raises(DataError, match=r"bytes; .*WELLFIT_LIMITS"):
        copied(file)
