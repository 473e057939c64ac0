"""Labels of images without class folders: a table of file names and labels, or the file names themselves."""

from __future__ import annotations

import io
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from wellfit.base import ColumnKey, Reading
from wellfit.data.images.names import Role, role_of, some
from wellfit.data.tables.text import read_bytes, to_utf8
from wellfit.errors import DataError

__all__ = ["LabelTable", "find_table", "labels_from_names", "names_images"]

_LABEL_NAMES: Final = frozenset(
    {
        *("label", "labels", "class", "classes", "classname", "classid", "target", "category", "breed", "species"),
        *("diagnosis", "dx", "y", "labelname", "classlabel", "groundtruth", "finding", "findinglabels"),
    }
)
"""Header names of the label column, in lower case and without marks between words."""

_SET_NAMES: Final = frozenset({"split", "set", "subset", "dataset", "partition", "usage"})
_LARGEST: Final = 200 * 2**20  # bytes
_NUMBERED = re.compile(r"([^\W\d]+(?:[ _\-][^\W\d]+)*)[ ._\-]*\(?\d+\)?\.\w+")
_GENERIC: Final = frozenset(
    {
        *(
            "dsc",
            "dscf",
            "dscn",
            "file",
            "frame",
            "id",
            "image",
            "images",
            "imag",
            "img",
            "mask",
            "p",
            "patch",
            "photo",
        ),
        *("pic", "picture", "pxl", "sample", "scan", "screenshot", "slide", "test", "tile", "train", "val", "vlcsnap"),
    }
)
"""Beginnings of file names that name no class, as cameras give them."""


@dataclass(frozen=True, eq=False)
class LabelTable:
    """The labels that a table gives to images.

    Args:
      path: the table.
      column: its label column.
      labels: by position of the image.
      groups: by position of the image, if a group column is set.
      roles: the set of each image by its position, if a column says it.
      unmatched: names in the table for which there is no image.
    """

    path: Path
    column: str
    labels: dict[int, str]
    groups: dict[int, str]
    roles: dict[int, Role]
    unmatched: tuple[str, ...]


# --- File names -------------------------------------------------------------------------------------------------------


def labels_from_names(names: Sequence[str]) -> list[str] | None:
    """Labels from file names like ``cat.0.jpg`` and ``dog.12.jpg``, if all have this form and it is unmistakable.

    Returns:
      The part before the number for each name; None unless two or more words occur, each five times on average, none
      of which is a usual name of pictures (IMG, scan, frame).

    Example:
      >>> labels_from_names([f"{animal}.{i}.jpg" for animal in ("cat", "dog") for i in range(5)])[4:6]
      ['cat', 'dog']
      >>> labels_from_names([f"IMG_{i}.jpg" for i in range(9)])
    """
    matches = [_NUMBERED.fullmatch(name) for name in names]
    words = [match[1].rstrip(" ._-") for match in matches if match]
    counts = Counter(words)
    if len(words) < len(names) or len(counts) < 2 or len(names) < 5 * len(counts) or min(counts.values()) < 2:
        return None
    parts = {part for word in counts for part in re.split(r"[ _\-]", word.lower())}
    return None if parts & _GENERIC else words


# --- Tables -----------------------------------------------------------------------------------------------------------


def names_images(paths: Iterable[Path], names: Sequence[str], reading: Reading) -> bool:
    """Return whether a table has a column of the images' names, judged by its first rows.

    Args:
      paths: tables.
      names: paths of images, with ``/``.
    """
    finder = _Finder(names)
    tables = (_read(path, reading, finder, rows=1000) for path in paths)
    return any(table is not None and _name_column(table, finder) is not None for table in tables)


def find_table(paths: Iterable[Path], names: Sequence[str], reading: Reading, role: Role) -> LabelTable | None:
    """Find the table that gives labels to images.

    Args:
      paths: tables near the images.
      names: paths of the images within their folder, with ``/``.
      role: the set; a table named after a set serves only this one.

    Returns:
      None if no table has a column of the images' names beside one of labels.

    Raises:
      DataError: several such tables, several columns that may be the labels, or missing or contradictory labels.
    """
    found: list[tuple[Path, Any, str]] = []
    finder = _Finder(names)
    for path in paths:
        if "submission" in path.name.lower() or role_of(path.name) not in {None, role}:
            continue
        table = _read(path, reading, finder)
        column = None if table is None else _name_column(table, finder)
        if column is not None and len(table.columns) > 1:
            found.append((path, table, column))
    own = [one for one in found if role_of(one[0].name) == role]
    found = own or found
    if not found:
        return None
    if len(found) > 1:
        tables = some(path.name for path, *_ in found)
        raise DataError(f"{found[0][0].parent}: more than one table names the images ({tables}); keep one")
    path, table, column = found[0]
    return _labels(path, table, column, finder, reading)


class _Finder:
    """Finds images by what a table may call them: path, name, name without suffix, or number."""

    def __init__(self, names: Sequence[str]) -> None:
        self.count = len(names)
        self.paths = {name: at for at, name in enumerate(names)}
        short = [name.rpartition("/")[2] for name in names]
        stems = [name.rpartition(".")[0] for name in short]
        self.names = _unique(short)
        self.stems = _unique(stems)
        self.numbers = _unique([str(int(stem)) if stem.isdecimal() else "" for stem in stems])

    def find(self, text: str) -> int | None:
        """The position of the image."""
        parts = text.strip().replace("\\", "/").split("/")
        for start in range(len(parts)):
            at = self.paths.get("/".join(parts[start:]))
            if at is not None:
                return at
        last = parts[-1]
        at = self.names.get(last, self.stems.get(last))
        if at is None and last.isdecimal():
            at = self.numbers.get(str(int(last)))
        return at


