"""Reduced data: a fraction of a data set, fewer training examples, or label noise, all seeded."""

from __future__ import annotations

import dataclasses

import numpy as np

from wellfit.base import Dataset, IntArray, TrainingData
from wellfit.data.splits import dataset_hash, stratified_order, stratified_rows
from wellfit.errors import DataError

__all__ = ["subset", "subset_rows", "thinned", "thinned_rows"]

_SHARE_STREAM, _ROWS_STREAM, _NOISE_STREAM, _SAMPLE_STREAM = 10, 11, 12, 13  # separate from the split's stream


def _generator(seed: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, stream]))


def thinned(dataset: Dataset, share: float, seed: int = 0) -> Dataset:
    """Keep a stratified fraction of the training examples; the test set is unchanged.

    A validation set that the data have of their own stays whole. Groups may lose examples; they stay undivided. The
    test set is now given: what it was held out from is forgotten.

    Args:
      share: fraction of the training examples to keep, more than 0 and at most 1.

    Returns:
      The smaller data set, its rows in their original order; the data set itself if ``share`` is 1.

    Raises:
      DataError: a fraction that is out of range or leaves no example.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> thinned(load_dataset("digits"), 0.25).x_train.shape
      (360, 8, 8)
    """
    if share == 1:
        return dataset
    given, rows = dataset.validation_rows, thinned_rows(dataset, share, seed)
    total = len(dataset.y_train) - (0 if given is None else len(given))
    count = len(rows) - (0 if given is None else len(given))
    x, y = dataset.x_train[rows], dataset.y_train[rows]
    kept = None if given is None else np.searchsorted(rows, given)
    groups = None if dataset.groups is None else dataset.groups[rows]
    digest = dataset_hash(
        x, y, dataset.x_test, dataset.y_test, columns=dataset.columns, validation_rows=kept, groups=groups
    )
    source = f"{dataset.source}, {count:,} of {total:,} training examples"
    return dataclasses.replace(
        dataset, x_train=x, y_train=y, validation_rows=kept, groups=groups, source=source, hash=digest, pool=None
    )


def thinned_rows(dataset: Dataset, share: float, seed: int = 0) -> IntArray:
    """The rows that ``thinned`` keeps, ascending.

    Args:
      share: fraction of the training examples to keep, more than 0 and at most 1.

    Raises:
      DataError: a fraction that is out of range or leaves no example.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> digits = load_dataset("digits")
      >>> rows = thinned_rows(digits, 0.25)
      >>> np.array_equal(digits.y_train[rows], thinned(digits, 0.25).y_train)
      True
    """
    given = dataset.validation_rows
    everything = np.arange(len(dataset.y_train))
    if share == 1:
        return everything
    drawn = everything if given is None else np.setdiff1d(everything, given, assume_unique=True)  # drawn from these
    total = len(drawn)
    count = round(total * share) if 0 < share < 1 else 0
    if not count:
        raise DataError(
            f"train_share = {share:g} of {total} training examples leaves none; use a number up to 1, like 0.25"
        )
    rows = drawn[stratified_rows(dataset.y_train[drawn], count, _generator(seed, _SHARE_STREAM))]  # (count,)
    return rows if given is None else np.sort(np.concatenate([rows, given]))


def subset(data: TrainingData, examples: int | None, label_noise: float, seed: int = 0) -> TrainingData:
    """Reduce the training examples, replace some of their labels, or both; the validation split is unchanged.

    Choices are nested: a smaller set of examples is part of every larger set, and fewer wrong labels are among more,
    because the order in which examples are kept and mislabeled, and each example's wrong label, depend only on the
    seed. The scaling remains that of the whole training split, so that all variants of a study share it.

    Args:
      examples: number of training examples to keep, stratified; None for all.
      label_noise: fraction of the training labels that are replaced, uniformly, by another class.
      seed: the same for every run of a study.

    Returns:
      The changed data, or ``data`` itself if nothing changes. With fewer examples, ``sample`` is drawn again among
      them. Training metrics use the labels that the network is trained on.

    Raises:
      DataError: a number of examples that is not available, or a fraction outside [0, 1].

    Source: symmetric label noise as in Zhang et al. (2017), "Understanding deep learning requires rethinking
    generalization", except that the correct label is never drawn.

    Example:
      >>> data = TrainingData(np.zeros((6, 2)), np.array([0, 1, 2] * 2), np.zeros((1, 2)), np.array([0]),
      ...                     np.arange(6), 3, None)
      >>> fewer = subset(data, 3, 0.0)
      >>> fewer.x_train.shape, sorted(fewer.y_train.tolist())
      ((3, 2), [0, 1, 2])
      >>> int((subset(data, None, 0.5).y_train != data.y_train).sum())
      3
    """
    total = len(data.y_train)
    if examples is not None and not 1 <= examples <= total:
        raise DataError(f"examples = {examples}: the training split has {total}; use a number from 1 to {total}")
    if not 0 <= label_noise <= 1:
        raise DataError(f"label_noise = {label_noise:g} is not a fraction of the labels; use a number from 0 to 1")
    order = _order(data.y_train, seed)  # (N,)
    labels = _mislabeled(data.y_train, order, examples, label_noise, data.classes, seed)
    if examples in (None, total):
        return data if not label_noise else dataclasses.replace(data, y_train=labels)
    rows = np.sort(order[:examples])  # (examples,)
    count = min(len(data.sample), len(rows))
    sample = stratified_rows(data.y_train[rows], count, _generator(seed, _SAMPLE_STREAM))  # (count,)
    return dataclasses.replace(data, x_train=data.x_train[rows], y_train=labels[rows], sample=sample)


def subset_rows(labels: IntArray, examples: int, seed: int = 0) -> IntArray:
    """The rows that ``subset`` keeps, ascending.  # (examples,)

    Args:
      labels: of the training split.  # (N,)
      examples, seed: as for ``subset``.

    Example:
      >>> labels = np.array([0, 0, 0, 0, 1, 1])
      >>> labels[subset_rows(labels, 3)].tolist()
      [0, 0, 1]
    """
    return np.sort(_order(labels, seed)[:examples])


def _order(labels: IntArray, seed: int) -> IntArray:
    return stratified_order(labels, _generator(seed, _ROWS_STREAM))


def _mislabeled(
    labels: IntArray, order: IntArray, examples: int | None, noise: float, classes: int, seed: int
) -> IntArray:
    """Replace exactly the given fraction of the kept labels by another class."""
    generator = _generator(seed, _NOISE_STREAM)
    turn = generator.random(len(labels))  # (N,)
    other = (labels + generator.integers(1, classes, len(labels))) % classes  # (N,)
    kept = order[:examples]
    wrong = kept[np.argsort(turn[kept], kind="stable")[: round(len(kept) * noise)]]
    changed = labels.copy()
    changed[wrong] = other[wrong]
    return changed
