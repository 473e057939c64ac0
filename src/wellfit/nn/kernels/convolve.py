"""The three kernels of a convolution, for one tile: output, gradient of the images, gradient of the kernel.

With images x (C, H, W, M), a kernel w (K, K, C, F), a bias b (F,) and a stride s:

- output: ``y[f, r, q] = b[f] + sum over i, j, c of x[c, r s + i, q s + j] w[i, j, c, f]``  (F, R, Q, M)
- gradient of the images: ``dx[c, r s + i, q s + j]`` receives ``dy[f, r, q] w[i, j, c, f]``, for all f, r, q, i, j
- gradient of the kernel: ``dw[i, j, c, f] = sum over r, q, m of x[c, r s + i, q s + j] dy[f, r, q]``

The examples m are the lanes of the vectors, so that no padding, stride or size makes a vector incomplete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from wellfit.nn.kernels.blocks import Blocks, Shape
from wellfit.nn.kernels.vectors import Array, Lanes, Number, Variable, Vector, Writer

__all__ = ["add_bias_gradient", "add_kernel_gradient", "clear", "images_gradient", "output", "reduce", "sums_under"]

Index = Number | int

_WRITTEN_OUT: Final = 8  # columns of a kernel; those of a wider one are a loop


def output(w: Writer, shape: Shape, block: tuple[int, int], x: Array, kernel: Array, bias: Array, y: Array) -> None:
    """Write the output of a tile.

    Args:
      block: filters and columns of the output that are computed at once.
      x, kernel, bias, y: of one network and one tile, see above.
    """
    filters, columns = block
    step = shape.stride
    for f0, g in w.blocks(shape.filters, filters):
        with w.range(shape.rows) as r:
            for q0, n in w.blocks(shape.columns, columns):
                for lanes in w.chunks(shape.examples):
                    starts = [bias.splat(f0 + f) for f in range(g)]
                    places = [(r * step, q0 * step + q * step) for q in range(n)]
                    sums = sums_under(w, shape, x, kernel, (f0, starts), places, lanes)
                    for f, of_filter in enumerate(sums):
                        for q, total in enumerate(of_filter):
                            y.store(total.get(), f0 + f, r, q0 + q, lanes=lanes)


def sums_under(
    w: Writer,
    shape: Shape,
    x: Array,
    kernel: Array,
    filters: tuple[Index, Sequence[Vector]],
    places: Sequence[tuple[Index, Index]],
    lanes: Lanes,
) -> list[list[Variable]]:
    """Sum the products under the kernel at some places.

    Args:
      filters: the first one, and the bias of each.
      places: row and column of the images where the kernel begins.

    Returns:
      The sums.  # (filters, places)
    """
    f0, starts = filters
    sums = [[w.variable(start) for _ in places] for start in starts]

    def tap(c: Number, i: Number, j: Index) -> None:
        pixels = [x.load(c, row + i, column + j, lanes=lanes) for row, column in places]
        for f, of_filter in enumerate(sums):
            weight = kernel.splat(i, j, c, f0 + f)
            for total, pixel in zip(of_filter, pixels, strict=True):
                total.add_product(pixel, weight)

    with w.range(shape.channels) as c, w.range(shape.size) as i:
        _each_tap(w, shape.size, lambda j: tap(c, i, j))
    return sums


def _each_tap(w: Writer, size: int, tap: Callable[[Index], None]) -> None:
    """Write a row of the kernel: one column after the other, or as a loop if there are many."""
    if size <= _WRITTEN_OUT:
        for j in range(size):
            tap(j)
    else:
        with w.range(size) as column:
            tap(column)


def images_gradient(
    w: Writer, shape: Shape, block: tuple[int, int, int], dy: Array, kernel: Array, dx: Array, rows: tuple[int, int]
) -> None:
    """Write the gradient of a tile's images: for each image row, the sum over the kernel rows that reach it.

    Args:
      block: channels, columns of the gradient and columns of the kernel that are computed at once.
      dy, kernel, dx: of one network and one tile.
      rows: rows and columns of ``dy``; beyond them, the gradient is zero.
    """
    channels, columns, taps = block
    for lanes in w.chunks(shape.examples):
        for c0, g in w.blocks(shape.channels, channels):
            with w.range(shape.height) as h:
                first = w.larger(h - (shape.size - shape.stride), 0) // shape.stride
                last = w.smaller(h // shape.stride, rows[0] - 1)
                for c in range(g):
                    with w.range(shape.width) as column:
                        dx.store(w.constant(0), c0 + c, h, column, lanes=lanes)
                for q0, n in w.blocks(rows[1], columns):
                    for j0 in range(0, shape.size, taps):
                        k = min(taps, shape.size - j0)
                        _images_block(w, shape, (g, n, k), (dy, kernel), (first, last + 1), (h, q0, j0, c0), dx, lanes)


def _images_block(
    w: Writer,
    shape: Shape,
    block: tuple[int, int, int],
    factors: tuple[Array, Array],
    rows: tuple[Number, Number],
    place: tuple[Number, Index, int, Index],
    dx: Array,
    lanes: Lanes,
) -> None:
    """Add the products of some columns of the gradient and of the kernel to the image columns that they reach."""
    channels, columns, taps = block
    dy, kernel = factors
    h, q0, j0, c0 = place
    step = shape.stride
    begin = q0 * step + j0
    reach = range((columns - 1) * step + taps)
    sums = [[w.variable(dx.load(c0 + c, h, begin + u, lanes=lanes)) for u in reach] for c in range(channels)]
    with w.range(*rows) as r, w.range(shape.filters) as f:
        i = h - r * step
        if columns >= channels * taps:
            weights = [[kernel.splat(i, j0 + j, c0 + c, f) for j in range(taps)] for c in range(channels)]
            for q in range(columns):
                gradient = dy.load(f, r, q0 + q, lanes=lanes)
                for c, of_channel in enumerate(weights):
                    for j, weight in enumerate(of_channel):
                        sums[c][q * step + j].add_product(gradient, weight)
        else:
            gradients = [dy.load(f, r, q0 + q, lanes=lanes) for q in range(columns)]
            for c in range(channels):
                for j in range(taps):
                    weight = kernel.splat(i, j0 + j, c0 + c, f)
                    for q, gradient in enumerate(gradients):
                        sums[c][q * step + j].add_product(gradient, weight)
    for c, of_channel in enumerate(sums):
        for u, total in enumerate(of_channel):
            dx.store(total.get(), c0 + c, h, begin + u, lanes=lanes)


def add_kernel_gradient(
    w: Writer,
    shape: Shape,
    blocks: Blocks,
    tiles: Callable[[Number], tuple[Array, Array]],
    range_of_tiles: tuple[Index, Index],
    total: Array,
    rows: tuple[int, int],
) -> None:
    """Write the gradient of the kernel over some tiles, added to ``total``, where every lane keeps its own sum.

    Args:
      tiles: returns a tile's images and gradient of the output.
      range_of_tiles: the first, and the one after the last.
      total: the sums.  # (K, K, C, F, lanes)
      rows: rows and columns of the gradient.
    """
    filters, channels, taps = blocks.kernel
    whole = Lanes(0, w.lanes)
    for f0, g in w.blocks(shape.filters, filters):
        for c0, h in w.blocks(shape.channels, channels):
            with w.range(shape.size) as i:
                for j0 in range(0, shape.size, taps):
                    cells = [(f, c, j) for f in range(g) for c in range(h) for j in range(min(taps, shape.size - j0))]
                    sums = {
                        cell: w.variable(total.load(i, j0 + cell[2], c0 + cell[1], f0 + cell[0], lanes=whole))
                        for cell in cells
                    }
                    with w.range(*range_of_tiles) as t, w.range(rows[0]) as r:
                        x, dy = tiles(t)
                        place = c0, r * shape.stride + i, j0
                        for lanes in w.chunks(shape.examples):
                            for q0, n in w.blocks(rows[1], blocks.width):
                                _kernel_block(w, shape, sums, (x, dy), (f0, r, q0, n), place, lanes)
                    for (f, c, j), cell_sum in sums.items():
                        total.store(cell_sum.get(), i, j0 + j, c0 + c, f0 + f, lanes=whole)


def _kernel_block(
    w: Writer,
    shape: Shape,
    sums: dict[tuple[int, int, int], Variable],
    factors: tuple[Array, Array],
    of_gradient: tuple[Index, Number, Index, int],
    of_images: tuple[Index, Number, int],
    lanes: Lanes,
) -> None:
    """Add the products of some columns of the gradient and the pixels that the kernel's columns cover there."""
    x, dy = factors
    f0, r, q0, columns = of_gradient
    c0, row, j0 = of_images
    pixels: dict[tuple[int, int], Vector] = {}
    for q in range(columns):
        gradients: dict[int, Vector] = {}
        for (f, c, j), total in sums.items():
            column = q * shape.stride + j
            if (c, column) not in pixels:
                pixels[c, column] = x.load(c0 + c, row, q0 * shape.stride + (j0 + column), lanes=lanes)
            if f not in gradients:
                gradients[f] = dy.load(f0 + f, r, q0 + q, lanes=lanes)
            total.add_product(pixels[c, column], gradients[f])


