"""Text to ``Table``: pandas reads the rows; what it would pass over in silence is found here, with its line."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from wellfit.base import Header, IntArray, Reading
from wellfit.data.tables.dialect import Dialect, detect, records_of, single_spaced
from wellfit.data.tables.header import titled
from wellfit.data.tables.names import says_nothing
from wellfit.data.tables.table import Table, name_columns
from wellfit.data.tables.text import to_utf8
from wellfit.errors import DataError, one_line

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["parse_text"]

_COMMA = re.compile(r"^\s*([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)\s*$")
_THOUSANDS: Final = r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?"
_SEPARATORS = {"\t": "tab", ";": "semicolon", "|": "vertical bar", " ": "space"}
# What pandas compares each cell with, in the spellings of programs; columns with others are read again as texts.
_MISSING: Final = ["", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "#N/A", "<NA>", "?", "-"]


def parse_text(
    content: bytes, reading: Reading, where: str, like: Header | None = None, *, as_written: bool = False
) -> Table:
    r"""Read a table from text.

    Args:
      content: of the file, unpacked, in any encoding.
      reading: ``encoding``, ``separator``, ``decimal`` and ``header`` take precedence over what is found.
      where: the file, for error messages.
      like: the header of the training table, for later tables, whose cells are kept as written, too.
      as_written: whether the cells of this one are; that takes the memory of the file.

    Returns:
      Columns of numbers, in which missing values are NaN, and columns of texts as written.

    Raises:
      DataError: not a text table, rows of unequal length, open quotation marks.

    Example:
      >>> parse_text(b"a,b\n1,x\n,y\n", Reading(), "t.csv").frame
           0  1
      0  1.0  x
      1  NaN  y
    """
    text, encoding = to_utf8(content, reading.encoding, where)
    found = _detected(text, reading, where, like)
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
    if found.titles:
        facts.append(("title", titled(found.titles)))
    return Table(
        frame=frame.iloc[:, :columns],
        names=names,
        named=bool(found.header) and not says_nothing(found.header),
        header=bool(found.header),
        where=where,
        lines=lines,
        facts=tuple((name, fact) for name, fact in facts if fact),
        bare=found.header,
        decimal=found.decimal if found.decided else "",
        written=None
        if like is None and not as_written
        else lambda at: _columns(rows, found, [at], [at])[at].to_numpy(),
    )


def _detected(text: bytes, reading: Reading, where: str, like: Header | None) -> Dialect:
    """How the table is written; a first row with names of the training table is a header, whatever is below it."""
    if like is None:
        return detect(text, reading, where)
    found = detect(text, reading, where, like.decimal)
    if like.written and not found.header and reading.header is None and found.columns > 1:
        known = {name.casefold() for name in like.names}
        with suppress(DataError):
            headed = detect(text, replace(reading, header=True), where, like.decimal)
            if any(name.casefold() in known for name in headed.header):
                return headed
    return found


def _read(rows: bytes, found: Dialect, where: str) -> pd.DataFrame:
    """Columns of numbers straight away; again as text what turns out not to be numbers."""
    import pandas as pd

    known = set(found.texts)
    try:
        frame = _columns(rows, found, range(found.columns), found.texts)
        kinds = [dtype.kind for dtype in frame.dtypes]
        again = [at for at, kind in enumerate(kinds) if kind not in "iuf" and at not in known]
        if again:
            texts = _columns(rows, found, again, again)
            frame = pd.concat([frame.drop(columns=again), texts], axis=1)[list(range(found.columns))]
    except (ValueError, OverflowError, pd.errors.ParserWarning) as error:  # a ParserError is a ValueError
        _lines(rows, found, -1, where)  # names the line, if it is one
        raise DataError(f"{where}: cannot be read as a table ({one_line(error)}); fix or replace the file") from None
    if found.decimal == ",":
        for at in {*known, *again}:
            frame[at] = _with_points(frame[at])
    return frame


def _with_points(column: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers such as 1.048,50 as 1048.50: the dots group thousands if all of them in the column can."""
    dotted = column[column.str.contains(".", regex=False, na=False)]
    if len(dotted) and dotted.str.strip().str.fullmatch(_THOUSANDS).all():
        column = column.str.replace(".", "", regex=False)
    return column.str.replace(_COMMA, r"\1.\2", regex=True)


def _columns(rows: bytes, found: Dialect, only: Sequence[int], texts: Sequence[int]) -> pd.DataFrame:
    """Some columns; those in ``texts`` are kept as written."""
    import pandas as pd

    missing: Any = _MISSING
    if texts:
        missing = dict.fromkeys(set(only) - set(texts), _MISSING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.DtypeWarning)  # those columns are read again
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame: pd.DataFrame = pd.read_csv(
            io.BytesIO(rows),
            header=None,
            names=list(range(found.columns)),
            index_col=False,
            usecols=list(only) if len(only) < found.columns else None,
            sep=found.separator,
            decimal=found.decimal,
            skipinitialspace=True,
            dtype=dict.fromkeys(texts, object),
            na_values=missing,
            keep_default_na=False,
            encoding="utf-8",
        )
    return frame


def _lines(rows: bytes, found: Dialect, count: int, where: str) -> IntArray:
    """The line of each row, and the proof that all rows are of one length: pandas fills up short ones in silence."""
    mark = found.separator.encode()
    ends = rows.count(b"\n") + (not rows.endswith(b"\n"))
    if ends == count and b'"' not in rows and rows.count(mark) == count * (found.columns - 1):
        return np.arange(found.line, found.line + count)
    reader = records_of(rows.decode(), found.separator, strict=count < 0)
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
    same = len(found.header) == found.columns
    others = f"the header has {found.columns}" if same else f"most lines have {found.columns}"
    return f"{where}: line {line} has {cells}, but {others}; fix the row"
