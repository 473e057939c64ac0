"""Less data, or worse: a share of a data set, fewer training examples, wrong training labels; all of it seeded."""

from __future__ import annotations

import dataclasses

import numpy as np

from wellfit.base import Dataset, IntArray, TrainingData
from wellfit.data.splits import dataset_hash, stratified_rows
from wellfit.errors import DataError

__all__ = ["subset", "thinned"]

_SHARE_STREAM, _ROWS_STREAM, _NOISE_STREAM, _SAMPLE_STREAM = 10, 11, 12, 13  # apart from the split's, of the same seed


def _generator(seed: int, stream: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, stream]))


def thinned(dataset: Dataset, share: float, seed: int = 0) -> Dataset:
    """A data set with a share of its training examples, class by class; the test set stays whole.

    Args:
      dataset: the data set.
      share: of the training examples that are kept, more than 0 and at most 1.
      seed: of the choice.

    Returns:
      The smaller data set, its rows in their old order; the data set itself where the share is 1.

    Raises:
      DataError: a share that leaves no example, or is none.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> thinned(load_dataset("digits"), 0.25).x_train.shape
      (360, 8, 8)
    """
    if share == 1:
        return dataset
    total = len(dataset.y_train)
    count = round(total * share) if 0 < share < 1 else 0
    if not count:
        raise DataError(f"train_share = {share:g} of {total} training examples leaves none; give up to 1, like 0.25")
    rows = stratified_rows(dataset.y_train, count, _generator(seed, _SHARE_STREAM))  # (count,)
    x, y = dataset.x_train[rows], dataset.y_train[rows]
    source = f"{dataset.source}, {count:,} of {total:,} training examples"
    digest = dataset_hash(x, y, dataset.x_test, dataset.y_test)
    return dataclasses.replace(dataset, x_train=x, y_train=y, source=source, hash=digest)


def subset(data: TrainingData, examples: int | None, label_noise: float, seed: int = 0) -> TrainingData:
    """Training data with fewer examples, or with wrong labels, or both; the validation split stays as it is.

    Fewer examples are among more, and less noise among more: of every example, its turn to be kept, its turn to be
    mislabeled and its wrong label depend on the seed alone. The scaling stays that of the whole training split, so
    that all variants of a study share it.

    Args:
      data: the training data.
      examples: how many train, class by class; None for all.
      label_noise: share of the training labels that are replaced by another class, each other class as likely.
      seed: of the choice; the same for every run of a study.

    Returns:
      The changed data; ``sample``, on which training metrics are measured, is drawn anew from fewer examples, and has
      the labels that are trained on. The data themselves where there is nothing to change.

    Raises:
      DataError: more examples than there are, fewer than one, or a share outside [0, 1].

    Source: symmetric label noise as in Zhang et al. (2017), "Understanding deep learning requires rethinking
    generalization", but never the right label.

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
        raise DataError(f"examples = {examples}: the training split has {total}; choose from 1 to {total}")
    if not 0 <= label_noise <= 1:
        raise DataError(f"label_noise = {label_noise:g} is no share of the labels; give one from 0 to 1")
    labels = _mislabeled(data.y_train, _order(data.y_train, seed), examples, label_noise, data.classes, seed)
    if examples in (None, total):
        return data if not label_noise else dataclasses.replace(data, y_train=labels)
    rows = np.sort(_order(data.y_train, seed)[:examples])  # (examples,)
    count = min(len(data.sample), len(rows))
    sample = stratified_rows(data.y_train[rows], count, _generator(seed, _SAMPLE_STREAM))  # (count,)
    return dataclasses.replace(data, x_train=data.x_train[rows], y_train=labels[rows], sample=sample)


def _order(labels: IntArray, seed: int) -> IntArray:
    """The rows in the turn in which they are kept: at random, yet so that any first few are shared out by class."""
    _, codes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    chance = _generator(seed, _ROWS_STREAM).random(len(labels))  # (N,)
    by_class = np.lexsort((chance, codes))  # (N,) class by class, at random within
    rank = np.empty(len(labels))
    rank[by_class] = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.lexsort((chance, (rank + 0.5) / sizes[codes]))  # (N,)


def _mislabeled(
    labels: IntArray, order: IntArray, examples: int | None, noise: float, classes: int, seed: int
) -> IntArray:
    """The labels, with exactly the share of those that are kept replaced by another class."""
    generator = _generator(seed, _NOISE_STREAM)
    turn = generator.random(len(labels))  # (N,)
    other = (labels + generator.integers(1, classes, len(labels))) % classes  # (N,)
    kept = order[:examples]
    wrong = kept[np.argsort(turn[kept], kind="stable")[: round(len(kept) * noise)]]
    changed = labels.copy()
    changed[wrong] = other[wrong]
    return changed
