"""Every error that a user can meet.

    WellfitError                  one clear line: what was wrong, where, how to mend it; exit status 2
    ├── StudyFileError            the study file or a setting: not TOML, unknown key, wrong type or range
    │   └── UnknownNameError      an unknown study, data set, model, optimizer ...; names the nearest known one
    ├── DataError                 the data: missing, damaged, of a form that we do not read
    │   └── DataNotFoundError     the data set is nowhere; every place that was tried is named
    ├── ShapeError                a model that does not fit its input; the layer and both shapes
    └── StoreError                the study directory
        ├── OtherStudyError       it holds another study
        ├── StoreBusyError        another process works in it
        └── StoreUnreadableError  it is damaged, of another version, or not a study directory

Anything else that escapes is a defect of wellfit, not a mistake of its user.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "DataError",
    "DataNotFoundError",
    "OtherStudyError",
    "ShapeError",
    "StoreBusyError",
    "StoreError",
    "StoreUnreadableError",
    "StudyFileError",
    "UnknownNameError",
    "WellfitError",
    "nearest",
]


class WellfitError(Exception):
    """A user's mistake, told in one line: what was wrong, where, and how to mend it."""


class StudyFileError(WellfitError):
    """A study file or a setting that cannot be used."""


class UnknownNameError(StudyFileError):
    """A name that nothing answers to.

    Args:
      kind: what was looked for, such as ``"study"`` or ``"key"``.
      name: the name as the user gave it.
      known: the names that exist.
      where: the file, table or option that held it; may be empty.

    Example:
      >>> str(UnknownNameError("optimizer", "adm", ["adam", "sgd"]))
      "unknown optimizer 'adm'; did you mean 'adam'? (known: adam, sgd)"
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str = "") -> None:
        names = sorted(known)
        close = nearest(name, names)
        hint = f"; did you mean {close!r}?" if close else ""
        place = f" in {where}" if where else ""
        super().__init__(f"unknown {kind} {name!r}{place}{hint} (known: {', '.join(names)})")


class DataError(WellfitError):
    """Data that cannot be read or cannot be learnt from."""


class DataNotFoundError(DataError):
    """A data set that is in none of the places where it was looked for."""


class ShapeError(WellfitError):
    """A model whose layers do not fit each other or the data."""


class StoreError(WellfitError):
    """A study directory that cannot be used."""


class OtherStudyError(StoreError):
    """The directory holds another study; nothing in it was touched."""


class StoreBusyError(StoreError):
    """Another process is at work in the directory."""


class StoreUnreadableError(StoreError):
    """The directory is no study directory, is damaged, or was written by another version."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a mistyped one most resembles.

    Args:
      name: what the user typed.
      known: the names that exist.

    Returns:
      The nearest of them, or ``None`` if none comes near.

    Example:
      >>> nearest("fashon-mnist", ["digits", "fashion-mnist"])
      'fashion-mnist'
    """
    lowered = {k.lower(): k for k in known}
    found = difflib.get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
    return lowered[found[0]] if found else None
