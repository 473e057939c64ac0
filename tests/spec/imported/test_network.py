"""Whole networks: the kinds that wellfit has, lists of layers, and what becomes a setting of the recipe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import keras
import pytest

from keras_texts import DENSE, MLP, layer, part, sequential
from wellfit.base import LayerSpec, ModelSpec
from wellfit.errors import StudyFileError
from wellfit.spec.imported.network import Imported, imported

FLAT, NORM = layer("Flatten"), layer("BatchNormalization")
CONV = layer("Conv2D", filters=4, kernel_size=[3, 3], activation="relu")


def hidden(units: int = 8, **options: Any) -> dict[str, Any]:
    return layer("Dense", units=units, **{"activation": "relu", **options})


def read(*layers: Any, shape: tuple[int | None, ...] | None = (4,)) -> Imported:
    return imported(sequential(*layers, shape=shape), "m")


def test_an_mlp_with_a_penalty_and_dropout() -> None:
    found = imported(MLP, "m")
    assert found.model == ModelSpec("mlp", (8,))
    assert found.recipe() == {"l2": 0.01, "dropout": 0.25}
    assert (found.scale, found.rank, found.name) == (None, 1, "net")


def test_rates_of_single_layers_and_an_activation_apart() -> None:
    found = read(hidden(8, activation=None), layer("Activation", activation="tanh"), hidden(6, activation="tanh"),
                 layer("Dropout", rate=0.5), DENSE)  # fmt: skip
    assert found.model == ModelSpec("mlp", (8, 6), "tanh")
    assert found.recipe() == {"dropout": (0.0, 0.5)}


def test_strengths_of_single_kernels() -> None:
    def l2(strength: float) -> dict[str, Any]:
        return part("L1L2", l1=strength / 2, l2=strength)

    several = read(hidden(kernel_regularizer=l2(0.1)), hidden(kernel_regularizer=l2(0.2)), DENSE)
    assert several.recipe() == {"l1": (0.05, 0.1, 0.0), "l2": (0.1, 0.2, 0.0)}
    everywhere = {**DENSE, "config": {**DENSE["config"], "kernel_regularizer": l2(0.1)}}
    assert read(hidden(kernel_regularizer=l2(0.1)), everywhere).recipe() == {"l1": (0.05, 0.05), "l2": (0.1, 0.1)}
    assert read(everywhere).recipe() == {"l1": 0.05, "l2": 0.1}


def test_one_bound_for_all_hidden_kernels() -> None:
    bound = part("MaxNorm", max_value=3, axis=0)
    assert read(hidden(kernel_constraint=bound), hidden(kernel_constraint=bound), DENSE).recipe() == {"max_norm": 3.0}
    ended = {**DENSE, "config": {**DENSE["config"], "kernel_constraint": bound}}
    assert read(ended).recipe() == {"max_norm": 3.0}
    for layers in ([hidden(kernel_constraint=bound), hidden(), DENSE], [hidden(kernel_constraint=bound), ended]):
        with pytest.raises(StudyFileError, match=r"^m, layer 3 .* its MaxNorm differs; wellfit has one bound"):
            read(*layers)


def test_the_kinds_of_models_that_wellfit_has() -> None:
    lenet = [
        layer("Conv2D", filters=6, kernel_size=[5, 5], padding="same", activation="relu"),
        layer("MaxPooling2D", pool_size=[2, 2], strides=[2, 2]),
        layer("Conv2D", filters=16, kernel_size=[5, 5], activation="relu"),
        layer("Dropout", rate=0.5),
        layer("MaxPooling2D", pool_size=[2, 2], strides=None),
        layer("Conv2D", filters=120, kernel_size=[5, 5], activation="relu"),
        *(FLAT, hidden(84), DENSE),
    ]
    found = read(*lenet, shape=(28, 28, 1))
    assert (found.model, found.recipe()) == (ModelSpec("lenet5", ()), {"dropout": (0.0, 0.5, 0.0)})
    block = [{**CONV, "config": {**CONV["config"], "padding": "same", "activation": None}}, NORM, layer("ReLU")]
    cnn = [*block, layer("MaxPooling2D", pool_size=[2, 2]), *block, layer("GlobalAveragePooling2D"), DENSE]
    assert read(*cnn, shape=(8, 8, 1)).model == ModelSpec("cnn", (4, 4))
    assert read(FLAT, DENSE, shape=(8, 8)).model == ModelSpec("logistic", ())
    normal = [
        hidden(8, kernel_initializer="he_normal"),
        NORM,
        {**DENSE, "config": {"units": 3, "kernel_initializer": "he_normal"}},
    ]
    assert read(*normal).model == ModelSpec("mlp", (8,), initializer="he_normal", batch_norm=True)


def test_other_networks_are_lists_of_layers_with_places_for_dropout() -> None:
    he = hidden(8, kernel_initializer="he_normal")
    layers = read(he, NORM, layer("ELU"), DENSE).model.layers
    assert [k.kind for k in layers] == ["flatten", "dense", "batch_norm", "activation", "dropout", "dense"]
    assert layers[1] == LayerSpec("dense", units=8, function="relu", initializer="he_normal")
    pooled = read(CONV, layer("GlobalAveragePooling2D"), DENSE, shape=(8, 8, 1)).model.layers
    assert [k.kind for k in pooled] == ["conv2d", "global_average_pool", "dropout", "dense"]


def test_dropout_stays_where_it_is() -> None:
    found = read(layer("Dropout", rate=0.2), hidden(), DENSE)
    assert [k.kind for k in found.model.layers] == ["flatten", "dropout", "dense", "dense"]
    assert found.recipe() == {"dropout": 0.2}
    assert all(k.rate == 0 for k in found.model.layers)
    reserved = read(CONV, layer("Dropout", rate=0.0), FLAT, DENSE, shape=(8, 8, 1))
    assert [k.kind for k in reserved.model.layers] == ["conv2d", "dropout", "flatten", "dense"]
    assert reserved.recipe() == {}


@pytest.mark.parametrize(
    ("end", "output"),
    [
        ([layer("Dense", units=3)], "softmax"),
        ([layer("Dense", units=3), layer("Softmax")], "softmax"),
        ([layer("Dense", units=3), layer("Activation", activation="softmax")], "softmax"),
        ([layer("Dense", units=1, activation="sigmoid")], "sigmoid"),
        ([layer("Dense", units=1), layer("Activation", activation="sigmoid")], "sigmoid"),
        ([layer("Dense", units=1)], "sigmoid"),
    ],
)
def test_the_end_of_a_network_is_part_of_the_loss(end: list[Any], output: str) -> None:
    found = read(hidden(), *end)
    assert (found.model.kind, found.model.output) == ("mlp", output)


def test_a_network_may_end_in_an_average_of_channels() -> None:
    for end in ([], [layer("Softmax")]):
        found = read(CONV, layer("GlobalAveragePooling2D"), *end, shape=(8, 8, 1))
        assert [k.kind for k in found.model.layers] == ["conv2d", "global_average_pool"]


REFUSED = {
    "one unit and softmax": ([layer("Dense", units=1, activation="softmax")], "has 1 units and softmax; .* sigmoid"),
    "units and sigmoid": ([layer("Dense", units=3, activation="sigmoid")], "has 3 units and sigmoid; .* softmax"),
    "relu": ([hidden(3)], "has 3 units and relu"),
    "two activations": ([hidden(3), layer("Softmax")], "the network must end with a Dense layer"),
    "dropout": ([DENSE, layer("Dropout", rate=0.5)], "comes after a softmax"),
    "softmax within": ([layer("Dense", units=8, activation="softmax"), DENSE], "comes after a softmax"),
    "no kernel": ([NORM], "nothing to train"),
    "scaling alone": ([layer("Rescaling", scale=2.0)], "is the last layer"),
    "scaling within": ([hidden(), layer("Rescaling", scale=2.0), DENSE], "stands behind other layers"),
    "an unknown layer": ([hidden(), layer("Attention"), DENSE], "layer 3 .Attention 'attention'.: wellfit has no such"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_networks_that_wellfit_cannot_train(name: str) -> None:
    layers, message = REFUSED[name]
    with pytest.raises(StudyFileError, match=message):
        read(*layers)


def test_scaling_is_that_of_the_study() -> None:
    def scale(*layers: Any, shape: tuple[int, ...] = (4,)) -> Any:
        return read(*layers, DENSE, shape=shape).scale

    numpy = {"class_name": "__numpy__", "config": {"value": [1.0] * 4, "dtype": "float32"}}
    assert scale() is None
    assert scale(layer("Rescaling", scale=1 / 255, offset=0.0)) == "unit"
    assert scale(layer("Rescaling", scale=1.0, offset=numpy), layer("Rescaling", scale=0.5)) == "standardize"
    assert scale(layer("Normalization", axis=[-1])) == "standardize"
    assert scale(layer("Normalization", axis=None), FLAT, shape=(8, 8, 1)) == "standardize"
    for options, message in (
        ({"scale": 1 / 127.5, "offset": -1.0}, r"offset = -1 is not supported; .* as Rescaling\(1/255\) does"),
        ({"scale": "a"}, "scale = 'a': must be a number"),
        ({"scale": -3}, r"scale = -3 is not supported; wellfit divides pixels, as Rescaling\(1/255\) does"),
        ({"scale": 0.0}, "scale = 0 is not supported"),
        ({"scale": 1 / 255, "clip": 1}, "clip = 1 is not supported; leave it out"),
        ({"scale": 1.0, "offset": True}, "offset = 'True': must be a number"),
        ({}, "scale = 'None': must be a number"),
    ):
        with pytest.raises(StudyFileError, match=message):
            scale(layer("Rescaling", **options))
    with pytest.raises(StudyFileError, match=r'normalizes the channels of images.* scale = "standardize"'):
        scale(layer("Normalization", axis=[-1]), FLAT, shape=(8, 8, 3))

    with pytest.raises(StudyFileError, match="invert = True is not supported; leave it out"):
        scale(layer("Normalization", axis=None, invert=True))


def test_a_scaling_that_is_replaced_is_said() -> None:
    def note(*scales: Any) -> str:
        return read(*(layer("Rescaling", scale=scale) for scale in scales), DENSE).note

    assert note() == note(1 / 255) == note(0.003921569) == note(2 / 255, 0.5) == note([1.0] * 4) == ""
    assert note(1 / 127.5).startswith("its Rescaling(0.00784314) is replaced: pixels are divided by the largest poss")
    assert note(1 / 255, 2).startswith("its Rescaling(0.00784314) is replaced")


@pytest.mark.parametrize(
    ("target", "shape", "same"),
    [
        ([28, 28, 1], (784,), True),
        ([-1, 28, 1], (784,), True),
        ([32, 32, 3], (3072,), True),
        ([14, 56, 1], (784,), False),
        ([7, 16, 7], (784,), False),
        ([14, 14, 4], (784,), False),
        ([28, 28, 1], (785,), False),
        ([-1, -1, 1], (784,), False),
        ([0, -1, 1], (784,), False),
        ([28, 28, 1], None, False),
        ([28, 28, 1], (None,), False),
        ([14, 56, 1], (14, 56), True),
        ([14, 56, -1], (14, 56, 1), True),
        ([28, 28, 1], (14, 56), False),
    ],
)
def test_reshape_makes_the_images_of_the_data_alone(target: list[int], shape: Any, same: bool) -> None:
    layers = layer("Reshape", target_shape=target), CONV, FLAT, DENSE
    if same:
        assert read(*layers, shape=shape).model.layers[0].kind == "conv2d"
        return
    with pytest.raises(StudyFileError, match=r"an Input .*; wellfit takes images as they are in the data; give Input"):
        read(*layers, shape=shape)


def test_images_and_rows() -> None:
    kinds = [
        k.kind for k in read(layer("Reshape", target_shape=[28, 28, 1]), CONV, FLAT, DENSE, shape=(784,)).model.layers
    ]
    assert kinds == ["conv2d", "flatten", "dropout", "dense"]
    assert read(layer("Reshape", target_shape=[-1]), DENSE, shape=(8, 8)).model.kind == "logistic"
    assert read(DENSE, shape=None).model.kind == "logistic"
    assert read(CONV, layer("Reshape", target_shape=[-1]), DENSE, shape=None).model.layers[1].kind == "flatten"
    for layers, message in (
        ([DENSE], "takes images, and acts on their last axis; put Flatten before it"),
        ([CONV, DENSE], "takes images, and acts on their last axis"),
        ([NORM, FLAT, DENSE], "normalizes the channels of images; put Flatten before it"),
        ([CONV, layer("Reshape", target_shape=[6, 6, 4]), FLAT, DENSE], r"target_shape = \[6, 6, 4\] is not supported"),
        ([layer("Reshape", target_shape="a"), DENSE], "target_shape = a: must be a list of whole numbers"),
        ([layer("Reshape", target_shape=[64], order="F"), DENSE], "order = 'F' is not supported; leave it out"),
    ):
        with pytest.raises(StudyFileError, match=message):
            read(*layers, shape=(8, 8, 1))


# --- Files from strangers ---------------------------------------------------------------------------------------------

ODD: list[Any] = [None, True, -1, 1.5, 10**30, "a", [], [[]], {"a": 1}, {"class_name": "Dense"}]


def every_layer() -> dict[str, Any]:
    """A functional model with every layer and object that can be read, as Keras itself describes it."""
    of, x = keras.layers, keras.Input((12, 12, 1))
    first = x
    for one in (
        of.Rescaling(1 / 255),
        of.Conv2D(4, 3, kernel_regularizer="l2", kernel_constraint=keras.constraints.MaxNorm(2, axis=[0, 1, 2])),
        of.BatchNormalization(),
        of.LeakyReLU(negative_slope=0.2),
        of.MaxPooling2D(2),
        of.AveragePooling2D(2),
        of.Flatten(),
        of.Dense(
            8, of.ReLU(), kernel_initializer=keras.initializers.RandomUniform(-0.1, 0.1), kernel_constraint="max_norm"
        ),
        of.Dropout(0.5),
        of.Reshape((8,)),
        of.Dense(3, kernel_initializer=keras.initializers.VarianceScaling(2.0)),
        of.Activation("softmax"),
    ):
        x = one(x)
    described: dict[str, Any] = json.loads(keras.Model(first, x).to_json())
    return described


def places(tables: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value."""
    items = tables.items() if isinstance(tables, dict) else enumerate(tables) if isinstance(tables, list) else ()
    for key, value in items:
        yield (*at, key)
        yield from places(value, (*at, key))


def test_any_odd_value_is_read_or_refused_in_one_line() -> None:
    """Every value of a model, replaced by each of many."""
    tables = every_layer()
    assert imported(tables, "m").max_norm == 2
    refused = 0
    for at in list(places(tables)):
        inner = tables
        for key in at[:-1]:
            inner = inner[key]
        own = inner[at[-1]]
        for odd in ODD:
            inner[at[-1]] = odd
            try:
                imported(tables, "m")
            except StudyFileError:
                refused += 1
        inner[at[-1]] = own
    assert refused > 1000
