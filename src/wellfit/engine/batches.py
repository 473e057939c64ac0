"""The batches of an epoch, laid out in training order on the host, because gathering is slow on CPU devices."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from wellfit.base import IntArray, TrainingData
from wellfit.engine.devices import sharded

__all__ = ["Layouts", "batch_order", "rows_of"]

_ORDER_STREAM = 2  # separates batch orders from the other random streams of a seed
_ALIGNED = 64  # bytes; JAX's CPU devices use an array in place only if it is aligned to this


def batch_order(seed: int, epoch: int, examples: int) -> IntArray:
    """Return the order of the training examples in an epoch; it depends only on seed and epoch.

    Args:
      epoch: counted from 1.
      examples: number of training examples.

    Returns:
      A permutation of ``range(examples)``, int32.  # (examples,)

    Example:
      >>> sorted(batch_order(0, 1, 4).tolist())
      [0, 1, 2, 3]
    """
    generator = np.random.Generator(np.random.PCG64([seed, epoch, _ORDER_STREAM]))
    return generator.permutation(examples).astype(np.int32)


def rows_of(seed: int, epoch: int, examples: int, batch_size: int) -> IntArray:
    """Split ``batch_order`` into batches; row 0 pads the last batch, and the padding gets weight 0 in training.

    Returns:
      Rows of the training split, int32.  # (steps, B)

    Example:
      >>> rows_of(0, 1, 5, 2).shape
      (3, 2)
    """
    padding = -examples % batch_size
    return np.pad(batch_order(seed, epoch, examples), (0, padding)).reshape(-1, batch_size)


class Layouts:
    """An epoch's examples in a seed's batch order, in host memory that the devices read without copying.

    Devices that train the same seed share a buffer. There are two buffers per device, so that one wave's buffers can be
    filled while the previous wave's are being read. When the caller asks for the next wave, at most the last dispatched
    wave may still be running.

    Args:
      batch_size: examples per step.
    """

    def __init__(self, data: TrainingData, batch_size: int, mesh: Mesh) -> None:
        self.data, self.batch_size, self.mesh = data, batch_size, mesh
        self.flat = np.ascontiguousarray(data.x_train).reshape(len(data.x_train), -1)  # (n, features)
        self.labels = data.y_train.astype(np.int32)  # (n,)
        self.steps = math.ceil(len(self.flat) / batch_size)
        shape = (self.steps * batch_size, self.flat.shape[1])
        self.buffers = [_aligned(shape, self.flat.dtype) for _ in range(2 * mesh.size)]
        self.held: list[tuple[int, int] | None] = [None] * len(self.buffers)  # seed and epoch in each buffer
        self.labels_of = [self.labels] * len(self.buffers)  # (steps, B) each, once the buffer is filled
        # per device: the number of its current buffer, and the buffer's arrays
        self.given: list[tuple[int, tuple[jax.Array, jax.Array]] | None] = [None] * mesh.size

    def of(self, seeds: IntArray, active: np.ndarray, epoch: int) -> Any:
        """Return a wave's examples ``(x (G, steps, B, ...), y (G, steps, B))``, sharded over the devices.

        Args:
          seeds: the groups' seeds, one group per device.  # (G,)
          active: which runs train; a group with no active run keeps its device's current buffer.  # (G, W)
          epoch: counted from 1.
        """
        wanted: list[tuple[int, int] | None] = [
            (int(seed), epoch) if active[place].any() or self.given[place] is None else None
            for place, seed in enumerate(seeds)
        ]
        kept = {self.held.index(key) for key in wanted if key in self.held}
        read = {given[0] for given in self.given if given is not None}  # the previous wave may still be reading these
        free = [i for i in range(len(self.buffers)) if i not in kept | read]
        for key in dict.fromkeys(wanted):
            if key is not None and key not in self.held:
                self._lay_out(key, free.pop())
        parts = [self._of_device(place, key) for place, key in enumerate(wanted)]
        return jax.tree.map(self._spread, *parts)

    def _lay_out(self, key: tuple[int, int], number: int) -> None:
        rows = rows_of(*key, len(self.flat), self.batch_size)  # (steps, B)
        order = rows.ravel().astype(np.intp)
        np.take(self.flat, order, axis=0, out=self.buffers[number], mode="clip")  # "clip" avoids a temporary copy
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
        """Combine the per-device parts into one sharded array without copying."""
        shape = (len(parts), *parts[0].shape[1:])
        return jax.make_array_from_single_device_arrays(shape, sharded(self.mesh), list(parts))


def _aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray:
    size = math.prod(shape) * dtype.itemsize
    raw = np.empty(size + _ALIGNED, np.uint8)
    begin = -raw.ctypes.data % _ALIGNED
    return raw[begin : begin + size].view(dtype).reshape(shape)
