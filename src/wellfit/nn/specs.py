"""Functions that specify an architecture, one for every kind of model. Plain data; no JAX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from wellfit.base import Activation, Initializer, LayerSpec, ModelSpec, Output
from wellfit.errors import StudyFileError, UnknownNameError

__all__ = ["cnn", "layers", "lenet5", "logistic", "mlp"]


def mlp(
    *hidden: int,
    activation: Activation = "relu",
    initializer: Initializer = "glorot_uniform",
    batch_norm: bool = False,
    output: Output = "softmax",
) -> ModelSpec:
    """A multi-layer perceptron: dense layers, each followed by dropout, and a dense output.

    Args:
      hidden: number of units of every hidden layer.
      activation: of the hidden layers.
      initializer: of the kernels.
      batch_norm: whether batch normalization follows every hidden layer.
      output: ``"softmax"``, or ``"sigmoid"`` for a single unit and two classes.

    Example:
      >>> mlp(128, 64).hidden
      (128, 64)
      >>> mlp(128, activation="tanh", batch_norm=True).activation
      'tanh'
    """
    return ModelSpec("mlp", hidden, activation, initializer, batch_norm, output)


def logistic(*, initializer: Initializer = "glorot_uniform", output: Output = "softmax") -> ModelSpec:
    """Logistic regression: a single dense layer.

    Args:
      initializer, output: as for ``mlp``.

    Example:
      >>> logistic().kind
      'logistic'
    """
    return ModelSpec("logistic", (), initializer=initializer, output=output)


def lenet5(
    *,
    activation: Activation = "relu",
    initializer: Initializer = "glorot_uniform",
    batch_norm: bool = False,
    output: Output = "softmax",
) -> ModelSpec:
    """LeNet-5 for images: three convolutions of 6, 16 and 120 filters, a dense layer of 84 units, a dense output.

    The layers and their sizes follow LeCun et al. (1998), "Gradient-based learning applied to document recognition";
    relu, max pooling and softmax are today's usual choices.

    Args:
      activation, initializer, batch_norm, output: as for ``mlp``.

    Example:
      >>> lenet5(activation="tanh").kind
      'lenet5'
    """
    return ModelSpec("lenet5", (), activation, initializer, batch_norm, output)


def cnn(
    *filters: int,
    activation: Activation = "relu",
    initializer: Initializer = "glorot_uniform",
    output: Output = "softmax",
) -> ModelSpec:
    """A convolutional network for images: blocks of 3 x 3 convolution and batch normalization, then global averaging.

    Max pooling between blocks halves height and width.

    Args:
      filters: number of filters of every block's convolution.
      activation, initializer, output: as for ``mlp``.

    Example:
      >>> cnn(16, 32).hidden
      (16, 32)
    """
    return ModelSpec("cnn", filters, activation, initializer, output=output)


def layers(stack: Sequence[LayerSpec | Mapping[str, Any]], *, output: Output = "softmax") -> ModelSpec:
    """A model as a list of layers.

    Args:
      stack: the layers as in a study file, each with its ``kind`` and that kind's settings (see
        ``wellfit.base.LayerSpec``); the last is the output layer, without softmax or sigmoid.
      output: ``"softmax"``, or ``"sigmoid"`` for an output layer with one unit and two classes.

    Raises:
      StudyFileError: a layer that is not a table, or has no kind.
      UnknownNameError: an unknown key; the message suggests the nearest one.

    Example:
      >>> model = layers([{"kind": "flatten"}, {"kind": "dense", "units": 64, "function": "relu"},
      ...                 {"kind": "dropout", "rate": 0.5}, {"kind": "dense", "units": 10}])
      >>> [layer.kind for layer in model.layers]
      ['flatten', 'dense', 'dropout', 'dense']
    """
    return ModelSpec("layers", (), output=output, layers=tuple(_layer(i, layer) for i, layer in enumerate(stack)))


def _layer(place: int, layer: object) -> LayerSpec:
    if isinstance(layer, LayerSpec):
        return layer
    where = f"layers[{place}]"
    if not isinstance(layer, Mapping) or "kind" not in layer:
        fix = 'give a table with a kind, for example {"kind": "dense", "units": 64}'
        raise StudyFileError(f"{where}: {layer!r} is not a layer; {fix}")
    known = [field.name for field in fields(LayerSpec)]
    for key in layer:
        if key not in known:
            raise UnknownNameError("key", str(key), known, where)
    return LayerSpec(**layer)
