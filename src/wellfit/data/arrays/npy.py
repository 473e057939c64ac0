"""NumPy's ``.npy`` files: one array, whose columns may have names; the labels are one of the columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, Column, Reading
from wellfit.data.applicable import FOR_FIELDS, FOR_ROWS, refuse_settings
from wellfit.data.arrays.bounds import check_size, refuse_objects
from wellfit.data.arrays.names import Stored, kind_of, raw_of_arrays
from wellfit.data.arrays.npz import DAMAGE, not_read, npy_header, npy_values
from wellfit.data.parts import Part, RawData
from wellfit.errors import DataError

__all__ = ["raw_of_fields", "raw_of_table", "read_npy", "stored_in_npy"]

_MOST_CLASSES: Final = 50  # different values of a column that may be the labels
_LEAST_REPEATS: Final = 3  # examples per value


def read_npy(path: Path, reading: Reading = DEFAULT_READING) -> RawData:
    """Read a single array: rows with a column of labels, or records with named fields.

    Args:
      path: the ``.npy`` file.
      reading: ``label`` is the column of the labels: its number from 1 (-1 is the last), or a field's name.

    Raises:
      DataError: the file is damaged or contains Python objects, or it is not known which column has the labels.
    """
    stored = stored_in_npy(path)
    if stored.dtype.names:
        return raw_of_fields(stored.read(), str(path), reading)
    if len(stored.shape) != 2 or stored.shape[1] < 2:
        raise DataError(
            f"{path}: is one array of shape {stored.shape}, and labels are missing; give the folder with X.npy and "
            "y.npy, or save both with np.savez(file, x=x, y=y)"
        )
    return raw_of_table(stored.read(), str(path), reading)


def stored_in_npy(path: Path) -> Stored:
    """Describe the array in a file without reading its values.

    Raises:
      DataError: the file is damaged or contains Python objects.
    """
    try:
        with path.open("rb") as file:
            shape, dtype = npy_header(file)
            size = path.stat().st_size
    except DAMAGE as error:
        raise _damaged(path, error) from None
    if dtype.hasobject:
        refuse_objects(str(path), shape)
    check_size(shape, dtype, size, str(path))
    return Stored(shape, dtype, lambda: _read(path))


def _read(path: Path) -> NDArray[Any]:
    try:
        with path.open("rb") as file:
            return npy_values(file)
    except DAMAGE as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    return not_read(path, error, "not a readable .npy file", "save it again with np.save")


def raw_of_table(table: NDArray[Any], where: str, reading: Reading) -> RawData:
    """Take the labels from a column of an array.

    Args:
      table: rows with labels.  # (N, 1 + D)
      where: for error messages.
      reading: ``label`` as for ``read_npy``.

    Raises:
      DataError: no such column, or it is not known which column has the labels.

    Example:
      >>> table = np.column_stack([np.arange(20) / 7, np.arange(20) % 2])
      >>> raw_of_table(table, "memory", Reading()).facts
      (('label column', '2 of 2'),)
    """
    refuse_settings(reading, where, "an array with a column of labels", FOR_ROWS)
    count = table.shape[1]
    if reading.label is None:
        candidates = [i for i in range(count) if _may_be_labels(table[:, i])]
        if len(candidates) != 1:
            listed = ", ".join(str(i + 1) for i in candidates[:10]) + (", ..." if len(candidates) > 10 else "")
            found = f"columns {listed} could be" if candidates else "no column looks like one"
            raise DataError(
                f"{where}: which of the {count} columns has the labels is not known ({found}); "
                "set [data] label to its number, for example label = 1, or -1 for the last"
            )
        label = candidates[0]
    else:
        label = _column(reading.label, count, where)
    x, labels = np.delete(table, label, axis=1), table[:, label]
    return RawData(Part(x, labels, where), facts=(("label column", f"{label + 1} of {count}"),))


def _column(key: str | int, count: int, where: str) -> int:
    if isinstance(key, str) or not (0 < key <= count or 0 < -key <= count):
        raise DataError(
            f"{where}: there is no column {key!r}, since the {count} columns have no names; set [data] label to a "
            f"number from 1 to {count}, or -1 for the last"
        )
    return key - 1 if key > 0 else count + key


def _may_be_labels(column: NDArray[Any]) -> bool:
    """Whether a column holds a few whole numbers, each several times."""
    with np.errstate(invalid="ignore"):  # NaN
        if column.dtype.kind not in "buif" or (column.dtype.kind == "f" and not (column == np.floor(column)).all()):
            return False
    values, counts = np.unique(column, return_counts=True)
    return 2 <= len(values) <= _MOST_CLASSES and int(counts.min()) >= _LEAST_REPEATS


def raw_of_fields(records: NDArray[Any], where: str, reading: Reading) -> RawData:
    """Read a structured array by its field names: fields x and y, or one field per column.

    Args:
      records: with named fields.  # (N,)
      where: for error messages.
      reading: ``label`` is the name of the field with the labels.

    Raises:
      DataError: it is not known which field has the labels, or another field is not a column of numbers.

    Example:
      >>> records = np.zeros(4, [("height", "f4"), ("weight", "f4"), ("label", "i4")])
      >>> raw_of_fields(records, "memory", Reading()).columns
      (Column(name='height', categories=(), unit=''), Column(name='weight', categories=(), unit=''))
    """
    names = records.dtype.names or ()
    fields = {name: records[name] for name in names}
    if records.ndim != 1 or any(a.dtype.names or a.dtype.hasobject for a in fields.values()):
        raise DataError(f"{where}: the records hold further records or objects; save plain arrays x and y instead")
    if any(a.ndim > 1 for a in fields.values()):
        stored = {n: Stored(a.shape, a.dtype, lambda a=a: a) for n, a in fields.items()}  # type: ignore[misc]
        return raw_of_arrays(stored, where, reading)
    refuse_settings(reading, where, "an array of records", FOR_FIELDS)
    label = _label_field(names, where, reading)
    others = [name for name in names if name != label and name not in reading.drop]
    odd = next((name for name in others if fields[name].dtype.kind not in "buif"), None)
    if odd is not None:
        raise DataError(
            f"{where}: field {odd!r} has type {fields[odd].dtype}, not numbers; save the table as CSV or parquet "
            "(pandas.DataFrame(records)), which may have text columns"
        )
    x = np.column_stack([fields[name] for name in others])
    fact = ("label column", f"{label}, {names.index(label) + 1} of {len(names)} fields")
    return RawData(Part(x, fields[label], where), columns=tuple(Column(name) for name in others), facts=(fact,))


def _label_field(names: tuple[str, ...], where: str, reading: Reading) -> str:
    if reading.label is not None:
        if isinstance(reading.label, int):
            return names[_column(reading.label, len(names), where)]
        if reading.label in names:
            return reading.label
        found = f"there is no field {reading.label!r}"
    else:
        candidates = [name for name in names if kind_of(name) == ("", "y", "")]
        if len(candidates) == 1 and len(names) > 1:
            return candidates[0]
        found = "which field has the labels is not known"
    raise DataError(f'{where}: {found} (fields: {", ".join(names[:20])}); set [data] label = "..."')
