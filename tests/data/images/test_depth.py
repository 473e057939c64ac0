"""More than 8 bits per channel: every bit arrives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.images.pictures import noise, png16, tiff16
from wellfit.data.images.decode import View, read_picture


def read(path: Path, content: bytes, **view):
    path.write_bytes(content)
    picture = read_picture(str(path), View(**view))
    assert not isinstance(picture, str), picture
    return picture


def test_png_in_color(tmp_path: Path):
    x = noise(0, (6, 7, 3), np.uint16)
    picture = read(tmp_path / "a.png", png16(x))
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, x)


def test_png_in_three_equal_channels_is_gray(tmp_path: Path):
    x = noise(0, (6, 7, 1), np.uint16)
    np.testing.assert_array_equal(read(tmp_path / "a.png", png16(np.repeat(x, 3, 2))).pixels, x[:, :, 0])


def test_gray_png(tmp_path: Path):
    x = noise(0, (6, 7, 1), np.uint16)
    np.testing.assert_array_equal(read(tmp_path / "a.png", png16(x)).pixels, x[:, :, 0])


@pytest.mark.parametrize("channels", [2, 4])
def test_transparent_png_is_laid_on_white(tmp_path: Path, channels):
    x = noise(0, (6, 7, channels), np.uint16)
    picture = read(tmp_path / "a.png", png16(x))
    share = x[:, :, -1:] / 65535
    expected = np.round(x[:, :, :-1] * share + 65535 * (1 - share))
    assert picture.transparent
    np.testing.assert_array_equal(picture.pixels, expected if channels == 4 else expected[:, :, 0])


def test_opaque_and_hidden_png(tmp_path: Path):
    x = noise(0, (6, 7, 4), np.uint16)
    for alpha, hidden in ((65535, False), (0, True)):
        x[:, :, 3] = alpha
        picture = read(tmp_path / "a.png", png16(x))
        assert (picture.transparent, picture.hidden) == (False, hidden)
        np.testing.assert_array_equal(picture.pixels, x[:, :, :3])


def test_a_color_key_is_transparent(tmp_path: Path):
    x = np.full((2, 3, 3), 7, np.uint16)
    x[0, 0] = (1, 2, 3)
    picture = read(tmp_path / "a.png", png16(x, key=b"\0\1\0\2\0\3"))
    x[0, 0] = 65535
    np.testing.assert_array_equal(picture.pixels, x[:, :, 0])
    gray = read(tmp_path / "b.png", png16(x[:, :, :1], key=b"\0\7"), background=(0, 0, 0), color="gray")
    np.testing.assert_array_equal(gray.pixels, [[65535, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_in_color(tmp_path: Path, order):
    x = noise(0, (6, 7, 3), np.uint16)
    np.testing.assert_array_equal(read(tmp_path / "a.tif", tiff16(x, order)).pixels, x)


def test_tiff_compressed(tmp_path: Path):
    x = noise(0, (6, 7), np.uint16)
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate"):
        Image.fromarray(x).save(tmp_path / "a.tif", compression=compression)
        np.testing.assert_array_equal(read_picture(str(tmp_path / "a.tif"), View()).pixels, x)


def test_tiff_with_white_as_zero(tmp_path: Path):
    x = noise(0, (6, 7), np.uint16)
    Image.fromarray(x).save(tmp_path / "a.tif", tiffinfo={262: 0})
    with Image.open(tmp_path / "a.tif") as image:
        inverted = image.tag_v2[262] == 0
    np.testing.assert_array_equal(read_picture(str(tmp_path / "a.tif"), View()).pixels, 65535 - x if inverted else x)


def test_floats(tmp_path: Path):
    x = np.random.default_rng(0).random((6, 7), dtype=np.float32)
    Image.fromarray(x).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_picture(str(tmp_path / "a.tif"), View()).pixels, x)
    x[0, 0] = np.nan
    Image.fromarray(x).save(tmp_path / "a.tif")
    assert read_picture(str(tmp_path / "a.tif"), View()) == "has pixels that are not finite numbers"


def test_32_bit_integers(tmp_path: Path):
    for high, kind in ((60000, np.uint16), (70000, np.float32)):
        x = np.array([[0, high]], np.int32)
        Image.fromarray(x).save(tmp_path / "a.tif")
        pixels = read_picture(str(tmp_path / "a.tif"), View()).pixels
        assert pixels.dtype == kind
        np.testing.assert_array_equal(pixels, x)


@pytest.mark.parametrize("maximum", [65535, 1023])
def test_binary_ppm(tmp_path: Path, maximum):
    x = np.random.default_rng(0).integers(0, maximum + 1, (6, 7, 3))
    content = b"P6 7 6 %d\n" % maximum + x.astype(">u2").tobytes()
    pixels = read(tmp_path / "a.ppm", content).pixels
    np.testing.assert_array_equal(pixels, np.round(x * (65535 / maximum)))
    (tmp_path / "a.ppm").write_bytes(content[:-1])
    assert read_picture(str(tmp_path / "a.ppm"), View()) == "truncated"


def test_forms_that_would_lose_bits_are_refused(tmp_path: Path):
    (tmp_path / "a.ppm").write_bytes(b"P3 1 1 1023\n1 2 3\n")
    assert "save it as binary PPM or PNG" in read_picture(str(tmp_path / "a.ppm"), View())
    cmyk = tiff16(noise(0, (2, 3, 4), np.uint16)).replace(b"\6\1\3\0\1\0\0\0\2\0", b"\6\1\3\0\1\0\0\0\5\0")
    (tmp_path / "a.tif").write_bytes(cmyk)
    assert read_picture(str(tmp_path / "a.tif"), View()).startswith("16 bits per channel in the form CMYK;16L: save it")


def test_color_to_gray(tmp_path: Path):
    x = noise(0, (6, 7, 3), np.uint16)
    gray = read(tmp_path / "a.png", png16(x), color="gray").pixels
    np.testing.assert_array_equal(gray, np.round(x @ np.array([0.299, 0.587, 0.114])))


def test_orientation(tmp_path: Path):
    x = noise(0, (6, 7), np.uint16)
    exif = Image.Exif()
    for turn in range(1, 9):
        exif[0x0112] = turn
        for name in ("a.png", "a.tif"):
            Image.fromarray(x).save(tmp_path / name, exif=exif)
            pixels = read_picture(str(tmp_path / name), View()).pixels
            small = Image.fromarray((x >> 8).astype(np.uint8))
            small.save(tmp_path / "b.png", exif=exif)
            np.testing.assert_array_equal(pixels >> 8, read_picture(str(tmp_path / "b.png"), View()).pixels)