def add_bias_gradient(w: Writer, shape: Shape, dy: Array, total: Array, rows: tuple[int, int]) -> None:
    """Write the sums of a tile's gradient over all positions, added to ``total``, where lanes keep their own sums.

    Args:
      dy: gradient of the output.
      total: the sums.  # (F, lanes)
      rows: rows and columns of the gradient.
    """
    whole = Lanes(0, w.lanes)
    with w.range(shape.filters) as f:
        sums = [w.variable(total.load(f, lanes=whole)), w.variable(w.constant(0))]
        with w.range(rows[0]) as r:
            for lanes in w.chunks(shape.examples):
                for q0, n in w.blocks(rows[1], 2):
                    for q in range(n):
                        sums[q].add(dy.load(f, r, q0 + q, lanes=lanes))
        sums[0].add(sums[1].get())
        total.store(sums[0].get(), f, lanes=whole)


def clear(w: Writer, total: Array) -> None:
    """Set an array of vectors to zero.  # (n, lanes)"""
    with w.range(total.shape[0]) as i:
        total.store(w.constant(0), i, lanes=Lanes(0, w.lanes))


def reduce(w: Writer, total: Array, sums: Array) -> None:
    """Add the lanes of every vector (n, lanes) to one number.  # (n,)"""
    with w.range(total.shape[0]) as i:
        sums.put(w.total(total.load(i, lanes=Lanes(0, w.lanes))), i)
