"""The study directory: what goes in comes out, whatever happens to the process, the disk or the file in between."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import wellfit
from wellfit.base import HISTORY_COLUMNS, Finding, History, RunRecord, RunSpec
from wellfit.errors import OtherStudyError, StoreBusyError, StoreError, StoreUnreadableError
from wellfit.spec.study import StudySpec, load_study, recipes, resolved
from wellfit.store import Store, create_or_open, fresh, open_existing
from wellfit.store.arrays import pack, unpack
from wellfit.store.metadata import Metadata  # noqa: F401 - processes that kill themselves patch it
from wellfit.store.runs import Runs  # noqa: F401

STUDY = load_study("lab5", seeds=3)
PROVENANCE = {"jax": "1", "data hash": "aa", "split hash": "bb"}
posix = pytest.mark.skipif(os.name != "posix", reason="signals and rights of POSIX")


def opened(directory: Path, study: StudySpec = STUDY, **facts: str) -> Store:
    return create_or_open(directory, resolved(study), provenance={**PROVENANCE, **facts})


def record(variant: str = "l2", seed: int = 0, epochs: int = 4, **changes: Any) -> RunRecord:
    random = np.random.default_rng([seed, epochs])
    history = History({name: random.normal(size=epochs) for name in HISTORY_COLUMNS})
    weights = {
        "dense_1/kernel": random.normal(size=(3, 2)).astype(np.float32),
        "dense_1/bias": np.zeros(2, np.float32),
        "batch_norm_1/mean": np.zeros(2, np.float32),  # kept, not trained
    }
    spec = RunSpec(variant, seed, recipes(STUDY)[variant])
    made = RunRecord(spec, "finished", epochs, epochs, history, {"train_loss": 0.5}, weights, 1.5, f"{variant}.{seed}")
    return replace(made, **changes)


def probabilities(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(10), 5).astype(np.float32)  # (5, 10)


def same(a: RunRecord, b: RunRecord) -> bool:
    """Whether two records are equal, weights aside, NaN equal to NaN."""
    plain = [(r.spec, r.state, r.epochs, r.readout_epoch, r.trajectory, repr((r.seconds, r.scores))) for r in (a, b)]
    columns = all(np.array_equal(a.history[name], b.history[name], equal_nan=True) for name in HISTORY_COLUMNS)
    return plain[0] == plain[1] and columns and set(a.history.columns) == set(b.history.columns)


# --- Round trips


def test_runs_come_back(tmp_path: Path) -> None:
    runs = [record("l2", 1), record("baseline", 0, 2), record("l2", 0, state="stopped", readout_epoch=1)]
    key = ("l2", 1)
    with opened(tmp_path / "s") as store:
        assert store.runs.finished() == set()
        assert store.runs.parameters("l2") == 0
        store.runs.save(runs, {key: probabilities(1)}, {key: (0.875, 0.25)})
        store.runs.save_test("baseline", 0, probabilities(2), 0.5, np.nan)
    with open_existing(tmp_path / "s") as store:
        assert store.runs.finished() == {("l2", 1), ("baseline", 0), ("l2", 0)}
        read = store.runs.records()
        assert [(r.spec.variant, r.spec.seed) for r in read] == [("baseline", 0), ("l2", 0), ("l2", 1)]
        assert all(same(a, b) for a, b in zip(read, [runs[1], runs[2], runs[0]], strict=True))
        assert all(dict(r.weights) == {} for r in read)
        weights = store.runs.weights("l2", 1)
        assert set(weights) == set(runs[0].weights)
        for name, array in runs[0].weights.items():
            np.testing.assert_array_equal(weights[name], array)
            assert weights[name].dtype == np.float32
        np.testing.assert_array_equal(store.runs.probabilities("l2", 1), probabilities(1))
        np.testing.assert_array_equal(store.runs.probabilities("baseline", 0), probabilities(2))
        tests = store.runs.test_scores()
        assert tests[key] == (0.875, 0.25)
        assert (tests["baseline", 0][0], np.isnan(tests["baseline", 0][1])) == (0.5, True)
        assert len(tests) == 2
        assert store.runs.parameters("l2") == 8
        for unknown in (lambda: store.runs.weights("l2", 9), lambda: store.runs.probabilities("l2", 0)):
            with pytest.raises(KeyError):
                unknown()


def test_a_run_that_diverged_at_once_comes_back(tmp_path: Path) -> None:
    run = record(epochs=0, state="diverged", scores={}, weights={}, seconds=float("nan"))
    with opened(tmp_path / "s") as store:
        store.runs.save([run])
        assert same(store.runs.records()[0], run)
        assert (len(store.runs.records()[0].history), store.runs.weights("l2", 0)) == (0, {})


def test_a_run_that_is_saved_again_replaces_itself(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record(epochs=9)], {("l2", 0): probabilities(0)}, {("l2", 0): (1, 0)})
        store.runs.save([record(epochs=4)])
        assert [len(r.history) for r in store.runs.records()] == [4]
        assert store.runs.test_scores() == {}  # its test was of other weights


def test_a_test_of_no_run_is_refused_whole(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        with pytest.raises(KeyError):
            store.runs.save([record()], {("l1", 0): probabilities(0)}, {("l1", 0): (1, 0)})
        assert store.runs.finished() == set()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=hnp.arrays(np.float64, st.tuples(st.integers(0, 5), st.just(len(HISTORY_COLUMNS)))),
    weights=st.dictionaries(
        st.text("abc/_1", min_size=1, max_size=8).filter(lambda name: not name.startswith("/")),
        hnp.arrays(
            st.sampled_from([np.float32, np.float64, np.int32, np.uint8, np.bool_]), hnp.array_shapes(min_dims=0)
        ),
        max_size=3,
    ),
    scores=st.dictionaries(st.sampled_from(["train_loss", "validation_accuracy"]), st.floats()),
)
def test_any_number_comes_back(tmp_path: Path, columns: Any, weights: Any, scores: Any) -> None:
    history = History({name: columns[:, i] for i, name in enumerate(HISTORY_COLUMNS)})
    run = record(history=history, weights=weights, scores=scores)
    fresh(tmp_path / "s")
    with opened(tmp_path / "s") as store:
        store.runs.save([run])
        assert same(store.runs.records()[0], run)
        read = store.runs.weights("l2", 0)
    assert set(read) == set(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(read[name], array)
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)


def test_study_findings_labels_and_times_come_back(tmp_path: Path) -> None:
    findings = [Finding("b-code", "warning", "one", "mend"), Finding("a-code", "info", "two", "")]
    labels = np.arange(5, dtype=np.int32)
    with opened(tmp_path / "s") as store:
        assert (
            store.metadata.findings(),
            store.keepsakes.labels()[0].size,
            store.keepsakes.labels()[1],
            store.metadata.test_opened(),
        ) == ((), 0, (), None)
        store.metadata.save_findings([findings[1]])
        store.metadata.save_findings(findings)
        store.keepsakes.save_labels(labels, ("a", "b"))
        store.metadata.mark_test_opened()
        first = store.metadata.test_opened()
        assert first is not None
        store.metadata.mark_test_opened()  # for a seed more
        store.metadata.add_seconds(2.0)
        store.metadata.add_seconds(0.5)
        assert store.metadata.seconds() == 2.5
    with open_existing(tmp_path / "s") as store:
        assert store.metadata.study() == resolved(STUDY)
        assert store.metadata.findings() == tuple(findings)
        np.testing.assert_array_equal(store.keepsakes.labels()[0], labels)
        assert store.keepsakes.labels()[1] == ("a", "b")
        opened_ = store.metadata.test_opened()
        assert opened_ is not None
        times = opened_.split(", ")
        assert times == [first, max(times)]
        assert store.database.get("created", "") <= first
        assert store.metadata.seconds() == 2.5
        assert store.metadata.provenance() == {**PROVENANCE, "test set opened": opened_}


def test_seconds_reach_the_disk_while_a_study_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "s") as store, open_existing(tmp_path / "s") as reader:
        store.metadata.add_seconds(1.0)
        assert reader.metadata.seconds() == 0.0
        monkeypatch.setattr("wellfit.store.metadata.SECONDS_KEPT", -1.0)
        store.metadata.add_seconds(1.0)
        assert reader.metadata.seconds() == 2.0


def test_provenance_tells_of_every_process_that_saved_runs(tmp_path: Path) -> None:
    with opened(tmp_path / "s", jax="0"):
        pass
    with opened(tmp_path / "s", jax="1") as store:  # nothing was saved under 0
        assert store.metadata.provenance()["jax"] == "1"
        store.runs.save([record()])
    with opened(tmp_path / "s", jax="2") as store:  # looks and saves nothing
        assert store.metadata.provenance()["jax"] == "1"
    with opened(tmp_path / "s", jax="3", numpy="5") as store:
        store.runs.save([record(seed=1)])
        store.runs.save([record(seed=2)])
        assert store.metadata.provenance() == {**PROVENANCE, "jax": "1; then 3", "numpy": "5"}
    with opened(tmp_path / "s", jax="1") as store:
        store.runs.save([record(seed=0)])
        assert store.metadata.provenance()["jax"] == "1; then 3"


# --- Checkpoints


def test_checkpoints_come_back_or_are_none(tmp_path: Path) -> None:
    arrays = {
        "meta": np.arange(3, dtype=np.uint32),
        "kept/0/x": np.array([np.nan, np.inf], np.float32),
        "s": np.int64(3),
    }
    meta = {"epoch": 3, "best": float("inf"), "of": "x"}
    with opened(tmp_path / "s") as store:
        assert store.checkpoints.load("l2.0") is None
        store.checkpoints.save("l2.0", {"a": np.zeros(1)}, {})
        store.checkpoints.save("l2.0", arrays, meta)
        store.checkpoints.save("a/b\nc" * 99, {}, {})  # any name
        found = store.checkpoints.load("l2.0")
        assert found is not None
        assert found[1] == meta
        assert set(found[0]) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[0][name], array)
            assert found[0][name].dtype == array.dtype
        assert store.checkpoints.load("a/b\nc" * 99) == ({}, {})
        store.checkpoints.drop("l2.0")
        store.checkpoints.drop("l2.0")
        assert store.checkpoints.load("l2.0") is None


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_checkpoint_is_none(tmp_path: Path, data: st.DataObject) -> None:
    with opened(tmp_path / "s") as store:
        store.checkpoints.save("p", {"a": np.arange(4.0)}, {"epoch": 1})
        (path,) = (tmp_path / "s" / "checkpoints").iterdir()
        content = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[place] ^= data.draw(st.integers(1, 255))
        else:
            del content[place:]
        path.write_bytes(content)
        assert store.checkpoints.load("p") is None


@pytest.mark.parametrize("array", [np.array([{}]), np.array(["a"]), np.zeros(1, [("x", "f4")])])
def test_arrays_that_would_not_come_back_are_refused(array: np.ndarray) -> None:
    with pytest.raises(TypeError, match="a file cannot hold"):
        pack({"a": array})


def test_the_same_arrays_make_the_same_bytes() -> None:
    arrays = {"file": np.arange(3), "a/b": np.zeros((2, 0), np.float32)}
    assert pack(arrays) == pack(arrays)
    assert {name: array.shape for name, array in unpack(pack(arrays)).items()} == {"file": (3,), "a/b": (2, 0)}


# --- The same study, or another


def test_new_seeds_and_variants_join(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()])
    more = load_study("lab5", seeds=[9, 0], settings=["variants.new.l1=1e-4"])
    with opened(tmp_path / "s", more) as store:
        assert store.metadata.study()["seeds"] == [0, 1, 2, 9]
        assert list(store.metadata.study()["variants"]) == ["baseline", "l2", "dropout", "new"]
        assert store.runs.finished() == {("l2", 0)}
    with opened(tmp_path / "s", load_study("lab5", seeds=1)) as store:
        assert store.metadata.study()["seeds"] == [0, 1, 2, 9]


def contents(directory: Path) -> dict[str, bytes]:
    return {str(p.relative_to(directory)): p.read_bytes() for p in sorted(directory.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(
    ("study", "facts", "difference"),
    [
        (load_study("lab5", epochs=2), {}, r"\[train\] epochs is 30 there and 2 here"),
        (load_study(), {}, "it is called 'lab5' there and 'regularization' here"),
        (STUDY, {"data hash": "cc"}, r"the data differ \(data hash\)"),
        (STUDY, {"split hash": "cc"}, r"the data differ \(split hash\)"),
    ],
)
def test_another_study_is_refused_and_nothing_written(
    tmp_path: Path, study: StudySpec, facts: dict[str, str], difference: str
) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()])
    before = contents(tmp_path)
    with pytest.raises(OtherStudyError, match=difference + ".*--out.*--fresh"):
        opened(tmp_path / "s", study, **facts)
    assert contents(tmp_path) == before


# --- Directories that are something else


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("x")
    (tmp_path / "study.db").write_text("mine")
    for attempt in (lambda: opened(tmp_path), lambda: fresh(tmp_path)):
        with pytest.raises(StoreError, match=r"not a study directory.*--out"):
            attempt()
    assert contents(tmp_path) == {"thesis.txt": b"x", "study.db": b"mine"}


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    with pytest.raises(StoreError, match="f: a file, not a directory"):
        opened(tmp_path / "f")
    with pytest.raises(StoreError, match="cannot be written: Not a directory"):
        opened(tmp_path / "f" / "s")
    with pytest.raises(StoreError, match="cannot be written: Not a directory"):
        fresh(tmp_path / "f")


def test_what_cannot_be_opened_for_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadableError, match="no such directory; wellfit run makes one"):
        open_existing(tmp_path / "none")
    with pytest.raises(StoreUnreadableError, match=r"not a study directory: it has no study\.db"):
        open_existing(tmp_path)
    (tmp_path / "study.db").touch()
    with pytest.raises(StoreUnreadableError, match="holds no study yet"):
        open_existing(tmp_path)
    (tmp_path / "study.db").write_bytes(b"not a database" * 999)
    with pytest.raises(StoreUnreadableError, match=r"file is not a database; restore it from a copy, or .* --fresh"):
        open_existing(tmp_path)
    (tmp_path / "study.db").unlink()
    other = sqlite3.connect(tmp_path / "study.db")
    other.execute("CREATE TABLE study (a)")
    other.close()
    with pytest.raises(StoreUnreadableError, match="not the database of a study"):
        open_existing(tmp_path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "s").close()
    database = sqlite3.connect(tmp_path / "s" / "study.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    for attempt in (lambda: open_existing(tmp_path / "s"), lambda: opened(tmp_path / "s")):
        with pytest.raises(StoreUnreadableError, match="has format version 99, but this wellfit reads version 1"):
            attempt()
    fresh(tmp_path / "s")
    opened(tmp_path / "s").close()


def test_a_database_that_lost_its_end_is_refused_and_fresh_mends_it(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record(seed=seed, epochs=200) for seed in range(3)])
    path = tmp_path / "s" / "study.db"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for attempt in (lambda: open_existing(tmp_path / "s"), lambda: opened(tmp_path / "s")):
        with pytest.raises(StoreUnreadableError, match="malformed; restore it from a copy"):
            attempt()
    fresh(tmp_path / "s")
    with opened(tmp_path / "s") as store:
        assert store.runs.finished() == set()


def test_files_that_are_lost_or_damaged_are_named(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record(), record(seed=1)])
        path = tmp_path / "s" / "weights" / "l2.0.npz"
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(StoreUnreadableError, match=r"l2.0.npz: damaged: not the file that was saved"):
            store.runs.weights("l2", 0)
        path.unlink()
        with pytest.raises(StoreUnreadableError, match=r"l2.0.npz: cannot be read: No such file"):
            store.runs.weights("l2", 0)
        assert store.runs.weights("l2", 1)


def test_a_damaged_fact_is_one_line(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.database.execute("UPDATE study SET value = '{' WHERE key = 'study'")
    with pytest.raises(StoreUnreadableError, match=r"study.db: damaged: the entry 'study' cannot be read"):
        open_existing(tmp_path / "s")


def test_fresh_removes_a_study_and_nothing_else(tmp_path: Path) -> None:
    directory = tmp_path / "s"
    fresh(directory)
    assert not directory.exists()
    directory.mkdir()
    fresh(directory)
    with opened(directory) as store:
        store.runs.save([record()], {("l2", 0): probabilities(0)}, {("l2", 0): (1, 0)})
        store.keepsakes.save_labels(np.zeros(2, np.int32), ())
        store.checkpoints.save("p", {}, {})
        with pytest.raises(StoreBusyError):
            fresh(directory)
    (directory / "report.html").write_text("of the study that goes")
    (directory / "weights" / "notes.txt").write_text("kept")
    fresh(directory)
    assert contents(directory).keys() == {"lock", "weights/notes.txt"}
    with opened(directory, load_study()) as store:  # still known as ours
        assert store.runs.finished() == set()


# --- Two processes


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process that has this module's helpers."""
    places = [*map(str, Path(__file__).parents[:2]), str(Path(wellfit.__file__).parents[1])]
    prelude = f"import sys; sys.path[:0] = {places}; from test_directory import *\n"
    command = [sys.executable, "-c", prelude + textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


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


def test_a_second_process_reads_and_cannot_write(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(StoreBusyError, match=f"process {holder.pid} is at work here"):
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


def test_the_lock_is_given_back(tmp_path: Path) -> None:
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
    "between rows": "Metadata._put_seconds = lambda *a: os.kill(os.getpid(), signal.SIGKILL)",
    # With a cache of one page SQLite writes to the database itself before the commit, and leaves a hot journal.
    "while the database is written": (
        "store.database.execute('PRAGMA cache_size = 1'); "
        "Metadata._put_seconds = lambda *a: os.kill(os.getpid(), signal.SIGKILL)"
    ),
}


@posix
@pytest.mark.parametrize("moment", KILLERS)
def test_kill_9_loses_nothing_that_was_finished(tmp_path: Path, moment: str) -> None:
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
        np.testing.assert_array_equal(reader.runs.probabilities("l2", 0), probabilities(0))
    with opened(tmp_path / "s") as store:
        assert not list((tmp_path / "s").rglob("*.tmp"))
        store.runs.save([record(seed=1, epochs=3000)])
        assert store.runs.finished() == {("l2", 0), ("l2", 1)}


@posix
def test_kill_9_at_the_very_beginning_leaves_a_directory_that_can_be_used(tmp_path: Path) -> None:
    code = "Metadata.begin = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL); opened(Path(sys.argv[1]))"
    with python(code, tmp_path / "s") as process:
        assert process.wait() == -signal.SIGKILL
    with pytest.raises(StoreUnreadableError, match="holds no study yet"):
        open_existing(tmp_path / "s")
    with opened(tmp_path / "s") as store:
        assert store.metadata.study() == resolved(STUDY)


# --- Disks that are full or closed


def failing(number: int) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("function", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES])
def test_a_full_or_closed_disk_is_one_line_and_loses_nothing(
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


def test_a_full_disk_keeps_the_run_that_was_to_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = ("l2.0", {"rows": np.zeros((2, 3))}, {"epoch": 2})
    with opened(tmp_path / "s") as store:
        store.runs.save([record()], {("l2", 0): probabilities(0)}, {("l2", 0): (0.5, 1.0)}, [end])
        before = {path.name: path.read_bytes() for path in (tmp_path / "s").rglob("*.npz")}
        for written in range(3):  # weights, and then the end, which does not fit
            fsync, left = os.fsync, [None] * written

            def fill_up(descriptor: int, fsync: Any = fsync, left: list[None] = left) -> None:
                if not left:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                left.pop()
                fsync(descriptor)

            with monkeypatch.context() as patch:
                patch.setattr(os, "fsync", fill_up)
                more = ("l2.0", end[1], {"epoch": 4})
                with pytest.raises(StoreError, match="No space left on device; what was saved before is kept"):
                    store.runs.save([record(epochs=4), record(seed=1)], final_states=[more])
            assert store.runs.finished() == {("l2", 0)}
            assert store.runs.test_scores() == {("l2", 0): (0.5, 1.0)}
            assert {path.name: path.read_bytes() for path in (tmp_path / "s").rglob("*.npz")} == before
            assert not list((tmp_path / "s").rglob("*.tmp"))
        assert same(store.runs.records()[0], record())


@posix
def test_kill_9_leaves_a_run_with_its_end_or_neither(tmp_path: Path) -> None:
    code = """
        store = opened(Path(sys.argv[1]))
        Metadata._put_seconds = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
        store.runs.save([record()], final_states=[("l2.0", {"rows": np.zeros((2, 3))}, {"epoch": 2})])
    """
    with python(code, tmp_path / "s") as process:
        assert process.wait() == -signal.SIGKILL
    assert (tmp_path / "s" / "ends" / "l2.0.2.npz").exists()  # and nobody's
    with opened(tmp_path / "s") as store:
        assert (store.runs.finished(), store.final_states.descriptions()) == (set(), {})
        assert not list((tmp_path / "s" / "ends").iterdir())
        store.runs.save([record()], final_states=[("l2.0", {"rows": np.zeros((2, 3))}, {"epoch": 2})])
        assert (store.runs.finished(), list(store.final_states.descriptions())) == ({("l2", 0)}, ["l2.0"])


def test_checkpoints_go_when_no_run_is_left(tmp_path: Path) -> None:
    with opened(tmp_path / "s", load_study("lab5", seeds=1)) as store:
        store.checkpoints.save("p", {"a": np.zeros(1)}, {"epoch": 1})
        store.runs.save([record()])
        assert not store.runs.is_complete()  # the others' runs may need it
        store.runs.save([record(variant) for variant in store.metadata.study()["variants"]])
        assert store.runs.is_complete()
        store.checkpoints.drop_all()
        assert store.checkpoints.names() == set()


def test_a_full_disk_under_the_database_loses_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()])
        pages = store.database.rows("PRAGMA page_count")[0][0]
        store.database.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(StoreError, match="database or disk is full; what was saved before is kept"):
            store.runs.save([record(seed=1, epochs=5000)])
        assert store.runs.finished() == {("l2", 0)}
        assert same(store.runs.records()[0], record())


