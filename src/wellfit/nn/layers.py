"""Layers: each function returns an init/apply pair for one network and one batch.

``init(generator)`` draws the layer's params on the host. ``apply(params, stats, x, mode)`` returns the layer's output
and its updated statistics; ``mode`` is None for inference and holds the step's noise and dropout rates during training.
Values that may differ within a population (dropout rates) are arrays in ``mode``; values that may not (numbers of
units) are fixed in the closure. Rows of values are (B, units); images are in tiles (T, channels, height, width, M).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from wellfit.base import SPREAD, FloatArray
from wellfit.errors import ShapeError, UnknownNameError
from wellfit.nn.initializers import draw_kernel
from wellfit.nn.products import Precision, product
from wellfit.nn.tiles import from_tiles, to_tiles

__all__ = [
    "ACTIVATIONS",
    "MOST_WEIGHTS",
    "Initial",
    "Layer",
    "Mode",
    "Noise",
    "Params",
    "activation",
    "check_weights",
    "dense",
    "dropout",
    "dropout_noise",
    "flatten",
    "stateless",
    "tiles",
]

Params: TypeAlias = dict[str, jax.Array]
"""The arrays of one layer by name, for example ``kernel`` and ``bias``; may be empty."""

Initial: TypeAlias = dict[str, FloatArray]
"""The same before training, drawn on the host so that nothing has to be compiled."""

MOST_WEIGHTS: Final = 2**30
"""Of one kernel: four gigabytes in float32, and several times as much during training."""

_STREAM_BITS: Final = 27  # a noise stream has 2**27 positions: room for 32 layers of 134 million values per batch
_NOISE_LEVELS: Final = 1 << 24  # dropout compares 24 random bits with the rate, which matches float32's precision


class Mode(NamedTuple):
    """The inputs of a network that exist only during training.

    Args:
      key: random key of the step, the same for every variant of a seed.
      dropout: the dropout layers' rates, in order, float32; None if no run of the program uses dropout.
        # (dropout layers,)
      weight: 1 for examples, 0 for the padding of the last batch, float32.  # (B,)
    """

    key: jax.Array
    dropout: jax.Array | None  # (dropout layers,)
    weight: jax.Array  # (B,)


Noise: TypeAlias = tuple[jax.Array, jax.Array]
"""The key, a layer's first position and the bound of its bits (4,), int32, and the scale of what stays (1,)."""

Apply: TypeAlias = Callable[[Params, Params, jax.Array, Mode | None], tuple[jax.Array, Params]]


def _nothing(generator: np.random.Generator) -> Initial:
    return {}


@dataclass(frozen=True)
class Layer:
    """An init/apply pair, with the kind and output shape for summaries.

    Args:
      kind: for example ``"dense"``.
      output_shape: the shape of one example after the layer.
      apply: (params, stats, x, mode) -> (x, stats); mode is None for inference.
      init: generator -> initial params, float32; empty if the layer has none.
      stats: initial statistics that training updates without gradients, for example batch normalization's.
      pooled: (params, x, noise) -> x, of a convolution that can compute the relu, the dropout and the 2 x 2 max pooling
        after it as well; the noise is that of ``dropout_noise``, or None.
      halves: whether it is such a pooling.
      index: number of a dropout layer in the model, from 0.
    """

    kind: str
    output_shape: tuple[int, ...]
    apply: Apply
    init: Callable[[np.random.Generator], Initial] = _nothing
    stats: Mapping[str, FloatArray] = field(default_factory=dict)
    pooled: Callable[[Params, jax.Array, Noise | None], jax.Array] | None = None
    halves: bool = False
    index: int = 0


def stateless(function: Callable[[Params, jax.Array], jax.Array]) -> Apply:
    """Turn a function that needs neither statistics nor noise into an ``apply`` function."""
    return lambda params, stats, x, mode: (function(params, x), stats)


