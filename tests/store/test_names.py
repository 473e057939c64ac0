"""A study directory from a stranger: no name in it leads out of it, and reading it ends."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saved_runs import opened, posix, probabilities, record
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.store import checkpoints, contents, final_states, fresh, open_existing
from wellfit.store.names import FOLDERS, check_layout, file_named, refuse_own_place
from wellfit.store.runs import RUN_FOLDERS
from wellfit.study.merge import merge_studies
from wellfit.study.verify import verify_study

SECRET = "thesis.tex"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A sound study with one tested run and its final state, beside a file of the user."""
    (tmp_path / SECRET).write_text("years of work")
    with opened(tmp_path / "theirs") as store:
        run = ("l2", 1)
        final_state = ("l2.1", {"rows": np.zeros(2)}, {"epoch": 4})
        store.runs.save([record(seed=1)], {run: probabilities(1)}, {run: (0.5, 1.0)}, [final_state])
    return tmp_path / "theirs"


def change(directory: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(directory / "study.db")) as connection, connection:
        connection.execute(statement, values)


def mine(tmp_path: Path) -> Path:
    with opened(tmp_path / "mine") as store:
        store.runs.save([record(seed=0)])
    return tmp_path / "mine"


HOSTILE = [
    "../thesis.tex",
    "/dev/zero",
    "weights/../../thesis.tex",
    "weights/a/b.npz",
    "ends/x",
    "",
    3,
    None,
    ["ends/l2.npz"],
]


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_a_row_that_names_another_file_is_refused(tmp_path: Path, theirs: Path, name: Any) -> None:
    row = {"file": name, "sha256": "0" * 64, "epoch": 4}
    change(theirs, "INSERT INTO study VALUES (?, ?)", "end of evil", json.dumps(row))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StoreUnreadableError, match="no file of a study; do not trust it"):
        merge_studies([mine(tmp_path), theirs], tmp_path / "both")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "mine", *before]
    assert [problem.file for problem in verify_study(theirs).problems] == ["study.db"]
    with open_existing(theirs) as store, pytest.raises(StoreUnreadableError, match="do not trust it"):
        store.final_states.descriptions()


def test_a_row_that_names_the_file_of_another_row_is_refused(theirs: Path) -> None:
    row = {"file": "weights/l2.1.npz", "sha256": "0" * 64, "epoch": 4}
    change(theirs, "INSERT INTO study VALUES (?, ?)", "end of l2.2", json.dumps(row))
    with open_existing(theirs) as store, pytest.raises(StoreUnreadableError, match=r"another file than ends/l2\.2\.4"):
        contents.files(store)


def test_a_row_that_is_no_description_is_refused(theirs: Path) -> None:
    change(theirs, "INSERT INTO study VALUES (?, ?)", "end of l2.2", "[]")
    with open_existing(theirs) as store, pytest.raises(StoreUnreadableError, match=r"'end of l2\.2' is damaged"):
        contents.files(store)


def test_a_variant_that_is_a_path_is_refused(tmp_path: Path, theirs: Path) -> None:
    change(theirs, "UPDATE runs SET variant = '../../thesis'")
    with open_existing(theirs) as store:
        with pytest.raises(StoreUnreadableError, match="do not trust it"):
            store.runs.files()
        with pytest.raises(StoreUnreadableError, match="do not trust it"):
            store.runs.weights("../../thesis", 1)
    assert {problem.file for problem in verify_study(theirs).problems} == {"study.db"}


@posix
@pytest.mark.parametrize("folder", ["weights", "test", "ends", "checkpoints"])
def test_no_folder_may_be_a_link(tmp_path: Path, theirs: Path, folder: str) -> None:
    outside = tmp_path / "outside"
    shutil.move(theirs / folder, outside)
    (outside / "precious.npz").write_text("")
    (theirs / folder).symlink_to(outside)
    kept = sorted(outside.iterdir())
    for attempt in (open_existing, opened, fresh):
        with pytest.raises(StoreUnreadableError, match=f"{folder}: a link, but a study keeps its files"):
            attempt(theirs)
    assert sorted(outside.iterdir()) == kept  # --fresh would have removed them


