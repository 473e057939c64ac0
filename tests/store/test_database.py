"""The database of a study, and what its errors say."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from saved_runs import opened, record, same
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.store import Store, open_existing


def test_a_damaged_entry_is_one_line(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.database.execute("UPDATE study SET value = '{' WHERE key = 'study'")
    with pytest.raises(StoreUnreadableError, match=r"study.db: damaged: the entry 'study' cannot be read"):
        open_existing(tmp_path / "s")


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
