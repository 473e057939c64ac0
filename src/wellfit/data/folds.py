"""Folds: which examples every seed trains on, validates on, and is tested on.

Every seed leaves out its own fold. Of data without a test set of their own, the fold is the seed's test set, so that
as many seeds as there are folds test every example once. Of data with one, the fold is the seed's validation set.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Dataset, IntArray, Splits
from wellfit.data.splits import grouped_rows, make_splits, split_of, stratified_order
from wellfit.data.subsets import thinned, thinned_rows
from wellfit.errors import DataError

__all__ = [
    "Division",
    "division",
    "example_labels",
    "examples_of",
    "outline",
    "split_hash",
    "with_own_test_set",
]

_FOLD_STREAM: Final = 20  # separate from the other streams of a seed
_PARTS: Final = 10  # parts of whole groups for each fold, at most


@dataclass(frozen=True, eq=False)
class Division:
    """What a seed learns from and is tested on.

    Args:
      dataset: its training and validation examples, and its test examples.
      splits: rows of ``dataset.x_train``.
      validated: which examples validate, by numbers that are the same for every seed of the study, in the order of
        ``splits.validation``.  # (v,)
      tested: which of the study's test examples are those of ``dataset``, ascending; None for all of them.  # (m,)
    """

    dataset: Dataset
    splits: Splits
    validated: IntArray
    tested: IntArray | None = None


def division(
    dataset: Dataset,
    seed: int | None,
    *,
    folds: int,
    validation: float = 0.2,
    train_share: float = 1.0,
    split_seed: int = 0,
) -> Division:
    """Divide a data set for a seed.

    - Without a test set of its own, seed ``s`` is tested on fold ``s mod folds`` of all examples; the rest is divided
      into training and validation. Folds differ by at most one example; where a fold has one less, one example is left
      out, so that one compiled program fits all folds.
    - With a test set of its own, the examples are arranged in a circle, and seed ``s`` validates on the share
      ``validation`` of them, from the fraction ``(s mod folds) / folds`` of the circle on. A fifth of the examples in
      five folds, as by default, is another fifth for every seed. With groups, the circle consists of parts of whole
      groups, and the share is as close as these allow.
    - With a test and a validation set of its own, or with one fold, the division is the same for all seeds.

    Every ``folds`` seeds, the folds are drawn again. They are stratified by class; groups stay whole.

    Args:
      dataset: all data, as read.
      seed: of the run; None for the fixed division.
      folds: the number of folds; 1 for the fixed division.
      validation: share of the training examples that is held out for validation.
      train_share: share of the training examples that is used at all.
      split_seed: seed of the folds and splits.

    Raises:
      DataError: there are fewer than two examples, or one group, for every fold, or a fold of groups has one example,
        or they cannot be split, see ``make_splits``.

    Example: five seeds test every one of the 1,797 digits once.
      >>> from wellfit.data.catalog import load_dataset
      >>> divisions = [division(load_dataset("digits"), seed, folds=5) for seed in range(5)]
      >>> np.bincount(np.concatenate([d.tested for d in divisions])).tolist() == [1] * 1797
      True
      >>> {(len(d.splits.train), len(d.splits.validation)) for d in divisions}
      {(1150, 287)}
    """
    if seed is None or folds == 1 or not can_fold(dataset):
        used = thinned(dataset, train_share, split_seed)
        splits = split_of(used, validation, split_seed)
        return Division(used, splits, splits.validation)
    if dataset.pool is not None:
        whole, learned, tested = _tested(dataset, seed, folds, split_seed)
        used = thinned(whole, train_share, split_seed)
        splits = split_of(used, validation, split_seed, rare=True)
        kept = learned[thinned_rows(whole, train_share, split_seed)]  # of which examples the rows are
        return Division(used, splits, kept[splits.validation], tested)
    used = thinned(dataset, train_share, split_seed)
    splits = _validated(used, seed, folds, validation, split_seed)
    return Division(used, splits, splits.validation)


def outline(dataset: Dataset) -> Dataset:
    """The data set without its examples' values: it is divided alike, but faster.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> outline(load_dataset("digits")).x_train.shape
      (1438, 0)
    """
    x_train, x_test = (np.zeros((len(x), 0), np.float32) for x in (dataset.x_train, dataset.x_test))
    return dataclasses.replace(dataset, x_train=x_train, x_test=x_test, columns=())


def can_fold(dataset: Dataset) -> bool:
    """Whether seeds can have folds: not where both test and validation set are given."""
    return dataset.pool is not None or dataset.validation_rows is None


def with_own_test_set(dataset: Dataset) -> Dataset:
    """The data set with what was held out as its own test set: folds of it then validate, and no seed trains on it.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> digits = with_own_test_set(load_dataset("digits"))
      >>> [len(division(digits, seed, folds=5).dataset.y_test) for seed in (0, 1)]
      [359, 359]
    """
    pool = dataset.pool
    if pool is None:
        return dataset
    groups: IntArray | None = None
    if pool.groups is not None and dataset.groups is not None:
        own = np.unique(pool.groups[pool.held_out], return_inverse=True)[1]
        groups = int(dataset.groups.max()) + 1 + own  # no group is in both
    fact = ("test set", f"{len(dataset.y_test):,} examples, the same for all seeds, which the search does not see")
    return dataclasses.replace(dataset, test_groups=groups, facts=(*dataset.facts, fact), pool=None)


def split_hash(dataset: Dataset, seedless: Division, *, folds: int) -> str:
    """The hash of how a study divides its data, the same for all of its seeds.

    Args:
      dataset: all data.
      seedless: the division of seed 0, or the fixed one.
      folds: their number.
    """
    if folds == 1 or not can_fold(dataset):
        return seedless.splits.hash
    tested = np.zeros(0, np.int64) if seedless.tested is None else seedless.tested
    text = f"{folds} folds, {seedless.splits.hash}, "
    return hashlib.sha256(text.encode() + tested.astype("<i8").tobytes()).hexdigest()


# --- Test folds -------------------------------------------------------------------------------------------------------


def _tested(dataset: Dataset, seed: int, folds: int, split_seed: int) -> tuple[Dataset, IntArray, IntArray]:
    """The data set with a fold as its test set, which examples it learns from, and those of the fold."""
    pool = dataset.pool
    assert pool is not None
    labels = example_labels(dataset)  # (n,)
    n = len(labels)
    rng = np.random.Generator(np.random.PCG64([split_seed, seed // folds, _FOLD_STREAM]))
    if pool.groups is not None:
        _check_count(len(np.unique(pool.groups[:n])), folds, "groups")
        tested: IntArray = np.flatnonzero(group_parts(labels, pool.groups[:n], folds, rng) == seed % folds)
        _check_fold(len(tested), seed, folds)
        kept = np.setdiff1d(np.arange(n), tested, assume_unique=True)
    else:
        _check_classes(dataset, labels)
        _check_count(n, folds, "examples", each=2)  # one example alone tells nothing about how much examples differ
        order = stratified_order(labels, rng)  # (n,)
        begin, end = (place * n // folds for place in (seed % folds, seed % folds + 1))
        tested = np.sort(order[begin:end])
        kept = _trimmed(np.concatenate([order[end:], order[:begin]]), n - -(-n // folds), labels)
    given = None if dataset.validation_rows is None else np.arange(n, len(pool))
    learned = kept if given is None else np.concatenate([kept, given])
    x, y, groups = examples_of(dataset, learned), _labels_of(dataset, learned), None
    if pool.groups is not None:
        groups = np.unique(pool.groups[learned], return_inverse=True)[1]
    return (
        dataclasses.replace(
            dataset,
            x_train=x,
            y_train=y,
            x_test=examples_of(dataset, tested),
            y_test=labels[tested],
            validation_rows=None if given is None else np.arange(len(kept), len(learned)),
            groups=groups,
            pool=None,
        ),
        learned,
        tested,
    )


def _trimmed(rows: IntArray, count: int, labels: IntArray) -> IntArray:
    """The rows, ascending, without one of the largest class if there is one more than in other folds."""
    if len(rows) > count:
        rows = np.delete(rows, np.flatnonzero(labels[rows] == np.bincount(labels[rows]).argmax())[-1])
    return np.sort(rows)


def _check_classes(dataset: Dataset, labels: IntArray) -> None:
    present, sizes = np.unique(labels, return_counts=True)
    if sizes.min() < 2:
        rare = dataset.classes[int(present[sizes.argmin()])]
        raise DataError(
            f"{dataset.source}: class {rare!r} has 1 example, but training and testing need 2; "
            "add examples or drop the class"
        )


def _check_count(count: int, folds: int, what: str, each: int = 1) -> None:
    if count < each * folds:
        raise DataError(
            f"[data] folds = {folds}: there are only {count} {what}; use at most {count // each} folds, or folds = 1 "
            "for a fixed split"
        )


def _check_fold(count: int, seed: int, folds: int) -> None:
    if count < 2:
        raise DataError(
            f"[data] folds = {folds}: the groups are so unequal that the fold of seed {seed} has one example, which "
            "tells nothing about how much examples differ; use fewer folds, or folds = 1 for a fixed split"
        )


def group_parts(labels: IntArray, groups: IntArray, parts: int, rng: np.random.Generator) -> IntArray:
    """Divide rows into parts of whole groups: every part takes its share of what the previous ones have left.

    Args:
      labels: class labels.  # (n,)
      groups: the group of each row.  # (n,)
      parts: their number, at most that of the groups; each has one group or more.
      rng: random numbers are drawn from it.

    Returns:
      The part of each row, from 0.  # (n,)

    Example:
      >>> np.unique(group_parts(np.arange(6) % 2, np.array([4, 4, 7, 7, 9, 9]), 3, np.random.default_rng(0))).tolist()
      [0, 1, 2]
    """
    part = np.full(len(labels), parts - 1)
    rest = np.arange(len(labels))
    for number in range(parts - 1):
        left = parts - number
        drawn = rest[grouped_rows(labels[rest], groups[rest], 1 / left, rng, outside=left - 1)]
        part[drawn] = number
        rest = np.setdiff1d(rest, drawn, assume_unique=True)
    return part


# --- Validation folds -------------------------------------------------------------------------------------------------


def _validated(used: Dataset, seed: int, folds: int, validation: float, split_seed: int) -> Splits:
    """The splits of a seed whose fold is its validation set."""
    labels = used.y_train
    rng = np.random.Generator(np.random.PCG64([split_seed, seed // folds, _FOLD_STREAM]))
    if used.groups is not None:
        count, parts = _circle(folds, validation, len(np.unique(used.groups)))
        begin = seed % folds * parts // folds
        rows: IntArray = np.flatnonzero((group_parts(labels, used.groups, parts, rng) - begin) % parts < count)
    else:
        count = len(split_of(used, validation, split_seed).validation)  # checks classes and share
        order = stratified_order(labels, rng)  # (N,)
        begin = seed % folds * len(labels) // folds
        rows = order[(begin + np.arange(count)) % len(labels)]
    return make_splits(labels, validation=validation, seed=split_seed, groups=used.groups, given=np.sort(rows))


def _circle(folds: int, validation: float, groups: int) -> tuple[int, int]:
    """Of how many parts a circle of groups consists, and how many of them a seed validates on: ``(count, parts)``.

    The fewest parts, a multiple of the folds, that come close to the share; as many as groups if there are fewer.

    Example: a fifth is one part of 5, or 2 of 10; three tenths are 3 parts of 10; four groups are four parts.
      >>> _circle(5, 0.2, 99), _circle(10, 0.2, 99), _circle(5, 0.3, 99), _circle(5, 0.2, 4)
      ((1, 5), (2, 10), (3, 10), (1, 4))
    """
    possible = [parts for parts in range(folds, groups + 1, folds) if parts <= _PARTS * folds] or [max(2, groups)]
    close = [parts for parts in possible if abs(_count(parts, validation) / parts - validation) <= validation / 10]
    parts = close[0] if close else min(possible, key=lambda parts: abs(_count(parts, validation) / parts - validation))
    return _count(parts, validation), parts


def _count(parts: int, validation: float) -> int:
    return min(max(1, round(parts * validation)), parts - 1)


# --- The examples that a study is tested on ---------------------------------------------------------------------------


def example_labels(dataset: Dataset) -> IntArray:
    """The labels of all examples that any seed can be tested on: the test set, or all examples.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> len(example_labels(load_dataset("digits")))
      1797
    """
    if dataset.pool is None:
        return dataset.y_test
    given = 0 if dataset.validation_rows is None else len(dataset.validation_rows)
    return _labels_of(dataset, np.arange(len(dataset.pool) - given))


def examples_of(dataset: Dataset, rows: IntArray) -> NDArray[Any]:
    """Some of the examples that any seed can be tested on.

    Args:
      rows: positions among them.  # (m,)

    Returns:
      As in the data set.  # (m, ...)
    """
    if dataset.pool is None:
        return dataset.x_test[rows]
    places = dataset.pool.places()[rows]  # (m,)
    kept = len(dataset.x_train)
    x = np.empty((len(rows), *dataset.x_train.shape[1:]), dataset.x_train.dtype)
    learned = places < kept
    x[learned], x[~learned] = dataset.x_train[places[learned]], dataset.x_test[places[~learned] - kept]
    return x


def _labels_of(dataset: Dataset, rows: IntArray) -> IntArray:
    assert dataset.pool is not None
    return np.concatenate([dataset.y_train, dataset.y_test])[dataset.pool.places()[rows]]
