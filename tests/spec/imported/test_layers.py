"""Every layer that can be read, with the options that Keras gives it, and every option that cannot."""

from __future__ import annotations

import json
from typing import Any

import keras
import pytest

from keras_texts import part
from wellfit.base import LayerSpec
from wellfit.errors import StudyFileError
from wellfit.nn.models import LAYERS
from wellfit.spec.imported.chain import KerasLayer
from wellfit.spec.imported.layers import KNOWN, Kernel, check_common, kernel_of, layer_of

K = keras.layers


def of(layer: Any) -> KerasLayer:
    """A live layer as Keras describes it."""
    return KerasLayer(type(layer).__name__, json.loads(json.dumps(layer.get_config())), "layer 1")


READ = [
    (K.Dense(3, "tanh"), LayerSpec("dense", units=3, function="tanh")),
    (K.Dense(3, use_bias=False), LayerSpec("dense", units=3, bias=False)),
    (
        K.Conv2D(4, 5, strides=2, padding="same", kernel_initializer="he_normal"),
        LayerSpec("conv2d", filters=4, size=5, stride=2, padding="same", initializer="he_normal"),
    ),
    (
        K.Conv2D(4, (3, 3), kernel_initializer=keras.initializers.RandomNormal(stddev=0.2)),
        LayerSpec("conv2d", filters=4, size=3, stride=1, initializer="random_normal", spread=0.2),
    ),
    (K.MaxPooling2D(), LayerSpec("max_pool", size=2, stride=2)),
    (K.MaxPooling2D(3, strides=1, padding="same"), LayerSpec("max_pool", size=3, stride=1, padding="same")),
    (K.AveragePooling2D((2, 2), strides=(1, 1)), LayerSpec("average_pool", size=2, stride=1)),
    (K.GlobalAveragePooling2D(), LayerSpec("global_average_pool")),
    (K.Flatten(), LayerSpec("flatten")),
    (K.Dropout(0.25, seed=3), LayerSpec("dropout", rate=0.25)),
    (K.BatchNormalization(), LayerSpec("batch_norm")),
    (K.Activation("sigmoid"), LayerSpec("activation", function="sigmoid")),
    (K.ReLU(), LayerSpec("activation", function="relu")),
    (K.LeakyReLU(negative_slope=0.2), LayerSpec("activation", function="leaky_relu")),
    (K.ELU(), LayerSpec("activation", function="elu")),
    (K.Dense(3, activation=K.ReLU()), LayerSpec("dense", units=3, function="relu")),
]


@pytest.mark.parametrize(("theirs", "ours"), READ, ids=lambda one: getattr(one, "kind", None))
def test_layers_as_keras_writes_them(theirs: Any, ours: LayerSpec) -> None:
    layer = of(theirs)
    check_common(layer)
    assert layer_of(layer, None) == ours


def test_every_kind_of_layer_can_come_from_keras() -> None:
    assert {ours.kind for _, ours in READ} == set(LAYERS)
    assert {type(theirs).__name__ for theirs, _ in READ} | {"Rescaling", "Normalization", "Reshape", "Softmax"} == {
        *KNOWN
    } - {"InputLayer"}


def test_a_softmax_is_an_activation_for_now() -> None:
    assert str(layer_of(of(K.Softmax()), 1).function) == "softmax"


