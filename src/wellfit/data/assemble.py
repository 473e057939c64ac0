"""From what a reader found in files to a ``Dataset``: classes numbered, pixels recognized, rows counted and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wellfit.base import Dataset, IntArray
from wellfit.data.splits import dataset_hash, stratified_rows
from wellfit.errors import DataError

__all__ = ["TEST_SHARE", "RawData", "assemble", "encode_labels", "make_dataset"]

TEST_SHARE: Final = 0.2
"""The share of a data set without a test set of its own that becomes one: stratified, seed 0, once and for all."""

_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.0*)?")
_MNIST_PIXELS = 28 * 28


@dataclass(frozen=True, eq=False)
class RawData:
    """What a reader found: examples and labels as they stand in the files.

    Args:
      x_train: training examples, any real type.  # (N, ...)
      labels_train: their labels: integers, whole floats or strings.  # (N,)
      x_test, labels_test: the test set, or None where the files have none.  # (M, ...), (M,)
      train_file, test_file: where the two were read, for messages.
    """

    x_train: NDArray[Any]
    labels_train: NDArray[Any]
    x_test: NDArray[Any] | None
    labels_test: NDArray[Any] | None
    train_file: str
    test_file: str


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
    """Make a data set of arrays, as in a notebook.

    Args:
      x_train: training examples, unscaled, any real type.  # (N, D), (N, H, W) or (N, H, W, C)
      y_train: their labels: whole numbers or names.  # (N,)
      x_test, y_test: the test set, or both None to hold out a stratified fifth, always the same one.
      name, title: what reports call it; the title is the name unless told otherwise.
      classes: names for the labels 0, 1, ...; otherwise the distinct labels, sorted.
      pixel_max: the largest value that a pixel can take; otherwise 255 or 1, whichever fits an image, or None.

    Returns:
      The data set.

    Raises:
      DataError: as ``assemble``, and for arrays of unequal rows or half a test set.

    Example:
      >>> data = make_dataset(np.arange(20.0).reshape(10, 2), ["cat", "dog"] * 5)
      >>> data.classes, data.x_train.shape, data.x_test.shape
      (('cat', 'dog'), (8, 2), (2, 2))
    """
    if (x_test is None) != (y_test is None):
        raise DataError("a test set takes both x_test and y_test; give both, or neither to hold out a fifth")
    given = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    arrays: dict[str, NDArray[Any]] = {}
    for key, values in given.items():
        if values is None:
            continue
        try:
            arrays[key] = np.asarray(values)
        except ValueError:
            raise DataError(f"{key}: its rows are of unequal shape; give every row the same") from None
    raw = RawData(
        arrays["x_train"],
        arrays["y_train"],
        arrays.get("x_test"),
        arrays.get("y_test"),
        "the training set",
        "the test set",
    )
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
    """Make a data set of what a reader found.

    Rows of 784 whole numbers from 0 to 255 become 28 x 28 images. Images of such numbers are kept as uint8; everything
    else becomes float32. Without a test set, a stratified fifth of the rows becomes one, drawn with seed 0.

    Args:
      raw: the arrays and where they come from.
      name, title, source: as in ``Dataset``.
      classes: the classes by label where they are known; otherwise they are the distinct labels, sorted.
      pixel_max: the largest value of a pixel where it is known; otherwise 255 or 1, whichever fits an image, or None.

    Returns:
      The data set.

    Raises:
      DataError: for a count of labels unlike that of examples, no rows, unlike shapes of the splits, values that are
        not finite, labels outside the range or of a single class, or too few rows for a test split.
    """
    _check_rows(raw.x_train, raw.labels_train, raw.train_file)
    if raw.x_test is not None and raw.labels_test is not None:
        _check_rows(raw.x_test, raw.labels_test, raw.test_file)
        if raw.x_train.shape[1:] != raw.x_test.shape[1:]:
            raise DataError(
                f"{raw.test_file}: its examples have shape {raw.x_test.shape[1:]}, those of {raw.train_file} have "
                f"{raw.x_train.shape[1:]}; give both the same"
            )
    x_train, x_test, found_max = _examples(raw)
    y_train, y_test, names = encode_labels(raw, classes)
    if x_test is None or y_test is None:
        rows = _test_rows(y_train, raw.train_file)
        x_train, y_train, x_test, y_test = x_train[~rows], y_train[~rows], x_train[rows], y_train[rows]
    return Dataset(
        name=name,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        classes=names,
        pixel_max=found_max if pixel_max is None else pixel_max,
        title=title,
        source=source,
        hash=dataset_hash(x_train, y_train, x_test, y_test),
    )


def _check_rows(x: NDArray[Any], labels: NDArray[Any], where: str) -> None:
    if labels.ndim != 1:
        raise DataError(
            f"{where}: the labels have shape {labels.shape}; give one label a row (np.argmax(y, axis=1) undoes one-hot)"
        )
    if x.ndim not in (2, 3, 4):
        raise DataError(f"{where}: the examples have shape {x.shape}; give (N, D), (N, H, W) or (N, H, W, C)")
    if len(x) != len(labels):
        raise DataError(f"{where}: {len(x)} examples but {len(labels)} labels; every example needs one")
    if x.size == 0:
        raise DataError(f"{where}: no data in it (shape {x.shape}); give at least one row and one feature")
    if x.dtype.kind not in "buif":
        raise DataError(f"{where}: the examples are of type {x.dtype}; give real numbers")


def _test_rows(y: IntArray, where: str) -> NDArray[np.bool_]:
    """Which rows become the test set: a mask over the rows."""
    count = round(len(y) * TEST_SHARE)
    if not count:
        raise DataError(f"{where}: {len(y)} rows are too few to hold out a fifth as the test set; add data")
    rows = np.zeros(len(y), dtype=bool)
    rows[stratified_rows(y, count, np.random.Generator(np.random.PCG64(0)))] = True
    return rows


# --- Examples ---------------------------------------------------------------------------------------------------------


def _examples(raw: RawData) -> tuple[NDArray[Any], NDArray[Any] | None, float | None]:
    """The examples as uint8 or float32, and the largest value of a pixel; the training data alone decide that."""
    arrays = [raw.x_train] if raw.x_test is None else [raw.x_train, raw.x_test]
    if raw.x_train.ndim == 2 and raw.x_train.shape[1] == _MNIST_PIXELS and _as_bytes(raw.x_train) is not None:
        arrays = [x.reshape(-1, 28, 28) for x in arrays]
    image = arrays[0].ndim > 2
    exact = [_as_bytes(x) if image or x.dtype == np.uint8 else None for x in arrays]
    kept: list[NDArray[Any]] = [b for b in exact if b is not None]
    if len(kept) < len(arrays):
        kept = [_as_floats(x, where) for x, where in zip(arrays, (raw.train_file, raw.test_file), strict=False)]
    low, high = float(kept[0].min()), float(kept[0].max())
    pixel_max = (1.0 if high <= 1 else 255.0) if image and low >= 0 and high <= 255 else None
    return kept[0], kept[1] if len(kept) == 2 else None, pixel_max


def _as_bytes(x: NDArray[Any]) -> NDArray[np.uint8] | None:
    """The same values as uint8, or None if that would change any."""
    if x.dtype == np.uint8:
        return x
    if not (x.min() >= 0 and x.max() <= 255):  # so put, NaN is refused too
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
            f"{where}: example {row} (counted from 0) holds a value that is not a finite float32; "
            "fill it in or drop the row"
        )
    return floats


# --- Labels -----------------------------------------------------------------------------------------------------------


def encode_labels(
    raw: RawData, classes: tuple[str, ...] | None
) -> tuple[NDArray[np.int32], NDArray[np.int32] | None, tuple[str, ...]]:
    """Number the classes from 0: whole numbers in numerical order, other labels in alphabetical order.

    Args:
      raw: the labels, and where they were read.
      classes: the classes by label where they are known; the labels must then be ``0 .. len(classes) - 1``.

    Returns:
      Training labels, test labels (None if there are none), and the class names by label.

    Raises:
      DataError: for labels outside the range, labels that are no classes (1.5), names where classes are known, or a
        single class.
    """
    parts = [_label_values(raw.labels_train, raw.train_file)]
    if raw.labels_test is not None:
        parts.append(_label_values(raw.labels_test, raw.test_file))
    if any(p.dtype.kind == "U" for p in parts):
        parts = [p.astype(str) for p in parts]
    if classes is not None and parts[0].dtype.kind == "U":
        raise DataError(f"{raw.train_file}: the labels are names already; leave out classes, or give whole numbers")
    if classes is None:
        known = np.unique(np.concatenate(parts))
        classes = tuple(str(k) for k in known)
        parts = [np.searchsorted(known, p) for p in parts]
    if len(classes) < 2:
        raise DataError(
            f"{raw.train_file}: all labels are {classes[0]!r}; it takes two classes or more to learn anything"
        )
    for part, where in zip(parts, (raw.train_file, raw.test_file), strict=False):
        outside = (part < 0) | (part >= len(classes))
        if outside.any():
            row = int(np.argmax(outside))
            raise DataError(
                f"{where}: label {part[row]} in row {row} (counted from 0) is outside 0 .. {len(classes) - 1}"
            )
    encoded = [p.astype(np.int32) for p in parts]
    return encoded[0], encoded[1] if len(encoded) == 2 else None, classes


def _label_values(labels: NDArray[Any], where: str) -> NDArray[Any]:
    """Labels as int64 where all are whole numbers, otherwise as strings."""
    if labels.dtype.kind in "biu":
        return labels.astype(np.int64)
    if labels.dtype.kind == "f":
        whole = np.isfinite(labels) & (labels == np.floor(labels))
        if not whole.all():
            row = int(np.argmin(whole))
            raise DataError(
                f"{where}: label {labels[row]} in row {row} (counted from 0) is no class; "
                "wellfit learns classes, give whole numbers or names"
            )
        return labels.astype(np.int64)
    if labels.dtype.kind not in "UO":
        raise DataError(f"{where}: labels of type {labels.dtype} are no classes; give whole numbers or names")
    texts = [str(t) for t in labels.tolist()]
    distinct = set(texts)
    if all(_WHOLE.fullmatch(t) for t in distinct):
        return np.array([int(t.partition(".")[0]) for t in texts], dtype=np.int64)
    fraction = next((t for t in texts if _is_fraction(t)), None)
    if fraction is not None and all(_WHOLE.fullmatch(t) or _is_fraction(t) for t in distinct):
        row = texts.index(fraction)
        raise DataError(
            f"{where}: label {fraction!r} in row {row} (counted from 0) is no class; "
            "put the label first, or name its column label, class, target or y"
        )
    return np.array(texts, dtype=str)


def _is_fraction(text: str) -> bool:
    try:
        return not float(text).is_integer()
    except ValueError:
        return False
