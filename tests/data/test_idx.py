"""IDX: round trips of every type, and every way in which a file can be damaged."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wellfit.data.idx import IDX_NAMES, encode_idx, find_idx, parse_idx, read_content, read_idx
from wellfit.errors import DataError

TYPES = ["uint8", "int8", "int16", "int32", "float32", "float64"]


@given(st.data())
def test_any_array_survives_the_round_trip(data):
    dtype = data.draw(st.sampled_from(TYPES))
    array = data.draw(hnp.arrays(dtype, hnp.array_shapes(max_dims=4, max_side=5, min_side=0)))
    again = parse_idx(encode_idx(array), "memory")
    assert again.dtype == array.dtype
    assert again.dtype.isnative
    np.testing.assert_array_equal(again, array)


def test_known_bytes():
    # Written by hand from the format's description: a 2 x 3 array of big-endian int16.
    content = bytes([0, 0, 0x0B, 2, 0, 0, 0, 2, 0, 0, 0, 3]) + bytes([0, 1, 0, 2, 1, 0, 255, 255, 128, 0, 0, 5])
    expected = np.array([[1, 2, 256], [-1, -32768, 5]], dtype=np.int16)
    np.testing.assert_array_equal(parse_idx(content, "memory"), expected)
    assert encode_idx(expected) == content


@given(st.data())
def test_every_truncation_is_refused(data):
    content = encode_idx(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    cut = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(DataError, match=r"^pictures: ") as caught:
        parse_idx(content[:cut], "pictures")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x89PNG\r\n", r"bytes 0-3 are 89 50 4e 47, which is not an IDX magic number"),
        (bytes([0, 0, 7, 1, 0, 0, 0, 0]), r"bytes 0-3 are 00 00 07 01"),
        (bytes([0, 0, 8, 0]), r"not an IDX magic number"),
        (b"", r"not an IDX magic number"),
        (bytes([0, 0, 8, 3, 0, 0, 0, 1]), r"header ends at byte 8 instead of 16"),
        (
            bytes([0, 0, 8, 1, 0, 0, 0, 4, 1, 2, 3]),
            r"shape \(4,\) takes 12 bytes, but the file has 11: it is truncated",
        ),
        (bytes([0, 0, 8, 1, 0, 0, 0, 1, 1, 2]), r"takes 9 bytes, but the file has 10: it has extra bytes"),
        (bytes([0, 0, 8, 4, *[255] * 16, 1]), r"truncated"),  # claims 4e38 bytes; must not try to allocate them
    ],
)
def test_damage_is_named_with_its_byte(content, message):
    with pytest.raises(DataError, match=message):
        parse_idx(content, "pictures")


def test_gzip_is_recognized_by_content_not_by_name(tmp_path: Path):
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    plain, zipped = tmp_path / "plain.gz", tmp_path / "zipped"
    plain.write_bytes(encode_idx(array))
    zipped.write_bytes(gzip.compress(encode_idx(array)))
    np.testing.assert_array_equal(read_idx(plain), array)
    np.testing.assert_array_equal(read_idx(zipped), array)


def test_unreadable_files(tmp_path: Path):
    good = gzip.compress(encode_idx(np.arange(200, dtype=np.uint8)))
    damaged = bytearray(good)
    damaged[len(damaged) // 2] ^= 0xFF
    cases = {
        "short.gz": (good[:-20], rf"truncated at byte {len(good) - 20}"),
        "damaged.gz": (bytes(damaged), r"the gzip file is damaged"),
        "checksum.gz": (good[:-8] + b"\0\0\0\0" + good[-4:], r"the gzip file is damaged .*CRC"),
        "header.gz": (good[:3], r"the gzip file is"),
        "empty.gz": (b"", r"the file is empty"),
    }
    for name, (content, message) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=message) as caught:
            read_content(tmp_path / name)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="absent: cannot be read"):
        read_content(tmp_path / "absent")


def test_a_web_page_is_named(tmp_path: Path):
    page = tmp_path / "train-images-idx3-ubyte.gz"
    page.write_text("\n<!DOCTYPE html><html>404 not found</html>")
    with pytest.raises(
        DataError, match=r"train-images-idx3-ubyte\.gz: is a web page instead of an IDX file: the downl"
    ):
        read_idx(page)


def test_a_gzip_file_that_unpacks_without_end(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("wellfit.data.idx._SMALL", 10_000)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(1_000_000)))
    with pytest.raises(DataError, match=r"bomb\.gz: the gzip file of 1,0\d\d bytes unpacks to more than 50,150"):
        read_content(path)
    path.write_bytes(gzip.compress(bytes(10_000)))
    assert read_content(path) == bytes(10_000)


def test_devices_and_pipes_are_not_read(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(DataError, match=r"cannot be read \(a \w+, not a file\)"):
            read_content(path)


def test_standard_names_and_their_variants(tmp_path: Path):
    name = IDX_NAMES[0]
    assert find_idx(tmp_path / "nowhere", name) is None
    (tmp_path / name).mkdir()
    assert find_idx(tmp_path, name) is None
    (tmp_path / name / name).write_bytes(b"inside a folder of its own name")
    assert find_idx(tmp_path, name) == tmp_path / name / name
    (tmp_path / "train-images.idx3-ubyte.gz").write_bytes(b"first")
    assert find_idx(tmp_path, name).name == name
