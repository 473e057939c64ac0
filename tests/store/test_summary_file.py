"""The file of the finished summary: whole, of the same study, of this user, or none."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

import wellfit.store.summary_file as module
from permissions import enforced
from saved_runs import failing, opened, posix, probabilities, python, record
from wellfit.store.opening import fresh
from wellfit.store.summary_file import FILE, State, SummaryFile

pytestmark = posix

KEY = "0" * 64
OLD: State = (("study.db", 1, 1, 0, 0),)  # unchanged since 1970
ARRAYS = {"epochs": np.array([[0.5, np.nan], [-0.0, np.inf]]), "confusion 0": np.eye(2, dtype=np.int64)}
PLAIN = {"text": "ü\n", "numbers": [1, 1.0, 0.1, float("nan")]}


@pytest.fixture
def kept(tmp_path: Path) -> SummaryFile:
    """A directory with a summary."""
    file = SummaryFile(tmp_path)
    assert not file.is_there()
    assert file.load(KEY) is None
    assert file.save(KEY, OLD, ARRAYS, PLAIN)
    return file


def test_what_is_kept_comes_back_under_its_key_alone(kept: SummaryFile) -> None:
    assert kept.is_there()
    found = kept.load(KEY)
    assert found is not None
    arrays, plain = found
    assert list(arrays) == list(ARRAYS)
    assert np.array_equal(arrays["epochs"], ARRAYS["epochs"], equal_nan=True)
    assert arrays["confusion 0"].dtype == np.int64
    assert repr(plain) == repr(PLAIN)
    assert kept.load("1" * 64) is None
    assert kept.save("1" * 64, OLD, {}, 1)
    assert (kept.load(KEY), kept.load("1" * 64)) == (None, ({}, 1))


def test_a_damaged_file_is_none(kept: SummaryFile) -> None:
    path = kept.directory / FILE
    content = path.read_bytes()
    for place in range(len(content)):
        for damaged in (content[:place], content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]):
            path.write_bytes(damaged)
            assert kept.load(KEY) is None


def test_a_pickle_in_it_never_runs(kept: SummaryFile) -> None:
    class Runs:
        def __reduce__(self) -> tuple[object, ...]:
            return pytest.fail, ("it ran",)

    buffer = io.BytesIO()
    np.savez(buffer, key=np.frombuffer(KEY.encode(), np.uint8), plain=np.array([Runs()], object), allow_pickle=True)
    (kept.directory / FILE).write_bytes(hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue())
    assert kept.load(KEY) is None


@pytest.mark.parametrize("plain", [b"{", b"[" * 100_000, b"\xff"])
def test_other_data_under_the_right_key_are_none(kept: SummaryFile, plain: bytes) -> None:
    arrays = {"key": np.frombuffer(KEY.encode(), np.uint8), "plain": np.frombuffer(plain, np.uint8)}
    for content in (module.pack(arrays), module.pack({"key": arrays["key"]}), module.pack({}), b"PK"):
        (kept.directory / FILE).write_bytes(hashlib.sha256(content).digest() + content)
        assert kept.load(KEY) is None


def test_the_file_of_another_user_is_none(kept: SummaryFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert kept.load(KEY) is None


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_is_no_plain_file_is_none(kept: SummaryFile, kind: str) -> None:
    path = kept.directory / FILE
    path.rename(path.with_name("elsewhere"))
    if kind == "link":
        path.symlink_to("elsewhere")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert kept.is_there()
    assert kept.load(KEY) is None
    assert kept.save(KEY, OLD, {}, "new") == (kind != "folder")
    assert kept.load(KEY) == (None if kind == "folder" else ({}, "new"))
    assert SummaryFile(kept.directory).load("1" * 64) is None
    assert sorted(p.name for p in kept.directory.iterdir()) == sorted({"elsewhere", FILE})


def test_nothing_is_kept_of_a_study_that_changed_a_moment_ago(kept: SummaryFile) -> None:
    """By the clock of the file system: within its step, the next change would give the same times."""
    now = (kept.directory / FILE).stat().st_mtime_ns
    for at in ((now, 0), (0, now), (0, now + 10**12)):
        assert not kept.save(KEY, (*OLD, ("l2.0.npz", 1, 1, *at)), {}, "new")
    assert kept.load(KEY) != ({}, "new")
    assert [path.name for path in kept.directory.iterdir()] == [FILE]


@pytest.mark.parametrize("call", ["replace", "stat"])
def test_a_disk_that_fails_leaves_the_old_file(
    kept: SummaryFile, call: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = (tmp_path / FILE).read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing(28))
        assert not kept.save(KEY, OLD, {}, "new")
    assert (tmp_path / FILE).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_directory_that_cannot_be_written_or_read(kept: SummaryFile) -> None:
    kept.directory.chmod(0o500)
    try:
        with enforced():
            assert not kept.save(KEY, OLD, {}, "new")
            assert kept.load(KEY) is not None
            (kept.directory / FILE).chmod(0)
            assert kept.load(KEY) is None
    finally:
        kept.directory.chmod(0o700)


@pytest.mark.parametrize("before", ["os.replace", "module.open"])
def test_kill_9_leaves_the_old_file_and_the_next_one_takes_its_place(kept: SummaryFile, before: str) -> None:
    code = f"""
        from wellfit.store import summary_file as module
        from wellfit.store.summary_file import SummaryFile
        {before} = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
        SummaryFile(Path(sys.argv[1])).save("{KEY}", (("study.db", 1, 1, 0, 0),), {{}}, "new")
    """
    with python(code, kept.directory) as process:
        assert process.wait() == -signal.SIGKILL
    assert kept.load(KEY) not in (None, ({}, "new"))
    assert kept.save(KEY, OLD, {}, "newer")
    assert kept.load(KEY) == ({}, "newer")
    assert [path.name for path in kept.directory.iterdir()] == [FILE]


def test_two_that_write_at_once_leave_one_of_theirs(tmp_path: Path) -> None:
    file = SummaryFile(tmp_path)
    code = f"""
        from wellfit.store.summary_file import SummaryFile
        for number in range(20):
            assert SummaryFile(Path(sys.argv[1])).save("{KEY}", (("study.db", 1, 1, 0, 0),), {{}}, [sys.argv[2]] * 999)
    """
    with python(code, tmp_path, "a") as one, python(code, tmp_path, "b") as other:
        while one.poll() is None or other.poll() is None:
            found = file.load(KEY)
            assert found is None or found[1] in (["a"] * 999, ["b"] * 999)
        assert (one.wait(), other.wait()) == (0, 0)
    assert file.load(KEY) is not None
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


# --- The state of a study ---------------------------------------------------------------------------------------------


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study with two tested runs."""
    with opened(tmp_path / "study") as store:
        tests = {("l2", seed): probabilities(seed) for seed in range(2)}
        store.runs.save([record(seed=seed) for seed in range(2)], tests, dict.fromkeys(tests, (0.5, 0.7)))
    return tmp_path / "study"


