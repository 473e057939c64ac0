"""Later examples, such as those to predict, read like the training data: files, folders, arrays and DataFrames.

Nothing is decided about them a second time: sizes, columns, units and the range of pixels are those of the training
data, and whatever differs is refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import DEFAULT_READING, Column, Header, Reading
from wellfit.data.arrays.files import is_array_file, stored_arrays
from wellfit.data.arrays.names import Stored, kind_of
from wellfit.data.images.alike import image_files, images_like
from wellfit.data.images.names import is_image
from wellfit.data.parts import listed
from wellfit.data.tables.alike import Identifier, hashable, rows_like
from wellfit.data.tables.files import is_table, load_table
from wellfit.data.tables.frames import table_of
from wellfit.data.tables.table import Table
from wellfit.errors import DataError
from wellfit.files import form_of, home_expanded

__all__ = ["Form", "Later", "read_examples"]

_ROUNDING: Final = 1e-5  # relative, above the largest pixel value
_NO_HEADER: Final = Header((), 0, (), written=False)
_FORMS: Final = "give images, a folder of images, a table (.csv, .parquet, .xlsx) or arrays (.npz, .npy)"


@dataclass(frozen=True, eq=False)
class Form:
    """What the examples of a model look like before anything is computed with them.

    Args:
      shape: of an example: (H, W), (H, W, C) or (D,).
      pixel_max: the largest possible pixel value; None for rows, and where it is unknown.
      columns: of a table, with the categories of the training rows; empty for images and arrays.
      used: the names of the columns that the model uses.
      header: of the training table; None if there was none.
      reading: how the training data were read.
    """

    shape: tuple[int, ...]
    pixel_max: float | None = None
    columns: tuple[Column, ...] = ()
    used: tuple[str, ...] = ()
    header: Header | None = None
    reading: Reading = DEFAULT_READING


@dataclass(frozen=True, eq=False)
class Later:
    """Examples as they came.

    Args:
      x: in the form of the training data; rows of tables as float64, NaN for missing values.  # (N, *shape)
      columns: of ``x``, if these have names; categories are those of these examples.
      names: of the examples: files, or "line 7".
      labels: whole numbers, floats or texts; None if there are none.  # (N,)
      unlabeled: where a label is missing; empty without labels.  # (N,)
      identifier: the column that tells the rows of a table apart.
      notes: what was changed, in words.
    """

    x: NDArray[Any]
    columns: tuple[Column, ...] = ()
    names: tuple[str, ...] = ()
    labels: NDArray[Any] | None = None
    unlabeled: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    identifier: Identifier | None = None
    notes: tuple[str, ...] = ()


def read_examples(examples: Any, form: Form) -> Later:
    """Read examples in any form that people have.

    Args:
      examples: an array (N, *shape), a DataFrame, the path of a file or folder, or a list of paths of images.
      form: what the model was trained on.

    Raises:
      DataError: what was given cannot be read, or is unlike the training data.

    Example:
      >>> read_examples(np.zeros((2, 8, 8)), Form((8, 8), 16)).names
      ('example 0', 'example 1')
    """
    if isinstance(examples, (str, Path)):
        return _read_path(home_expanded(examples), form)
    if isinstance(examples, (list, tuple)) and examples and all(isinstance(item, (str, Path)) for item in examples):
        paths = [home_expanded(item) for item in examples]
        return _read_path(paths[0], form) if len(paths) == 1 else _read_images([str(p) for p in paths], form, "images")
    if hasattr(examples, "columns") and hasattr(examples, "iloc"):
        later = _rows(table_of(examples, form.reading, "the frame"), form)
        return later if later.identifier is not None else replace(later, identifier=_index_of(examples))
    return _of_array(np.asarray(examples), form, "the examples")


def _index_of(frame: Any) -> Identifier | None:
    """The index of a DataFrame, unless it only counts its rows."""
    import pandas as pd

    index = frame.index
    if index.nlevels > 1 or (index.name is None and index.equals(pd.RangeIndex(len(index)))):
        return None
    values = index.to_numpy()
    return Identifier(str(index.name or "index"), values) if hashable(values) else None


# --- Files ------------------------------------------------------------------------------------------------------------


def _read_path(path: Path, form: Form) -> Later:
    kind = form_of(path)
    if kind is None:
        raise DataError(f"{path}: no such file or folder; {_FORMS}")
    if kind == "a folder":
        files = image_files(path)
        return _read_images(files, form, str(path))
    if kind != "a file":
        raise DataError(f"{path}: {kind}, not a file; copy what it gives to a file")
    if is_array_file(path):
        return _read_arrays(path, form)
    if is_image(path.name):
        return _read_images([str(path)], form, str(path.parent))
    if is_table(path):
        return _rows(load_table(path, form.reading, form.header or _NO_HEADER), form)
    raise DataError(f"{path}: this file format is not supported; {_FORMS}")


def _read_images(files: Sequence[str], form: Form, where: str) -> Later:
    other = next((file for file in files if not is_image(file)), None)
    if other is not None:
        raise DataError(f"{other}: not an image; of several files, all must be images")
    if len(form.shape) == 1:
        raise DataError(f"{where}: images, but the model was trained on rows of {form.shape[0]:,} values; give a table")
    missing = next((file for file in files if form_of(file) != "a file"), None)
    if missing is not None:
        raise DataError(f"{missing}: no such file; correct the path")
    x, notes = images_like(files, form.shape, form.pixel_max, form.reading, where)
    folders = [os.path.dirname(file) for file in files]  # several times as fast as pathlib for 10,000 files
    labels = np.array([os.path.basename(folder) for folder in folders]) if len(set(folders)) > 1 else None
    unlabeled = np.zeros(0 if labels is None else len(labels), bool)
    return Later(_pixels(x, form, where), (), tuple(files), labels, unlabeled, None, tuple(notes))


def _read_arrays(path: Path, form: Form) -> Later:
    stored = stored_arrays(path)
    names = {name: kind_of(name) for name in stored}
    examples = [name for name, (_, kind, _) in names.items() if kind == "x"] if len(stored) > 1 else list(stored)
    if len(examples) != 1:
        found = listed(f"{name} {stored[name].shape}" for name in (examples or stored))
        raise DataError(f"{path}: {len(examples)} arrays could be the examples ({found}); save one of them alone, as x")
    labels = _labels_beside(stored, names, examples[0])
    later = _of_array(stored[examples[0]].read(), form, f"{path} ({examples[0]})")
    if labels is None or len(labels) != len(later.x):
        return later
    return Later(later.x, names=later.names, labels=labels, unlabeled=np.zeros(len(labels), bool))


def _labels_beside(
    stored: Mapping[str, Stored], names: Mapping[str, tuple[str, str, str]], examples: str
) -> NDArray[Any] | None:
    found = [name for name, (part, kind, _) in names.items() if kind == "y" and part == names[examples][0]]
    return stored[found[0]].read().reshape(-1) if len(found) == 1 else None


# --- Rows of tables ---------------------------------------------------------------------------------------------------


def _rows(table: Table, form: Form) -> Later:
    """The rows of a table; of a table of pixels, images."""
    columns, used, header = form.columns, form.used, form.header
    if not columns:  # pixels, or an array
        names = _pixel_names(form)
        columns, used = tuple(map(Column, names)), tuple(names)
    rows = rows_like(table, header, columns, used, form.reading)
    x, own = rows.x, rows.columns
    if not form.columns:
        x, own = _of_array(rows.x, form, table.where).x, ()
    return Later(x, own, rows.names, rows.labels, rows.unlabeled, rows.identifier, rows.notes)


def _pixel_names(form: Form) -> list[str]:
    if form.header is None:
        return [f"column {at}" for at in range(1, int(np.prod(form.shape)) + 1)]
    return [form.header.names[at] for at in form.header.features]


# --- Arrays -----------------------------------------------------------------------------------------------------------


def _of_array(x: NDArray[Any], form: Form, where: str) -> Later:
    if x.dtype.kind not in "buif":
        raise DataError(f"{where}: values of type {x.dtype}; give real numbers, or a DataFrame with the same columns")
    texts = [column.name for column in form.columns if column.categories]
    if texts:
        raise DataError(
            f"{where}: an array, but the columns {listed(texts)} hold texts; give a DataFrame with the same columns"
        )
    if x.shape == form.shape:
        raise DataError(f"{where}: one example of shape {x.shape}; give a batch of them, x[None]")
    x = _shaped(x, form.shape, where)
    if not len(x):
        raise DataError(f"{where}: no example; give at least one")
    if len(form.shape) > 1:
        x = _pixels(x, form, where)
    else:
        with np.errstate(over="ignore"):
            x = x.astype(np.float64)
        x[~np.isfinite(x)] = np.nan  # as in the training data
    return Later(x, form.columns, tuple(f"example {row}" for row in range(len(x))))


def _shaped(x: NDArray[Any], shape: tuple[int, ...], where: str) -> NDArray[Any]:
    """Examples of the same shape, where only axes of length 1, the place of the channels or flat pixels differ."""
    if x.shape[1:] == shape:
        return x
    inner = x.shape[1:]
    squeezed = tuple(n for n in inner if n != 1)
    if len(shape) == 2 and squeezed == shape:
        return x.reshape(len(x), *shape)
    if len(shape) == 3 and inner == (shape[2], *shape[:2]):
        return np.moveaxis(x, 1, -1)
    if len(shape) > 1 and inner == (int(np.prod(shape)),):
        return x.reshape(len(x), *shape)
    raise DataError(
        f"{where}: examples of shape {inner}, but the model was trained on {shape}; give an array of shape "
        f"(N, {', '.join(map(str, shape))})"
    )


def _pixels(x: NDArray[Any], form: Form, where: str) -> NDArray[Any]:
    """Pixels in the range of the training images."""
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        raise DataError(f"{where}: a pixel is not a finite number; replace it")
    low, high, most = float(x.min()), float(x.max()), form.pixel_max
    if most is not None:
        if high > most * (1 + _ROUNDING) or low < 0:
            raise DataError(
                f"{where}: pixels from {low:g} to {high:g}, but the model was trained on pixels from 0 to {most:g}; "
                "give them in the same range"
            )
        if 0 < high <= 1 < most and x.dtype.kind == "f":
            raise DataError(
                f"{where}: pixels up to {high:g}, but the model was trained on pixels from 0 to {most:g}; multiply "
                f"them by {most:g}"
            )
    return x if x.dtype == np.uint8 else x.astype(np.float32)
