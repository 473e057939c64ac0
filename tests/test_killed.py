"""A killed process, a full disk, a damaged directory: what the user sees, and what is kept."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import kills
import stores
import wellfit
from wellfit.errors import StoreBusyError, StoreError, StoreUnreadableError
from wellfit.study.report_details import summary_and_details
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and limits")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study, trained without interruption."""
    directory = tmp_path_factory.mktemp("uninterrupted") / "study"
    kills.train(directory)
    return directory


@posix
@pytest.mark.parametrize("times", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_a_killed_study_ends_with_the_same_bits(
    times: int, uninterrupted: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each time it is killed in another part of the training; benchmarks/killed.py does it more often."""
    expected = kills.outcome(uninterrupted)
    assert len(expected["runs"]) == 8
    random = np.random.default_rng(0)
    caught = 0
    for i in range(times):
        directory = tmp_path / str(i)
        after = 1 + i * kills.TICKS // times + int(random.integers(kills.TICKS // times))
        caught += kills.kill(directory, after, random.uniform(0, 0.03))
        assert verify_study(directory).problems == ()
        capfd.readouterr()
        kills.train(directory)
        assert capfd.readouterr().out.count("training") < kills.TICKS  # it continued from a checkpoint
        assert kills.outcome(directory) == expected
        assert verify_study(directory).problems == ()
    assert caught >= times - 1  # the last may have finished before the signal


def test_runs_with_damaged_files_are_trained_again(uninterrupted: Path, tmp_path: Path) -> None:
    """A report is made without them meanwhile, and names them."""
    directory = tmp_path / "study"
    shutil.copytree(uninterrupted, directory)
    first, *_, last = sorted((directory / "weights").iterdir())
    first.unlink()
    last.write_bytes(last.read_bytes()[:-1])
    both = tuple((variant, int(seed)) for variant, seed in (path.stem.rsplit(".", 1) for path in (first, last)))
    assert summary_and_details(directory)[1].without_weights == both
    kills.train(directory)
    assert kills.outcome(directory) == kills.outcome(uninterrupted)
    assert verify_study(directory).problems == ()
    assert summary_and_details(directory)[1].without_weights == ()


@posix
def test_ctrl_c_stops_at_once_and_says_how_to_continue(tmp_path: Path) -> None:
    """An epoch takes milliseconds; the time measured is that of the checkpoint and the end of the process."""
    out = tmp_path / "study"
    arguments = ["run", "--seeds", "2", "--epochs", "5000", "--set", "model.hidden=[16]", "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1])}
    command = [sys.executable, "-m", "wellfit.cli", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:  # after the first of its epochs
            if line.startswith("Training:"):
                break
        pressed = time.monotonic()
        process.send_signal(signal.SIGINT)
        output = process.stdout.read()
        status = process.wait()
        seconds = time.monotonic() - pressed
    assert status == 130
    assert f"To continue: {shlex.join(['wellfit', *arguments])}\n" in output
    assert "Everything up to the last epoch is saved" in output
    assert seconds < 10  # 0.3 s alone; the machine may be busy
    assert len(list((out / "checkpoints").iterdir())) == 2  # of each seed
    assert verify_study(out).problems == ()


@posix
def test_a_full_disk_is_one_line_and_loses_nothing(uninterrupted: Path, tmp_path: Path) -> None:
    """A limit on file sizes simulates a full disk: the database cannot grow to its final size."""
    directory = tmp_path / "study"
    limit = (uninterrupted / "study.db").stat().st_size * 3 // 4
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit})); import sys, kills, pathlib\n"
        "from wellfit.errors import StoreError\n"
        "try: kills.train(pathlib.Path(sys.argv[1]))\n"
        "except StoreError as error: sys.exit(f'refused: {error}')"
    )
    places = [str(Path(__file__).parent), str(Path(wellfit.__file__).parents[1])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    environment["JAX_ENABLE_COMPILATION_CACHE"] = "false"  # its files would exceed the limit too, and JAX warns
    command = [sys.executable, "-c", code, str(directory)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"refused: {directory}")
    assert "; everything saved so far is kept; free disk space or fix the permissions, and run again" in line
    assert not list(tmp_path.rglob("*.tmp"))
    assert verify_study(directory).problems == ()
    kills.train(directory)
    assert kills.outcome(directory) == kills.outcome(uninterrupted)


def test_a_directory_that_cannot_be_created(tmp_path: Path) -> None:
    """Not even root can create a directory below a file."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="study: cannot be written: Not a directory; choose another --out"):
        kills.train(tmp_path / "file" / "study")


@posix
def test_busy_damaged_and_unknown_directories(tmp_path: Path) -> None:
    directory = tmp_path / "study"
    with kills.start(directory) as process:
        process.send_signal(signal.SIGSTOP)  # still running while we look
        try:
            with pytest.raises(StoreBusyError, match=f"process {process.pid} is training in it; wait for it to end"):
                kills.train(directory)
            with pytest.raises(StoreBusyError, match="a process is training in it; wait for it to end, then verify"):
                verify_study(directory)
        finally:
            process.send_signal(signal.SIGKILL)

    for path in (directory / "checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:-100])  # no kill does this: files are renamed when they are whole
    (directory / "weights" / ".dropout.0.npz.tmp").write_bytes(b"half")
    kills.train(directory)  # starts again where the checkpoint is damaged
    assert summarize(directory).state == "finished"
    assert not list(directory.rglob("*.tmp"))

    database = directory / "study.db"
    content = bytearray(database.read_bytes())
    content[60:64] = (99).to_bytes(4)  # user_version, in SQLite's header
    database.write_bytes(content)
    before = stores.tree(directory)
    for attempt in (kills.train, summarize, verify_study):
        with pytest.raises(StoreUnreadableError, match="has format version 99, but this wellfit reads version"):
            attempt(directory)
    assert stores.tree(directory) == before
    database.write_bytes(b"x" * 5000)
    with pytest.raises(StoreUnreadableError, match=r"study.db: file is not a database; restore it from a copy"):
        summarize(directory)
