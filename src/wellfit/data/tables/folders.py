"""Folders of tables: training, validation and test tables by their names, or the only table of a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from wellfit.base import Reading
from wellfit.data.arrays.files import ARRAY_SUFFIXES
from wellfit.data.given import named_path
from wellfit.data.images.names import IMAGE_SUFFIXES
from wellfit.data.parts import SET_WORDS, RawData, SetName, listed
from wellfit.data.tables.files import is_table, load_table, stem_of
from wellfit.data.tables.frames import combine
from wellfit.data.tables.table import Table
from wellfit.errors import DataError

__all__ = ["find_tables", "read_table", "read_table_folder"]

Role = SetName | Literal[""]

_ROLES: Final[Mapping[str, Role]] = {**SET_WORDS, "tra": "train", "tes": "test"}  # optdigits.tra, optdigits.tes
_SETS: Final[tuple[Role, ...]] = ("train", "validation", "test")
_SUBMISSION: Final = re.compile(r"submission", re.IGNORECASE)
_NOTES: Final = re.compile(
    r"(read[ _-]?me|licen[cs]e|notes?|description|data_description|requirements|.*names)$", re.IGNORECASE
)


@dataclass(frozen=True)
class _Found:
    """The tables of a folder by their roles, and those without one."""

    roles: dict[Role, list[Path]]
    skipped: tuple[str, ...]

    @property
    def plain(self) -> list[Path]:
        return self.roles.get("", [])


def read_table(path: Path, reading: Reading) -> RawData:
    r"""Read a table, and the tables that ``reading`` names as its validation and test set.

    Args:
      path: text with any separator, compressed or not; Parquet; Excel.

    Raises:
      DataError: a file that cannot be read, or columns that cannot be used.

    Example:
      >>> import tempfile
      >>> path = Path(tempfile.mkdtemp()) / "a.csv"
      >>> _ = path.write_text("id,height,species\n1,2.5,oak\n2,1.5,elm\n3,2.1,elm\n")
      >>> raw = read_table(path, Reading())
      >>> raw.train.x.tolist(), raw.train.labels.tolist(), dict(raw.facts)["columns left out"]
      ([[2.5], [1.5], [2.0999999046325684]], ['oak', 'elm', 'elm'], 'id (a different value in every row)')
    """
    return _with_settings(path, None, None, reading, ())


def _with_settings(
    train: Path, validation: Path | None, test: Path | None, reading: Reading, facts: tuple[tuple[str, str], ...]
) -> RawData:
    """Read the tables of all sets; the settings take precedence over what a folder has."""
    table = load_table(train, reading)
    given = {"validation": reading.validation_file, "test": reading.test_file}
    paths = {"validation": validation, "test": test}
    for role, named in given.items():
        if named is not None:
            paths[role] = path = named_path(named, train, f"{role}_file")
            if not path.is_file() or not is_table(path):
                raise DataError(f'[data] {role}_file = "{named}": not a table; give a file like {train.name}')
    loaded: dict[str, Table | None] = {
        role: None if path is None else load_table(path, reading) for role, path in paths.items()
    }
    raw = combine(table, loaded["validation"], loaded["test"], reading, must_have_labels=reading.test_file is not None)
    return replace(raw, facts=(*facts, *raw.facts))


# --- Folders ----------------------------------------------------------------------------------------------------------


def find_tables(folder: Path) -> bool:
    """Whether a folder holds tables: one for training, or one at all and neither images nor arrays.

    Raises:
      DataError: the folder cannot be read.
    """
    found = _found(folder)
    if found.roles.get("train"):
        return True
    if not any(found.roles.values()):
        return False
    names = [path.suffix.lower() for path in _listing(folder)]
    inside = (path for path in _listing(folder) if path.is_dir() and not path.name.startswith("."))
    if any(name in (*ARRAY_SUFFIXES, *IMAGE_SUFFIXES) for name in names):
        return False
    return not any(any(inner.suffix.lower() in IMAGE_SUFFIXES for inner in _listing(sub)) for sub in inside)


def read_table_folder(folder: Path, reading: Reading) -> RawData:
    """Read the training table of a folder with its validation and test tables, or the folder's only table.

    Args:
      folder: with names such as ``train.csv``, ``iris_test.csv.gz``, ``Val.parquet``.

    Raises:
      DataError: several tables of one role, unrelated tables, or as for ``read_table``.
    """
    found = _found(folder)
    for role, paths in found.roles.items():
        if role and len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise DataError(f"{folder}: more than one {role} table ({names}); keep one, or give the path of a file")
    facts = (("files skipped", f"{len(found.skipped)}: {listed(found.skipped)}"),) if found.skipped else ()
    trains, plain = found.roles.get("train", []), found.plain
    if not trains and len(plain) == 1:
        trains, plain = plain, []
    if not trains:
        names = listed([path.name for paths in found.roles.values() for path in paths]) or "none"
        raise DataError(f"{folder}: no training table among its tables ({names}); give the path of one of them")
    if plain:
        skipped = listed([path.name for path in plain])
        facts = (*facts, ("tables not read", skipped))
    validation, test = (next(iter(found.roles.get(role, [])), None) for role in _SETS[1:])
    raw = _with_settings(trains[0], validation, test, reading, facts)
    used = (("validation", validation, raw.validation), ("test", test, raw.test))
    named = [(f"{role} file", path.name) for role, path, part in used if path is not None and part is not None]
    return replace(raw, facts=(*named, *raw.facts))


def _listing(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror}); change its permissions") from None


def _found(folder: Path) -> _Found:
    roles: dict[Role, list[Path]] = {}
    skipped = []
    for path in _listing(folder):
        if not is_table(path) or path.name.startswith((".", "~$")) or path.is_dir():
            continue
        role = role_of(path)
        if _SUBMISSION.search(path.name) or (path.suffix.lower() == ".txt" and not role):
            skipped.append(path.name)
        elif not _NOTES.match(stem_of(path)):
            roles.setdefault(role, []).append(path)
    return _Found(roles, tuple(skipped))


def role_of(path: Path) -> Role:
    """The set for which a table is named; "" if its name does not say so.

    Example:
      >>> role_of(Path("iris_Train.csv.gz")), role_of(Path("test-data.parquet")), role_of(Path("contest.csv"))
      ('train', 'test', '')
    """
    stem = stem_of(path).lower()
    if path.suffix.lower() == ".test":
        return "test"
    return _role(re.split(r"[\W_]+", re.sub(r"([a-z])(\d)", r"\1 \2", stem)))


def _role(words: Iterable[str]) -> Role:
    roles = {_ROLES[word] for word in words if word in _ROLES}
    return next((role for role in _SETS if role in roles), "")
