"""What the runs of a seed train on, validate on and are tested on, prepared and scaled for them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import Dataset, IntArray, Preparation, Splits, TrainingData
from wellfit.data.folds import Division, can_fold, division, example_labels, outline, split_hash
from wellfit.data.preparation import binary_features, fit_preparation, prepare, prepared_dataset, refitted
from wellfit.data.splits import training_data
from wellfit.errors import DataError, StudyFileError
from wellfit.spec.study import DataSpec
from wellfit.study.comparable import check_metric

__all__ = ["OVERLAP", "Fold", "Sizes", "check_folds", "fold_of", "folds_used", "groups_of_tests", "hash_of_splits",
           "searched_overlap", "validation_overlap"]  # fmt: skip

OVERLAP: Final = "validation overlap"
"""Key of the note in the store: the seeds, and what ``validation_overlap`` and ``searched_overlap`` give for them."""

_FEW: Final = 20
"""Seeds that are enough to know how much validation sets overlap."""


@dataclass(frozen=True, eq=False)
class Fold:
    """The data of a seed; each part is computed when it is first needed, and then kept.

    Args:
      dataset: the share of the data that the study uses, as it was read: training, validation and test examples.
      splits: which examples train and which validate.
      tested: which of the study's test examples are those of ``dataset``, ascending; None for all of them.  # (m,)
      scale: as in ``DataSpec``.
      features: the preparation of all folds, which decides about the features; None if there is one fold.
      validated: the numbers of the validation examples, see ``Division``; None where none are tested.  # (v,)
    """

    dataset: Dataset
    splits: Splits
    tested: IntArray | None
    scale: str
    features: Preparation | None = None
    validated: IntArray | None = None

    @cached_property
    def preparation(self) -> Preparation:
        """How the columns of a table become features, fitted on the training split."""
        if self.features is None:
            return fit_preparation(self.dataset, self.splits.train)
        return refitted(self.features, self.dataset, self.splits.train)

    @cached_property
    def training(self) -> Dataset:
        """The data with the training and validation examples as models see them before scaling.

        The test set is as it was read.
        """
        x_train = prepare(self.preparation, self.dataset.columns, self.dataset.x_train)
        return self.dataset if x_train is self.dataset.x_train else dataclasses.replace(self.dataset, x_train=x_train)

    @cached_property
    def prepared(self) -> Dataset:
        """The same with the test set, for use when it is opened; ``columns`` name the features of a table."""
        return prepared_dataset(self.dataset, self.preparation)

    @cached_property
    def data(self) -> TrainingData:
        """What the engine trains on.

        Raises:
          DataError: as for ``training_data``.
        """
        from wellfit.engine.validation import check_data  # with JAX, which readers of a study do not need

        flags, silent = binary_features(self.preparation), self.features is not None
        data = training_data(self.training, self.splits, self.scale, flags, silent=silent)
        check_data(data)
        return data


class Sizes(NamedTuple):
    """The numbers of training and validation examples of a seed."""

    training: int
    validation: int


def folds_used(dataset: Dataset, spec: DataSpec) -> int:
    """The number of folds; 1 if both test and validation set are given."""
    return spec.folds if can_fold(dataset) else 1


def check_folds(dataset: Dataset, spec: DataSpec, seeds: Sequence[int], metric: str = "accuracy") -> dict[int, Sizes]:
    """Refuse, before anything is trained or written, a division that some seed cannot be trained or tested on.

    Args:
      dataset: all data.
      spec: how they are divided.
      seeds: of the study.
      metric: what the variants are compared on.

    Returns:
      The sizes of each seed's splits.

    Raises:
      StudyFileError: a number of folds that has no effect; a metric that the test examples of a seed cannot have.
      DataError: a division that cannot be made, with one that can where groups are in the way; a single test example,
        or a single group of them.

    Example:
      >>> from wellfit.data.catalog import load_dataset
      >>> check_folds(load_dataset("digits"), DataSpec("digits"), [0, 1])
      {0: Sizes(training=1150, validation=287), 1: Sizes(training=1150, validation=287)}
    """
    if spec.folds not in (1, DataSpec.folds) and not can_fold(dataset):
        raise StudyFileError(
            f"[data] folds = {spec.folds} has no effect, because both a test and a validation set are given; leave "
            "folds out, or one of the two sets"
        )
    bare = outline(dataset)
    try:
        examples = _examples(bare, spec, seeds, metric)
    except DataError as error:
        if dataset.pool is None or dataset.pool.groups is None or "train_share" in str(error):
            raise
        raise _refusal(bare, dataset.pool.groups, spec, seeds, metric) from error
    groups = groups_of_tests(dataset, folds_used(dataset, spec))
    if groups is not None and len(np.unique(groups)) < 2:
        raise DataError(
            f"{dataset.source}: all {len(groups)} test examples are in one group, which tells nothing about how much "
            "groups differ; give test examples of more groups, use folds, or name another group column, or none"
        )
    return examples


def _examples(bare: Dataset, spec: DataSpec, seeds: Sequence[int], metric: str) -> dict[int, Sizes]:
    """The sizes of each seed's splits, once each can be trained and tested."""
    examples = {}
    divided = _divided(bare, spec, None) if folds_used(bare, spec) == 1 else None
    for seed in seeds:
        of_seed = divided or _divided(bare, spec, seed)
        labels = of_seed.dataset.y_test
        if len(labels) < 2:
            raise DataError(
                f"{bare.source}: the test set has one example, which tells nothing about how much examples differ; "
                "give more test examples, or none, so that wellfit divides the data"
            )
        check_metric(metric, labels, seed)
        examples[seed] = Sizes(len(of_seed.splits.train), len(of_seed.splits.validation))
    return examples


