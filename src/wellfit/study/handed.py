"""Data handed over in Python: arrays and pandas DataFrames, as a ``Dataset``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from wellfit.base import Dataset, Reading
from wellfit.data.assemble import assemble, make_dataset
from wellfit.errors import StudyFileError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["dataset_of", "is_frame", "refuse_settings"]

FOR_ARRAYS: Final = ("classes", "pixel_max")
"""The settings about reading that apply to arrays."""

FOR_FRAMES: Final = ("label", "drop", "columns", "categories", "missing", "group", "classes")
"""The settings about reading that apply to a DataFrame."""

_LABEL, _GROUP = "label", "group"  # names of the columns made of separate labels and groups


def is_frame(data: Any) -> bool:
    """Whether data are a pandas DataFrame; pandas is not imported for it.

    Example:
      >>> is_frame([[1, 2]])
      False
    """
    kinds = {(kind.__module__.split(".")[0], kind.__name__) for kind in type(data).__mro__}
    return ("pandas", "DataFrame") in kinds


def refuse_settings(reading: Reading, what: str, known: tuple[str, ...] = ()) -> None:
    """Refuse settings about reading that cannot apply.

    Args:
      what: the data, in an error.
      known: the settings that apply.

    Raises:
      StudyFileError: another setting is given.
    """
    for name in reading.given:
        if name not in known:
            choice = f"; those that do: {', '.join(known)}" if known else ""
            raise StudyFileError(f"Study(...): {name} does not apply to {what}; remove it{choice}")


def dataset_of(x: Any, y: Any, sets: Mapping[str, Any], reading: Reading) -> Dataset:
    """A data set from arrays, or from DataFrames with their labels in a column or beside them.

    Args:
      x: examples: an array, or a DataFrame.
      y: labels; None if they are a column of the DataFrame.
      sets: ``x_test``, ``y_test``, ``x_val``, ``y_val`` and ``groups``; None where not given.
      reading: settings about reading.

    Raises:
      StudyFileError: labels are missing, or a setting does not apply.
      DataError: data that cannot be used.

    Example:
      >>> data = dataset_of(np.arange(20.0).reshape(10, 2), ["cat", "dog"] * 5, {}, Reading())
      >>> data.classes, len(data.y_test)
      (('cat', 'dog'), 2)
    """
    if is_frame(x):
        return _from_frames(x, y, sets, reading)
    if y is None:
        raise StudyFileError(
            f"Study(...): data of type {type(x).__name__} need their labels; give Study(x, y), or a DataFrame with "
            "label=COLUMN"
        )
    refuse_settings(reading, "arrays", FOR_ARRAYS)
    given = {key: value for key, value in sets.items() if value is not None}
    return make_dataset(x, y, classes=reading.classes or None, pixel_max=reading.pixel_max, **given)


def _from_frames(x: Any, y: Any, sets: Mapping[str, Any], reading: Reading) -> Dataset:
    from wellfit.data.tables import from_frames

    refuse_settings(reading, "a DataFrame", FOR_FRAMES)
    groups = sets.get("groups")
    if y is not None and reading.label is not None:
        raise StudyFileError("Study(...): label names a column, but y holds the labels already; give one of them")
    if groups is not None and reading.group is not None:
        raise StudyFileError("Study(...): group names a column, but groups holds them already; give one of them")
    if y is not None:
        _refuse_labels_in(x, y, reading)
    label = _free_name(x, _name_of(y, _LABEL)) if y is not None else None
    group = _free_name(x, _GROUP) if groups is not None else None
    if label is not None:
        reading = replace(reading, label=label)
    if group is not None:
        reading = replace(reading, group=group)
    frames: dict[str, pd.DataFrame | None] = {}
    for key, which in (("val", "validation"), ("test", "test")):
        frame, labels = sets.get(f"x_{key}"), sets.get(f"y_{key}")
        if frame is None and labels is not None:
            raise StudyFileError(f"Study(...): y_{key} has no x_{key}; give both")
        if frame is not None and not is_frame(frame):
            raise StudyFileError(f"Study(...): x_{key} is not a DataFrame, but x is; give both in the same form")
        if frame is not None and (labels is None) != (y is None):
            fix = f"give y_{key} too" if labels is None else f"leave y_{key} out; the label is a column"
            raise StudyFileError(f"Study(...): x_{key} must have its labels where x has them; {fix}")
        frames[which] = (
            None if frame is None else _with_columns(frame, f"x_{key}", {label: labels}, {label: f"y_{key}"})
        )
    train = _with_columns(x, "x", {label: y, group: groups}, {label: "y", group: "groups"})
    raw = from_frames(train, reading, where="the DataFrame", **frames)
    beside = {"label column": label and _beside("y", y), "group column": group and _beside("groups", groups)}
    raw = replace(raw, facts=tuple((name, beside.get(name) or text) for name, text in raw.facts))
    return assemble(raw, name="data", title="data", source="a DataFrame", classes=reading.classes or None)


def _refuse_labels_in(x: pd.DataFrame, y: Any, reading: Reading) -> None:
    """Refuse labels that are a feature too, as in ``Study(frame, frame["species"])``, and the name of a column."""
    if isinstance(y, str):
        raise StudyFileError(f"Study(...): y must hold one label per row; to name a column, give label={y!r}")
    name = _name_of(y, "")
    used = name not in reading.drop and (not reading.columns or name in reading.columns)
    if name in x.columns and used and x[name].reset_index(drop=True).equals(y.reset_index(drop=True)):
        raise StudyFileError(
            f"Study(...): the column {name!r} of x is y, so it would be a feature; leave y out and give "
            f"label={name!r}, or drop the column"
        )


def _beside(argument: str, values: Any) -> str:
    """What the facts say of labels or groups that are no column.

    Example:
      >>> _beside("y", [0, 1])
      'none; given as y'
    """
    name = _name_of(values, "")
    return f"none; given as {argument}" + (f" ({name})" if name else "")


def _check_index(frame: pd.DataFrame, values: Any, what: str, name: str) -> None:
    """Refuse values whose index says that their rows are in another order, or are other rows."""
    import pandas as pd

    if not isinstance(values, pd.Series | pd.DataFrame) or len(values) != len(frame):
        return
    own, other = frame.index, values.index
    if own.equals(other):
        return
    counted = pd.RangeIndex(len(frame))  # as reset_index(drop=True) leaves it: the positions count
    if (own.equals(counted) or other.equals(counted)) and set(own) != set(other):
        return
    raise StudyFileError(
        f"Study(...): the index of {what} and that of its {name} differ, so their rows may not belong together; bring "
        f"them in one order ({name}.loc[{what}.index]), or give {name}.to_numpy() if the positions count"
    )


def _name_of(y: Any, default: str) -> str:
    """The name of a Series, or the default."""
    name = getattr(y, "name", None)
    return name if isinstance(name, str) and name else default


def _free_name(frame: pd.DataFrame, name: str) -> str:
    """A name that no column has."""
    taken = {str(column) for column in frame.columns}
    while name in taken:
        name = f"{name}_"
    return name


def _with_columns(
    frame: pd.DataFrame, what: str, columns: Mapping[str | None, Any], arguments: Mapping[str | None, str]
) -> pd.DataFrame:
    """A frame with further columns, by position.

    Args:
      what: the frame, in errors.
      columns: by name.
      arguments: what they are called in errors, by name.
    """
    for name, values in columns.items():
        if name is None or values is None:
            continue
        _check_index(frame, values, what, arguments[name])
        array = np.asarray(values)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.shape != (len(frame),):
            raise StudyFileError(
                f"Study(...): {what} has {len(frame)} rows, but {arguments[name]} has shape {array.shape}; "
                "give one per row"
            )
        frame = frame.assign(**{name: array})
    return frame
