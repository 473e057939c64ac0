"""Images with more than 8 bits per channel, which Pillow would reduce to 8 where they have color.

Pillow has no mode for 16-bit color: its raw mode ``RGB;16B`` keeps the first byte of each big-endian value. The raw
mode of the other byte order keeps the other byte, so that two decodings give all 16 bits.
"""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["UnreadableError", "deep_pixels", "is_deep"]

_GRAY: Final = frozenset({"I", "F", "I;16", "I;16B", "I;16L", "I;16N"})
_OTHER: Final = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_LUMA: Final = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Pillow's conversion to gray
_WHITE_IS_ZERO_TAG: Final = 262


class UnreadableError(Exception):
    """An image that is refused; the message says why in a few words."""


def is_deep(image: Any) -> bool:
    """Return whether an image that was opened, but not loaded, has more than 8 bits per channel."""
    return image.mode in _GRAY or ";16" in _raw_mode(image) or _ppm_maximum(image) > 255


def deep_pixels(image: Any, path: str, *, gray: bool) -> tuple[NDArray[Any], NDArray[np.uint16] | None]:
    """Decode such an image.

    Args:
      image: opened, not loaded.
      path: its file, to open it a second time.
      gray: whether to reduce color to gray.

    Returns:
      The pixels, uint16 or float32, (h, w) or (h, w, 3), and the transparency, uint16 (h, w), None if there is none.

    Raises:
      UnreadableError: a form that cannot be kept at its full depth.
    """
    if image.mode in _GRAY:
        pixels = _gray(image)
        alpha = _of_key(pixels[:, :, None], image.info.get("transparency"))
        return pixels, alpha
    if image.format == "PPM":
        channels = _ppm(image)
    elif image.format == "PNG" and _raw_mode(image) == "LA;16B":
        image.tile = [tile._replace(args="RGBA") for tile in image.tile]  # the four bytes of each pixel
        both = _two_bytes(np.asarray(image)[:, :, 0::2], np.asarray(image)[:, :, 1::2])
        return both[:, :, 0], both[:, :, 1]
    else:
        channels = _both_bytes(image, path)
    alpha = channels[:, :, 3] if channels.shape[2] == 4 else _of_key(channels, image.info.get("transparency"))
    color = channels[:, :, :3]
    if gray:
        color = np.round(color @ np.array(_LUMA)).astype(np.uint16)  # (h, w)
    return color, alpha


def _raw_mode(image: Any) -> str:
    """The raw mode of an image's first tile."""
    if not image.tile:
        return ""
    args = image.tile[0].args
    mode = args if isinstance(args, str) else args[0] if args else ""
    return mode if isinstance(mode, str) else ""


def _ppm_maximum(image: Any) -> int:
    """The largest value of a color PPM that Pillow would scale to 8 bits; 0 for other images."""
    args = image.tile[0].args if image.format == "PPM" and image.mode == "RGB" and image.tile else ()
    return args[1] if isinstance(args, tuple) and len(args) == 2 else 0


def _gray(image: Any) -> NDArray[Any]:
    inverted = image.format == "TIFF" and image.tag_v2.get(_WHITE_IS_ZERO_TAG) == 0
    pixels = np.asarray(image)
    if pixels.dtype.kind == "f":
        if not np.isfinite(pixels).all():
            raise UnreadableError("has pixels that are not finite numbers")
        return pixels.astype(np.float32)
    if pixels.min() < 0 or pixels.max() > 65535:
        return pixels.astype(np.float32)  # 32-bit integers; float32 keeps 24 bits
    words = pixels.astype(np.uint16)
    return np.subtract(65535, words, dtype=np.uint16) if inverted else words


def _both_bytes(image: Any, path: str) -> NDArray[np.uint16]:
    """Decode 16-bit color twice; (h, w, 3 or 4)."""
    from PIL import Image

    mode = _raw_mode(image)
    name, _, order = mode.partition(";16")
    if name not in {"RGB", "RGBX", "RGBA"} or order not in _OTHER:
        raise UnreadableError(f"16 bits per channel in the form {mode}: save it as 16-bit RGB or with 8 bits")
    with Image.open(path, formats=(image.format,)) as again:
        again.tile = [tile._replace(args=_other(tile.args, f"{name};16{_OTHER[order]}")) for tile in again.tile]
        low = np.asarray(again)
    return _two_bytes(np.asarray(image), low)


def _other(args: Any, mode: str) -> Any:
    """A tile's arguments with another raw mode."""
    return mode if isinstance(args, str) else (mode, *args[1:])


def _two_bytes(high: NDArray[np.uint8], low: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return np.bitwise_or(np.left_shift(high.astype(np.uint16), 8), low, dtype=np.uint16)


def _ppm(image: Any) -> NDArray[np.uint16]:
    """The pixels of a binary PPM with two bytes per value, scaled to 65535 as Pillow scales a PGM."""
    tile = image.tile[0]
    if tile.codec_name != "ppm":
        raise UnreadableError("a plain-text PPM with more than 8 bits: save it as binary PPM or PNG")
    image.fp.seek(tile.offset)
    count = image.width * image.height * 3
    values = np.frombuffer(image.fp.read(2 * count), dtype=">u2")
    if len(values) < count:
        raise UnreadableError("truncated")
    scaled: NDArray[np.float64] = np.round(np.minimum(values, tile.args[1]) * (65535 / tile.args[1]))
    return scaled.astype(np.uint16).reshape(image.height, image.width, 3)


def _of_key(channels: NDArray[Any], key: Any) -> NDArray[np.uint16] | None:
    """Transparency by a color key: pixels of that color are transparent."""
    if key is None or isinstance(key, bytes) or channels.dtype != np.uint16:
        return None
    return np.where((channels == np.array(key)).all(axis=2), 0, 65535).astype(np.uint16)
