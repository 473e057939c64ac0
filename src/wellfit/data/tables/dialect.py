"""How a text table is written, by its first rows: separator, decimal mark, header, and where the rows begin."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from wellfit.base import Reading
from wellfit.data.limits import raised, remedy
from wellfit.data.tables.cells import is_missing, is_number
from wellfit.data.tables.header import names_columns, titles_above
from wellfit.errors import DataError

if TYPE_CHECKING:
    from _csv import Reader

__all__ = [
    "MAX_COLUMNS",
    "Dialect",
    "detect",
    "records_of",
    "single_spaced",
]

MAX_COLUMNS: Final = 50_000
"""The widest table that is read."""

_ROWS: Final = 200  # that decide; fewer where there are many columns
_FEWEST: Final = 8
_CELLS: Final = 20_000
_SAMPLE: Final = 4 << 20
_LONGEST: Final = 64 << 20  # a line, in bytes
_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_DOTS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")
_GROUPS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_SEPARATORS: Final = ("\t", ";", "|", ",", " ")


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Args:
      separator: one character; a space stands for any run of spaces and tabs.
      decimal: the decimal mark.
      decided: whether a cell, a setting, or the training table shows it.
      header: the cells of the header; empty if there is none.
      columns: the number of cells of a row.
      start: where the rows begin, in bytes.
      line: the line of the first row, from 1.
      texts: the columns with cells that are not numbers, or begin with a zero like 007, among the first rows.
      trailing: whether each row ends with a separator; its last cell is then no column.
      comments: how many comment lines stand above the table.
      titles: rows of one text each, between these and the header.
    """

    separator: str
    decimal: str
    header: tuple[str, ...]
    columns: int
    start: int
    line: int
    texts: tuple[int, ...]
    trailing: bool = False
    decided: bool = False
    comments: int = 0
    titles: tuple[str, ...] = ()


def single_spaced(content: bytes) -> bytes:
    """One space for each run of spaces and tabs, none at the ends of lines."""
    return re.sub(rb"(?m)^ | $", b"", re.sub(rb"[ \t]+", b" ", content))


def records_of(text: str, separator: str, *, strict: bool = False) -> Reader:
    """Python's own reader of separated values, which knows its line."""
    lines = io.StringIO(text, newline="\n")
    return csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=strict)


def detect(content: bytes, reading: Reading, where: str, usual: str = "") -> Dialect:
    r"""Decide how a table is written.

    Args:
      content: the text as UTF-8, with line feeds.
      reading: ``separator``, ``decimal`` and ``header`` take precedence over what is found.
      where: the file, for error messages.
      usual: the decimal mark of the training table, for later tables; "" if it is not known.

    Raises:
      DataError: an empty file, a header without rows, a decimal mark that nothing decides.

    Example:
      >>> found = detect(b"sort;weight\nfuji;1,5\ngala;2,25\n", Reading(), "apples.csv")
      >>> found.separator, found.decimal, found.header, found.line
      (';', ',', ('sort', 'weight'), 2)
    """
    start, line, comments, told = _preamble(content, where)
    text = _sample(content[start:], where)
    separator = reading.separator or told or _separator(text, where)
    separator = {"\\t": "\t", "tab": "\t", "space": " ", r"\s+": " "}.get(separator, separator)
    if len(separator.encode()) != 1 or separator.isalnum() or separator in '"\r\n.-+':
        raise DataError(
            f'{where}: separator {separator!r} cannot separate columns; set [data] separator = ";" or the like'
        )
    rows = _records(text, separator, where)
    above = titles_above([row for _, row in rows]) if reading.header is None else 0
    titles = tuple(title for _, row in rows[:above] if (title := "".join(row).strip()))
    rows = rows[above:]
    first = [cell.strip() for cell in rows[0][1]]
    below = [row for _, row in rows[1:]] or [rows[0][1]]
    widths = Counter(len(row) for row in below)
    columns = max(widths, key=lambda width: (widths[width], width == len(first)))
    below = [row for row in below if len(row) == columns]
    trailing = (
        columns > 1 and all(not row[-1].strip() for row in below) and (len(first) == columns - 1 or not first[-1])
    )
    records = [(line + last - 1, row) for last, row in rows[len(rows) > 1 :]]
    shown = reading.decimal or _decimal(separator, below, partial(_place, where, records), usual)
    decimal = shown or "."
    width = columns - 1 if trailing else columns
    names = first[:width] if len(first) == columns else first
    if len(names) == width - 1 and len({row[0] for row in below}) == len(
        below
    ):  # R leaves out the name of the row names
        names = ["", *names]
    header = reading.header
    if header is None:
        header = above > 0 or (len(names) == width and len(rows) > 1 and names_columns(names, below, decimal))
        header = header or (len(rows) == 1 and all(not is_number(c, decimal) and not is_missing(c) for c in names))
    if header and len(rows) == 1:
        raise DataError(f"{where}: has a header but no rows; give one row per example")
    if header and len(names) != width:
        raise DataError(
            f"{where}: the header has {len(names)} names, but most lines have {width} columns; fix the header, "
            "or set [data] header = false or the separator"
        )
    if header:
        # Names before a row's own line, so that the rows begin where the header's last line ends.
        lines = rows[0][0]
        start, line = _after(content, start, lines), line + lines
    else:
        if len(first) == columns:
            below = [rows[0][1], *below]
        commented = comments > 0 and reading.header is None  # as np.savetxt(header=...) writes it
        names = _commented(content, start, separator, width) if commented else []
    texts = tuple(at for at in range(columns) if any(_is_text(row[at], decimal) for row in below))
    return Dialect(
        separator, decimal, tuple(names), columns, start, line, texts, trailing, bool(shown), comments, titles
    )


