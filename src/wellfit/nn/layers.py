"""Layers: each function returns an init/apply pair for one network and one batch.

``init(generator)`` draws the layer's params on the host. ``apply(params, stats, x, mode)`` maps a batch through it and
returns it with the layer's statistics; ``mode`` is None for inference, and carries the step's noise and rates while
training. What a population may vary (a dropout rate) comes in through ``mode`` as an array; what it may not (a
number of units) is closed over. Rows of values are (B, units), images are in tiles (T, channels, height, width, M).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from wellfit.base import FloatArray
from wellfit.errors import ShapeError, UnknownNameError
from wellfit.nn.initializers import draw_kernel
from wellfit.nn.products import Precision, product
from wellfit.nn.tiles import from_tiles, to_tiles

__all__ = [
    "ACTIVATIONS",
    "Initial",
    "Layer",
    "Mode",
    "Params",
    "activation",
    "dense",
    "dropout",
    "flatten",
    "stateless",
    "tiles",
]

Params: TypeAlias = dict[str, jax.Array]
"""The arrays of one layer by name: ``kernel`` and ``bias``, or none."""

Initial: TypeAlias = dict[str, FloatArray]
"""The same before training, drawn on the host: nothing has to be compiled for it."""

_STREAM_BITS: Final = 27  # a stream of noise has that many places: 32 layers of up to 134 million values a batch
_NOISE_LEVELS: Final = 1 << 24  # dropout compares 24 random bits with the rate, as exact as float32


class Mode(NamedTuple):
    """How a network is applied while it trains.

    Args:
      key: the noise of this step, the same for every variant of a seed.
      dropout: the rate of every dropout layer, in their order, float32; None where no run of the program drops.
        # (dropout layers,)
      weight: 1 for an example, 0 for the padding of a last, smaller batch, float32.  # (B,)
    """

    key: jax.Array
    dropout: jax.Array | None  # (dropout layers,)
    weight: jax.Array  # (B,)


Apply: TypeAlias = Callable[[Params, Params, jax.Array, Mode | None], tuple[jax.Array, Params]]


def _nothing(generator: np.random.Generator) -> Initial:
    return {}


@dataclass(frozen=True)
class Layer:
    """An init/apply pair with what a summary wants to know of it.

    Args:
      kind: the layer's name, such as ``"dense"``.
      output_shape: the shape of one example after it.
      apply: (params, stats, x, mode) -> (x, stats); mode None is inference.
      init: generator -> initial params, float32; an empty dict where there is nothing to learn.
      stats: initial statistics that training moves and no gradient does, such as batch normalization's.
    """

    kind: str
    output_shape: tuple[int, ...]
    apply: Apply
    init: Callable[[np.random.Generator], Initial] = _nothing
    stats: Mapping[str, FloatArray] = field(default_factory=dict)


def stateless(function: Callable[[Params, jax.Array], jax.Array]) -> Apply:
    """Make an ``apply`` of a function that needs neither statistics nor noise."""
    return lambda params, stats, x, mode: (function(params, x), stats)


def flatten(shape: tuple[int, ...]) -> Layer:
    """Put the values of every example into one row.

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
    """Lay images out in tiles, with an axis of channels; every model with image layers begins with it.

    Args:
      shape: (height, width) or (height, width, channels) of one image.

    Example:
      >>> tiles((28, 28)).output_shape
      (28, 28, 1)
    """
    return Layer("image", shape if len(shape) == 3 else (*shape, 1), stateless(lambda params, x: to_tiles(x)))


def dense(
    shape: tuple[int, ...], units: int, initializer: str = "glorot_uniform", precision: Precision = "float32"
) -> Layer:
    """An affine map ``x @ kernel + bias``; the bias begins at zero.

    Args:
      shape: the shape of one example, one-dimensional.
      units: the number of outputs.
      initializer: of the kernel; one of ``initializers.INITIALIZERS``.
      precision: of the products.

    Raises:
      ShapeError: the input is not one row of values per example, or there are no units.

    Example:
      >>> layer = dense((784,), 128)
      >>> layer.init(np.random.default_rng(0))["kernel"].shape
      (784, 128)
    """
    if len(shape) != 1:
        raise ShapeError(
            f"dense with {units} units takes one row of values, got shape {shape}; put a flatten before it"
        )
    if units < 1:
        raise ShapeError(f"dense takes shape {shape} to {units} units; give it at least one")
    inputs = shape[0]

    def init(generator: np.random.Generator) -> Initial:
        return {"kernel": draw_kernel(initializer, generator, (inputs, units)), "bias": np.zeros(units, np.float32)}

    apply = stateless(lambda params, x: product(x, params["kernel"], precision) + params["bias"][None, :])  # (B, units)
    return Layer("dense", (units,), apply, init)


def _leaky_relu(x: jax.Array) -> jax.Array:
    return jax.nn.leaky_relu(x, 0.2)  # Keras 3's slope


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
"""The activations, with Keras's definitions: exact gelu, leaky relu of slope 0.2."""


def activation(shape: tuple[int, ...], name: str) -> Layer:
    """A function of every value.

    Args:
      shape: the shape of one example.
      name: one of ``ACTIVATIONS``.

    Raises:
      UnknownNameError: no such activation.

    Example:
      >>> activation((2,), "relu").apply({}, {}, jnp.array([[-1.0, 2.0]]), None)[0].tolist()
      [[0.0, 2.0]]
    """
    if name not in ACTIVATIONS:
        raise UnknownNameError("activation", name, ACTIVATIONS)
    function = ACTIVATIONS[name]
    return Layer(name, shape, stateless(lambda params, x: function(x)))


def _bits(key: jax.Array, first: jax.Array | int, shape: tuple[int, ...]) -> jax.Array:
    """Draw 24 random bits for every value, int32: SplitMix with a key of 64 bits, at the value's place from the first.

    JAX's own generator would cost more than the rest of a small network's layer. This one is ten operations a value,
    which XLA makes part of the loop that drops: nothing is kept, and the way back draws the same bits again.

    Source: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators", with MurmurHash3's finalizer;
    the key's second half is mixed in between its rounds.
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
    """The bits of a dropout layer's values.

    Images keep theirs, in memory, which the loop is for: drawn anew in each of the many passes over a convolution's
    output they would cost as much as the convolution.
    """
    first = index << _STREAM_BITS
    if len(shape) < 5:
        return _bits(key, first, shape)
    tile = math.prod(shape[1:])
    starts = jnp.uint32(first) + jnp.arange(shape[0], dtype=jnp.uint32) * jnp.uint32(tile)  # (T,)
    return jax.lax.map(lambda start: _bits(key, start, shape[1:]), starts)  # (T, C, H, W, M)


def dropout(shape: tuple[int, ...], index: int) -> Layer:
    """Inverted dropout: while training, each value is 0 with the layer's rate, and the others are scaled up.

    The random bits do not depend on the rate. Variants of one seed therefore share them, and a higher rate drops what a
    lower rate drops and more: common random numbers.

    Args:
      shape: the shape of one example.
      index: which of the model's dropout layers this is, from 0; its rate is ``mode.dropout[index]``.

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

    return Layer("dropout", shape, apply)
