"""Many images in one array, which grows with what comes."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.images.pictures import noise, png16, save
from wellfit.data.images import stack
from wellfit.data.images.decode import View, read_picture
from wellfit.data.images.stack import Images, fill_margins, read_images
from wellfit.errors import DataError


def gather(folder: Path, *arrays, **view):
    files = [str(save(folder / f"{i}.png", x)) for i, x in enumerate(arrays)]
    return read_images(files, View(**view), "here")


def test_gray_images(tmp_path: Path):
    arrays = [noise(i) for i in range(40)]  # more than one batch
    images = gather(tmp_path, *arrays)
    np.testing.assert_array_equal(images.x, arrays)
    assert images.kept == list(range(40))
    assert images.kinds == {"uint8": 40}
    assert images.colored == []


def test_a_late_color_image_gives_all_channels(tmp_path: Path):
    arrays = [noise(0), noise(1), noise(2, (4, 5, 3)), noise(3)]
    images = gather(tmp_path, *arrays)
    expected = [x if x.ndim == 3 else np.stack([x] * 3, axis=2) for x in arrays]
    np.testing.assert_array_equal(images.x, expected)
    assert images.colored == [2]
    rgb = gather(tmp_path, *arrays, color="rgb")
    np.testing.assert_array_equal(rgb.x, expected)
    assert rgb.colored == [2]
    assert gather(tmp_path, *arrays, color="gray").x.shape == (4, 4, 5)


def test_8_and_16_bits_together(tmp_path: Path):
    words = noise(9, (4, 5, 3), np.uint16)
    (tmp_path / "w.png").write_bytes(png16(words))
    gray = noise(0)
    save(tmp_path / "g.png", gray)
    wide = np.repeat(gray.astype(np.uint16)[:, :, None] * 257, 3, axis=2)
    for names, expected in (("gwg", [wide, words, wide]), ("wg", [words, wide])):
        images = read_images([str(tmp_path / f"{name}.png") for name in names], View(), "here")
        assert images.x.dtype == np.uint16
        np.testing.assert_array_equal(images.x, expected)
        assert images.words_max == words.max()
        assert images.kinds == {"uint8": names.count("g"), "uint16": 1}


def test_floats_and_bytes_have_no_common_scale(tmp_path: Path):
    save(tmp_path / "a.png", noise(0))
    Image.fromarray(np.zeros((4, 5), np.float32)).save(tmp_path / "b.tif")
    files = [str(tmp_path / "a.png"), str(tmp_path / "b.tif")]
    for order in (files, files[::-1]):
        with pytest.raises(DataError, match="here: some images hold whole numbers and some floats"):
            read_images(order, View(), "here")


def test_bad_files_are_left_out(tmp_path: Path):
    save(tmp_path / "a.png", noise(0))
    (tmp_path / "b.png").touch()
    names = ["b", "a", "b", "a"]
    images = read_images([str(tmp_path / f"{name}.png") for name in names], View(), "here")
    assert images.bad == [(0, "empty"), (2, "empty")]
    assert images.kept == [1, 3]
    np.testing.assert_array_equal(images.x, [noise(0)] * 2)
    assert len(read_images([str(tmp_path / "b.png")], View(), "here").x) == 0


def test_other_sizes_are_counted_but_not_decoded(tmp_path: Path):
    arrays = [noise(0), noise(1, (4, 6)), noise(2), *(noise(3, (n, 9)) for n in range(1, 30))]
    images = gather(tmp_path, *arrays)
    assert images.sizes[4, 5] == [0, 2]
    assert images.sizes[4, 6] == [1]
    assert len(images.sizes) == 31
    assert images.kept == [0]


def test_letterbox_and_margins(tmp_path: Path):
    arrays = [noise(0, (4, 4)), noise(1, (8, 4)), noise(2, (2, 8))]
    images = gather(tmp_path, *arrays, size=(4, 4))
    assert images.boxes == {1: (0, 1, 4, 2), 2: (1, 0, 1, 4)}
    np.testing.assert_array_equal(images.x[0], arrays[0])
    assert (images.x[1][:, [0, 3]] == 0).all()
    fill_margins(images, np.array(7))
    assert (images.x[1][:, [0, 3]] == 7).all()
    assert (images.x[2][[0, 2, 3]] == 7).all()
    small = Image.fromarray(arrays[1]).resize((2, 4), Image.Resampling.LANCZOS, reducing_gap=3.0)
    np.testing.assert_array_equal(images.x[1][:, 1:3], np.asarray(small))
    assert (images.counts["resized"], images.counts["enlarged"]) == (2, 0)
    assert gather(tmp_path, *arrays, size=(4, 4), resize="stretch").boxes == {}
    assert gather(tmp_path, noise(0, (2, 2)), size=(4, 4)).counts["enlarged"] == 1


def test_margins_in_color():
    images = Images(np.zeros((1, 3, 2, 3)), boxes={0: (1, 0, 1, 2)})
    fill_margins(images, np.array([1, 2, 3]))
    np.testing.assert_array_equal(images.x[0, :, 0], [[1, 2, 3], [0, 0, 0], [1, 2, 3]])


def test_too_much_memory_is_refused_before_decoding(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(stack, "_MOST_BYTES", 100)
    read = []

    def count(path, view):
        read.append(path)
        return read_picture(path, view)

    monkeypatch.setattr(stack, "read_picture", count)
    with pytest.raises(
        DataError, match=r"here: 50 images of 5 x 4 pixels, 1 byte each, need 0\.0 GB .* image_size = 4,"
    ):
        gather(tmp_path, *[noise(i) for i in range(50)])
    assert len(read) == 1
    with pytest.raises(DataError, match="2 images of 5 x 4 pixels, 3 bytes each, need"):
        gather(tmp_path, noise(0), noise(1, (4, 5, 3)))
    with pytest.raises(DataError, match="1 image of 11 x 10 pixels, 1 byte each, need"):
        gather(tmp_path, noise(0), size=(10, 11))
    assert len(read) == 3


def test_large_images_are_decoded_in_threads(tmp_path: Path, monkeypatch):
    arrays = [noise(i, (40, 40)) for i in range(40)]
    alone = gather(tmp_path, *arrays, size=(8, 8))
    threads = set()

    def note(path, view):
        threads.add(threading.current_thread().name)
        return read_picture(path, view)

    monkeypatch.setattr(stack, "_LARGE", 1600)
    monkeypatch.setattr(stack, "read_picture", note)
    np.testing.assert_array_equal(gather(tmp_path, *arrays, size=(8, 8)).x, alone.x)
    assert len(threads) > 1
    assert threading.active_count() == 1 or not any("ThreadPool" in t.name for t in threading.enumerate())


def test_bombs_and_warnings(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gather(tmp_path, noise(0)).bad == [(0, "more than 15 pixels")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert gather(tmp_path, noise(0)).bad == [(0, "more than 15 pixels")]


def test_what_was_done_is_counted(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 3
    save(tmp_path / "a.png", noise(0), exif=exif)
    x = np.zeros((4, 5, 4), np.uint8)
    x[1, 1, 3] = 255
    save(tmp_path / "b.png", x)
    save(tmp_path / "c.png", np.dstack([noise(0), noise(0), noise(0), 0 * noise(0)]))
    images = read_images([str(tmp_path / f"{n}.png") for n in "abc"], View(), "here")
    assert images.inks == {1: (0, 0, 0)}
    assert (images.counts["turned"], images.counts["transparent"], images.counts["hidden"]) == (1, 1, 1)
