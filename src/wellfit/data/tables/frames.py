"""Tables of the training, validation and test set together: columns matched, labels checked, one ``RawData``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, Header, Reading
from wellfit.data.parts import Part, RawData, listed
from wellfit.data.tables.columns import features
from wellfit.data.tables.labels import choose_label, label_values
from wellfit.data.tables.names import label_rank, says_nothing
from wellfit.data.tables.table import Table, name_columns, position
from wellfit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["combine", "from_frames", "table_of"]


def from_frames(
    train: pd.DataFrame,
    reading: Reading = DEFAULT_READING,
    *,
    validation: pd.DataFrame | None = None,
    test: pd.DataFrame | None = None,
    where: str = "the frame",
) -> RawData:
    """Read pandas DataFrames as a data set.

    Args:
      train: one example per row, with its label; the index is no feature.
      reading: label column, columns to drop, categories ...
      validation, test: with the same columns, in any order.
      where: what the frame is called in error messages.

    Returns:
      Features as numbers, in which categories are positions; labels; facts.

    Raises:
      DataError: no label column that could be meant, or cells that cannot be used.

    Example:
      >>> import pandas as pd
      >>> frame = pd.DataFrame({"petal": [1.4, 4.7, 5.1, 1.3], "species": ["setosa", "iris", "iris", "setosa"]})
      >>> raw = from_frames(frame)
      >>> raw.train.labels.tolist(), raw.columns[0].name
      (['setosa', 'iris', 'iris', 'setosa'], 'petal')
    """
    names = (where, f"{where} for validation", f"{where} for testing")
    tables = [
        None if frame is None else table_of(frame, reading, name)
        for frame, name in zip((train, validation, test), names, strict=True)
    ]
    assert tables[0] is not None
    return combine(tables[0], tables[1], tables[2], reading, must_have_labels=True)


def table_of(frame: pd.DataFrame, reading: Reading, where: str) -> Table:
    """A pandas DataFrame as a ``Table``; a level of its index becomes a column if it is the label or group."""
    import pandas as pd

    for key in (reading.label, reading.group):
        if isinstance(key, str) and key in frame.index.names and key not in frame.columns:
            frame = frame.reset_index(level=key)
    _refuse_ambiguous(frame, reading, where)
    counted = isinstance(frame.columns, pd.RangeIndex)
    texts = [" / ".join(map(str, c)) if isinstance(c, tuple) else str(c).strip() for c in list[Any](frame.columns)]
    header = () if counted else tuple(texts)
    names, repeated = name_columns(header, frame.shape[1])
    return Table(
        frame=frame.set_axis(range(frame.shape[1]), axis=1).reset_index(drop=True),
        names=names,
        named=not counted and not says_nothing(header),
        header=not counted,
        where=where,
        lines=np.arange(len(frame)),
        unit="row {} (from 0)",
        facts=(("columns of the same name", repeated),) if repeated else (),
        bare=header,
    )


def _refuse_ambiguous(frame: pd.DataFrame, reading: Reading, where: str) -> None:
    """Refuse a number that pandas has as the name of one column, and that counts another from 1."""
    keys: dict[str, tuple[Any, ...]] = {"label": (reading.label,), "group": (reading.group,)}
    keys |= {setting: getattr(reading, setting) for setting in ("drop", "columns", "categories")}
    names: list[Any] = frame.columns.tolist()
    numbers = {name: at for at, name in enumerate(names) if isinstance(name, int)}
    for setting, given in keys.items():
        for key in given:
            if isinstance(key, int) and key in numbers and numbers[key] != key - 1:
                raise DataError(
                    f"{where}: [data] {setting} = {key} may be the column named {key}, which is column "
                    f"{numbers[key] + 1}, or column {key}; name the columns by texts, frame.rename(columns=str), and "
                    f'set {setting} to the name, "{key}"'
                )


# --- Several sets -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Labeled:
    """A table whose columns are those of the training table, with its labels."""

    table: Table
    labels: NDArray[Any]
    ignored: tuple[str, ...] = ()


def combine(
    train: Table, validation: Table | None, test: Table | None, reading: Reading, *, must_have_labels: bool = False
) -> RawData:
    """Make a data set of its tables.

    Args:
      validation, test: matched with the training table by the names of their columns, or by position without names.
      must_have_labels: whether a test table without labels is an error, not a table to predict.

    Raises:
      DataError: as for ``choose_label`` and ``features``; rows without label; columns that another table lacks.
    """
    if not len(train.lines):
        raise DataError(f"{train.where}: has no rows; give one row per example")
    if len(train.names) < 2:
        raise DataError(f"{train.where}: only one column is found; {_one_column(train)}")
    label, said = choose_label(train, reading)
    group = None if reading.group is None else position(train, reading.group, "group")
    if group == label:
        raise DataError(f"{train.where}: [data] label and group are the same column; name two")
    facts = [("label column", said), *train.facts]
    sets: list[_Labeled] = [_Labeled(train, _labels(train, label, reading))]
    used: dict[str, int] = {}
    for role, table in (("validation", validation), ("test", test)):
        if table is None:
            continue
        found = _matched(train, table, label, reading)
        if isinstance(found, str):
            if role == "validation" or must_have_labels:
                raise DataError(f"{table.where}: {found}; add the labels, or leave this table out")
            facts.append(("test file", f"not used to test: {_base(table.where)} {found}; it can be predicted"))
            continue
        if role == "validation" and group in found.table.absent:
            raise DataError(f"{table.where}: lacks the column {train.names[group or 0]} of {train.where}; add it")
        used[role] = len(sets)
        sets.append(found)
        if found.ignored:
            facts.append((f"columns of the {role} file that are ignored", listed(found.ignored)))
    made = features([of.table for of in sets], [label, *([] if group is None else [group])], reading)
    if group is not None:
        facts.append(("group column", f"{train.names[group]}; no feature"))
    parts = [
        Part(x, of.labels, of.table.where, _groups(of.table, group, reading), of.table.lines)
        for of, x in zip(sets, made.rows, strict=True)
    ]
    return RawData(
        parts[0],
        test=parts[used["test"]] if "test" in used else None,
        validation=parts[used["validation"]] if "validation" in used else None,
        columns=made.columns,
        facts=(*facts, *made.facts),
        header=Header(
            train.names, label, tuple(train.names.index(c.name) for c in made.columns), train.named, train.decimal
        ),
    )


def _one_column(table: Table) -> str:
    """What to do about a table of a single column."""
    if sheet := dict(table.facts).get("sheet"):
        return f"the first sheet with cells is read ({sheet}); move the sheet with the data to the front"
    if table.unit.startswith("line"):
        return "if its cells are separated by another character, set [data] separator"
    return "give one column per feature, and one for the label"


def _labels(table: Table, label: int, reading: Reading) -> NDArray[Any]:
    """The labels of all rows; missing ones are refused with their lines."""
    labels, missing = label_values(table, label, reading)
    if missing.any():
        rows = np.flatnonzero(missing)
        shown = [table.at(row) for row in rows[:5]]
        more = f" and {len(rows) - 5:,} more" if len(rows) > 5 else ""
        raise DataError(
            f"{table.where}: {len(rows):,} row{'s have' if len(rows) > 1 else ' has'} no label in column "
            f"{table.names[label]!r} ({', '.join(shown)}{more}); add labels or remove rows"
        )
    return labels


def _groups(table: Table, group: int | None, reading: Reading) -> NDArray[Any] | None:
    if group is None:
        return None
    if group in table.absent:
        return np.full(len(table.lines), "")
    values, missing = label_values(table, group, reading)
    if missing.any():
        row = int(np.argmax(missing))
        raise DataError(f"{table.where}: {table.at(row)} has no group in column {table.names[group]!r}; add it")
    return values.astype(str)


def _matched(train: Table, other: Table, label: int, reading: Reading) -> _Labeled | str:
    """Another table with the columns of the training table; a text that says why it has no labels."""
    if train.header != other.header:
        headed, bare = (train, other) if train.header else (other, train)
        raise DataError(
            f"{bare.where}: has no header, but {_base(headed.where)} has one; give both, or say which by [data] header"
        )
    if not len(other.lines):
        raise DataError(f"{other.where}: has no rows; remove the file, or give one row per example")
    # Names that only count columns, such as V1 and V2, still tell them apart where both tables have the same ones.
    named = train.named or (train.header and sorted(train.bare) == sorted(other.bare))
    places, ignored = _by_name(train, other, label) if named else _by_place(train, other, label)
    frame = other.frame
    if label not in places:
        return "has no label column" if not ignored else f"has no column {train.names[label]!r}"
    import pandas as pd

    empty = pd.Series(np.full(len(frame), np.nan))
    matched = frame
    if [places.get(at) for at in range(len(train.names))] != list(range(frame.shape[1])):
        columns = [frame.iloc[:, places[at]] if at in places else empty for at in range(len(train.names))]
        matched = pd.concat(columns, axis=1, keys=range(len(columns)))
    absent = frozenset(at for at in range(len(train.names)) if at not in places)
    table = replace(other, frame=matched, names=train.names, bare=train.bare, named=train.named, absent=absent)
    why = _unlabeled(train, table, label, reading)
    return why or _Labeled(table, _labels(table, label, reading), ignored)


def _by_name(train: Table, other: Table, label: int) -> tuple[dict[int, int], tuple[str, ...]]:
    """Where another table has the columns of the training table, and its columns that the training table lacks."""
    exact = {name: at for at, name in enumerate(other.names)}
    folded = {name.casefold(): at for at, name in enumerate(other.names)}
    found = {at: exact.get(name, folded.get(name.casefold(), -1)) for at, name in enumerate(train.names)}
    places = {at: place for at, place in found.items() if place >= 0}
    ignored = tuple(name for at, name in enumerate(other.names) if at not in set(places.values()))
    instead = [name for name in ignored if label_rank(name, other.names)]
    if label not in places and instead:
        raise DataError(f"{other.where}: has no column {train.names[label]!r}, but {listed(instead)}; name it alike")
    return places, ignored


def _by_place(train: Table, other: Table, label: int) -> tuple[dict[int, int], tuple[str, ...]]:
    """The same for tables whose columns have no names: they are as many, or all but the label."""
    count, wanted = len(other.names), len(train.names)
    if count == wanted:
        return {at: at for at in range(count)}, ()
    if count == wanted - 1:
        return {at: at - (at > label) for at in range(wanted) if at != label}, ()
    raise DataError(
        f"{other.where}: has {count} columns, but {_base(train.where)} has {wanted}; give both the same columns"
    )


def _unlabeled(train: Table, other: Table, label: int, reading: Reading) -> str:
    """Why the label column of another table holds no labels; "" if it does."""
    labels, missing = label_values(other, label, reading)
    if missing.all():
        return f"has no labels in column {other.names[label]!r}"
    known = np.unique(label_values(train, label, reading)[0].astype(str))
    own = np.unique(labels[~missing].astype(str))
    count = len(labels)
    if count > 10 and labels.dtype.kind == "i" and len(own) == count == labels.max() - labels.min() + 1:
        return f"has row numbers where {_base(train.where)} has its labels"
    if count >= 20 and not missing.any() and len(own) == 1 < len(known):
        return f"has the same label, {str(own[0])!r}, in every row"
    if not np.isin(own, known).any():
        raise DataError(
            f"{other.where}: none of its labels ({listed([repr(str(v)) for v in own])}) occurs in {_base(train.where)} "
            f"({listed([repr(str(v)) for v in known])}); name the label column in [data] label"
        )
    return ""


def _base(where: str) -> str:
    return where.rpartition("/")[2]
