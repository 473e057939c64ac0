"""A convolution's output that is rectified and pooled at once: relu and the largest of every 2 x 2 cell.

The four sums of a cell never leave the registers. What the way back needs is one byte per cell: the number of the sum
that the gradient goes to, row by row from 0, or 4 if relu stops it.
"""

from __future__ import annotations

from typing import Final

from wellfit.nn.kernels.blocks import Shape
from wellfit.nn.kernels.convolve import sums_under
from wellfit.nn.kernels.vectors import Array, Writer

__all__ = ["output_pooled", "unpool"]

_CELL: Final = 4
_NOWHERE: Final = 4
_NAN: Final = float("nan")


def output_pooled(
    w: Writer, shape: Shape, filters: int, factors: tuple[Array, Array, Array], pooled: Array, which: Array
) -> None:
    """Write the pooled output of a tile; a rest of one row or column is left out.

    NaN passes as through ``relu`` and ``max_pool``: a cell with NaN is NaN, and its gradient goes to the last sum, if
    that is positive. Of equal sums, the first receives the gradient.

    Args:
      filters: how many are computed at once.
      factors: images, kernel and bias.
      pooled, which: the results.  # (F, R / 2, Q / 2, M)
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
                    largest, place = w.constant(0), w.integer(_NOWHERE)
                    for p, value in enumerate(values):
                        larger = w.greater(value, largest)
                        largest = w.select(larger, value, largest)
                        place = w.select(larger, w.integer(p), place)
                    broken = w.either(w.either_nan(values[0], values[1]), w.either_nan(values[2], values[3]))
                    last = w.select(w.greater(values[3], w.constant(0)), w.integer(3), w.integer(_NOWHERE))
                    pooled.store(w.select(broken, w.constant(_NAN), largest), f0 + f, r, q, lanes=lanes)
                    which.store(w.select(broken, last, place), f0 + f, r, q, lanes=lanes)


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
