"""The database of a study, and what its errors say."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from eventful import change
from saved_runs import opened, record, same
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.store import Store, open_existing
from wellfit.store.database import PATIENCE, Database


def test_a_damaged_entry_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "s") as store:
        store.database.execute("UPDATE study SET value = '{' WHERE key = 'study'")
    closed = []
    monkeypatch.setattr(Database, "close", lambda self: closed.append(self._connection.close()))
    with pytest.raises(StoreUnreadableError, match=r"study.db: damaged: the entry 'study' cannot be read"):
        open_existing(tmp_path / "s")
    assert len(closed) == 1


def test_a_full_disk_under_the_database_loses_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()])
        pages = store.database.rows("PRAGMA page_count")[0][0]
        store.database.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(StoreError, match="database or disk is full; everything saved so far is kept"):
            store.runs.save([record(seed=1, epochs=5000)])
        assert store.runs.finished() == {("l2", 0)}
        assert same(store.runs.records()[0], record())


def test_misuse_is_not_reported_as_a_users_mistake(tmp_path: Path) -> None:
    store = opened(tmp_path / "s")
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.runs.finished()


def test_an_exception_rolls_a_transaction_back(tmp_path: Path) -> None:
    def interrupted(store: Store) -> None:
        with store.database.transaction():
            store.database.put("created", "never")
            raise KeyboardInterrupt

    with opened(tmp_path / "s") as store:
        with pytest.raises(KeyboardInterrupt):
            interrupted(store)
        assert store.database.get("created", "") != "never"


def test_text_that_is_not_utf8_is_damage(tmp_path: Path) -> None:
    opened(tmp_path / "s").close()
    change(tmp_path / "s", "UPDATE study SET value = CAST(x'ff' AS TEXT) WHERE key = 'study'")
    with pytest.raises(StoreUnreadableError, match=r"study\.db: damaged: text that is not UTF-8"):
        open_existing(tmp_path / "s")


@pytest.mark.parametrize("code", ["READONLY_DBMOVED", "CANTOPEN", "IOERR_READ", "PERM", "FULL", "NOMEM", "BUSY"])
def test_trouble_outside_the_data_never_advises_to_delete_them(
    tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        in_transaction = False

        def execute(self, *_: object) -> None:
            error = sqlite3.OperationalError("what SQLite says")
            error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{code}")
            raise error

    with opened(tmp_path / "s") as store:
        connection = store.database._connection
        monkeypatch.setattr(store.database, "_connection", Broken())
        with pytest.raises(StoreError, match="everything saved so far is kept") as refused:
            store.runs.finished()
        assert "--fresh" not in str(refused.value)
        assert ("disk space" in str(refused.value)) == (code != "BUSY")
        monkeypatch.setattr(store.database, "_connection", connection)


def test_a_reader_waits_as_long_as_it_is_told(tmp_path: Path) -> None:
    opened(tmp_path / "s").close()
    with closing(sqlite3.connect(tmp_path / "s" / "study.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"is locked; .* kept; try again when the other process has ended"):
            open_existing(tmp_path / "s", patience=0.3)
        assert 0.2 < time.monotonic() - began < PATIENCE / 2
        other.execute("ROLLBACK")
    open_existing(tmp_path / "s", patience=0.3).close()
