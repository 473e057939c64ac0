"""One image file as an array: upright, without transparency, gray where it has no color, at its full bit depth."""

from __future__ import annotations

import os
import struct
import threading
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wellfit.data.images.depth import UnreadableError, deep_pixels, is_deep
from wellfit.data.images.sizes import fit, inner_size
from wellfit.files import form_of

__all__ = ["Picture", "View", "read_picture"]

_FORMATS: Final = ("PNG", "JPEG", "MPO", "BMP", "DIB", "GIF", "PPM", "TIFF", "WEBP", "AVIF")  # none runs a program
_ALPHA: Final = frozenset({"LA", "PA", "RGBA"})
_EXIF: Final = ("exif", "Raw profile type exif", "XML:com.adobe.xmp", "xmp")
_ORIENTATION: Final = 0x0112
_SIDEWAYS: Final = (5, 6, 7, 8)
_HUGE: Final = 2**24  # pixels; larger images are decoded one at a time, which bounds the memory of all threads
_PER_BYTE: Final = 1000  # such large images have fewer pixels for each byte of their file
_MOST_SLOW: Final = 2**22  # pixels that Pillow's decoders in Python may have

_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class View:
    """How the images of a data set are read.

    Args:
      background: red, green and blue under transparent pixels, 0 to 255.
      color: as in ``Reading``.
      size: height and width to which images are resized.
      resize: as in ``Reading``.
      expected: height and width of the first image if there is no ``size``; others are not decoded.
      sizes_only: whether to decode nothing at all.
    """

    background: tuple[int, int, int] = (255, 255, 255)
    color: Literal["gray", "rgb"] | None = None
    size: tuple[int, int] | None = None
    resize: Literal["letterbox", "stretch"] = "letterbox"
    expected: tuple[int, int] | None = None
    sizes_only: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """One image.

    Args:
      size: its height and width when upright, before resizing.
      pixels: uint8, uint16 or float32; None if it was not decoded.  # (h, w), or (h, w, 3) if it has color
      turned: whether its Exif data say that the camera was held otherwise.
      frames: whether it has more than one frame, and the first was read.
      transparent: whether it was composited on the background.
      hidden: whether all of it is transparent, so that transparency was ignored.
      ink: its only color, if the picture is in the transparency alone.
      reduced: bits per channel that were reduced to 8 by the decoder; 0 if none were.
    """

    size: tuple[int, int]
    pixels: NDArray[Any] | None = None
    turned: bool = False
    frames: bool = False
    transparent: bool = False
    hidden: bool = False
    ink: tuple[int, int, int] | None = None
    reduced: int = 0


def read_picture(path: str, view: View) -> Picture | str:
    """Read one image file.

    Returns:
      The image, or why it cannot be read, in a few words.

    Raises:
      Nothing for a damaged file.
    """
    from PIL import Image

    try:
        if (form := form_of(path)) not in (None, "a file"):  # never open a device or a pipe
            return f"{form}, not a file"
        # Pillow maps files that it opens itself, which scrambles uncompressed TIFF files that are turned.
        with open(path, "rb") as file, Image.open(file, formats=_formats()) as image:
            turn = _orientation(image)
            picture = _read(image, path, view, turn)
            late = _orientation(image) if image.format == "PNG" else turn  # the Exif data may follow the pixels
        if late == turn:
            return picture
        with open(path, "rb") as file, Image.open(file, formats=("PNG",)) as image:
            return _read(image, path, view, late)
    except Exception as error:  # on damaged files, Pillow raises nearly every kind
        return _reason(path, error)


@cache
def _formats() -> tuple[str, ...]:
    from PIL import Image

    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _read(image: Any, path: str, view: View, turn: int) -> Picture:
    sideways = turn in _SIDEWAYS and image.format != "TIFF"  # Pillow gives a TIFF's size as upright
    size = (image.width, image.height) if sideways else (image.height, image.width)
    if view.sizes_only or (view.expected is not None and size != view.expected):
        return Picture(size)
    pixels = size[0] * size[1]
    if pixels > _MOST_SLOW and image.format == "PPM" and image.tile and image.tile[0].codec_name.startswith("ppm"):
        raise UnreadableError(f"a PPM of more than {_MOST_SLOW:,} pixels in a slow form: save it as PNG")
    if pixels > max(_HUGE, _PER_BYTE * os.stat(path).st_size):
        raise UnreadableError(f"{size[1]:,} x {size[0]:,} pixels in {os.stat(path).st_size:,} bytes: save it smaller")
    with _one_at_a_time if pixels > _HUGE else nullcontext():
        return _decode(image, path, view, turn, size)


def _decode(image: Any, path: str, view: View, turn: int, size: tuple[int, int]) -> Picture:
    inner = None if view.size is None else inner_size(size, view.size, view.resize)
    frames = image.format != "MPO" and bool(getattr(image, "is_animated", False))
    reduced = _avif_bits(path) if image.format == "AVIF" else 0
    hidden = transparent = False
    ink = None
    if is_deep(image):
        pixels, alpha = deep_pixels(image, path, gray=view.color == "gray")
        pixels = _upright(pixels, image, turn)
        if alpha is not None:
            alpha = _upright(alpha, image, turn)
            pixels, transparent, hidden, ink = _composite_deep(pixels, alpha, view)
        pixels = fit(pixels, inner)
    else:
        if inner is not None and image.format in {"JPEG", "MPO"}:  # decode no more than Lanczos resampling needs
            height, width = inner[::-1] if turn in _SIDEWAYS else inner
            image.draft(None, (2 * width, 2 * height))
        plain = _turned(image, turn)
        if plain.mode in _ALPHA or "transparency" in plain.info:
            plain, transparent, hidden, ink = _composite(plain, view.background)
        gray = plain.mode in {"1", "L"} or view.color == "gray"
        mode = "L" if gray else "RGB"
        plain = plain if plain.mode == mode else plain.convert(mode)
        pixels = np.asarray(fit(plain, inner))
    if pixels.ndim == 3 and view.color is None and not _has_color(pixels):
        pixels = pixels[:, :, 0]
    return Picture(size, pixels, turn != 1, frames, transparent, hidden, ink, reduced)


