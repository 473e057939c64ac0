"""Augmentation: each step trains on randomly changed examples, generated on the device from the step's key.

The key determines standard random numbers; a strength scales them or serves as their threshold. The random numbers
depend neither on the strengths nor on which augmentations are in use. Variants of one seed therefore share them, and a
larger strength moves the same image further in the same direction. Strength 0 leaves every bit unchanged.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Final

import jax
import jax.numpy as jnp

from wellfit.errors import ShapeError, UnknownNameError

__all__ = ["AUGMENTATIONS", "FOR_ROWS", "augment", "mixup"]

AUGMENTATIONS: Final[tuple[str, ...]] = ("shift", "flip", "rotation", "zoom", "erasing", "noise", "mixup")
"""The augmentations. A name's position is folded into the key, so new names must be appended."""

_GEOMETRIC: Final = ("shift", "rotation", "zoom")
FOR_ROWS: Final = ("noise", "mixup")
_PROPOSALS: Final = 12
_ERASED_AREA: Final = (0.02, 0.2)  # smallest and largest fraction of the image
_ERASED_ASPECT: Final = 0.3  # smallest height / width; the largest is its inverse


def augment(
    x: jax.Array, key: jax.Array, strength: Mapping[str, jax.Array], uses: Collection[str], fill: jax.Array
) -> jax.Array:
    """Augment every example of a batch: shift, rotation and zoom in one resampling, then flip, noise and erasing.

    ========  ==========================================================================================================
    shift     largest displacement as a fraction of height and width; each is uniform on ``[-s, s]``
    rotation  largest angle in degrees; uniform on ``[-s, s]``, positive is counterclockwise
    zoom      largest relative change of size, below 1; the factor is uniform on ``[1 - s, 1 + s]``
    flip      probability of a horizontal flip
    noise     standard deviation of Gaussian noise, in units of the inputs
    erasing   probability that a rectangle is filled: 2 to 20 % of the image, height / width from 0.3 to 1 / 0.3
    mixup     ignored here; see ``mixup``, which also returns each example's partner
    ========  ==========================================================================================================

    Images are rotated and resized about their center, shifted and flipped, with bilinear interpolation; pixels from
    outside the image are ``fill``. The area of the erased rectangle is uniform and its aspect ratio log-uniform, so
    that wide and tall rectangles are equally likely.

    Args:
      x: images or feature rows, scaled or not, float32.  # (B, H, W), (B, H, W, C) or (B, D)
      key: random key of the step; the same key changes the same pixels.
      strength: augmentation -> its strength, a float32 scalar that may be traced.
      uses: names from ``AUGMENTATIONS``, static; the others are left out of the program.
      fill: the background value, in the units of ``x``, float32.  # broadcastable to one example

    Returns:
      The augmented batch, float32; bitwise equal to ``x`` if every strength is 0.  # shape of x

    Raises:
      UnknownNameError: an unknown name in ``uses``.
      ShapeError: an augmentation of images applied to feature rows.

    Source: Zhong et al. (2020), "Random erasing data augmentation", for erasing.

    Example:
      >>> images = jnp.arange(6.0).reshape(1, 2, 3)
      >>> augment(images, jax.random.key(0), {"flip": jnp.float32(1)}, ("flip",), jnp.float32(0)).tolist()
      [[[2.0, 1.0, 0.0], [5.0, 4.0, 3.0]]]
    """
    _check(x, uses)
    background = jnp.broadcast_to(fill, x.shape[1:])[None]  # (1, ...)
    if any(name in uses for name in (*_GEOMETRIC, "flip")):
        x = _move(x, key, {name: strength[name] for name in uses if name != "mixup"}, background)
    if "noise" in uses:
        unit = jax.random.normal(_key(key, "noise"), x.shape, jnp.float32)
        x = jnp.where(strength["noise"] > 0, x + strength["noise"] * unit, x)
    if "erasing" in uses:
        x = jnp.where(_rectangles(x, key, strength["erasing"]), background, x)
    return x


