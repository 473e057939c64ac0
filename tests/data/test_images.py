"""Image folders: Pillow writes what the reader must find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wellfit.data.images import has_class_folders, read_image_folder
from wellfit.errors import DataError


def save(path: Path, pixels, mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(np.asarray(pixels))
    (image.convert(mode) if mode else image).save(path)


def gray(seed: int, shape: tuple[int, ...] = (4, 5)):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_gray_images_in_order(tmp_path: Path):
    pixels = {"dog/b.png": gray(0), "cat/z.png": gray(1), "cat/a.bmp": gray(2)}
    for name, x in pixels.items():
        save(tmp_path / name, x)
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / ".cache").mkdir()
    raw = read_image_folder(tmp_path)
    assert has_class_folders(tmp_path)
    assert raw.train.labels.tolist() == ["cat", "cat", "dog"]
    assert raw.test.x is None
    np.testing.assert_array_equal(raw.train.x, [pixels["cat/a.bmp"], pixels["cat/z.png"], pixels["dog/b.png"]])


def test_gray_in_three_channels_is_gray(tmp_path: Path):
    x = gray(0)
    save(tmp_path / "a" / "1.png", x)
    save(tmp_path / "a" / "2.png", x, "RGB")
    save(tmp_path / "b" / "3.png", x, "RGBA")
    save(tmp_path / "b" / "4.png", x, "LA")
    np.testing.assert_array_equal(read_image_folder(tmp_path).x_train, np.stack([x] * 4))


def test_one_colored_image_makes_all_colored(tmp_path: Path):
    x, colored = gray(0), gray(1, (4, 5, 3))
    save(tmp_path / "train" / "a" / "1.png", x)
    save(tmp_path / "train" / "b" / "1.png", x)
    save(tmp_path / "test" / "a" / "1.png", colored)
    raw = read_image_folder(tmp_path)
    assert raw.train.x.shape == (2, 4, 5, 3)
    np.testing.assert_array_equal(raw.train.x[0], np.stack([x] * 3, axis=2))
    assert raw.test.x is not None
    np.testing.assert_array_equal(raw.test.x, [colored])
    assert raw.test.labels is not None
    assert raw.test.labels.tolist() == ["a"]


def test_palette_and_bilevel(tmp_path: Path):
    save(tmp_path / "a" / "1.gif", np.full((4, 5), 255, np.uint8))
    save(tmp_path / "b" / "2.png", np.full((4, 5), 255, np.uint8), "1")
    raw = read_image_folder(tmp_path)
    assert raw.train.x.dtype == np.uint8
    assert raw.train.x.shape == (2, 4, 5)
    assert (raw.train.x == 255).all()


def test_another_size_is_named(tmp_path: Path):
    save(tmp_path / "a" / "1.png", gray(0))
    save(tmp_path / "b" / "odd.png", gray(0, (4, 6)))
    with pytest.raises(DataError, match=r"odd\.png: 6 x 4 pixels, but 1\.png has 5 x 4"):
        read_image_folder(tmp_path)


def test_damaged_and_foreign_files(tmp_path: Path):
    save(tmp_path / "a" / "1.png", gray(0))
    broken = tmp_path / "b" / "broken.png"
    broken.parent.mkdir()
    for content in (b"", b"no picture", (tmp_path / "a" / "1.png").read_bytes()[:50]):
        broken.write_bytes(content)
        with pytest.raises(DataError, match=r"broken\.png: cannot be read as an image") as caught:
            read_image_folder(tmp_path)
        assert "\n" not in str(caught.value)
    save(broken, np.full((4, 5), 40000, np.uint16))
    with pytest.raises(
        DataError, match=r"broken\.png: the pixels have more than 8 bits per channel \(Pillow mode I;16\)"
    ):
        read_image_folder(tmp_path)


def test_folders_that_are_no_data_set(tmp_path: Path):
    with pytest.raises(DataError, match="contains no subfolders"):
        read_image_folder(tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(DataError, match=r"cat: contains no images"):
        read_image_folder(tmp_path)
    (tmp_path / "train").mkdir()
    with pytest.raises(
        DataError, match=r"with train/ there must be test/ and no other subfolder, but it has cat, train"
    ):
        read_image_folder(tmp_path)
