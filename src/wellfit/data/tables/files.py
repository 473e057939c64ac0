"""Files of tables: text, parquet and Excel, recognized by their content; others with the line that converts them."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from wellfit.base import Header, Reading
from wellfit.data.limits import raised, remedy
from wellfit.data.parts import listed
from wellfit.data.tables.cells import is_missing
from wellfit.data.tables.dialect import MAX_COLUMNS
from wellfit.data.tables.header import names_columns, titled, titles_above
from wellfit.data.tables.names import says_nothing
from wellfit.data.tables.parse import parse_text
from wellfit.data.tables.table import Table, name_columns
from wellfit.data.tables.text import MAX_BYTES, archive_members, read_bytes, regular_file, unpack
from wellfit.errors import DataError, one_line

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PACKED", "is_table", "load_table", "stem_of", "without_settings"]

_TEXT: Final = (".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".psv", ".test")
_FRAMES: Final = (".parquet", ".pq", ".xlsx", ".xlsm")
PACKED: Final = (".gz", ".bz2", ".xz", ".zip")
"""Endings of compressed tables."""

_TO_CSV: Final = 'to_csv("table.csv", index=False)'
_CONVERT: Final = {
    ".pkl": "they can run any program when they are read; ask its author for a .csv file",
    ".pickle": "they can run any program when they are read; ask its author for a .csv file",
    ".json": f"convert it in Python: pandas.read_json(...).{_TO_CSV}",
    ".jsonl": f"convert it in Python: pandas.read_json(..., lines=True).{_TO_CSV}",
    ".feather": 'convert it in Python: pandas.read_feather(...).to_parquet("table.parquet")',
    ".arrow": 'convert it in Python: pandas.read_feather(...).to_parquet("table.parquet")',
    ".orc": 'convert it in Python: pandas.read_orc(...).to_parquet("table.parquet")',
    ".dta": f"convert it in Python: pandas.read_stata(...).{_TO_CSV}",
    ".sav": f"convert it in Python: pandas.read_spss(...).{_TO_CSV}",
    ".sas7bdat": f"convert it in Python: pandas.read_sas(...).{_TO_CSV}",
    ".rds": 'convert it in R: write.csv(readRDS("..."), "table.csv", row.names = FALSE)',
    ".rdata": 'convert it in R: load it, then write.csv(..., "table.csv", row.names = FALSE)',
    ".arff": f"convert it in Python: pandas.DataFrame(scipy.io.arff.loadarff(...)[0]).{_TO_CSV}",
    ".xls": "save it as .xlsx or .csv in Excel",
    ".ods": "save it as .xlsx or .csv",
    ".db": f"convert it in Python: pandas.read_sql(...).{_TO_CSV}",
    ".sqlite": f"convert it in Python: pandas.read_sql(...).{_TO_CSV}",
}


_UNSUSPECTED: Final = 1 << 28  # bytes in memory; larger tables must not be much smaller in their file
_RATIO: Final = 100
_PLACE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Z]{0,3})(\d{1,9})["']""")  # of a cell or, without letters, of a row


def is_table(path: Path) -> bool:
    """Whether a file's name is that of a table, also of one that wellfit only says how to convert.

    Example:
      >>> is_table(Path("wine.CSV.gz")), is_table(Path("a.parquet")), is_table(Path("a.npz"))
      (True, True, False)
    """
    name = path.name.lower()
    if name.endswith(".zip") and Path(name).suffixes == [".zip"]:
        return True
    return stem_of(path) != path.name or path.suffix.lower() in _CONVERT


def stem_of(path: Path) -> str:
    """The name of a table without its endings; the whole name if wellfit does not read such files."""
    name = path.name
    for packed in PACKED:
        if name.lower().endswith(packed):
            name = name[: -len(packed)]
            break
    suffix = Path(name).suffix.lower()
    return name[: -len(suffix)] if suffix in _TEXT or (suffix in _FRAMES and name == path.name) else path.name


@contextlib.contextmanager
def without_settings() -> Iterator[None]:
    """Errors of tables that no study file describes advise to save the table again, not to set a key of ``[data]``.

    Raises:
      DataError: as it was raised within, with that advice.
    """
    try:
        yield
    except DataError as error:
        said, _, fix = str(error).rpartition("; ")
        if "[data]" not in fix:
            raise
        raise DataError(
            f"{said}; save the table in UTF-8, with commas between the columns and points in numbers"
        ) from None


