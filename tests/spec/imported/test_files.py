"""Files from strangers: a line within limits of time and memory, whatever they hold."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import resource
import time
import zipfile
from pathlib import Path

import pytest

from keras_texts import MLP, archive
from wellfit.errors import StudyFileError
from wellfit.spec.imported.files import read_architecture, tables_of


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_configuration_and_the_hash_of_the_file(compression: int, tmp_path: Path) -> None:
    path = tmp_path / "net.keras"
    path.write_bytes(archive(MLP, compression))
    assert read_architecture(path) == (MLP, hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_text_file_and_a_link_to_a_file(tmp_path: Path) -> None:
    path, link = tmp_path / "net.json", tmp_path / "link.keras"
    path.write_text(json.dumps(MLP), encoding="utf-8-sig")
    link.symlink_to(path)
    assert read_architecture(path)[0] == read_architecture(link)[0] == MLP


def packed(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as file:
        for name, member in members.items():
            file.writestr(name, member)
    return content.getvalue()


def locked() -> bytes:
    """An archive whose members claim to be encrypted."""
    content = bytearray(archive(MLP))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = content.index(mark)
        while place >= 0:
            content[place + at] |= 1
            place = content.find(mark, place + 1)
    return bytes(content)


HOSTILE = {
    "bomb": (lambda: archive(b" " * 2**27 + b"{}"), "takes more than 4 MiB of text, far more than any network"),
    "long text": (lambda: b"{" + b" " * 2**23 + b"}", "takes more than 4 MiB of text.*WELLFIT_LIMITS=3$"),
    "deep": (lambda: archive(b"[" * 2**21), "not JSON"),
    "deep objects": (lambda: archive(b'{"a":' * 2**19), "not JSON"),
    "long number": (lambda: archive(b'{"a": ' + b"9" * 2**20 + b"}"), "an integer of 1,048,576 digits; no option"),
    "an integer beyond floats": (lambda: b'{"a": -1' + b"0" * 400 + b"}", "an integer of 401 digits; no option of a"),
    "no number": (lambda: archive('{"a": NaN}'), "not JSON .NaN is not a number"),
    "many members": (lambda: packed(dict.fromkeys(map(str, range(3000)), b"")), "an archive of more than 1,000 files"),
    "other members": (lambda: packed({"config.json.txt": b"{}"}), r"an archive without config\.json"),
    "compressed as xz": (lambda: archive(MLP, zipfile.ZIP_LZMA), "compressed in another way"),
    "encrypted": (locked, "a damaged archive .*encrypted"),
    "cut off": (lambda: archive(MLP)[:-40], "a damaged archive"),
    "flipped": (lambda: archive(MLP).replace(b"PK\3\4", b"PK\3\5"), "a damaged archive"),
    "another encoding": (lambda: archive("{}".encode("utf-16")), "not JSON"),
    "a link inside": (lambda: archive("/etc/passwd"), "not JSON"),
    "a list": (lambda: archive("[]"), "a JSON object is needed"),
    "pickle": (lambda: b"\x80\x04\x95\x00.", "not JSON"),
    "empty": (lambda: b"", "not JSON"),
    "packed": (lambda: gzip.compress(archive(MLP)), "not JSON"),
    "hdf5": (
        lambda: b"\x89HDF\r\n\x1a\n" + bytes(99),
        r'older versions of Keras; save the model again: model\.save\("',
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_line_within_limits(name: str, tmp_path: Path) -> None:
    make, message = HOSTILE[name]
    path = tmp_path / "net.keras"
    path.write_bytes(make())
    before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(StudyFileError, match=message) as raised:
        read_architecture(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)
    assert time.process_time() - before[0] < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before[1] < 3e5  # kilobytes


def test_limits_can_be_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.json"
    path.write_bytes(json.dumps(MLP).encode() + b" " * 2**22)
    with pytest.raises(StudyFileError, match="WELLFIT_LIMITS=2"):
        read_architecture(path)
    monkeypatch.setenv("WELLFIT_LIMITS", "2")
    assert read_architecture(path)[0] == MLP


def test_what_is_no_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.keras"
    os.mkfifo(pipe)
    with pytest.raises(StudyFileError, match="a pipe, not a file"):
        read_architecture(pipe)
    with pytest.raises(StudyFileError, match="a folder, not a file"):
        read_architecture(tmp_path)
    with pytest.raises(StudyFileError, match="a device, not a file"):
        read_architecture(Path("/dev/zero"))
    with pytest.raises(StudyFileError, match="no such file"):
        read_architecture(tmp_path / "none.keras")
    with pytest.raises(StudyFileError, match="no such file"):
        read_architecture(Path("a" * 5000))


def test_a_file_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.keras"
    with path.open("wb") as file:
        file.truncate(2**33)
    with pytest.raises(StudyFileError, match=r"cannot be read: 8,589,934,592 bytes, more than .*model\.to_json"):
        read_architecture(path)


def test_integers_of_18_digits_are_read() -> None:
    assert tables_of('{"seed": -999999999999999999}', "model") == {"seed": -(10**18) + 1}
    with pytest.raises(
        StudyFileError, match=r"^model: an integer of 19 digits; no option of a layer has more than 18$"
    ):
        tables_of('{"seed": 1000000000000000000}', "model")


def test_text_that_is_no_object() -> None:
    with pytest.raises(StudyFileError, match=r"^model: .* a JSON object is needed"):
        tables_of("3", "model")
