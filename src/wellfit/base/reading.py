"""How a user's data are read: the settings of ``[data]`` that say what the files mean."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Final, Literal

from annotated_types import MaxLen, MinLen

from wellfit.base.ranges import Count, Distinct, Positive, Text

__all__ = ["DEFAULT_READING", "ColumnKey", "Reading"]

ColumnKey = Text | int
"""A column of a table: its name, or its number, counted from 1; -1 is the last."""

_Names = Annotated[tuple[Text, ...], Distinct()]
_Two = Annotated[tuple[Count, ...], MinLen(2), MaxLen(2)]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How data files are read. Whatever is not set is detected, and reported.

    Args:
      label: the column of a table that holds the classes: its name, or its number from 1 (-1 is the last).
      drop: columns that are not features.
      columns: the only columns that are features; by default all but the label.
      categories: columns of numbers that are categories, for example postal codes.
      missing: further texts that mean a missing value, for example ["-999"].
      group: the column of the examples' groups, for example patients; a group is never split.
      header: whether a table's first row names its columns.
      separator: between the columns of a text file, for example ";".
      decimal: decimal mark of a text file, "." or ",".
      encoding: of a text file, for example "latin-1".
      pixel_max: the largest possible pixel value, which scale = "unit" divides by.
      image_size: height and width to which images are resized; one number for both.
      resize: how: "letterbox" keeps the proportions and fills up with the background, "stretch" does not.
      color: read images as "gray" or "rgb"; by default rgb if any image has color.
      background: the color under transparent pixels: "white", "black", or "#rrggbb".
      classes: names of the classes, in the order of their labels.
      test_file: a file or folder with the test set.
      validation_file: a file or folder with the validation set.
      skip_corrupt: whether to leave out images that cannot be read.
    """

    label: ColumnKey | None = None
    drop: tuple[ColumnKey, ...] = ()
    columns: tuple[ColumnKey, ...] = ()
    categories: tuple[ColumnKey, ...] = ()
    missing: tuple[str, ...] = ()
    group: ColumnKey | None = None
    header: bool | None = None
    separator: Text | None = None
    decimal: Literal[".", ","] | None = None
    encoding: Text | None = None
    pixel_max: Positive | None = None
    image_size: Count | _Two | None = None
    resize: Literal["letterbox", "stretch"] = "letterbox"
    color: Literal["gray", "rgb"] | None = None
    background: Text | None = None
    classes: _Names = ()
    test_file: Text | None = None
    validation_file: Text | None = None
    skip_corrupt: bool = False

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the settings that are not left to detection.

        Example:
          >>> Reading(label="Churn", drop=("id",)).given
          ('label', 'drop')
        """
        return tuple(f.name for f in fields(Reading) if getattr(self, f.name) != f.default)


DEFAULT_READING: Final = Reading()
"""Everything is detected."""