def _preamble(content: bytes, where: str) -> tuple[int, int, int, str]:
    """Where the table begins: byte and line; the number of comment lines above, and the separator of ``sep=;``."""
    start, line, comments, told = 0, 1, 0, ""
    while start < len(content):
        end = content.find(b"\n", start)
        end = len(content) if end < 0 else end
        text = content[start : min(end, start + 200)].strip()
        if not comments and not told and text[:9].lower() == b"@relation":
            raise DataError(f"{where}: an ARFF file; convert it with scipy.io.arff.loadarff and DataFrame.to_csv")
        if text.lower().startswith(b"sep=") and len(text) <= 5:
            told = text[4:].decode("ascii", "replace") or "\t"
        elif text.startswith(b"#"):
            comments += 1
        elif text:
            return start, line, comments, told
        start, line = end + 1, line + 1
    raise DataError(f"{where}: the file is empty; give one row per example")


def _sample(content: bytes, where: str) -> str:
    """The first lines, whole: at most ``_SAMPLE`` bytes, unless the lines are longer."""
    end = len(content)
    if end > _SAMPLE:
        end = content.rfind(b"\n", 0, _SAMPLE)
        if content.count(b"\n", 0, max(end, 0)) < 3:
            for _ in range(4):
                end = content.find(b"\n", max(end, 0) + 1)
                if end < 0:
                    end = len(content)
                    break
        if end > raised(_LONGEST):
            raise DataError(
                f"{where}: has a line of more than {raised(_LONGEST) >> 20} MiB; save rows of fewer columns, or, "
                f"{remedy(end, _LONGEST)}"
            )
    first = content[: content.find(b"\n", 0, end)] if b"\n" in content[:end] else content[:end]
    widest = max(first.count(mark) for mark in b"\t;|, ") + 1
    if widest > raised(MAX_COLUMNS):
        raise DataError(
            f"{where}: has {widest:,} columns, but tables of up to {raised(MAX_COLUMNS):,} are read; select columns, "
            f"or, {remedy(widest, MAX_COLUMNS)}"
        )
    return content[:end].decode()


def _records(text: str, separator: str, where: str) -> list[tuple[int, list[str]]]:
    """The first records that are not blank, each with the line on which it ends, from 1."""
    reader = records_of(single_spaced(text.encode()).decode() if separator == " " else text, separator)
    found: list[tuple[int, list[str]]] = []
    cells = 0
    try:
        for row in reader:
            if row and (len(row) > 1 or row[0].strip()):
                found.append((reader.line_num, row))
            cells += len(row)
            if len(found) > _ROWS or (len(found) > _FEWEST and cells > _CELLS):
                break
    except csv.Error as error:
        raise DataError(
            f"{where}: line {reader.line_num}: {error}; is a quotation mark open, or the separator another one "
            "([data] separator)?"
        ) from None
    if not found:
        raise DataError(f"{where}: the file is empty; give one row per example")
    return found


