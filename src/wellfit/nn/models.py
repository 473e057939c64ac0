"""Models: a list of layers, built from a ``ModelSpec`` for an input shape and a number of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import jax
import numpy as np

from wellfit.base import ModelSpec
from wellfit.errors import ShapeError, UnknownNameError
from wellfit.nn import layers
from wellfit.nn.layers import Initial, Layer, Mode, Params

__all__ = ["Model", "ModelParams", "build", "count_parameters"]

ModelParams: TypeAlias = dict[str, Params]
"""Layer name -> array name -> array: ``params["dense_1"]["kernel"]``."""

_STREAM: Final = 0  # distinguishes initial weights from other random numbers of the same seed


@dataclass(frozen=True)
class Model:
    """A network as an init/apply pair.

    Args:
      layers: the layers with their names, in order; a name is the kind and its number, ``"dense_1"``.
      input_shape: the shape of one example.
      kernels: the names of the layers that have a kernel, the output layer last.
      dropouts: how many dropout layers there are.
    """

    layers: tuple[tuple[str, Layer], ...]
    input_shape: tuple[int, ...]
    kernels: tuple[str, ...]
    dropouts: int

    def init(self, seed: int) -> dict[str, Initial]:
        """Draw initial weights from a seed; a layer's depend on the seed and the layer's place alone."""
        made = {}
        for place, (name, layer) in enumerate(self.layers):
            params = layer.init(np.random.Generator(np.random.PCG64([seed, _STREAM, place])))
            if params:
                made[name] = params
        return made

    def apply(self, params: ModelParams, x: jax.Array, mode: Mode | None = None) -> jax.Array:
        """Map a batch to logits; ``mode`` None is inference."""
        for name, layer in self.layers:
            x = layer.apply(params.get(name, {}), x, mode)
        return x  # (B, classes)


def build(spec: ModelSpec, input_shape: tuple[int, ...], classes: int) -> Model:
    """Build the network that a spec describes.

    Args:
      spec: the architecture.
      input_shape: the shape of one example.
      classes: the number of outputs.

    Raises:
      ShapeError: there is nothing to classify, or a layer does not fit.
      UnknownNameError: no model of this kind.

    Example:
      >>> count_parameters(build(ModelSpec("mlp", (128, 64)), (28, 28), 10))
      109386
    """
    if classes < 2 or not input_shape:
        raise ShapeError(f"a classifier needs two classes and an input, got {classes} classes, input shape {input_shape}")
    if spec.kind not in ("logistic", "mlp"):
        raise UnknownNameError("model", spec.kind, ("logistic", "mlp"))
    hidden = spec.hidden if spec.kind == "mlp" else ()
    stack = [layers.flatten(input_shape)]
    for index, units in enumerate(hidden):
        stack.append(layers.dense(stack[-1].output_shape, units))
        stack.append(layers.relu(stack[-1].output_shape))
        stack.append(layers.dropout(stack[-1].output_shape, index))
    stack.append(layers.dense(stack[-1].output_shape, classes))
    named = _named(stack)
    kernels = tuple(name for name, layer in named if layer.kind == "dense")
    return Model(named, input_shape, kernels, len(hidden))


def _named(stack: list[Layer]) -> tuple[tuple[str, Layer], ...]:
    """Number the layers of each kind from 1."""
    seen: dict[str, int] = {}
    named = []
    for layer in stack:
        seen[layer.kind] = seen.get(layer.kind, 0) + 1
        named.append((f"{layer.kind}_{seen[layer.kind]}", layer))
    return tuple(named)


def count_parameters(model: Model) -> int:
    """How many trainable numbers a model has."""
    return sum(array.size for params in model.init(0).values() for array in params.values())
