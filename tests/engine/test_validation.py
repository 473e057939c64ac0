"""Checks before training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from wellfit.base import (
    Augmentation,
    Averaging,
    EarlyStopping,
    LayerSpec,
    ModelSpec,
    Recipe,
    RunSpec,
    Schedule,
    TrainingData,
)
from wellfit.engine.plan import make_plan
from wellfit.engine.train import Trainer
from wellfit.errors import DataError, ShapeError, StudyFileError, UnknownNameError

NORMAL = Recipe(model=ModelSpec("mlp", (8,), batch_norm=True), batch_size=32)
MLP = replace(NORMAL, model=ModelSpec("mlp", (8,)))


def plan(recipe: Recipe, examples: int = 150, shape: tuple[int, ...] = (4, 4), classes: int = 3) -> None:
    make_plan([RunSpec("odd", 0, recipe)], shape, classes, (examples, 10, 10), 1)


@pytest.mark.parametrize(
    ("size", "examples", "fixed"), [(1, 150, 2), (32, 129, 33), (2, 151, 4), (128, 129, 129), (1, 3, 3)]
)
def test_batch_normalization_of_a_single_example_is_refused(size: int, examples: int, fixed: int) -> None:
    recipe = replace(NORMAL, batch_size=size)
    which = "every batch" if size == 1 else f"with {examples} training examples, the last batch of an epoch"
    message = (
        f"variant 'odd': batch_size = {size}: {which} has a single example, "
        f"which batch normalization cannot normalize; choose batch_size = {fixed}"
    )
    with pytest.raises(StudyFileError) as refused:
        plan(recipe, examples)
    assert str(refused.value) == message
    plan(replace(recipe, batch_size=fixed), examples)  # the suggested fix works
    plan(replace(MLP, batch_size=size), examples)  # fine without batch normalization


def test_batch_normalization_in_a_list_of_layers_counts_too() -> None:
    layers = (LayerSpec("flatten"), LayerSpec("batch_norm"), LayerSpec("dense", units=3))
    with pytest.raises(StudyFileError, match="batch normalization cannot normalize"):
        plan(replace(NORMAL, model=ModelSpec("layers", layers=layers), batch_size=149))


def test_a_batch_larger_than_the_training_split_is_refused() -> None:
    with pytest.raises(
        StudyFileError, match="variant 'odd': batch_size = 151, but it trains on 150 examples; choose at most 150"
    ):
        plan(replace(MLP, batch_size=151))


def test_swa_with_early_stopping_is_rejected_but_not_ema() -> None:
    stopping = replace(MLP, early_stopping=EarlyStopping(2))
    with pytest.raises(
        StudyFileError, match=r"variant 'odd': average = 'swa' .* early_stopping.*; remove one of them, or"
    ):
        plan(replace(stopping, average=Averaging("swa")))
    plan(replace(stopping, average=Averaging("ema")))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dropout": (0.1, 0.2)}, "variant 'odd': dropout has 2 values, but applies to 1 of the model's layers"),
        ({"l2": (0.1, 0.2, 0.3)}, "variant 'odd': l2 has 3 values, but applies to 1 of the model's layers"),
        ({"class_weights": (1.0, 2.0)}, "variant 'odd': class_weights has 2 values, but the data have 3 classes"),
    ],
)
def test_lists_of_the_wrong_length_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        plan(replace(MLP, **changes))


def test_models_that_do_not_fit_the_data_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"layer 1: conv2d with 6 filters takes images .* got shape \(16,\)"):
        plan(replace(MLP, model=ModelSpec("lenet5")), shape=(16,))
    with pytest.raises(ShapeError, match="output = 'sigmoid' needs two classes, but the data have 3"):
        plan(replace(MLP, model=ModelSpec("mlp", (8,), output="sigmoid")))
    with pytest.raises(UnknownNameError, match="unknown layer 'conv3d'; did you mean 'conv2d'"):
        plan(replace(MLP, model=ModelSpec("layers", layers=(LayerSpec("conv3d"),))))


def changed(array: np.ndarray, row: int, value: int) -> np.ndarray:
    copy = array.copy()
    copy[row] = value
    return copy


def test_labels_outside_the_classes_are_refused(small_data: TrainingData) -> None:
    with pytest.raises(
        DataError, match=r"y_train\[17\] is 3, which is not a label of 3 classes; use values from 0 to 2"
    ):
        Trainer(replace(small_data, y_train=changed(small_data.y_train, 17, 3)))
    with pytest.raises(DataError, match=r"y_validation\[5\] is -1, which is not a label of 3 classes"):
        Trainer(replace(small_data, y_validation=changed(small_data.y_validation, 5, -1)))


def test_inconsistent_splits_are_rejected(small_data: TrainingData) -> None:
    with pytest.raises(
        DataError, match="x_train has 150 examples, but y_train has 149 labels; give one label per example"
    ):
        Trainer(replace(small_data, y_train=small_data.y_train[:-1]))
    with pytest.raises(DataError, match="x_validation has 0 examples, but y_validation has 0 labels"):
        Trainer(replace(small_data, x_validation=small_data.x_validation[:0], y_validation=small_data.y_validation[:0]))
    with pytest.raises(DataError, match=r"sample\[2\] is 150, which is not a position among 150 training examples"):
        Trainer(replace(small_data, sample=np.array([0, 1, 150])))
    with pytest.raises(DataError, match="sample is empty; give at least one position in x_train"):
        Trainer(replace(small_data, sample=np.array([], np.int64)))


def test_unknown_schedule_settings_are_rejected_early():
    recipe = Recipe(schedule=Schedule("cosine", peak=0.5))
    with pytest.raises(StudyFileError, match="schedule 'cosine' has no setting 'peak'"):
        make_plan([RunSpec("a", 0, recipe)], (4,), 2, (100, 20, 20), 1)


def test_dropout_without_a_dropout_layer_is_rejected():
    layers = (LayerSpec("flatten"), LayerSpec("dense", units=2))
    recipe = Recipe(model=ModelSpec("layers", layers=layers), dropout=0.5)
    with pytest.raises(StudyFileError, match="'a' sets dropout, but its model has no dropout layer"):
        make_plan([RunSpec("a", 0, recipe)], (4,), 2, (100, 20, 20), 1)


def test_image_augmentation_of_feature_rows_is_rejected():
    recipe = Recipe(augmentation=Augmentation(shift=0.1))
    with pytest.raises(StudyFileError, match="augmentation 'shift' needs images"):
        make_plan([RunSpec("a", 0, recipe)], (4,), 2, (100, 20, 20), 1)
    make_plan([RunSpec("a", 0, Recipe(augmentation=Augmentation(noise=0.1, mixup=0.2)))], (4,), 2, (100, 20, 20), 1)
