"""Which settings about reading apply to which form of data: a setting without effect is refused, never ignored."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from wellfit.base import Reading
from wellfit.errors import DataError

__all__ = [
    "FOR_ARRAYS",
    "FOR_FIELDS",
    "FOR_FRAMES",
    "FOR_IDX",
    "FOR_IMAGES",
    "FOR_ROWS",
    "FOR_TABLES",
    "refuse_settings",
]

_ALWAYS: Final = ("classes", "pixel_max", "test_file", "validation_file")
_COLUMNS: Final = ("label", "drop", "columns", "categories", "missing", "group", "classes")
_TEXT: Final = ("header", "separator", "encoding")

FOR_TABLES: Final = (*_COLUMNS, *_TEXT, "decimal", "pixel_max", "test_file", "validation_file")
FOR_FRAMES: Final = _COLUMNS
FOR_IDX: Final = _ALWAYS
FOR_ARRAYS: Final = ("label", "group", *_ALWAYS)
FOR_ROWS: Final = ("label", *_ALWAYS)
"""For a single array whose labels are a column."""
FOR_FIELDS: Final = ("label", "drop", *_ALWAYS)
"""For a structured array."""
FOR_IMAGES: Final = (
    *("label", "group", *_TEXT),  # of a table that names the images
    *("image_size", "resize", "color", "background", "skip_corrupt"),
    *_ALWAYS,
)


def refuse_settings(reading: Reading, where: str, what: str, known: Collection[str] = ()) -> None:
    """Refuse settings that have no effect on data of a form.

    Args:
      where: the file or folder, or the call in Python.
      what: the data, in words.
      known: the settings that apply.

    Raises:
      DataError: another setting is given.

    Example:
      >>> refuse_settings(Reading(label="y"), "wine.csv", "a table", FOR_TABLES)
      >>> refuse_settings(Reading(drop=(2,)), "x.npz", "arrays", ("label", "classes"))
      Traceback (most recent call last):
        ...
      wellfit.errors.DataError: x.npz: [data] drop does not apply to arrays; remove it; those that do: label, classes
    """
    for name in reading.given:
        if name not in known:
            others = f"; those that do: {', '.join(known)}" if known else ""
            raise DataError(f"{where}: [data] {name} does not apply to {what}; remove it{others}")
