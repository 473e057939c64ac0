"""How much of a convolution fits into the registers: the sizes of the blocks that the kernels compute at once.

Every block is a few sums that stay in registers while the kernel's loops run. A larger block needs fewer loads for the
same number of multiplications; one that is too large makes the compiler move sums to memory, which costs more than it
saves. The sizes therefore follow the number of registers. Source: Goto & van de Geijn (2008), "Anatomy of
high-performance matrix multiplication".
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

__all__ = ["Blocks", "Shape", "blocks_of"]

_SPARE: Final = 2  # registers for what the compiler holds besides: a broadcast weight, a loaded pixel
_LATENCY: Final = 8  # multiplications that must be independent, so that none waits for the one before
_MOST_TAPS: Final = 8  # of a kernel's row that are written out
_MOST_COLUMNS: Final = 4
_L2: Final = 1 << 18  # bytes of a core's second-level cache that tiles may take

Choice = TypeVar("Choice", bound=tuple[int, ...])


@dataclass(frozen=True)
class Shape:
    """A convolution of images in tiles, without padding.

    Args:
      channels, height, width: of the images.
      filters: output channels.
      size: height and width of the kernel.
      stride: its step.
      examples: images per tile.

    Example:
      >>> shape = Shape(6, 14, 14, 16, 5, 1, 16)
      >>> shape.rows, shape.columns
      (10, 10)
    """

    channels: int
    height: int
    width: int
    filters: int
    size: int
    stride: int
    examples: int

    @property
    def rows(self) -> int:
        """Positions of the kernel from top to bottom."""
        return (self.height - self.size) // self.stride + 1

    @property
    def columns(self) -> int:
        """Positions of the kernel from left to right."""
        return (self.width - self.size) // self.stride + 1


class Blocks(NamedTuple):
    """The sizes of the blocks of each kernel.

    Args:
      forward: filters and columns of the output.
      pooled: filters of the output, if each block is one cell of the pooled images: four sums per filter.
      images: channels, columns of the gradient, and columns of the kernel.
      kernel: filters, channels and columns of the kernel.
      width: columns of the gradient that the kernel's gradient reads per turn of its loop.
      together: tiles between two visits to the same weights.
    """

    forward: tuple[int, int]
    pooled: int
    images: tuple[int, int, int]
    kernel: tuple[int, int, int]
    width: int
    together: int


@functools.cache
def blocks_of(shape: Shape, registers: int) -> Blocks:
    """Choose the blocks of a convolution's kernels for a number of registers.

    Example:
      >>> blocks_of(Shape(6, 14, 14, 16, 5, 1, 16), 32).forward, blocks_of(Shape(6, 14, 14, 16, 5, 1, 16), 16).forward
      ((4, 5), (4, 2))
    """
    room = registers - _SPARE
    f, c, step, size = shape.filters, shape.channels, shape.stride, shape.size
    taps = range(1, min(size, _MOST_TAPS) + 1)

    def reach(columns: int, of_kernel: int) -> int:
        return (columns - 1) * step + of_kernel

    forward = _best(
        ((g, q) for g, q in _pairs(f, shape.columns) if g * q + q <= room),
        lambda b: _cost(f, b[0]) * _cost(shape.columns, b[1]) * _turn(b[0] * b[1], b[0] + b[1]),
    )
    pooled = _best(
        ((g,) for g in range(1, f + 1) if 4 * g + 4 <= room), lambda b: _cost(f, b[0]) * _turn(4 * b[0], b[0] + 4)
    )
    images = _best(
        (
            (g, q, k)
            for (g, q), k in itertools.product(_pairs(c, shape.columns), taps)
            if g * reach(q, k) + min(g * k, q) <= room
        ),
        lambda b: (
            _cost(c, b[0])
            * _cost(shape.columns, b[1])
            * _cost(size, b[2])
            * _turn(b[0] * b[1] * b[2], b[1] + b[0] * b[2])
        ),
    )
    kernel = _best(
        ((g, h, k) for (g, h), k in itertools.product(_pairs(f, c), taps) if g * h * k + h * k + g <= room + 1),
        lambda b: (
            _cost(f, b[0])
            * _cost(c, b[1])
            * _cost(size, b[2])
            * _turn(b[0] * b[1] * b[2], b[0] + b[1] * min(step, b[2]))
        ),
    )
    width = min(range(1, min(_MOST_COLUMNS, shape.columns) + 1), key=lambda q: (_cost(shape.columns, q) * (q + 2), -q))
    return Blocks(forward, pooled[0], images, kernel, width, _together(shape))


def _pairs(a: int, b: int) -> Iterable[tuple[int, int]]:
    most = 32
    return itertools.product(range(1, min(a, most) + 1), range(1, min(b, most) + 1))


def _best(choices: Iterable[Choice], cost: Callable[[Choice], float]) -> Choice:
    return min(choices, key=lambda choice: (cost(choice), sum(choice)))


def _cost(total: int, size: int) -> float:
    """Blocks that cover an axis; a rest counts as a whole block, and a little for code of its own."""
    whole, rest = divmod(total, size)
    return whole + (1.05 if rest else 0.0)


def _turn(products: int, loads: int) -> float:
    """Time of one turn of the innermost loop of a block, in multiplications."""
    return max(products, _LATENCY, loads) + 0.25 * loads


def _together(shape: Shape) -> int:
    """Tiles whose images and gradients stay in the second-level cache while one block of weights passes over them."""
    tile = (
        4 * shape.examples * (shape.channels * shape.height * shape.width + shape.filters * shape.rows * shape.columns)
    )
    return max(1, _L2 // tile)