@posix
def test_no_folder_may_be_a_file(theirs: Path) -> None:
    shutil.rmtree(theirs / "ends")
    (theirs / "ends").write_text("")
    with pytest.raises(StoreUnreadableError, match="ends: not a folder"):
        open_existing(theirs)


@posix
@pytest.mark.parametrize("name", ["lock", "progress", "study.db-journal"])
def test_a_pipe_ends_reading_at_once(theirs: Path, name: str) -> None:
    (theirs / name).unlink(missing_ok=True)
    os.mkfifo(theirs / name)
    with pytest.raises(StoreUnreadableError, match=f"{name}: not a plain file"):
        open_existing(theirs)


@posix
@pytest.mark.parametrize("place", ["weights/l2.1.npz", "test/l2.1.npz", "checkpoints/0123456789abcdef.checkpoint"])
@pytest.mark.parametrize("kind", ["pipe", "device", "link"])
def test_what_is_no_plain_file_is_a_problem(tmp_path: Path, theirs: Path, place: str, kind: str) -> None:
    (theirs / place).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(theirs / place)
    else:
        (theirs / place).symlink_to("/dev/zero" if kind == "device" else tmp_path / SECRET)
    assert place in [problem.file for problem in verify_study(theirs).problems]


@posix
def test_no_journal_may_name_a_file_outside(tmp_path: Path, theirs: Path) -> None:
    name = str(tmp_path / SECRET).encode()
    tail = len(name).to_bytes(4) + sum(name).to_bytes(4) + bytes.fromhex("d9d505f920a163d7")
    journal = bytes.fromhex("d9d505f920a163d7") + bytes(504) + (2**30 // 4096 + 1).to_bytes(4) + name + tail
    (theirs / "study.db-journal").write_bytes(journal)
    with pytest.raises(StoreUnreadableError, match="names a file outside of the study"):
        open_existing(theirs)
    assert (tmp_path / SECRET).exists()


def test_a_sound_directory_passes(theirs: Path, tmp_path: Path) -> None:
    check_layout(theirs)
    check_layout(tmp_path / "missing")
    with open_existing(theirs) as store:
        assert set(contents.files(store)) == {"weights/l2.1.npz", "test/l2.1.npz", "ends/l2.1.4.npz"}


@given(st.text() | st.from_regex(r"(weights|ends|\.\.)?/?[-\w.+=,/]*\.npz", fullmatch=True))
def test_an_accepted_name_is_a_file_in_a_folder_of_the_directory(name: str) -> None:
    directory = Path("/nowhere/study")
    try:
        place = file_named(directory, name)
    except StoreUnreadableError:
        return
    assert Path(os.path.normpath(place)).parent in {directory / f for f in ("weights", "test", "ends")}


@pytest.mark.parametrize("name", ["a" * 300, "a\0b"], ids=["long", "null"])
def test_what_cannot_be_a_directory_is_one_line(tmp_path: Path, name: str) -> None:
    for attempt in (open_existing, opened, fresh):
        with pytest.raises(StoreUnreadableError, match="choose another --out") as refused:
            attempt(tmp_path / name)
        assert len(str(refused.value)) < 320


@posix
def test_a_name_that_is_no_utf8_is_one_line(tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"bad\xff")
    with pytest.raises(StoreUnreadableError, match="not a name in UTF-8"):
        opened(place)
    assert not place.exists()


OWN = (
    "study.db",
    "study.db-wal",
    "study.db-journal",
    "lock",
    "progress",
    "study.summary",
    *FOLDERS,
    "weights/x.onnx",
    "test/report.html",
    "weights/sub/r.html",
    "Weights",
    "ENDS/x",
)


@pytest.mark.parametrize("name", OWN)
def test_nothing_else_is_written_where_a_study_keeps_its_files(theirs: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreError, match=r"is where the study in .* keeps its own files; write to another place"):
        refuse_own_place(theirs / name)
    (tmp_path / "elsewhere").mkdir()
    refuse_own_place(tmp_path / "elsewhere" / name)  # no study is there
    refuse_own_place(theirs / "report.html")
    refuse_own_place(theirs / "figures" / "weights.png")


def test_every_folder_of_a_study_is_known() -> None:
    assert sorted(FOLDERS) == sorted((*RUN_FOLDERS, final_states.FOLDER, checkpoints.FOLDER))
