"""Turning a reader's arrays into a ``Dataset``: checks the arrays, numbers the classes and recognizes images."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wellfit.base import Column, Dataset, IntArray
from wellfit.data.splits import dataset_hash, stratified_rows
from wellfit.errors import DataError

__all__ = ["TEST_SHARE", "Part", "RawData", "assemble", "encode_labels", "make_dataset"]

TEST_SHARE: Final = 0.2
"""The fraction held out as the test set of a data set that has none: stratified, always with seed 0."""

_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.0*)?")
_MNIST_PIXELS = 28 * 28


@dataclass(frozen=True, eq=False)
class Part:
    """One set of examples, as read.

    Args:
      x: any real type; in rows of a table, NaN is a missing value and categories are positions in their column's
        ``categories``.  # (N, ...)
      labels: integers, floats with whole values, booleans, bytes or strings.  # (N,)
      where: the source, for error messages.
      groups: the group of each example, integers or strings.  # (N,)
      lines: the line of each example in its file, for error messages; without it, rows are counted from 0.  # (N,)
    """

    x: NDArray[Any]
    labels: NDArray[Any]
    where: str
    groups: NDArray[Any] | None = None
    lines: IntArray | None = None


@dataclass(frozen=True, eq=False)
class RawData:
    """A data set as read from files or given as arrays.

    Args:
      train, test, validation: the sets; None where there is none.
      columns: of a table whose columns have names, in the order of the features; the same for all sets.
      classes: names of the labels 0, 1, ...; empty if the labels are names, or are their own names.
      pixel_max: the largest possible pixel value, if the files say it.
      facts: as in ``Dataset``.
    """

    train: Part
    test: Part | None = None
    validation: Part | None = None
    columns: tuple[Column, ...] = ()
    classes: tuple[str, ...] = ()
    pixel_max: float | None = None
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """The sets that there are: training, validation, test."""
        return tuple(part for part in (self.train, self.validation, self.test) if part is not None)


def make_dataset(
    x_train: ArrayLike,
    y_train: ArrayLike,
    x_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    *,
    name: str = "data",
    title: str | None = None,
    classes: tuple[str, ...] | None = None,
    pixel_max: float | None = None,
) -> Dataset:
    """Make a data set from arrays, for example in a notebook.

    Args:
      x_train: training examples, unscaled, any real type.  # (N, D), (N, H, W) or (N, H, W, C)
      y_train: labels, whole numbers or names.  # (N,)
      x_test, y_test: the test set; both None to hold out a stratified fifth, always the same one.
      name, title: used in reports; the title defaults to the name.
      classes: names of the labels 0, 1, ...; defaults to the distinct labels, sorted.
      pixel_max: the largest possible pixel value; defaults to 1 or 255 for images, depending on their values, and to
        None for feature rows.

    Raises:
      DataError: as for ``assemble``, and for rows of unequal shape or an incomplete test set.

    Example:
      >>> data = make_dataset(np.arange(20.0).reshape(10, 2), ["cat", "dog"] * 5)
      >>> data.classes, data.x_train.shape, data.x_test.shape
      (('cat', 'dog'), (8, 2), (2, 2))
    """
    if (x_test is None) != (y_test is None):
        raise DataError("a test set needs both x_test and y_test; give both, or neither to hold out a fifth")
    given = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    arrays: dict[str, NDArray[Any]] = {}
    for key, values in given.items():
        if values is None:
            continue
        try:
            arrays[key] = np.asarray(values)
        except ValueError:
            raise DataError(f"{key}: the rows differ in shape; give all rows the same shape") from None
    train = Part(arrays["x_train"], arrays["y_train"], "the training set")
    test = Part(arrays["x_test"], arrays["y_test"], "the test set") if "x_test" in arrays else None
    raw = RawData(train, test)
    return assemble(raw, name=name, title=title or name, source="arrays", classes=classes, pixel_max=pixel_max)


def assemble(
    raw: RawData,
    *,
    name: str,
    title: str,
    source: str,
    classes: tuple[str, ...] | None = None,
    pixel_max: float | None = None,
) -> Dataset:
    """Make a data set from a reader's arrays.

    Rows of 784 whole numbers from 0 to 255 become 28 x 28 images. Images with such values are stored as uint8;
    everything else becomes float32. If there is no test set, a stratified fifth of the rows is held out, with seed 0.

    Args:
      name, title, source: as in ``Dataset``.
      classes: class names by label, if known; defaults to the distinct labels, sorted.
      pixel_max: the largest possible pixel value, if known; defaults to 1 or 255 for images, depending on their values,
        and to None for feature rows.

    Raises:
      DataError: unequal numbers of examples and labels, no rows, training and test examples of different shapes, values
        that are not finite, invalid labels, a single class, or too few rows to hold out a test set.
    """
    for part in raw.parts:
        _check_rows(part)
        if part.x.shape[1:] != raw.train.x.shape[1:]:
            raise DataError(
                f"{part.where}: the examples have shape {part.x.shape[1:]}, but those of {raw.train.where} have "
                f"shape {raw.train.x.shape[1:]}; give both the same shape"
            )
    x, found_max = _examples(raw)
    y, names = encode_labels(raw, classes or raw.classes or None)
    groups = _groups(raw)
    learned = len(raw.train.x) + (0 if raw.validation is None else len(raw.validation.x))
    x_train, y_train, x_test, y_test = x[:learned], y[:learned], x[learned:], y[learned:]
    given = None if raw.validation is None else np.arange(len(raw.train.x), learned)
    if groups is not None:
        groups = groups[:learned]
    if raw.test is None:
        rows = _test_rows(y_train, raw.train.where)  # (N,)
        x_train, y_train, x_test, y_test = x_train[~rows], y_train[~rows], x_train[rows], y_train[rows]
        groups = None if groups is None else groups[~rows]
        given = None if given is None else np.flatnonzero((np.arange(learned) >= len(raw.train.x))[~rows])
    return Dataset(
        name=name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=names,
        pixel_max=(raw.pixel_max or found_max) if pixel_max is None else pixel_max,
        title=title,
        source=source,
        hash=dataset_hash(x_train, y_train, x_test, y_test),
        columns=raw.columns,
        validation_rows=given,
        groups=groups,
        facts=raw.facts,
    )


def _groups(raw: RawData) -> IntArray | None:
    """The group of every example as a number from 0, over all sets in order; None unless all sets have groups."""
    given = [part.groups for part in raw.parts if part.groups is not None]
    if len(given) < len(raw.parts):
        return None
    return np.unique(np.concatenate([np.asarray(of).astype(str) for of in given]), return_inverse=True)[1]


def _check_rows(part: Part) -> None:
    x, labels, where = part.x, part.labels, part.where
    if labels.ndim != 1:
        raise DataError(
            f"{where}: the labels have shape {labels.shape}; give one label per row (for one-hot labels, use "
            "np.argmax(y, axis=1))"
        )
    if x.ndim not in (2, 3, 4):
        raise DataError(f"{where}: the examples have shape {x.shape}; give (N, D), (N, H, W) or (N, H, W, C)")
    if len(x) != len(labels):
        raise DataError(f"{where}: {len(x)} examples but {len(labels)} labels; give one label per example")
    if x.size == 0:
        raise DataError(f"{where}: the examples are empty (shape {x.shape}); give at least one row and one feature")
    if x.dtype.kind not in "buif":
        raise DataError(f"{where}: the examples have type {x.dtype}; give real numbers")


def _test_rows(y: IntArray, where: str) -> NDArray[np.bool_]:
    """Return a mask of the rows that become the test set."""
    count = round(len(y) * TEST_SHARE)
    if not count:
        raise DataError(f"{where}: {len(y)} rows are too few to hold out a fifth as the test set; add rows")
    rows = np.zeros(len(y), dtype=bool)
    rows[stratified_rows(y, count, np.random.Generator(np.random.PCG64(0)))] = True
    return rows


# --- Examples ---------------------------------------------------------------------------------------------------------


def _examples(raw: RawData) -> tuple[NDArray[Any], float | None]:
    """All examples as uint8 or floats, and the largest pixel value by the training data alone."""
    arrays = [part.x for part in raw.parts]
    if arrays[0].ndim == 2 and arrays[0].shape[1] == _MNIST_PIXELS and _as_bytes(arrays[0]) is not None:
        arrays = [x.reshape(-1, 28, 28) for x in arrays]
    image = arrays[0].ndim > 2
    exact = [_as_bytes(x) if image or x.dtype == np.uint8 else None for x in arrays]
    kept: list[NDArray[Any]] = [b for b in exact if b is not None]
    if len(kept) < len(arrays):
        kept = [_as_floats(x, part.where) for x, part in zip(arrays, raw.parts, strict=True)]
    low, high = float(kept[0].min()), float(kept[0].max())
    pixel_max = (1.0 if high <= 1 else 255.0) if image and low >= 0 and high <= 255 else None
    return np.concatenate(kept), pixel_max


def _as_bytes(x: NDArray[Any]) -> NDArray[np.uint8] | None:
    """Convert to uint8; None if that would change any value."""
    if x.dtype == np.uint8:
        return x
    if not (x.min() >= 0 and x.max() <= 255):  # written so that NaN fails too
        return None
    small = x.astype(np.uint8)
    return small if np.array_equal(small, x) else None


def _as_floats(x: NDArray[Any], where: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        floats = x.astype(np.float32)
    finite = np.isfinite(floats)
    if not finite.all():
        row = int(np.argmin(finite.reshape(len(x), -1).all(axis=1)))
        raise DataError(
            f"{where}: row {row} (counted from 0) has a value that is missing, infinite or too large for float32; "
            "replace the value or drop the row"
        )
    return floats


# --- Labels -----------------------------------------------------------------------------------------------------------


def encode_labels(raw: RawData, classes: tuple[str, ...] | None) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Number the classes from 0: whole numbers in numerical order, other labels in alphabetical order.

    Args:
      classes: class names by label, if known; the labels must then be ``0 .. len(classes) - 1``.

    Returns:
      The labels of all sets, in the order of ``raw.parts``, and the class names by label.

    Raises:
      DataError: labels out of range, labels that are not classes (1.5), names although ``classes`` is given, or a
        single class.
    """
    parts = [_label_values(part.labels, part.where) for part in raw.parts]
    if any(p.dtype.kind == "U" for p in parts):
        parts = [p.astype(str) for p in parts]
    if classes is not None and parts[0].dtype.kind == "U":
        raise DataError(f"{raw.train.where}: the labels are already names; omit classes, or give whole numbers")
    if classes is None:
        known = np.unique(np.concatenate(parts))
        classes = tuple(str(k) for k in known)
        parts = [np.searchsorted(known, p) for p in parts]
    if len(classes) < 2:
        raise DataError(
            f"{raw.train.where}: all labels are {classes[0]!r}, but training needs two or more classes; add another"
        )
    for labels, part in zip(parts, raw.parts, strict=True):
        outside = (labels < 0) | (labels >= len(classes))
        if outside.any():
            row = int(np.argmax(outside))
            raise DataError(
                f"{part.where}: label {labels[row]} in row {row} (counted from 0) is out of range; "
                f"use 0 to {len(classes) - 1}"
            )
    return np.concatenate(parts).astype(np.int32), classes


