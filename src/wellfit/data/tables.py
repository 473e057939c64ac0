"""Tables: CSV files with one labeled example per row.

``numpy.loadtxt`` reads the numbers; only if it rejects a file does a second, slow pass look for the faulty line.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from wellfit.data.assemble import Part, RawData
from wellfit.data.idx import read_content
from wellfit.errors import DataError

__all__ = ["LABEL_NAMES", "find_csv_pair", "is_csv", "read_csv", "read_csv_pair"]

LABEL_NAMES: Final = ("label", "class", "target", "y")
"""Header names of the label column, in upper or lower case; otherwise the first column holds the labels."""


# --- CSV --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Layout:
    """The layout of a CSV file: its header (empty if none), the label column, and the number of columns."""

    header: tuple[str, ...]
    label: int
    columns: int


def is_csv(path: Path) -> bool:
    """Return whether a file's name is that of a CSV file, plain or gzipped."""
    return path.name.lower().endswith((".csv", ".csv.gz"))


def read_csv(path: Path) -> RawData:
    """Read one CSV file; labels are in the column named label, class, target or y, otherwise in the first.

    Args:
      path: a comma-separated ``.csv`` or ``.csv.gz`` file, with or without a header.

    Returns:
      Features as float32 and labels as strings; no test set.

    Raises:
      DataError: an empty or unreadable file, rows of unequal length, a feature that is not a finite number, or a
        missing label.
    """
    x, labels, _ = _load_csv(path)
    return RawData(Part(x, labels, str(path)))


def find_csv_pair(folder: Path) -> tuple[Path, Path] | None:
    """Find ``NAME_train.csv`` and ``NAME_test.csv`` (or ``train.csv`` and ``test.csv``), plain or gzipped, in a folder.

    Returns:
      The two paths, or None if there is no training file.

    Raises:
      DataError: more than one training file, or a training file without its test file.
    """
    stems = {p.name.lower().removesuffix(".gz").removesuffix(".csv"): p for p in sorted(folder.iterdir()) if is_csv(p)}
    trains = [stem for stem in stems if stem == "train" or stem.endswith(("_train", "-train"))]
    if not trains:
        return None
    if len(trains) > 1:
        names = ", ".join(stems[t].name for t in trains)
        raise DataError(f"{folder}: more than one training table ({names}); keep one data set per folder")
    test = trains[0].removesuffix("train") + "test"
    if test not in stems:
        raise DataError(
            f"{folder}: {stems[trains[0]].name} has no matching {test}.csv; add it, or give the path of the file itself"
        )
    return stems[trains[0]], stems[test]


def read_csv_pair(train: Path, test: Path) -> RawData:
    """Read a training and a test table.

    Args:
      train, test: CSV files with the same columns, in the format of ``read_csv``.

    Raises:
      DataError: as for ``read_csv``, and for different headers.
    """
    x_train, y_train, train_header = _load_csv(train)
    x_test, y_test, test_header = _load_csv(test)
    if train_header and test_header and train_header != test_header:
        raise DataError(
            f"{test}: the header differs from that of {train.name}; give both the same columns in the same order"
        )
    return RawData(Part(x_train, y_train, str(train)), Part(x_test, y_test, str(test)))


def _load_csv(path: Path) -> tuple[NDArray[np.float32], NDArray[np.str_], tuple[str, ...]]:
    """Return features (N, D), labels (N,) and the header."""
    try:
        layout = _layout(path)
        cells, names = _cells(path, layout)
    except UnicodeDecodeError:
        line = _first_undecodable_line(read_content(path))
        raise DataError(f"{path}: line {line} is not UTF-8 text; save the table as CSV in UTF-8") from None
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error}); replace the file") from None
    labels = names[cells[:, layout.label].astype(np.int64)]
    return np.delete(cells, layout.label, axis=1), labels, layout.header


def _cells(path: Path, layout: _Layout) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """Return all cells (N, 1 + D), with labels numbered by first occurrence, and the labels by number."""
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
        except UnicodeDecodeError:  # a ValueError, but not about the table's layout
            raise
        except (ValueError, IndexError) as error:
            text = f"{path}: cannot be read as a table ({' '.join(str(error).split())}); fix or replace the file"
            raise DataError(_fault(path, layout) or text) from None
    if cells.shape[1] != layout.columns or "" in codes or not np.isfinite(cells).all():
        text = f"{path}: has a value that is too large for float32; rescale or replace it"
        raise DataError(_fault(path, layout) or text)
    return cells, np.array(list(codes), dtype=str)


def _first_undecodable_line(content: bytes) -> int:
    """Return the number, from 1, of the first line that is not UTF-8; there must be one."""
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
    """Return the first line that is not blank, or "" at the end of the file."""
    return next((line for line in iter(lines.readline, "") if line.strip()), "")


def _layout(path: Path) -> _Layout:
    with _open_text(path) as lines:
        first = [cell.strip() for row in csv.reader([_first_line(lines)]) for cell in row]
        if not first:
            raise DataError(f"{path}: the file is empty; give one row per example")
        if len(first) < 2:
            raise DataError(f"{path}: the first row has only one column; separate label and features by commas")
        lowered = [cell.lower() for cell in first]
        named = [i for i, cell in enumerate(lowered) if cell in LABEL_NAMES]
        # Without such a name, text in a feature column indicates a header, because features are numbers.
        words = any(cell and not _is_number(cell) for cell in first[1:])
        # "Y" followed by numbers may be a label (yes); the longer names are not used as labels.
        has_header = words or (bool(named) and lowered[named[0]] != "y")
        if has_header and not _first_line(lines):
            raise DataError(f"{path}: has a header but no rows; give one row per example")
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
    """Describe the first faulty line of a rejected table; None if no line is faulty."""
    with _open_text(path) as lines:
        reader = csv.reader(lines)
        rows = (row for row in reader if row)
        if layout.header:
            next(rows)
        for row in rows:
            where = f"{path}: line {reader.line_num}"
            if len(row) != layout.columns:
                return f"{where} has {len(row)} columns, but the first line has {layout.columns}; fix the row"
            if not row[layout.label].strip():
                return f"{where} has no label; add it or drop the row"
            for column, cell in enumerate(row):
                if column != layout.label and not (_is_number(cell) and math.isfinite(float(cell))):
                    return f"{where}, column {column + 1}: {cell!r} is not a finite number; replace it or drop the row"
    return None
