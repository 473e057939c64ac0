"""Test and validation sets that ``[data] test_file`` and ``validation_file`` name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from wellfit.base import Reading
from wellfit.data.parts import Part, RawData
from wellfit.errors import DataError
from wellfit.files import form_of, home_expanded

__all__ = ["named_path", "with_given_sets"]


def named_path(named: str, data: Path, setting: str) -> Path:
    """The file or folder that a setting names: as a path, or in the folder of the data, or beside that folder.

    Args:
      named: the value of the setting.
      data: the file or folder of the training set.
      setting: for the error, for example ``"test_file"``.

    Raises:
      DataError: nothing exists there, or a pipe, socket or device.

    Example:
      >>> named_path(Path(__file__).name, Path(__file__), "test_file").name
      'given.py'
    """
    place = home_expanded(named)
    inside = data if data.is_dir() else data.parent
    for path in (place, inside / place, data.parent / place):
        if (form := form_of(path)) in ("a file", "a folder"):
            return path
        if form is not None:
            raise DataError(f'[data] {setting} = "{named}": {form}, not a file; copy what it gives to a file')
    places = f", neither here nor in {inside}" if inside != Path() else ""
    raise DataError(f'[data] {setting} = "{named}": no such file or folder{places}; correct the path')


def with_given_sets(
    raw: RawData, path: Path, reading: Reading, read: Callable[[Path, Reading], RawData | None]
) -> RawData:
    """Add the test and validation sets that the settings name, for arrays and IDX folders.

    Args:
      raw: what was read from ``path``.
      path: the file or folder; names in the settings may be relative to its folder.
      reading: ``test_file`` and ``validation_file``.
      read: reads a file or folder; None if it is in another form.

    Raises:
      DataError: the file does not exist or is in another form, or ``raw`` has such a set already.

    Example:
      >>> import numpy as np
      >>> raw = RawData(Part(np.eye(2), np.arange(2), "memory"))
      >>> found = with_given_sets(raw, Path(__file__), Reading(test_file=__file__), lambda path, reading: raw)
      >>> found.test is raw.train
      True
    """
    test = _given(raw.test, reading.test_file, "test", path, reading, read)
    validation = _given(raw.validation, reading.validation_file, "validation", path, reading, read)
    return replace(raw, test=test, validation=validation)


def _given(
    own: Part | None,
    named: str | None,
    kind: str,
    path: Path,
    reading: Reading,
    read: Callable[[Path, Reading], RawData | None],
) -> Part | None:
    if named is None:
        return own
    if own is not None:
        raise DataError(f"{path}: has a {kind} set already; leave out [data] {kind}_file, or remove that set")
    found = named_path(named, path, f"{kind}_file")
    raw = read(found, replace(reading, test_file=None, validation_file=None))
    if raw is None:
        raise DataError(f'[data] {kind}_file = "{named}": is in another form than {path}; save both in the same form')
    if raw.test is not None or raw.validation is not None:
        raise DataError(f'[data] {kind}_file = "{named}": has several sets; save the {kind} set alone')
    return raw.train
