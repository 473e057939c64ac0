"""Models: lists of layers, built from a ``ModelSpec`` for an input shape and a number of classes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from wellfit.base import LayerSpec, ModelSpec
from wellfit.errors import ShapeError, UnknownNameError
from wellfit.nn import convolution, layers
from wellfit.nn.initializers import INITIALIZERS
from wellfit.nn.layers import Initial, Layer, Mode, Params, dropout_noise, stateless
from wellfit.nn.normalization import batch_norm
from wellfit.nn.products import Precision
from wellfit.nn.tiles import channel_axis

__all__ = [
    "LAYERS",
    "MODELS",
    "Model",
    "ModelParams",
    "SummaryRow",
    "build",
    "count_parameters",
    "layer_specs",
    "summary",
    "window",
    "without_rates",
]

MODELS: Final = ("logistic", "mlp", "lenet5", "cnn", "layers")
LAYERS: Final = (
    "dense",
    "conv2d",
    "max_pool",
    "average_pool",
    "global_average_pool",
    "flatten",
    "activation",
    "dropout",
    "batch_norm",
)

ModelParams: TypeAlias = dict[str, Params]
"""Layer name -> array name -> array: ``params["dense_1"]["kernel"]``."""

_OF_IMAGES: Final = ("conv2d", "max_pool", "average_pool", "global_average_pool")

_STREAM: Final = 0  # separates initial weights from the other random streams of a seed


@dataclass(frozen=True)
class Model:
    """A network as an init/apply pair.

    Args:
      layers: names and layers, in order; a name is the kind and its number, for example ``"dense_1"``.
      input_shape: the shape of one example.
      kernels: the names of the layers with a kernel, the output layer last.
      dropout: the dropout layers' rates in the model's own specification.
      relus: the names of the relu layers, whose dead units are counted.
    """

    layers: tuple[tuple[str, Layer], ...]
    input_shape: tuple[int, ...]
    kernels: tuple[str, ...]
    dropout: tuple[float, ...]
    relus: tuple[str, ...]

    def init(self, seed: int) -> dict[str, Initial]:
        """Draw initial weights; a layer's weights depend only on the seed and the layer's position."""
        drawn = {}
        for place, (name, layer) in enumerate(self.layers):
            params = layer.init(np.random.Generator(np.random.PCG64([seed, _STREAM, place])))
            if params:
                drawn[name] = params
        return drawn

    def stats(self) -> dict[str, Initial]:
        """Return the initial statistics of the layers that have any."""
        return {name: dict(layer.stats) for name, layer in self.layers if layer.stats}

    def apply(
        self, params: ModelParams, stats: ModelParams, x: jax.Array, mode: Mode | None = None
    ) -> tuple[jax.Array, ModelParams]:
        """Return a batch's logits (B, classes) and the updated statistics; mode is None for inference."""
        moved = dict(stats)
        output = x
        for _, output, after in self._outputs(params, stats, x, mode, odd=True):  # noqa: B007
            moved |= after
        return output, moved  # (B, classes)

    def alive(self, params: ModelParams, stats: ModelParams, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Return a batch's logits in inference mode, and which relu units (channels) are positive for any example.

        Returns:
          Logits (B, classes) and a mask over the model's relu units.  # (units,)
        """
        masks = []
        output = x
        for names, output, _ in self._outputs(params, stats, x, None, odd=False):
            if not names.isdisjoint(self.relus):
                others = tuple(a for a in range(output.ndim) if a != channel_axis(output))
                masks.append((output > 0).any(axis=others))  # (units,)
        return output, jnp.concatenate(masks) if masks else jnp.ones(1, bool)

    def _outputs(
        self, params: ModelParams, stats: ModelParams, x: jax.Array, mode: Mode | None, *, odd: bool
    ) -> Iterator[tuple[frozenset[str], jax.Array, ModelParams]]:
        """Apply the layers; yields the names of those just applied, their output and their updated statistics.

        A convolution that can pool is applied together with the relu, the dropout and the pooling after it.

        Args:
          odd: whether it may do so where pooling leaves out a row or a column of the relu's output.
        """
        place = 0
        while place < len(self.layers):
            name, layer = self.layers[place]
            count = self._together(place, odd=odd)
            after: Params = {}
            if count > 1 and layer.pooled is not None:
                between = self.layers[place + 2][1]
                x = layer.pooled(params[name], x, dropout_noise(mode, between.index) if mode and count > 3 else None)
            else:
                x, after = layer.apply(params.get(name, {}), stats.get(name, {}), x, mode)
            yield frozenset(name for name, _ in self.layers[place : place + count]), x, {name: after} if after else {}
            place += count

    def _together(self, place: int, *, odd: bool) -> int:
        """Count the layers to apply at once: a convolution, relu, maybe dropout, and pooling; else 1."""
        layers = [layer for _, layer in self.layers[place : place + 4]]
        if layers[0].pooled is None or (not odd and any(size % 2 for size in layers[0].output_shape[:2])):
            return 1
        kinds = [layer.kind for layer in layers]
        count = 4 if kinds[2:3] == ["dropout"] else 3
        return count if kinds[1:2] == ["relu"] and len(layers) >= count and layers[count - 1].halves else 1


def layer_specs(spec: ModelSpec, classes: int) -> tuple[LayerSpec, ...]:
    """Expand a model of any kind to its list of layers, including the output layer.

    Raises:
      UnknownNameError: an unknown kind of model.

    Example:
      >>> [layer.kind for layer in layer_specs(ModelSpec("mlp", (32,)), 10)]
      ['flatten', 'dense', 'dropout', 'dense']
    """

    def spec_of(kind: str, **options: int | str) -> LayerSpec:
        return LayerSpec(kind, initializer=spec.initializer, **options)  # type: ignore[arg-type]

    normal = [LayerSpec("batch_norm")] if spec.batch_norm else []
    function = spec.activation
    output = spec_of("dense", units=1 if spec.output == "sigmoid" else classes)
    if spec.kind == "layers":
        return _without_end(spec)
    if spec.kind == "logistic":
        return (LayerSpec("flatten"), output)
    if spec.kind == "mlp":
        hidden = [[spec_of("dense", units=n, function=function), *normal, LayerSpec("dropout")] for n in spec.hidden]
        return (LayerSpec("flatten"), *(layer for block in hidden for layer in block), output)
    if spec.kind == "lenet5":
        return (
            spec_of("conv2d", filters=6, size=5, padding="same", function=function),
            *(*normal, LayerSpec("dropout"), LayerSpec("max_pool")),
            spec_of("conv2d", filters=16, size=5, function=function),
            *(*normal, LayerSpec("dropout"), LayerSpec("max_pool")),
            spec_of("conv2d", filters=120, size=5, function=function),
            *(*normal, LayerSpec("flatten")),
            spec_of("dense", units=84, function=function),
            *(*normal, LayerSpec("dropout")),
            output,
        )
    if spec.kind == "cnn":
        block = [LayerSpec("batch_norm"), LayerSpec("activation", function=function)]
        blocks = [[spec_of("conv2d", filters=n, padding="same"), *block] for n in spec.hidden]
        body = [layer for i, layers in enumerate(blocks) for layer in ([LayerSpec("max_pool")] if i else []) + layers]
        return (*body, LayerSpec("global_average_pool"), LayerSpec("dropout"), output)
    raise UnknownNameError("model", spec.kind, MODELS)


def window(layer: LayerSpec) -> tuple[int, int]:
    """The size and stride of a layer's window, defaults filled in; 0 for layers without a window.

    Example:
      >>> window(LayerSpec("conv2d")), window(LayerSpec("max_pool", size=3)), window(LayerSpec("flatten"))
      ((3, 1), (3, 3), (0, 0))
    """
    if layer.kind == "conv2d":
        return layer.size or 3, layer.stride or 1
    if layer.kind in ("max_pool", "average_pool"):
        size = layer.size or 2
        return size, layer.stride or size
    return 0, 0


def _without_end(spec: ModelSpec) -> tuple[LayerSpec, ...]:
    """Remove the final softmax (or the single unit's sigmoid), which is part of the loss."""
    if not spec.layers or spec.layers[-1].function != spec.output:
        return spec.layers
    *before, last = spec.layers
    return (*before,) if last.kind == "activation" else (*before, replace(last, function=""))


def build(
    spec: ModelSpec,
    input_shape: tuple[int, ...],
    classes: int,
    precision: Precision = "float32",
    *,
    kernels: bool = False,
) -> Model:
    """Build the network that a spec describes.

    Args:
      input_shape: the shape of one example.
      precision: of the matrix products.
      kernels: whether generated kernels compute the convolutions, in float32; see ``nn.kernels.availability``.

    Raises:
      ShapeError: a layer does not fit its input, or the output does not fit the classes; the message gives the layer's
        number and the shapes.
      UnknownNameError: an unknown model, layer, activation or initializer.

    Example:
      >>> count_parameters(build(ModelSpec("mlp", (128, 64)), (28, 28), 10))
      109386
      >>> count_parameters(build(ModelSpec("lenet5"), (28, 28), 10))
      61706
    """
    if classes < 2:
        raise ShapeError(
            f"a classifier needs at least two classes, but the data have {classes}; add data of other classes"
        )
    specs = layer_specs(spec, classes)
    stack: list[Layer] = []
    shape = input_shape
    if len(shape) in (2, 3) and any(layer.kind in _OF_IMAGES for layer in specs):
        stack.append(layers.tiles(shape))
        shape = stack[-1].output_shape
    rates: list[float] = []
    for number, layer in enumerate(specs, start=1):
        try:
            built = _layer(layer, shape, len(rates), precision, kernels=kernels)
        except ShapeError as error:
            raise ShapeError(f"layer {number}: {error}") from None
        if layer.kind == "dropout":
            rates.append(layer.rate)
        stack.extend(built)
        shape = stack[-1].output_shape
    stack.extend(_output(spec, shape, classes, len(specs)))
    named = _named(stack)
    with_kernel = tuple(name for name, layer in named if layer.kind in ("dense", "conv2d"))
    relus = tuple(name for name, layer in named if layer.kind == "relu")
    return Model(named, input_shape, with_kernel, tuple(rates), relus)


def _layer(
    spec: LayerSpec, shape: tuple[int, ...], dropouts: int, precision: Precision, *, kernels: bool
) -> list[Layer]:
    """Build one layer, followed by its activation if it has one."""
    if spec.initializer not in INITIALIZERS:
        raise UnknownNameError("initializer", spec.initializer, INITIALIZERS)
    start, bias, spread = spec.initializer, spec.bias, spec.spread
    size, stride = window(spec)
    if spec.kind == "dense":
        built = layers.dense(shape, spec.units, start, precision, bias=bias, spread=spread)
    elif spec.kind == "conv2d":
        sizes = spec.filters, size, stride
        rest = spec.padding, start, precision
        built = convolution.conv2d(shape, *sizes, *rest, bias=bias, spread=spread, kernels=kernels)
    elif spec.kind == "max_pool":
        return [convolution.max_pool(shape, size, stride, spec.padding)]
    elif spec.kind == "average_pool":
        return [convolution.average_pool(shape, size, stride, spec.padding)]
    elif spec.kind == "global_average_pool":
        return [convolution.global_average_pool(shape)]
    elif spec.kind == "flatten":
        return [layers.flatten(shape)]
    elif spec.kind == "activation":
        return [layers.activation(shape, spec.function or "relu")]
    elif spec.kind == "dropout":
        return [layers.dropout(shape, dropouts)]
    elif spec.kind == "batch_norm":
        return [batch_norm(shape, kernels=kernels and precision == "float32")]
    else:
        raise UnknownNameError("layer", spec.kind, LAYERS)
    return [built, layers.activation(built.output_shape, spec.function)] if spec.function else [built]


def _output(spec: ModelSpec, shape: tuple[int, ...], classes: int, count: int) -> list[Layer]:
    """Check the output shape; expand one sigmoid unit to two logits, since ``softmax([0, z])[1] = sigmoid(z)``."""
    wanted = (1,) if spec.output == "sigmoid" else (classes,)
    if spec.output not in ("softmax", "sigmoid"):
        raise UnknownNameError("output", spec.output, ("softmax", "sigmoid"))
    if spec.output == "sigmoid" and classes != 2:
        raise ShapeError(f"output = 'sigmoid' needs two classes, but the data have {classes}; use output = 'softmax'")
    if shape != wanted:
        raise ShapeError(f"layer {count}: the output has shape {shape}, but {classes} classes need shape {wanted}")
    if spec.output == "softmax":
        return []
    return [Layer("two_classes", (2,), stateless(lambda params, x: jnp.concatenate([jnp.zeros_like(x), x], axis=1)))]


def _named(stack: list[Layer]) -> tuple[tuple[str, Layer], ...]:
    """Number the layers of each kind from 1."""
    seen: dict[str, int] = {}
    named = []
    for layer in stack:
        seen[layer.kind] = seen.get(layer.kind, 0) + 1
        named.append((f"{layer.kind}_{seen[layer.kind]}", layer))
    return tuple(named)


class SummaryRow(NamedTuple):
    """A layer in a model's summary: its name, the shape of one example after it, and its number of parameters."""

    name: str
    output_shape: tuple[int, ...]
    parameters: int

    @property
    def operations(self) -> int:
        """Floating-point operations of one example's forward pass: two per parameter and image position."""
        return 2 * self.parameters * math.prod(self.output_shape[:-1])


def summary(model: Model) -> tuple[SummaryRow, ...]:
    """List a model's layers with their output shapes and numbers of trainable parameters.

    Example:
      >>> [row for row in summary(build(ModelSpec("mlp", (128, 64)), (28, 28), 10)) if row.parameters][0]
      SummaryRow(name='dense_1', output_shape=(128,), parameters=100480)
    """
    sizes = {name: sum(array.size for array in params.values()) for name, params in model.init(0).items()}
    return tuple(SummaryRow(name, layer.output_shape, sizes.get(name, 0)) for name, layer in model.layers)


def count_parameters(model: Model) -> int:
    """Count a model's trainable parameters."""
    return sum(row.parameters for row in summary(model))


def without_rates(spec: ModelSpec) -> ModelSpec:
    """Return a model's structure, without its dropout rates, which are traced."""
    return replace(spec, layers=tuple(replace(layer, rate=0.0) for layer in spec.layers))
