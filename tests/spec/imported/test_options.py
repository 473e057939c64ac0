"""Activations, initializers, regularizers and constraints, as Keras 2 and Keras 3 write them."""

from __future__ import annotations

from typing import Any

import keras
import pytest

from keras_texts import part
from wellfit.errors import StudyFileError
from wellfit.spec.imported.options import (
    activation_of,
    bound_of,
    check_start,
    initializer_of,
    number,
    only,
    penalties_of,
    whole,
)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, ""),
        ("linear", ""),
        ("gelu", "gelu"),
        ("softmax", "softmax"),
        (part("ReLU", negative_slope=0.0, max_value=None, threshold=0.0, name="r"), "relu"),
        (part("LeakyReLU", negative_slope=0.2), "leaky_relu"),
        (part("LeakyReLU", alpha=0.2), "leaky_relu"),
        (part("LeakyReLU", alpha=0.20000000298023224), "leaky_relu"),  # as float32, from Keras 2
        (part("ELU", alpha=1.0), "elu"),
        (part("Softmax", axis=-1), "softmax"),
    ],
)
def test_activations(value: Any, wanted: str) -> None:
    assert activation_of(value, "layer 1") == wanted


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("selu", "activation = 'selu' is not supported; wellfit has relu, .* and linear"),
        ("ReLU", "activation = 'ReLU' is not supported"),
        (3, "activation = 3 is not supported"),
        ([], r"activation = \(\) is not supported"),
        (part("function"), "activation = function is not supported"),
        ({"class_name": "__lambda__", "config": {"value": "4wEAAA"}}, "activation = __lambda__ is not supported"),
        (part("ReLU", max_value=6.0), "max_value = 6.0 is not supported; leave it out"),
        (part("LeakyReLU", negative_slope=0.3), "LeakyReLU with slope 0.3; wellfit has 0.2"),
        (part("LeakyReLU", negative_slope=0.2, clip=3), "clip = 3 is not supported; leave it out"),
        (part("LeakyReLU"), "LeakyReLU with slope None; wellfit has 0.2"),
        (part("ELU", alpha=0.5), "alpha = 0.5 is not supported; wellfit has 1.0"),
        (part("Softmax", axis=2), "axis = 2 is not supported; wellfit has -1"),
    ],
)
def test_other_activations_are_named(value: Any, message: str) -> None:
    with pytest.raises(StudyFileError, match=f"^layer 1: {message}"):
        activation_of(value, "layer 1")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"initializer": "glorot_uniform"}, "glorot_uniform"),
        ({"initializer": "glorot_normal"}, keras.initializers.GlorotNormal(seed=1)),
        ({"initializer": "he_uniform"}, "he_uniform"),
        ({"initializer": "he_normal"}, keras.initializers.HeNormal()),
        ({"initializer": "lecun_uniform"}, keras.initializers.LecunUniform()),
        ({"initializer": "lecun_normal"}, "lecun_normal"),
        ({"initializer": "he_normal"}, keras.initializers.VarianceScaling(2.0, "fan_in", "truncated_normal")),
        ({"initializer": "glorot_uniform"}, keras.initializers.VarianceScaling(1.0, "fan_avg", "uniform")),
        ({"initializer": "zeros"}, "zeros"),
        ({"initializer": "random_normal", "spread": 0.05}, keras.initializers.RandomNormal()),
        ({"initializer": "random_normal", "spread": 0.01}, keras.initializers.RandomNormal(stddev=0.01)),
        ({"initializer": "truncated_normal", "spread": 0.1}, keras.initializers.TruncatedNormal(0.0, 0.1)),
        ({"initializer": "random_uniform", "spread": 0.2}, keras.initializers.RandomUniform(-0.2, 0.2)),
    ],
)
def test_initializers_as_keras_writes_them(ours: dict[str, Any], theirs: Any) -> None:
    described = keras.initializers.serialize(keras.initializers.get(theirs))
    assert initializer_of(described, "layer 1") == ours
    if isinstance(theirs, str):
        assert initializer_of(theirs, "layer 1") == ours


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (part("Orthogonal", gain=1.0), "kernel_initializer = Orthogonal is not supported; wellfit has glorot_uniform"),
        (part("VarianceScaling", scale=3.0), "kernel_initializer = VarianceScaling is not supported"),
        (part("VarianceScaling", scale=[]), "kernel_initializer = VarianceScaling is not supported"),
        (part("VarianceScaling", distribution="untruncated_normal"), "kernel_initializer = VarianceScaling is not"),
        (part("RandomNormal", mean=1.0), "kernel_initializer RandomNormal has another mean than 0"),
        (part("RandomNormal", mean="0"), "kernel_initializer RandomNormal has another mean than 0"),
        (part("RandomNormal", stddev=0), "kernel_initializer RandomNormal has another mean than 0, or no spread"),
        (part("RandomNormal", stddev="a"), "stddev of kernel_initializer = 'a': must be a number of at least 0"),
        (part("RandomUniform", minval=0.0, maxval=1.0), "kernel_initializer RandomUniform has another mean than 0"),
        (3, "kernel_initializer = 3 is not supported"),
    ],
)
def test_other_initializers_are_named(value: Any, message: str) -> None:
    with pytest.raises(StudyFileError, match=f"^layer 1: {message}"):
        initializer_of(value, "layer 1")


