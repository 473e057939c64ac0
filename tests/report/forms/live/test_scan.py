"""Finding the studies of a folder that holds anything else, too."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

import watched
from wellfit.report.forms.live import scan as module
from wellfit.report.forms.live.scan import scan, stamp_of
from wellfit.study.status import Stamp

posix = pytest.mark.skipif(os.name != "posix", reason="needs links, pipes and devices")


def put(folder: Path, *places: str) -> None:
    for place in places:
        (folder / place).mkdir(parents=True)
        (folder / place / "study.db").write_bytes(b"")


def places(folder: Path) -> list[str]:
    return [found.place for found in scan(folder)]


def test_studies_are_found_two_levels_deep_and_not_below_a_study(tmp_path: Path) -> None:
    put(tmp_path, "b", "a/part", "a/b/too-deep", ".hidden", "b/inside")
    assert sorted(places(tmp_path)) == ["a/part", "b"]
    assert places(tmp_path / "b") == ["."]
    assert len({found.id for found in scan(tmp_path)}) == 2


def test_those_in_training_come_first_then_the_latest(tmp_path: Path) -> None:
    put(tmp_path, "old", "new")
    os.utime(tmp_path / "old" / "study.db", (1e9, 1e9))
    with watched.at_work(tmp_path / "running"):
        os.utime(tmp_path / "running" / "study.db", (1, 1))
        assert places(tmp_path) == ["running", "new", "old"]
    os.utime(tmp_path / "running" / "study.db", (1, 1))
    assert places(tmp_path) == ["new", "old", "running"]


@posix
def test_links_pipes_and_devices_are_no_studies(tmp_path: Path) -> None:
    """A link is named and not followed, also one that leads in a circle; a pipe is not opened, which would wait."""
    put(tmp_path, "outside/secret", "folder/good")
    folder = tmp_path / "folder"
    (folder / "linked").symlink_to(tmp_path / "outside" / "secret")
    (folder / "circle").symlink_to(folder)
    (folder / "broken").symlink_to(tmp_path / "nowhere")
    (folder / "device").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    (folder / "piped").mkdir()
    os.mkfifo(folder / "piped" / "study.db")
    good, linked = scan(folder)
    assert (good.place, good.trouble, linked.place) == ("good", "", "linked")
    assert linked.trouble.startswith("a link, which is not followed")


@posix
def test_what_cannot_be_read_is_one_line_and_the_folder_itself_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "good", "closed/inside")
    real = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)  # permissions do not stop root, who runs tests in containers
    good, closed = scan(tmp_path)
    assert (good.trouble, closed.place, closed.trouble) == ("", "closed", "cannot be read: Permission denied")
    with pytest.raises(FileNotFoundError):
        scan(tmp_path / "nowhere")


def test_the_stamp_of_a_closed_directory_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Stamp:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module, "stamp", refuse)
    assert stamp_of(tmp_path) == Stamp((0, 0), (0, 0), False)


@posix
def test_any_name_is_printable(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/bad\xff\x1b[31m\n")
    (tmp_path / os.fsdecode(b"bad\xff\x1b[31m\n") / "study.db").write_bytes(b"")
    assert places(tmp_path) == [r"bad\udcff\x1b[31m\n"]


def test_there_is_an_end_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, *(f"s{i}" for i in range(6)))
    monkeypatch.setattr(module, "MOST", 4)
    assert len(scan(tmp_path)) == 4
    monkeypatch.setattr(module, "LOOKED_AT", 3)
    assert len(scan(tmp_path)) == 3


@pytest.mark.slow
def test_ten_thousand_are_found_in_a_few_seconds(tmp_path: Path) -> None:
    """Stat and lock only: 10,000 databases would take a minute to open."""
    for i in range(10_000):
        put(tmp_path, f"s{i}")
    began = time.monotonic()
    assert len(scan(tmp_path)) == 10_000
    assert time.monotonic() - began < 10
