"""The layout of images inside a network: tiles of a few examples, with the examples on the last axis.

On a CPU, a convolution is fast if its patches fit the cache and its innermost loops run over many examples. A batch (B,
height, width, channels) is therefore cut into tiles (T, channels, height, width, M) of M examples, and everything from
the first image layer to ``flatten`` uses this layout. On a GPU, the whole batch is one tile.
"""

from __future__ import annotations

from typing import Final

import jax

from wellfit.nn import accelerator

__all__ = ["channel_axis", "from_tiles", "tile_size", "to_tiles"]

_CPU_TILE: Final = 16  # one cache line of float32; a tile's patches stay in the level-2 cache


def tile_size(examples: int) -> int:
    """Return the number of examples per tile: on a CPU the largest divisor up to 16, elsewhere the whole batch.

    A batch size without a divisor from 8 to 16 makes one tile.

    Example:
      >>> [tile_size(n) for n in (128, 1000, 100, 7)]
      [16, 10, 10, 7]
    """
    if accelerator.in_use():
        return examples
    divisors = (m for m in range(_CPU_TILE, _CPU_TILE // 2 - 1, -1) if examples % m == 0)
    return next(divisors, examples)


def to_tiles(x: jax.Array) -> jax.Array:
    """Lay out a batch of images in tiles.

    Args:
      x: images, with or without a channel axis.  # (B, H, W) or (B, H, W, C)

    Returns:
      The images in tiles.  # (T, C, H, W, M)

    Example:
      >>> import jax.numpy as jnp
      >>> to_tiles(jnp.zeros((32, 28, 28))).shape
      (2, 1, 28, 28, 16)
    """
    images = x[..., None] if x.ndim == 3 else x  # (B, H, W, C)
    tile = tile_size(x.shape[0])
    return images.reshape(-1, tile, *images.shape[1:]).transpose(0, 4, 2, 3, 1)  # (T, C, H, W, M)


def from_tiles(x: jax.Array) -> jax.Array:
    """Undo ``to_tiles``.

    Args:
      x: images in tiles.  # (T, C, H, W, M)

    Returns:
      The batch.  # (B, H, W, C)

    Example:
      >>> import jax.numpy as jnp
      >>> from_tiles(jnp.zeros((2, 6, 14, 14, 16))).shape
      (32, 14, 14, 6)
    """
    return x.transpose(0, 4, 2, 3, 1).reshape(-1, *x.shape[2:4], x.shape[1])  # (B, H, W, C)


def channel_axis(x: jax.Array) -> int:
    """Return the axis of a layer's channels or units: the second for images in tiles, otherwise the last.

    Example:
      >>> import jax.numpy as jnp
      >>> channel_axis(jnp.zeros((2, 6, 14, 14, 16))), channel_axis(jnp.zeros((32, 10)))
      (1, 1)
    """
    return 1 if x.ndim == 5 else x.ndim - 1
