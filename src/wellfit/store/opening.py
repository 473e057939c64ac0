"""Opening, making and emptying study directories."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from wellfit.errors import OtherStudyError, StoreError, StoreUnreadableError
from wellfit.spec.identity import spec_conflicts
from wellfit.store.checkpoints import SUFFIX
from wellfit.store.database import APPLICATION, Database
from wellfit.store.directory import Store
from wellfit.store.files import sweep
from wellfit.store.lock import MARK, Lock
from wellfit.store.progress import FILE as PROGRESS

__all__ = ["create_or_open", "fresh", "holds_study", "open_existing"]

FOLDERS: Final = ("weights", "test", "ends", "checkpoints")


def create_or_open(directory: str | Path, resolved: Mapping[str, Any], *, provenance: Mapping[str, str]) -> Store:
    """Opens a study directory for writing; makes it where there is none.

    Args:
      directory: the study directory.
      resolved: the study, as ``spec.resolved`` gives it; its new variants and seeds join those that are stored.
      provenance: where the runs of this process come from; its "data hash" and "split hash" must be those stored.

    Returns:
      The store; no other process can write to it until it is closed.

    Raises:
      OtherStudyError: it holds another study; nothing in it was changed.
      StoreBusyError: another process is at work in it.
      StoreUnreadableError: its database is damaged or of another version.
      StoreError: it holds something else, or cannot be written.
    """
    directory = Path(directory)
    if directory.exists() and not directory.is_dir():
        raise StoreError(f"{directory}: a file, not a directory; choose another --out")
    with _told(directory):
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()) and not _is_ours(directory):
            raise StoreError(f"{directory}: not empty, and not a study directory; choose another --out")
    _refuse_other(directory, resolved, provenance)  # before the lock, whose file would be written
    lock = Lock(directory / "lock")
    try:
        _refuse_other(directory, resolved, provenance)  # nobody made it another study in between
        with _told(directory):
            for folder in FOLDERS:
                (directory / folder).mkdir(exist_ok=True)
        sweep(directory / folder for folder in FOLDERS)
        database = Database(directory / "study.db", create=True)
    except BaseException:
        lock.release()
        raise
    store = Store(directory, database, lock)
    try:
        store.begin(resolved, provenance)
    except BaseException:
        store.close()
        raise
    return store


def open_existing(directory: str | Path) -> Store:
    """Opens a study directory for reading, also while another process writes.

    Args:
      directory: the study directory.

    Raises:
      StoreUnreadableError: not a study directory, damaged, or written by another version.
    """
    directory = Path(directory)
    if not (directory / "study.db").is_file():
        what = "not a study directory: there is no study.db in it" if directory.is_dir() else "no such directory"
        raise StoreUnreadableError(f"{directory}: {what}; wellfit run makes one")
    store = Store(directory, Database(directory / "study.db"))
    if not store.is_begun():
        store.close()
        raise StoreUnreadableError(f"{directory}: holds no study yet: its process has just begun, or was killed then")
    return store


def holds_study(directory: str | Path) -> bool:
    """Whether there is a study in a directory; a process that was killed at once may leave a database without one.

    Args:
      directory: what may be a study directory.

    Raises:
      StoreUnreadableError: its database is damaged, or written by another version.
    """
    directory = Path(directory)
    if not (directory / "study.db").is_file():
        return False
    with Store(directory, Database(directory / "study.db")) as store:
        return store.is_begun()


def fresh(directory: str | Path) -> None:
    """Removes a study from its directory: its own files and no others. The mark that it is a study directory stays.

    Args:
      directory: the study directory; one that is missing or empty is left as it is.

    Raises:
      StoreBusyError: another process is at work in it.
      StoreError: it is not a study directory, or cannot be written.
    """
    directory = Path(directory)
    with _told(directory):
        if not directory.exists() or not any(directory.iterdir()):
            return
        if not _is_ours(directory):
            raise StoreError(f"{directory}: not a study directory, so nothing in it was removed; choose another --out")
    lock = Lock(directory / "lock")
    try:
        with _told(directory):
            sweep(directory / folder for folder in FOLDERS)
            for name in ("study.db-journal", "study.db", "report.html", PROGRESS):
                (directory / name).unlink(missing_ok=True)
            for path in (path for folder in FOLDERS for path in directory.glob(f"{folder}/*.npz")):
                path.unlink()
            for path in directory.glob(f"checkpoints/*{SUFFIX}"):
                path.unlink()
            for folder in FOLDERS:
                with contextlib.suppress(OSError):  # somebody else's files are in it
                    (directory / folder).rmdir()
    finally:
        lock.release()


def _refuse_other(directory: Path, resolved: Mapping[str, Any], provenance: Mapping[str, str]) -> None:
    path = directory / "study.db"
    if not path.is_file():
        return
    with Store(directory, Database(path)) as store:
        if not store.is_begun():
            return
        study = store.trained()
        conflict = spec_conflicts(study, resolved, growing=True)
        facts = store.provenance()
    for fact in ("data hash", "split hash"):
        if conflict is None and provenance.get(fact, there := facts.get(fact)) != there:
            places = f"{study['data']['name_or_path']} there and {resolved['data']['name_or_path']} here"
            conflict = f"its data are not the same ({fact}): {places}"
    if conflict is not None:
        mend = "choose another directory with --out, or throw it away with --fresh"
        if grown := re.fullmatch(r"\[train\] epochs is (\d+) there and \d+ here", conflict):
            mend = f"go on with it by --epochs {grown[1]} or {mend}"
        raise OtherStudyError(f"{directory}: holds another study: {conflict}; {mend}")


def _is_ours(directory: Path) -> bool:
    """Whether a directory is a study's: by the mark in its lock file, or by its database."""
    lock, database = directory / "lock", directory / "study.db"
    if lock.is_file() and lock.read_bytes().startswith(MARK.encode()):
        return True
    if not database.is_file():
        return False
    with open(database, "rb") as file:
        return file.read(72)[68:] == APPLICATION.to_bytes(4)  # where SQLite's header has it


@contextlib.contextmanager
def _told(directory: Path) -> Iterator[None]:
    """Turn what the system says into one line that names the place and the mend."""
    try:
        yield
    except OSError as error:
        where = error.filename or directory
        raise StoreError(f"{where}: cannot be written: {error.strerror}; choose another --out") from None
