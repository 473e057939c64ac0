"""The database of a study: the only module that imports SQLite and translates its errors."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from wellfit.base import HISTORY_COLUMNS
from wellfit.errors import StoreError, StoreUnreadableError, WellfitError

__all__ = ["APPLICATION", "CHANGING", "MALFORMED", "MANIFEST", "PATIENCE", "RESTORE", "Database"]

VERSION: Final = 1  # of the tables; in the database's user_version
APPLICATION: Final = 0x77656C6C  # "well"; in the database's application_id
PATIENCE: Final = 30.0
"""Seconds to wait for another process's transaction."""
RESTORE: Final = "restore it from a copy, or train it again into another directory (--out)"
"""What helps where a study is damaged; it deletes nothing."""
_FIX: Final = "free disk space or fix the permissions, and run again"

MANIFEST: Final = "CREATE TABLE manifest (part TEXT PRIMARY KEY, value TEXT NOT NULL)"
"""The table that study directories of the first edition lack."""
CHANGING: Final = "changing"
"""The part that a manifest consists of while a command changes the study."""

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
{MANIFEST};
INSERT INTO manifest VALUES ('{CHANGING}', 'created');
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""
"""SQLite stores NaN as NULL."""

MALFORMED: Final = (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, WellfitError)
"""The errors of code that takes apart rows which wellfit has not written."""

_OUTSIDE: Final = (
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_NOMEM,
)
"""Errors of the disk, its permissions or another process; the data are intact, so nobody is told to delete them."""


class Database:
    """A connection to a study's database.

    Args:
      path: of ``study.db``.
      create: open it for writing, and create its tables if it has none. Without it nothing is written, except that
        SQLite rolls back the journal of a killed process.
      patience: seconds to wait while another process writes.

    Attributes:
      blank: it had no tables when it was opened: its process was killed at once.

    Raises:
      StoreUnreadableError: it is damaged, of another version, or not the database of a study.
    """

    def __init__(self, path: Path, *, create: bool = False, patience: float = PATIENCE) -> None:
        self._path = path
        address = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        with self._translated():
            self._connection = sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)
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
        """Run a statement; returns the number of changed rows."""
        with self._translated():
            return self._connection.execute(statement, tuple(values)).rowcount

    def execute_many(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Run a statement once for each row of values."""
        with self._translated():
            self._connection.executemany(statement, rows)

    def rows(self, query: str, *values: Any) -> list[Any]:
        """The rows of a query."""
        with self._translated():
            return self._connection.execute(query, values).fetchall()

    def each(self, query: str, *values: Any) -> Generator[Any]:
        """The rows of a query, one at a time."""
        with self._translated():
            yield from self._connection.execute(query, values)

    def get(self, key: str, default: Any) -> Any:
        """A value of the ``study`` table, which holds JSON."""
        rows = self.rows("SELECT value FROM study WHERE key = ?", key)
        with self.reading(f"the entry {key!r} cannot be read"):
            return json.loads(rows[0][0]) if rows else default

    def put(self, key: str, value: Any) -> None:
        """Set a value of the ``study`` table; it must be plain data that JSON can hold."""
        self.execute("INSERT OR REPLACE INTO study VALUES (?, ?)", (key, json.dumps(value)))

    def drop(self, key: str) -> None:
        """Remove a value of the ``study`` table, if it is there."""
        self.execute("DELETE FROM study WHERE key = ?", (key,))

    @contextlib.contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Report rows that wellfit cannot have written as damage, in one line.

        Args:
          what: the rows that the block takes apart.

        Raises:
          StoreUnreadableError: for any error that malformed values cause.
        """
        try:
            yield
        except (StoreError, UnicodeError):
            raise
        except MALFORMED as error:
            text = str(error) if isinstance(error, WellfitError) else f"{type(error).__name__}: {error}"
            reason = " ".join(text.split())[:120]
            raise StoreUnreadableError(f"{self._path}: damaged: {what} ({reason}); {RESTORE}") from None

    @contextlib.contextmanager
    def transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        """Commit all changes of the block or none; DEFERRED reads several tables in one consistent state."""
        self.execute(f"BEGIN {kind}")
        try:
            yield
            self.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.rollback()

    def _is_blank(self) -> bool:
        """Whether it has no tables yet; raises if it is of another version."""
        if not self.rows("SELECT count(*) FROM sqlite_master")[0][0]:
            return True
        if self.rows("PRAGMA application_id")[0][0] != APPLICATION:
            raise StoreUnreadableError(f"{self._path}: not the database of a study")
        version = self.rows("PRAGMA user_version")[0][0]
        if version != VERSION:
            raise StoreUnreadableError(
                f"{self._path}: has format version {version}, but this wellfit reads version {VERSION}; "
                "use the wellfit that wrote it, or train again into another directory (--out)"
            )
        return False

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn errors of SQLite into one line that names the file and the remedy."""
        try:
            yield
        except UnicodeDecodeError:  # a message of SQLite that quotes damaged text
            raise StoreUnreadableError(f"{self._path}: damaged: text that is not UTF-8; {RESTORE}") from None
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", None)
            what = f"{self._path}: {' '.join(str(error).split())}"
            if code is None:
                if "decode" in str(error):  # text that is no UTF-8 comes without a code
                    raise StoreUnreadableError(f"{self._path}: damaged: text that is not UTF-8; {RESTORE}") from None
                raise  # wrong use of the module: a defect of wellfit
            if code & 0xFF in _OUTSIDE:
                busy = code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                fix = "try again when the other process has ended" if busy else _FIX
                raise StoreError(f"{what}; everything saved so far is kept; {fix}") from None
            raise StoreUnreadableError(f"{what}; {RESTORE}") from None
