"""Arrays in files, replaced together and checked when they are read."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import zipfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from saved_runs import failing
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.store.arrays import is_damaged, pack, read_arrays, read_file, remove_temporary, stage, unpack, write_arrays


@pytest.mark.parametrize("array", [np.array([{}]), np.array(["a"]), np.zeros(1, [("x", "f4")])])
def test_other_dtypes_are_refused(array: np.ndarray) -> None:
    with pytest.raises(TypeError, match=r"a: a file cannot hold .* exactly"):
        pack({"a": array})


def test_the_same_arrays_make_the_same_bytes() -> None:
    arrays = {"file": np.arange(3), "a/b": np.zeros((2, 0), np.float32)}
    assert pack(arrays) == pack(arrays)
    assert {name: array.shape for name, array in unpack(pack(arrays)).items()} == {"file": (3,), "a/b": (2, 0)}


def test_arrays_come_back_by_their_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    sha256 = write_arrays(path, {"a": np.arange(3)})
    assert sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    np.testing.assert_array_equal(read_arrays(path, sha256)["a"], np.arange(3))
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(StoreUnreadableError, match=f"^{path}: damaged: not the file that was saved; restore it"):
        read_file(path, sha256)
    path.unlink()
    with pytest.raises(StoreUnreadableError, match=f"^{path}: cannot be read: No such file or directory; do this$"):
        read_file(path, sha256, "do this")


def test_files_are_replaced_when_all_are_written(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"old")
    with ExitStack() as stack:
        assert stage(stack, one, b"new") == hashlib.sha256(b"new").hexdigest()
        stage(stack, other, b"new")
        assert (one.read_bytes(), other.exists()) == (b"old", False)
    assert (one.read_bytes(), other.read_bytes()) == (b"new", b"new")
    assert sorted(tmp_path.iterdir()) == [one, other]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_one_failure_keeps_every_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"old")

    def save() -> None:
        with ExitStack() as stack:
            stage(stack, one, b"new")
            monkeypatch.setattr(os, function, failing(errno.ENOSPC))
            stage(stack, other, b"new")

    with pytest.raises(StoreError, match=f"^{other}: cannot be written: No space left on device; everything saved"):
        save()
    monkeypatch.undo()
    assert (one.read_bytes(), list(tmp_path.iterdir())) == (b"old", [one])


def test_a_file_is_damaged_if_it_is_missing_or_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    sha256 = write_arrays(path, {"a": np.zeros(2)})
    assert not is_damaged(path, sha256)
    assert is_damaged(path, "0")
    path.write_bytes(path.read_bytes()[:-1])
    assert is_damaged(path, sha256)
    path.unlink()
    assert is_damaged(path, sha256)
    path.mkdir()
    with pytest.raises(StoreUnreadableError, match=f"^{path}: cannot be read: .*, or remove it and run again$"):
        is_damaged(path, sha256)
    monkeypatch.setattr(os, "lstat", failing(errno.EACCES))
    with pytest.raises(StoreUnreadableError, match=f"^{path}: cannot be read: Permission denied; fix its permissions$"):
        is_damaged(path, sha256)


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    for name in (".a.npz.tmp", ".a.npz.12.tmp", "a.npz", ".hidden"):  # the first edition had no process number
        (tmp_path / name).touch()
    remove_temporary([tmp_path, tmp_path / "missing"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "a.npz"]


def archive(content: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr("a.npy", content)
    return buffer.getvalue()


def npy(header: str, version: int = 1) -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2, "little") + text


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000,), }"
OBJECTS = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"half", "not a zip file"),
        (archive(bytes(2**20), zipfile.ZIP_DEFLATED), "it is compressed"),  # a bomb would be
        (archive(npy(HUGE)), r"\d+ bytes are no array of float64, \(10000000000,\)"),
        (archive(npy(OBJECTS) + bytes(8)), "no array of object"),
        (archive(npy(HUGE, version=3)), "version"),
        (archive(b"half"), "magic string"),
    ],
)
def test_an_archive_of_another_kind_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        unpack(content)
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(StoreUnreadableError, match=r"a\.npz: not a file of wellfit"):
        read_arrays(tmp_path / "a.npz", hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize(
    "array", [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array(1)]
)
def test_an_array_keeps_its_shape_and_can_be_changed(array: np.ndarray) -> None:
    back = unpack(pack({"a": array}))["a"]
    np.testing.assert_array_equal(back, array)
    back[...] = 0
