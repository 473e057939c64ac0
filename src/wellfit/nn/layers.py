"""Layers: each function returns an init/apply pair for one network and one batch.

``init(generator)`` draws the layer's params on the host. ``apply(params, x, mode)`` maps a batch through it; ``mode`` is None for
inference and carries the step's noise and rates while training. What a population may vary (a dropout rate) comes in
through ``mode`` as an array; what it may not (a number of units) is closed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from wellfit.base import FloatArray
from wellfit.errors import ShapeError

__all__ = ["Initial", "Layer", "Mode", "Params", "dense", "dropout", "flatten", "glorot_uniform", "relu"]

Params: TypeAlias = dict[str, jax.Array]
"""The arrays of one layer by name: ``kernel`` and ``bias``, or none."""

Initial: TypeAlias = dict[str, FloatArray]
"""The same before training, drawn on the host: nothing has to be compiled for it."""

_NOISE_LEVELS = 1 << 16  # dropout compares 16 random bits with the rate: half the noise of float32, 1.5e-5 exact


class Mode(NamedTuple):
    """How a network is applied while it trains.

    Args:
      key: the noise of this step, the same for every variant of a seed.
      dropout: the rate of every dropout layer, in their order, float32.  # (dropout layers,)
      weight: 1 for an example, 0 for the padding of a last, smaller batch, float32.  # (B,)
    """

    key: jax.Array
    dropout: jax.Array  # (dropout layers,)
    weight: jax.Array  # (B,)


@dataclass(frozen=True)
class Layer:
    """An init/apply pair with what a summary wants to know of it.

    Args:
      kind: the layer's name in lower case, such as ``"dense"``.
      output_shape: the shape of one example after it.
      init: generator -> initial params, float32; an empty dict where there is nothing to learn.
      apply: (params, x, mode) -> x; mode None is inference.
    """

    kind: str
    output_shape: tuple[int, ...]
    init: Callable[[np.random.Generator], Initial]
    apply: Callable[[Params, jax.Array, Mode | None], jax.Array]


def _nothing(generator: np.random.Generator) -> Initial:
    return {}


def glorot_uniform(generator: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> FloatArray:
    """Uniform on ``[-b, b]`` with ``b = sqrt(6 / (fan_in + fan_out))``, Keras's default for kernels.

    Args:
      generator: where the numbers come from.
      shape: of the kernel.
      fan_in, fan_out: how many inputs a unit has, and how many units an input feeds.

    Returns:
      float32.  # shape

    Source: Glorot & Bengio (2010), "Understanding the difficulty of training deep feedforward neural networks", eq. 16.

    Example:
      >>> kernel = glorot_uniform(np.random.default_rng(0), (784, 128), 784, 128)
      >>> bool(abs(kernel).max() <= (6 / 912) ** 0.5)
      True
    """
    bound = math.sqrt(6 / (fan_in + fan_out))
    return generator.uniform(-bound, bound, shape).astype(np.float32)


def flatten(shape: tuple[int, ...]) -> Layer:
    """Put the values of every example into one row.

    Args:
      shape: the shape of one example.

    Example:
      >>> flatten((28, 28)).output_shape
      (784,)
    """
    width = math.prod(shape)
    return Layer("flatten", (width,), _nothing, lambda params, x, mode: x.reshape(x.shape[0], width))  # (B, width)


def dense(shape: tuple[int, ...], units: int) -> Layer:
    """An affine map ``x @ kernel + bias``: glorot-uniform kernel, zero bias, as in Keras.

    Args:
      shape: the shape of one example, one-dimensional.
      units: the number of outputs.

    Raises:
      ShapeError: the input is not one row of values per example.

    Example:
      >>> layer = dense((784,), 128)
      >>> layer.init(np.random.default_rng(0))["kernel"].shape
      (784, 128)
    """
    if len(shape) != 1:
        raise ShapeError(f"a dense layer of {units} units takes one row per example, got shape {shape}; flatten it first")
    inputs = shape[0]

    def init(generator: np.random.Generator) -> Initial:
        kernel = glorot_uniform(generator, (inputs, units), inputs, units)
        return {"kernel": kernel, "bias": np.zeros(units, np.float32)}

    def apply(params: Params, x: jax.Array, mode: Mode | None) -> jax.Array:
        return x @ params["kernel"] + params["bias"][None, :]  # (B, units)

    return Layer("dense", (units,), init, apply)


def relu(shape: tuple[int, ...]) -> Layer:
    """``max(x, 0)``.

    Example:
      >>> relu((2,)).apply({}, jnp.array([[-1.0, 2.0]]), None).tolist()
      [[0.0, 2.0]]
    """
    return Layer("relu", shape, _nothing, lambda params, x, mode: jax.nn.relu(x))


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
      >>> dropout((3,), 0).apply({}, jnp.ones((2, 3)), mode).tolist()
      [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    def apply(params: Params, x: jax.Array, mode: Mode | None) -> jax.Array:
        if mode is None:
            return x
        rate = mode.dropout[index]
        bits = jax.random.bits(jax.random.fold_in(mode.key, index), x.shape, jnp.uint16)
        dropped = bits.astype(jnp.int32) < jnp.round(rate * _NOISE_LEVELS).astype(jnp.int32)
        return jnp.where(dropped, jnp.float32(0), x / (1 - rate))

    return Layer("dropout", shape, _nothing, apply)
