"""Whole functions for XLA: the loops over networks and tiles around the kernels.

Arrays have the networks of a population in front, or 1 if all share them, and images then the tiles. Each function
computes a network's results in the same order, however many networks and tiles there are, so that a run has the same
bits alone and in company.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from wellfit.nn.kernels.blocks import Shape, blocks_of
from wellfit.nn.kernels.convolve import (
    add_bias_gradient,
    add_kernel_gradient,
    clear,
    images_gradient,
    output,
    reduce,
)
from wellfit.nn.kernels.frame import Operand, Tail, operands
from wellfit.nn.kernels.pooled import Noise, output_pooled, unpool
from wellfit.nn.kernels.processor import Registers
from wellfit.nn.kernels.vectors import BYTE, WORD, Array, Number, Writer

__all__ = ["KINDS", "Tails", "images_function", "kernel_function", "output_function", "tails"]

Write: TypeAlias = Callable[[Writer], None]

KINDS: Final = ("output", "images", "kernel")


class Tails(NamedTuple):
    """The arrays of a convolution; see ``Tail``."""

    images: Tail
    kernel: Tail
    bias: Tail
    output: tuple[Tail, ...]  # with pooling: the pooled output, and where its gradient goes
    rows: tuple[int, int]  # rows and columns of the gradient of the output


def tails(shape: Shape, *, pooled: bool) -> Tails:
    """Return the arrays of a convolution, with or without relu and pooling."""
    rows, columns = (shape.rows // 2, shape.columns // 2) if pooled else (shape.rows, shape.columns)
    last = shape.filters, rows, columns, shape.examples
    return Tails(
        Tail((shape.channels, shape.height, shape.width, shape.examples), tiles=True),
        Tail((shape.size, shape.size, shape.channels, shape.filters), tiles=False),
        Tail((shape.filters,), tiles=False),
        (Tail(last, True), Tail(last, True, BYTE)) if pooled else (Tail(last, True),),
        (2 * rows, 2 * columns) if pooled else (rows, columns),
    )


def output_function(shape: Shape, registers: Registers, *, pooled: bool, dropout: bool = False) -> Write:
    """``(images, kernel, bias) -> output``, with pooling ``-> (pooled, which)``.

    With dropout, which comes with pooling, two arguments follow: the words and the scale of ``Noise``.
    """
    arrays, blocks = tails(shape, pooled=pooled), blocks_of(shape, registers.count)
    of_noise = (Tail((4,), tiles=False, kind=WORD), Tail((1,), tiles=False)) if dropout else ()

    def write(w: Writer) -> None:
        given = arrays.images, arrays.kernel, arrays.bias, *of_noise
        (x, kernel, bias, *more), results = operands(w, given, arrays.output)
        with w.range(results[0].networks) as n, w.range(results[0].tiles) as t:
            factors = x.of(n, t), kernel.of(n), bias.of(n)
            first, *which = (result.of(n, t) for result in results)
            if pooled:
                noise = Noise(more[0].of(n), more[1].of(n), t) if dropout else None
                output_pooled(w, shape, blocks.pooled, factors, first, which[0], noise)
            else:
                output(w, shape, blocks.forward, *factors, first)

    return write


def images_function(shape: Shape, registers: Registers, *, pooled: bool) -> Write:
    """``(gradient of the output, kernel) -> gradient of the images``; with pooling two arrays, and room for a tile."""
    arrays, blocks = tails(shape, pooled=pooled), blocks_of(shape, registers.count)
    room = Tail(_whole(shape, arrays.rows), tiles=False)

    def write(w: Writer) -> None:
        more = (room,) if pooled else ()
        (*gradient, kernel), (dx, *rooms) = operands(w, (*arrays.output, arrays.kernel), (arrays.images, *more))
        with w.range(dx.networks) as n, w.range(dx.tiles) as t:
            dy = rooms[0].of(0) if pooled else gradient[0].of(n, t)
            if pooled:
                unpool(w, shape.examples, gradient[0].of(n, t), gradient[1].of(n, t), dy)
            images_gradient(w, shape, blocks.images, dy, kernel.of(n), dx.of(n, t), arrays.rows)

    return write


def kernel_function(shape: Shape, registers: Registers, *, pooled: bool) -> Write:
    """``(images, gradient of the output) -> (gradient of the kernel, of the bias)``, and room for sums and tiles."""
    arrays, blocks = tails(shape, pooled=pooled), blocks_of(shape, registers.count)
    weights, lanes = arrays.kernel.shape, registers.lanes
    count = weights[0] * weights[1] * weights[2] * weights[3]
    rooms = room_of(shape, registers, pooled=pooled)

    def write(w: Writer) -> None:
        results = (arrays.kernel, arrays.bias, *(Tail(room, tiles=False) for room in rooms))
        (x, *gradient), (dw, db, *room) = operands(w, (arrays.images, *arrays.output), results)
        total, of_bias = room[0].of(0), room[1].of(0)
        flat = Array(w, total.pointer, (count, lanes))

        def gradient_of(n: Number, first: Number) -> Callable[[Number], Array]:
            return (lambda t: room[2].array.part(t - first)) if pooled else (lambda t: gradient[0].of(n, t))

        with w.range(dw.networks) as n:
            clear(w, flat)
            clear(w, of_bias)
            with w.range(0, x.tiles, blocks.together) as first:
                end = w.smaller(first + blocks.together, x.tiles)
                dy = gradient_of(n, first)
                with w.range(first, end) as t:
                    if pooled:
                        unpool(w, shape.examples, gradient[0].of(n, t), gradient[1].of(n, t), dy(t))
                    add_bias_gradient(w, shape, dy(t), of_bias, arrays.rows)
                pair = _pair(x, dy, n)
                add_kernel_gradient(w, shape, blocks, pair, (first, end), total, arrays.rows)
            reduce(w, flat, Array(w, dw.of(n).pointer, (count,)))
            reduce(w, of_bias, db.of(n))

    return write


def _pair(x: Operand, dy: Callable[[Number], Array], n: Number) -> Callable[[Number], tuple[Array, Array]]:
    return lambda t: (x.of(n, t), dy(t))


def _whole(shape: Shape, rows: tuple[int, int]) -> tuple[int, ...]:
    """The gradient of the output of one tile, as pooling sees it."""
    return shape.filters, *rows, shape.examples


def room_of(shape: Shape, registers: Registers, *, pooled: bool) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of the arrays that the gradient of a kernel works in: sums of weights and biases, and tiles."""
    arrays = tails(shape, pooled=pooled)
    together = blocks_of(shape, registers.count).together
    sums = (*arrays.kernel.shape, registers.lanes), (shape.filters, registers.lanes)
    return (*sums, (together, *_whole(shape, arrays.rows))) if pooled else sums
