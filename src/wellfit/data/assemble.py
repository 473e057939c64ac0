"""Turning a reader's arrays into a ``Dataset``: shapes, values, classes, and a test set where there is none."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wellfit.base import Dataset, IntArray, Pool
from wellfit.data.labels import encode_labels, flat_labels
from wellfit.data.parts import Part, RawData
from wellfit.data.pixels import example_values, examples_first, pixel_range
from wellfit.data.splits import dataset_hash, grouped_rows, stratified_rows
from wellfit.errors import DataError, one_line, printable

__all__ = ["TEST_SHARE", "assemble", "make_dataset"]

TEST_SHARE: Final = 0.2
"""The fraction held out as the test set of a data set that has none: stratified, always with seed 0."""

_TOLERANCE: Final = 1e-5  # relative rounding above a given pixel_max
_DENSE: Final = 2**31  # bytes that a sparse matrix may take as an array

_Facts = list[tuple[str, str]]


# --- Arrays of a notebook ---------------------------------------------------------------------------------------------


def make_dataset(
    x: ArrayLike,
    y: ArrayLike,
    x_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    *,
    x_val: ArrayLike | None = None,
    y_val: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    pixel_max: float | None = None,
    name: str = "data",
    title: str | None = None,
) -> Dataset:
    """Make a data set from arrays, for example in a notebook.

    Args:
      x: training examples, unscaled, any real type; in rows, NaN is a missing value.
        # (N, D), (N, H, W), (N, H, W, C) or (N, C, H, W)
      y: labels: whole numbers, names, or one-hot rows.  # (N,), (N, 1) or (N, K)
      x_test, y_test: the test set; both None to hold out a stratified fifth, always the same one.
      x_val, y_val: the validation set; both None to split it off later.
      groups: the group of each training example, for example the patient; a split never divides a group.  # (N,)
      classes: names of the labels 0, 1, ...; defaults to the distinct labels, sorted.
      pixel_max: the largest possible pixel value; by default decided by the training images, and None for rows.
      name, title: used in reports; the title defaults to the name.

    Raises:
      DataError: as for ``assemble``, and for rows of unequal shape, an incomplete test or validation set, or something
        that is not an array.

    Example:
      >>> data = make_dataset(np.arange(20.0).reshape(10, 2), ["cat", "dog"] * 5)
      >>> data.classes, data.x_train.shape, data.x_test.shape
      (('cat', 'dog'), (8, 2), (2, 2))
    """
    for kind, one, other in (("test", x_test, y_test), ("validation", x_val, y_val)):
        if (one is None) != (other is None):
            both = "x_test and y_test" if kind == "test" else "x_val and y_val"
            raise DataError(f"a {kind} set needs both {both}; give both, or neither to hold one out")
    train = Part(
        _array(x, "x"),
        _array(y, "y", labels=True),
        "the training set",
        groups=None if groups is None else _array(groups, "groups", labels=True),
    )
    raw = RawData(
        train,
        test=_given(x_test, y_test, "test", "the test set"),
        validation=_given(x_val, y_val, "val", "the validation set"),
    )
    names = None if classes is None or not len(classes) else tuple(str(c) for c in classes)
    data = assemble(raw, name=name, title=title or name, source="arrays", classes=names, pixel_max=pixel_max)
    return _own_copy(data, raw)


def _own_copy(data: Dataset, raw: RawData) -> Dataset:
    """Copy examples that are still the caller's array: changing it later must not change the data set."""
    x_train, x_test = (
        x.copy() if any(np.may_share_memory(x, part.x) for part in raw.parts) else x
        for x in (data.x_train, data.x_test)
    )
    return dataclasses.replace(data, x_train=x_train, x_test=x_test)


def _given(x: ArrayLike | None, y: ArrayLike | None, key: str, where: str) -> Part | None:
    if x is None or y is None:
        return None
    return Part(_array(x, f"x_{key}"), _array(y, f"y_{key}", labels=True), where)


def _array(values: Any, name: str, *, labels: bool = False) -> NDArray[Any]:
    """Convert lists, tensors, sparse matrices, and whatever else has ``__array__``; masked values become missing."""
    if isinstance(values, np.ma.MaskedArray) and values.dtype.kind in ("buifSUO" if labels else "buif"):
        filled = np.array(values.data, dtype=object if labels else np.float64)
        filled[np.ma.getmaskarray(values)] = None if labels else np.nan
        return filled
    if hasattr(values, "toarray") and hasattr(values, "shape"):
        if np.prod(values.shape, dtype=float) * values.dtype.itemsize > _DENSE:
            raise DataError(
                f"{name}: the sparse matrix of shape {values.shape} would take more than 2 GB as an array; "
                "reduce its columns, for example with sklearn.decomposition.TruncatedSVD"
            )
        values = values.toarray()
    try:
        array = np.asarray(values)
    except ValueError:
        raise DataError(f"{name}: the rows differ in shape; give all rows the same shape") from None
    except Exception as error:  # whatever a tensor's own conversion raises
        text = one_line(error)
        raise DataError(f"{name}: cannot be converted to a NumPy array ({text}); convert it yourself") from None
    return array if labels or array.dtype.kind != "O" else _numbers(array)