def _label_values(labels: NDArray[Any], where: str) -> NDArray[Any]:
    """Convert labels to int64 if all are whole numbers, otherwise to strings."""
    if labels.dtype.kind in "biu":
        return labels.astype(np.int64)
    if labels.dtype.kind == "f":
        whole = np.isfinite(labels) & (labels == np.floor(labels))
        if not whole.all():
            row = int(np.argmin(whole))
            raise DataError(
                f"{where}: label {labels[row]} in row {row} (counted from 0) is not a class; "
                "give whole numbers or names, since wellfit does classification only"
            )
        return labels.astype(np.int64)
    if labels.dtype.kind not in "UO":
        raise DataError(f"{where}: labels of type {labels.dtype} are not classes; give whole numbers or names")
    texts = [str(t) for t in labels.tolist()]
    distinct = set(texts)
    if all(_WHOLE.fullmatch(t) for t in distinct):
        return np.array([int(t.partition(".")[0]) for t in texts], dtype=np.int64)
    fraction = next((t for t in texts if _is_fraction(t)), None)
    if fraction is not None and all(_WHOLE.fullmatch(t) or _is_fraction(t) for t in distinct):
        row = texts.index(fraction)
        raise DataError(
            f"{where}: label {fraction!r} in row {row} (counted from 0) is not a class; "
            "put the labels in the first column, or name their column label, class, target or y"
        )
    return np.array(texts, dtype=str)


def _is_fraction(text: str) -> bool:
    try:
        return not float(text).is_integer()
    except ValueError:
        return False
