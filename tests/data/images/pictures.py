"""Image files for the tests of image folders, written by Pillow or, where it cannot write them, byte by byte."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def noise(seed: int, shape: tuple[int, ...] = (4, 5), dtype: type = np.uint8):
    """Pixels of the type's full range."""
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)


def save(path: Path, pixels, mode: str | None = None, **options) -> Path:
    """Write pixels as an image, and create the folders around it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path, **options)
    return path


def tree(folder: Path, classes=("cat", "dog"), per: int = 3, seed: int = 0) -> Path:
    """A folder of 4 x 5 gray images by class."""
    for c, name in enumerate(classes):
        for i in range(per):
            save(folder / name / f"{i}.png", noise(seed + 100 * c + i))
    return folder


def png16(values, key: bytes = b"") -> bytes:
    """A PNG with 16 bits per channel: gray, gray with alpha, RGB or RGBA by the number of channels."""
    values = np.asarray(values).astype(">u2")
    height, width, channels = values.shape
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    header = struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, 0)
    parts = [(b"IHDR", header), *([(b"tRNS", key)] if key else []), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def tiff16(values, order: str = "<") -> bytes:
    """An uncompressed TIFF with 16-bit RGB, either byte order."""
    values = np.asarray(values).astype(f"{order}u2")
    height, width, channels = values.shape
    body = values.tobytes()
    start = 8
    bits = start + len(body)
    entries = [
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, channels, bits),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, start),
        (277, 3, 1, channels),
        (278, 3, 1, height),
        (279, 4, 1, len(body)),
    ]
    table = b"".join(
        struct.pack(f"{order}HHI", tag, kind, count)
        + (struct.pack(f"{order}HH", value, 0) if kind == 3 and count == 1 else struct.pack(f"{order}I", value))
        for tag, kind, count, value in entries
    )
    at = bits + 2 * channels
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", at)
    words = struct.pack(f"{order}{channels}H", *[16] * channels)
    return head + body + words + struct.pack(f"{order}H", len(entries)) + table + b"\0\0\0\0"