def test_a_directory_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for function, line in (("mkdir", "s: cannot be written"), ("open", "lock: cannot be locked")):
        with monkeypatch.context() as patch:
            patch.setattr(os, function, failing(errno.EACCES))
            with pytest.raises(StoreError, match=f"{line}: Permission denied.*--out"):
                opened(tmp_path / "s")
    opened(tmp_path / "s").close()
    monkeypatch.setattr(Path, "unlink", failing(errno.EROFS))
    with pytest.raises(StoreError, match="cannot be written: Read-only file system"):
        fresh(tmp_path / "s")


@posix
def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", failing(errno.ENOLCK))
    with pytest.raises(StoreError, match="lock: cannot be locked: No locks available; choose another --out"):
        opened(tmp_path / "s")


def test_misuse_is_a_defect_and_not_told_as_a_mistake_of_the_user(tmp_path: Path) -> None:
    store = opened(tmp_path / "s")
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.runs.finished()


def test_an_exception_within_a_transaction_rolls_it_back(tmp_path: Path) -> None:
    def interrupted(store: Store) -> None:
        with store.database.transaction():
            store.database.put("created", "never")
            raise KeyboardInterrupt

    with opened(tmp_path / "s") as store:
        with pytest.raises(KeyboardInterrupt):
            interrupted(store)
        assert store.database.get("created", "") != "never"
