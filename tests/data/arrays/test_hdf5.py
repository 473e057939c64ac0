"""HDF5 files, with and without h5py."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from wellfit.data.arrays.hdf5 import is_hdf5, read_hdf5, stored_in_hdf5
from wellfit.data.catalog import load_dataset
from wellfit.errors import DataError

h5py = pytest.importorskip("h5py")

X, Y = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8), np.arange(20) % 2


def save(path: Path, **arrays) -> Path:
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


def test_arrays_and_groups(tmp_path: Path):
    for name, arrays in {
        "a.h5": {"x": X, "y": Y},
        "b.hdf5": {"train/images": X, "train/labels": Y, "test/images": X[:4], "test/labels": Y[:4]},
    }.items():
        data = load_dataset(save(tmp_path / name, **arrays))
        assert data.input_shape == (8, 8, 3)
        assert (data.name, len(data.x_test)) == (name[0], 4)


def test_two_files_with_class_names(tmp_path: Path):
    names = np.array([b"non-cat", b"cat"])
    save(tmp_path / "train_cats.h5", train_set_x=X, train_set_y=Y, list_classes=names)
    save(tmp_path / "test_cats.h5", test_set_x=X[:6], test_set_y=Y[:6], list_classes=names)
    data = load_dataset(tmp_path)
    assert (len(data.x_train), len(data.x_test), data.classes) == (20, 6, ("non-cat", "cat"))


def test_texts(tmp_path: Path):
    path = save(tmp_path / "a.h5", x=X, y=np.array(["oak", "elm"] * 10, dtype=object))
    assert load_dataset(path).classes == ("elm", "oak")


def test_values_elsewhere_are_refused(tmp_path: Path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (20, 4), "u1", external=[("/etc/passwd", 0, 80)])
        file["y"] = Y
    with pytest.raises(DataError, match=r"a\.h5 \(x\): the values are in another file; copy them into this one"):
        read_hdf5(path)
    save(tmp_path / "b.h5", x=X, y=Y)
    with h5py.File(path, "w") as file:
        file["x"], file["y"] = h5py.ExternalLink("b.h5", "x"), h5py.ExternalLink("b.h5", "y")
    with pytest.raises(DataError, match=r"lacks x and y \(it has nothing\)"):
        read_hdf5(path)


def test_an_array_that_the_file_does_not_hold(tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", (10**9, 9), "f8", chunks=(1000, 9))
    with pytest.raises(DataError, match=r"takes 67\.1 GiB, but the file holds 0 bytes of it"):
        read_hdf5(tmp_path / "a.h5")


def test_tables_of_pandas_are_refused(tmp_path: Path):
    path = save(tmp_path / "a.h5", **{"df/axis0": np.zeros(3), "df/block0_values": np.zeros((3, 3))})
    with pytest.raises(DataError, match=r"was written by pandas \(to_hdf\); save the table with to_parquet or to_csv"):
        read_hdf5(path)


def test_damaged_files(tmp_path: Path):
    path = save(tmp_path / "a.h5", x=X, y=Y)
    content = path.read_bytes()
    stored = stored_in_hdf5(path)
    for damaged in (b"", b"no file", content[:300], content[:100] + b"\xff" * 400 + content[500:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.h5: not a readable HDF5 file") as caught:
            read_hdf5(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"a\.h5: not a readable HDF5 file"):
        stored["x"].read()


@pytest.mark.parametrize("at", [8, 24])  # the size of the heap, and of its first text
def test_texts_longer_than_the_file(tmp_path: Path, at):
    path = save(tmp_path / "a.h5", x=X, y=np.array(["oak", "elm"] * 10, dtype=object))
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + at : heap + at + 8] = (2**32).to_bytes(8, "little")
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"not a readable HDF5 file \(a text is longer than the file"):
        read_hdf5(path)


def test_a_reference_to_a_text_longer_than_the_file(tmp_path: Path):
    path = save(tmp_path / "a.h5", x=X, y=np.array(["oak", "elm"] * 10, dtype=object))
    with h5py.File(path) as file:
        offset = file["y"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[offset + 16 : offset + 20] = (2**32 - 1).to_bytes(4, "little")
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"not a readable HDF5 file \(a text is longer than the file"):
        read_hdf5(path)


def test_without_h5py(tmp_path: Path, monkeypatch):
    path = save(tmp_path / "a.h5", x=X, y=Y)
    assert is_hdf5(path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(
        DataError,
        match=r'needs h5py, which is not installed; install it with: pip install "wellfit\[hdf5\]"',
    ):
        read_hdf5(path)
