"""A list of layers is a kind of model if that kind expands to it, apart from dropout."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wellfit.base import LayerSpec, ModelSpec
from wellfit.nn.models import layer_specs
from wellfit.spec.imported.kinds import known_kind

MODELS = [
    ModelSpec("logistic", (), initializer="he_normal"),
    ModelSpec("mlp", (12, 8), "tanh"),
    ModelSpec("mlp", (12,), "gelu", "zeros", batch_norm=True),
    ModelSpec("mlp", (5,), output="sigmoid"),
    ModelSpec("lenet5", ()),
    ModelSpec("lenet5", (), "tanh", "lecun_normal", batch_norm=True),
    ModelSpec("cnn", (4, 6, 8), "elu"),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_a_kind_is_known_by_its_layers_with_and_without_dropout(model: ModelSpec) -> None:
    layers = layer_specs(model, 3)
    places = sum(layer.kind == "dropout" for layer in layers)
    assert known_kind([layer for layer in layers if layer.kind != "dropout"], model.output) == (model, (0.0,) * places)
    rated = [replace(layer, rate=0.5) if layer.kind == "dropout" else layer for layer in layers]
    assert known_kind(rated, model.output) == (model, (0.5,) * places)


def test_a_difference_makes_it_a_list() -> None:
    layers = list(layer_specs(ModelSpec("mlp", (12, 8)), 3))
    assert known_kind(layers, "softmax") is not None
    for at, other in (
        (1, replace(layers[1], bias=False)),
        (1, replace(layers[1], spread=0.1)),
        (3, replace(layers[3], function="tanh")),
        (5, replace(layers[5], initializer="he_normal")),
        (0, LayerSpec("dropout", rate=0.1)),
    ):
        assert known_kind([*layers[:at], other, *layers[at + 1 :]], "softmax") is None
    assert known_kind([*layers, LayerSpec("global_average_pool")], "softmax") is None
    assert known_kind([*layers[:3], LayerSpec("dropout"), *layers[3:]], "softmax") is None
