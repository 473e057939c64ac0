"""The batches of an epoch, laid out in order on the host for devices that are slow at gathering: CPUs."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from wellfit.base import IntArray, TrainingData
from wellfit.engine.devices import sharded

__all__ = ["Layouts", "batch_order", "rows_of"]

_ORDER_STREAM = 2  # distinguishes the stream of batch orders from others of the same seed
_ALIGNED = 64  # bytes; JAX's CPU devices read an array where it lies only if it begins at a multiple of it


def batch_order(seed: int, epoch: int, examples: int) -> IntArray:
    """The order of the training examples in an epoch: a function of seed and epoch alone.

    Args:
      seed: the run's seed.
      epoch: from 1.
      examples: how many there are.

    Returns:
      A permutation of ``range(examples)``, int32.  # (examples,)

    Example:
      >>> sorted(batch_order(0, 1, 4).tolist())
      [0, 1, 2, 3]
    """
    generator = np.random.Generator(np.random.PCG64([seed, epoch, _ORDER_STREAM]))
    return generator.permutation(examples).astype(np.int32)


def rows_of(seed: int, epoch: int, examples: int, batch_size: int) -> IntArray:
    """``batch_order`` cut into batches; the last is filled up with the first example, which will not count.

    Returns:
      Rows of the training split, int32.  # (steps, B)

    Example:
      >>> rows_of(0, 1, 5, 2).shape
      (3, 2)
    """
    padding = -examples % batch_size
    return np.pad(batch_order(seed, epoch, examples), (0, padding)).reshape(-1, batch_size)


class Layouts:
    """An epoch's examples in the order of a seed, in memory that the devices read without a copy.

    Devices that train the same seed read the same buffer. There are two buffers a device, so that those of a wave can
    be filled while those of the wave before are read. The caller sees to it that of all that was dispatched only the
    last may still be at work when it asks for the next.

    Args:
      data: the splits; the training split is laid out.
      batch_size: examples a step.
      on: the devices.
    """

    def __init__(self, data: TrainingData, batch_size: int, on: Mesh) -> None:
        self.data, self.batch_size, self.mesh = data, batch_size, on
        self.flat = np.ascontiguousarray(data.x_train).reshape(len(data.x_train), -1)  # (n, features)
        self.labels = data.y_train.astype(np.int32)  # (n,)
        self.steps = math.ceil(len(self.flat) / batch_size)
        shape = (self.steps * batch_size, self.flat.shape[1])
        self.buffers = [_aligned(shape, self.flat.dtype) for _ in range(2 * on.size)]
        self.held: list[tuple[int, int] | None] = [None] * len(self.buffers)  # seed and epoch of each
        self.labels_of = [self.labels] * len(self.buffers)  # (steps, B) each, once it holds something
        self.given: list[tuple[int, tuple[jax.Array, jax.Array]] | None] = [None] * on.size  # a buffer, as arrays

    def of(self, seeds: IntArray, active: np.ndarray, epoch: int) -> Any:
        """The examples of a wave: ``(x (G, steps, B, ...), y (G, steps, B))``, spread over the devices.

        Args:
          seeds: of its groups, one a device.  # (G,)
          active: which of its runs train; a group without one is given what its device has.  # (G, W)
          epoch: from 1.
        """
        wanted: list[tuple[int, int] | None] = [
            (int(seed), epoch) if active[place].any() or self.given[place] is None else None
            for place, seed in enumerate(seeds)
        ]
        kept = {self.held.index(key) for key in wanted if key in self.held}
        read = {given[0] for given in self.given if given is not None}  # perhaps still, by the wave before
        free = [i for i in range(len(self.buffers)) if i not in kept | read]
        for key in dict.fromkeys(wanted):
            if key is not None and key not in self.held:
                self._lay_out(key, free.pop())
        parts = [self._of_device(place, key) for place, key in enumerate(wanted)]
        return jax.tree.map(self._spread, *parts)

    def _lay_out(self, key: tuple[int, int], number: int) -> None:
        rows = rows_of(*key, len(self.flat), self.batch_size)  # (steps, B)
        order = rows.ravel().astype(np.intp)
        np.take(self.flat, order, axis=0, out=self.buffers[number], mode="clip")  # "clip" needs no third copy
        self.held[number], self.labels_of[number] = key, self.labels[rows]

    def _of_device(self, place: int, key: tuple[int, int] | None) -> tuple[jax.Array, jax.Array]:
        given = self.given[place]
        if given is not None and (key is None or self.held[given[0]] == key):
            return given[1]
        number = self.held.index(key)
        x = self.buffers[number].reshape(1, self.steps, self.batch_size, *self.data.x_train.shape[1:])
        arrays = jax.device_put((x, self.labels_of[number][None]), self.mesh.devices.flat[place])
        self.given[place] = number, arrays
        return arrays

    def _spread(self, *parts: jax.Array) -> jax.Array:
        """One array of the parts that lie on the devices, nothing copied."""
        shape = (len(parts), *parts[0].shape[1:])
        return jax.make_array_from_single_device_arrays(shape, sharded(self.mesh), list(parts))


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    size = math.prod(shape) * dtype.itemsize
    raw = np.empty(size + _ALIGNED, np.uint8)
    begin = -raw.ctypes.data % _ALIGNED
    return raw[begin : begin + size].view(dtype).reshape(shape)
