"""The cache folder, and files that are replaced whole or not at all."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from saved_runs import failing, posix, python
from wellfit.errors import StoreError, WellfitError
from wellfit.files import (
    abandoned,
    cache_root,
    claimed,
    folder_named,
    form_of,
    ignore_progress,
    read_plain,
    remove_abandoned,
    replacing,
    write_errors,
)


def test_the_environment_names_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WELLFIT_CACHE", str(tmp_path / "mine"))
    assert cache_root() == tmp_path / "mine"
    monkeypatch.setenv("WELLFIT_CACHE", "~/mine")
    assert cache_root() == Path.home() / "mine"


def test_without_it_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("WELLFIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "wellfit" in cache_root().parts


def replace_with(target: Path, text: str, error: type[BaseException] | None = None, **how: bool) -> None:
    """Replace a file, or fail with an error when it is written."""
    with replacing(target, **how) as temporary:
        temporary.write_text(text)
        if error is not None:
            raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("durable", [True, False])
def test_an_error_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: type[BaseException], durable: bool
) -> None:
    target = tmp_path / "report.md"
    target.write_text("old")
    with pytest.raises(error):
        replace_with(target, "half", error, durable=durable)
    assert (target.read_text(), list(tmp_path.iterdir())) == ("old", [target])
    replace_with(target, "new", durable=durable)
    assert (target.read_text(), list(tmp_path.iterdir())) == ("new", [target])


def test_the_old_file_is_there_until_the_end(tmp_path: Path) -> None:
    target = tmp_path / "report.md"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    target = tmp_path / "report.md"
    target.write_text("old")
    monkeypatch.setattr(os, function, failing(errno.ENOSPC))
    line = f"^{target}: cannot be written: No space left on device; make room$"
    with pytest.raises(StoreError, match=line), write_errors(target, "make room"):
        replace_with(target, "new")
    assert (target.read_text(), list(tmp_path.iterdir())) == ("old", [target])


def test_only_a_durable_file_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(os, "fsync", calls.append)
    replace_with(tmp_path / "a", "new", durable=False)
    assert calls == []
    replace_with(tmp_path / "a", "newer")
    assert len(calls) == 2 if os.name == "posix" else 1  # the file, then its name in the folder


def test_two_processes_have_temporary_files_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with replacing(tmp_path / "a") as one:
        one.write_text("one")
        monkeypatch.setattr(os, "getpid", lambda: 0)
        replace_with(tmp_path / "a", "other")
    assert (tmp_path / "a").read_text() == "one"


@posix
def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    left = [tmp_path / name for name in (".a.7.tmp", ".a.8.tmp")]
    others = [
        tmp_path / name for name in (".ab.7.tmp", ".a.b.tmp", ".a.7.tmp2", "a.7.tmp", ".a.7", "[a].7.tmp", "mine")
    ]
    for path in (*left, *others):
        path.write_text("half")
    (tmp_path / ".a.9.tmp").symlink_to(tmp_path / "mine")
    (tmp_path / ".a.10.tmp").mkdir()
    os.mkfifo(tmp_path / ".a.11.tmp")  # opening it would wait for a writer
    with claimed(left[1]):  # by a living process
        replace_with(tmp_path / "a", "new")
    assert not left[0].exists()
    assert all(path.read_text() == "half" for path in (left[1], *others))
    assert {".a.9.tmp", ".a.10.tmp", ".a.11.tmp"} < {path.name for path in tmp_path.iterdir()}
    assert [path.name for path in abandoned(tmp_path / "a")] in ([".a.8.tmp", ".a.10.tmp"], [".a.10.tmp", ".a.8.tmp"])
    remove_abandoned(tmp_path / "a")
    assert not left[1].exists()
    assert list(abandoned(tmp_path / "missing" / "a")) == []


@posix
def test_a_killed_process_frees_what_it_claimed(tmp_path: Path) -> None:
    code = """
    from wellfit.files import replacing
    with replacing(sys.argv[1]) as temporary:
        temporary.write_text("half")
        print("writing", flush=True)
        sys.stdin.read()
    """
    with python(code, tmp_path / "a") as process:
        assert process.stdout is not None
        process.stdout.readline()
        (temporary,) = tmp_path.iterdir()
        replace_with(tmp_path / "a", "other")
        assert temporary.read_text() == "half"
        process.kill()
    replace_with(tmp_path / "a", "new")
    assert contents_of(tmp_path) == {"a": "new"}


def contents_of(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


@posix
def test_a_link_in_the_place_of_the_temporary_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    (tmp_path / f".a.{os.getpid()}.tmp").symlink_to("outside")
    with pytest.raises(OSError, match="symbolic links"):
        replace_with(tmp_path / "a", "new")
    assert (tmp_path / "outside").read_text() == "mine"


def test_an_error_without_a_number_is_a_line_too() -> None:
    line = r"^a\.pdf: cannot be written: no font; choose another location$"
    with pytest.raises(StoreError, match=line), write_errors("a.pdf", "choose another location"):
        raise OSError("no font")


def test_progress_can_be_ignored() -> None:
    assert ignore_progress("page 1 of 2", 0.5) is None  # type: ignore[func-returns-value]


def test_a_plain_file_is_read_up_to_a_size(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert read_plain(tmp_path / "a", most=3) == b"abc"
    with pytest.raises(OSError, match="3 bytes, more than 2"):
        read_plain(tmp_path / "a", most=2)


@posix
def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for a writer
    (tmp_path / "link").symlink_to("/dev/zero")
    for name, words in (("pipe", "not a plain file"), ("link", "a link, not a plain file"), (".", "not a plain file")):
        with pytest.raises(OSError, match=words):
            read_plain(tmp_path / name)


def test_without_a_home_the_cache_is_temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WELLFIT_CACHE")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: "~/.cache/wellfit")  # what expanduser leaves then
    assert cache_root().is_dir()
    assert cache_root() == cache_root()


def test_a_variable_that_names_nobodys_home_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WELLFIT_CACHE", "~nobody-of-that-name/cache")
    with pytest.raises(WellfitError, match=r"WELLFIT_CACHE = '~nobody-of-that-name/cache': there is no such home"):
        cache_root()


def test_a_default_below_no_home_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_HOME", raising=False)
    assert folder_named("KERAS_HOME", "~nobody-of-that-name/.keras") is None
    assert folder_named("KERAS_HOME", "here") == Path("here")


def test_what_is_at_a_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "socket"))
    names = ("file", ".", "pipe", "link", "socket", "dangling", "gone", "file/below", "a\0b", 300 * "a")
    found = ["a file", "a folder", "a pipe", "a pipe", "a socket", None, None, None, None, None]
    assert [form_of(tmp_path / name) for name in names] == found
    assert form_of(os.devnull) == "a device"


def test_a_variable_must_name_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("WELLFIT_DATA", str(tmp_path / "file"))
    with pytest.raises(WellfitError, match=r"^WELLFIT_DATA = .*: a file, not a folder; give the path of a folder"):
        folder_named("WELLFIT_DATA")
    monkeypatch.setenv("WELLFIT_DATA", str(tmp_path / "gone"))
    assert folder_named("WELLFIT_DATA") == tmp_path / "gone"