def _unique(names: Sequence[str]) -> dict[str, int]:
    """Positions of the names that occur once."""
    counts = Counter(names)
    return {name: at for at, name in enumerate(names) if name and counts[name] == 1}


def _read(path: Path, reading: Reading, finder: _Finder, rows: int | None = None) -> Any:
    """Read a table as texts; None if it is none. The first row is a header unless it names an image."""
    import pandas as pd

    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return None
        content, _ = to_utf8(read_bytes(path), reading.encoding, str(path))
        first = content.partition(b"\n")[0][:100_000].decode(errors="replace")
        separator = reading.separator or max(",;\t|", key=first.count)
        cells = [cell.strip().strip('"') for cell in first.split(separator)]
        header = reading.header
        if header is None:
            header = all(finder.find(cell) is None for cell in cells)
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):  # cells would be cut off
            table = pd.read_csv(
                io.BytesIO(content),
                sep=separator,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8",
                header=0 if header else None,
                index_col=False,
                nrows=rows,
            )
    except (OSError, ValueError, LookupError, DataError, pd.errors.ParserError, pd.errors.ParserWarning):
        return None
    table.columns = [str(c).strip() if header else f"column {i + 1}" for i, c in enumerate(table.columns)]
    return table


def _name_column(table: Any, finder: _Finder) -> str | None:
    """The column whose cells name the most images: half of them or of its rows, and nearly every row another."""
    best, most = None, max(1, min(len(table), finder.count) / 2 - 1)
    for at, column in enumerate(table.columns):
        cells = table.iloc[:, at].astype(str)
        found = {finder.find(cell) for cell in cells.unique()} - {None}
        if len(found) > most and 2 * cells.nunique() >= len(cells):
            best, most = str(column), len(found)
    return best


def _labels(path: Path, table: Any, column: str, finder: _Finder, reading: Reading) -> LabelTable | None:
    group = None if reading.group is None else _column(path, table, reading.group, "group")
    roles_column = next((c for c in table.columns if _plain(c) in _SET_NAMES and _all_roles(table[c])), None)
    aside = {column, group, roles_column}
    rest = [str(c) for c in table.columns if c not in aside]
    values, name = _label_values(path, table, rest, reading)
    if values is None:
        return None
    labels: dict[int, str] = {}
    groups: dict[int, str] = {}
    roles: dict[int, Role] = {}
    unmatched: list[str] = []
    for row, (image, label) in enumerate(zip(table[column], values, strict=True)):
        at = finder.find(image)
        if at is None:
            unmatched.append(image)
            continue
        if not label.strip() or label.strip().lower() in {"nan", "na", "null", "none", "?"}:
            raise DataError(f"{path}: {image} (row {row + 1}) has no label in column {name}; add it or drop the row")
        if labels.setdefault(at, label.strip()) != label.strip():
            raise DataError(
                f"{path}: {image} has more than one label in column {name} ({labels[at]}, {label.strip()}); each image "
                "can have one class"
            )
        if group is not None:
            groups[at] = table[group].iloc[row]
        if roles_column is not None:
            role = role_of(table[roles_column].iloc[row])
            assert role is not None
            roles[at] = role
    return LabelTable(path, name, labels, groups, roles, tuple(unmatched))


def _label_values(path: Path, table: Any, rest: Sequence[str], reading: Reading) -> tuple[Sequence[str] | None, str]:
    """The label of each row, and the name of the label column; None if no column can be it."""
    if reading.label is not None:
        name = _column(path, table, reading.label, "label")
        return list(table[name]), name
    hot = _one_hot(table, rest)
    if hot is not None:
        return hot, f"{rest[0]} to {rest[-1]}"
    named = [c for c in rest if _plain(c) in _LABEL_NAMES]
    if len(named) > 1 and all(len(table[[named[0], c]].drop_duplicates()) == table[c].nunique() for c in named):
        names = [c for c in named if not table[c].str.fullmatch(r"[\d.]*").all()]
        named = (names or named)[:1]  # the same classes, as numbers and as names
    candidates = named or rest
    if len(candidates) == 1:
        return list(table[candidates[0]]), candidates[0]
    if not candidates:
        return None, ""
    raise DataError(
        f'{path}: which column is the class? Set [data] label = "{candidates[0]}", or another of {some(candidates, 10)}'
    )


def _one_hot(table: Any, columns: Sequence[str]) -> list[str] | None:
    """The classes, if exactly one column is 1 in every row."""
    if len(columns) < 2 or not all(table[c].str.fullmatch(r"[01](\.0*)?").all() for c in columns):
        return None
    ones = table[list(columns)].astype(float).to_numpy()  # (n, columns)
    return [columns[at] for at in ones.argmax(axis=1)] if (ones.sum(axis=1) == 1).all() else None


def _column(path: Path, table: Any, key: ColumnKey, setting: str) -> str:
    """A column by name or number."""
    names = [str(c) for c in table.columns]
    if key in names:
        return str(key)
    if isinstance(key, int) and 0 < abs(key) <= len(names):
        return names[key - 1 if key > 0 else key]
    raise DataError(f"{path}: there is no column {key!r} for [data] {setting}; use one of {some(names, 10)}")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.lower())


def _all_roles(values: Any) -> bool:
    """Whether a column says nothing but sets, and the training set among them."""
    roles = {role_of(value) for value in values.unique()}
    return "train" in roles and None not in roles and len(roles) > 1
