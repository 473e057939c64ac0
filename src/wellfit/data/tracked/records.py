"""Records of event files: their length and content, each with a checksum.

Source: described in TensorFlow's ``tensorflow/core/lib/io/record_writer.h``.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wellfit.data.limits import raised, remedy
from wellfit.errors import DataError

__all__ = ["record", "records_in"]

_CHUNK: Final = 2048
_MOST: Final = 1 << 26  # bytes of a record


def record(content: bytes) -> bytes:
    """A record: its length, and its content, each with a checksum."""
    length = struct.pack("<Q", len(content))
    return b"".join([length, _masked(length), content, _masked(content)])


def records_in(path: Path) -> Iterator[bytes]:
    """The contents of the records of a file; one that was not written to its end, as when a program dies, is left out.

    Args:
      path: of the file.

    Raises:
      DataError: it cannot be read, is no event file, or is damaged.
    """
    try:
        with path.open("rb") as file:
            at = 0
            while len(head := file.read(12)) == 12:
                length, checksum = struct.unpack("<QI", head)
                if struct.pack("<I", checksum) != _masked(head[:8]):
                    what = f"is damaged at byte {at:,}" if at else "is no event file"
                    raise DataError(f"{path}: {what}; replace it, or leave it out")
                if length > raised(_MOST):
                    raise DataError(f"{path}: a record of {length:,} bytes; {remedy(length, _MOST)}")
                content = file.read(length)
                tail = file.read(4)
                if len(content) < length or len(tail) < 4:
                    return
                if tail != _masked(content):
                    raise DataError(f"{path}: is damaged at byte {at:,}; replace it, or leave it out")
                yield content
                at += 16 + length
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from None


def _masked(content: bytes) -> bytes:
    """The checksum of a part of a record: a CRC-32C, rotated and moved."""
    crc = _crc32c(content)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def _crc32c(content: bytes) -> int:
    """The CRC-32C of bytes; tensorboardX computes it byte by byte in Python, which takes most of the time of an event.

    A CRC is linear: it is the exclusive or of what each byte contributes at its distance from the end.
    """
    state = 0xFFFFFFFF
    for begin in range(0, len(content), _CHUNK):
        chunk = np.frombuffer(content[begin : begin + _CHUNK], np.uint8).copy()
        front = np.frombuffer(struct.pack("<I", state), np.uint8)[: len(chunk)]
        chunk[: len(front)] ^= front
        places = np.arange(len(chunk) - 1, -1, -1)
        rest = state >> 8 * len(front) if len(front) < 4 else 0  # a chunk of fewer bytes shifts only so many out
        state = int(np.bitwise_xor.reduce(_contributions()[places, chunk])) ^ rest
    return state ^ 0xFFFFFFFF


@functools.cache
def _contributions() -> NDArray[np.uint32]:
    """What a byte contributes to the CRC if so many bytes follow it.  # (bytes that follow, 256)"""
    of_byte = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        of_byte = np.where(of_byte & 1, of_byte >> 1 ^ np.uint32(0x82F63B78), of_byte >> 1)
    rows = [of_byte]
    for _ in range(_CHUNK - 1):
        rows.append(rows[-1] >> 8 ^ of_byte[rows[-1] & 0xFF])
    return np.array(rows, np.uint32)