def flatten(shape: tuple[int, ...]) -> Layer:
    """Flatten every example to a row of values.

    Args:
      shape: the shape of one example.

    Example:
      >>> flatten((28, 28)).output_shape
      (784,)
    """
    width = math.prod(shape)

    def apply(params: Params, x: jax.Array) -> jax.Array:
        batch = from_tiles(x) if x.ndim == 5 else x  # (B, ...)
        return batch.reshape(-1, width)  # (B, width)

    return Layer("flatten", (width,), stateless(apply))


def tiles(shape: tuple[int, ...]) -> Layer:
    """Lay out images in tiles with a channel axis; the first layer of every model with image layers.

    Args:
      shape: (height, width) or (height, width, channels) of one image.

    Example:
      >>> tiles((28, 28)).output_shape
      (28, 28, 1)
    """
    return Layer("image", shape if len(shape) == 3 else (*shape, 1), stateless(lambda params, x: to_tiles(x)))


def dense(
    shape: tuple[int, ...],
    units: int,
    initializer: str = "glorot_uniform",
    precision: Precision = "float32",
    *,
    bias: bool = True,
    spread: float = SPREAD,
) -> Layer:
    """Dense layer ``x @ kernel + bias``; the bias starts at zero.

    Args:
      shape: the shape of one example, one-dimensional.
      units: number of outputs.
      initializer: of the kernel; one of ``initializers.INITIALIZERS``.
      precision: of the matrix product.
      bias: whether there is one.
      spread: of the initial weights, see ``draw_kernel``.

    Raises:
      ShapeError: an example is not a row of values, or ``units`` is less than 1 or too large.

    Example:
      >>> layer = dense((784,), 128)
      >>> layer.init(np.random.default_rng(0))["kernel"].shape
      (784, 128)
    """
    if len(shape) != 1:
        raise ShapeError(
            f"dense with {units} units needs one row of values per example, got shape {shape}; add a flatten before it"
        )
    if units < 1:
        raise ShapeError(f"dense on shape {shape} has {units} units; give it at least 1")
    inputs = shape[0]
    check_weights(inputs * units, f"dense with {units} units", shape)

    def init(generator: np.random.Generator) -> Initial:
        kernel = draw_kernel(initializer, generator, (inputs, units), spread)
        return {"kernel": kernel, "bias": np.zeros(units, np.float32)} if bias else {"kernel": kernel}

    def apply(params: Params, x: jax.Array) -> jax.Array:
        z = product(x, params["kernel"], precision)  # (B, units)
        return z + params["bias"][None, :] if bias else z  # (B, units)

    return Layer("dense", (units,), stateless(apply), init)


def check_weights(count: int, what: str, shape: tuple[int, ...]) -> None:
    """Refuse a kernel that no machine at hand could train, before it is drawn.

    Args:
      count: of its weights.
      what, shape: the layer and the shape of one example, for the error.

    Raises:
      ShapeError: it has more weights than ``MOST_WEIGHTS``.
    """
    if count > MOST_WEIGHTS:
        raise ShapeError(
            f"{what} on shape {shape} has {count:,} weights, more than the {MOST_WEIGHTS:,} of a layer that wellfit "
            "trains; make it smaller"
        )


def _leaky_relu(x: jax.Array) -> jax.Array:
    return jax.nn.leaky_relu(x, 0.2)  # the slope in Keras 3


def _gelu(x: jax.Array) -> jax.Array:
    return jax.nn.gelu(x, approximate=False)


ACTIVATIONS: Final[Mapping[str, Callable[[jax.Array], jax.Array]]] = {
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "elu": jax.nn.elu,
    "gelu": _gelu,
    "leaky_relu": _leaky_relu,
}
"""The activations as Keras defines them: exact gelu, leaky relu with slope 0.2."""


def activation(shape: tuple[int, ...], name: str) -> Layer:
    """Elementwise activation.

    Args:
      shape: the shape of one example.
      name: one of ``ACTIVATIONS``.

    Raises:
      UnknownNameError: an unknown activation.

    Example:
      >>> activation((2,), "relu").apply({}, {}, jnp.array([[-1.0, 2.0]]), None)[0].tolist()
      [[0.0, 2.0]]
    """
    if name not in ACTIVATIONS:
        raise UnknownNameError("activation", name, ACTIVATIONS)
    function = ACTIVATIONS[name]
    return Layer(name, shape, stateless(lambda params, x: function(x)))


