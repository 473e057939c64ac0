"""Checkpoints of populations in training."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saved_runs import opened, record


def test_checkpoints_come_back(tmp_path: Path) -> None:
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


def test_damaged_checkpoints_are_named(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.checkpoints.save("p", {}, {})
        store.checkpoints.save("q", {}, {})
        first, second = sorted(store.checkpoints.names())
        (tmp_path / "s" / first).write_bytes(b"half")
        assert store.checkpoints.damaged() == {first}
        store.checkpoints.drop_all()
        assert (store.checkpoints.names(), (tmp_path / "s" / second).exists()) == (set(), False)


def test_a_checkpoint_saves_where_it_comes_from(tmp_path: Path) -> None:
    """Another process may finish what this one began."""
    with opened(tmp_path / "s") as store:
        store.runs.save([record()])
    with opened(tmp_path / "s", jax="2") as store:
        store.checkpoints.save("p", {}, {})
    with opened(tmp_path / "s", jax="1") as store:
        assert store.metadata.provenance()["jax"] == "1; then 2"


def test_a_checkpoint_of_a_stranger_is_named(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        error = store.checkpoints.unusable("a", "rows/0 are no history")
    assert re.search(r"\w{16}\.checkpoint: not a file of wellfit \(rows/0 are no history\); remove it", str(error))
