"""Which column holds the classes: taken without asking only where a name says it, or one column alone can be it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import ColumnKey, Reading
from wellfit.data.parts import listed
from wellfit.data.tables.cells import is_number
from wellfit.data.tables.names import id_name, is_feature_name, is_measure_name, is_target_name, label_rank
from wellfit.data.tables.table import Table, position, positions
from wellfit.data.tables.values import Texts, is_date, is_numeric, meaning_of, numbers_of, texts_of
from wellfit.errors import DataError

__all__ = ["Classes", "choose_label", "classes_of", "label_values"]

_FEW: Final = 20  # different whole numbers that need no further thought
_MOST: Final = 100  # classes in a column that no name announces
_PIXELS: Final = 16  # columns of a table whose rows look like images
_LISTED: Final = 8  # candidates in a message


@dataclass(frozen=True, eq=False)
class Classes:
    """A column, seen as a column of classes.

    Args:
      count: of different values.
      numeric: whether they are numbers.
      trouble: why they are no classes; "" if they can be.
      rarest: rows of the rarest value, as a share of the mean.
      counted: whether whole numbers count up from 0 or 1, nearly without gaps, or are -1 and 1.
    """

    count: int
    numeric: bool
    trouble: str = ""
    rarest: float = 0.0
    counted: bool = False

    def alone(self, most: int = _MOST) -> bool:
        """Whether the column can be the label although its name does not say so."""
        return not self.trouble and 2 <= self.count <= most and (self.counted or not self.numeric)


def classes_of(table: Table, at: int, reading: Reading) -> Classes:
    """See a column as a column of classes."""
    column = table.frame.iloc[:, at]
    if is_date(column):
        return Classes(0, False, "its values are dates")
    if is_numeric(column):
        numbers = numbers_of(column, reading.missing)
        return _of_numbers(numbers[~np.isnan(numbers)] if numbers.dtype.kind == "f" else numbers)
    texts = _texts(table, at, reading)
    meaning = meaning_of(texts)
    if meaning.kind == "numbers" and meaning.values is not None:
        return _of_numbers(meaning.values[texts.codes[texts.codes >= 0]])
    return _of_texts(texts)


def _texts(table: Table, at: int, reading: Reading) -> Texts:
    """The texts of a column; a minus is one of two classes where the other is a plus."""
    column = table.frame.iloc[:, at]
    try:
        texts = texts_of(column, reading.missing)
    except DataError as error:
        raise DataError(f"{table.where}: column {table.names[at]!r}: {error}") from None
    return texts_of(column, reading.missing, frozenset("-")) if "+" in texts.texts else texts


def _of_numbers(values: NDArray[Any]) -> Classes:
    distinct, counts = np.unique(values, return_counts=True)
    count, rows = len(distinct), len(values)
    if not rows:
        return Classes(0, True, "it has no values")
    if not (distinct == np.floor(distinct)).all():
        return Classes(count, True, _numbers(count, rows))
    low, high = float(distinct[0]), float(distinct[-1])
    dense = count >= 0.5 * (high - low + 1)
    counted = (low in (0, 1) and dense) or (count == 2 and (low, high) == (-1, 1))
    rarest = float(counts.min() / counts.mean())
    if count > _FEW and (rows < 5 * count or not counted or (counts == 1).sum() > 0.2 * count):
        return Classes(count, True, _numbers(count, rows), rarest, counted)
    if count > 10 and rows < 2 * count:
        return Classes(count, True, _numbers(count, rows), rarest, counted)
    return Classes(count, True, "", rarest, counted)


def _of_texts(column: Texts) -> Classes:
    counts = column.counts()
    count, rows = len(column.texts), int(counts.sum())
    if not rows:
        return Classes(0, False, "it has no values")
    if count > max(10, rows / 2):
        return Classes(count, False, f"{count:,} different texts in {rows:,} rows are no classes")
    if meaning_of(column).kind == "dates" and count > _FEW:
        return Classes(count, False, "its values are dates")
    return Classes(count, False, "", float(counts.min() / counts.mean()))


def _numbers(count: int, rows: int) -> str:
    found = f"{count:,} different values in {rows:,} rows"
    return f"these look like numbers to predict ({found}), but wellfit trains classifiers"


# --- The choice -------------------------------------------------------------------------------------------------------


def choose_label(table: Table, reading: Reading) -> tuple[int, str]:
    """Choose the label column.

    Args:
      reading: ``label`` decides; columns in ``drop``, ``columns``, ``categories`` and ``group`` are no candidates,
        except that ``categories`` allows any number to be a class.

    Returns:
      Its position, and the fact that says what it is and why.

    Raises:
      DataError: no such column, values that are no classes, or no column or several that could be the label.
    """
    if reading.label is not None:
        at = position(table, reading.label, "label")
        _check(table, at, reading)
        return at, _said(table, at, "")
    excluded = set(positions(table, reading.drop, "drop")) | set(positions(table, reading.columns, "columns"))
    excluded |= set(positions(table, reading.categories, "categories"))
    excluded |= {position(table, reading.group, "group")} if reading.group is not None else set()
    open_ = [at for at in range(len(table.names)) if at not in excluded]
    if table.header:
        named = _by_name(table, open_, reading)
        if named is not None:
            return named, _said(table, named, "by its name")
    alone = _by_values(table, open_, reading)
    if alone is None:
        raise DataError(f"{table.where}: {_ask(table, open_, reading)}")
    return alone[0], _said(table, alone[0], alone[1])


def _check(table: Table, at: int, reading: Reading, *, guessed: bool = False) -> None:
    """Refuse a label column whose values are no classes; one that was guessed by its name is called so."""
    found = classes_of(table, at, reading)
    name = table.names[at]
    if at in positions(table, reading.categories, "categories"):
        return
    trouble = found.trouble
    if not trouble and found.numeric and found.count > _FEW and table.header and is_measure_name(name):
        trouble = _numbers(found.count, len(table.lines))
    if trouble:
        raise DataError(
            f"{table.where}: column {name!r}{', the label by its name,' if guessed else ''} cannot be the label: "
            f"{trouble}; set [data] label to a column of classes (--set data.label=...)"
            + (f', or categories = ["{name}"] if each number is a class' if found.numeric else "")
        )


def _by_name(table: Table, candidates: list[int], reading: Reading) -> int | None:
    """The one column whose name means the label; None if there is none."""
    bare = table.bare or table.names
    ranks = {at: label_rank(bare[at], bare) for at in candidates}
    clear = [at for at in candidates if ranks[at] in ("certain", "class", "likely")]
    judged = {at: classes_of(table, at, reading) for at in clear}
    sound = [at for at in clear if not judged[at].trouble]
    best = [at for at in clear if ranks[at] == "certain"] or [at for at in clear if ranks[at] == "class"] or clear
    if len(best) == 1 and (not sound or sound == best):
        _check(table, best[0], reading, guessed=True)
        return best[0]
    if len(sound) == 1 and ranks[sound[0]] == "certain":
        return sound[0]
    if clear:
        raise DataError(f"{table.where}: {_ask(table, candidates, reading)}")
    ends = _ends(table, candidates, reading)
    possible = [at for at in candidates if ranks[at] == "possible"]
    if len(possible) == 1 and possible[0] in ends and classes_of(table, possible[0], reading).alone(_FEW):
        return possible[0]
    return None


def _ends(table: Table, candidates: Iterable[int], reading: Reading) -> list[int]:
    """The first and the last column, apart from identifiers and row numbers."""
    inner = [at for at in candidates if not _identifies(table, at)]
    return sorted({inner[0], inner[-1]}) if inner else []


def _identifies(table: Table, at: int) -> bool:
    """Whether a column has an identifier's name, no name beside named ones, or different whole numbers throughout."""
    bare = table.bare[at] if table.bare else ""
    if table.named and (not bare or (id_name(bare) == "id" and not label_rank(bare, ()))):
        return True
    column = table.frame.iloc[:, at]
    return len(column) > 10 and is_numeric(column) and column.dtype.kind in "iu" and bool(column.is_unique)


