"""An open study directory, also after its process is killed or its disk is full."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from saved_runs import STUDY, failing, opened, posix, probabilities, python, record, same
from wellfit.errors import OtherStudyError, StoreBusyError, StoreError, StoreUnreadableError
from wellfit.spec.study import load_study, resolved
from wellfit.store import fresh, open_existing


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is at work in a study directory, with one run saved."""
    code = """
        with opened(Path(sys.argv[1])) as store:
            store.runs.save([record()])
            print("ready", flush=True)
            for line in sys.stdin:
                store.runs.save([record(seed=int(line))])
                print("saved", flush=True)
    """
    with python(code, tmp_path / "s") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_a_second_process_can_read_but_not_write(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(StoreBusyError, match=f"process {holder.pid} is training in it"):
        opened(tmp_path / "s")
    with pytest.raises(StoreBusyError, match=f"process {holder.pid} "):
        fresh(tmp_path / "s")
    with open_existing(tmp_path / "s") as reader:
        assert reader.is_running()
        assert reader.runs.finished() == {("l2", 0)}
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write("2\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "saved\n"
        assert reader.runs.finished() == {("l2", 0), ("l2", 2)}
        with pytest.raises(StoreError, match="attempt to write a readonly database"):
            reader.metadata.save_findings([])
        holder.kill()
        holder.wait()
        assert not reader.is_running()  # the system drops the lock of the dead
    with opened(tmp_path / "s") as store:
        assert store.is_running()
        assert store.runs.finished() == {("l2", 0), ("l2", 2)}


def test_closing_releases_the_lock(tmp_path: Path) -> None:
    with opened(tmp_path / "s"):
        assert f"wellfit {os.getpid()}" in (tmp_path / "s" / "lock").read_text()
    assert (tmp_path / "s" / "lock").read_text() == "wellfit\n"
    with open_existing(tmp_path / "s") as reader:
        assert not reader.is_running()
        (tmp_path / "s" / "lock").unlink()
        assert not reader.is_running()
    with pytest.raises(OtherStudyError):
        opened(tmp_path / "s", load_study())
    opened(tmp_path / "s").close()


KILLERS = {
    "while a file is written": "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)",
    "before a file is renamed": "os.replace = lambda a, b: os.kill(os.getpid(), signal.SIGKILL)",
    "between files and rows": ("Runs._insert = lambda *a: os.kill(os.getpid(), signal.SIGKILL)"),
    "between rows": "Metadata.seconds = lambda *a: os.kill(os.getpid(), signal.SIGKILL)",
    # With a cache of one page SQLite writes to the database itself before the commit, and leaves a hot journal.
    "while the database is written": (
        "store.database.execute('PRAGMA cache_size = 1'); "
        "Metadata.seconds = lambda *a: os.kill(os.getpid(), signal.SIGKILL)"
    ),
}


@posix
@pytest.mark.parametrize("moment", KILLERS)
def test_kill_9_loses_no_finished_run(tmp_path: Path, moment: str) -> None:
    code = f"""
        store = opened(Path(sys.argv[1]))
        store.runs.save([record(epochs=300)], {{("l2", 0): probabilities(0)}}, {{("l2", 0): (0.5, 1.0)}})
        {KILLERS[moment]}
        store.runs.save([record(seed=1, epochs=3000), record("baseline", 1)])
    """
    with python(code, tmp_path / "s") as process:
        assert process.wait() == -signal.SIGKILL
    if moment == "while the database is written":
        assert (tmp_path / "s" / "study.db-journal").stat().st_size > 0
    with open_existing(tmp_path / "s") as reader:
        assert reader.runs.finished() == {("l2", 0)}
        assert same(reader.runs.records()[0], record(epochs=300))
        np.testing.assert_array_equal(
            reader.runs.weights("l2", 0)["dense_1/kernel"], record(epochs=300).weights["dense_1/kernel"]
        )
        np.testing.assert_array_equal(reader.runs.tested("l2", 0).probabilities, probabilities(0))
    with opened(tmp_path / "s") as store:
        assert not list((tmp_path / "s").rglob("*.tmp"))
        store.runs.save([record(seed=1, epochs=3000)])
        assert store.runs.finished() == {("l2", 0), ("l2", 1)}


@posix
def test_kill_9_at_the_start_leaves_a_usable_directory(tmp_path: Path) -> None:
    code = "Metadata.begin = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL); opened(Path(sys.argv[1]))"
    with python(code, tmp_path / "s") as process:
        assert process.wait() == -signal.SIGKILL
    with pytest.raises(StoreUnreadableError, match="holds no study yet"):
        open_existing(tmp_path / "s")
    with opened(tmp_path / "s") as store:
        assert store.metadata.study() == resolved(STUDY)


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_full_or_closed_disk_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int
) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()])
        store.checkpoints.save("p", {"a": np.zeros(1)}, {"epoch": 1})
        with monkeypatch.context() as patch:
            patch.setattr(os, function, failing(number))
            for attempt in (
                lambda: store.runs.save([record(seed=1)]),
                lambda: store.runs.save_test("l2", 0, probabilities(0), 1.0, 0.0),
                lambda: store.checkpoints.save("p", {"a": np.ones(1)}, {"epoch": 2}),
                lambda: store.keepsakes.save_labels(np.zeros(1, np.int32), ()),
            ):
                with pytest.raises(StoreError, match=f"cannot be written: {os.strerror(number)}; .* kept") as caught:
                    attempt()
                assert str(tmp_path / "s") in str(caught.value)
                assert "\n" not in str(caught.value)
        assert not list((tmp_path / "s").rglob("*.tmp"))
        assert store.runs.finished() == {("l2", 0)}
        found = store.checkpoints.load("p")
        assert found is not None
        assert found[1] == {"epoch": 1}
        store.runs.save([record(seed=1)])


def test_closing_saves_the_training_time(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.metadata.add_seconds(1.5)
    with open_existing(tmp_path / "s") as store:
        assert store.metadata.seconds() == 1.5
        store.close()
    store.close()  # a second time does nothing
