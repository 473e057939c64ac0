"""Architectures in Python's words: what they say, and the networks that come of them."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import wellfit
from wellfit.base import LayerSpec, ModelSpec
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.nn.models import build
from wellfit.nn.specs import cnn, layers, lenet5, logistic, mlp

LAYERS: list[Any] = [
    {"kind": "conv2d", "filters": 4, "function": "relu"},
    LayerSpec("flatten"),
    {"kind": "dropout", "rate": 0.5},
    {"kind": "dense", "units": 2},
]


def test_each_says_its_kind_and_leaves_the_rest_at_its_default() -> None:
    assert mlp(8, 4) == ModelSpec("mlp", (8, 4))
    assert logistic() == ModelSpec("logistic", ())
    assert lenet5() == ModelSpec("lenet5", ())
    assert cnn(8, 16) == ModelSpec("cnn", (8, 16))
    result = (LayerSpec("conv2d", filters=4, function="relu"), LayerSpec("flatten"), LayerSpec("dropout", rate=0.5))
    assert layers(LAYERS) == ModelSpec("layers", (), layers=(*result, LayerSpec("dense", units=2)))


def test_every_keyword_reaches_its_field() -> None:
    names: dict[str, Any] = {"activation": "elu", "initializer": "he_normal", "output": "sigmoid"}
    assert mlp(8, **names, batch_norm=True) == ModelSpec("mlp", (8,), "elu", "he_normal", True, "sigmoid")
    assert lenet5(**names, batch_norm=True) == ModelSpec("lenet5", (), "elu", "he_normal", True, "sigmoid")
    assert cnn(8, **names) == ModelSpec("cnn", (8,), "elu", "he_normal", False, "sigmoid")
    assert layers(LAYERS, output="sigmoid").output == "sigmoid"
    del names["activation"]
    assert logistic(**names) == ModelSpec("logistic", (), initializer="he_normal", output="sigmoid")


@pytest.mark.parametrize("model", [mlp(3), logistic(), lenet5(), cnn(4, 8), layers(LAYERS)], ids=lambda m: m.kind)
def test_a_study_takes_them_and_a_network_comes_of_them(model: ModelSpec) -> None:
    assert wellfit.Study("digits", model).spec.base.model == model
    network = build(model, (28, 28), 2)
    assert network.layers[-1][1].output_shape == (2,)


@pytest.mark.parametrize("layer", ["dense", {"units": 3}, None], ids=["a name", "no kind", "nothing"])
def test_an_invalid_layer_is_rejected_with_its_position(layer: Any) -> None:
    with pytest.raises(StudyFileError, match=r"layers\[1\]: .* is not a layer; give a table with a kind") as caught:
        layers([{"kind": "flatten"}, layer])
    assert "\n" not in str(caught.value)


def test_an_unknown_key_of_a_layer_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown key 'unit' in layers\[0\]; did you mean 'units'\?"):
        layers([{"kind": "dense", "unit": 3}])


def test_naming_a_model_loads_no_jax() -> None:
    code = "import sys, wellfit; wellfit.mlp(1); print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
