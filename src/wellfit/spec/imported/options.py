"""Options of Keras layers that are objects of their own: activations, initializers, regularizers, constraints."""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Mapping
from typing import Any, Final

from wellfit.base import Initializer
from wellfit.base.ranges import MAX_COUNT
from wellfit.spec.imported.files import refuse

__all__ = ["activation_of", "bound_of", "check_start", "initializer_of", "number", "only", "penalties_of", "whole"]

_ACTIVATIONS: Final = ("relu", "sigmoid", "tanh", "elu", "gelu", "leaky_relu", "softmax")
_SCALED: Final[Mapping[str, Initializer]] = {
    "glorotuniform": "glorot_uniform",
    "glorotnormal": "glorot_normal",
    "heuniform": "he_uniform",
    "henormal": "he_normal",
    "lecununiform": "lecun_uniform",
    "lecunnormal": "lecun_normal",
}
_SPREAD: Final[Mapping[str, Initializer]] = {
    "randomuniform": "random_uniform",
    "randomnormal": "random_normal",
    "truncatednormal": "truncated_normal",
}
_FAMILIES: Final = {(1.0, "fanavg"): "glorot", (2.0, "fanin"): "he", (1.0, "fanin"): "lecun"}
"""Scale and mode of Keras's ``VarianceScaling``, and what it is called."""


def number(value: Any, place: str, key: str, *, below: float = math.inf) -> float:
    """An option that must be a number, at least 0.

    Raises:
      StudyFileError: it is none, negative, not finite, or too large.

    Example:
      >>> number(1, "layer 2", "rate")
      1.0
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < below or math.isinf(value):
        most = f" and less than {below:g}" if below < math.inf else ""
        refuse(place, f"{key} = {_shown(value)}: must be a number of at least 0{most}")
    return _plain(float(value))


def _plain(value: float) -> float:
    """A number as it was typed: Keras 2 saves some as float32, whose nearest float64 has many more digits.

    Example:
      >>> _plain(0.0010000000474974513), _plain(0.1), _plain(0.123456789)
      (0.001, 0.1, 0.123456789)
    """
    short = float(f"{value:.7g}")
    rounded = struct.unpack("f", struct.pack("f", short))[0] if short < 3e38 else math.inf
    return short if value == rounded else value


def whole(value: Any, place: str, key: str) -> int:
    """An option that must be a whole number, at least 1.

    Raises:
      StudyFileError: it is none, or too large.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_COUNT:
        refuse(place, f"{key} = {_shown(value)}: must be a whole number from 1 to {MAX_COUNT:,}")
    return value


def only(config: Mapping[str, Any], place: str, wanted: Mapping[str, Any], used: Collection[str]) -> None:
    """Refuse options that change what a layer does and that wellfit does not have.

    Args:
      config: the options.
      wanted: option -> the values that do what wellfit does, the usual one first; an option that is left out is usual.
      used: options that are read elsewhere, or that do not matter. Any other must be off.

    Raises:
      StudyFileError: another value; names it.

    Example:
      >>> only({"groups": 1, "seed": 3, "future": None}, "layer 2", {"groups": (1,)}, ("seed",))
      >>> only({"groups": 2}, "layer 2", {"groups": (1,)}, ())
      Traceback (most recent call last):
        ...
      wellfit.errors.StudyFileError: layer 2: groups = 2 is not supported; wellfit has 1
    """
    for key, value in config.items():
        if key in wanted:
            if value not in wanted[key] or isinstance(value, bool) != isinstance(wanted[key][0], bool):
                refuse(place, f"{key} = {_shown(value)} is not supported; wellfit has {_shown(wanted[key][0])}")
        elif key not in used and not (value is None or value is False or value in (0, "", [], {})):
            refuse(place, f"{key[:60]} = {_shown(value)} is not supported; leave it out")


