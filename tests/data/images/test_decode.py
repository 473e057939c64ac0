"""Decoding one file: orientation, transparency, color, and files that cannot be read."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from data.images.pictures import noise, png16, save, tiff16
from wellfit.data.images import decode, depth
from wellfit.data.images.decode import View, read_picture


def read(path: Path, **view):
    picture = read_picture(str(path), View(**view))
    assert not isinstance(picture, str), picture
    return picture


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


# --- Modes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "pgm", "tif", "webp"])
def test_gray(tmp_path: Path, suffix):
    x = noise(0)
    options = {"lossless": True} if suffix == "webp" else {}
    np.testing.assert_array_equal(read(save(tmp_path / f"a.{suffix}", x, **options)).pixels, x)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr"])
def test_modes_are_converted_as_pillow_does(tmp_path: Path, mode):
    # compressed, because Pillow 12 does not read the plain YCbCr files that it writes
    Image.fromarray(noise(0, (4, 5, 3))).convert(mode).save(tmp_path / "a.tif", compression="packbits")
    with Image.open(tmp_path / "a.tif") as again:
        expected = np.asarray(again.convert("L" if mode in {"1", "L"} else "RGB"))
    pixels = read(tmp_path / "a.tif").pixels
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, expected)


def test_equal_channels_are_gray_unless_color_is_set(tmp_path: Path):
    x = np.zeros((20, 20, 3), np.uint8)
    path = save(tmp_path / "a.png", x)
    assert read(path).pixels.shape == (20, 20)
    assert read(path, color="rgb").pixels.shape == (20, 20, 3)
    x[3, 3, 1] = 1  # not among the pixels that are looked at first
    assert read(save(path, x)).pixels.shape == (20, 20, 3)
    np.testing.assert_array_equal(read(path, color="gray").pixels, np.asarray(Image.fromarray(x).convert("L")))


def test_the_first_frame_is_read(tmp_path: Path):
    frames = [Image.fromarray(noise(i)) for i in range(3)]
    for suffix in ("gif", "tif", "png"):
        frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
        picture = read(tmp_path / f"a.{suffix}")
        assert picture.frames
        np.testing.assert_array_equal(picture.pixels, noise(0))


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_of_more_than_8_bits_is_counted(tmp_path: Path):
    path = save(tmp_path / "a.avif", noise(0, (16, 16, 3)))
    assert read(path).reduced == 0
    content = path.read_bytes()
    at = content.index(b"av1C") + 6
    for flags, bits in ((0x40, 10), (0x60, 12)):
        path.write_bytes(content[:at] + bytes([content[at] & ~0x60 | flags]) + content[at + 1 :])
        picture = read_picture(str(path), View())  # whether it can be decoded is the decoder's matter
        assert isinstance(picture, str) or picture.reduced == bits


# --- Orientation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_upright_as_pillow_does(tmp_path: Path, suffix):
    exif = Image.Exif()
    for turn in range(1, 9):
        exif[0x0112] = turn
        path = save(tmp_path / f"a.{suffix}", noise(0, (12, 20, 3)), exif=exif)
        with path.open("rb") as file, Image.open(file) as image:
            expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        picture = read(path)
        assert picture.size == expected.shape[:2] == ((20, 12) if turn > 4 else (12, 20))
        assert picture.turned == (turn != 1)
        np.testing.assert_array_equal(picture.pixels, expected)


def test_orientation_after_the_pixels(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.png", noise(0))
    content = path.read_bytes()
    path.write_bytes(content[:-12] + chunk(b"eXIf", exif.tobytes()[6:]) + content[-12:])
    picture = read(path)
    assert (picture.turned, picture.size) == (True, (5, 4))
    np.testing.assert_array_equal(picture.pixels, np.rot90(noise(0), -1))


def test_damaged_exif_data_say_nothing(tmp_path: Path):
    path = save(tmp_path / "a.png", noise(0))
    content = path.read_bytes()
    for exif in (b"", b"no exif", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x63\0\0"):
        path.write_bytes(content[:33] + chunk(b"eXIf", exif) + content[33:])
        assert not read(path).turned


# --- Transparency -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "channels"), [("RGBA", 4), ("LA", 2)])
def test_transparency_is_laid_on_the_background(tmp_path: Path, mode, channels):
    x = noise(0, (6, 7, channels))
    Image.fromarray(x, mode).save(tmp_path / "a.png")
    for background in ((255, 255, 255), (0, 0, 0), (10, 200, 30)):
        picture = read(tmp_path / "a.png", background=background, color="rgb")
        share = x[:, :, -1:] / 255
        expected = x[:, :, :-1] * share + np.array(background) * (1 - share)
        assert picture.transparent
        assert np.abs(picture.pixels - expected).max() <= 1


def test_transparent_palette(tmp_path: Path):
    image = Image.new("P", (2, 1))
    image.putpalette([9, 9, 9, 50, 60, 70])
    image.putpixel((1, 0), 1)
    for suffix in ("png", "gif"):
        image.save(tmp_path / f"a.{suffix}", transparency=0)
        picture = read(tmp_path / f"a.{suffix}", background=(1, 2, 3))
        np.testing.assert_array_equal(picture.pixels, [[(1, 2, 3), (50, 60, 70)]])


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_color_key(tmp_path: Path, mode):
    image = Image.fromarray(np.array([[0, 255]], np.uint8)).convert(mode)
    image.save(tmp_path / "a.png", transparency=(0, 0, 0) if mode == "RGB" else 0)
    np.testing.assert_array_equal(read(tmp_path / "a.png", background=(255, 255, 255)).pixels, [[255, 255]])


def test_opaque_images_are_unchanged(tmp_path: Path):
    x = noise(0, (4, 5, 4))
    x[:, :, 3] = 255
    picture = read(save(tmp_path / "a.png", x))
    assert not picture.transparent
    np.testing.assert_array_equal(picture.pixels, x[:, :, :3])


def test_all_transparent(tmp_path: Path):
    x = noise(0, (4, 5, 4))
    x[:, :, 3] = 0
    picture = read(save(tmp_path / "a.png", x))
    assert (picture.hidden, picture.transparent) == (True, False)
    np.testing.assert_array_equal(picture.pixels, x[:, :, :3])
    x[:] = 0
    picture = read(save(tmp_path / "a.png", x))
    assert (picture.hidden, picture.transparent) == (False, True)
    assert (picture.pixels == 255).all()


def test_a_picture_in_the_transparency_alone(tmp_path: Path):
    x = np.zeros((8, 8, 4), np.uint8)
    x[2:5, 2:5, 3] = 255
    for ink in ((0, 0, 0), (255, 255, 255), (10, 200, 30)):
        x[:, :, :3] = ink
        assert read(save(tmp_path / "a.png", x)).ink == ink
    x[0, 0] = 99  # invisible pixels may have any color
    x[0, 0, 3] = 0
    assert read(save(tmp_path / "a.png", x)).ink == ink
    x[2, 2] = 255
    assert read(save(tmp_path / "a.png", x)).ink is None
    x[:, :, 3] = 250  # nearly the same everywhere
    assert read(save(tmp_path / "a.png", x)).ink is None


# --- Sizes ------------------------------------------------------------------------------------------------------------


def test_only_images_of_the_expected_size_are_decoded(tmp_path: Path):
    path = save(tmp_path / "a.png", noise(0))
    assert read(path, expected=(4, 5)).pixels is not None
    assert read(path, expected=(5, 4)).pixels is None
    assert read(path, sizes_only=True).size == (4, 5)


def test_large_photos_are_reduced_while_decoding(tmp_path: Path):
    smooth = np.add.outer(np.arange(480), np.arange(640)) / 1120 * 255
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "a.jpg", smooth.astype(np.uint8), quality=95, exif=exif)
    picture = read(path, size=(32, 32), resize="letterbox")
    assert (picture.size, picture.pixels.shape) == ((640, 480), (32, 24))
    exact = np.rot90(np.asarray(Image.fromarray(smooth.astype(np.float32)).resize((32, 24), Image.Resampling.BOX)), -1)
    assert np.abs(picture.pixels - exact).max() < 3


# --- Files that cannot be read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html>", "HTML or XML"),
        (b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer: run git lfs pull"),
        (b"\0\0\0\x18ftypheic", "HEIC or a video: save it as JPEG or PNG"),
        (
            tiff16(noise(0, (2, 3, 5), np.uint16)),
            "a damaged TIFF, or of a kind that Pillow does not read: save it as PNG",
        ),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "damaged, or no image"),
        (b"P6 9 9 0\n", "damaged: maxval must be greater than 0 and less than 65536"),
    ],
)
def test_what_the_file_is(tmp_path: Path, content, reason):
    (tmp_path / "a.png").write_bytes(content)
    assert read_picture(str(tmp_path / "a.png"), View()) == reason


def test_a_wrong_suffix_does_not_matter(tmp_path: Path):
    Image.fromarray(noise(0)).save(tmp_path / "a.jpg", format="PNG")
    np.testing.assert_array_equal(read(tmp_path / "a.jpg").pixels, noise(0))


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "gif", "tif", "webp"])
def test_truncated(tmp_path: Path, suffix):
    path = save(tmp_path / f"a.{suffix}", noise(0, (30, 30)))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    reason = read_picture(str(path), View())
    assert isinstance(reason, str)
    assert "\n" not in reason


def test_bombs(tmp_path: Path, monkeypatch):
    path = save(tmp_path / "a.png", noise(0))
    for limit in (15, 5):  # more than the limit is a warning, more than twice as many an error
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_picture(str(path), View()) == f"more than {limit} pixels"


def test_large_images_in_slow_forms(tmp_path: Path, monkeypatch):
    path = tmp_path / "a.ppm"
    path.write_bytes(b"P5 2 2 100\n" + bytes(4))
    assert read(path).size == (2, 2)
    monkeypatch.setattr(decode, "_HUGE", 3)
    assert read(path).size == (2, 2)
    monkeypatch.setattr(decode, "_MOST_SLOW", 3)
    assert read_picture(str(path), View()) == "a PPM of more than 3 pixels in a slow form: save it as PNG"
    monkeypatch.setattr(depth, "_MOST_PIXELS", 3)
    path.write_bytes(png16(np.ones((2, 2, 3))))
    assert read_picture(str(path), View()) == "more than 3 pixels of more than 8 bits"


def test_a_huge_text_in_a_png(tmp_path: Path):
    path = save(tmp_path / "a.png", noise(0))
    content = path.read_bytes()
    text = chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(2**24)))
    path.write_bytes(content[:33] + text + content[33:])
    assert read_picture(str(path), View()).startswith("damaged: Decompressed data too large")


def test_what_is_no_file(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.png")
    assert read_picture(str(tmp_path / "pipe.png"), View()) == "a pipe, not a file"
    assert read_picture("/dev/zero", View()) == "a device, not a file"
    (tmp_path / "link.png").symlink_to(tmp_path / "nothing.png")
    assert read_picture(str(tmp_path / "link.png"), View()) == "a broken link"
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert read_picture(str(tmp_path / "loop.png"), View()) == "Too many levels of symbolic links"
    save(tmp_path / "real.png", noise(0))
    (tmp_path / "good.png").symlink_to(tmp_path / "real.png")
    np.testing.assert_array_equal(read(tmp_path / "good.png").pixels, noise(0))


def test_other_errors_are_one_short_line(tmp_path: Path, monkeypatch):
    path = save(tmp_path / "a.png", noise(0))
    for error, reason in (
        (MemoryError(), "too large for the memory"),
        (ZeroDivisionError(), "damaged (ZeroDivisionError)"),
        (ValueError("two\nlines " + "x" * 200), f"damaged: two lines {'x' * 70}"),
        (struct.error("unpack requires"), "truncated"),
    ):

        def fail(*args, error=error, **kwargs):
            raise error

        monkeypatch.setattr(Image, "open", fail)
        assert read_picture(str(path), View()) == reason
