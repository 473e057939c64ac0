"""Checkpoints: arrays and plain data in one file that carries its own checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.store.files import pack, unpack, write_file

__all__ = ["SUFFIX", "load", "save"]

SUFFIX: Final = ".checkpoint"
_DIGEST: Final = 32  # bytes of SHA-256, at the head of the file


def save(path: Path, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> None:
    """Writes a checkpoint in one step.

    Args:
      path: the file; its folder exists.
      arrays: name -> array, of NumPy's own numbers.
      meta: plain data that JSON can hold.

    Raises:
      StoreError: it cannot be written.
    """
    told = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    content = pack({f"arrays/{name}": array for name, array in arrays.items()} | {"meta": told})
    write_file(path, hashlib.sha256(content).digest() + content)


def load(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    """Reads a checkpoint; None where there is none, or it is damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        return None
    arrays = unpack(content[_DIGEST:])
    meta: dict[str, Any] = json.loads(arrays.pop("meta").tobytes())
    return {name.removeprefix("arrays/"): array for name, array in arrays.items()}, meta