def _refusal(bare: Dataset, groups: IntArray, spec: DataSpec, seeds: Sequence[int], metric: str) -> DataError:
    """What to say where groups cannot be divided: the numbers of folds that they can be divided into, if any."""

    def works(folds: int) -> bool:
        try:
            _examples(bare, replace(spec, folds=folds), seeds, metric)
        except (DataError, StudyFileError):
            return False
        tested = groups_of_tests(bare, folds)
        return tested is not None and len(np.unique(tested)) > 1

    others = [folds for folds in range(DataSpec.folds, 0, -1) if folds != spec.folds and works(folds)]
    sizes = np.unique(groups, return_counts=True)[1]
    fix = (
        f"use folds = {others[0]} (--set data.folds={others[0]})"
        if others
        else "no other number of folds does; give a test set, or name another group column, or none"
    )
    return DataError(
        f"{bare.source}: {len(sizes)} groups, the largest with {sizes.max():,} of {len(groups):,} examples, do not "
        f"give every seed of {spec.folds} fold{'s' * (spec.folds > 1)} groups to train on, groups to validate on, and "
        f"two test examples; {fix}"
    )


def groups_of_tests(dataset: Dataset, folds: int) -> IntArray | None:
    """The group of each example that any seed can be tested on; None without groups.  # (M,)

    Args:
      dataset: all data.
      folds: the number of folds that are used.
    """
    pool, groups = dataset.pool, dataset.test_groups
    if pool is not None and pool.groups is not None:
        return pool.groups[: len(example_labels(dataset))] if folds > 1 else pool.groups[pool.held_out]
    if groups is None:
        return None
    alone = groups < 0  # each is a group of its own
    return np.where(alone, groups.max() + 1 + np.cumsum(alone), groups)


def fold_of(dataset: Dataset, spec: DataSpec, seed: int | None) -> Fold:
    """The data of a seed.

    Args:
      dataset: all data.
      spec: how they are divided and scaled.
      seed: None if all seeds have the same.

    Raises:
      DataError: as for ``division``.
    """
    divided = _divided(dataset, spec, seed)
    features = None
    if folds_used(dataset, spec) > 1:
        whole = dataset if dataset.pool is None else _together(divided.dataset)
        features = fit_preparation(whole, np.arange(len(whole.x_train)))
    return Fold(divided.dataset, divided.splits, divided.tested, spec.scale, features, divided.validated)


def validation_overlap(dataset: Dataset, spec: DataSpec, seeds: Sequence[int]) -> float:
    """The share of its validation examples that two seeds have in common, on average over pairs of seeds.

    Of many seeds, the first 20 stand for all. An example that c of S seeds validate on is shared by c (c - 1) / 2 of
    the S (S - 1) / 2 pairs.

    Args:
      dataset: all data.
      spec: how they are divided.
      seeds: of the study.

    Returns:
      1 if all seeds have the same validation set, as with one fold; 0 if no two seeds share an example.
    """
    if folds_used(dataset, spec) == 1 or dataset.validation_rows is not None or len(seeds) < 2:
        return 1.0
    bare, few = outline(dataset), seeds[:_FEW]
    times = np.bincount(np.concatenate([_divided(bare, spec, seed).validated for seed in few]))  # (N,)
    return float(times @ (times - 1)) / ((len(few) - 1) * int(times.sum()))


def searched_overlap(dataset: Dataset, spec: DataSpec, seeds: Sequence[int], searched: Sequence[int]) -> float:
    """The share of the validation examples of a study's seeds on which a search validated, too.

    Args:
      dataset: all data.
      spec: how they are divided.
      seeds: of the study, of which the first 20 stand for all.
      searched: the seeds of the search.

    Returns:
      1 if all seeds have the same validation set, as with one fold.
    """
    if folds_used(dataset, spec) == 1 or dataset.validation_rows is not None:
        return 1.0
    bare = outline(dataset)
    ours, theirs = (
        np.concatenate([_divided(bare, spec, seed).validated for seed in some]) for some in (seeds[:_FEW], searched)
    )
    return float(np.isin(ours, theirs).mean())


def _together(dataset: Dataset) -> Dataset:
    """A table with the examples of all folds as training examples."""
    if len(dataset.input_shape) != 1:
        return dataset
    x: NDArray[Any] = np.concatenate([dataset.x_train, dataset.x_test])
    y = np.concatenate([dataset.y_train, dataset.y_test])
    return dataclasses.replace(dataset, x_train=x, y_train=y, validation_rows=None, groups=None, test_groups=None)


def _divided(dataset: Dataset, spec: DataSpec, seed: int | None) -> Division:
    return division(
        dataset,
        seed,
        folds=spec.folds,
        validation=spec.validation,
        train_share=spec.train_share,
        split_seed=spec.split_seed,
    )


def hash_of_splits(dataset: Dataset, spec: DataSpec) -> str:
    """The hash of how all seeds divide the data, whichever seeds a study has."""
    return split_hash(dataset, _divided(dataset, spec, 0), folds=spec.folds)
