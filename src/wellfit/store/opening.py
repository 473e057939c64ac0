"""Opening, creating and emptying study directories."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from wellfit.errors import OtherStudyError, StoreError, StoreUnreadableError
from wellfit.files import form_of, remove_abandoned, write_errors
from wellfit.spec.identity import spec_conflicts
from wellfit.store import checkpoints, manifest
from wellfit.store.arrays import remove_temporary
from wellfit.store.database import APPLICATION, PATIENCE, Database
from wellfit.store.directory import Store
from wellfit.store.lock import WRITABLE, Lock, has_mark, is_cut_mark
from wellfit.store.names import FOLDERS, check_layout, is_there, refuse_own_place
from wellfit.store.progress import FILE as PROGRESS
from wellfit.store.summary_file import FILE as SUMMARY

__all__ = ["create_or_open", "discard", "fresh", "open_existing", "open_if_begun"]

_OTHER_PLACE: Final = "choose another --out"


def create_or_open(
    directory: str | Path,
    resolved: Mapping[str, Any],
    *,
    provenance: Mapping[str, str],
    elsewhere: str = _OTHER_PLACE,
) -> Store:
    """Open a study directory for writing; create it if it does not exist.

    Args:
      directory: the study directory.
      resolved: the study, as ``spec.resolved`` gives it; its new variants and seeds are added to the stored ones.
      provenance: where the runs of this process come from; its "data hash" and "split hash" must be the stored ones.
      elsewhere: how the user works in another directory; empty if the command cannot.

    Returns:
      The store; no other process can write to the directory until it is closed.

    Raises:
      OtherStudyError: it holds another study, which was not changed.
      StoreBusyError: another process is at work in it.
      StoreUnreadableError: its database is damaged or of another version.
      StoreError: it holds something else, or cannot be written.
    """
    directory, remedy = Path(directory), elsewhere or WRITABLE
    check_layout(directory)
    if not is_there(directory / "study.db"):
        refuse_own_place(directory)
    if directory.exists() and not directory.is_dir():
        raise StoreError(f"{directory}: {form_of(directory)}, not a directory; {remedy}")
    with write_errors(directory, remedy):
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()) and not _is_ours(directory):
            raise StoreError(f"{directory}: not empty, and not a study directory; {remedy}")
    with contextlib.ExitStack() as undo:
        lock = Lock(directory / "lock", elsewhere)
        undo.callback(lock.release)
        database = Database(directory / "study.db", create=True)
        undo.callback(database.close)
        store = Store.of(directory, database, lock)
        _refuse_other(store, resolved, provenance)
        with write_errors(directory, remedy):
            for folder in FOLDERS:
                (directory / folder).mkdir(exist_ok=True)
        remove_temporary(directory / folder for folder in FOLDERS)
        manifest.begin_change(database)
        has_work = bool(store.runs.epochs_asked() or store.checkpoints.names())
        store.metadata.begin(resolved, provenance, has_work=has_work)
        store.final_states.remove_unused()  # of a process that was killed
        undo.pop_all()
    return store


def open_existing(directory: str | Path, *, patience: float = PATIENCE) -> Store:
    """Open a study directory for reading, also while another process writes.

    Args:
      directory: the study directory.
      patience: seconds to wait while the other process writes to the database.

    Raises:
      StoreUnreadableError: not a study directory, damaged, or written by another version.
    """
    directory = Path(directory)
    store = open_if_begun(directory, patience=patience)
    if store is not None:
        return store
    if (directory / "study.db").is_file():
        raise StoreUnreadableError(f"{directory}: holds no study yet: its process has just started, or was killed")
    if (form := form_of(directory)) == "a folder":
        raise StoreUnreadableError(f"{directory}: not a study directory: it has no study.db; wellfit run makes one")
    if form is not None:
        raise StoreUnreadableError(f"{directory}: {form}, not a study directory; give the path of the directory")
    raise StoreUnreadableError(f"{directory}: no such directory; wellfit run makes one")


def open_if_begun(directory: str | Path, *, patience: float = PATIENCE) -> Store | None:
    """Open a directory for reading if there is a study in it, else return None.

    Args:
      directory: any path; a process that was killed at once may leave a database without a study.
      patience: as for `open_existing`.

    Raises:
      StoreUnreadableError: its database is damaged, or written by another version.
    """
    directory = Path(directory)
    check_layout(directory)
    if not (directory / "study.db").is_file():
        return None
    with contextlib.ExitStack() as undo:
        database = Database(directory / "study.db", patience=patience)
        undo.callback(database.close)
        store = Store.of(directory, database)
        if not _is_begun(store):
            return None
        undo.pop_all()
    return store


def fresh(directory: str | Path) -> None:
    """Remove a study from its directory, and no other files. The lock file stays and marks the directory as ours.

    Args:
      directory: the study directory; nothing is done where it is missing or empty.

    Raises:
      StoreBusyError: another process is at work in it.
      StoreError: it is not a study directory, or cannot be written.
    """
    directory = Path(directory)
    check_layout(directory)
    with write_errors(directory, _OTHER_PLACE):
        if not directory.exists() or not any(directory.iterdir()):
            return
        if not _is_ours(directory):
            raise StoreError(f"{directory}: not a study directory, so nothing in it was removed; {_OTHER_PLACE}")
    lock = Lock(directory / "lock")
    try:
        with write_errors(directory, _OTHER_PLACE):
            _empty(directory)
    finally:
        lock.release()


def discard(directory: Path) -> None:
    """Remove a study and its directory, unless that holds other files.

    Args:
      directory: a study directory, or an empty folder.

    Raises:
      OSError, StoreError: as ``fresh``; or it holds other files, and stays.
    """
    fresh(directory)
    (directory / "lock").unlink(missing_ok=True)
    directory.rmdir()


def _empty(directory: Path) -> None:
    remove_temporary(directory / folder for folder in FOLDERS)
    for name in ("study.db-journal", "study.db", "report.html", PROGRESS, SUMMARY):
        (directory / name).unlink(missing_ok=True)
        remove_abandoned(directory / name)
    for folder in FOLDERS:
        suffix = checkpoints.SUFFIX if folder == checkpoints.FOLDER else ".npz"
        for path in (directory / folder).glob(f"*{suffix}"):
            path.unlink()
        with contextlib.suppress(OSError):  # it holds files of the user
            (directory / folder).rmdir()


def _is_begun(store: Store) -> bool:
    return not store.database.blank and bool(store.metadata.study())


def _refuse_other(store: Store, resolved: Mapping[str, Any], provenance: Mapping[str, str]) -> None:
    if not _is_begun(store):
        return
    study = store.runs.trained_study()
    conflict = spec_conflicts(study, resolved, growing=True)
    facts = store.metadata.provenance()
    for fact in ("data hash", "split hash"):
        if conflict is None and provenance.get(fact, stored := facts.get(fact)) != stored:
            places = f"{study['data']['name_or_path']} there and {resolved['data']['name_or_path']} here"
            conflict = f"the data differ ({fact}): {places}"
    if conflict is not None:
        remedy = "choose another directory with --out, or delete that study with --fresh"
        if grown := re.fullmatch(r"\[train\] epochs is (\d+) there and \d+ here", conflict):
            remedy = f"continue it with --epochs {grown[1]} or {remedy}"
        raise OtherStudyError(f"{store.directory}: holds another study: {conflict}; {remedy}")


def _is_ours(directory: Path) -> bool:
    """Whether a directory is a study's: by the mark in its lock file, or by its database."""
    database = directory / "study.db"
    lock = directory / "lock"
    if has_mark(lock) or (is_cut_mark(lock) and _is_blank(directory, lock.name)):
        return True
    if not database.is_file():
        return False
    with open(database, "rb") as file:
        return file.read(72)[68:] == APPLICATION.to_bytes(4)  # the application_id in SQLite's header


def _is_blank(directory: Path, lock: str) -> bool:
    """Whether a directory holds nothing but a lock and a database without content, as a full disk leaves them."""
    database = directory / "study.db"
    if database.exists() and (not database.is_file() or database.stat().st_size):
        return False
    return {*os.listdir(directory)} <= {lock, database.name, f"{database.name}-journal"}
