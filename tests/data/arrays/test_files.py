"""Folders of arrays, and files that only unpickling could read."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from wellfit.base import Reading
from wellfit.data.arrays.files import (
    find_arrays,
    read_array_file,
    read_array_folder,
    refuse_pickled_folder,
    refuse_pickles,
)
from wellfit.data.catalog import load_dataset
from wellfit.errors import DataError

RNG = np.random.default_rng(0)
X, X_TEST = RNG.integers(0, 17, (20, 8, 8), np.uint8), RNG.integers(0, 17, (6, 8, 8), np.uint8)
Y, Y_TEST = np.arange(20) % 4, np.arange(6) % 4


def check(folder: Path):
    data = load_dataset(folder)
    for found, array in zip(
        (data.x_train, data.y_train, data.x_test, data.y_test), (X, Y, X_TEST, Y_TEST), strict=True
    ):
        np.testing.assert_array_equal(found, array)
    return data


@pytest.mark.parametrize(
    "names",
    [
        ("X_train", "y_train", "X_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("mnist_train_x", "mnist_train_y", "mnist_test_x", "mnist_test_y"),
    ],
)
def test_npy_files(tmp_path: Path, names):
    for name, array in zip(names, (X, Y, X_TEST, Y_TEST), strict=True):
        np.save(tmp_path / name, array)
    np.save(tmp_path / "embedding.npy", np.zeros(3))
    check(tmp_path)


def test_kmnist(tmp_path: Path):
    for part, x, y in (("train", X, Y), ("test", X_TEST, Y_TEST)):
        np.savez_compressed(tmp_path / f"kmnist-{part}-imgs.npz", x)
        np.savez_compressed(tmp_path / f"kmnist-{part}-labels.npz", y.astype(np.uint8))
    assert check(tmp_path).classes == ("0", "1", "2", "3")
    table = tmp_path / "kmnist_classmap.csv"
    table.write_text("index,codepoint,char\n" + "".join(f"{i},U+0,{c}\n" for i, c in enumerate("おきすつ")), "utf-8")
    assert check(tmp_path).classes == ("お", "き", "す", "つ")
    for broken in ("index,char\n1,a\n2,b\n", "number,char\n0,a\n", "index,char\nx,a\n"):
        table.write_text(broken)
        assert check(tmp_path).classes == ("0", "1", "2", "3")


def test_one_archive_for_each_set(tmp_path: Path):
    np.savez(tmp_path / "train.npz", x=X, y=Y)
    np.savez(tmp_path / "test.npz", x=X_TEST, y=Y_TEST)
    check(tmp_path)


def test_folders_without_examples_are_left_to_others(tmp_path: Path):
    assert find_arrays(tmp_path) == []
    np.save(tmp_path / "weights.npy", X)
    np.save(tmp_path / "X_test.npy", X)
    (tmp_path / "y_train.npy").mkdir()
    assert find_arrays(tmp_path) == []


def test_folders_that_cannot_be_used(tmp_path: Path):
    np.save(tmp_path / "X_train.npy", X)
    with pytest.raises(DataError, match=r"lacks y_train \(it has X_train \(20, 8, 8\)\)"):
        load_dataset(tmp_path)
    np.save(tmp_path / "y_train.npy", Y)
    assert len(load_dataset(tmp_path).x_train) == 16
    with pytest.raises(DataError, match=r"has 101 files of arrays; join them"):
        read_array_folder([tmp_path / f"train_{i}.npy" for i in range(101)])
    with pytest.raises(DataError, match=r"gone\.npy: cannot be read \(No such file or directory\)"):
        read_array_folder([tmp_path / "gone.npy"])
    with pytest.raises(DataError, match=r"gone\.mat: cannot be read \(No such file or directory\)"):
        read_array_folder([tmp_path / "gone.mat"])
    with pytest.raises(DataError, match=r"gone\.mat: cannot be read \(No such file or directory\)"):
        read_array_file(tmp_path / "gone.mat")


def test_the_settings_of_the_study_are_used(tmp_path: Path):
    np.savez(tmp_path / "a.npz", x=X, y=Y)
    data = load_dataset(tmp_path / "a.npz", Reading(classes=("a", "b", "c", "d"), pixel_max=32))
    assert (data.classes, data.pixel_max) == (("a", "b", "c", "d"), 32)


@pytest.mark.parametrize("name", ["a.pkl", "a.pickle", "a.p", "a.pt", "a.pth", "a.joblib", "data_batch_1"])
def test_pickles_are_refused(tmp_path: Path, name):
    path = tmp_path / name
    path.write_bytes(pickle.dumps({"data": X, "labels": Y}))
    with pytest.raises(DataError, match=r"is a pickled file, which can run any program .*np\.savez") as caught:
        load_dataset(path)
    assert ("x.numpy()" in str(caught.value)) == (path.suffix in {".pt", ".pth"})


def test_a_folder_of_pickles_is_refused(tmp_path: Path):
    (tmp_path / "readme.html").write_text("text")
    refuse_pickled_folder(tmp_path)
    for i in (1, 2):
        (tmp_path / f"data_batch_{i}").write_bytes(pickle.dumps({"data": X, "labels": Y}))
    with pytest.raises(DataError, match=r"data_batch_1: is a pickled file"):
        load_dataset(tmp_path)


def test_other_files_are_no_pickles(tmp_path: Path):
    (tmp_path / "text").write_text("plain")
    refuse_pickles(tmp_path / "text")
    refuse_pickles(tmp_path / "absent")
