"""Kernel initializers, those of Keras, drawn on the host so that nothing has to be compiled."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from wellfit.base import SPREAD, FloatArray
from wellfit.errors import UnknownNameError

__all__ = ["INITIALIZERS", "draw_kernel", "fans"]

INITIALIZERS: Final = (
    *("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"),
    *("random_uniform", "random_normal", "truncated_normal", "zeros"),
)

_TRUNCATED_DEVIATION: Final = 0.87962566103423978  # standard deviation of a standard normal truncated at ±2


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the fan in and fan out of a dense or convolution kernel.

    Args:
      shape: (inputs, units), or (height, width, channels, filters).

    Example:
      >>> fans((5, 5, 6, 16))
      (150, 400)
    """
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


def draw_kernel(
    name: str, generator: np.random.Generator, shape: tuple[int, ...], spread: float = SPREAD
) -> FloatArray:
    """Draw a kernel: glorot, he and lecun of variance ``scale / n``, the others of the spread that is given.

    n is the mean of both fans for glorot, and the fan in for he and lecun.

    Args:
      name: one of ``INITIALIZERS``; normal distributions are truncated at two standard deviations, as in Keras, except
        ``"random_normal"``.
      shape: (inputs, units), or (height, width, channels, filters).
      spread: bound of ``"random_uniform"``; standard deviation of ``"random_normal"``, and of ``"truncated_normal"``
        before it is truncated.

    Returns:
      The kernel, float32.  # shape

    Raises:
      UnknownNameError: an unknown initializer.

    Source: Glorot & Bengio (2010); He et al. (2015); LeCun et al. (1998), "Efficient BackProp".

    Example:
      >>> kernel = draw_kernel("glorot_uniform", np.random.default_rng(0), (784, 128))
      >>> bool(abs(kernel).max() <= (6 / 912) ** 0.5), kernel.dtype.name
      (True, 'float32')
    """
    if name not in INITIALIZERS:
        raise UnknownNameError("initializer", name, INITIALIZERS)
    if name == "zeros":
        return np.zeros(shape, np.float32)
    family, kind = name.split("_")
    if family == "random":
        draw = generator.uniform(-1, 1, shape) if kind == "uniform" else generator.standard_normal(shape)
        return (draw * spread).astype(np.float32)
    if family == "truncated":
        return (_truncated_normal(generator, shape) * spread).astype(np.float32)
    fan_in, fan_out = fans(shape)
    variance = {"glorot": 2 / (fan_in + fan_out), "he": 2 / fan_in, "lecun": 1 / fan_in}[family]
    if kind == "uniform":
        bound = math.sqrt(3 * variance)
        return generator.uniform(-bound, bound, shape).astype(np.float32)
    return (_truncated_normal(generator, shape) * math.sqrt(variance) / _TRUNCATED_DEVIATION).astype(np.float32)


def _truncated_normal(generator: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Draw standard normal numbers, redrawing those beyond two standard deviations."""
    values = generator.standard_normal(shape)
    while (far := np.abs(values) > 2).any():
        values[far] = generator.standard_normal(int(far.sum()))
    return values