def _shown(value: Any) -> str:
    """A value in an error, as Python writes it; of an object of Keras, its name."""
    if isinstance(value, dict):
        name = value.get("class_name")
        return name[:60] if isinstance(name, str) else "an object of your own"
    text = repr(tuple(value) if isinstance(value, list) and len(value) < 9 else value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _named(value: Any) -> tuple[str, Mapping[str, Any]]:
    """The name of an object of Keras and its options; names are compared without case and underscores.

    Example:
      >>> _named("glorot_uniform"), _named({"class_name": "GlorotUniform", "config": {"seed": None}})
      (('glorotuniform', {}), ('glorotuniform', {'seed': None}))
    """
    name, config = (value.get("class_name"), value.get("config")) if isinstance(value, dict) else (value, {})
    plain = name.replace("_", "").lower() if isinstance(name, str) else ""
    return plain, config if isinstance(config, dict) else {}


# --- Activations ------------------------------------------------------------------------------------------------------


def activation_of(value: Any, place: str) -> str:
    """The name of an activation as wellfit has it, ``"softmax"`` included; empty for none.

    Args:
      value: a name, or a layer of activation.

    Raises:
      StudyFileError: another activation, or one with other options.

    Example:
      >>> activation_of("linear", "layer 1"), activation_of("relu", "layer 1")
      ('', 'relu')
    """
    if value is None or value == "linear":
        return ""
    if isinstance(value, str) and value in _ACTIVATIONS:
        return value
    name, config = _named(value)
    slope = config.get("negative_slope", config.get("alpha"))
    if name == "relu" and isinstance(value, dict):
        only(config, place, {}, _COMMON)
        return "relu"
    if name == "leakyrelu" and isinstance(value, dict):
        only(config, place, {}, (*_COMMON, "negative_slope", "alpha"))
        if not isinstance(slope, float) or _plain(slope) != 0.2:
            refuse(place, f"LeakyReLU with slope {_shown(slope)}; wellfit has 0.2: LeakyReLU(negative_slope=0.2)")
        return "leaky_relu"
    if name == "elu" and isinstance(value, dict):
        only(config, place, {"alpha": (1.0,)}, _COMMON)
        return "elu"
    if name == "softmax" and isinstance(value, dict):
        only(config, place, {"axis": (-1, 1)}, _COMMON)
        return "softmax"
    refuse(place, f"activation = {_shown(value)} is not supported; wellfit has {', '.join(_ACTIVATIONS)} and linear")


_COMMON: Final = ("name", "trainable", "dtype", "batch_input_shape", "batch_shape")


# --- Initializers -----------------------------------------------------------------------------------------------------


def initializer_of(value: Any, place: str) -> dict[str, Any]:
    """The initializer of a kernel as settings of a layer: ``initializer``, and ``spread`` where it has one.

    Raises:
      StudyFileError: another one, or one with other options.

    Example:
      >>> initializer_of("he_normal", "layer 1")
      {'initializer': 'he_normal'}
      >>> initializer_of({"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.01}}, "layer 1")
      {'initializer': 'random_normal', 'spread': 0.01}
    """
    if value is None:
        return {}
    name, config = _named(value)
    if name in _SCALED:
        return {"initializer": _SCALED[name]}
    if name == "zeros":
        return {"initializer": "zeros"}
    if name == "variancescaling" and (own := _scaling_name(config)):
        return {"initializer": own}
    if name in _SPREAD:
        key = "maxval" if name == "randomuniform" else "stddev"
        middle = (
            [config.get("minval", -0.05), config.get("maxval", 0.05)] if key == "maxval" else [config.get("mean", 0)]
        )
        numbers = [n for n in middle if isinstance(n, int | float) and not isinstance(n, bool)]
        spread = number(config.get(key, 0.05), place, f"{key} of kernel_initializer")
        if len(numbers) == len(middle) and sum(numbers) == 0 and spread > 0:
            return {"initializer": _SPREAD[name], "spread": spread}
        refuse(
            place, f"kernel_initializer {_shown(value)} has another mean than 0, or no spread; wellfit's have mean 0"
        )
    known = (*_SCALED.values(), *_SPREAD.values(), "zeros")
    refuse(place, f"kernel_initializer = {_shown(value)} is not supported; wellfit has {', '.join(known)}")


def _scaling_name(config: Mapping[str, Any]) -> str | None:
    """``he_normal`` and the like, as ``VarianceScaling`` calls them."""
    scale, mode = config.get("scale", 1.0), str(config.get("mode", "fan_in")).replace("_", "")
    family = _FAMILIES.get((scale, mode)) if isinstance(scale, int | float) else None
    kind = {"truncated_normal": "normal", "uniform": "uniform"}.get(str(config.get("distribution", "truncated_normal")))
    return f"{family}_{kind}" if family and kind else None


def check_start(value: Any, place: str, key: str, wanted: str) -> None:
    """Refuse an initializer other than the one that wellfit has for these weights.

    Args:
      wanted: ``"zeros"`` or ``"ones"``.

    Raises:
      StudyFileError: another one.

    Example:
      >>> check_start("zeros", "layer 1", "bias_initializer", "zeros")
    """
    name, config = _named(value)
    same = name == wanted or (name == "constant" and config.get("value") == (wanted == "ones"))
    if value is not None and not same:
        refuse(place, f"{key} = {_shown(value)} is not supported; wellfit has {wanted}")


# --- Penalties --------------------------------------------------------------------------------------------------------


def penalties_of(value: Any, place: str) -> tuple[float, float]:
    """The strengths of a regularizer of a kernel: L1 and L2.

    Raises:
      StudyFileError: another regularizer, or a strength that is not a number.

    Example:
      >>> penalties_of({"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.01}}, "layer 1")
      (0.0, 0.01)
    """
    if value is None:
        return 0.0, 0.0
    name, config = _named(value)
    if name not in ("l1", "l2", "l1l2"):
        refuse(place, f"kernel_regularizer = {_shown(value)} is not supported; wellfit has L1, L2 and L1L2")
    usual = {"l1": (0.01, 0.0), "l2": (0.0, 0.01), "l1l2": (0.0, 0.0)}[name]
    l1, l2 = (number(config.get(key, default), place, key) for key, default in zip(("l1", "l2"), usual, strict=True))
    return l1, l2


def bound_of(value: Any, place: str, axes: tuple[int, ...]) -> float:
    """The bound of a max-norm constraint of a kernel; 0 for none.

    Args:
      axes: over which wellfit takes the norm: all but the last.

    Raises:
      StudyFileError: another constraint, or a norm over other axes.

    Example:
      >>> bound_of({"class_name": "MaxNorm", "config": {"max_value": 3, "axis": 0}}, "layer 1", (0,))
      3.0
    """
    if value is None:
        return 0.0
    name, config = _named(value)
    if name != "maxnorm":
        refuse(place, f"kernel_constraint = {_shown(value)} is not supported; wellfit has MaxNorm")
    axis = config.get("axis", 0)
    if (tuple(axis) if isinstance(axis, list) else (axis,)) != axes:
        wanted = axes[0] if len(axes) == 1 else list(axes)
        refuse(place, f"MaxNorm with axis = {_shown(axis)}; wellfit bounds the weights into each unit: axis={wanted}")
    bound = number(config.get("max_value", 2), place, "max_value")
    if not bound:
        refuse(place, "MaxNorm with max_value = 0; give a bound above 0")
    return bound
