"""Later images: the size, colors and depth of the training images, or one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wellfit.base import Reading
from wellfit.data.images.alike import image_files, images_like
from wellfit.data.images.reader import read_image_folder
from wellfit.errors import DataError

GRAY = np.random.default_rng(1).integers(0, 256, (6, 8)).astype(np.uint8)
COLOR = np.random.default_rng(2).integers(0, 256, (6, 8, 3)).astype(np.uint8)


def saved(path: Path, pixels: np.ndarray) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return str(path)


def test_color_is_dropped_with_a_note_or_added(tmp_path: Path) -> None:
    files = [saved(tmp_path / "a.png", GRAY), saved(tmp_path / "b.png", COLOR)]
    x, notes = images_like(files, (6, 8), 255, Reading(), "new")
    assert notes == ["1 of 2 images have color, which the model does not see"]
    np.testing.assert_array_equal(x[0], GRAY)
    np.testing.assert_array_equal(x[1], np.asarray(Image.fromarray(COLOR).convert("L")))
    x, notes = images_like(files, (6, 8, 3), 255, Reading(), "new")
    assert notes == []
    np.testing.assert_array_equal(x[0], np.repeat(GRAY[..., None], 3, axis=2))


@pytest.mark.parametrize("resize", ["letterbox", "stretch"])
def test_images_are_resized_as_the_training_images_were(resize: str, tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        for k in range(6):
            saved(tmp_path / "train" / name / f"{k}.png", np.roll(COLOR, k, axis=0) // (1 + (name == "dog")))
    reading = Reading(image_size=4, resize=resize, background="#204060")  # type: ignore[arg-type]
    raw = read_image_folder(tmp_path / "train", reading)
    files = image_files(tmp_path / "train")
    x, notes = images_like(files, (4, 4, 3), raw.pixel_max, reading, "new")
    np.testing.assert_array_equal(x, raw.train.x)
    assert notes == ["12 of 12 images resized to 4 x 4 pixels"]


def test_words_and_bytes(tmp_path: Path) -> None:
    file = saved(tmp_path / "a.png", GRAY)
    x, _ = images_like([file], (6, 8), 65535, Reading(), "new")
    np.testing.assert_array_equal(x[0], GRAY.astype(np.uint16) * 257)
    deep = saved(tmp_path / "deep.png", GRAY.astype(np.uint16) * 200)
    with pytest.raises(DataError, match="new: pixels of 16 bits, but the model was trained on pixels up to 255"):
        images_like([deep], (6, 8), 255, Reading(), "new")


def test_bytes_for_a_model_of_deeper_pixels(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="new: pixels of 8 bits, but the model was trained on pixels up to 4095"):
        images_like([saved(tmp_path / "a.png", GRAY)], (6, 8), 4095, Reading(), "new")


def test_margins_have_the_depth_of_the_pixels(tmp_path: Path) -> None:
    reading = Reading(image_size=8, background="gray")
    x, _ = images_like([saved(tmp_path / "a.png", GRAY)], (8, 8), 65535, reading, "new")
    assert set(x[0, [0, -1]].ravel().tolist()) == {round(128 / 255 * 65535)}


def test_masks_are_no_examples(tmp_path: Path) -> None:
    image = saved(tmp_path / "a.png", GRAY)
    saved(tmp_path / "a_mask.png", GRAY)
    assert image_files(tmp_path) == [image]


def test_another_size_is_named(tmp_path: Path) -> None:
    files = [saved(tmp_path / "a.png", GRAY), saved(tmp_path / "b.png", GRAY[:, :7])]
    with pytest.raises(DataError, match=r"b\.png: 7 x 6 pixels, but the model was trained on 8 x 6; resize"):
        images_like(files, (6, 8), 255, Reading(), str(tmp_path))
    with pytest.raises(DataError, match=r"b\.png: 7 x 6 pixels and 8 x 6, but the model was trained on 9 x 6"):
        images_like(files[::-1], (6, 9), 255, Reading(), str(tmp_path))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_text("<html>")
    with pytest.raises(DataError, match=r"1 of 2 images cannot be read: bad\.png \(HTML or XML\); replace or remove"):
        images_like([saved(tmp_path / "a.png", GRAY), str(tmp_path / "bad.png")], (6, 8), 255, Reading(), str(tmp_path))


def test_a_folder_is_listed_with_its_folders(tmp_path: Path) -> None:
    files = [saved(tmp_path / name, GRAY) for name in ("b.png", "x/a.png", "x/y/c.png")]
    assert image_files(tmp_path) == files
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no image in this folder"):
        image_files(tmp_path / "empty")