def _by_values(table: Table, candidates: list[int], reading: Reading) -> tuple[int, str] | None:
    """The one column that alone can be the label, and why; None if none or several can."""
    ends = _ends(table, candidates, reading)
    frame = table.frame
    texts = [at for at in candidates if not is_numeric(frame.iloc[:, at]) and at not in _identifiers(table, candidates)]
    texts = [at for at in texts if not classes_of(table, at, reading).trouble]
    if texts:
        only = texts[0]
        if len(texts) > 1 or only not in ends or (table.named and is_feature_name(table.names[only])):
            return None
        found = classes_of(table, only, reading)
        rivals = [at for at in ends if at != only and is_numeric(frame.iloc[:, at])]
        if found.numeric or not found.alone() or any(_two(table, at, reading) for at in rivals):
            return None
        if any(is_target_name(table.names[at]) for at in candidates if at != only):
            return None
        graded = (classes_of(table, at, reading) for at in rivals if at > only)
        if table.named and any(last.counted and not last.trouble and last.count <= _MOST for last in graded):
            return None
        return only, "the only column of texts"
    judged = {at: classes_of(table, at, reading) for at in ends}
    can = [at for at in ends if not judged[at].trouble and 2 <= judged[at].count <= _MOST]
    if table.named:
        return _measured_otherwise(table, can, judged)
    if _like_pixels(table, candidates):  # classes are about equally frequent, the values of a pixel are not
        even = [at for at in can if judged[at].rarest > 0.2]
        if len(even) == 1 and all(judged[at].rarest < 0.05 for at in can if at not in even):
            return even[0], "whole numbers in even proportion beside pixels"
        return None
    if len(can) == 1 and judged[can[0]].counted and (can[0] != ends[0] or len(candidates) > 4):
        return can[0], "the only column at either end that can hold classes"
    return None


