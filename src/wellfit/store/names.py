"""The names that the files of a study directory may have.

A directory may come from a stranger. Its database and its file system are therefore input: a name in a row, a link or
a device must not lead out of the directory; `files.read_plain` reads what is there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from wellfit.errors import StoreError, StoreUnreadableError

__all__ = ["FOLDERS", "check_layout", "file_named", "is_there", "refuse_own_place"]

FOLDERS: Final = ("weights", "test", "ends", "checkpoints")
"""The folders of a study directory."""

_NAME: Final = re.compile(r"(weights|test|ends)/[A-Za-z0-9_+=,-][A-Za-z0-9_+=,.-]{0,99}\.npz")
_OWN_FILE: Final = re.compile(r"study\.db.*|study\.summary|lock|progress", re.DOTALL)
_SUPER_JOURNAL: Final = bytes.fromhex("d9d505f920a163d7")  # https://www.sqlite.org/fileformat.html, "rollback journal"


def file_named(directory: Path, name: str) -> Path:
    """The path of a file that the database names.

    Args:
      directory: the study directory.
      name: of the file in it, with ``/``.

    Raises:
      StoreUnreadableError: wellfit gives no file such a name.

    Example:
      >>> file_named(Path("study"), "weights/l2.0.npz").as_posix()
      'study/weights/l2.0.npz'
      >>> file_named(Path("mine"), "../.git/config")
      Traceback (most recent call last):
        ...
      wellfit.errors.StoreUnreadableError: mine: study.db names '../.git/config', no file of a study; do not trust it
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        shown = f"{str(name)[:57]}..." if len(str(name)) > 60 else str(name)
        raise StoreUnreadableError(f"{directory}: study.db names {shown!r}, no file of a study; do not trust it")
    return directory / name


def refuse_own_place(path: Path) -> None:
    """Refuse to write where a study keeps what it needs, whether or not anything is there now.

    Args:
      path: of a file or folder to be written.

    Raises:
      StoreError: it is such a place in a study directory.

    Example:
      >>> refuse_own_place(Path("report.html"))
    """
    try:
        inside = path.resolve()
        for folder in inside.parents:
            name = inside.relative_to(folder).parts[0].casefold()  # some systems take weights and Weights for one
            own = name in FOLDERS or (folder == inside.parent and _OWN_FILE.fullmatch(name))
            if own and (folder / "study.db").is_file():
                fix = "write to another place, such as a new file in the study directory"
                raise StoreError(f"{path}: is where the study in {folder.name} keeps its own files; {fix}")
    except (OSError, RuntimeError):  # without access, or links in a circle: whoever writes says so
        return


def is_there(path: Path) -> bool:
    """Whether a file exists in a study directory.

    Raises:
      StoreUnreadableError: a permission is missing that would tell.
    """
    try:
        return path.is_file()
    except OSError as error:
        raise StoreUnreadableError(f"{path}: {error.strerror}; fix the permissions of its folder") from None


def check_layout(directory: Path) -> None:
    """Refuse a directory in which a folder or file of wellfit is a link, or the journal names files outside.

    SQLite deletes the super-journal that a rollback journal names. No study has one.

    Args:
      directory: the study directory, which need not exist.

    Raises:
      StoreUnreadableError: it has a link, a device, or such a journal, its name cannot be that of a directory, or this
        user may not look into it.
    """
    try:
        os.fsencode(directory).decode()
        os.lstat(directory)
    except UnicodeDecodeError:
        raise StoreUnreadableError(f"{directory}: not a name in UTF-8; choose another name or --out") from None
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:  # too long; without access; a null character
        shown = str(directory) if len(str(directory)) <= 200 else f"{str(directory)[:197]}..."
        reason = getattr(error, "strerror", None) or error
        raise StoreUnreadableError(f"{shown}: {reason}; fix that, or choose another --out") from None
    fix = "do not trust this directory; if you made it, put the files themselves in the place of links"
    try:
        os.stat(directory / "study.db")
    except PermissionError as error:
        raise StoreUnreadableError(f"{directory}: {error.strerror}; fix its permissions") from None
    except OSError:
        pass
    for name in (*FOLDERS, "study.db", "study.db-journal", "study.db-wal", "study.db-shm", "lock", "progress"):
        path = directory / name
        if path.is_symlink():
            raise StoreUnreadableError(f"{path}: a link, but a study keeps its files in its directory; {fix}")
        if path.exists() and not (path.is_dir() if name in FOLDERS else path.is_file()):
            kind = "a folder" if name in FOLDERS else "a plain file"
            raise StoreUnreadableError(f"{path}: not {kind}; {fix}")
    if _names_super_journal(directory / "study.db-journal"):
        raise StoreUnreadableError(f"{directory / 'study.db-journal'}: names a file outside of the study; {fix}")


def _names_super_journal(journal: Path) -> bool:
    try:
        with open(journal, "rb") as file:
            file.seek(-len(_SUPER_JOURNAL), os.SEEK_END)
            return file.read() == _SUPER_JOURNAL
    except OSError:  # none, or shorter than that
        return False
