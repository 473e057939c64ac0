"""Test and validation sets that ``[data] test_file`` and ``validation_file`` name, for arrays and IDX folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from wellfit.base import Reading
from wellfit.data.parts import Part, RawData
from wellfit.errors import DataError

__all__ = ["with_given_sets"]


def with_given_sets(
    raw: RawData, path: Path, reading: Reading, read: Callable[[Path, Reading], RawData | None]
) -> RawData:
    """Add the test and validation sets that the settings name.

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
    place = Path(named).expanduser()
    inside = path if path.is_dir() else path.parent
    found = next((p for p in (place, inside / place, path.parent / place) if p.exists()), None)
    if found is None:
        raise DataError(f'[data] {kind}_file = "{named}": no such file or folder; correct the path')
    raw = read(found, replace(reading, test_file=None, validation_file=None))
    if raw is None:
        raise DataError(f'[data] {kind}_file = "{named}": is in another form than {path}; save both in the same form')
    if raw.test is not None or raw.validation is not None:
        raise DataError(f'[data] {kind}_file = "{named}": has several sets; save the {kind} set alone')
    return raw.train
