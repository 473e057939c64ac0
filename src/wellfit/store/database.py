"""The database of a study: the only module that knows SQLite, and what its errors mean to a user."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from wellfit.base import HISTORY_COLUMNS
from wellfit.errors import StoreError, StoreUnreadableError

__all__ = ["APPLICATION", "Database"]

VERSION: Final = 1  # of the tables; in the database's user_version
APPLICATION: Final = 0x77656C6C  # "well"; in the database's application_id
TIMEOUT: Final = 30.0  # seconds to wait for another process's transaction

_TABLES: Final = f"""
CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE runs (
  variant TEXT, seed INTEGER, recipe TEXT NOT NULL, state TEXT NOT NULL, epochs INTEGER NOT NULL,
  readout_epoch INTEGER NOT NULL, trajectory TEXT NOT NULL, seconds REAL, scores TEXT NOT NULL,
  parameters INTEGER NOT NULL, weights_sha256 TEXT NOT NULL, finished TEXT NOT NULL,
  test_accuracy REAL, test_loss REAL, test_sha256 TEXT,
  PRIMARY KEY (variant, seed));
CREATE TABLE epochs (
  variant TEXT, seed INTEGER, epoch INTEGER, {", ".join(f"{name} REAL" for name in HISTORY_COLUMNS)},
  PRIMARY KEY (variant, seed, epoch)) WITHOUT ROWID;
CREATE TABLE findings (
  position INTEGER PRIMARY KEY, code TEXT NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL, fix TEXT NOT NULL);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""
"""SQLite keeps NaN as NULL, and so do we."""


class Database:
    """A connection to a study's database.

    Args:
      path: of ``study.db``.
      create: make it if it does not exist; otherwise it is not written to, save that the journal of a process that was
        killed is rolled back.

    Attributes:
      blank: it was made, and its process was killed before it was filled.

    Raises:
      StoreUnreadableError: it is damaged, of another version, or no study's.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self._path = path
        address = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        with self._told():
            self._connection = sqlite3.connect(address, uri=True, timeout=TIMEOUT, isolation_level=None)
        try:
            self.blank = self._is_blank()
            if not create:
                self.execute("PRAGMA query_only = ON")
            elif self.blank:
                with self.transaction():
                    for statement in _TABLES.split(";"):
                        self.execute(statement)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def execute(self, statement: str, values: Iterable[Any] = ()) -> int:
        """Run a statement, and return how many rows it changed."""
        with self._told():
            return self._connection.execute(statement, tuple(values)).rowcount

    def execute_many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement once a row."""
        with self._told():
            self._connection.executemany(statement, rows)

    def rows(self, query: str, *values: Any) -> list[Any]:
        """The rows that a query finds."""
        with self._told():
            return self._connection.execute(query, values).fetchall()

    def get(self, key: str, default: Any) -> Any:
        """A value of the ``study`` table, kept as JSON."""
        rows = self.rows("SELECT value FROM study WHERE key = ?", key)
        try:
            return json.loads(rows[0][0]) if rows else default
        except ValueError:
            what = f"{self._path}: damaged: what it says of {key!r} cannot be read"
            raise StoreUnreadableError(f"{what}; restore it from a copy, or start anew with --fresh") from None

    def put(self, key: str, value: Any) -> None:
        """Set a value of the ``study`` table."""
        self.execute("INSERT OR REPLACE INTO study VALUES (?, ?)", (key, json.dumps(value)))

    def drop(self, key: str) -> None:
        """Remove a value of the ``study`` table, if it is there."""
        self.execute("DELETE FROM study WHERE key = ?", (key,))

    @contextlib.contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """All that is done within, or nothing; DEFERRED for reading several tables at one moment."""
        self.execute(f"BEGIN {kind}")
        try:
            yield
            self.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.rollback()

    def _is_blank(self) -> bool:
        """Whether it was made and not yet filled; refuses one of another version."""
        if not self.rows("SELECT count(*) FROM sqlite_master")[0][0]:
            return True
        if self.rows("PRAGMA application_id")[0][0] != APPLICATION:
            raise StoreUnreadableError(f"{self._path}: not the database of a study")
        version = self.rows("PRAGMA user_version")[0][0]
        if version != VERSION:
            raise StoreUnreadableError(
                f"{self._path}: of version {version}, and this wellfit reads version {VERSION}; "
                "use the wellfit that wrote it, or start anew with --fresh"
            )
        return False

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what SQLite says into one line that names the file and the mend."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code is None:  # a misuse of the module, a defect of ours
                raise
            what = f"{self._path}: {error}"
            if code & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY):
                kept = "what was saved before is kept; make room or give access, and run again"
                raise StoreError(f"{what}; {kept}") from None
            raise StoreUnreadableError(f"{what}; restore it from a copy, or start anew with --fresh") from None
