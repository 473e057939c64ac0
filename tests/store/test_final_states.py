"""Final states of trajectories, from which a study with more epochs continues."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest

from saved_runs import opened, posix, python, record
from wellfit.errors import StoreUnreadableError


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
