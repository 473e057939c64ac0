"""The lock of a study directory."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from saved_runs import failing, posix, python
from wellfit.errors import StoreBusyError, StoreError
from wellfit.store.lock import Lock, has_mark, is_cut_mark, is_locked


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_the_holder_is_named_while_it_holds_the_lock(path: Path) -> None:
    assert not is_locked(path)
    lock = Lock(path)
    assert (path.read_text(), is_locked(path)) == (f"wellfit {os.getpid()}\n", True)
    with pytest.raises(
        StoreBusyError, match=f"^{path.parent}: process {os.getpid()} is training in it; wait"
    ) as caught:
        Lock(path)
    assert "\n" not in str(caught.value)
    assert path.read_text() == f"wellfit {os.getpid()}\n"  # asking does not disturb
    lock.release()
    lock.release()
    assert (path.read_text(), is_locked(path)) == ("wellfit\n", False)
    Lock(path).release()


@posix
def test_the_lock_of_a_killed_process_is_free(path: Path) -> None:
    code = """
        from wellfit.store.lock import Lock
        lock = Lock(Path(sys.argv[1]))
        print("ready", flush=True)
        sys.stdin.read()
    """
    with python(code, path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert is_locked(path)
        with pytest.raises(StoreBusyError, match=f"process {process.pid} "):
            Lock(path)
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == f"wellfit {process.pid}\n"
    assert not is_locked(path)
    lock = Lock(path)
    assert path.read_text() == f"wellfit {os.getpid()}\n"
    lock.release()


@posix
def test_the_first_edition_and_this_one_exclude_each_other(path: Path) -> None:
    """The first edition called flock itself."""
    import fcntl

    path.write_text("wellfit 123\n")
    with open(path, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert is_locked(path)
        with pytest.raises(StoreBusyError, match="process 123 is training in it"):
            Lock(path)
        assert path.read_text() == "wellfit 123\n"
    lock = Lock(path)
    with open(path, "r+b") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    lock.release()


@posix
def test_asking_needs_no_right_to_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = Lock(path)
    path.chmod(0o444)
    before = path.stat().st_mtime_ns
    assert is_locked(path)
    lock.release()
    assert not is_locked(path)
    path.chmod(0o444)
    assert path.stat().st_mtime_ns >= before
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert not is_locked(path)


@posix
def test_a_reader_that_asks_delays_a_writer_and_no_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    path.write_text("wellfit\n")
    with open(path, "rb") as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)  # in the middle of `is_locked`
        assert not is_locked(path)  # readers do not see each other
        monkeypatch.setattr("time.sleep", lambda _: fcntl.flock(reader, fcntl.LOCK_UN))
        Lock(path).release()


def test_a_lock_file_marks_a_study_directory(path: Path) -> None:
    assert not has_mark(path)
    Lock(path).release()
    assert has_mark(path)
    path.write_text("of another program")
    assert not has_mark(path)


def test_a_holder_without_a_number_is_another_process(path: Path) -> None:
    lock = Lock(path)
    path.write_text("wellfit\n")  # as on a full disk
    with pytest.raises(StoreBusyError, match="another process is training in it"):
        Lock(path)
    lock.release()


@posix
def test_a_full_disk_costs_the_number_not_the_lock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", failing(errno.ENOSPC))
        lock = Lock(path)
    assert is_locked(path)
    lock.release()


@posix
def test_a_file_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("wellfit\n")
    for number in (errno.ENOLCK, errno.ENOSYS):
        monkeypatch.setattr("fcntl.flock", failing(number))
        line = f"{path}: cannot be locked: {os.strerror(number)}; choose another --out"
        with pytest.raises(StoreError, match=f"^{line}$"):
            Lock(path)
        with pytest.raises(StoreError, match=r"; make the directory writable, or make a copy of it that is$"):
            Lock(path, "")
        assert not is_locked(path)
    assert path.read_text() == "wellfit\n"


def test_a_lock_that_was_cut_short_is_ours(path: Path) -> None:
    for text, cut in (("", True), ("well", True), ("wellfit", True), ("wellington", False), ("#!/bin/sh", False)):
        path.write_text(text)
        assert is_cut_mark(path) == cut
    path.unlink()
    assert not is_cut_mark(path)