def mixup(
    x: jax.Array, key: jax.Array, alpha: jax.Array, weight: jax.Array | None = None
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Mix every example with another of its batch: ``share * x + (1 - share) * x[partner]``.

    Each batch has one share, drawn from Beta(alpha, alpha). The caller mixes the loss in the same way: ``share`` times
    the loss for an example's own label, plus ``1 - share`` times the loss for its partner's label.

    Args:
      x: scaled examples, float32.  # (B, ...)
      key: random key of the step; may be the key given to ``augment``.
      alpha: parameter of the Beta distribution, a float32 scalar that may be traced; 0 disables mixing.
      weight: 1 for examples, 0 for the padding at the end of the last batch; None without padding.  # (B,)

    Returns:
      The mixed batch, every example's partner, int32, and the share, float32. Partners are a permutation that maps
      padding to itself. With alpha 0 the share is 1 and the batch is ``x``.  # (B, ...), (B,), ()

    Source: Zhang et al. (2018), "mixup: beyond empirical risk minimization".

    Example:
      >>> x, weight = jnp.eye(3), jnp.array([1.0, 1.0, 0.0])
      >>> mixed, partner, share = jax.jit(mixup)(x, jax.random.key(0), jnp.float32(0), weight)
      >>> mixed.tolist() == x.tolist(), int(partner[2]), float(share)
      (True, 2, 1.0)
    """
    share_key, order_key = jax.random.split(_key(key, "mixup"))
    mixes = alpha > 0
    log_gammas = _log_gammas(share_key, jnp.where(mixes, alpha, jnp.float32(1)))  # (2,)
    share = jnp.where(mixes, jax.nn.sigmoid(log_gammas[0] - log_gammas[1]), jnp.float32(1))  # g / (g + h)
    bits = jax.random.bits(order_key, (x.shape[0],), jnp.uint32)  # (B,)
    if weight is not None:
        bits = jnp.where(weight > 0, bits, jnp.uint32(0xFFFFFFFF))  # a stable sort keeps padding last, in order
    partner = jnp.argsort(bits, stable=True).astype(jnp.int32)  # (B,)
    mixed = jnp.where(mixes, share * x + (1 - share) * x[partner], x)  # (B, ...)
    return mixed, partner, share


def _log_gammas(key: jax.Array, shape: jax.Array) -> jax.Array:
    """Draw the logarithms of two Gamma(shape, 1) variables, which cannot underflow for small shapes.

    Draws Gamma(shape + 1) by rejection and multiplies it by ``uniform ** (1 / shape)``. A proposal is rejected with
    probability below 0.05, and all of them with probability below 1e-15. A fixed number of proposals is therefore as
    good as a loop; it compiles in half the time of ``jax.random.beta`` and uses the same random numbers for every
    shape.

    Source: Marsaglia & Tsang (2000), "A simple method for generating gamma variables", with their section 6.
    """
    normal_key, uniform_key = jax.random.split(key)
    normal = jax.random.normal(normal_key, (_PROPOSALS, 2), jnp.float32)
    uniform = 1 - jax.random.uniform(
        uniform_key, (_PROPOSALS + 1, 2), jnp.float32
    )  # on (0, 1], so that the logarithm is finite
    d = shape + 2 / 3
    root = 1 + normal / jnp.sqrt(9 * d)  # (_PROPOSALS, 2)
    log_v = 3 * jnp.log(jnp.maximum(root, jnp.float32(1e-6)))
    accepted = (root > 0) & (jnp.log(uniform[1:]) < normal**2 / 2 + d * (1 - root**3 + log_v))
    taken = jnp.take_along_axis(log_v, accepted.argmax(axis=0)[None], axis=0)[0]  # (2,), the first accepted
    return jnp.log(d) + taken + jnp.log(uniform[0]) / shape  # (2,)


def _check(x: jax.Array, uses: Collection[str]) -> None:
    for name in uses:
        if name not in AUGMENTATIONS:
            raise UnknownNameError("augmentation", name, AUGMENTATIONS)
        if x.ndim not in (3, 4) and name not in FOR_ROWS:
            shape = tuple(x.shape[1:])
            raise ShapeError(f"augmentation {name!r} needs images, but the examples have shape {shape}; remove it")


def _key(key: jax.Array, name: str) -> jax.Array:
    return jax.random.fold_in(key, AUGMENTATIONS.index(name))


def _uniform(key: jax.Array, name: str, shape: tuple[int, ...]) -> jax.Array:
    """Draw an augmentation's uniform numbers on [0, 1)."""
    return jax.random.uniform(_key(key, name), shape, jnp.float32)


def _along(values: jax.Array, x: jax.Array) -> jax.Array:
    """Append axes to per-example or per-pixel values, up to the number of axes of ``x``."""
    return values.reshape(values.shape + (1,) * (x.ndim - values.ndim))


def _move(x: jax.Array, key: jax.Array, strength: Mapping[str, jax.Array], background: jax.Array) -> jax.Array:
    """Apply shift, rotation, zoom and flip; a flip alone leaves the bits of every pixel unchanged."""
    mirrored = jnp.zeros(x.shape[0], bool)  # (B,)
    whole = x
    if "flip" in strength:
        mirrored = _uniform(key, "flip", (x.shape[0],)) < strength["flip"]
        whole = jnp.where(_along(mirrored, x), x[:, :, ::-1], x)  # (B, H, W, ...)
    amounts = [strength[name] for name in _GEOMETRIC if name in strength]
    if not amounts:
        return whole
    rows, columns = _sources(x, key, strength, mirrored)
    moves = jnp.stack([jnp.asarray(amount) > 0 for amount in amounts]).any()
    return jnp.where(moves, _read(x, rows, columns, background), whole)  # (B, H, W, ...)


def _read(x: jax.Array, rows: jax.Array, columns: jax.Array, background: jax.Array) -> jax.Array:
    """Interpolate bilinearly between the four pixels around each source; outside pixels are ``background``."""
    batch, height, width = x.shape[:3]
    top, left = jnp.floor(rows), jnp.floor(columns)
    down, right = _along(rows - top, x), _along(columns - left, x)  # (B, H, W, ...), weights of lower and right pixels
    pixels = x.reshape(batch * height * width, *x.shape[3:])  # (B * H * W, ...): one flat gather is fastest on CPUs
    first = jnp.arange(batch, dtype=jnp.int32)[:, None, None] * (height * width)  # (B, 1, 1)

    def neighbor(lower: int, further: int) -> jax.Array:
        i, j = top.astype(jnp.int32) + lower, left.astype(jnp.int32) + further  # (B, H, W) each
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        place = first + jnp.clip(i, 0, height - 1) * width + jnp.clip(j, 0, width - 1)
        value = pixels.at[place].get(mode="promise_in_bounds")  # (B, H, W, ...)
        return jnp.where(_along(inside, x), value, background)

    # in this form, interpolating between equal neighbors returns their exact value
    upper = neighbor(0, 0) + right * (neighbor(0, 1) - neighbor(0, 0))
    lower = neighbor(1, 0) + right * (neighbor(1, 1) - neighbor(1, 0))
    return upper + down * (lower - upper)  # (B, H, W, ...)


def _sources(
    x: jax.Array, key: jax.Array, strength: Mapping[str, jax.Array], mirrored: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Compute each new pixel's source row and column: ``center + R(-angle) (p - center - shift) / zoom``.

    A flip mirrors ``p``, so that flipped images are read only once.
    """
    batch, height, width = x.shape[:3]

    def amount(name: str, numbers: int) -> jax.Array:
        if name not in strength:
            return jnp.zeros((batch, numbers, 1, 1), jnp.float32)
        return strength[name] * (2 * _uniform(key, name, (batch, numbers, 1, 1)) - 1)

    shift = amount("shift", 2)  # (B, 2, 1, 1)
    angle = amount("rotation", 1)[:, 0] * (math.pi / 180)  # (B, 1, 1)
    factor = 1 + amount("zoom", 1)[:, 0]  # (B, 1, 1)
    cosine, sine = jnp.cos(angle) / factor, jnp.sin(angle) / factor
    center = (height - 1) / 2, (width - 1) / 2
    i = jnp.arange(height, dtype=jnp.float32)[None, :, None] - center[0] - shift[:, 0] * height  # (B, H, 1)
    side = jnp.where(mirrored, jnp.float32(-1), jnp.float32(1))[:, None, None]  # (B, 1, 1)
    j = side * (jnp.arange(width, dtype=jnp.float32)[None, None, :] - center[1]) - shift[:, 1] * width  # (B, 1, W)
    return cosine * i + sine * j + center[0], cosine * j - sine * i + center[1]  # (B, H, W) each


def _rectangles(x: jax.Array, key: jax.Array, probability: jax.Array) -> jax.Array:
    """Return a mask of the pixels to erase: in the chosen examples, a rectangle of whole pixels inside the image."""
    batch, height, width = x.shape[:3]
    unit = _uniform(key, "erasing", (5, batch, 1, 1))  # chosen, area, aspect, row and column position
    least, largest = _ERASED_AREA
    area = least + (largest - least) * unit[1]  # (B, 1, 1), fraction of the image
    aspect = jnp.exp((1 - 2 * unit[2]) * math.log(_ERASED_ASPECT))  # (B, 1, 1), height / width
    aspect = jnp.clip(aspect, area * height / width, height / (area * width))  # so that the rectangle fits
    tall = jnp.clip(jnp.round(jnp.sqrt(area * aspect * (height * width))), 1, height)  # (B, 1, 1)
    wide = jnp.clip(jnp.round(jnp.sqrt(area / aspect * (height * width))), 1, width)  # (B, 1, 1)
    top = jnp.floor(unit[3] * (height - tall + 1))  # (B, 1, 1)
    left = jnp.floor(unit[4] * (width - wide + 1))  # (B, 1, 1)
    i = jnp.arange(height, dtype=jnp.float32)[None, :, None]  # (1, H, 1)
    j = jnp.arange(width, dtype=jnp.float32)[None, None, :]  # (1, 1, W)
    rectangle = (i >= top) & (i < top + tall) & (j >= left) & (j < left + wide)  # (B, H, W)
    return _along((unit[0] < probability) & rectangle, x)
