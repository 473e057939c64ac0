"""What the engine refuses before it trains: settings that do not go with the data, and data that are wrong."""

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
    """Refuse a run that could be trained, but not sensibly.

    Args:
      run: the run.
      model: its network.
      examples: how many there are in the training split.

    Raises:
      StudyFileError: a batch larger than the training split; batch normalization of a single example; a setting that
        the schedule does not have; dropout in a model without a place for it; pictures' augmentation of feature rows;
        weights averaged over the last epochs of a training whose last epoch early stopping decides.
    """
    recipe, size = run.recipe, run.recipe.batch_size
    if size > examples:
        raise StudyFileError(
            f"batch_size = {size} of variant {run.variant!r} is larger than the training split "
            f"of {examples} examples; choose at most {examples}"
        )
    if any(layer.kind == "batch_norm" for _, layer in model.layers) and _leaves_one(examples, size):
        which = "each batch" if size == 1 else "the last batch of an epoch"
        raise StudyFileError(
            f"batch_size = {size} of variant {run.variant!r}: {which} of {examples} training examples is a single "
            f"example, which batch normalization cannot normalize; choose batch_size = {_mended(examples, size)}"
        )
    if recipe.schedule is not None:
        multipliers(recipe.schedule, 1)  # refuses settings that its kind does not have
    if recipe.dropout and not model.dropout:
        raise StudyFileError(
            f"variant {run.variant!r} has dropout, and its model has no dropout layer; remove it, or add a layer"
        )
    for name, strength in dataclasses.asdict(recipe.augmentation).items():
        if strength and len(model.input_shape) < 2 and name not in FOR_ROWS:
            raise StudyFileError(
                f"variant {run.variant!r} has the augmentation {name!r}, which needs images; the examples have shape "
                f"{model.input_shape}; remove it"
            )
    if recipe.average is not None and recipe.average.kind == "swa" and recipe.early_stopping is not None:
        raise StudyFileError(
            f"variant {run.variant!r} has average = 'swa', which needs to know its last epochs, and early_stopping, "
            "which decides them; remove one, or use average = 'ema'"
        )


def _leaves_one(examples: int, size: int) -> bool:
    """Whether some batch of an epoch is a single example."""
    return size == 1 or examples % size == 1


def _mended(examples: int, size: int) -> int:
    """The next larger batch size that leaves no single example; at the latest, all examples at once."""
    return next(n for n in range(size + 1, max(examples, 2) + 1) if not _leaves_one(examples, n))


def check_data(data: TrainingData) -> None:
    """Refuse splits that do not fit together, before a compiled program clips what is out of range.

    Args:
      data: the training and the validation split.

    Raises:
      DataError: a split without examples, with another number of labels than examples, or with a label outside the
        classes; a sample outside the training split.
    """
    splits = (("train", data.x_train, data.y_train), ("validation", data.x_validation, data.y_validation))
    for name, x, y in splits:
        if not len(x) or len(x) != len(y):
            raise DataError(f"x_{name} has {len(x)} examples, y_{name} has {len(y)} labels; give one label for each")
        _check_range(f"y_{name}", y, data.classes, f"a label of {data.classes} classes")
    if not len(data.sample):
        raise DataError("sample is empty; give positions in x_train on which to measure training metrics")
    _check_range("sample", data.sample, len(data.x_train), f"a position among {len(data.x_train)} training examples")


def _check_range(name: str, values: IntArray, count: int, what: str) -> None:
    wrong = np.flatnonzero((values < 0) | (values >= count))
    if len(wrong):
        row = int(wrong[0])
        raise DataError(
            f"{name} holds {int(values[row])} in row {row}, which is not {what}; they go from 0 to {count - 1}"
        )
