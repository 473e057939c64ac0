"""NumPy archives: the arrays by their names, and archives that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wellfit.data.assemble import assemble
from wellfit.data.tables.npz import read_npz
from wellfit.errors import DataError


def dataset(raw):
    return assemble(raw, name="t", title="t", source="t")


def test_npz_with_four_arrays(tmp_path: Path):
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8),
        "y_train": np.arange(6).reshape(6, 1) % 3,
        "x_test": rng.integers(0, 256, (3, 5, 4, 3), dtype=np.uint8),
        "y_test": np.arange(3).reshape(3, 1),
    }
    np.savez(tmp_path / "a.npz", **arrays)
    found = dataset(read_npz(tmp_path / "a.npz"))
    np.testing.assert_array_equal(found.x_train, arrays["x_train"])
    np.testing.assert_array_equal(found.x_test, arrays["x_test"])
    assert found.y_train.tolist() == [0, 1, 2, 0, 1, 2]
    assert found.pixel_max == 255


def test_npz_with_one_table(tmp_path: Path):
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(40.0).reshape(20, 2), y=np.array(["b", "a"] * 10))
    found = dataset(read_npz(tmp_path / "a.npz"))
    assert (len(found.y_train), len(found.y_test), found.classes) == (16, 4, ("a", "b"))
    assert np.bincount(found.y_test).tolist() == [2, 2]
    assert {int(v) % 4 for v in found.x_train[found.y_train == 0, 0]} == {2}  # rows and labels stay together


def test_npz_that_cannot_be_used(tmp_path: Path):
    path = tmp_path / "a.npz"
    np.savez(path, x_train=np.zeros((2, 2)), images=np.zeros(2))
    with pytest.raises(DataError, match=r"lacks y_train, x_test, y_test \(it has images, x_train\)"):
        read_npz(path)
    np.savez(path, x=np.array([{}, {}], dtype=object), y=np.zeros(2))
    with pytest.raises(DataError, match=r"not a readable \.npz archive of plain arrays \(.*pickle"):
        read_npz(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match=r"it is a single array"):
        read_npz(path)
    np.savez(path, x=np.zeros((50, 9)), y=np.zeros(50))
    for content in (path.read_bytes()[:-40], b"", b"no archive"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.npz: not a readable \.npz archive"):
            read_npz(path)
