"""MATLAB files in the layouts in which data sets are published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from wellfit.data.arrays.matlab import read_mat, stored_in_mat
from wellfit.data.catalog import load_dataset
from wellfit.errors import DataError

RNG = np.random.default_rng(0)


def save(path: Path, **arrays) -> Path:
    savemat(path, arrays)
    return path


@pytest.mark.parametrize("compress", [False, True])
def test_plain_arrays(tmp_path: Path, compress):
    x, y = RNG.normal(size=(20, 3)), np.arange(20) % 2
    savemat(tmp_path / "a.mat", {"X": x, "y": y}, do_compression=compress)
    data = load_dataset(tmp_path / "a.mat")
    assert (data.x_train.shape, data.x_test.shape, data.classes, data.name) == ((16, 3), (4, 3), ("0", "1"), "a")


def test_svhn(tmp_path: Path):
    x = RNG.integers(0, 256, (32, 32, 3, 40), np.uint8)
    y = np.arange(40)[:, None] % 10 + 1
    save(tmp_path / "train_32x32.mat", X=x, y=y)
    save(tmp_path / "test_32x32.mat", X=x[..., :20], y=y[:20])
    alone = load_dataset(tmp_path / "train_32x32.mat")
    assert dict(alone.facts)["labels"] == "SVHN's label 10 is the digit 0"
    data = load_dataset(tmp_path)
    assert (data.x_train.shape, data.x_test.shape) == ((40, 32, 32, 3), (20, 32, 32, 3))
    np.testing.assert_array_equal(data.x_train, np.moveaxis(x, -1, 0))
    np.testing.assert_array_equal(data.y_train, y[:, 0] % 10)
    assert data.classes == tuple("0123456789")
    assert "moved to the first" in dict(data.facts)["axes"]


def test_ten_classes_of_other_images_keep_their_numbers(tmp_path: Path):
    y = np.arange(40) % 10 + 1
    path = save(tmp_path / "a.mat", X=np.zeros((40, 8)), y=y)
    np.testing.assert_array_equal(stored_in_mat(path)["y"].read(), y[None])


def test_examples_in_columns(tmp_path: Path):
    x, y = RNG.integers(0, 256, (784, 1000), np.uint8), np.arange(1000) % 10
    path = save(tmp_path / "mnist-original.mat", data=x, label=y[None].astype(float), mldata_descr_ordering="x")
    raw = read_mat(path)
    assert raw.facts == (("arrays skipped", "1: mldata_descr_ordering"),)
    data = load_dataset(path)
    assert data.input_shape == (28, 28)
    targets = np.eye(3)[np.arange(150) % 3].T  # as the toolbox's iris_dataset
    data = load_dataset(save(tmp_path / "iris.mat", irisInputs=RNG.normal(size=(4, 150)), irisTargets=targets))
    assert (data.input_shape, data.classes, len(data.x_train)) == ((4,), ("0", "1", "2"), 120)


def test_emnist(tmp_path: Path):
    upright = RNG.integers(0, 256, (20, 28, 28), np.uint8)
    images = upright.transpose(0, 2, 1).reshape(20, -1)
    part = {"images": images, "labels": np.arange(20)[:, None] % 2 + 1, "writers": np.arange(20)[:, None]}
    path = save(tmp_path / "emnist-letters.mat", dataset={"train": part, "test": part, "mapping": np.zeros((2, 3))})
    data = load_dataset(path)
    np.testing.assert_array_equal(data.x_train, upright)
    assert dict(data.facts)["orientation"] == "EMNIST's images are stored transposed; put upright"
    assert "dataset/train/writers" in dict(data.facts)["arrays skipped"]
    assert len(data.x_test) == 20


def test_texts_in_cells(tmp_path: Path):
    names = np.array(["oak", "elm"] * 10, dtype=object)[:, None]
    assert load_dataset(save(tmp_path / "a.mat", X=RNG.normal(size=(20, 3)), y=names)).classes == ("elm", "oak")


def test_objects_in_cells_are_refused(tmp_path: Path):
    cells = np.empty((4, 1), object)
    cells[:, 0] = [np.zeros((2, 2)), np.zeros((3, 2)), np.zeros(1), np.zeros(2)]
    with pytest.raises(DataError, match=r"texts or Python objects|Python objects instead of numbers"):
        load_dataset(save(tmp_path / "a.mat", X=cells, y=np.arange(4)))


def test_damaged_files(tmp_path: Path):
    path = tmp_path / "a.mat"
    savemat(path, {"X": RNG.normal(size=(20, 3)), "y": np.arange(20)}, do_compression=True)
    content = path.read_bytes()
    for damaged in (b"", b"no matrix", content[:200], content[:140] + b"\xff" * 60 + content[200:]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.mat: (not readable|damaged) as a MATLAB file") as caught:
            read_mat(path)
        assert "\n" not in str(caught.value)


def test_damage_that_would_crash_the_parser(tmp_path: Path, monkeypatch):
    path = save(tmp_path / "a.mat", X=RNG.normal(size=(20, 3)), y=np.arange(20))
    content = bytearray(path.read_bytes())
    at = bytes(content).index((9).to_bytes(4, "little") + (480).to_bytes(4, "little"))  # doubles, 20 x 3 of them
    for kind, size in ((238, 480), (9, 480_000), (9 | 6 << 16, 0)):
        path.write_bytes(
            bytes(content[:at]) + kind.to_bytes(4, "little") + size.to_bytes(4, "little") + bytes(content[at + 8 :])
        )
        with pytest.raises(DataError, match=r"not readable as a MATLAB file \(an element of type"):
            read_mat(path)
    path.write_bytes(
        bytes(content[:128])
        + b"".join((14).to_bytes(4, "little") + (800 - 8 * i).to_bytes(4, "little") for i in range(101))
    )
    with pytest.raises(DataError, match=r"too many levels"):
        read_mat(path)
    savemat(path, {"X": np.zeros((2000, 30)), "y": np.arange(2000)}, do_compression=True)
    assert read_mat(path).train.x.shape == (2000, 30)
    monkeypatch.setattr("wellfit.data.arrays.matlab._SMALL", 1000)
    with pytest.raises(DataError, match=r"an element of .* bytes that unpacks to far more; .*WELLFIT_LIMITS=2"):
        read_mat(path)


def test_version_7_3(tmp_path: Path):
    h5py = pytest.importorskip("h5py")
    x, y = RNG.normal(size=(20, 3)), np.arange(20) % 2
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file["X"], file["y"] = x.T, y[None]  # MATLAB's order: columns first
    with (tmp_path / "a.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    raw = read_mat(tmp_path / "a.mat")
    np.testing.assert_array_equal(raw.train.x, x)
    np.testing.assert_array_equal(raw.train.labels, y[:, None])