def test_no_initializer_is_the_usual_one() -> None:
    assert initializer_of(None, "layer 1") == {}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (None, (0.0, 0.0)),
        ("l1", (0.01, 0.0)),
        ("l2", (0.0, 0.01)),
        (keras.regularizers.L2(0.5), (0.0, 0.5)),
        (keras.regularizers.L1(0.5), (0.5, 0.0)),
        (keras.regularizers.L1L2(0.25, 0.5), (0.25, 0.5)),
    ],
)
def test_regularizers_as_keras_writes_them(theirs: Any, ours: tuple[float, float]) -> None:
    described = None if theirs is None else keras.regularizers.serialize(keras.regularizers.get(theirs))
    assert penalties_of(described, "layer 1") == pytest.approx(ours)


def test_other_regularizers_are_named() -> None:
    with pytest.raises(StudyFileError, match="kernel_regularizer = OrthogonalRegularizer is not supported"):
        penalties_of(part("OrthogonalRegularizer", factor=0.01), "layer 1")
    with pytest.raises(StudyFileError, match="l2 = -1: must be a number of at least 0"):
        penalties_of(part("L2", l2=-1), "layer 1")


def test_a_max_norm_bounds_the_weights_into_each_unit() -> None:
    described = keras.constraints.serialize(keras.constraints.MaxNorm(3, axis=[0, 1, 2]))
    assert bound_of(described, "layer 1", (0, 1, 2)) == 3.0
    assert bound_of(None, "layer 1", (0,)) == 0.0
    assert bound_of(part("MaxNorm"), "layer 1", (0,)) == 2.0
    for value, message in (
        (part("NonNeg"), "kernel_constraint = NonNeg is not supported; wellfit has MaxNorm"),
        (part("MaxNorm", axis=0), r"MaxNorm with axis = 0; wellfit bounds .*: axis=\[0, 1, 2\]"),
        (part("MaxNorm", axis=[0, 1, 2], max_value=0), "max_value = 0; give a bound above 0"),
    ):
        with pytest.raises(StudyFileError, match=message):
            bound_of(value, "layer 1", (0, 1, 2))


def test_weights_that_start_otherwise_are_refused() -> None:
    check_start(part("Ones"), "layer 1", "gamma_initializer", "ones")
    check_start(part("Constant", value=0.0), "layer 1", "bias_initializer", "zeros")
    check_start(None, "layer 1", "bias_initializer", "zeros")
    with pytest.raises(StudyFileError, match="bias_initializer = Constant is not supported; wellfit has zeros"):
        check_start(part("Constant", value=0.1), "layer 1", "bias_initializer", "zeros")


@pytest.mark.parametrize("value", [True, None, "1", [1], -1, float("inf"), float("nan"), 10**400])
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(StudyFileError, match=r"^layer 1: rate = .*: must be a number of at least 0 and less than 1$"):
        number(value, "layer 1", "rate", below=1)


@pytest.mark.parametrize("value", [True, None, "1", 1.0, 0, 10**9])
def test_what_is_no_whole_number(value: Any) -> None:
    with pytest.raises(StudyFileError, match=r"^layer 1: units = .*: must be a whole number from 1 to 1,000,000$"):
        whole(value, "layer 1", "units")
    assert whole(3, "layer 1", "units") == 3


def test_an_option_that_wellfit_lacks_must_be_off() -> None:
    only({"new": False, "newer": 0, "newest": []}, "layer 1", {}, ())
    with pytest.raises(StudyFileError, match=r"^layer 1: new = \(1, 2\) is not supported; leave it out$"):
        only({"new": [1, 2]}, "layer 1", {}, ())
    with pytest.raises(StudyFileError, match=r"groups = True is not supported; wellfit has 1$"):
        only({"groups": True}, "layer 1", {"groups": (1,)}, ())
    with pytest.raises(StudyFileError, match=r"^layer 1: new = .{57}\.\.\. is not supported"):
        only({"new": "a" * 500}, "layer 1", {}, ())
