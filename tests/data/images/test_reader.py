"""Reading a folder of images from end to end, beside the arrays that were written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.images.pictures import noise, png16, save, tree
from wellfit.base import Reading
from wellfit.data.images.reader import images_come_first, read_image_folder
from wellfit.errors import DataError


def read(folder: Path, **reading):
    """The data and their facts."""
    raw = read_image_folder(folder, Reading(**reading))
    return raw, dict(raw.facts)


# --- What the first edition read --------------------------------------------------------------------------------------


def test_gray_images_in_order(tmp_path: Path):
    pixels = {"dog/b.png": noise(0), "cat/z.png": noise(1), "cat/a.bmp": noise(2)}
    for name, x in pixels.items():
        save(tmp_path / name, x)
    raw, facts = read(tmp_path)
    assert raw.train.labels.tolist() == ["cat", "cat", "dog"]
    assert raw.test is None
    np.testing.assert_array_equal(raw.train.x, [pixels["cat/a.bmp"], pixels["cat/z.png"], pixels["dog/b.png"]])
    assert (raw.train.x.dtype, raw.pixel_max, facts) == (np.uint8, 255, {})


def test_gray_in_three_channels_is_gray(tmp_path: Path):
    x = noise(0)
    save(tmp_path / "a" / "1.png", x)
    save(tmp_path / "a" / "2.png", x, "RGB")
    save(tmp_path / "b" / "3.png", x, "RGBA")
    save(tmp_path / "b" / "4.png", x, "LA")
    np.testing.assert_array_equal(read(tmp_path)[0].train.x, np.stack([x] * 4))


def test_one_colored_image_makes_all_colored(tmp_path: Path):
    x, colored = noise(0), noise(1, (4, 5, 3))
    save(tmp_path / "train" / "a" / "1.png", x)
    save(tmp_path / "train" / "b" / "1.png", x)
    save(tmp_path / "test" / "a" / "1.png", colored)
    raw, _ = read(tmp_path)
    assert raw.train.x.shape == (2, 4, 5, 3)
    np.testing.assert_array_equal(raw.train.x[0], np.stack([x] * 3, axis=2))
    np.testing.assert_array_equal(raw.test.x, [colored])
    assert raw.test.labels.tolist() == ["a"]
    assert raw.test.where == str(tmp_path / "test")


def test_palette_and_bilevel(tmp_path: Path):
    save(tmp_path / "a" / "1.gif", np.full((4, 5), 255, np.uint8))
    save(tmp_path / "b" / "2.png", np.full((4, 5), 255, np.uint8), "1")
    raw, _ = read(tmp_path)
    assert raw.train.x.dtype == np.uint8
    assert (raw.train.x == 255).all()


def test_images_beside_tables(tmp_path: Path):
    assert not images_come_first(tmp_path)
    save(tmp_path / "train" / "a.png", noise(0))
    save(tmp_path / "train" / "b.png", noise(1))
    assert images_come_first(tmp_path)
    (tmp_path / "other.csv").write_text("x,y\n1,2\n3,4\n")
    assert not images_come_first(tmp_path)
    (tmp_path / "train.csv").write_text("id,label\na,x\nb,y\n")
    assert images_come_first(tmp_path)


def test_class_folders_beside_tables(tmp_path: Path):
    tree(tmp_path)
    (tmp_path / "labels.csv").write_text("a,b")
    assert images_come_first(tmp_path)
    (tmp_path / "data_train.parquet").touch()
    assert not images_come_first(tmp_path)


# --- Sets -------------------------------------------------------------------------------------------------------------


def test_given_validation_is_used(tmp_path: Path):
    for at, name in enumerate(("train", "val", "test")):
        tree(tmp_path / name, per=at + 1, seed=1000 * at)
    raw, _ = read(tmp_path)
    assert [len(part.x) for part in (raw.train, raw.validation, raw.test)] == [2, 4, 6]
    np.testing.assert_array_equal(raw.validation.x[2], noise(1100))
    np.testing.assert_array_equal(raw.test.x[5], noise(2102))


@pytest.mark.parametrize("place", ["inside", "beside", "absolute"])
def test_sets_from_other_folders(tmp_path: Path, place):
    data = tree(tmp_path / "data")
    other = {"inside": data / "held", "beside": tmp_path / "held", "absolute": tmp_path / "x" / "held"}[place]
    tree(other, per=1, seed=7)
    setting = str(other) if place == "absolute" else "held"
    raw, _ = read(data, test_file=setting)
    np.testing.assert_array_equal(raw.test.x, [noise(7), noise(107)])
    assert (len(raw.train.x), raw.validation) == (6, None)
    raw, _ = read(data, validation_file=setting) if place != "inside" else (raw, None)
    assert place == "inside" or len(raw.validation.x) == 2


def test_sets_that_are_given_twice_or_missing(tmp_path: Path):
    tree(tmp_path / "d" / "train")
    tree(tmp_path / "d" / "test")
    tree(tmp_path / "more")
    with pytest.raises(DataError, match=r"has a test set, test/, and \[data\] test_file names another; keep one"):
        read(tmp_path / "d", test_file="more")
    with pytest.raises(DataError, match=r'\[data\] validation_file = "nowhere": no such file or folder'):
        read(tmp_path / "d", validation_file="nowhere")
    (tmp_path / "list.csv").write_text("a.png,cow\n")
    with pytest.raises(DataError, match=r'\[data\] validation_file = "list\.csv": not a folder'):
        read(tmp_path / "d", validation_file="list.csv")
    tree(tmp_path / "cows", ("cow",))
    with pytest.raises(
        DataError, match=r"cows: the validation set has classes that the training set lacks: cow \(it has"
    ):
        read(tmp_path / "d", validation_file="cows")


def test_groups_of_a_table(tmp_path: Path):
    for name in "abcd":
        save(tmp_path / f"{name}.png", noise(ord(name)))
    (tmp_path / "t.csv").write_text("file,label,patient\na,x,p\nb,y,p\nc,x,q\nd,y,q\n")
    raw, facts = read(tmp_path, group="patient")
    assert raw.train.groups.tolist() == ["p", "p", "q", "q"]
    assert facts == {"labels": "column label of t.csv"}


@pytest.mark.parametrize("setting", ["drop", "columns", "categories", "missing"])
def test_settings_of_tables_are_refused(tmp_path: Path, setting):
    tree(tmp_path)
    with pytest.raises(DataError, match=rf"\[data\] {setting} does not apply to images; remove it; those"):
        read(tmp_path, **{setting: ("x",)})


# --- Files ------------------------------------------------------------------------------------------------------------


def test_skipped_files_are_counted(tmp_path: Path):
    tree(tmp_path)
    for name in (".DS_Store", "Thumbs.db", "cat/desktop.ini", "cat/._0.png", "README.txt", "dog/1.heic"):
        (tmp_path / name).touch()
    for name in ("__MACOSX", "dog/.ipynb_checkpoints", "@eaDir", "$RECYCLE.BIN"):
        save(tmp_path / name / "1.png", noise(0))
    raw, facts = read(tmp_path)
    assert len(raw.train.x) == 6
    assert facts == {
        "files skipped": "10: 1.heic, README.txt, 8 hidden or system files (save .heic as PNG or JPEG to use them)"
    }


def test_corrupt_files_in_one_message(tmp_path: Path):
    tree(tmp_path, per=8)
    for at in range(6):
        (tmp_path / "cat" / f"{at}.png").write_bytes(b"<html>" if at else b"")
    os.mkfifo(tmp_path / "dog" / "pipe.png")
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: 7 of 17 images cannot be read: cat/0.png (empty), cat/1.png (HTML or XML), cat/2.png (HTML or "
        "XML), cat/3.png (HTML or XML), cat/4.png (HTML or XML) and 2 more; replace or remove them, or set [data] "
        "skip_corrupt = true to leave them out"
    )
    raw, facts = read(tmp_path, skip_corrupt=True)
    assert raw.train.labels.tolist() == ["cat"] * 2 + ["dog"] * 8
    np.testing.assert_array_equal(raw.train.x[0], noise(6))
    assert facts["corrupt files"].startswith("7 left out: cat/0.png (empty), ")


def test_classes_without_a_readable_image(tmp_path: Path):
    tree(tmp_path, per=2)
    for at in range(2):
        (tmp_path / "cat" / f"{at}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"no image of cat can be read; replace them or remove the class"):
        read(tmp_path, skip_corrupt=True)
    for at in range(2):
        (tmp_path / "dog" / f"{at}.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"4 of 4 images cannot be read: .*; replace or remove them$"):
        read(tmp_path, skip_corrupt=True)


def test_messages_stay_on_one_line(tmp_path: Path):
    tree(tmp_path)
    (tmp_path / "cat" / f"line\nbreak{'x' * 80}.png").touch()
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)
    assert "(empty)" in str(caught.value)


# --- Sizes ------------------------------------------------------------------------------------------------------------


def test_sizes_are_counted_and_the_setting_is_named(tmp_path: Path):
    tree(tmp_path)
    save(tmp_path / "dog" / "odd.png", noise(0, (40, 60)))
    message = (
        r"have 2 sizes in pixels \(6 of 5 x 4, 1 of 60 x 40: dog/odd\.png\); set \[data\] image_size = 4, for example"
    )
    with pytest.raises(DataError, match=message):
        read(tmp_path)
    for at in range(8):
        save(tmp_path / "dog" / f"n{at}.png", noise(0, (40, 61 + at % 3)))
    with pytest.raises(DataError, match=r"have 5 sizes in pixels \(6 of 5 x 4, 3 of 61 x 40, .* and 1 more\); set"):
        read(tmp_path)


def test_resizing_is_reported(tmp_path: Path):
    save(tmp_path / "a" / "1.png", np.full((8, 16), 9, np.uint8))
    save(tmp_path / "a" / "2.png", np.full((4, 4), 9, np.uint8))
    save(tmp_path / "b" / "3.png", np.full((2, 2), 200, np.uint8))
    raw, facts = read(tmp_path, image_size=4)
    assert facts == {"images resized": "2 of 3 (1 of them enlarged), to 4 x 4 pixels, letterbox on white, Lanczos"}
    np.testing.assert_array_equal(raw.train.x[0], [[255] * 4, [9] * 4, [9] * 4, [255] * 4])
    np.testing.assert_array_equal(raw.train.x[1:], np.stack([np.full((4, 4), 9), np.full((4, 4), 200)]))
    raw, facts = read(tmp_path, image_size=(2, 4), resize="stretch")
    assert facts == {"images resized": "3 of 3 (1 of them enlarged), to 4 x 2 pixels, stretch, Lanczos"}
    assert (raw.train.x[0] == 9).all()
    assert raw.train.x.shape == (3, 2, 4)
    assert (read(tmp_path, image_size=4, background="black")[0].train.x[0][0] == 0).all()
    assert (read(tmp_path, image_size=4, background="#102030", color="rgb")[0].train.x[0][0] == [16, 32, 48]).all()


def test_margins_have_the_unit_of_the_pixels(tmp_path: Path):
    for name, x, margin in (
        ("dark", np.full((2, 4), 720, np.uint16), 1023),
        ("words", np.full((2, 4), 60000, np.uint16), 65535),
        ("floats", np.full((2, 4), 0.5, np.float32), 1),
        ("signed", np.array([[-2, 2] * 2] * 2, np.float32), 2),
    ):
        for label in "ab":
            (tmp_path / name / label).mkdir(parents=True)
            Image.fromarray(x).save(tmp_path / name / label / "1.tif")
        raw, _ = read(tmp_path / name, image_size=4)
        np.testing.assert_array_equal(raw.train.x[0], [[margin] * 4, x[0], x[1], [margin] * 4])


def test_exact_size_needs_no_resizing(tmp_path: Path):
    tree(tmp_path)
    raw, facts = read(tmp_path, image_size=(4, 5))
    assert facts == {}
    np.testing.assert_array_equal(raw.train.x, read(tmp_path)[0].train.x)


# --- Transparency, depth, color ---------------------------------------------------------------------------------------


def ink(color: int, at: int) -> np.ndarray:
    x = np.full((6, 6, 4), color, np.uint8)
    x[:, :, 3] = 0
    x[at : at + 2, 1:4, 3] = 255
    return x


def test_ink_in_the_transparency(tmp_path: Path):
    for label, at in (("a", 0), ("b", 3)):
        save(tmp_path / label / "1.png", ink(0, at))
    raw, facts = read(tmp_path)
    assert facts["transparency"] == "2 composited on white"
    np.testing.assert_array_equal(raw.train.x[0], 255 - ink(0, 0)[:, :, 3])
    with pytest.raises(DataError, match=r'no color; use "white", "black" or "#rrggbb"'):
        read(tmp_path, background="blue-ish")


def test_ink_that_the_background_hides(tmp_path: Path):
    for label, at in (("a", 0), ("b", 3)):
        save(tmp_path / label / "1.png", ink(255, at))
        save(tmp_path / label / "2.png", noise(at, (6, 6)))
    message = (
        r"2 of 4 images show nothing on a white background, since their picture is in the transparency alone: "
        r'a/1\.png, b/1\.png; set \[data\] background = "black"'
    )
    with pytest.raises(DataError, match=message):
        read(tmp_path)
    raw, _ = read(tmp_path, background="black")
    np.testing.assert_array_equal(raw.train.x[0], ink(255, 0)[:, :, 3])
    assert read(tmp_path, background="white")[1]["transparency"] == "2 composited on white; 2 show nothing there"
    save(tmp_path / "b" / "3.png", ink(0, 1))
    with pytest.raises(DataError, match='background = "#808080"'):
        read(tmp_path)
    assert read(tmp_path, background="#808080")[1]["transparency"] == "3 composited on #808080"


def test_hidden_pictures_are_read_as_opaque(tmp_path: Path):
    x = np.dstack([noise(0, (4, 5, 3)), np.zeros((4, 5), np.uint8)])
    for label in "ab":
        save(tmp_path / label / "1.png", x)
    raw, facts = read(tmp_path)
    assert facts == {"transparency": "2 fully transparent, read as opaque"}
    np.testing.assert_array_equal(raw.train.x[0], x[:, :, :3])


def test_what_else_is_reported(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 3
    save(tmp_path / "a" / "1.png", noise(0), exif=exif)
    save(tmp_path / "a" / "2.gif", noise(1), save_all=True, append_images=[Image.fromarray(noise(2))])
    save(tmp_path / "b" / "3.png", noise(3, (4, 5, 3)))
    raw, facts = read(tmp_path)
    assert facts == {
        "orientation": "1 turned as their Exif data say",
        "frames": "1 have several; the first is used",
        "color": "rgb: 1 of 3 images have color; only b in color",
    }
    np.testing.assert_array_equal(raw.train.x[0][:, :, 0], noise(0)[::-1, ::-1])
    raw, facts = read(tmp_path, color="gray")
    assert (raw.train.x.shape, facts["color"]) == ((3, 4, 5), "gray, as set")


@pytest.mark.parametrize(
    ("high", "pixel_max", "text"),
    [
        (65000, 65535, "16 bits"),
        (720, 1023, "16 bits, values up to 720, so the maximum is 1023"),
        (4000, 4095, "16 bits, values up to 4000, so the maximum is 4095"),
        (255, 255, "16 bits, values up to 255, so the maximum is 255"),
        (16, None, "16 bits, values up to 16"),
    ],
)
def test_16_bits(tmp_path: Path, high, pixel_max, text):
    x = np.random.default_rng(0).integers(0, high + 1, (4, 5, 3))
    x[0, 0] = high
    for label in "ab":
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.png").write_bytes(png16(x))
    raw, facts = read(tmp_path)
    assert (raw.pixel_max, facts["bit depth"]) == (pixel_max, text)
    np.testing.assert_array_equal(raw.train.x[0], x)
    assert read(tmp_path, pixel_max=100)[0].pixel_max == 100


def test_the_training_images_alone_say_the_range(tmp_path: Path):
    for name, high in (("train/a", 900), ("train/b", 900), ("test/a", 5000)):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.png").write_bytes(png16(np.full((4, 5, 1), high)))
    assert read(tmp_path)[0].pixel_max == 1023


def test_8_and_16_bits(tmp_path: Path):
    save(tmp_path / "a" / "1.png", noise(0))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.png").write_bytes(png16(np.full((4, 5, 1), 60000)))
    raw, facts = read(tmp_path)
    assert facts["bit depth"] == "16 bits; 1 image of 8 bits multiplied by 257"
    np.testing.assert_array_equal(raw.train.x[0], noise(0) * np.uint16(257))
    (tmp_path / "b" / "1.png").write_bytes(png16(np.full((4, 5, 1), 700)))
    with pytest.raises(
        DataError, match=r"1 image of 8 bits and 1 of 16 bits with values up to 700 have no common scale"
    ):
        read(tmp_path)


def test_floats(tmp_path: Path):
    for high, pixel_max in ((1, 1), (3, None)):
        x = np.linspace(0, high, 20, dtype=np.float32).reshape(4, 5)
        for label in "ab":
            (tmp_path / label).mkdir(exist_ok=True)
            Image.fromarray(x).save(tmp_path / label / "1.tif")
        raw, facts = read(tmp_path)
        assert (raw.pixel_max, facts["bit depth"]) == (pixel_max, f"floats from 0 to {high}")
        np.testing.assert_array_equal(raw.train.x[0], x)


def test_few_levels_of_8_bits_leave_the_range_open(tmp_path: Path):
    for label in "ab":
        save(tmp_path / label / "1.png", noise(0) // 16)
    assert read(tmp_path)[0].pixel_max is None


def test_margins_are_no_larger_than_a_pixel_can_be(tmp_path: Path):
    for name in ("a/1.png", "b/1.png"):
        save(tmp_path / name, noise(0))  # 4 x 5 pixels
    raw, _ = read(tmp_path, image_size=10, pixel_max=1e300)
    assert (raw.train.x[:, 0] == 255).all()
