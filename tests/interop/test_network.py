"""Layers as other libraries need them; what they compute is tested with each library."""

from __future__ import annotations

from dataclasses import replace

import pytest

import fitted_models as made
from wellfit.base import LayerSpec, ModelSpec
from wellfit.errors import ShapeError
from wellfit.interop.network import common_preparation, encodable, network_steps, takes_images


def test_windows_have_their_sizes_and_borders() -> None:
    layers = (
        LayerSpec("conv2d", filters=2, stride=2, padding="same"),
        LayerSpec("max_pool"),
        LayerSpec("average_pool", size=3, stride=1, padding="same", function=""),
        LayerSpec("global_average_pool"),
        LayerSpec("dropout", rate=0.5),
        LayerSpec("dense", units=2, function="relu"),
        LayerSpec("dense", units=2),
    )
    steps = network_steps(ModelSpec("layers", layers=layers), (8, 9), 2)
    assert [s.settings for s in steps if s.name != "relu_1"] == list(layers)
    assert [(s.name, s.size, s.stride, s.pads, s.shape) for s in steps] == [
        ("conv2d_1", 3, 2, (0, 1, 1, 1), (4, 5, 2)),
        ("max_pool_1", 2, 2, (0, 0, 0, 0), (2, 2, 2)),
        ("average_pool_1", 3, 1, (1, 1, 1, 1), (2, 2, 2)),
        ("global_average_pool_1", 0, 0, (0, 0, 0, 0), (2,)),
        ("dropout_1", 0, 0, (0, 0, 0, 0), (2,)),
        ("dense_1", 0, 0, (0, 0, 0, 0), (2,)),
        ("relu_1", 0, 0, (0, 0, 0, 0), (2,)),
        ("dense_2", 0, 0, (0, 0, 0, 0), (2,)),
    ]


def test_the_unit_of_a_sigmoid_is_the_last_layer() -> None:
    steps = network_steps(ModelSpec("mlp", (3,), output="sigmoid"), (5,), 2)
    assert [(step.name, step.shape) for step in steps[-2:]] == [("dropout_1", (3,)), ("dense_2", (1,))]
    assert not takes_images(ModelSpec("mlp"), (5,), 2)


def test_what_fills_in_may_differ_and_columns_may_not() -> None:
    model = made.table_model()
    first, second = (network.preparation for network in model.networks)
    assert first != second
    assert common_preparation(model) is first
    fewer = replace(second, columns=second.columns[1:])
    with pytest.raises(ShapeError, match="take different columns"):
        common_preparation(replace(model, networks=(model.networks[0], replace(model.networks[1], preparation=fewer))))


def test_half_a_character_is_spelled_out() -> None:
    assert encodable("\ud83d🙂") == "\\ud83d🙂"
