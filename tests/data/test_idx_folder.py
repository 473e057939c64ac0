"""IDX files in every folder layout in which they are published."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from wellfit.data.catalog import load_dataset
from wellfit.data.idx import encode_idx
from wellfit.data.idx_folder import find_idx_sets, read_idx_set
from wellfit.errors import DataError

RNG = np.random.default_rng(0)
X, X_TEST = RNG.integers(0, 256, (20, 28, 28), np.uint8), RNG.integers(0, 256, (6, 28, 28), np.uint8)
Y, Y_TEST = (np.arange(20) % 4).astype(np.uint8), (np.arange(6) % 4).astype(np.uint8)
ARRAYS = (X, Y, X_TEST, Y_TEST)
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def put(folder: Path, names=NAMES, arrays=ARRAYS) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in zip(names, arrays, strict=False):
        content = encode_idx(np.ascontiguousarray(array))
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return folder


def read(folder: Path):
    return read_idx_set(find_idx_sets(folder))


@pytest.mark.parametrize(
    ("inside", "names"),
    [
        ("", NAMES),
        ("", [f"{name}.gz" for name in NAMES]),
        ("", [name.replace("-idx", ".idx") for name in NAMES]),
        ("", [name.replace("t10k", "test") for name in NAMES]),
        ("", [f"{name}/{name}" for name in NAMES]),
        ("", [f"fashion-{name}" for name in NAMES]),
        ("", [name.replace("-", "_") for name in NAMES]),
        ("raw", NAMES),
        ("FashionMNIST/raw", NAMES),
        ("wrapper", NAMES),
    ],
)
def test_every_layout_is_read(tmp_path: Path, inside, names):
    put(tmp_path / inside, names)
    raw = read(tmp_path)
    for found, array in zip((raw.train.x, raw.train.labels, raw.test.x, raw.test.labels), ARRAYS, strict=True):
        np.testing.assert_array_equal(found, array)
    assert not raw.facts


def test_a_validation_set(tmp_path: Path):
    put(tmp_path)
    put(tmp_path, ["val-images-idx3-ubyte", "val-labels-idx1-ubyte"], (X_TEST, Y_TEST))
    np.testing.assert_array_equal(read(tmp_path).validation.x, X_TEST)


def test_training_files_alone(tmp_path: Path):
    data = load_dataset(put(tmp_path, NAMES[:2]))
    assert (len(data.x_train), len(data.x_test)) == (16, 4)
    assert dict(data.facts)["test set"] == "none given; 4 of 20 images held out, stratified by class"


def test_an_unpacked_file_beside_the_packed_one(tmp_path: Path):
    put(tmp_path)
    put(tmp_path, [f"{name}.gz" for name in NAMES])
    np.testing.assert_array_equal(read(tmp_path).train.x, X)


def test_color_images(tmp_path: Path):
    color = RNG.integers(0, 256, (20, 8, 8, 3), np.uint8)
    put(tmp_path, ["train-images-idx4-ubyte", "train-labels-idx1-ubyte"], (color, Y))
    assert load_dataset(tmp_path).input_shape == (8, 8, 3)


def test_missing_files_are_named(tmp_path: Path):
    put(tmp_path, NAMES[:3])
    with pytest.raises(DataError, match=r": t10k-labels-idx1-ubyte \(or \.gz\) is missing; add it to this folder"):
        read(tmp_path)
    put(tmp_path / "b", [f"emnist-letters-{NAMES[2]}"], [X])
    with pytest.raises(DataError, match=r"emnist-letters-train-images-idx3-ubyte, emnist-letters-train-labels"):
        read(tmp_path / "b")


# --- EMNIST -----------------------------------------------------------------------------------------------------------

LETTERS = [f"emnist-letters-{name.replace('t10k', 'test')}.gz" for name in NAMES]
STORED = (X.transpose(0, 2, 1), Y + 1, X_TEST.transpose(0, 2, 1), Y_TEST + 1)


def test_emnist_is_put_upright_and_named(tmp_path: Path):
    put(tmp_path, LETTERS, STORED)
    assert load_dataset(tmp_path).classes == ("1", "2", "3", "4")
    mapping = tmp_path / "emnist-letters-mapping.txt"
    mapping.write_text("".join(f"{i + 1} {65 + i} {97 + i}\n" for i in range(26)))
    data = load_dataset(tmp_path)
    np.testing.assert_array_equal(data.x_train, X)
    np.testing.assert_array_equal(data.y_train, Y)
    assert data.classes[:3] == ("A/a", "B/b", "C/c")
    assert len(data.classes) == 26
    assert dict(data.facts)["orientation"] == "EMNIST's images are stored transposed; put upright"


@pytest.mark.parametrize(
    ("text", "message"),
    [("<html>", "is not a mapping"), ("0 48\n5 49\n", "does not name all labels"), ("1 65\n2 66\n", "does not name")],
)
def test_a_mapping_that_cannot_be_used(tmp_path: Path, text, message):
    put(tmp_path, LETTERS, STORED)
    (tmp_path / "emnist-letters-mapping.txt").write_text(text)
    with pytest.raises(DataError, match=rf"emnist-letters-mapping\.txt: {message}"):
        read(tmp_path)


def test_one_of_several_data_sets_is_chosen_by_its_name(tmp_path: Path):
    put(tmp_path, LETTERS, STORED)
    put(tmp_path, [name.replace("letters", "digits") for name in LETTERS], STORED)
    with pytest.raises(DataError, match=r"has 2 data sets \(.*emnist-digits, .*emnist-letters\); give the path of one"):
        load_dataset(tmp_path)
    data = load_dataset(tmp_path / "emnist-letters")
    assert data.name == "emnist-letters"
    np.testing.assert_array_equal(data.x_train, X)
    assert find_idx_sets(tmp_path / "emnist-balanced") == []
    put(tmp_path / "root" / "MNIST" / "raw")
    put(tmp_path / "root" / "FashionMNIST" / "raw")
    with pytest.raises(DataError, match=r"has 2 data sets \(.*FashionMNIST/raw, .*MNIST/raw\)"):
        load_dataset(tmp_path / "root")


def test_images_that_look_transposed_are_reported(tmp_path: Path):
    digits = np.zeros((20, 28, 28), np.uint8)
    digits[:, 4:24, 10:18] = X[:, 4:24, 10:18] | 1  # higher than wide, as digits are
    arrays = (digits.transpose(0, 2, 1), Y, digits.transpose(0, 2, 1), Y)
    assert "look transposed" in dict(read(put(tmp_path / "turned", NAMES, arrays)).facts)["orientation"]
    assert not read(put(tmp_path / "upright", NAMES, (digits, Y, digits, Y))).facts


def test_qmnist_says_more_than_the_class(tmp_path: Path):
    labels = np.stack([Y, Y * 0 + 7, np.arange(20)], axis=1).astype(np.int32)
    put(tmp_path, ["qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int"], (X, labels))
    np.testing.assert_array_equal(read(tmp_path).train.labels, Y)
