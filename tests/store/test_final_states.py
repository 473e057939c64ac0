"""Final states of trajectories, from which a study with more epochs continues."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saved_runs import opened, posix, python, record
from wellfit.errors import StoreUnreadableError
from wellfit.store.database import Database


@posix
def test_kill_9_leaves_a_run_and_its_final_state_or_neither(tmp_path: Path) -> None:
    code = """
        store = opened(Path(sys.argv[1]))
        Metadata.seconds = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
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


def test_a_later_state_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()], final_states=[("l2.0", {"rows": np.zeros(2)}, {"epoch": 2, "best": 0.5})])
        store.runs.save([record(epochs=6)], final_states=[("l2.0", {"rows": np.ones(2)}, {"epoch": 6})])
        (description,) = store.final_states.descriptions().values()
        assert description["epoch"] == 6
        assert store.final_states.load(description)["rows"].tolist() == [1, 1]
        assert [path.name for path in (tmp_path / "s" / "ends").iterdir()] == ["l2.0.6.npz"]
        assert store.final_states.files().keys() == {"ends/l2.0.6.npz"}


def test_a_missing_state_is_not_described_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()], final_states=[("l2.0", {"rows": np.zeros(2)}, {"epoch": 2})])
        (description,) = store.final_states.descriptions().values()
        path = tmp_path / "s" / description["file"]
        path.write_bytes(b"half")
        with pytest.raises(StoreUnreadableError, match=r"l2\.0\.2\.npz: damaged: .* remove it and .* starts again"):
            store.final_states.load(description)
        path.unlink()
        assert store.final_states.descriptions() == {}


def test_saving_a_state_does_not_look_at_those_of_all_other_trajectories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    rows = Database.rows

    def counted(database: Database, *query: object) -> list[Any]:
        found = rows(database, *query)  # type: ignore[arg-type]
        read.append(len(found))
        return found

    with opened(tmp_path / "s") as store:
        numbers = []
        for others in (2, 60):
            store.runs.save([], final_states=[(f"l1.{n}", {"rows": np.zeros(1)}, {"epoch": 1}) for n in range(others)])
            with monkeypatch.context() as patch:
                patch.setattr(Database, "rows", counted)
                patch.setattr(Path, "glob", lambda *_: pytest.fail("it lists the folder"))
                for epoch in (2, 3):
                    store.runs.save(
                        [record(epochs=epoch)], final_states=[("l2.0", {"rows": np.zeros(2)}, {"epoch": epoch})]
                    )
            numbers.append(sum(read))
            read.clear()
            assert [path.name for path in (tmp_path / "s" / "ends").glob("l2.*")] == ["l2.0.3.npz"]
        assert numbers[1] - numbers[0] <= 2  # the first save replaces nothing
        assert len(store.final_states.descriptions()) == 61


def test_a_state_of_the_same_epoch_keeps_its_file(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        for value in (0, 1):
            store.runs.save([record()], final_states=[("l2.0", {"rows": np.full(2, value)}, {"epoch": 4})])
        (description,) = store.final_states.descriptions().values()
        assert store.final_states.load(description)["rows"].tolist() == [1, 1]


def test_a_damaged_entry_is_named_before_anything_is_saved(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()], final_states=[("l2.0", {"rows": np.zeros(2)}, {"epoch": 2})])
        store.database.put("end of l2.0", {"epoch": 2, "file": "ends/l2.0.3.npz"})
        with pytest.raises(
            StoreUnreadableError, match=r"the entry 'end of l2.0' names another file than ends/l2\.0\.2"
        ):
            store.runs.save([record(seed=1)], final_states=[("l2.0", {"rows": np.zeros(2)}, {"epoch": 3})])
        assert store.runs.finished() == {("l2", 0)}
        store.database.put("end of l2.0", 5)
        with pytest.raises(StoreUnreadableError, match=r"the entry 'end of l2.0' is damaged"):
            store.final_states.descriptions()
        store.database.drop("end of l2.0")


def test_files_that_nothing_describes_are_removed_at_the_next_opening_whatever_their_names(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()], final_states=[("l2.0", {"rows": np.zeros(2)}, {"epoch": 2})])
    for name in ("l2.0.1.npz", "of nobody (2).npz"):
        (tmp_path / "s" / "ends" / name).write_text("")
    with opened(tmp_path / "s"):
        assert [path.name for path in (tmp_path / "s" / "ends").iterdir()] == ["l2.0.2.npz"]
