"""Models whose parts do not fit each other, as damage or a stranger may make them."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fitted import COLUMNS, HEADER, PREPARATION, of_a_table, of_images
from wellfit.base import Column, LayerSpec, ModelSpec, Preparation, Reading, Scaling
from wellfit.errors import WellfitError
from wellfit.model.fitted import FittedModel
from wellfit.model.sound import check_sound


def with_form(model: FittedModel, **changes: Any) -> FittedModel:
    return replace(model, form=replace(model.form, **changes))


def with_preparation(**changes: Any) -> FittedModel:
    model = of_a_table()
    prepared = replace(PREPARATION, **changes)
    return replace(model, networks=tuple(replace(network, preparation=prepared) for network in model.networks))


def with_column(at: int, **changes: Any) -> FittedModel:
    columns = list(PREPARATION.columns)
    columns[at] = replace(columns[at], **changes)
    return with_preparation(columns=tuple(columns))


def with_scaling(kind: str = "unit", shift: Any = 0.0, factor: Any = 1.0) -> FittedModel:
    model = of_images()
    scaling = Scaling(kind, np.asarray(shift, np.float32), np.asarray(factor, np.float32))  # type: ignore[arg-type]
    return replace(model, networks=tuple(replace(network, scaling=scaling) for network in model.networks))


def with_weights(**changes: Any) -> FittedModel:
    model = of_images(seeds=1)
    weights = {**model.networks[0].weights, **{name.replace("__", "/"): array for name, array in changes.items()}}
    return replace(model, networks=(replace(model.networks[0], weights=weights),))


@pytest.mark.parametrize("model", [of_images(), of_a_table(), of_images(shape=(5,), pixel_max=None)])
def test_sound_models_pass(model: FittedModel) -> None:
    check_sound(model)


NAN = np.full((64, 8), np.nan, np.float32)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (replace(of_images(), classes=("a", "a", "b")), "two classes have the same name"),
        (with_form(of_images(), shape=()), "examples of shape"),
        (with_form(of_images(), shape=(8, 8, 1)), "images of shape"),
        (with_form(of_images(), shape=(2**20, 2**20)), "examples of shape"),
        (with_form(of_images(), pixel_max=float("nan")), "a largest pixel value of nan"),
        (with_form(of_images(), reading=Reading(image_size=9)), "its images are resized to another size"),
        (with_form(of_a_table(), columns=COLUMNS[:3]), "its columns are those of another table"),
        (with_form(of_a_table(), header=replace(HEADER, label=99)), "its header lacks columns"),
        (with_form(of_a_table(), header=replace(HEADER, label=-7)), "its header lacks columns"),
        (with_form(of_a_table(), header=replace(HEADER, names=())), "its header lacks columns"),
        (with_form(of_a_table(), header=replace(HEADER, features=(1, 2, 3, 9))), "its header lacks columns"),
        (with_form(of_a_table(), header=replace(HEADER, features=(1, 2, 3))), "its header is that of another table"),
        (with_form(of_a_table(), header=replace(HEADER, features=(2, 1, 3, 4))), "its header is that of another table"),
        (with_form(of_a_table(), used=()), "its preparation uses other columns"),
        (with_form(of_a_table(), columns=(Column("years"), *COLUMNS[1:]), header=None), "has other columns"),
        (with_column(0, column=-1), "its preparation is of another table"),
        (with_column(2, column=7), "its preparation is of another table"),
        (with_column(1, column=0), "its preparation is of another table"),
        (with_column(0, indicator=False), "its preparation has other features"),
        (with_column(1, categories=("blue", "green")), "its preparation has other columns"),
        (with_column(1, fill=2.0), "what fills in missing values is no category"),
        (with_column(0, fill=float("inf")), "what fills in missing values is not a finite number"),
        (with_preparation(left_out={}), "its preparation is of another table"),
        (with_scaling("evil"), "a scaling of kind 'evil'"),
        (with_scaling(factor=-1.0), "its scaling is not one of finite numbers"),
        (with_scaling(shift=np.nan), "its scaling is not one of finite numbers"),
        (with_scaling(shift=np.zeros(3)), "its scaling is of another shape"),
        (with_weights(dense_1__kernel=NAN), "a weight is not a finite number"),
        (with_weights(dense_9__kernel=NAN * 0 + 1), "a weight is not a finite number"),
        (with_weights(dense_9__kernel=np.ones(2, np.float32)), "its weights are those of other layers"),
        (with_weights(dense_1__kernel=np.ones((64, 9), np.float32)), "the weights of dense_1 are of another shape"),
    ],
)
def test_what_does_not_fit_is_refused(model: FittedModel, said: str) -> None:
    with pytest.raises((ValueError, WellfitError), match=said):
        check_sound(model)


def test_a_category_that_stands_twice() -> None:
    twice = ("red", "red")
    columns = (COLUMNS[0], replace(COLUMNS[1], categories=twice), *COLUMNS[2:])
    prepared = list(PREPARATION.columns)
    prepared[1] = replace(prepared[1], categories=twice)
    made = Preparation(tuple(prepared), PREPARATION.left_out, PREPARATION.features)
    model = with_form(of_a_table(), columns=columns)
    model = replace(model, networks=tuple(replace(network, preparation=made) for network in model.networks))
    with pytest.raises(ValueError, match="a category stands twice"):
        check_sound(model)


def test_a_layer_that_claims_to_be_huge_is_not_allocated() -> None:
    spec = dataclasses.replace(of_images().spec, hidden=(2**40,))
    with pytest.raises(ValueError, match="more than the 1,073,741,824 of a layer that wellfit trains"):
        check_sound(replace(of_images(), spec=spec))
    wide = LayerSpec("conv2d", filters=2**22, size=1)
    layers = (wide, LayerSpec("global_average_pool"), LayerSpec("dense", units=3))
    with pytest.raises(ValueError, match="a layer is larger than wellfit trains"):  # of values, not of weights
        check_sound(replace(of_images(), spec=ModelSpec("layers", layers=layers)))
