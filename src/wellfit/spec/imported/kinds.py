"""Lists of layers that are one of wellfit's own kinds of models, so that its settings can be varied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from wellfit.base import LayerSpec, ModelSpec

__all__ = ["known_kind"]


def known_kind(layers: Sequence[LayerSpec], output: Any) -> tuple[ModelSpec, tuple[float, ...]] | None:
    """The model of wellfit's own kinds that has these layers, if there is one, and the rates of its dropout layers.

    A kind may have dropout where the list has none; the rate is then 0.

    Args:
      layers: output layer last, without softmax or sigmoid.
      output: of the model.

    Example:
      >>> known_kind([LayerSpec("flatten"), LayerSpec("dense", units=8, function="relu"), LayerSpec("dense", units=3)],
      ...            "softmax")
      (ModelSpec(kind='mlp', hidden=(8,), activation='relu', initializer='glorot_uniform', batch_norm=False, \
output='softmax', layers=(), origin=''), (0.0,))
    """
    from wellfit.nn.models import layer_specs  # which loads JAX

    for model in _candidates(layers, output):
        rates = _rates(layer_specs(model, layers[-1].units), layers)
        if rates is not None:
            return model, rates
    return None


def _candidates(layers: Sequence[LayerSpec], output: Any) -> Iterator[ModelSpec]:
    """The models of each kind that could have these layers."""
    end = layers[-1]
    if end.kind != "dense":
        return
    units = tuple(layer.units for layer in layers[:-1] if layer.kind == "dense")
    filters = tuple(layer.filters for layer in layers if layer.kind == "conv2d")
    function: Any = next((layer.function for layer in layers if layer.function), "relu")
    usual = ModelSpec("logistic", (), function, end.initializer, any(k.kind == "batch_norm" for k in layers), output)
    if not filters and not units:
        yield usual
    elif not filters and len(units) <= 64:
        yield replace(usual, kind="mlp", hidden=units)
    elif units:
        yield replace(usual, kind="lenet5")
    elif len(filters) <= 64:
        yield replace(usual, kind="cnn", hidden=filters, batch_norm=False)


def _rates(wanted: Sequence[LayerSpec], layers: Sequence[LayerSpec]) -> tuple[float, ...] | None:
    """The rate of each dropout layer of the first list if the second has the same layers, or else None."""
    rates: list[float] = []
    left = [_explicit(layer) for layer in layers]
    for layer in wanted:
        if layer.kind == "dropout":
            rates.append(left.pop(0).rate if left and left[0].kind == "dropout" else 0.0)
        elif not left or left.pop(0) != _explicit(layer):
            return None
    return None if left else tuple(rates)


def _explicit(layer: LayerSpec) -> LayerSpec:
    from wellfit.nn.models import window

    size, stride = window(layer)
    return replace(layer, size=size, stride=stride)
