"""Later examples in every form: what is read, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from wellfit.base import Column, Header
from wellfit.data.assemble import assemble
from wellfit.data.later import Form, read_examples
from wellfit.data.tables.frames import from_frames
from wellfit.errors import DataError

IMAGES = Form((4, 6), 255)
COLORED = Form((4, 6, 3), 255)
ROWS = Form((5,), None, (), ("x1", "x2", "x3", "x4", "x5"))
X = np.random.default_rng(0).integers(2, 255, (3, 4, 6)).astype(np.uint8)


@pytest.mark.parametrize(
    ("given", "form"),
    [(X, IMAGES), (X[:, None], IMAGES), (X[..., None], IMAGES), (X.reshape(3, 24), IMAGES), (X.astype(int), IMAGES)],
)
def test_axes_that_say_the_same(given: Any, form: Form) -> None:
    np.testing.assert_array_equal(read_examples(given, form).x, X)


def test_channels_first_move_last() -> None:
    pixels = np.random.default_rng(1).integers(2, 255, (2, 4, 6, 3)).astype(np.uint8)
    np.testing.assert_array_equal(read_examples(np.moveaxis(pixels, -1, 1), COLORED).x, pixels)


def test_infinite_values_of_rows_are_missing() -> None:
    assert read_examples(np.array([[1, np.inf, -np.inf, np.nan, 2]]), ROWS).x[0].tolist()[::4] == [1, 2]
    assert np.isnan(read_examples(np.array([[1, np.inf, -np.inf, np.nan, 2]]), ROWS).x[0, 1:4]).all()


@pytest.mark.parametrize(
    ("given", "form", "said"),
    [
        (X[0], IMAGES, r"one example of shape \(4, 6\); give a batch of them, x\[None\]"),
        (X[:, :3], IMAGES, r"examples of shape \(3, 6\), but the model was trained on \(4, 6\); .* \(N, 4, 6\)"),
        (X[:0], IMAGES, "no example; give at least one"),
        (X / 255, IMAGES, "pixels up to 0.99.*, but the model was trained on pixels from 0 to 255; multiply them by"),
        (X.astype(int) * 2, IMAGES, "pixels from .* to 508, but the model was trained on pixels from 0 to 255"),
        (X - 100.0, IMAGES, "pixels from -98 to"),
        (np.where(X[0, 0, 0] == X, np.nan, X), IMAGES, "a pixel is not a finite number"),
        (np.array([["a"]]), ROWS, "values of type <U1; give real numbers, or a DataFrame"),
        (np.zeros((2, 4)), ROWS, r"examples of shape \(4,\), but the model was trained on \(5,\)"),
        (np.zeros((1, 1)), Form((1,), None, (Column("a", ("b",)),)), "an array, but the columns a hold texts; give a"),
        ("nowhere.csv", ROWS, "nowhere.csv: no such file or folder; give images, a folder of images, a table"),
        ("/dev/null", ROWS, "/dev/null: a device, not a file"),
        (["a.png", "b.txt"], IMAGES, "b.txt: not an image; of several files, all must be images"),
        (["a.png", "b.png"], ROWS, "images, but the model was trained on rows of 5 values; give a table"),
        (["a.png", "b.png"], IMAGES, "a.png: no such file; correct the path"),
    ],
)
def test_what_is_refused(given: Any, form: Form, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_examples(given, form)


def test_archives_of_arrays(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, x_test=X, y_test=[1, 2, 3], y_train=[1])
    later = read_examples(path, IMAGES)
    assert later.labels is not None
    assert (later.labels.tolist(), later.names[0]) == ([1, 2, 3], "example 0")
    np.savez(path, x_test=X, y=[1, 2])
    assert read_examples(path, IMAGES).labels is None
    np.savez(path, x_train=X, x_test=X)
    with pytest.raises(DataError, match=r"x\.npz: 2 arrays could be the examples \(x_train \(3, 4, 6\), x_test"):
        read_examples(path, IMAGES)


def test_other_files_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "x.txt.doc").write_text("1")
    with pytest.raises(DataError, match="this file format is not supported; give images"):
        read_examples(tmp_path / "x.txt.doc", IMAGES)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="a pipe, not a file; copy what it gives to a file"):
        read_examples(tmp_path / "pipe", IMAGES)


def test_folders_of_images_may_name_their_classes(tmp_path: Path) -> None:
    for row, name in enumerate(("cat", "dog", "cat")):
        (tmp_path / name).mkdir(exist_ok=True)
        Image.fromarray(X[row]).save(tmp_path / name / f"{row}.png")
    later = read_examples(tmp_path, IMAGES)
    assert later.labels is not None
    assert later.labels.tolist() == ["cat", "cat", "dog"]
    np.testing.assert_array_equal(later.x, X[[0, 2, 1]])
    assert read_examples(tmp_path / "cat", IMAGES).labels is None
    assert read_examples([tmp_path / "cat" / "0.png"], IMAGES).names == (str(tmp_path / "cat" / "0.png"),)


def test_a_table_of_pixels_gives_images(tmp_path: Path) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 784))
    pixels[0, 0] = 255
    frame = pd.DataFrame(pixels, columns=[f"pixel{at}" for at in range(784)]).assign(label=["a", "b"] * 20)
    data = assemble(from_frames(frame), name="t", title="t", source="t")
    form = Form(data.input_shape, data.pixel_max, header=data.header)
    later = read_examples(frame.drop(columns="label").iloc[:, ::-1], form)
    np.testing.assert_array_equal(later.x, pixels.reshape(40, 28, 28))
    assert read_examples(frame, form).labels is not None
    form = Form((28, 28), 255)  # trained on arrays: by place
    frame.drop(columns="label").to_csv(tmp_path / "x.csv", index=False)
    np.testing.assert_array_equal(read_examples(str(tmp_path / "x.csv"), form).x, pixels.reshape(40, 28, 28))


def test_an_index_that_says_more_than_positions_identifies_rows() -> None:
    form = Form((1,), None, (Column("size"),), ("size",), Header(("size", "kind"), 1, (0,), True))
    frame = pd.DataFrame({"size": [1.5, 2.5, 3.5]})
    assert read_examples(frame, form).identifier is None
    assert read_examples(frame.set_axis([[1, 1, 2], [1, 2, 3]]), form).identifier is None
    for given, name in ((frame.iloc[[2, 0]], "index"), (frame.rename_axis("day"), "day")):
        identifier = read_examples(given, form).identifier
        assert identifier is not None
        assert (identifier.name, identifier.values.tolist()) == (name, given.index.tolist())


@pytest.mark.parametrize(
    "index",
    [
        pd.period_range("2024-01", periods=3, freq="M"),
        pd.interval_range(0, 3),
        pd.date_range("2024-01-01", periods=3),
        pd.timedelta_range("1h", periods=3),
        pd.CategoricalIndex(["a", "b", "c"]),
        pd.Index([0.5, 1.5, 2.5]),
    ],
    ids=lambda index: type(index).__name__,
)
def test_an_index_of_any_kind_identifies_rows(index: pd.Index) -> None:
    form = Form((2,), None, (Column("a"), Column("b")))
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]}, index)
    identifier = read_examples(frame, form).identifier
    assert identifier is not None
    assert identifier.name == "index"
    assert list(pd.Index(identifier.values)) == list(index)


def test_an_index_of_lists_identifies_nothing() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [4, 5]}, pd.Index([{}, {}], dtype=object))
    assert read_examples(frame, Form((2,), None, (Column("a"), Column("b")))).identifier is None


def test_a_frame_with_names() -> None:
    header = Header(("size", "kind"), 1, (0,), True)
    form = Form((1,), None, (Column("size"),), ("size",), header)
    later = read_examples(pd.DataFrame({"size": [1.5, None], "kind": ["a", "b"]}), form)
    assert (later.columns, later.names) == ((Column("size"),), ("row 0 (from 0)", "row 1 (from 0)"))
    assert later.labels is not None
