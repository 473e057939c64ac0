"""Text to ``Table``: pandas reads the rows; what it would pass over in silence is found here, with its line."""

from __future__ import annotations

import csv
import io
import warnings
from typing import TYPE_CHECKING, Final

import numpy as np

from wellfit.base import IntArray, Reading
from wellfit.data.tables.dialect import MISSING, Dialect, detect, records_of, single_spaced
from wellfit.data.tables.names import says_nothing
from wellfit.data.tables.table import Table, name_columns
from wellfit.data.tables.text import one_line, to_utf8
from wellfit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_COLUMNS", "parse_text"]

MAX_COLUMNS: Final = 100_000
"""The widest table that is read."""

_SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "vertical bar", " ": "space"}
# The texts in the cases in which people and programs write them; pandas compares exactly.
_MISSING = sorted({form for text in MISSING for form in (text, text.upper(), text.capitalize())} | {"NaN", "-NaN"})


def parse_text(content: bytes, reading: Reading, where: str) -> Table:
    """Read a table from text.

    Args:
      content: of the file, unpacked, in any encoding.
      reading: ``encoding``, ``separator``, ``decimal`` and ``header`` take precedence over what is found.
      where: the file, for error messages.

    Returns:
      Columns of numbers, in which missing values are NaN, and columns of texts as written.

    Raises:
      DataError: not a text table, rows of unequal length, open quotation marks, too many columns.

    Example:
      >>> parse_text(b"a,b\\n1,x\\n,y\\n", Reading(), "t.csv").frame
           0  1
      0  1.0  x
      1  NaN  y
    """
    text, encoding = to_utf8(content, reading.encoding, where)
    found = detect(text, reading, where)
    if found.columns > MAX_COLUMNS:
        raise DataError(
            f"{where}: has {found.columns:,} columns, but tables of up to {MAX_COLUMNS:,} are read; select columns"
        )
    rows = text[found.start :] if found.start else text
    if found.separator == " ":
        rows = single_spaced(rows)
    frame = _read(rows, found, where)
    lines = _lines(rows, found, len(frame), where)
    columns = found.columns - found.trailing
    names, repeated = name_columns(found.header, columns)
    said = [_SEPARATORS.get(found.separator, found.separator)] if found.separator != "," else []
    said += ["decimal comma"] if found.decimal == "," else []
    facts = [("encoding", encoding), ("separator", "; ".join(said)), ("columns of the same name", repeated)]
    if found.comments:
        facts.append(("comment lines", f"{found.comments} above the table"))
    return Table(
        frame=frame.iloc[:, :columns],
        names=names,
        named=bool(found.header) and not says_nothing(found.header),
        header=bool(found.header),
        where=where,
        lines=lines,
        facts=tuple((name, fact) for name, fact in facts if fact),
        bare=found.header,
    )


def _read(rows: bytes, found: Dialect, where: str) -> pd.DataFrame:
    """Columns of numbers straight away; again as text what turns out not to be numbers."""
    import pandas as pd

    def read(texts: tuple[int, ...], only: tuple[int, ...] | None) -> pd.DataFrame:
        numbers = [at for at in (range(found.columns) if only is None else only) if at not in set(texts)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)  # those columns are read again
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                io.BytesIO(rows),
                header=None,
                names=list(range(found.columns)),
                index_col=False,
                usecols=None if only is None else list(only),
                sep=found.separator,
                decimal=found.decimal,
                skipinitialspace=True,
                dtype=dict.fromkeys(texts, object),
                na_values=dict.fromkeys(numbers, _MISSING),
                keep_default_na=False,
                encoding="utf-8",
            )

    try:
        frame = read(found.texts, None)
        kinds = [dtype.kind for dtype in frame.dtypes]
        again = tuple(at for at, kind in enumerate(kinds) if kind not in "iuf" and at not in set(found.texts))
        if again:
            texts = read(again, again)
            frame = pd.concat([texts[at] if at in set(again) else frame[at] for at in frame.columns], axis=1)
    except (
        pd.errors.ParserError,
        pd.errors.ParserWarning,
        pd.errors.EmptyDataError,
        ValueError,
        OverflowError,
    ) as error:
        _lines(rows, found, -1, where)  # names the line, if it is one
        raise DataError(f"{where}: cannot be read as a table ({one_line(error)}); fix or replace the file") from None
    return frame


def _lines(rows: bytes, found: Dialect, count: int, where: str) -> IntArray:
    """The line of each row, and the proof that all rows are of one length: pandas fills up short ones in silence."""
    mark = found.separator.encode()
    ends = rows.count(b"\n") + (not rows.endswith(b"\n"))
    if ends == count and b'"' not in rows and rows.count(mark) == count * (found.columns - 1):
        return np.arange(found.line, found.line + count)
    reader = records_of(rows.decode(), found.separator)
    lines, before = [], 0
    try:
        for row in reader:
            if not row or (len(row) == 1 and not row[0].strip()):
                before = reader.line_num
                continue
            line = found.line + before
            if len(row) != found.columns:
                raise DataError(_unequal(row, found, line, where))
            lines.append(line)
            before = reader.line_num
    except csv.Error as error:
        raise DataError(f"{where}: line {found.line + before}: {one_line(error)}; close the quotation mark") from None
    if count < 0 or len(lines) == count:
        return np.array(lines, dtype=np.int64)
    raise DataError(
        f"{where}: the quotation marks do not enclose whole cells; save the table again with another program"
    )


def _unequal(row: list[str], found: Dialect, line: int, where: str) -> str:
    if any("\n" in cell for cell in row):
        return f"{where}: line {line} opens a quotation mark that is not closed there; fix the row"
    cells = f"{len(row)} column{'s' if len(row) != 1 else ''}"
    others = f"but the {'header' if found.header else 'first line'} has {len(found.header) or found.columns}"
    if len(found.header) not in (0, found.columns):
        others = f"but the others have {found.columns}"
    return f"{where}: line {line} has {cells}, {others}; fix the row"
