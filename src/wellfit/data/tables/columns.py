"""The features of a table: what each column holds, what is left out and why, and the rows as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Column, Reading
from wellfit.data.parts import listed
from wellfit.data.rounding import float32_blurs
from wellfit.data.tables.belonging import belonging
from wellfit.data.tables.cells import is_number
from wellfit.data.tables.names import id_name
from wellfit.data.tables.table import Table, positions
from wellfit.data.tables.values import Texts, is_date, is_numeric, join, meaning_of, numbers_of, one_spelling, texts_of
from wellfit.errors import DataError

__all__ = ["Features", "column_texts", "features", "is_truth", "numbers_like"]

_BLOCK: Final = 1024
_LIST: Final = re.compile(r"[-+.e\d]+( [-+.e\d]+){9,}")  # pixels, for example
_MANY: Final = 20  # different values from which an identifier's name is believed
_LARGEST: Final = float(np.finfo(np.float32).max)
_LOW: Final = (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0)
_HIGH: Final = (999.0, 9999.0, 99999.0, 999999.0)
_DATE_HELP: Final = "dates; to use them, add columns of numbers such as month or hour"


@dataclass(frozen=True, eq=False)
class Features:
    """The feature columns of all sets.

    Args:
      columns: the columns that are used.
      rows: the rows of each set, float32, or float64 if a column needs it; NaN is missing.  # [(N, D)]
      facts: as in ``Dataset``.
    """

    columns: tuple[Column, ...]
    rows: list[NDArray[Any]]
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class _Cells:
    """One column in all sets; ``left`` says why it is left out, ``sign`` what was cut off, ``kind`` what it became.

    ``later_truth`` says that another set has true and false where the training table has numbers.
    """

    values: tuple[NDArray[Any], ...] = ()
    categories: tuple[str, ...] = ()
    kind: Literal["numbers", "truth", "categories"] = "numbers"
    left: str = ""
    sign: str = ""
    unit: str = ""
    later_truth: bool = False


def features(tables: list[Table], taken: list[int], reading: Reading) -> Features:
    """Read the feature columns.

    Args:
      tables: the training table, then those of the other sets, with the same columns in the same order.
      taken: columns that are no features: label and group.
      reading: ``columns``, ``drop``, ``categories`` and ``missing``; a column that they name is never left out.

    Raises:
      DataError: no feature is left, a cell that is not a number among numbers, a number too large for float32.
    """
    train = tables[0]
    only = positions(train, reading.columns, "columns")
    drop = positions(train, reading.drop, "drop")
    categories = positions(train, reading.categories, "categories")
    open_ = [at for at in only or range(len(train.names)) if at not in {*taken, *drop}]
    asked = {*only, *categories}
    kept: list[int] = []
    cells: list[_Cells] = []
    left = [f"{train.names[at]} (dropped)" for at in drop]
    for at in open_:
        found = _cells(tables, at, at in categories, at in asked, reading)
        if found.left:
            left.append(f"{train.names[at]} ({found.left})")
        else:
            kept.append(at)
            cells.append(found)
    if not kept:
        why = f": {listed(left)}" if left else ""
        raise DataError(
            f'{train.where}: no feature column is left{why}; name columns to use in [data] columns = ["..."]'
        )
    for table in tables:
        if lacking := [train.names[at] for at in kept if at in table.absent]:
            raise DataError(
                f"{table.where}: lacks {len(lacking)} column{'s' if len(lacking) > 1 else ''} of {train.where} "
                f"({listed(lacking)}); add what is missing"
            )
    names = [train.names[at] for at in kept]
    pairs = list(zip(names, cells, strict=True))
    columns = tuple(Column(name, c.categories, c.unit, c.kind == "truth") for name, c in pairs)
    rows = [_matrix(table, names, [c.values[part] for c in cells]) for part, table in enumerate(tables)]
    if len({x.dtype for x in rows}) > 1:
        rows = [x.astype(np.float64) for x in rows]
    owners = [at for at in open_ if at not in asked] if reading.group is None else []
    facts = (*_facts(names, cells, left, rows), *belonging(train, owners))
    return Features(columns, rows, facts)


def _cells(tables: list[Table], at: int, category: bool, asked: bool, reading: Reading) -> _Cells:
    """Decide by the training table what a column holds, and read it in every set."""
    series = [table.frame.iloc[:, at] for table in tables]
    if any(is_date(column) for column in series):
        return _Cells(left=_DATE_HELP)
    if is_numeric(series[0]) and not category:
        numbers = numbers_of(series[0], reading.missing)
        why = "" if asked else _identifies(tables[0], at, numbers)
        if not why and numbers.dtype.kind == "f" and np.isnan(numbers).all():
            why = "no values"
        if why:
            return _Cells(left=why)
        return _Cells(
            (numbers, *(numbers_like(table, at, Column(""), reading) for table in tables[1:])),
            later_truth=any(is_truth(table, at, reading) for table in tables[1:]),
        )
    texts = [column_texts(table, at, reading) for table in tables]
    if len({is_numeric(column) for column in series}) > 1:
        texts = one_spelling(texts)
    if category:
        return _as_categories(texts)
    own = texts[0]
    meaning = meaning_of(own)
    if meaning.kind == "faulty":
        raise DataError(_fault(tables[0], at, own, meaning.fault))
    if meaning.kind == "empty":
        return _Cells(left="no values")
    if meaning.kind == "dates":
        return _Cells(left=_DATE_HELP)
    if meaning.values is not None:
        values = _mapped(own, meaning.values)
        why = "" if asked or meaning.kind == "truth" else _identifies(tables[0], at, values)
        if why:
            return _Cells(left=why)
        column = Column("", unit=meaning.unit, truth=meaning.kind == "truth")
        rest = tuple(numbers_like(table, at, column, reading) for table in tables[1:])
        return _Cells(
            (values, *rest),
            kind="truth" if meaning.kind == "truth" else "numbers",
            sign=meaning.sign,
            unit=meaning.unit,
        )
    why = "" if asked else _spells_out(tables[0], at, own, meaning.kind)
    return _Cells(left=why) if why else _as_categories(texts)


def column_texts(table: Table, at: int, reading: Reading) -> Texts:
    """The texts of a column.

    Raises:
      DataError: its cells are lists or other objects.
    """
    try:
        return texts_of(table.frame.iloc[:, at], reading.missing)
    except DataError as error:
        raise DataError(
            f'{table.where}: column {table.names[at]!r}: {error}, or leave it out: [data] drop = ["{table.names[at]}"]'
        ) from None


def _as_categories(texts: list[Texts]) -> _Cells:
    texts = join(texts)
    values = tuple(np.where(column.codes < 0, np.nan, column.codes) for column in texts)
    return _Cells(values, texts[0].texts, "categories") if texts[0].texts else _Cells(left="no values")


def _mapped(texts: Texts, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.append(values, np.nan)[texts.codes]


def is_truth(table: Table, at: int, reading: Reading) -> bool:
    """Whether a column holds true and false, as texts or as such."""
    return not is_numeric(table.frame.iloc[:, at]) and meaning_of(column_texts(table, at, reading)).kind == "truth"


def numbers_like(table: Table, at: int, like: Column, reading: Reading, *, grouped: bool = False) -> NDArray[Any]:
    """A column of another table, where the training table has numbers, or true and false.

    Args:
      like: the column of the training table: its unit, and whether it has true and false.
      grouped: as for ``meaning_of``.

    Returns:
      Numbers, NaN where one is missing.  # (N,)

    Raises:
      DataError: a cell that is not a number, numbers with another unit, or others than 0 and 1 for true and false.
    """
    column = table.frame.iloc[:, at]
    if is_numeric(column):
        numbers = numbers_of(column, reading.missing)
        if like.unit and not np.isnan(numbers).all():
            raise DataError(_other_unit(table, at, "", like.unit))
    else:
        texts = column_texts(table, at, reading)
        meaning = meaning_of(texts, grouped=grouped)
        if meaning.values is None and texts.texts:
            fault = meaning.fault or next((text for text in texts.texts if not is_number(text)), texts.texts[0])
            raise DataError(_fault(table, at, texts, fault))
        if texts.texts and meaning.unit != like.unit:
            raise DataError(_other_unit(table, at, meaning.unit, like.unit))
        numbers = _mapped(texts, np.zeros(0) if meaning.values is None else meaning.values)
    if like.truth and (wrong := ~(np.isnan(numbers) | np.isin(numbers, (0, 1)))).any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{table.where}: {table.at(row)}, column {at + 1} ({table.names[at]}): {numbers[row]:g}, but the training "
            "table has true and false; write them, or 1 and 0"
        )
    return numbers


def _other_unit(table: Table, at: int, own: str, unit: str) -> str:
    """12% beside 0.12, 500 g beside 0.5 kg: the numbers would differ in scale."""
    has, others = (f"have {text!r}" if text else "have no unit" for text in (own, unit))
    name = table.names[at]
    return (
        f"{table.where}: column {at + 1} ({name}): its numbers {has}, but those of the training table {others}; "
        f'write both in one unit, or set [data] drop = ["{name}"]'
    )


def _fault(table: Table, at: int, texts: Texts, fault: str) -> str:
    row = int(np.argmax(texts.codes == texts.texts.index(fault)))
    name = table.names[at]
    shown = fault if len(fault) <= 40 else f"{fault[:37]}..."
    head = "" if table.header or row else "; if this row is a header: header = true"
    return (
        f"{table.where}: {table.at(row)}, column {at + 1} ({name}): {shown!r} is not a number like the others; correct "
        f'it, or set [data] missing = ["{shown}"], categories = ["{name}"] or drop = ["{name}"]{head}'
    )


# --- What identifies rows ---------------------------------------------------------------------------------------------


def _identifies(table: Table, at: int, numbers: NDArray[Any]) -> str:
    """Why a column of numbers tells rows apart instead of describing them; "" if it does not."""
    count = len(numbers)
    if count < 3:
        return ""
    name = table.bare[at] if table.bare else ""
    kind = id_name(name) if name else ""
    unnamed = table.named and (not name or name.lower().startswith("unnamed:"))
    low, high = float(np.fmin.reduce(numbers)), float(np.fmax.reduce(numbers))
    spread = high - low
    if spread < count - 1 and not (kind or unnamed):
        return ""
    whole = numbers.dtype.kind in "iu" or bool((numbers == np.floor(numbers)).all())
    if not whole:
        return ""
    if name and low > 2**53:
        return "numbers of 16 digits or more, as identifiers have"
    distinct = len(np.unique(numbers))
    if distinct == count:
        if kind or unnamed:
            return "a different value in every row"
        if spread == count - 1 and count >= 20:
            return "row numbers"
        return "a different whole number in every row" if not table.named and at == 0 and count >= 20 else ""
    return _named_id(name, kind, unnamed, distinct, count)


def _named_id(name: str, kind: str, unnamed: bool, distinct: int, count: int) -> str:
    if kind == "id" and distinct > _MANY:
        return "an identifier by its name"
    if (unnamed and distinct > count / 4) or (kind == "number" and distinct > max(_MANY, 0.8 * count)):
        return "a different value in most rows"
    return ""


def _spells_out(table: Table, at: int, texts: Texts, kind: str) -> str:
    """Why a column of texts is no feature; "" if it is one."""
    rows = int((texts.codes >= 0).sum())
    if kind == "free":
        if texts.texts and all(_LIST.fullmatch(text) for text in texts.texts[:3]):
            raise DataError(
                f"{table.where}: column {table.names[at]!r} holds {texts.texts[0].count(' ') + 1:,} numbers in a cell; "
                f'give each number a column of its own, or set [data] drop = ["{table.names[at]}"]'
            )
        if len(texts.texts) == rows == len(table.lines):
            return "a different text in every row"
        return f"{len(texts.texts):,} different texts in {rows:,} rows"
    name = table.bare[at] if table.bare else ""
    return _named_id(name, id_name(name) if name else "", False, len(texts.texts), rows)


# --- Rows as numbers --------------------------------------------------------------------------------------------------


def _matrix(table: Table, names: list[str], values: list[NDArray[Any]]) -> NDArray[Any]:
    """The columns side by side; float64 if float32 would blur one of them."""
    count = len(table.lines)
    wide = False
    for name, column in zip(names, values, strict=True):
        if not column.size:
            continue
        low, high = np.fmin.reduce(column), np.fmax.reduce(column)
        largest = max(abs(float(low)), abs(float(high)))
        if largest > _LARGEST:
            row = int(np.nanargmax(np.abs(column.astype(np.float64))))
            raise DataError(
                f"{table.where}: {table.at(row)}, column {name!r}: {column[row]} is too large for float32; "
                "rescale the column"
            )
        if not wide and float32_blurs(low, high, whole=False):
            wide = bool(float32_blurs(low, high, whole=_are_whole(column)))
    x = np.empty((count, len(values)), dtype=np.float64 if wide else np.float32)  # (N, D)
    for start in range(0, count, _BLOCK):  # blocks that fit the cache: four times as fast as column by column
        block = np.empty((len(values), min(_BLOCK, count - start)), dtype=x.dtype)
        for at, column in enumerate(values):
            block[at] = column[start : start + _BLOCK]
        x[start : start + _BLOCK] = block.T
    return x


def _are_whole(numbers: NDArray[Any]) -> bool:
    """Whether no number has a fraction."""
    return numbers.dtype.kind in "iu" or bool((np.isnan(numbers) | (numbers == np.floor(numbers))).all())


# --- Facts ------------------------------------------------------------------------------------------------------------


def _facts(
    names: list[str], cells: list[_Cells], left: list[str], rows: list[NDArray[Any]]
) -> tuple[tuple[str, str], ...]:
    of = list(zip(names, cells, strict=True))
    absent = [
        (name, sum(int(np.isnan(values).sum()) for values in c.values if values.dtype.kind == "f")) for name, c in of
    ]
    absent = sorted(((name, count) for name, count in absent if count), key=lambda pair: -pair[1])
    total = sum(count for _, count in absent)
    missing = ""
    if absent:
        plural = "s" if len(absent) > 1 else ""
        missing = f"{total:,} in {len(absent):,} column{plural}: {listed([f'{n} ({count:,})' for n, count in absent])}"
    texts = [f"{name} ({len(c.categories)} values)" for name, c in of if c.kind == "categories"]
    truth = [name for name, c in of if c.kind == "truth" or c.later_truth]
    facts = [
        ("columns left out", listed(left)),
        ("categories", listed(texts)),
        ("true or false, read as 1 or 0", listed(truth)),
        ("numbers with signs", listed([f"{name}: {c.sign}" for name, c in of if c.sign])),
        ("missing values", missing),
        ("suspicious values", _suspicious(of)),
    ]
    return tuple((name, fact) for name, fact in facts if fact)


def _suspicious(of: list[tuple[str, _Cells]]) -> str:
    """Numbers that often stand for a missing value, far from all others of their column."""
    found = [
        (name, number, count) for name, c in of if c.kind == "numbers" for number, count in _sentinels(c.values[0])
    ]
    if not found:
        return ""
    often = {1: "once", 2: "twice"}
    places = [f"{number:g} {often.get(count, f'{count:,} times')} in {name}" for name, number, count in found]
    texts = ", ".join(dict.fromkeys(f'"{number:g}"' for _, number, _ in found))
    return f"{listed(places)}; if this means missing: [data] missing = [{texts}]"


def _sentinels(values: NDArray[Any]) -> list[tuple[float, int]]:
    if not values.size:
        return []
    low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    found = []
    if low in _LOW:
        rest = values[values > low]
        apart = rest.size and (rest.min() >= 0 if low == -1 else rest.min() > low / 2)
        if apart and (low < -9 or (rest.min() >= 0 and len(np.unique(rest)) > 10)):
            found.append((low, int((values == low).sum())))
    if high in _HIGH:
        rest = values[values < high]
        if rest.size and rest.max() < high / 5:
            found.append((high, int((values == high).sum())))
    return found
