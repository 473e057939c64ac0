"""The true classes of all test examples, in a file of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, IntArray
from wellfit.data.arrays.files import is_array_file, refuse_pickles, stored_arrays
from wellfit.data.arrays.names import Stored
from wellfit.data.limits import raised, remedy
from wellfit.data.predictions.label_values import group_codes, label_values, same_labels
from wellfit.data.predictions.runs import run_named
from wellfit.data.tables.files import is_table, load_table, without_settings
from wellfit.errors import DataError
from wellfit.files import form_of

__all__ = [
    "CLASSES",
    "EXAMPLES",
    "GROUPS",
    "LABELS",
    "GivenLabels",
    "array_named",
    "class_texts",
    "is_labels",
    "labels_in",
    "read_labels",
]

LABELS: Final = ("labels", "label", "y_true", "y_test", "y", "true", "target", "targets", "class")
"""Names of arrays and columns with the true classes, in lower case."""
EXAMPLES: Final = ("example", "example_id", "id", "index", "row", "sample")
"""Names of columns that say which example a row is about."""
GROUPS: Final = ("groups", "group")
"""Names of arrays and columns that say which examples belong together."""
CLASSES: Final = ("classes", "class_names")
"""Names of arrays with the names of the classes, in the order of the columns."""

_MOST_LABELS: Final = 20_000_000
_MOST_CLASSES: Final = 1_000_000
_USUAL: Final = 64  # bytes of an entry


class GivenLabels(NamedTuple):
    """What a file of labels holds.

    Args:
      values: the true class of each example.  # (M,)
      groups: the group of each; None without groups.  # (M,)
      classes: the names of the classes; None without names.
    """

    values: NDArray[Any]
    groups: IntArray | None = None
    classes: tuple[str, ...] | None = None

    def same(self, other: GivenLabels) -> bool:
        """Whether another file says the same of the same examples."""
        if not same_labels(self.values, other.values) or self.classes != other.classes:
            return False
        if self.groups is None or other.groups is None:
            return self.groups is other.groups
        return np.array_equal(self.groups, other.groups)


def is_labels(path: Path) -> bool:
    """Whether a file's name is that of the labels of all runs.

    Example:
      >>> is_labels(Path("labels.npz")), is_labels(Path("l2.0.npz")), is_labels(Path("target.0.npz"))
      (True, False, False)
    """
    named = path.name.split(".")[0].lower() in LABELS and run_named(path.stem) is None
    return named and (is_array_file(path) or is_table(path))


def labels_in(file: Path) -> GivenLabels:
    """The labels of all examples, with their groups and the names of the classes where the file has them.

    Args:
      file: of arrays with ``labels`` and perhaps ``groups`` and ``classes``, or a table with a column label and perhaps
        group. Its rows are in the order of the examples, unless a column numbers these from 0.

    Raises:
      DataError: no labels in it, several arrays or columns that could be, or a group that is missing.
    """
    if (form := form_of(file)) != "a file":
        raise DataError(f"{file}: {form or 'no such file'}; give a file with the labels of all examples")
    refuse_pickles(file)
    if not is_array_file(file):
        return _in_table(file)
    arrays = stored_arrays(file)
    stored = array_named(arrays, LABELS) or (next(iter(arrays.values())) if len(arrays) == 1 else None)
    if stored is None:
        raise DataError(f"{file}: has the arrays {', '.join(arrays)}; call the one with the labels labels")
    values = read_labels(stored, file)
    groups, names = array_named(arrays, GROUPS), array_named(arrays, CLASSES)
    return GivenLabels(
        values,
        None if groups is None else group_codes(_read(groups, _MOST_LABELS, "groups", file), len(values), str(file)),
        None if names is None else class_texts(names, file),
    )


def class_texts(stored: Stored, file: Path) -> tuple[str, ...]:
    """The names of classes in an array.

    Raises:
      DataError: too many, or what no name can be.
    """
    return tuple(map(str, label_values(_read(stored, _MOST_CLASSES, "classes", file).ravel(), str(file)).tolist()))


def read_labels(stored: Stored, file: Path) -> NDArray[Any]:
    """The labels in an array.

    Raises:
      DataError: too many, or what no label can be.
    """
    return label_values(_read(stored, _MOST_LABELS, "labels", file), str(file))


def _read(stored: Stored, most: int, what: str, file: Path) -> NDArray[Any]:
    """An array of as many entries, and bytes, as labels can have."""
    count, size = (stored.shape or (1,))[0], math.prod(stored.shape) * stored.dtype.itemsize
    if count > raised(most) or size > raised(most * _USUAL):
        excess = max(count / most, size / most / _USUAL)
        raise DataError(f"{file}: {count:,} {what} of {size:,} bytes are too many; {remedy(excess, 1)}")
    return stored.read()


def array_named(arrays: Mapping[str, Stored], names: Sequence[str]) -> Stored | None:
    """The first of some names that an array has, in any case."""
    by_name = {name.lower(): stored for name, stored in arrays.items()}
    return next((by_name[name] for name in names if name in by_name), None)


def _in_table(file: Path) -> GivenLabels:
    with without_settings():
        table = load_table(file, DEFAULT_READING)
    names = [name.strip().lower() for name in (table.bare or table.names)]
    columns = [at for at, name in enumerate(names) if name in LABELS] or ([0] if len(names) == 1 else [])
    if len(columns) != 1:
        raise DataError(f"{file}: has the columns {', '.join(table.names[:8])}; call the one with the labels label")
    series = table.frame[table.frame.columns[columns[0]]]
    values = label_values(
        series.astype(object).to_numpy() if series.dtype == "category" else series.to_numpy(), str(file)
    )
    grouped = [at for at, name in enumerate(names) if name in GROUPS]
    if len(grouped) > 1:
        both = " and ".join(repr(table.names[at]) for at in grouped[:2])
        raise DataError(f"{file}: columns {both} both say the group; keep one of the two")
    groups = table.frame[table.frame.columns[grouped[0]]].to_numpy() if grouped else None
    of_groups = None if groups is None else group_codes(groups, len(values), str(file))
    numbered = [at for at, name in enumerate(names) if name in EXAMPLES]
    if not numbered:
        return GivenLabels(values, of_groups)
    places = table.frame[table.frame.columns[numbered[0]]].to_numpy()
    if not np.array_equal(np.sort(places), np.arange(len(values))):
        raise DataError(f"{file}: column {table.names[numbered[0]]!r} does not number the examples 0, 1, ...; number "
                        "them so, or leave it out")  # fmt: skip
    order = np.argsort(places)
    return GivenLabels(values[order], None if of_groups is None else of_groups[order])
