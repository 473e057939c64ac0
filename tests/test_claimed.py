"""Temporary files that are in use."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from wellfit import claimed as module
from wellfit.claimed import claimed
from wellfit.files import abandoned, creating


def test_a_file_that_another_process_removes_before_the_lock_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    target, times, flock = tmp_path / "a.npz", [], fcntl.flock

    def too_late(descriptor: int, operation: int) -> None:
        times.append(operation)
        if len(times) == 1:
            for left in list(tmp_path.glob(".a.npz.*")):
                left.unlink()
        flock(descriptor, operation)

    with creating(target) as temporary:
        pass
    target.unlink()
    monkeypatch.setattr(module.fcntl, "flock", too_late)
    with creating(target) as temporary:
        assert temporary.exists()
        temporary.write_text("whole")
    assert (target.read_text(), len(times)) == ("whole", 2)


def test_a_look_at_whether_a_file_is_abandoned_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    left = tmp_path / ".a.npz.12.tmp"
    left.touch()
    look = os.open(left, os.O_RDONLY)
    fcntl.flock(look, fcntl.LOCK_SH)
    monkeypatch.setattr(module.time, "sleep", lambda _: os.close(look))
    with claimed(left):
        assert list(abandoned(tmp_path / "a.npz")) == []
    assert list(abandoned(tmp_path / "a.npz")) == [left]


def test_a_system_without_locks_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def without(*_: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(module.fcntl, "flock", without)
    with claimed(tmp_path / ".a.1.tmp"):
        assert (tmp_path / ".a.1.tmp").exists()
