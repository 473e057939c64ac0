"""Checkpoints of populations in training: arrays and plain data in one file that carries its own checksum."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.errors import StoreUnreadableError
from wellfit.files import read_plain
from wellfit.store.arrays import Arrays, pack, stage, unpack
from wellfit.store.metadata import Metadata

__all__ = ["FOLDER", "SUFFIX", "Checkpoints"]

FOLDER: Final = "checkpoints"
SUFFIX: Final = ".checkpoint"
_DIGEST: Final = 32  # bytes of SHA-256, at the beginning of the file


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a study directory, one per population in training."""

    directory: Path
    metadata: Metadata

    def save(self, population: str, arrays: Arrays, meta: Mapping[str, Any]) -> None:
        """Replace a population's checkpoint.

        Args:
          population: its name.
          arrays: its state.
          meta: plain data that JSON can hold; NaN and infinities are restored.

        Raises:
          StoreError: the disk is full or the directory is not writable; the last checkpoint is kept.
        """
        text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        content = pack({f"arrays/{name}": array for name, array in arrays.items()} | {"meta": text})
        with ExitStack() as stack:
            stage(stack, self._path(population), hashlib.sha256(content).digest() + content)
        with self.metadata.saving_work():
            pass  # another process may finish the training

    def load(self, population: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """A population's last checkpoint; None if there is none or it is damaged, so training starts again."""
        return _load(self._path(population))

    def unusable(self, population: str, reason: str) -> StoreUnreadableError:
        """The error for a checkpoint that is not one of its population, although its checksum is right."""
        fix = "remove it, and that training starts again from the first epoch"
        return StoreUnreadableError(f"{self._path(population)}: not a file of wellfit ({reason}); {fix}")

    def drop(self, population: str) -> None:
        """Remove a population's checkpoint, if there is one."""
        _remove(self._path(population))

    def drop_all(self) -> None:
        """Remove all checkpoints, including those that a killed process left."""
        for name in self.names():
            _remove(self.directory / name)

    def names(self) -> set[str]:
        """The names in the directory of all checkpoints."""
        return {f"{FOLDER}/{path.name}" for path in (self.directory / FOLDER).glob(f"*{SUFFIX}")}

    def damaged(self) -> set[str]:
        """The names of damaged checkpoints; training starts again from the first epoch there."""
        return {name for name in self.names() if _load(self.directory / name) is None}

    def _path(self, population: str) -> Path:
        return self.directory / name_of(population)


def name_of(population: str) -> str:
    """The name in the directory of a population's checkpoint.

    Example:
      >>> name_of("baseline.0")
      'checkpoints/7f1223d67c645889.checkpoint'
    """
    return f"{FOLDER}/{hashlib.sha256(population.encode()).hexdigest()[:16]}{SUFFIX}"


def _load(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    try:
        content = read_plain(path)
    except OSError:
        return None
    if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
        return None
    try:
        arrays = unpack(content[_DIGEST:])
        meta: dict[str, Any] = json.loads(arrays.pop("meta").tobytes())
    except (KeyError, ValueError):
        return None
    return {name.removeprefix("arrays/"): array for name, array in arrays.items()}, meta


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # a checkpoint that stays does no harm
        path.unlink(missing_ok=True)
