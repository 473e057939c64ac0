"""The IDX format of MNIST and similar data sets: an array after a short big-endian header, plain or gzipped.

The header is two zero bytes, the type, the number of dimensions, and each dimension as a four-byte integer; see "The
IDX file format" at the end of http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.limits import raised, remedy
from wellfit.errors import DataError
from wellfit.files import form_of

__all__ = ["IDX_NAMES", "encode_idx", "find_idx", "parse_idx", "read_content", "read_idx"]

IDX_NAMES: Final = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""The four standard names, in the order training images, training labels, test images, test labels."""

_SMALL: Final = 2**28  # bytes that any gzip file may unpack to
_RATIO: Final = 50  # of unpacked to packed size, for larger ones; images reach about 20

_TYPES: Final = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES: Final = {np.dtype(kind).newbyteorder("="): code for code, kind in _TYPES.items()}


def read_content(path: Path) -> bytes:
    """Read a file and decompress it if it is gzipped, regardless of its name.

    Raises:
      DataError: the file cannot be read, is empty, or is a damaged or truncated gzip file.
    """
    try:
        content = path.read_bytes() if path.is_file() else _not_a_file(path)
    except OSError as error:
        raise DataError(
            f"{path}: cannot be read ({error.strerror or error}); check the path and its permissions"
        ) from None
    if not content:
        raise DataError(f"{path}: the file is empty; replace it")
    if content[:2] != b"\x1f\x8b":
        return content
    usual = max(_SMALL, _RATIO * len(content))
    limit = raised(usual)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            unpacked = file.read(limit + 1)
    except EOFError:
        raise DataError(f"{path}: the gzip file is truncated at byte {len(content)}; download it again") from None
    except (OSError, zlib.error, struct.error) as error:
        raise DataError(f"{path}: the gzip file is damaged ({error}); download it again") from None
    if len(unpacked) > limit:
        raise DataError(
            f"{path}: the gzip file of {len(content):,} bytes unpacks to more than {limit:,}; replace it, unpack it, "
            f"or, {remedy(0, usual)}"
        )
    return unpacked


def _not_a_file(path: Path) -> bytes:
    """Raise the error of a path that is no plain file; reading a device or a pipe could last forever."""
    form = form_of(path)
    raise OSError(0, "No such file or directory" if form is None else f"{form}, not a file")


def parse_idx(content: bytes, where: str) -> NDArray[Any]:
    """Decode the decompressed content of an IDX file.

    Args:
      where: the file's name, for error messages.

    Returns:
      The array, in native byte order; read-only for uint8.

    Raises:
      DataError: a web page, a wrong magic number, a truncated header, or data that are too short or too long.

    Example:
      >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]), "labels").tolist()
      [7, 8, 9]
    """
    if content[:200].lstrip()[:1] == b"<":
        raise DataError(f"{where}: is a web page instead of an IDX file: the download failed; download it again")
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES or content[3] == 0:
        raise DataError(
            f"{where}: bytes 0-3 are {content[:4].hex(' ')}, which is not an IDX magic number (00 00 08 03 for "
            "images); replace the file"
        )
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise DataError(
            f"{where}: the file is truncated: the header ends at byte {len(content)} instead of {header}; replace it"
        )
    shape = struct.unpack(f">{content[3]}I", content[4:header])
    kind = np.dtype(_TYPES[content[2]])
    size = header + math.prod(shape) * kind.itemsize
    if len(content) != size:
        what = "is truncated" if len(content) < size else "has extra bytes"
        raise DataError(
            f"{where}: an IDX array of shape {shape} takes {size} bytes, but the file has {len(content)}: it {what}; "
            "replace it"
        )
    array = np.frombuffer(content, dtype=kind, offset=header).reshape(shape)
    return array.astype(kind.newbyteorder("="), copy=False)


def read_idx(path: Path) -> NDArray[Any]:
    """Read one IDX file, plain or gzipped.

    Raises:
      DataError: as for ``read_content`` and ``parse_idx``.
    """
    return parse_idx(read_content(path), str(path))


def encode_idx(array: NDArray[Any]) -> bytes:
    """Encode an array as IDX, header and data; the inverse of ``parse_idx``.

    Args:
      array: has one of the format's six types and at least one dimension.

    Example:
      >>> encode_idx(np.array([7, 8], dtype=np.uint8)).hex(" ")
      '00 00 08 01 00 00 00 02 07 08'
    """
    code = _CODES[array.dtype.newbyteorder("=")]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(_TYPES[code], copy=False).tobytes()


def find_idx(folder: Path, name: str) -> Path | None:
    """Find a standard file in a folder: plain or ``.gz``, with ``-idx`` or, as in some archives, ``.idx`` in its name.

    A folder of the same name with the file inside, as some unpacking programs make it, is looked into.

    Args:
      folder: may not exist.
      name: the standard name, for example ``"train-images-idx3-ubyte"``.

    Returns:
      The path, or None if there is no such file.
    """
    dotted = name.replace("-idx", ".idx")
    candidates = (folder / stem for stem in (name, f"{name}.gz", dotted, f"{dotted}.gz"))
    return next((inner for path in candidates for inner in (path, path / path.name) if inner.is_file()), None)