def load_table(path: Path, reading: Reading, like: Header | None = None, *, as_written: bool = False) -> Table:
    """Read one file.

    Args:
      like: the header of the training table, for later tables; where no cell shows the decimal mark, it is the same.
      as_written: whether the cells of a text are kept as written, too.

    Raises:
      DataError: not a regular file, damaged, in another format, or without rows; a package that is not installed.
    """
    where = str(path)
    suffix = path.suffix.lower()
    if path.name == "study.db":
        raise DataError(f"{path.parent}: a study directory, which holds results and no data; wellfit show prints them")
    if suffix in _CONVERT:
        raise DataError(f"{where}: {suffix} files are not read; {_CONVERT[suffix]}")
    if read_bytes(path, 4) == b"PAR1":
        return _parquet(where, regular_file(path).st_size, where)
    if suffix in (".parquet", ".pq"):
        raise DataError(f"{where}: not a Parquet file; replace it")
    content = read_bytes(path)
    if content.startswith(b"PK\x03\x04") and (suffix in (".xlsx", ".xlsm") or _is_excel(content)):
        return _excel(content, reading, where)
    if suffix in (".xlsx", ".xlsm"):
        raise DataError(f"{where}: not an Excel file; save it again as .xlsx or .csv")
    content = unpack(content, where)
    return (
        _parquet(io.BytesIO(content), len(content), where)
        if content.startswith(b"PAR1")
        else parse_text(content, reading, where, like, as_written=as_written)
    )


def _is_excel(content: bytes) -> bool:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _needs(package: str, where: str) -> DataError:
    fix = 'install it with: pip install "wellfit[tables]", or save the table as .csv'
    return DataError(f"{where}: reading it needs {package}, which is not installed; {fix}")


# --- Parquet ----------------------------------------------------------------------------------------------------------


