"""Tables: CSV files with one labelled example a row, and NumPy's ``.npz`` archives.

``numpy.loadtxt`` reads the numbers; only when it refuses a file does a second, slow pass look for the line to blame.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
from numpy.typing import NDArray

from wellfit.data.assemble import RawData
from wellfit.data.idx import read_content
from wellfit.errors import DataError

__all__ = ["LABEL_NAMES", "find_csv_pair", "is_csv", "read_csv", "read_csv_pair", "read_npz"]

LABEL_NAMES: Final = ("label", "class", "target", "y")
"""What a header may call the label column, in any case; otherwise the first column holds the labels."""


# --- CSV --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Layout:
    """How a CSV file is laid out: its header (empty if it has none), the label's column, and the columns in all."""

    header: tuple[str, ...]
    label: int
    columns: int


def is_csv(path: Path) -> bool:
    """Whether a file's name says that it is CSV, plain or gzipped."""
    return path.name.lower().endswith((".csv", ".csv.gz"))


def read_csv(path: Path) -> RawData:
    """Read one CSV file: the label in the first column, or in the one that the header names label, class, target or y.

    Args:
      path: a ``.csv`` or ``.csv.gz`` file, separated by commas, with or without a header.

    Returns:
      Features as float32 and labels as strings; no test set.

    Raises:
      DataError: for an empty or unreadable file, a row of another length, a cell that is not a finite number, or a row
        without a label.
    """
    x, labels, _ = _load_csv(path)
    return RawData(x, labels, None, None, str(path), str(path))


def find_csv_pair(folder: Path) -> tuple[Path, Path] | None:
    """The pair ``NAME_train.csv`` and ``NAME_test.csv`` (or ``train.csv`` and ``test.csv``) in a folder, or gzipped.

    Args:
      folder: where to look.

    Returns:
      The two paths, or None where no file's name says that it is for training.

    Raises:
      DataError: for two candidates, or a training file without its test file.
    """
    stems = {p.name.lower().removesuffix(".gz").removesuffix(".csv"): p for p in sorted(folder.iterdir()) if is_csv(p)}
    trains = [stem for stem in stems if stem == "train" or stem.endswith(("_train", "-train"))]
    if not trains:
        return None
    if len(trains) > 1:
        names = ", ".join(stems[t].name for t in trains)
        raise DataError(f"{folder}: more than one training table ({names}); keep one data set in a folder")
    test = trains[0].removesuffix("train") + "test"
    if test not in stems:
        raise DataError(
            f"{folder}: {stems[trains[0]].name} has no {test}.csv beside it; add it, or name the file itself"
        )
    return stems[trains[0]], stems[test]


def read_csv_pair(train: Path, test: Path) -> RawData:
    """Read a training and a test table.

    Args:
      train, test: CSV files with the same columns, as ``read_csv`` reads them.

    Returns:
      Features and labels of both.

    Raises:
      DataError: as ``read_csv``, and where the two headers differ.
    """
    x_train, y_train, train_header = _load_csv(train)
    x_test, y_test, test_header = _load_csv(test)
    if train_header and test_header and train_header != test_header:
        raise DataError(
            f"{test}: its header differs from that of {train.name}; give both the same columns in one order"
        )
    return RawData(x_train, y_train, x_test, y_test, str(train), str(test))


def _load_csv(path: Path) -> tuple[NDArray[np.float32], NDArray[np.str_], tuple[str, ...]]:
    """Features (N, D), labels (N,), and the header."""
    try:
        layout = _layout(path)
        cells, names = _cells(path, layout)
    except UnicodeDecodeError:
        line = _first_line_that_is_no_text(read_content(path))
        raise DataError(f"{path}: line {line} is not UTF-8 text; save the table as CSV in UTF-8") from None
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error}); replace the file") from None
    labels = names[cells[:, layout.label].astype(np.int64)]
    return np.delete(cells, layout.label, axis=1), labels, layout.header


def _cells(path: Path, layout: _Layout) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """All cells (N, 1 + D), labels numbered as they come, and the labels by number."""
    codes: dict[str, int] = {}
    with _open_text(path) as lines:
        if layout.header:
            _first_line(lines)
        try:
            cells = np.loadtxt(
                lines,
                dtype=np.float32,
                delimiter=",",
                comments=None,
                quotechar='"',
                ndmin=2,
                converters={layout.label: lambda cell: codes.setdefault(cell.strip(), len(codes))},
            )
        except UnicodeDecodeError:  # a ValueError too, but not one of the table's layout
            raise
        except (ValueError, IndexError) as error:
            raise DataError(_fault(path, layout) or f"{path}: {' '.join(str(error).split())}") from None
    if cells.shape[1] != layout.columns or "" in codes or not np.isfinite(cells).all():
        raise DataError(_fault(path, layout) or f"{path}: holds a value that is not a finite float32")
    return cells, np.array(list(codes), dtype=str)


