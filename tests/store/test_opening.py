"""Study directories that are created, continued, refused or emptied."""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from saved_runs import STUDY, failing, opened, probabilities, record
from stores import tree
from wellfit.errors import OtherStudyError, StoreBusyError, StoreError, StoreUnreadableError
from wellfit.spec.study import StudySpec, load_study
from wellfit.store import discard, fresh, open_existing, open_if_begun


def test_new_seeds_and_variants_are_added(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()])
    more = load_study("lab5", seeds=[9, 0], settings=["variants.new.l1=1e-4"])
    with opened(tmp_path / "s", more) as store:
        assert store.metadata.study()["seeds"] == [0, 1, 2, 9]
        assert list(store.metadata.study()["variants"]) == ["baseline", "l2", "dropout", "new"]
        assert store.runs.finished() == {("l2", 0)}
    with opened(tmp_path / "s", load_study("lab5", seeds=1)) as store:
        assert store.metadata.study()["seeds"] == [0, 1, 2, 9]


@pytest.mark.parametrize(
    ("study", "facts", "difference"),
    [
        (load_study("lab5", epochs=2), {}, r"\[train\] epochs is 30 there and 2 here"),
        (load_study(), {}, "it is called 'lab5' there and 'regularization' here"),
        (STUDY, {"data hash": "cc"}, r"the data differ \(data hash\)"),
        (STUDY, {"split hash": "cc"}, r"the data differ \(split hash\)"),
    ],
)
def test_another_study_is_refused_and_left_unchanged(
    tmp_path: Path, study: StudySpec, facts: dict[str, str], difference: str
) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()])
    before = tree(tmp_path)
    with pytest.raises(OtherStudyError, match=difference + ".*--out.*--fresh"):
        opened(tmp_path / "s", study, **facts)
    assert tree(tmp_path) == before


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("x")
    (tmp_path / "study.db").write_text("mine")
    for attempt in (lambda: opened(tmp_path), lambda: fresh(tmp_path)):
        with pytest.raises(StoreError, match=r"not a study directory.*--out"):
            attempt()
    assert tree(tmp_path) == {"thesis.txt": b"x", "study.db": b"mine"}


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
    with pytest.raises(
        StoreUnreadableError, match=r"file is not a database; restore it from a copy, or train it again into another"
    ):
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


def test_fresh_replaces_a_truncated_database(tmp_path: Path) -> None:
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
    assert tree(directory).keys() == {"lock", "weights", "weights/notes.txt"}
    with opened(directory, load_study()) as store:  # still known as ours
        assert store.runs.finished() == set()


def test_a_study_is_discarded_with_its_directory(tmp_path: Path) -> None:
    for name in ("whole", "noted", "empty"):
        (tmp_path / name).mkdir()
    for name in ("whole", "noted"):
        with opened(tmp_path / name) as store:
            store.runs.save([record()])
    (tmp_path / "noted" / "mine").write_text("")
    discard(tmp_path / "whole")
    discard(tmp_path / "empty")
    with pytest.raises(OSError, match="not empty"):
        discard(tmp_path / "noted")
    assert tree(tmp_path).keys() == {"noted", "noted/mine"}


def test_a_lock_cut_short_by_a_kill_is_no_lock_out(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("wellfi")
    with opened(tmp_path) as store:
        assert store.runs.finished() == set()


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


def test_a_directory_opens_only_if_it_has_a_study(tmp_path: Path) -> None:
    assert open_if_begun(tmp_path / "none") is None
    assert open_if_begun(tmp_path) is None
    (tmp_path / "study.db").touch()  # of a process that was killed at once
    assert open_if_begun(tmp_path) is None
    opened(tmp_path / "s").close()
    store = open_if_begun(tmp_path / "s")
    assert store is not None
    with store:
        assert store.metadata.study()
    (tmp_path / "study.db").write_bytes(b"not a database" * 999)
    with pytest.raises(StoreUnreadableError, match="file is not a database"):
        open_if_begun(tmp_path)


def test_reading_writes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()], {("l2", 0): probabilities(0)}, {("l2", 0): (1, 0)})
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with open_existing(tmp_path / "s") as store:
        assert store.runs.records()
        assert not store.is_running()
        assert store.progress.read() == {}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
