"""A convolution's output that is rectified and pooled at once: relu, dropout, and the largest of every 2 x 2 cell.

The four sums of a cell never leave the registers. What the way back needs is one byte per cell: the number of the sum
that the gradient goes to, row by row from 0, or 4 if relu stops it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wellfit.nn.kernels.blocks import Shape
from wellfit.nn.kernels.convolve import sums_under
from wellfit.nn.kernels.vectors import Array, Lanes, Number, Vector, Writer

__all__ = ["Noise", "output_pooled", "unpool"]

_CELL: Final = 4
_NOWHERE: Final = 4
_NAN: Final = float("nan")


@dataclass(frozen=True)
class Noise:
    """What dropout needs; the bits of every value are those of ``nn.layers``.

    Args:
      words: both halves of the key, the number of the layer's first value, and the bound below which bits drop a value;
        32-bit integers.  # (4,)
      scale: of the values that are kept.  # (1,)
      tile: the number of the tile.
    """

    words: Array
    scale: Array
    tile: Number

    def applied(self, w: Writer, shape: Shape, value: Vector, at: tuple[Number | int, ...], lanes: Lanes) -> Vector:
        """Write dropout of a vector of values at a filter, row and column."""
        place = self.tile * shape.filters + at[0]
        for length, index in zip((shape.rows, shape.columns, shape.examples), (*at[1:], lanes.first), strict=True):
            place = place * length + index
        seed, second, first, bound = (self.words.splat(i) for i in range(4))
        z = w.bits("add", seed, w.bits("mul", w.bits("add", w.places(place), first), 0x9E3779B9))
        z = w.bits("xor", w.bits("mul", w.bits("xor", z, w.bits("lshr", z, 16)), 0x85EBCA6B), second)
        z = w.bits("mul", w.bits("xor", z, w.bits("lshr", z, 13)), 0xC2B2AE35)
        bits = w.bits("lshr", w.bits("xor", z, w.bits("lshr", z, 16)), 8)
        return w.select(w.less(bits, bound), w.constant(0), w.product(value, self.scale.splat(0)))


def output_pooled(
    w: Writer,
    shape: Shape,
    filters: int,
    factors: tuple[Array, Array, Array],
    pooled: Array,
    which: Array,
    noise: Noise | None = None,
) -> None:
    """Write the pooled output of a tile; a rest of one row or column is left out.

    NaN passes as through ``relu`` and ``max_pool``: a cell with NaN is NaN, and its gradient goes to the last sum, if
    that is positive. Of equal sums, the first receives the gradient.

    Args:
      filters: how many are computed at once.
      factors: images, kernel and bias.
      pooled, which: the results.  # (F, R / 2, Q / 2, M)
      noise: of the dropout between relu and pooling, if there is one.
    """
    x, kernel, bias = factors
    step = shape.stride
    for f0, g in w.blocks(shape.filters, filters):
        with w.range(shape.rows // 2) as r, w.range(shape.columns // 2) as q:
            for lanes in w.chunks(shape.examples):
                starts = [bias.splat(f0 + f) for f in range(g)]
                row, column = r * (2 * step), q * (2 * step)
                places = [(row + (p // 2) * step, column + (p % 2) * step) for p in range(_CELL)]
                for f, cell in enumerate(sums_under(w, shape, x, kernel, (f0, starts), places, lanes)):
                    values = [total.get() for total in cell]
                    if noise is not None:
                        spots = [(f0 + f, r * 2 + p // 2, q * 2 + p % 2) for p in range(_CELL)]
                        rectified = [_relu(w, value) for value in values]
                        values = [noise.applied(w, shape, *pair, lanes) for pair in zip(rectified, spots, strict=True)]
                    largest, place = w.constant(0), w.integer(_NOWHERE)
                    for p, value in enumerate(values):
                        larger = w.greater(value, largest)
                        largest = w.select(larger, value, largest)
                        place = w.select(larger, w.integer(p), place)
                    broken = w.either(w.either_nan(values[0], values[1]), w.either_nan(values[2], values[3]))
                    last = w.select(w.greater(values[3], w.constant(0)), w.integer(3), w.integer(_NOWHERE))
                    pooled.store(w.select(broken, w.constant(_NAN), largest), f0 + f, r, q, lanes=lanes)
                    which.store(w.select(broken, last, place), f0 + f, r, q, lanes=lanes)


def _relu(w: Writer, value: Vector) -> Vector:
    """Return ``max(value, 0)``; NaN stays NaN."""
    return w.select(w.greater(w.constant(0), value), w.constant(0), value)


def unpool(w: Writer, examples: int, pooled: Array, which: Array, dy: Array) -> None:
    """Write the way back of a tile: the gradient of the pooled output goes to one sum of every cell.

    Args:
      examples: images per tile.
      pooled, which: gradient of the pooled output, and where it goes.  # (F, R / 2, Q / 2, M)
      dy: the gradient of the output.  # (F, R, Q, M), R and Q rounded down to even numbers
    """
    filters, rows, columns = pooled.shape[:3]
    with w.range(filters) as f, w.range(rows) as r, w.range(columns) as q:
        for lanes in w.chunks(examples):
            gradient, place = pooled.load(f, r, q, lanes=lanes), which.load(f, r, q, lanes=lanes)
            for p in range(_CELL):
                here = w.select(w.equal(place, w.integer(p)), gradient, w.constant(0))
                dy.store(here, f, r * 2 + p // 2, q * 2 + p % 2, lanes=lanes)
