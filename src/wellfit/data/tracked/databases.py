"""SQLite databases of trackers: recognized by their tables, and copied before their program opens them.

A program that opens a database may change it, if only to add tables of a newer version. A copy leaves the user's as it
is, and is consistent while runs are being written.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, Literal

from wellfit.data.limits import raised, remedy
from wellfit.errors import DataError, one_line
from wellfit.files import TemporaryFolder

__all__ = ["copied", "is_database", "program_of"]

_MAGIC: Final = b"SQLite format 3\x00"
_TABLE: Final = re.compile(rb'CREATE TABLE ["`]?(experiments|studies)["`]?\s*\(')
_PROGRAMS: Final[dict[bytes, Literal["mlflow", "optuna"]]] = {b"experiments": "mlflow", b"studies": "optuna"}
_MOST: Final = 1 << 31
_LOOKED_AT: Final = 1 << 22  # tables are made first, and therefore stand near the beginning


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def program_of(path: Path) -> Literal["mlflow", "optuna"] | None:
    """Whose database a file is; None for those of other programs."""
    with path.open("rb") as file:
        found = {match[1] for match in _TABLE.finditer(file.read(_LOOKED_AT))}
    return _PROGRAMS[found.pop()] if len(found) == 1 else None


def _fix(why: str) -> str:
    """What helps against an error of SQLite."""
    text = why.lower()
    if "locked" in text or "busy" in text:
        return "wait until the program that writes it is done, then try again"
    if "unable to open database file" in text or "readonly" in text or "permission" in text:
        return "check its permissions, and those of its folder"
    if "full" in text:
        return "free space for a copy in the temporary folder, or set TMPDIR to another"
    return "restore it from a backup"


def copied(path: Path) -> TemporaryFolder:
    """A folder that lives as long as the object, with a copy of a database that is called ``copy.db``.

    Args:
      path: of the database; SQLAlchemy must be installed.

    Raises:
      DataError: it is too large or damaged.
    """
    from sqlalchemy import URL, create_engine
    from sqlalchemy.exc import SQLAlchemyError

    size = path.stat().st_size
    if size > raised(_MOST):
        raise DataError(f"{path}: {size:,} bytes; {remedy(size, _MOST)}")
    folder = TemporaryFolder()
    address = URL.create("sqlite", database=path.resolve().as_uri(), query={"mode": "ro", "uri": "true"})
    engine = create_engine(address)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(folder.path / "copy.db"),))
    except SQLAlchemyError as error:
        why = one_line(getattr(error, "orig", None) or error).replace(f": {folder.path / 'copy.db'}", "")
        raise DataError(f"{path}: cannot be read ({why}); {_fix(why)}") from None
    finally:
        engine.dispose()
    return folder
