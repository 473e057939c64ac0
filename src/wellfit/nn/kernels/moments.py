"""Sums over all pixels of a channel, which batch normalization needs; XLA adds such sums one number at a time.

With images x (T, C, H, W, M), a center c (C,), a weight w (T, M) of every example and a gradient g like x:

- moments: ``sum of w (x - c)`` and ``sum of w (x - c)^2`` of every channel  (C,), (C,)
- products: ``sum of g`` and ``sum of g (x - c)`` of every channel  (C,), (C,)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from wellfit.nn.kernels.frame import Tail, operands
from wellfit.nn.kernels.vectors import Array, Number, Variable, Writer

__all__ = ["Images", "moments_function", "products_function"]

Write: TypeAlias = Callable[[Writer], None]

_AT_ONCE: Final = 4  # pixels, whose sums do not wait for each other


@dataclass(frozen=True)
class Images:
    """Images in tiles.

    Args:
      channels: of an image.
      pixels: of a channel.
      examples: images per tile.
    """

    channels: int
    pixels: int
    examples: int

    @property
    def tail(self) -> Tail:
        """The images of a tile."""
        return Tail((self.channels, self.pixels, self.examples), tiles=True)

    @property
    def each(self) -> Tail:
        """A number of every channel."""
        return Tail((self.channels,), tiles=False)


def moments_function(images: Images) -> Write:
    """``(images, center, weight) -> (sums, sums of squares)``."""

    def write(w: Writer) -> None:
        weight = Tail((images.examples,), tiles=True)
        (x, center, weights), (first, second) = operands(
            w, (images.tail, images.each, weight), (images.each, images.each)
        )
        with w.range(first.networks) as n, w.range(images.channels) as c:
            middle, totals = center.of(n).splat(c), [w.variable(w.constant(0)) for _ in range(2)]
            with w.range(x.tiles) as t:
                pixels = x.of(n, t).part(c)
                for lanes in w.chunks(images.examples):
                    sums = [[w.variable(w.constant(0)) for _ in range(_AT_ONCE)] for _ in range(2)]
                    for p0, count in w.blocks(images.pixels, _AT_ONCE):
                        for p in range(count):
                            away = w.subtract(pixels.load(p0 + p, lanes=lanes), middle)
                            sums[0][p].add(away)
                            sums[1][p].add_product(away, away)
                    of_example = weights.of(n, t).load(lanes=lanes)
                    for total, parts in zip(totals, sums, strict=True):
                        total.add_product(_together(w, parts), of_example)
            _put(w, totals, (first.of(n), second.of(n)), c)

    return write


def products_function(images: Images) -> Write:
    """``(gradient, images, center) -> (sums of the gradient, sums of its products)``."""

    def write(w: Writer) -> None:
        (g, x, center), (first, second) = operands(
            w, (images.tail, images.tail, images.each), (images.each, images.each)
        )
        with w.range(first.networks) as n, w.range(images.channels) as c:
            middle = center.of(n).splat(c)
            sums = [[w.variable(w.constant(0)) for _ in range(_AT_ONCE)] for _ in range(2)]
            with w.range(x.tiles) as t:
                gradient, pixels = g.of(n, t).part(c), x.of(n, t).part(c)
                for lanes in w.chunks(images.examples):
                    for p0, count in w.blocks(images.pixels, _AT_ONCE):
                        for p in range(count):
                            one = gradient.load(p0 + p, lanes=lanes)
                            sums[0][p].add(one)
                            sums[1][p].add_product(one, w.subtract(pixels.load(p0 + p, lanes=lanes), middle))
            totals = [w.variable(_together(w, parts)) for parts in sums]
            _put(w, totals, (first.of(n), second.of(n)), c)

    return write


def _together(w: Writer, parts: list[Variable]) -> object:
    """Add vectors in pairs."""
    first, second = (w.variable(parts[i].get()) for i in (0, 2))
    first.add(parts[1].get())
    second.add(parts[3].get())
    first.add(second.get())
    return first.get()


def _put(w: Writer, totals: list[Variable], results: tuple[Array, Array], channel: Number) -> None:
    for total, result in zip(totals, results, strict=True):
        result.put(w.total(total.get()), channel)
