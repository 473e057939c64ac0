"""Counting weights in the bins of ``base.histograms``, inside a compiled program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import jax
import jax.numpy as jnp

from wellfit.base.histograms import BINS, FIRST_OCTAVE, LAST_OCTAVE, OCTAVE_BITS

__all__ = ["array_names", "weight_counts"]

_BIAS: Final = 127  # of a float32's exponent
_MANTISSA: Final = 23  # its bits
_SIDE: Final = BINS // 2  # the middle bin


def array_names(params: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of a network's arrays, in the order of ``weight_counts``.

    Example:
      >>> array_names({"dense_2": {"kernel": 0, "bias": 0}, "dense_1": {"kernel": 0}})
      ('dense_1/kernel', 'dense_2/bias', 'dense_2/kernel')
    """
    return tuple(f"{layer}/{name}" for layer in sorted(params) for name in sorted(params[layer]))


def weight_counts(params: Mapping[str, Mapping[str, jax.Array]]) -> jax.Array:
    """Count the weights of every array in each bin.

    Args:
      params: arrays of W networks, float32.  # (W, ...) each

    Returns:
      Counts, int32, array by array in the order of ``array_names``. What is not a number is in an outermost bin.
      # (W, arrays, BINS)

    Example: two networks with one array of three weights.
      >>> import numpy as np
      >>> counts = weight_counts({"dense_1": {"bias": jnp.array([[0.0, 0.3, 0.3], [-20.0, 20.0, 1e-4]])}})
      >>> [np.flatnonzero(of).tolist() for of in counts[:, 0]]
      [[57, 90], [0, 57, 114]]
    """
    arrays = [params[layer][name] for layer in sorted(params) for name in sorted(params[layer])]
    return jnp.stack([_counts(array.reshape(len(array), -1)) for array in arrays], axis=1)


def _counts(weights: jax.Array) -> jax.Array:
    """The counts of one array.  # (W, n) -> (W, BINS)

    The bits of a float32 without its sign, as an integer, ascend with its magnitude: the exponent, then the mantissa.
    """
    bits = jax.lax.bitcast_convert_type(weights, jnp.int32)
    octaves = (bits & 0x7FFFFFFF) >> (_MANTISSA - OCTAVE_BITS)
    first = (_BIAS + FIRST_OCTAVE) << OCTAVE_BITS
    away = jnp.clip(octaves - first + 1, 0, ((LAST_OCTAVE - FIRST_OCTAVE) << OCTAVE_BITS) + 1)  # bins from the middle
    place = jnp.where(bits < 0, _SIDE - away, _SIDE + away)  # (W, n)
    networks = len(weights)
    flat = place + BINS * jnp.arange(networks, dtype=jnp.int32)[:, None]
    total = jnp.zeros(networks * BINS, jnp.int32).at[flat.reshape(-1)].add(1, mode="promise_in_bounds")
    return total.reshape(networks, BINS)
