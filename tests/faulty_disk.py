"""A disk and a database that fail at a chosen point of a command: by a kill, a torn write or an error.

A point is a call that changes a file or folder below the command's folder (open for writing, write, replace, rename,
link, fsync, mkdir, unlink, rmdir), the opening of a database, or a statement of SQL, BEGIN and COMMIT included.
"""

from __future__ import annotations

import builtins
import errno
import functools
import io
import os
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

KILL: Final = "kill"
TORN: Final = "torn"
"""Half of the bytes are written, then the process is killed."""

ERRORS: Final = {"ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EACCES": errno.EACCES}
"""A full disk and lost permissions last until the command ends; an error of the disk occurs once."""

SQL_ERRORS: Final = {
    "ENOSPC": (sqlite3.SQLITE_FULL, "database or disk is full"),
    "EIO": (sqlite3.SQLITE_IOERR, "disk I/O error"),
    "EACCES": (sqlite3.SQLITE_READONLY, "attempt to write a readonly database"),
}
_FREEING: Final = ("unlink", "rmdir")  # these succeed on a full disk
READING: Final = ("SELECT", "PRAGMA", "connect", "ROLLBACK")  # these succeed on a full or read-only disk


@dataclass(frozen=True)
class Fault:
    """What happens at a point: KILL, TORN, or one of ERRORS."""

    point: int
    kind: str


class Disk:
    """Counts the points of this process, and makes one fault."""

    def __init__(self, root: Path, fault: Fault | None) -> None:
        self.root = os.path.realpath(root)
        self.fault = fault
        self.points: list[str] = []
        self.failing = ""

    def below(self, path: Any, folder: int | None = None) -> bool:
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        base = "" if folder is None else os.readlink(f"/proc/self/fd/{folder}")
        return os.path.abspath(os.path.join(base, os.fsdecode(path))).startswith(self.root + os.sep)

    def point(self, what: str, name: str, tear: Callable[[], object] | None = None) -> None:
        """A point is reached; returns if nothing happens to it."""
        self.points.append(f"{what} {name}")
        fault = self.fault
        if fault is None:
            return
        here = fault.point == len(self.points) - 1
        if here and fault.kind == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        elif here and fault.kind == TORN:
            if tear is not None:
                tear()
            os.kill(os.getpid(), signal.SIGKILL)
        elif here and fault.kind != "EIO":
            self.failing = fault.kind
        sql = what == "sql"
        word = name.split(maxsplit=1)[0] if name else ""
        if not here:
            spared = (sql and word in READING) or (self.failing == "ENOSPC" and (what in _FREEING or word == "DELETE"))
            if not self.failing or spared:
                return
        kind = fault.kind
        if sql:
            code, text = SQL_ERRORS[kind]
            if word in READING and kind == "EACCES":
                code, text = sqlite3.SQLITE_CANTOPEN, "unable to open database file"
            error = sqlite3.OperationalError(text)
            error.sqlite_errorcode = code
            raise error
        if tear is not None and kind == "ENOSPC":
            tear()
        raise OSError(ERRORS[kind], os.strerror(ERRORS[kind]), name)


class Handle:
    """An open file whose writes are points."""

    def __init__(self, file: Any, disk: Disk, name: str) -> None:
        self._file, self._disk, self._name = file, disk, name

    def write(self, content: Any) -> Any:
        def tear() -> None:
            self._file.write(content[: len(content) // 2])
            self._file.flush()

        self._disk.point("write", self._name, tear)
        return self._file.write(content)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __iter__(self) -> Any:
        return iter(self._file)


def install(disk: Disk) -> None:
    """Make every change of files and every statement of this process a point."""

    def short(path: Any) -> str:
        return os.path.basename(os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else os.fsdecode(path))

    def watched(name: str, does: bool = True) -> None:
        usual = getattr(os, name)

        @functools.wraps(usual)
        def call(path: Any, *rest: Any, **named: Any) -> Any:
            if disk.below(path, named.get("dir_fd")):
                disk.point({"remove": "unlink"}.get(name, name), short(path))
                if not does:
                    return None  # power does not fail here
            return usual(path, *rest, **named)

        setattr(os, name, call)

    for name in ("replace", "rename", "link", "symlink", "mkdir", "unlink", "remove", "rmdir", "truncate", "ftruncate"):
        watched(name)
    watched("fsync", does=False)

    os_open, os_write, io_open, connect = os.open, os.write, io.open, sqlite3.connect

    def open_descriptor(path: Any, flags: int, *rest: Any, **named: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR) and flags & os.O_CREAT and disk.below(path, named.get("dir_fd")):
            disk.point("open", short(path))
        return os_open(path, flags, *rest, **named)

    def write(descriptor: int, content: bytes) -> int:
        if disk.below(descriptor):
            half = content[: len(content) // 2]
            disk.point("write", short(descriptor), lambda: os_write(descriptor, half))
        return os_write(descriptor, content)

    def open_file(path: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if not set(mode) & set("wax+") or not disk.below(path):
            return io_open(path, mode, *rest, **named)
        if not isinstance(path, int):
            disk.point("open", short(path))
        return Handle(io_open(path, mode, *rest, **named), disk, short(path))

    class Connection(sqlite3.Connection):
        def _point(self, statement: str) -> None:
            was = self.in_transaction
            try:
                disk.point("sql", " ".join(statement.split()[:3]))
            except sqlite3.OperationalError as error:
                if was and error.sqlite_errorcode == sqlite3.SQLITE_IOERR:
                    super().rollback()  # as SQLite does
                raise

        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            self._point(statement)
            return super().execute(statement, *values)

        def executemany(self, statement: str, rows: Any) -> sqlite3.Cursor:
            self._point(statement)
            return super().executemany(statement, rows)

        def rollback(self) -> None:
            self._point("ROLLBACK")
            super().rollback()

    def connected(*place: Any, **named: Any) -> sqlite3.Connection:
        disk.point("sql", "connect")
        made = connect(*place, factory=Connection, **named)
        sqlite3.Connection.execute(made, "PRAGMA synchronous = OFF")
        return made

    os.open, os.write, io.open, builtins.open = open_descriptor, write, open_file, open_file
    sqlite3.connect = connected
