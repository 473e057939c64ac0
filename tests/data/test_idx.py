"""IDX: round trips of every type, and every way in which a file can be damaged."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wellfit.data.idx import IDX_NAMES, encode_idx, find_idx, parse_idx, read_content, read_idx, read_idx_folder
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


def test_folder_of_four_files(tmp_path: Path):
    arrays = [
        np.arange(24, dtype=np.uint8).reshape(4, 2, 3),
        np.array([0, 1, 0, 1], dtype=np.uint8),
        np.arange(12, dtype=np.uint8).reshape(2, 2, 3),
        np.array([1, 0], dtype=np.uint8),
    ]
    names = [IDX_NAMES[0], f"{IDX_NAMES[1]}.gz", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte.gz"]
    for name, array in zip(names[:3], arrays[:3], strict=True):
        content = encode_idx(array)
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte \(or \.gz\) is missing"):
        read_idx_folder(tmp_path)
    (tmp_path / names[3]).write_bytes(gzip.compress(encode_idx(arrays[3])))
    raw = read_idx_folder(tmp_path)
    for found, array in zip((raw.train.x, raw.train.labels, raw.test.x, raw.test.labels), arrays, strict=True):
        np.testing.assert_array_equal(found, array)
    assert find_idx(tmp_path / "nowhere", IDX_NAMES[0]) is None
