"""NumPy archives: round trips, and files that cannot be used."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from wellfit.data.arrays.npz import read_npz, stored_in_npz
from wellfit.data.catalog import load_dataset
from wellfit.errors import DataError


def test_four_arrays(tmp_path: Path):
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (6, 5, 4, 3), dtype=np.uint8),
        "y_train": np.arange(6).reshape(6, 1) % 3,
        "x_test": rng.integers(0, 256, (3, 5, 4, 3), dtype=np.uint8),
        "y_test": np.arange(3).reshape(3, 1),
    }
    np.savez(tmp_path / "a.npz", **arrays)
    found = load_dataset(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.x_train, arrays["x_train"])
    np.testing.assert_array_equal(found.x_test, arrays["x_test"])
    assert found.y_train.tolist() == [0, 1, 2, 0, 1, 2]
    assert (found.name, found.pixel_max) == ("a", 255)


def test_one_table(tmp_path: Path):
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(40.0).reshape(20, 2), y=np.array(["b", "a"] * 10))
    found = load_dataset(tmp_path / "a.npz")
    assert (len(found.y_train), len(found.y_test), found.classes) == (16, 4, ("a", "b"))
    assert np.bincount(found.y_test).tolist() == [2, 2]
    assert {int(v) % 4 for v in found.x_train[found.y_train == 0, 0]} == {2}  # rows and labels stay together


def test_medmnist(tmp_path: Path):
    arrays = {}
    for part, count in (("train", 20), ("val", 6), ("test", 4)):
        arrays[f"{part}_images"] = np.full((count, 28, 28, 3), count, np.uint8)
        arrays[f"{part}_labels"] = (np.arange(count) % 2)[:, None].astype(np.uint8)
    np.savez(tmp_path / "pathmnist.npz", **arrays)
    data = load_dataset(tmp_path / "pathmnist.npz")
    assert (len(data.x_train), len(data.validation_rows), len(data.x_test)) == (26, 6, 4)
    assert (data.x_train[data.validation_rows] == 6).all()
    arrays["train_labels"] = np.ones((20, 14), np.uint8)
    np.savez(tmp_path / "chestmnist.npz", **arrays)
    with pytest.raises(DataError, match=r"row 0 \(counted from 0\) has 14 ones; .*one class per example"):
        load_dataset(tmp_path / "chestmnist.npz")


def test_values_are_read_only_when_they_are_used(tmp_path: Path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.eye(3), y=np.arange(3))
    stored = stored_in_npz(path)
    assert {name: (a.shape, a.dtype.name) for name, a in stored.items()} == {
        "x": ((3, 3), "float64"),
        "y": ((3,), "int64"),
    }
    np.testing.assert_array_equal(stored["x"].read(), np.eye(3))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"not a readable \.npz archive"):
        stored["x"].read()


def test_objects_are_refused(tmp_path: Path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros((2, 2)), y=np.array(["a", "b"], dtype=object))
    with pytest.raises(DataError, match=r"a\.npz \(y\): is an array of Python objects, .*y\.astype\(str\)"):
        read_npz(path)
    np.savez(path, data={"x": 1})
    with pytest.raises(DataError, match=r"a\.npz \(data\): is a pickled Python object"):
        read_npz(path)


def test_archives_that_cannot_be_used(tmp_path: Path):
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match=r"a\.npz: not a readable \.npz archive of plain arrays \(File is not a zip"):
        read_npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"no array")
        archive.writestr("readme.txt", b"text")
    with pytest.raises(DataError, match=r"not a readable \.npz archive"):
        read_npz(path)
    np.savez(path, x=np.zeros((50, 9)), y=np.zeros(50))
    for content in (path.read_bytes()[:-40], b"", b"no archive"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"a\.npz: not a readable \.npz archive") as caught:
            read_npz(path)
        assert "\n" not in str(caught.value)


def test_a_header_that_claims_too_much(tmp_path: Path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.zeros((50, 9)), y=np.zeros(50))
    path.write_bytes(path.read_bytes().replace(b"(50, 9), }       ", b"(50000000000, 9),}", 1))
    with pytest.raises(DataError, match=r"a\.npz"):
        read_npz(path)
    header = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000, 9)}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header.ljust(127) + b"\n")
    with pytest.raises(DataError, match=r"takes 671 GiB, but the file holds"):
        read_npz(path)