def test_the_state_is_that_of_everything_a_summary_is_computed_from(study: Path) -> None:
    state = SummaryFile(study).state()
    assert state is not None
    assert [row[0] for row in state] == ["study.db", "l2.0.npz", "l2.1.npz"]
    assert SummaryFile(study).state() == state
    (study / "weights" / "l2.0.npz").touch()  # weights have no part in it
    assert SummaryFile(study).state() == state


@pytest.mark.parametrize("name", ["study.db", "test/l2.0.npz"])
def test_a_file_with_another_content_has_another_state_whatever_its_size_and_time(study: Path, name: str) -> None:
    path, before = study / name, SummaryFile(study).state()
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert SummaryFile(study).state() != before


def test_a_file_more_or_less_and_a_copy_have_another_state(study: Path, tmp_path: Path) -> None:
    states = [SummaryFile(study).state()]
    (study / "test" / "l2.2.npz").write_bytes((study / "test" / "l2.1.npz").read_bytes())
    states.append(SummaryFile(study).state())
    (study / "test" / "l2.1.npz").unlink()
    states.append(SummaryFile(study).state())
    shutil.copytree(study, tmp_path / "copy")
    states.append(SummaryFile(tmp_path / "copy").state())
    assert None not in states
    assert len(set(states)) == 4


def test_without_its_files_or_on_windows_a_study_has_no_state(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SummaryFile(study / "test").state() is None
    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        assert SummaryFile(study).state() is None
    shutil.rmtree(study / "test")
    assert SummaryFile(study).state() is None


def test_on_a_file_system_with_whole_seconds_a_study_has_no_state(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SummaryFile(study).state() is not None
    row = module._row
    monkeypatch.setattr(module, "_row", lambda *of: (*row(*of)[:-2], 5 * 10**9, 7 * 10**9))
    assert SummaryFile(study).state() is None


def test_a_fresh_study_has_no_summary(study: Path) -> None:
    assert SummaryFile(study).save(KEY, OLD, {}, 1)
    (study / f".{FILE}.1234.tmp").write_text("of a killed process")
    fresh(study)
    assert [path.name for path in study.iterdir()] == ["lock"]