def _identifiers(table: Table, candidates: Iterable[int]) -> set[int]:
    return {at for at in candidates if table.named and id_name((table.bare or table.names)[at]) == "id"}


def _two(table: Table, at: int, reading: Reading) -> bool:
    found = classes_of(table, at, reading)
    return found.count == 2 and found.alone()


def _measured_otherwise(table: Table, can: list[int], judged: dict[int, Classes]) -> tuple[int, str] | None:
    """The last column, if it has few whole values and each other column has fractions."""
    last = len(table.names) - 1
    if can != [last] or len(table.names) < 5 or is_feature_name(table.names[last]):
        return None
    if not judged[last].counted or judged[last].count > 10:
        return None
    rest = [at for at in range(last) if not _identifies(table, at)]
    for at in rest:
        if not is_numeric(table.frame.iloc[:, at]):  # dates, or texts that differ in every row
            continue
        values = table.frame.iloc[:, at].to_numpy(dtype=np.float64)
        if not (np.floor(values) != values).any():
            return None
    return last, "the only column without fractions"


def _like_pixels(table: Table, candidates: list[int]) -> bool:
    """Whether the columns are many, whole, and none below 0 or above 255."""
    if len(candidates) <= _PIXELS:
        return False
    values = table.frame.iloc[:, candidates].to_numpy(dtype=np.float32)
    return bool(values.min() >= 0 and values.max() <= 255 and (values == np.floor(values)).all())


# --- Messages ---------------------------------------------------------------------------------------------------------


def _said(table: Table, at: int, why: str) -> str:
    total = len(table.names)
    place = {0: "the first", total - 1: "the last"}.get(at, f"number {at + 1}")
    return f"{table.names[at]}, {place} of {total} columns" + (f" ({why})" if why else "")


def _ask(table: Table, candidates: list[int], reading: Reading) -> str:
    """One line that lists the columns that could be the label, and the setting."""
    found: list[tuple[int, int, int]] = []
    bare = table.bare or table.names
    order = {"certain": 0, "class": 0, "likely": 1, "possible": 2, "": 3}
    first = [*candidates[-_MOST // 2 :][::-1], *candidates[: _MOST // 2]]
    for at in dict.fromkeys(first):
        judged = classes_of(table, at, reading)
        if not judged.trouble and 2 <= judged.count <= _MOST and not (judged.numeric and _identifies(table, at)):
            found.append((order[label_rank(bare[at], bare)], judged.count, at))
    target = next((at for at in _targets(table, candidates) if classes_of(table, at, reading).trouble), None)
    numbers = ""
    if target is not None:
        numbers = f"{table.names[target]}: {classes_of(table, target, reading).trouble}; "
    if not found:
        return f"{numbers}no column can hold classes; add one, and name it in [data] label"
    key: ColumnKey = table.names[sorted(found)[0][2]] if table.header else sorted(found)[0][2] + 1
    names = [f"{table.names[at]} ({count} values)" for _, count, at in sorted(found)]
    shown = f'"{key}"' if isinstance(key, str) else str(key)
    return (
        f"{numbers}which column is the label? Candidates: {listed(names, _LISTED)}; "
        f"set [data] label = {shown} or another (--set data.label=...)"
    )


def _targets(table: Table, candidates: list[int]) -> list[int]:
    """Columns at the ends that have the name of a quantity which people predict."""
    ends = [at for at in (candidates[:1] + candidates[-1:]) if table.header]
    return [at for at in ends if is_measure_name(table.names[at]) or label_rank(table.names[at], table.names)]


# --- Values -----------------------------------------------------------------------------------------------------------


def label_values(table: Table, at: int, reading: Reading) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """The labels as whole numbers or texts, and where one is missing.

    Returns:
      Labels, int64, float64 or str, and a mask of the missing ones.  # (N,), (N,)
    """
    column = table.frame.iloc[:, at]
    if is_numeric(column):
        numbers = numbers_of(column, reading.missing)
        missing = np.isnan(numbers) if numbers.dtype.kind == "f" else np.zeros(len(numbers), dtype=bool)
        filled = np.where(missing, 0, numbers)
        whole = (filled == np.floor(filled)).all() and np.abs(filled).max(initial=0) < 2**53
        return (filled.astype(np.int64) if whole else filled), missing
    texts = _texts(table, at, reading)
    missing = texts.codes < 0
    padded = any(text.lstrip("+-").startswith("0") and text.lstrip("+-")[1:2].isdigit() for text in texts.texts)
    if texts.texts and not padded and all(is_number(text) for text in texts.texts):
        values = np.array([float(text) for text in texts.texts])
        if (values == np.floor(values)).all() and np.abs(values).max() < 2**53:
            return values.astype(np.int64)[np.where(missing, 0, texts.codes)], missing
    if not texts.texts:
        return np.full(len(column), ""), missing
    return np.array(texts.texts)[np.where(missing, 0, texts.codes)], missing