def _separator(text: str, where: str) -> str:
    """The separator that cuts the first rows alike, into cells that no other separator could still cut."""
    best, score = ",", (0.0, 0.0, 0)
    for separator in _SEPARATORS:
        if separator not in text or (separator == " " and score[0] >= 0.9):
            continue
        try:
            rows = [row for _, row in _records(text, separator, where)]
        except DataError:
            continue
        below = rows[1:] or rows
        width = Counter(map(len, below)).most_common(1)[0][0]
        if width < 2:
            continue
        alike = sum(len(row) == width for row in below) / len(below)
        whole = [_is_whole(cell.strip(), separator) for row in below for cell in row]
        found = (min(alike, 0.95), round(sum(whole) / len(whole), 2), width)
        if found > score:
            best, score = separator, found
    return best


def _is_whole(cell: str, separator: str) -> bool:
    """Whether no separator is left in a cell; in front of digits, a comma may be a decimal mark."""
    if separator != "," and _COMMA.fullmatch(cell):
        return True
    return not any(mark in cell for mark in "\t;|,".replace(separator, ""))


def _place(where: str, records: list[tuple[int, list[str]]], cell: str) -> str:
    """Where a cell stands first, for error messages: the file, its line, and its column from 1."""
    places = ((line, row.index(own) + 1) for line, row in records for own in row if own.strip() == cell)
    return "{}: line {}, column {}".format(where, *next(places))


def _decimal(separator: str, rows: list[list[str]], place: Callable[[str], str], usual: str) -> str:
    """The decimal mark; empty if no cell shows it.

    Args:
      place: says where a cell stands.
      usual: that of the training table, which decides where cells may be read in two ways; "" if it is not known.
    """
    cells = [cell.strip() for row in rows for cell in row]
    commas = [cell for cell in cells if _COMMA.fullmatch(cell)]
    points = [cell for cell in cells if _POINT.fullmatch(cell)]
    if usual == "," and separator != "," and (commas or all(map(_DOTS.fullmatch, points))):
        return ","
    if usual == "." and all(map(_GROUPS.fullmatch, commas)):
        return "."
    if not usual and separator in ";\t" and not commas and (dotted := _dots_that_may_group(rows)):
        raise DataError(
            f"{place(dotted)}: {dotted!r} may be {dotted.replace('.', '')} or {dotted}; for "
            f"{dotted.replace('.', '')}, set "
            '[data] decimal = ",", otherwise decimal = "."'
        )
    if not commas or points:
        return "." if points else ""
    if all(_GROUPS.fullmatch(cell) for cell in commas):
        raise DataError(
            f"{place(commas[0])}: {commas[0]!r} may be {commas[0].replace(',', '.')} or {commas[0].replace(',', '')}; "
            'set [data] decimal = "," or "."'
        )
    return ","


def _dots_that_may_group(rows: list[list[str]]) -> str:
    """A number in which the dot may group thousands, as 1.048 beside 900; empty if no column looks like that.

    In such a column, every number with a dot has three digits after it, and the others are whole, below 1000, and 100
    or more at least once.
    """
    for column in zip(*(row for row in rows if len(row) == len(rows[0])), strict=True):
        cells: list[str] = [cell.strip() for cell in column if cell.strip()]
        dotted = [cell for cell in cells if "." in cell]
        whole = [cell for cell in cells if "." not in cell]
        short = all(re.fullmatch(r"[+-]?\d{1,3}", cell) for cell in whole)
        if dotted and short and all(map(_DOTS.fullmatch, dotted)) and any(abs(int(cell)) >= 100 for cell in whole):
            return dotted[0]
    return ""


# --- Header -----------------------------------------------------------------------------------------------------------


def _commented(content: bytes, start: int, separator: str, width: int) -> list[str]:
    """The names in the last comment above the rows, if they are as many as the columns."""
    above = content[max(0, start - _SAMPLE) : start].rstrip(b"\n").rpartition(b"\n")[2]
    text = above.decode(errors="replace").lstrip("# ").strip()
    names = text.split() if separator == " " else [name.strip() for name in text.split(separator)]
    return names if len(names) == width and not any(is_number(name) for name in names) else []


def _after(content: bytes, start: int, lines: int) -> int:
    """Where the line begins that stands ``lines`` below."""
    for _ in range(lines):
        start = content.find(b"\n", start) + 1
    return start


def _is_text(cell: str, decimal: str) -> bool:
    cell = cell.strip()
    if re.match(r"[+-]?0\d", cell):
        return True
    return not is_number(cell, decimal) and not is_missing(cell)