UNSUPPORTED = [
    (K.Dense(3, bias_initializer="ones"), "bias_initializer = Ones is not supported; wellfit has zeros"),
    (K.Dense(3, bias_regularizer="l2"), "bias_regularizer = L2 is not supported; leave it out"),
    (K.Dense(3, activity_regularizer="l2"), "activity_regularizer = L2 is not supported; leave it out"),
    (K.Dense(3, bias_constraint="non_neg"), "bias_constraint = NonNeg is not supported; leave it out"),
    (K.Conv2D(3, (3, 5)), r"kernel_size = \[3, 5\] is not supported; wellfit's windows are square"),
    (K.Conv2D(3, 3, strides=(1, 2)), r"strides = \[1, 2\] is not supported"),
    (K.Conv2D(4, 3, groups=2), "groups = 2 is not supported; wellfit has 1"),
    (K.Conv2D(3, 3, dilation_rate=2), r"dilation_rate = \(2, 2\) is not supported; wellfit has \(1, 1\)"),
    (K.Conv2D(3, 3, data_format="channels_first"), "data_format = 'channels_first' is not supported"),
    (K.MaxPooling2D(2, data_format="channels_first"), "data_format = 'channels_first' is not supported"),
    (K.MaxPooling2D((2, 3)), r"pool_size = \[2, 3\] is not supported"),
    (K.GlobalAveragePooling2D(keepdims=True), "keepdims = True is not supported; leave it out"),
    (K.Flatten(data_format="channels_first"), "data_format = 'channels_first' is not supported"),
    (K.Dropout(0.5, noise_shape=(1, 3)), r"noise_shape = \(1, 3\) is not supported"),
    (K.BatchNormalization(momentum=0.9), "momentum = 0.9 is not supported; wellfit has 0.99"),
    (K.BatchNormalization(epsilon=1e-5), "epsilon = 1e-05 is not supported; wellfit has 0.001"),
    (K.BatchNormalization(center=False), "center = False is not supported; wellfit has True"),
    (K.BatchNormalization(scale=False), "scale = False is not supported; wellfit has True"),
    (K.BatchNormalization(axis=1), "axis = 1 is not supported; wellfit normalizes the last axis"),
    (K.BatchNormalization(gamma_initializer="zeros"), "gamma_initializer = Zeros is not supported; wellfit has ones"),
    (K.BatchNormalization(gamma_regularizer="l2"), "gamma_regularizer = L2 is not supported; leave it out"),
    (K.ReLU(max_value=6), r"max_value = 6(\.0)? is not supported; leave it out"),
    (K.Softmax(axis=2), "axis = 2 is not supported; wellfit has -1"),
    (K.Activation("softplus"), "activation = 'softplus' is not supported"),
]


@pytest.mark.parametrize(("theirs", "message"), UNSUPPORTED, ids=lambda one: one if isinstance(one, str) else "")
def test_options_that_wellfit_lacks_are_named(theirs: Any, message: str) -> None:
    with pytest.raises(StudyFileError, match=f"^layer 1: {message}"):
        layer_of(of(theirs), 3)


def test_the_axis_of_the_channels_may_be_counted() -> None:
    for rank, axis in ((3, [3]), (1, 1), (3, -1), (2, [2])):
        assert layer_of(KerasLayer("BatchNormalization", {"axis": axis}, "layer 1"), rank).kind == "batch_norm"


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("LSTM", "wellfit has no such layer; of Keras's layers it takes InputLayer, .*Dense, .* Softmax$"),
        ("Lambda", "wellfit has no such layer; of Keras's layers it takes"),
        ("Functional", "wellfit has no such layer; put the layers of the inner model into the outer one"),
        ("RandomFlip", "wellfit has no such layer; use augmentation"),
    ],
)
def test_layers_that_wellfit_lacks_are_named(kind: str, message: str) -> None:
    with pytest.raises(StudyFileError, match=f"^layer 1: {message}"):
        check_common(KerasLayer(kind, {}, "layer 1"))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", part("DTypePolicy", name="float16"), {"config": 3}, 7])
def test_other_types_of_numbers_are_named(policy: Any) -> None:
    with pytest.raises(StudyFileError, match=r"dtype = .* is not supported; wellfit has float32 \(set precision"):
        check_common(KerasLayer("Dense", {"dtype": policy}, "layer 1"))


def test_what_keras_keeps_with_a_kernel() -> None:
    dense = K.Dense(
        3, kernel_regularizer=keras.regularizers.L1L2(0.25, 0.5), kernel_constraint=keras.constraints.MaxNorm(3)
    )
    assert kernel_of(of(dense)) == Kernel(0.25, 0.5, 3.0, "layer 1")
    assert kernel_of(of(K.Conv2D(3, 3))) == Kernel(0.0, 0.0, 0.0, "layer 1")
    assert kernel_of(of(K.Flatten())) is None


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("Dense", {}, "units = None: must be a whole number"),
        ("Dense", {"units": 2**40}, "must be a whole number from 1 to 1,000,000"),
        ("Dense", {"units": 3, "use_bias": "no"}, "use_bias = 'no': must be true or false"),
        ("Conv2D", {"filters": 3, "kernel_size": [3]}, r"kernel_size = \[3\] is not supported"),
        ("Conv2D", {"filters": 3, "kernel_size": {}}, "must be a whole number"),
        ("Conv2D", {"filters": 3, "kernel_size": 3, "padding": "causal"}, "padding = 'causal' is not supported"),
        ("Conv2D", {"filters": 3, "kernel_size": 3, "padding": ["same"]}, "padding = .* is not supported"),
        ("Dropout", {"rate": 1}, "rate = 1: must be a number of at least 0 and less than 1"),
        ("Dropout", {}, "rate = None: must be a number"),
        ("Activation", {"activation": {"class_name": {}}}, "activation = .* is not supported"),
    ],
)
def test_options_that_are_none(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        layer_of(KerasLayer(kind, options, "layer 1"), 1)