def _numbers(array: NDArray[Any]) -> NDArray[Any]:
    """Turn an array of objects into numbers, if they are numbers or arrays of one shape."""
    try:
        stacked = np.array(array.tolist())
        return stacked if stacked.dtype.kind in "buif" else array.astype(np.float64)
    except (ValueError, TypeError):
        return array


# --- Assembling -------------------------------------------------------------------------------------------------------


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

    Images of whole numbers from 0 to 255 are stored as uint8, others as float32; rows become float32, or float64 where
    float32 would blur a column. If there is no test set, a stratified fifth of the training rows is held out, with
    seed 0; groups stay together.

    Args:
      name, title, source: as in ``Dataset``.
      classes: class names by label, if known; defaults to the distinct labels, sorted.
      pixel_max: the largest possible pixel value, if known; by default decided by the training images, and None for
        rows.

    Raises:
      DataError: unequal numbers of examples and labels, no rows, sets of different shapes, images with values that are
        not finite or above ``pixel_max``, invalid labels, a single class, or too few rows to hold out a test set.
    """
    parts, facts = _shaped(raw)
    arrays, found = example_values(parts)
    facts += found
    y, names = encode_labels(raw, classes or raw.classes or None)
    divisor = _pixel_max(arrays, parts, raw.pixel_max if pixel_max is None else pixel_max, facts)
    x = arrays[0] if raw.validation is None else np.concatenate(arrays[:2])  # (learned, ...)
    trained, learned = len(arrays[0]), len(x)
    groups, test_groups = _groups(raw, learned - trained)
    sets = _Sets(x, y[:learned], arrays[-1], y[learned:], np.arange(learned) >= trained, groups)
    pool = None
    if raw.test is None:  # so far, ``sets`` has none either
        sets, pool = _held_out(sets, trained, raw.train.where, facts)
    if sets.groups is not None:
        facts.append(("groups", f"{len(np.unique(sets.groups)):,} in the training set; a split never divides a group"))
    given = None if raw.validation is None else np.flatnonzero(sets.given)
    columns, four = raw.columns if x.ndim == 2 else (), (sets.x_train, sets.y_train, sets.x_test, sets.y_test)
    return Dataset(
        name,
        *four,
        classes=names,
        pixel_max=divisor,
        title=title,
        source=source,
        hash=dataset_hash(*four, columns=columns, validation_rows=given, groups=sets.groups),
        columns=columns,
        validation_rows=given,
        groups=sets.groups,
        test_groups=test_groups,
        facts=tuple((name, printable(text)) for name, text in (*raw.facts, *facts)),
        pool=pool,
        header=raw.header,
    )


class _Sets(NamedTuple):
    """The examples, before they are a data set.

    Args:
      given: marks those of a validation set that was given.  # (N,)
    """

    x_train: NDArray[Any]  # (N, ...)
    y_train: IntArray  # (N,)
    x_test: NDArray[Any]  # (M, ...)
    y_test: IntArray  # (M,)
    given: NDArray[np.bool_]  # (N,)
    groups: IntArray | None  # (N,)


def _held_out(sets: _Sets, trained: int, where: str, facts: _Facts) -> tuple[_Sets, Pool]:
    """Hold out a test set from the first examples; those of a validation set follow them.

    Args:
      trained: the number of examples that it is drawn from.
      where: how an error names them.
      facts: gets one more.
    """
    x, y, groups, size = sets.x_train, sets.y_train, sets.groups, len(sets.y_train)
    rows = _test_rows(y[:trained], None if groups is None else groups[:trained], where)
    noun, how = "rows" if x.ndim == 2 else "images", ", stratified by class"
    if groups is not None:
        how = " in whole groups, stratified by class as far as they allow"
    facts.append(("test set", f"none given; {len(rows):,} of {trained:,} {noun} held out{how}"))
    kept = np.ones(size, bool)
    kept[rows] = False
    numbered = None if groups is None else np.unique(groups[kept], return_inverse=True)[1]
    return _Sets(x[kept], y[kept], x[rows], y[rows], sets.given[kept], numbered), Pool(rows, size, groups)


def _shaped(raw: RawData) -> tuple[list[Part], _Facts]:
    """Check numbers of examples and labels, and put the axes of all sets in order."""
    parts, said = [], []
    for part in raw.parts:
        _refuse_swapped(part)
        if part.x.ndim and part.x.size == 0:
            raise DataError(
                f"{part.where}: the examples are empty (shape {part.x.shape}); give at least one row and one feature"
            )
        labels, _ = flat_labels(part)
        x, done = examples_first(part.x, len(labels), part.where)
        if part.groups is not None and part.groups.shape != (len(x),):
            raise DataError(
                f"{part.where}: {len(x):,} examples but groups of shape {part.groups.shape}; give one group per example"
            )
        parts.append(dataclasses.replace(part, x=x))
        said.append(done)
    if len({part.x.shape[1:] for part in parts}) > 1:  # (H, W, 1) in one set and (H, W) in another
        parts = [dataclasses.replace(p, x=p.x[..., 0]) if p.x.ndim == 4 and p.x.shape[3] == 1 else p for p in parts]
    for part in parts:
        if part.x.shape[1:] != parts[0].x.shape[1:]:
            raise DataError(
                f"{part.where}: the examples have shape {part.x.shape[1:]}, but those of {raw.train.where} have "
                f"shape {parts[0].x.shape[1:]}; give both the same shape"
            )
    return parts, [("axes", text) for text in dict.fromkeys(said) if text]


def _refuse_swapped(part: Part) -> None:
    """Refuse labels in the place of examples: x with one value per example, y with several that are not one-hot."""
    x, labels = part.x, part.labels
    if not x.ndim or x.size > max(x.shape) or labels.ndim < 2 or labels.size == max(labels.shape):
        return
    if x.size not in (len(labels), labels.shape[-1]):
        return
    one_hot = labels.ndim == 2 and np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()
    if not one_hot:
        values = labels.size // x.size
        raise DataError(
            f"{part.where}: x has one value per example and y has {values}: they look swapped; exchange them"
        )


def _pixel_max(
    arrays: Sequence[NDArray[Any]], parts: Sequence[Part], known: float | None, facts: _Facts
) -> float | None:
    """The largest possible pixel value: the known one, or for images what the training values suggest."""
    if known is None:
        if arrays[0].ndim == 2:
            return None
        divisor, text = pixel_range(arrays[0])
        facts.append(("values", text))
        return divisor
    if not known > 0:
        raise DataError(f"pixel_max = {known:g} is not a largest pixel value; use a positive number")
    for x, part in zip(arrays, parts, strict=True):
        high = float(np.fmax.reduce(x, axis=None))  # fmax ignores NaN
        if high > known * (1 + _TOLERANCE):
            raise DataError(
                f"{part.where}: the largest value is {high:g}, above pixel_max = {known:g}; set pixel_max to the "
                "largest possible value, or leave it out"
            )
    if arrays[0].ndim > 2:
        low, high = float(np.nanmin(arrays[0])), float(np.nanmax(arrays[0]))
        facts.append(("values", f"{low:.6g} to {high:.6g}, divided by {known:g}"))
    return known


def _groups(raw: RawData, validated: int) -> tuple[IntArray | None, IntArray | None]:
    """The group of every training and validation example as a number from 0, and of every test example."""
    if raw.train.groups is None:
        return None, None
    given = [raw.train.groups.astype(str)]
    if raw.validation is not None:
        other = raw.validation.groups
        given.append(
            np.array([f"\0{i}" for i in range(validated)]) if other is None else other.astype(str)
        )  # examples without a group are groups of their own
    names, groups = np.unique(np.concatenate(given), return_inverse=True)
    if raw.test is None or raw.test.groups is None:
        return groups, None
    of_test = raw.test.groups.astype(str)
    places = np.minimum(np.searchsorted(names, of_test), len(names) - 1)
    others = len(names) + np.unique(of_test, return_inverse=True)[1]  # (M,)
    numbers = np.where(names[places] == of_test, places, others)
    return groups, np.where(of_test == "", -1, numbers)


def _test_rows(y: IntArray, groups: IntArray | None, where: str) -> IntArray:
    """Return the rows that become the test set, ascending."""
    count = round(len(y) * TEST_SHARE)
    if not count:
        raise DataError(f"{where}: {len(y)} rows are too few to hold out a fifth as the test set; add rows")
    rng = np.random.Generator(np.random.PCG64(0))
    return stratified_rows(y, count, rng) if groups is None else grouped_rows(y, groups, TEST_SHARE, rng)
