"""Single layers of Keras as layers of wellfit: the list of what can be read, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from wellfit.base import LayerSpec
from wellfit.spec.imported.chain import KerasLayer
from wellfit.spec.imported.files import refuse
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

__all__ = ["ANYWAY", "KNOWN", "Kernel", "check_common", "kernel_of", "layer_of"]

KNOWN: Final = (
    *("InputLayer", "Rescaling", "Normalization", "Reshape", "Dense", "Conv2D", "MaxPooling2D", "AveragePooling2D"),
    *("GlobalAveragePooling2D", "Flatten", "Dropout", "BatchNormalization", "Activation", "ReLU", "LeakyReLU", "ELU"),
    "Softmax",
)
"""The classes of layers that can be read."""

ANYWAY: Final = (
    "name",
    "trainable",
    "dtype",
    "batch_input_shape",
    "batch_shape",
    "autocast",
    "input_dim",
    "input_shape",
)
"""Options of every layer that do not matter here or are read elsewhere."""

_IMAGES: Final = {"data_format": ("channels_last", None)}

_ELSEWHERE: Final = {
    "GaussianNoise": "augmentation = { noise = 0.1 } does the same to the inputs",
    "RandomFlip": "use augmentation = { flip = 0.5 } in the study",
    "RandomRotation": "use augmentation = { rotation = 15 } in the study",
    "RandomTranslation": "use augmentation = { shift = 0.1 } in the study",
    "RandomZoom": "use augmentation = { zoom = 0.1 } in the study",
    "Sequential": "put the layers of the inner model into the outer one",
    "Functional": "put the layers of the inner model into the outer one; of an exported ensemble, export one --seed",
    "GlobalMaxPooling2D": "GlobalAveragePooling2D is the one that wellfit has",
}


@dataclass(frozen=True)
class Kernel:
    """What Keras keeps with a kernel, and wellfit in the recipe."""

    l1: float
    l2: float
    max_norm: float
    place: str


def check_common(layer: KerasLayer) -> None:
    """Refuse a layer that is not known, or does not compute in float32.

    Raises:
      StudyFileError: names the layer, and what wellfit has.
    """
    if layer.kind not in KNOWN:
        hint = _ELSEWHERE.get(layer.kind, f"of Keras's layers it takes {', '.join(KNOWN)}")
        refuse(layer.place, f"wellfit has no such layer; {hint}")
    policy = layer.config.get("dtype")
    if isinstance(policy, dict):
        inner = policy.get("config")
        policy = inner.get("name") if isinstance(inner, dict) else inner
    if policy not in (None, "float32"):
        fix = 'set precision = "mixed" in the study to compute products in bfloat16'
        refuse(layer.place, f"dtype = {str(policy)[:60]!r} is not supported; wellfit has float32 ({fix})")


def kernel_of(layer: KerasLayer) -> Kernel | None:
    """The penalties and the bound of a layer's kernel; None without a kernel.

    Raises:
      StudyFileError: a regularizer or constraint that wellfit does not have.
    """
    if layer.kind not in ("Dense", "Conv2D"):
        return None
    axes = (0,) if layer.kind == "Dense" else (0, 1, 2)
    l1, l2 = penalties_of(layer.config.get("kernel_regularizer"), layer.place)
    return Kernel(l1, l2, bound_of(layer.config.get("kernel_constraint"), layer.place, axes), layer.place)


def layer_of(layer: KerasLayer, rank: int | None) -> LayerSpec:
    """A layer as wellfit has it; its activation may be ``"softmax"``, which only the last layer may keep.

    Args:
      layer: of a kind that has a counterpart.
      rank: the number of axes of an example before the layer, None if that is not known.

    Raises:
      StudyFileError: an option that wellfit does not have.
    """
    match layer.kind:
        case "Dense":
            return _dense(layer)
        case "Conv2D":
            return _convolution(layer)
        case "MaxPooling2D" | "AveragePooling2D":
            return _pooling(layer)
        case "GlobalAveragePooling2D":
            only(layer.config, layer.place, _IMAGES, ANYWAY)
            return LayerSpec("global_average_pool")
        case "Flatten":
            only(layer.config, layer.place, _IMAGES, ANYWAY)
            return LayerSpec("flatten")
        case "Dropout":
            only(layer.config, layer.place, {}, (*ANYWAY, "rate", "seed"))
            return LayerSpec("dropout", rate=number(layer.config.get("rate"), layer.place, "rate", below=1))
        case "BatchNormalization":
            return _normalization(layer, rank)
        case "Activation":
            only(layer.config, layer.place, {}, (*ANYWAY, "activation"))
            return LayerSpec("activation", function=_function(layer.config.get("activation"), layer.place))
    described = {"class_name": layer.kind, "config": layer.config}
    return LayerSpec("activation", function=_function(described, layer.place))


def _function(value: Any, place: str) -> Any:
    return activation_of(value, place)


_WITH_KERNEL: Final = (
    *("activation", "use_bias", "kernel_initializer", "kernel_regularizer", "kernel_constraint", "bias_initializer"),
    *ANYWAY,
)


def _kernel_settings(layer: KerasLayer) -> dict[str, Any]:
    """Activation, bias and initial weights of a layer with a kernel."""
    config, place = layer.config, layer.place
    bias = config.get("use_bias", True)
    if not isinstance(bias, bool):
        refuse(place, f"use_bias = {str(bias)[:60]!r}: must be true or false")
    if bias:
        check_start(config.get("bias_initializer"), place, "bias_initializer", "zeros")
    function = _function(config.get("activation"), place)
    return {"function": function, "bias": bias, **initializer_of(config.get("kernel_initializer"), place)}


def _dense(layer: KerasLayer) -> LayerSpec:
    only(layer.config, layer.place, {}, (*_WITH_KERNEL, "units"))
    return LayerSpec("dense", units=whole(layer.config.get("units"), layer.place, "units"), **_kernel_settings(layer))


def _convolution(layer: KerasLayer) -> LayerSpec:
    config, place = layer.config, layer.place
    fixed = {**_IMAGES, "dilation_rate": ([1, 1], 1), "groups": (1,)}
    only(config, place, fixed, (*_WITH_KERNEL, "filters", "kernel_size", "strides", "padding"))
    return LayerSpec(
        "conv2d",
        filters=whole(config.get("filters"), place, "filters"),
        size=_square(config.get("kernel_size"), place, "kernel_size"),
        stride=_square(config.get("strides", 1), place, "strides"),
        padding=_padding(config, place),
        **_kernel_settings(layer),
    )


def _pooling(layer: KerasLayer) -> LayerSpec:
    config, place = layer.config, layer.place
    only(config, place, _IMAGES, (*ANYWAY, "pool_size", "strides", "padding"))
    size = _square(config.get("pool_size", 2), place, "pool_size")
    strides = config.get("strides")
    stride = size if strides is None else _square(strides, place, "strides")
    kind: Any = "max_pool" if layer.kind == "MaxPooling2D" else "average_pool"
    return LayerSpec(kind, size=size, stride=stride, padding=_padding(config, place))


def _square(value: Any, place: str, key: str) -> int:
    """The common length of both sides."""
    sides = value if isinstance(value, list) else [value, value]
    if len(sides) != 2 or sides[0] != sides[1]:
        refuse(place, f"{key} = {str(sides)[:60]} is not supported; wellfit's windows are square, with equal strides")
    return whole(sides[0], place, key)


def _padding(config: Mapping[str, Any], place: str) -> Any:
    padding = config.get("padding", "valid")
    if padding not in ("valid", "same"):
        refuse(place, f"padding = {str(padding)[:60]!r} is not supported; wellfit has 'valid' and 'same'")
    return padding


_BATCH_NORM: Final = {
    "momentum": (0.99,),
    "epsilon": (0.001,),
    "center": (True,),
    "scale": (True,),
}
_STARTS: Final = {
    "beta_initializer": "zeros",
    "gamma_initializer": "ones",
    "moving_mean_initializer": "zeros",
    "moving_variance_initializer": "ones",
}


def _normalization(layer: KerasLayer, rank: int | None) -> LayerSpec:
    config, place = layer.config, layer.place
    only(config, place, _BATCH_NORM, (*ANYWAY, *_STARTS, "axis", "fused", "renorm_momentum"))
    for key, wanted in _STARTS.items():
        check_start(config.get(key), place, key, wanted)
    axis = config.get("axis", -1)
    last = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if last not in (-1, rank):  # Keras 2 counts from the examples on, which are axis 0
        refuse(
            place, f"axis = {str(axis)[:60]} is not supported; wellfit normalizes the last axis, the channels: axis=-1"
        )
    return LayerSpec("batch_norm")