def _bits(key: jax.Array, first: jax.Array | int, shape: tuple[int, ...]) -> jax.Array:
    """Draw 24 random bits for every value, int32: SplitMix with a 64-bit key, at each value's position.

    JAX's own generator would take longer than the rest of a small network's layer. This one takes ten operations per
    value, which XLA fuses into the dropout loop: nothing is stored, and the backward pass draws the same bits again.

    Source: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators", with MurmurHash3's finalizer;
    the second half of the key is mixed in between its rounds.
    """
    place = jnp.full(shape, first, jnp.uint32)
    for axis in range(len(shape)):
        stride = math.prod(shape[axis + 1 :])
        place += jax.lax.broadcasted_iota(jnp.uint32, shape, axis) * jnp.uint32(stride)
    seed, second = jax.random.key_data(key)
    z = seed + place * jnp.uint32(0x9E3779B9)
    z = (z ^ (z >> 16)) * jnp.uint32(0x85EBCA6B) ^ second
    z = (z ^ (z >> 13)) * jnp.uint32(0xC2B2AE35)
    return ((z ^ (z >> 16)) >> 8).astype(jnp.int32)


def _noise(key: jax.Array, index: int, shape: tuple[int, ...]) -> jax.Array:
    """Draw the bits of a dropout layer's values.

    For images, the loop makes XLA store the bits in memory: drawing them again in each of the many passes over a
    convolution's output would take as long as the convolution.
    """
    first = index << _STREAM_BITS
    if len(shape) < 5:
        return _bits(key, first, shape)
    tile = math.prod(shape[1:])
    starts = jnp.uint32(first) + jnp.arange(shape[0], dtype=jnp.uint32) * jnp.uint32(tile)  # (T,)
    return jax.lax.map(lambda start: _bits(key, start, shape[1:]), starts)  # (T, C, H, W, M)


def dropout(shape: tuple[int, ...], index: int) -> Layer:
    """Inverted dropout: during training, each value is zeroed with the layer's rate, and the others are scaled up.

    The random bits do not depend on the rate. Variants of one seed therefore share them, and a higher rate drops every
    value that a lower rate drops, plus others: common random numbers.

    Args:
      shape: the shape of one example.
      index: number of this dropout layer in the model, from 0; its rate is ``mode.dropout[index]``.

    Source: Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting".

    Example:
      >>> mode = Mode(jax.random.key(0), jnp.array([0.0]), jnp.ones(2))
      >>> dropout((3,), 0).apply({}, {}, jnp.ones((2, 3)), mode)[0].tolist()
      [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    def apply(params: Params, stats: Params, x: jax.Array, mode: Mode | None) -> tuple[jax.Array, Params]:
        if mode is None or mode.dropout is None:
            return x, stats
        rate = mode.dropout[index]
        bits = _noise(mode.key, index, x.shape)
        dropped = bits < jnp.round(rate * _NOISE_LEVELS).astype(jnp.int32)
        return jnp.where(dropped, jnp.float32(0), x * (1 / (1 - rate))), stats

    return Layer("dropout", shape, apply, index=index)


def dropout_noise(mode: Mode, index: int) -> Noise | None:
    """Return what a kernel needs to drop the same values as a dropout layer does; None if there is no dropout.

    Example:
      >>> words, scale = dropout_noise(Mode(jax.random.key(3), jnp.array([0.5]), jnp.ones(2)), 0)
      >>> words.tolist(), scale.tolist()
      ([0, 3, 0, 8388608], [2.0])
    """
    if mode.dropout is None:
        return None
    rate = mode.dropout[index]
    seed, second = jax.random.key_data(mode.key)
    bound = jnp.round(rate * _NOISE_LEVELS).astype(jnp.uint32)
    words = jnp.stack([seed, second, jnp.uint32(index << _STREAM_BITS), bound])
    return jax.lax.bitcast_convert_type(words, jnp.int32), (1 / (1 - rate))[None]
