"""What a study directory keeps of the data set."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from saved_runs import failing, opened
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.store import open_existing
from wellfit.store.keepsakes import KEEPSAKES, LABELS


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
        store.keepsakes.save({"a": np.zeros(1)}, {"of": 1})
        store.keepsakes.save({"a": np.ones(2)}, {"of": 2})
        kept = store.keepsakes.load()
        assert kept is not None
        assert (kept[0]["a"].tolist(), kept[1]) == ([1, 1], {"of": 2})
        path = tmp_path / "s" / KEEPSAKES
        path.write_bytes(path.read_bytes()[:-1])
        assert store.keepsakes.load() is None  # they are computed again


def test_a_full_disk_keeps_the_old_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "s") as store:
        store.keepsakes.save({"a": np.zeros(1)}, {"of": 1})
        monkeypatch.setattr(os, "fsync", failing(errno.ENOSPC))
        with pytest.raises(StoreError, match=r"keepsakes\.npz: cannot be written: No space left on device"):
            store.keepsakes.save({"a": np.ones(2)}, {"of": 2})
        monkeypatch.undo()
        kept = store.keepsakes.load()
        assert kept is not None
        assert kept[1] == {"of": 1}
