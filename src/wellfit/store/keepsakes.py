"""What a study directory keeps of the data set, so that reports need the directory alone.

These are the test labels, the class names, and example pictures and decision regions; see ``study.keepsakes``.
"""

from __future__ import annotations

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
        """The arrays and facts; None if there are none, or the file is damaged: the next run computes them again.

        Raises:
          StoreUnreadableError: there are arrays or facts that wellfit cannot have kept.
        """
        kept = self.database.get("keepsakes", None)
        if kept is None:
            return None
        with self.database.reading("what a report shows"):
            sha256, facts = str(kept["sha256"]), dict(kept["facts"])
        try:
            arrays = read_arrays(self.directory / KEEPSAKES, sha256)
        except StoreUnreadableError:
            return None
        labels, classes = self.labels()
        with self.database.reading("what a report shows"):
            _check_facts(facts)
            if ("images" in arrays) != ("image_rows" in arrays):
                raise ValueError("images without their rows")
            for name, array in arrays.items():
                _check_array(name, array, arrays, len(labels), len(classes))
        return arrays, facts


def _check_facts(facts: Mapping[str, Any]) -> None:
    """Raise ValueError for facts of another form than ``study.report_data`` gives them; earlier versions kept fewer."""
    total, distance, axes = facts.get("total"), facts.get("distance"), facts.get("axes", [])
    right = {
        "of": isinstance(facts["of"], str),
        "title": isinstance(facts["title"], str),
        "source": isinstance(facts["source"], str),
        "shape": _are(int, facts["shape"]) and all(size > 0 for size in facts["shape"]),
        "total": total is None or type(total) is int,
        "rows": all(_are(str, row) for row in facts["rows"]),
        "distance": distance is None or type(distance) in (int, float),
        "axes": _are(str, axes) and len(axes) in (0, 2),
        "facts": all(_are(str, fact) and len(fact) == 2 for fact in facts.get("facts", [])),
    }
    for name, is_right in right.items():
        if not is_right:
            raise ValueError(f"{name} is {str(facts[name])[:40]!r}")


def _are(kind: type, items: Any) -> bool:
    return isinstance(items, list) and all(type(item) is kind for item in items)


def _check_array(name: str, array: NDArray[Any], arrays: Arrays, tests: int, classes: int) -> None:
    """Raise ValueError for an array of another form than ``study.report_data`` gives it."""
    shape, kind = array.shape, array.dtype.kind
    kept, points = len(arrays.get("images", ())), len(arrays.get("points", ()))
    right = True
    if name.startswith("count/"):
        right = kind in "iu" and shape == (classes,)
    elif name.startswith("grid/"):
        grid = (*arrays["x2"].shape, *arrays["x1"].shape, classes)
        right = kind == "f" and len(shape) == 4 and shape[0] > 0 and shape[1:] == grid
    elif name == "examples":
        right = _are_pictures(array, 1) and len(array) == classes
    elif name in ("images", "first_images"):
        right = _are_pictures(array) and len(array) <= tests
    elif name in ("image_rows", "point_labels"):
        count, most = (kept, tests) if name == "image_rows" else (points, classes)
        right = kind in "iu" and shape == (count,) and bool(((array >= 0) & (array < most)).all())
    elif name in ("x1", "x2"):
        right = kind == "f" and array.ndim == 1 and bool(np.isfinite(array).all())
    elif name == "points":
        right = kind == "f" and shape == (points, 2)
    if not right:
        raise ValueError(f"{name} is {array.dtype}, {shape}")


def _are_pictures(array: NDArray[Any], more: int = 0) -> bool:
    """Whether these are gray or color pictures, as bytes, along one axis and so many more."""
    of_one = array.shape[1 + more :]
    flat = len(of_one) == 2 or (len(of_one) == 3 and of_one[2] == 3)
    return array.dtype == np.uint8 and flat and all(of_one)