def _parquet(source: str | io.BytesIO, size: int, where: str) -> Table:
    try:
        from pyarrow import lib, parquet, types
    except ImportError:
        raise _needs("pyarrow", where) from None
    try:
        with parquet.ParquetFile(source) as file:
            rows, columns = file.metadata.num_rows, file.metadata.num_columns
            kinds = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
            texts = [field.name for field in file.schema_arrow if any(of(field.type) for of in kinds)]
        needed = rows * max(columns, 1) * 8
        limit = min(2 * MAX_BYTES, max(_UNSUSPECTED, _RATIO * size))
        if columns > raised(MAX_COLUMNS) or needed > raised(limit):
            excess = max(columns / MAX_COLUMNS, needed / limit)
            raise DataError(
                f"{where}: {rows:,} rows of {columns:,} columns are too many for a file of {size:,} bytes; take a "
                f"sample, or, {remedy(excess, 1)}"
            )
        # Texts stay numbers in a dictionary, so that a long text in a million rows is in memory once.
        with parquet.ParquetFile(source, read_dictionary=texts) as file:
            frame = file.read().to_pandas(split_blocks=True, self_destruct=True)  # without a second copy
    except (lib.ArrowException, OSError, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise DataError(f"{where}: not a readable Parquet file ({one_line(error)}); save it again") from None
    return _named(frame, np.arange(len(frame)), "row {} (from 0)", where)


def _named(frame: pd.DataFrame, lines: Any, unit: str, where: str, facts: tuple[tuple[str, str], ...] = ()) -> Table:
    bare = tuple(str(name).strip() for name in frame.columns)
    names, repeated = name_columns(bare, frame.shape[1])
    if repeated:
        facts = (*facts, ("columns of the same name", repeated))
    return Table(
        frame=frame.set_axis(range(frame.shape[1]), axis=1).reset_index(drop=True),
        names=names,
        named=not says_nothing(bare),
        header=True,
        where=where,
        lines=lines,
        unit=unit,
        facts=facts,
        bare=bare,
    )


# --- Excel ------------------------------------------------------------------------------------------------------------


def _excel(content: bytes, reading: Reading, where: str) -> Table:
    """The first sheet that is not empty."""
    import pandas as pd

    try:
        import openpyxl  # noqa: F401
    except ImportError:
        raise _needs("openpyxl", where) from None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(info.file_size for info in archive_members(archive))
            limit = max(64 << 20, min(MAX_BYTES, 50 * len(content)))
            if size > raised(limit):
                raise DataError(f"{where}: unpacks to {size >> 20:,} MiB; save it as .csv, or, {remedy(size, limit)}")
            _check_areas(archive, where)
        quiet = warnings.catch_warnings(action="ignore")  # openpyxl speaks of styles and print areas
        with quiet, pd.ExcelFile(io.BytesIO(content), engine="openpyxl") as book:
            names = [str(name) for name in book.sheet_names]
            for sheet in names:
                cells = pd.read_excel(book, sheet_name=sheet, header=None, dtype=object, keep_default_na=False)
                cells = cells.mask(cells.map(lambda cell: cell is None or (isinstance(cell, str) and not cell.strip())))
                if cells.notna().any(axis=None):
                    break
            else:
                raise DataError(f"{where}: all sheets are empty; give one row per example")
    except DataError:
        raise
    except Exception as error:  # openpyxl raises whatever its XML parser meets
        raise DataError(f"{where}: not a readable Excel file ({one_line(error)}); save it again") from None
    others = [name for name in names if name != sheet]
    facts = (("sheet", f"{sheet}; not read: {listed(others)}"),) if others else ()
    return _sheet(cells, reading, where, facts)


def _check_areas(archive: zipfile.ZipFile, where: str) -> None:
    """Refuse sheets with a few cells far apart: all cells between them would be made."""
    for info in archive.infolist():
        if not info.filename.endswith(".xml"):  # the workbook says which of them are sheets
            continue
        rows = columns = cells = 0
        for letters, digits in _PLACE.findall(archive.read(info)):
            rows, cells = max(rows, int(digits)), cells + bool(letters)
            columns = max(columns, functools.reduce(lambda number, c: 26 * number + c - 64, letters, 0))
        limit = 1_000_000 + 50 * cells
        if rows * max(columns, 1) > raised(limit):
            raise DataError(
                f"{where}: {info.filename} has {cells:,} cells in {rows:,} rows and {columns:,} columns; delete the "
                f"empty rows and columns, save it as .csv, or, {remedy(rows * max(columns, 1), limit)}"
            )


def _sheet(cells: pd.DataFrame, reading: Reading, where: str, facts: tuple[tuple[str, str], ...]) -> Table:
    """A sheet's cells; the first row may be the header."""
    cells, texts = _filled(cells)
    above = titles_above(texts) if reading.header is None else 0
    if above:
        facts = (*facts, ("title", titled(["".join(row) for row in texts[:above]])))
        cells, texts = _filled(cells.iloc[above:])
    header = reading.header
    if header is None:
        header = bool(above) or (len(texts) > 1 and names_columns(texts[0], texts[1:]))
    if header and len(texts) == 1:
        raise DataError(f"{where}: has a header but no rows; give one row per example")
    names = texts[0] if header else [""] * cells.shape[1]
    rows = cells.iloc[1:] if header else cells
    lines = rows.index.to_numpy(dtype=np.int64) + 1
    columns = [_typed(rows.iloc[:, at]) for at in range(rows.shape[1])]
    import pandas as pd

    table = _named(pd.concat(columns, axis=1, keys=names), lines, "row {}", where, facts)
    return (
        table
        if header
        else Table(
            table.frame, table.names, named=False, header=False, where=where, lines=lines, unit="row {}", facts=facts
        )
    )


def _filled(cells: pd.DataFrame) -> tuple[pd.DataFrame, list[list[str]]]:
    """The rows and columns that are not empty, and the first rows as texts."""
    filled = cells.notna()
    cells = cells.loc[filled.any(axis=1), filled.any(axis=0)]
    few = cells.head(200).itertuples(index=False)
    return cells, [["" if pd_missing(cell) else str(cell).strip() for cell in row] for row in few]


def pd_missing(cell: Any) -> bool:
    """Whether a cell of a sheet is empty."""
    return cell is None or (isinstance(cell, float) and np.isnan(cell))


def _typed(column: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers if all cells are numbers, apart from texts that mean a missing value."""
    kept = column.mask(column.map(lambda cell: isinstance(cell, str) and is_missing(cell)))
    found = kept.infer_objects()
    return found if found.dtype.kind in "iufmM" else column
