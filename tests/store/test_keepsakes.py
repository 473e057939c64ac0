"""What a study directory keeps of the data set."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saved_runs import failing, opened
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.store import open_existing
from wellfit.store.keepsakes import KEEPSAKES, LABELS


def facts(of: str, **changes: Any) -> dict[str, Any]:
    """What is kept besides arrays, for pictures of 3 x 2 pixels."""
    told = {"of": of, "title": "t", "source": "s", "shape": [3, 2], "total": 9, "rows": [["a"]], "distance": 1.5}
    return {**told, "axes": ["a", "b"], "facts": [["a", "b"]], **changes}


def pictures(**changes: Any) -> dict[str, Any]:
    """Everything that may be kept, for four test examples of two classes."""
    arrays = {
        "count/train": np.zeros(2, np.int64),
        "examples": np.zeros((2, 5, 3, 2), np.uint8),
        "images": np.zeros((3, 3, 2), np.uint8),
        "image_rows": np.array([3, 0, 1]),
        "first_images": np.zeros((4, 3, 2, 3), np.uint8),
        "x1": np.arange(5.0),
        "x2": np.arange(4.0),
        "grid/l2": np.zeros((1, 4, 5, 2), np.float32),
        "points": np.zeros((6, 2), np.float32),
        "point_labels": np.array([0, 1] * 3),
    }
    return {**arrays, **changes}


def test_labels_and_classes_come_back(tmp_path: Path) -> None:
    labels = np.arange(5, dtype=np.int32)
    with opened(tmp_path / "s") as store:
        assert (store.keepsakes.labels()[0].size, store.keepsakes.labels()[1]) == (0, ())
        store.keepsakes.save_labels(labels[:2], ("a",))
        store.keepsakes.save_labels(labels, ("a", "b"))
        assert store.keepsakes.files().keys() == {LABELS}
    with open_existing(tmp_path / "s") as store:
        read, classes = store.keepsakes.labels()
        np.testing.assert_array_equal(read, labels)
        assert (read.dtype, classes) == (np.int32, ("a", "b"))
        (tmp_path / "s" / LABELS).unlink()
        with pytest.raises(StoreUnreadableError, match=r"labels\.npz: cannot be read"):
            store.keepsakes.labels()


def test_groups_of_test_examples_come_back(tmp_path: Path) -> None:
    labels = np.arange(4, dtype=np.int32)
    with opened(tmp_path / "s") as store:
        assert store.keepsakes.test_groups() is None  # nothing is saved yet
        store.keepsakes.save_labels(labels, ("a",))
        assert store.keepsakes.test_groups() is None
        store.keepsakes.save_labels(labels, ("a",), np.array([3, 0, 0, 3], np.int32))
        groups = store.keepsakes.test_groups()
        assert groups is not None
        assert (groups.dtype, groups.tolist()) == (np.int64, [3, 0, 0, 3])
        np.testing.assert_array_equal(store.keepsakes.labels()[0], labels)


def test_pictures_come_back_or_are_none(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        assert store.keepsakes.load() is None
        store.keepsakes.save({"a": np.zeros(1)}, facts("1"))
        store.keepsakes.save({"a": np.ones(2)}, facts("2"))
        kept = store.keepsakes.load()
        assert kept is not None
        assert (kept[0]["a"].tolist(), kept[1]) == ([1, 1], facts("2"))
        path = tmp_path / "s" / KEEPSAKES
        path.write_bytes(path.read_bytes()[:-1])
        assert store.keepsakes.load() is None  # they are computed again


CHANGED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"of": 1}, "of is '1'"),
    ({}, {"title": 5}, "title is '5'"),
    ({}, {"source": None}, "source is 'None'"),
    ({}, {"shape": [3, "2"]}, "shape is"),
    ({}, {"shape": 5}, "shape is '5'"),
    ({}, {"shape": [0, 2]}, "shape is"),
    ({}, {"total": "x"}, "total is 'x'"),
    ({}, {"rows": 5}, "TypeError: 'int' object is not iterable"),
    ({}, {"rows": [[["a"]]]}, "rows is"),
    ({}, {"distance": "far"}, "distance is 'far'"),
    ({}, {"axes": ["a"]}, "axes is"),
    ({}, {"facts": [["a"]]}, "facts is"),
    ({"count/train": np.zeros(3, np.int64)}, {}, r"count/train is int64, \(3,\)"),
    ({"examples": np.zeros((3, 2), np.uint8)}, {}, r"examples is uint8, \(3, 2\)"),
    ({"first_images": np.uint8(3)}, {}, r"first_images is uint8, \(\)"),
    ({"first_images": np.zeros((4, 1, 3, 2, 3), np.uint8)}, {}, "first_images is"),
    ({"first_images": np.zeros((5, 3, 2), np.uint8)}, {}, "first_images is"),
    ({"first_images": np.zeros((4, 3, 2), np.float32)}, {}, "first_images is float32"),
    ({"images": np.zeros((2, 3, 2), np.uint8)}, {}, "image_rows is"),
    ({"image_rows": np.array([3, 0, 4])}, {}, "image_rows is"),
    ({"image_rows": np.zeros(3)}, {}, "image_rows is"),
    ({"point_labels": np.full(6, -1)}, {}, "point_labels is"),
    ({"x1": np.zeros(5)[None]}, {}, "x1 is"),
    ({"x2": np.full(4, np.nan)}, {}, "x2 is"),
    ({"grid/l2": np.zeros((1, 5, 4, 2), np.float32)}, {}, "grid/l2 is"),
    ({"points": np.zeros((6, 3), np.float32)}, {}, "points is"),
]


def test_what_wellfit_cannot_have_kept_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.keepsakes.save_labels(np.zeros(4, np.int32), ("a", "b"))
        store.keepsakes.save(pictures(), facts("1"))
        assert store.keepsakes.load() is not None
        for arrays, told, words in CHANGED:
            store.keepsakes.save(pictures(**arrays), facts("1") | told)
            with pytest.raises(StoreUnreadableError, match=f"damaged: what a report shows .*{words}.*; restore it"):
                store.keepsakes.load()
        store.keepsakes.save({n: a for n, a in pictures().items() if n != "image_rows"}, facts("1"))
        with pytest.raises(StoreUnreadableError, match="images without their rows"):
            store.keepsakes.load()
        store.keepsakes.save({}, {"of": "1"})
        with pytest.raises(StoreUnreadableError, match="KeyError: 'title'"):
            store.keepsakes.load()


def test_a_full_disk_keeps_the_old_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "s") as store:
        store.keepsakes.save({"a": np.zeros(1)}, facts("1"))
        monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
        with pytest.raises(StoreError, match=r"keepsakes\.npz: cannot be written: No space left on device"):
            store.keepsakes.save({"a": np.ones(2)}, facts("2"))
        monkeypatch.undo()
        kept = store.keepsakes.load()
        assert kept is not None
        assert kept[1] == facts("1")