# --- Orientation ------------------------------------------------------------------------------------------------------


def _orientation(image: Any) -> int:
    """The Exif orientation, 1 to 8; damaged Exif data say nothing."""
    if image.format != "TIFF" and not any(key in image.info for key in _EXIF):
        return 1
    try:
        turn = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # the pixels may be intact
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def _turned(image: Any, turn: int) -> Any:
    """Load an image and turn it upright, as Pillow does by itself for TIFF."""
    image.load()
    if turn == 1 or image.format == "TIFF":
        return image
    from PIL import Image

    method = Image.Transpose
    return image.transpose(
        {
            2: method.FLIP_LEFT_RIGHT,
            3: method.ROTATE_180,
            4: method.FLIP_TOP_BOTTOM,
            5: method.TRANSPOSE,
            6: method.ROTATE_270,
            7: method.TRANSVERSE,
            8: method.ROTATE_90,
        }[turn]
    )


def _upright(pixels: NDArray[Any], image: Any, turn: int) -> NDArray[Any]:
    """The same for an array."""
    if image.format == "TIFF":
        return pixels
    if turn in _SIDEWAYS:
        pixels = np.swapaxes(pixels, 0, 1)
    if turn in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


# --- Color and transparency -------------------------------------------------------------------------------------------


def _has_color(pixels: NDArray[Any]) -> bool:
    """Whether the channels differ anywhere; a few pixels usually say so."""
    few = pixels[::8, ::8]
    return bool((few != few[:, :, :1]).any()) or bool((pixels != pixels[:, :, :1]).any())


def _composite(image: Any, background: tuple[int, int, int]) -> tuple[Any, bool, bool, tuple[int, int, int] | None]:
    """Lay an 8-bit image on the background: the image, whether it was transparent, all hidden, and its only color."""
    from PIL import Image

    full = image.convert("RGBA")
    alpha = full.getchannel("A")
    low, high = alpha.getextrema()
    if low == 255:
        return full.convert("RGB"), False, False, None
    base = Image.new("RGB", full.size, background)
    if high == 0:
        opaque = full.convert("RGB")
        varied = any(a != b for a, b in opaque.getextrema())
        return (opaque, False, True, None) if varied else (base, True, False, None)
    base.paste(full, mask=alpha)
    return base, True, False, _ink(np.asarray(full)[:, :, :3], np.asarray(alpha), 255)


def _composite_deep(
    pixels: NDArray[Any], alpha: NDArray[np.uint16], view: View
) -> tuple[NDArray[Any], bool, bool, tuple[int, int, int] | None]:
    """The same for 16 bits."""
    if alpha.min() == 65535:
        return pixels, False, False, None
    if alpha.max() == 0 and pixels.min() != pixels.max():
        return pixels, False, True, None
    ground = np.array(view.background) * 257.0
    color = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    if view.color == "gray":
        ground = np.full(3, ground @ (0.299, 0.587, 0.114))
    share = alpha[:, :, None] / 65535
    mixed = np.round(color * share + ground * (1 - share)).astype(np.uint16)  # (h, w, 3)
    return mixed[:, :, 0] if view.color == "gray" else mixed, True, False, _ink(color, alpha, 65535)


def _ink(pixels: NDArray[Any], alpha: NDArray[Any], most: int) -> tuple[int, int, int] | None:
    """The only color of the visible pixels, 0 to 255, if the transparency alone shows something."""
    if int(alpha.max()) - int(alpha.min()) < most // 8:
        return None
    seen = pixels[alpha > most // 16]  # (n, 3)
    low, high = seen.min(axis=0).astype(int), seen.max(axis=0).astype(int)
    if (high - low).max() > most // 32:
        return None
    red, green, blue = ((low + high) * 255 // (2 * most)).tolist()
    return red, green, blue


# --- Files that cannot be read ----------------------------------------------------------------------------------------


def _avif_bits(path: str) -> int:
    """Bits per channel if the header of an AVIF file says 10 or 12, which Pillow reduces to 8; otherwise 0."""
    with open(path, "rb") as file:
        head = file.read(4096)
    at = head.find(b"av1C")
    flags = head[at + 6] if 0 <= at < len(head) - 6 else 0
    return (12 if flags & 0x20 else 10) if flags & 0x40 else 0


def _reason(path: str, error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, UnreadableError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "a broken link"
    if isinstance(error, UnidentifiedImageError):
        return _kind_of(path)
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return f"more than {Image.MAX_IMAGE_PIXELS:,} pixels"
    if isinstance(error, MemoryError):
        return "too large for the memory"
    text = " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:80]
    if "truncated" in text.lower() or isinstance(error, (EOFError, struct.error)):
        return "truncated"
    return f"damaged: {text[:80]}" if text else f"damaged ({type(error).__name__})"


def _kind_of(path: str) -> str:
    """What a file is that no decoder recognizes."""
    with open(path, "rb") as file:
        head = file.read(64)
    if not head:
        return "empty"
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer: run git lfs pull"
    if head[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return "a damaged TIFF, or of a kind that Pillow does not read: save it as PNG"
    if head[4:8] == b"ftyp":
        return "HEIC or a video: save it as JPEG or PNG"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "HTML or XML"
    return "damaged, or no image"
