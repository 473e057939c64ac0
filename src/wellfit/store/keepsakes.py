"""What a study directory keeps of the data set, so that reports need the directory alone.

These are the test labels, the class names, and example pictures and decision regions; see ``study.keepsakes``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.errors import StoreUnreadableError
from wellfit.store.arrays import Arrays, pack, read_arrays, stage, write_arrays
from wellfit.store.database import Database

__all__ = ["KEEPSAKES", "LABELS", "Keepsakes"]

LABELS: Final = "test/labels.npz"
KEEPSAKES: Final = "test/keepsakes.npz"


@dataclass(frozen=True)
class Keepsakes:
    """The parts of the data set in a study directory."""

    directory: Path
    database: Database

    def files(self) -> dict[str, str]:
        """Name in the directory -> SHA-256."""
        labels, kept = self.database.get("labels", None), self.database.get("keepsakes", None)
        return ({LABELS: labels} if labels else {}) | ({KEEPSAKES: kept["sha256"]} if kept else {})

    def save_labels(self, labels: IntArray, classes: Sequence[str], groups: IntArray | None = None) -> None:
        """Save the labels of the test examples and the names of the classes.

        Args:
          labels: int32.  # (M,)
          classes: in the order of the labels.
          groups: the group of each test example; None without groups.  # (M,)

        Raises:
          StoreError: the disk is full or the directory is not writable.
        """
        arrays = {"labels": labels} if groups is None else {"labels": labels, "groups": groups.astype(np.int64)}
        sha256 = write_arrays(self.directory / LABELS, arrays)
        with self.database.transaction():
            self.database.put("labels", sha256)
            self.database.put("classes", list(classes))

    def labels(self) -> tuple[IntArray, tuple[str, ...]]:
        """The test labels and the class names; empty before they are saved.  # (M,)."""
        sha256 = self.database.get("labels", None)
        labels = read_arrays(self.directory / LABELS, sha256)["labels"] if sha256 else np.zeros(0, np.int32)
        return labels, tuple(self.database.get("classes", ()))

    def test_groups(self) -> IntArray | None:
        """The group of each test example; None without groups.  # (M,)."""
        sha256 = self.database.get("labels", None)
        return read_arrays(self.directory / LABELS, sha256).get("groups") if sha256 else None

    def save(self, arrays: Arrays, facts: Mapping[str, Any]) -> None:
        """Replace the example pictures and decision regions.

        Args:
          arrays: the pictures and grids.
          facts: plain data that JSON can hold.

        Raises:
          StoreError: the disk is full or the directory is not writable; the old ones are kept.
        """
        with ExitStack() as stack:
            sha256 = stage(stack, self.directory / KEEPSAKES, pack(arrays))
            with self.database.transaction():
                self.database.drop("keepsakes")  # a row never names a file with another content
        with self.database.transaction():
            self.database.put("keepsakes", {"sha256": sha256, "facts": dict(facts)})

    def load(self) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
        """The arrays and facts; None if there are none, or the file is damaged: the next run computes them again."""
        kept = self.database.get("keepsakes", None)
        if kept is None:
            return None
        with contextlib.suppress(StoreUnreadableError):
            return read_arrays(self.directory / KEEPSAKES, kept["sha256"]), kept["facts"]
        return None
