"""Bytes to text: compression and encodings by content, bombs, and files that are no text."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from wellfit.data.tables.text import MAX_BYTES, one_line, read_bytes, regular_file, to_utf8, unpack
from wellfit.errors import DataError

TEXT = "label,a\nthé,1\n".encode()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        TEXT,
        gzip.compress(TEXT),
        bz2.compress(TEXT),
        lzma.compress(TEXT),
        lzma.compress(TEXT[:7]) + lzma.compress(TEXT[7:]),
        zipped({"a.csv": TEXT, "__MACOSX/._a.csv": b"x", "folder/": b""}),
        zipped({"a.csv.gz": gzip.compress(TEXT)}),
    ],
    ids=["plain", "gzip", "bzip2", "lzma", "two lzma streams", "zip", "gzip in zip"],
)
def test_compression_is_found_by_content(packed):
    assert unpack(packed, "t") == TEXT


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        (gzip.compress(TEXT * 99)[:-20], r"t: cannot be unpacked \(Compressed file ended"),
        (lzma.compress(TEXT * 99)[:-20], r"t: cannot be unpacked \(the file ends too early"),
        (bz2.compress(TEXT * 99)[:-20], r"t: cannot be unpacked"),
        (zipped({"a.csv": TEXT})[:-20], r"t: cannot be unpacked \(File is not a zip"),
        (zipped({"a.csv": TEXT, "b.csv": TEXT}), r"t: the archive holds 2 files \(a\.csv, b\.csv\); extract it"),
        (zipped({}), r"t: cannot be unpacked|t: the archive holds 0 files"),
        (b"\0" * 257 + b"ustar" + b"\0" * 20, r"t: a tar archive; extract it"),
    ],
    ids=["gzip", "lzma", "bzip2", "zip", "two files", "no file", "tar"],  # packed bytes contain the time
)
def test_archives_that_cannot_be_read(packed, message):
    if packed == zipped({}):  # begins otherwise, so it is taken for a file of its own
        assert unpack(packed, "t") == packed
        return
    with pytest.raises(DataError, match=message):
        unpack(packed, "t")


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress, lambda c: zipped({"a.csv": c})])
def test_bombs_are_refused_before_they_fill_the_memory(compress):
    bomb = compress(b"0" * (80 << 20))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"unpack to more than 64 MiB; if that is right, decompress the file first"):
        unpack(bomb, "t")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20


def test_only_plain_files_are_read(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT)
    assert read_bytes(path) == TEXT
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    for name, what in {"pipe.csv": "a pipe", "zero.csv": "a device", ".": "a folder"}.items():
        with pytest.raises(DataError, match=rf": {what}, not a file; copy the table to a file$"):
            read_bytes(tmp_path / name)
    with pytest.raises(DataError, match=r"cannot be read \(No such file"):
        regular_file(tmp_path / "none.csv")
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(DataError, match=r"has 4\.0 GiB, but tables of up to 4 GiB are read"):
        read_bytes(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path):
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT)
    path.chmod(0)
    with pytest.raises(DataError, match=r"cannot be read \(Permission denied\)"):
        read_bytes(path)


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("latin-1", "Latin-1"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
        ("utf-32", "UTF-32"),
    ],
)
def test_encodings_are_found(encoding, name):
    assert to_utf8((TEXT * 3).decode().encode(encoding), None, "t") == (TEXT * 3, name)


def test_windows_1252_differs_from_latin_1_in_its_quotation_marks():
    assert to_utf8("“thé”,1\n".encode("cp1252"), None, "t") == ("“thé”,1\n".encode(), "Windows-1252")
    assert to_utf8(b"\x81\xe9,1\n", None, "t")[1] == "Latin-1"  # 0x81 is nothing in Windows-1252


def test_the_setting_decides():
    assert to_utf8("č,1\n".encode("cp1250"), "cp1250", "t") == ("č,1\n".encode(), "")
    assert to_utf8(TEXT.decode().encode("utf-16"), "latin-1", "t")[0] == TEXT  # a byte order mark leaves no doubt


def test_line_ends():
    assert to_utf8(b"a,b\r\n1,2\r\n\x1a", None, "t")[0] == b"a,b\n1,2\n"
    assert to_utf8(b"a,b\r1,2\r", None, "t")[0] == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (TEXT, "klingon", r"t: unknown encoding 'klingon'; set \[data\] encoding"),
        (b"a,b\n\xe9,1\n", "utf-8", r"t: line 2 is not text in UTF-8; set \[data\] encoding = \"latin-1\""),
        ("é,ü\n".encode() * 5 + b"\xff,1\n", None, r"t: line 6 is not UTF-8 like the rest"),
        (b"a,b\n1,\x002\n", None, r"t: line 2 has a null character"),
        (b"\x01\x02\x03\x04\n" * 20, None, r"t: not a text file"),
        (b"\x89PNG\r\n\x1a\n", None, r"t: not a text table but a PNG image"),
        (b"\x89HDF\r\n\x1a\n", None, r"t: not a text table but an HDF5 file"),
        (b"\n<!DOCTYPE html><html>", None, r"t: a web page, not a table"),
    ],
)
def test_what_is_no_text(content, encoding, message):
    with pytest.raises(DataError, match=message):
        to_utf8(content, encoding, "t")


def test_errors_become_one_short_line():
    assert one_line(ValueError("a\n b")) == "a b"
    assert one_line(EOFError()) == "EOFError"
    assert len(one_line(ValueError("x" * 999))) == 200