def _first_line_that_is_no_text(content: bytes) -> int:
    """The number, from 1, of the first line that is not UTF-8, of a content that has one."""
    lines = enumerate(content.split(b"\n"), start=1)
    return next(number for number, line in lines if line.decode(errors="ignore").encode() != line)


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    with path.open("rb") as raw:
        gzipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        binary = gzip.GzipFile(fileobj=raw) if gzipped else raw
        with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text:
            yield text


def _first_line(lines: TextIO) -> str:
    """The first line that is not blank, or "" at the end of the file."""
    return next((line for line in iter(lines.readline, "") if line.strip()), "")


def _layout(path: Path) -> _Layout:
    with _open_text(path) as lines:
        first = [cell.strip() for row in csv.reader([_first_line(lines)]) for cell in row]
        if not first:
            raise DataError(f"{path}: the file is empty; give one row an example")
        if len(first) < 2:
            raise DataError(f"{path}: its first row has one column only; separate label and features by commas")
        lowered = [cell.lower() for cell in first]
        named = [i for i, cell in enumerate(lowered) if cell in LABEL_NAMES]
        # Without such a name, text among the features makes a header: a label may be text, a feature may not.
        words = any(cell and not _is_number(cell) for cell in first[1:])
        # A lone "Y" before numbers may well be a label; the longer names are nobody's.
        has_header = words or (bool(named) and lowered[named[0]] != "y")
        if has_header and not _first_line(lines):
            raise DataError(f"{path}: a header and no rows; give one row an example")
    if len(named) > 1:
        columns = ", ".join(first[i] for i in named)
        raise DataError(f"{path}: the header has more than one label column ({columns}); keep one")
    return _Layout(tuple(lowered) if has_header else (), named[0] if named else 0, len(first))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _fault(path: Path, layout: _Layout) -> str | None:
    """What is wrong with the first bad line of a table that was refused, or None if nothing is found."""
    with _open_text(path) as lines:
        reader = csv.reader(lines)
        rows = (row for row in reader if row)
        if layout.header:
            next(rows)
        for row in rows:
            where = f"{path}: line {reader.line_num}"
            if len(row) != layout.columns:
                return f"{where} has {len(row)} columns and the first line {layout.columns}; give every row the same"
            if not row[layout.label].strip():
                return f"{where} has no label; fill it in or drop the row"
            for column, cell in enumerate(row):
                if column != layout.label and not (_is_number(cell) and math.isfinite(float(cell))):
                    return f"{where}, column {column + 1}: {cell!r} is not a finite number; fill it in or drop the row"
    return None


# --- npz --------------------------------------------------------------------------------------------------------------


def read_npz(path: Path) -> RawData:
    """Read a NumPy archive with ``x_train``, ``y_train``, ``x_test`` and ``y_test``, or with ``x`` and ``y``.

    Args:
      path: the ``.npz`` file. Labels may have a trailing dimension of 1, as some archives do.

    Returns:
      Examples and labels; no test set where the archive holds ``x`` and ``y``.

    Raises:
      DataError: if the file is no such archive, is damaged, holds Python objects, or lacks one of the arrays.
    """
    try:
        arrays = _load_npz(path)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: no readable .npz archive of plain arrays ({' '.join(str(error).split())})") from None
    keys = ("x", "y") if {"x", "y"} <= arrays.keys() else ("x_train", "y_train", "x_test", "y_test")
    missing = [key for key in keys if key not in arrays]
    if missing:
        found = ", ".join(sorted(arrays)) or "nothing"
        raise DataError(
            f"{path}: lacks {', '.join(missing)} (it holds {found}); save x_train, y_train, x_test, y_test, or x and y"
        )
    where = f"{path} ({keys[0]})"
    if len(keys) == 2:
        return RawData(arrays["x"], _column(arrays["y"]), None, None, where, where)
    x_train, y_train, x_test, y_test = (arrays[key] for key in keys)
    return RawData(x_train, _column(y_train), x_test, _column(y_test), where, f"{path} ({keys[2]})")


def _load_npz(path: Path) -> dict[str, NDArray[Any]]:
    with path.open("rb") as file:  # opened here: np.load leaves a damaged archive open
        archive = np.load(file, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise ValueError("it holds a single array")
        return {key: archive[key] for key in archive.files}


def _column(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels of shape (N, 1) as (N,)."""
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
