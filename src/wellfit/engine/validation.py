"""Checks before training: settings that do not fit the data or the model, and inconsistent data."""

from __future__ import annotations

import dataclasses

import numpy as np

from wellfit.base import IntArray, RunSpec, TrainingData
from wellfit.errors import DataError, StudyFileError
from wellfit.nn.augmentation import FOR_ROWS
from wellfit.nn.models import Model
from wellfit.nn.schedules import multipliers

__all__ = ["check_data", "check_run"]


def check_run(run: RunSpec, model: Model, examples: int) -> None:
    """Reject a run whose settings do not make sense for its model and data.

    Args:
      examples: number of training examples.

    Raises:
      StudyFileError: a batch larger than all training examples; batch normalization of a single example; a setting that
        the schedule does not have; dropout in a model without dropout layers; an image augmentation of feature rows;
        stochastic weight averaging together with early stopping.
    """
    recipe, size = run.recipe, run.recipe.batch_size
    if size > examples:
        raise StudyFileError(
            f"variant {run.variant!r}: batch_size = {size}, but it trains on {examples} examples; choose at most "
            f"{examples}"
        )
    if any(layer.kind == "batch_norm" for _, layer in model.layers) and _leaves_one(examples, size):
        which = "every batch" if size == 1 else f"with {examples} training examples, the last batch of an epoch"
        raise StudyFileError(
            f"variant {run.variant!r}: batch_size = {size}: {which} has a single example, which batch normalization "
            f"cannot normalize; choose batch_size = {_next_size(examples, size)}"
        )
    if recipe.schedule is not None:
        multipliers(recipe.schedule, 1)  # rejects invalid settings
    if recipe.dropout and not model.dropout:
        raise StudyFileError(
            f"variant {run.variant!r} sets dropout, but its model has no dropout layer; remove dropout or add a layer"
        )
    for name, strength in dataclasses.asdict(recipe.augmentation).items():
        if strength and len(model.input_shape) < 2 and name not in FOR_ROWS:
            raise StudyFileError(
                f"variant {run.variant!r}: the augmentation {name!r} needs images, but the examples have shape "
                f"{model.input_shape}; remove it"
            )
    if recipe.average is not None and recipe.average.kind == "swa" and recipe.early_stopping is not None:
        raise StudyFileError(
            f"variant {run.variant!r}: average = 'swa' averages the last epochs, which early_stopping does not know in "
            "advance; remove one of them, or use average = 'ema'"
        )


def _leaves_one(examples: int, size: int) -> bool:
    """Return whether some batch of an epoch has a single example."""
    return size == 1 or examples % size == 1


def _next_size(examples: int, size: int) -> int:
    """Return the next larger batch size that leaves no batch of one example; at most all examples at once."""
    return next(n for n in range(size + 1, max(examples, 2) + 1) if not _leaves_one(examples, n))


def check_data(data: TrainingData) -> None:
    """Reject inconsistent splits, before a compiled program silently clips indices that are out of range.

    Raises:
      DataError: a split that is empty, has unequal numbers of examples and labels, or has a label outside the classes;
        a sample position outside the training split.
    """
    splits = (("train", data.x_train, data.y_train), ("validation", data.x_validation, data.y_validation))
    for name, x, y in splits:
        if not len(x) or len(x) != len(y):
            raise DataError(
                f"x_{name} has {len(x)} examples, but y_{name} has {len(y)} labels; give one label per example"
            )
        _check_range(f"y_{name}", y, data.classes, f"a label of {data.classes} classes")
    if not len(data.sample):
        raise DataError("sample is empty; give at least one position in x_train, for the training metrics")
    _check_range("sample", data.sample, len(data.x_train), f"a position among {len(data.x_train)} training examples")


def _check_range(name: str, values: IntArray, count: int, what: str) -> None:
    wrong = np.flatnonzero((values < 0) | (values >= count))
    if len(wrong):
        row = int(wrong[0])
        raise DataError(f"{name}[{row}] is {int(values[row])}, which is not {what}; use values from 0 to {count - 1}")
