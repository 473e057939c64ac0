"""Stratified, seeded splits of a data set, hashes, and the training data for the engine.

Each row gets a uniform random number from a seeded PCG64 stream; the rows of each class with the smallest numbers are
drawn.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Column, Dataset, FloatArray, IntArray, Splits, TrainingData
from wellfit.data.scaling import fit_scaling
from wellfit.errors import DataError

__all__ = [
    "dataset_hash",
    "grouped_rows",
    "make_splits",
    "split_of",
    "stratified_order",
    "stratified_rows",
    "training_data",
]

_SAMPLE: Final = 4000
"""Training examples evaluated after every epoch; the standard error of an accuracy of 95 % is then 0.35 points."""


def make_splits(
    labels: IntArray,
    *,
    validation: float,
    seed: int = 0,
    groups: IntArray | None = None,
    given: IntArray | None = None,
    classes: Sequence[str] = (),
    rare: bool = False,
) -> Splits:
    """Split the training examples into a training and a validation split, class by class.

    The validation split has exactly ``round(N * validation)`` rows. Each class contributes its proportional share,
    rounded by largest remainder, so that it is at most one example off. Rows are drawn at random, so their order in the
    data does not matter.

    With groups, whole groups are drawn, see ``grouped_rows``, and the sizes are as close as the groups allow. A given
    validation set is used as it is.

    Args:
      labels: class labels, integers.  # (N,)
      validation: the fraction for validation, between 0 and 1; without effect if a validation set is given.
      seed: 0 or more; the same for every run of a study.
      groups: the group of each example, from 0.  # (N,)
      given: the rows of a validation set that the data have of their own.  # (v,)
      classes: the names of the classes, for error messages.
      rare: whether a class may have a single example, which then is a training example.

    Returns:
      The splits. Like ``train``, ``sample`` holds rows of ``labels``: as many as the validation split, at most 4,000.

    Raises:
      DataError: a fraction outside (0, 1) or one that leaves a split empty, a negative seed, a class with fewer than
        two examples, a single group, or a group that is in a given validation set and outside.

    Example:
      >>> s = make_splits(np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]), validation=0.4)
      >>> len(s.train), len(s.validation), len(s.sample)
      (6, 4, 4)
    """
    if seed < 0:
        raise DataError(f"the seed of the split is {seed}; use 0 or a positive whole number")
    rng = np.random.Generator(np.random.PCG64(seed))
    if given is not None:
        held_out = _given_rows(len(labels), given, groups)
    elif groups is not None:
        _check_fraction(validation)
        held_out = grouped_rows(labels, groups, validation, rng)
    else:
        count = _validation_rows(labels, validation, () if rare else classes, 1 if rare else 2)
        held_out = _several(labels, count, rng) if rare else stratified_rows(labels, count, rng)  # (v,)
    train = np.setdiff1d(np.arange(len(labels)), held_out, assume_unique=True)  # (n,)
    sample = train[stratified_rows(labels[train], min(len(held_out), len(train), _SAMPLE), rng)]  # (s,)
    digest = hashlib.sha256()
    for rows in (train, held_out, sample):
        digest.update(f"{len(rows)}\n".encode())
        digest.update(rows.astype("<i8").tobytes())
    return Splits(train=train, validation=held_out, sample=sample, seed=seed, hash=digest.hexdigest())


def _check_fraction(validation: float) -> None:
    if not 0 < validation < 1:
        raise DataError(
            f"validation = {validation:g} is not a fraction of the training data; use a number between 0 and 1, "
            "like 0.2"
        )


def _several(labels: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    """Draw rows of classes with at least two examples, or of others if there are too few."""
    sizes = np.bincount(labels)
    several = np.flatnonzero(sizes[labels] > 1)
    if len(several) <= count:
        return stratified_rows(labels, count, rng)
    return several[stratified_rows(labels[several], count, rng)]


def _validation_rows(labels: IntArray, validation: float, classes: Sequence[str], fewest: int) -> int:
    """Check the arguments of ``make_splits`` and return the size of the validation split."""
    _check_fraction(validation)
    present, sizes = np.unique(labels, return_counts=True)
    if len(sizes) and sizes.min() < fewest:
        rare = int(present[sizes.argmin()])
        name = repr(classes[rare]) if classes else str(rare)
        more = int((sizes < 2).sum()) - 1
        also = f" (and {more} more {'class has' if more == 1 else 'classes have'} only one)" if more else ""
        raise DataError(
            f"class {name} has 1 training example, but splitting needs 2{also}; add examples or drop the class"
        )
    count = round(len(labels) * validation)
    if not 0 < count < len(labels):
        raise DataError(
            f"validation = {validation:g} of {len(labels)} training examples leaves one split empty; "
            "change the fraction or add data"
        )
    return count


def _given_rows(total: int, given: IntArray, groups: IntArray | None) -> IntArray:
    """Check a given validation set and return its rows, ascending."""
    rows = np.unique(np.asarray(given, np.int64))
    if not 0 < len(rows) < total:
        part = "the validation set" if not len(rows) else "the training set"
        raise DataError(f"{part} has no example; give training and validation examples")
    if groups is not None:
        outside = np.delete(groups, rows)
        shared = np.intersect1d(groups[rows], outside)
        if len(shared):
            raise DataError(
                f"{len(shared)} of {len(np.unique(groups))} groups have examples in the training set and in the given "
                "validation set; move each group to one of them, or leave the validation set out so that wellfit "
                "divides the groups"
            )
    return rows


def grouped_rows(
    labels: IntArray, groups: IntArray, share: float, rng: np.random.Generator, *, outside: int = 1
) -> IntArray:
    """Draw whole groups so that every class contributes about the given share of its examples.

    The groups are visited in random order. A group is drawn if no class then exceeds its share, and in a second pass if
    that brings the classes closer to their shares; if possible, every class keeps an example outside. The result
    depends on the numbers of the groups, not on the order of the rows.

    Args:
      labels: class labels.  # (N,)
      groups: the group of each row.  # (N,)
      share: of the rows to draw, between 0 and 1.
      rng: one uniform number a group is drawn from it.
      outside: groups that are left at least, as far as there are more.

    Returns:
      Row numbers, int64, ascending; at least one group, and not all.

    Raises:
      DataError: there is only one group.

    Example:
      >>> labels, groups = np.array([0, 1, 0, 1, 0, 1]), np.array([5, 5, 3, 3, 8, 8])
      >>> grouped_rows(labels, groups, 1 / 3, np.random.default_rng(0)).size
      2
    """
    _, group = np.unique(groups, return_inverse=True)
    _, label = np.unique(labels, return_inverse=True)
    size = int(group.max()) + 1
    if size < 2:
        raise DataError("all examples are in one group, which cannot be divided; name another group column, or none")
    counts = np.zeros((size, int(label.max()) + 1), np.int64)  # (G, K)
    np.add.at(counts, (group, label), 1)
    totals = counts.sum(axis=0)  # (K,)
    parts = counts / totals  # (G, K), of each class
    drawn = np.zeros(size, bool)
    missing = np.full(len(totals), share)  # (K,), of each class's share
    weights = totals / totals.sum()
    order = np.argsort(rng.random(size), kind="stable")

    def error(left: FloatArray) -> float:
        return float((weights * left**2).sum())

    rest = totals.copy()
    for exceeds in (False, True):  # first without exceeding any class's share, then where that is closer
        for g in order[~drawn[order]]:
            left = missing - parts[g]
            fits = error(left) < error(missing) if exceeds else (left >= 0).all()
            if fits and (rest - counts[g] > 0).all() and size - drawn.sum() > outside:
                drawn[g] = True
                missing, rest = left, rest - counts[g]
    if not drawn.any():
        complete = [g for g in order if (totals - counts[g] > 0).all()] or list(order)
        drawn[min(complete, key=lambda g: error(missing - parts[g]))] = True
    return np.flatnonzero(drawn[group])


def stratified_rows(labels: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    """Draw rows so that every class contributes its proportional share, rounded by largest remainder.

    Args:
      labels: class labels.  # (N,)
      count: number of rows to draw, 0 to N.
      rng: N uniform numbers are drawn from it.

    Returns:
      Row numbers, int64, ascending.  # (count,)

    Example:
      >>> stratified_rows(np.array([7, 7, 9, 9]), 2, np.random.default_rng(0)).size
      2
    """
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    exact = sizes.astype(np.int64) * count  # integers, since floating-point shares could round either way
    quotas = exact // len(labels)  # (K,)
    largest = np.argsort(-(exact % len(labels)), kind="stable")
    quotas[largest[: count - int(quotas.sum())]] += 1
    order = np.lexsort((rng.random(len(labels)), codes))  # (N,), class by class, in random order within a class
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[rank < np.repeat(quotas, sizes)])


def stratified_order(labels: IntArray, rng: np.random.Generator) -> IntArray:
    """Order rows at random, but so that every class is spread evenly: every interval of the order is stratified.

    Args:
      labels: class labels.  # (N,)
      rng: N uniform numbers are drawn from it.

    Returns:
      A permutation, int64.  # (N,)

    Example:
      >>> labels = np.array([7, 7, 7, 7, 9, 9])
      >>> labels[stratified_order(labels, np.random.default_rng(0))].tolist()
      [7, 9, 7, 7, 9, 7]
    """
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    chance = rng.random(len(labels))  # (N,)
    by_class = np.lexsort((chance, codes))  # (N,) class by class, in random order within a class
    rank = np.empty(len(labels))
    rank[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.lexsort((chance, (rank + 0.5) / sizes[codes]))


def split_of(dataset: Dataset, validation: float, seed: int = 0, *, rare: bool = False) -> Splits:
    """The splits of a data set: by its groups and its own validation set, if it has any.

    Args:
      validation, seed, rare: as for ``make_splits``.

    Raises:
      DataError: as for ``make_splits``.
    """
    return make_splits(
        dataset.y_train,
        validation=validation,
        seed=seed,
        groups=dataset.groups,
        given=dataset.validation_rows,
        classes=dataset.classes,
        rare=rare,
    )


def dataset_hash(
    x_train: NDArray[Any],
    y_train: IntArray,
    x_test: NDArray[Any],
    y_test: IntArray,
    *,
    columns: Sequence[Column] = (),
    validation_rows: IntArray | None = None,
    groups: IntArray | None = None,
) -> str:
    """Return the hexadecimal SHA-256 over names, types, shapes and little-endian bytes of the arrays.

    Args:
      x_train, y_train: training examples and labels.  # (N, ...), (N,)
      x_test, y_test: test examples and labels.  # (M, ...), (M,)
      columns, validation_rows, groups: as in ``Dataset``; covered only where they are given.

    Example:
      >>> x, y = np.zeros((2, 3), np.float32), np.zeros(2, np.int32)
      >>> dataset_hash(x, y, x, y)[:8], dataset_hash(x, y, x, y, groups=y)[:8]
      ('997da224', '387dfcc7')
    """
    digest = hashlib.sha256()
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    for name, rows in (("validation_rows", validation_rows), ("groups", groups)):
        if rows is not None:
            arrays[name] = rows.astype(np.int64)
    for name, array in arrays.items():
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{name} {little.dtype.str} {little.shape}\n".encode())
        digest.update(little.data)
    if columns:
        digest.update(json.dumps([[column.name, column.categories] for column in columns]).encode())
    return digest.hexdigest()


def training_data(
    dataset: Dataset, splits: Splits, scale: str, binary: NDArray[np.bool_] | None = None, *, silent: bool = False
) -> TrainingData:
    """Collect the engine's data: both splits, unscaled, and the scaling fitted on the training split alone.

    Args:
      dataset: the data set, prepared; its test set is not used.
      splits: from ``make_splits(dataset.y_train, ...)``.
      scale: ``"auto"``, ``"unit"`` or ``"standardize"``.
      binary, silent: as for ``fit_scaling``.

    Returns:
      The training data; ``sample`` holds positions in its ``x_train``.

    Raises:
      UnknownNameError, DataError: as for ``fit_scaling``.
    """
    x_train = dataset.x_train[splits.train]
    return TrainingData(
        x_train=x_train,
        y_train=dataset.y_train[splits.train],
        x_validation=dataset.x_train[splits.validation],
        y_validation=dataset.y_train[splits.validation],
        sample=np.searchsorted(splits.train, splits.sample),
        classes=len(dataset.classes),
        scaling=fit_scaling(x_train, scale, dataset.pixel_max, binary, silent=silent),
    )
