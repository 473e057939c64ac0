"""Runs in a study directory: saved runs are read back unchanged, all or none of them."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from saved_runs import opened, probabilities, record, same
from wellfit.base import HISTORY_COLUMNS, History
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.spec.study import load_study
from wellfit.store import fresh, open_existing
from wellfit.store.database import Database


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
        np.testing.assert_array_equal(store.runs.tested("l2", 1).probabilities, probabilities(1))
        np.testing.assert_array_equal(store.runs.tested("baseline", 0).probabilities, probabilities(2))
        tests = store.runs.test_scores()
        assert tests[key] == (0.875, 0.25)
        assert (tests["baseline", 0][0], np.isnan(tests["baseline", 0][1])) == (0.5, True)
        assert len(tests) == 2
        assert store.runs.parameters("l2") == 8
        for unknown in (lambda: store.runs.weights("l2", 9), lambda: store.runs.tested("l2", 0).probabilities):
            with pytest.raises(KeyError):
                unknown()


def test_a_run_without_epochs_comes_back(tmp_path: Path) -> None:
    run = record(epochs=0, state="diverged", scores={}, weights={}, seconds=float("nan"))
    with opened(tmp_path / "s") as store:
        store.runs.save([run])
        assert same(store.runs.records()[0], run)
        assert (len(store.runs.records()[0].history), store.runs.weights("l2", 0)) == (0, {})


def test_a_run_saved_again_replaces_the_first(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record(epochs=9)], {("l2", 0): probabilities(0)}, {("l2", 0): (1, 0)})
        store.runs.save([record(epochs=4)])
        assert [len(r.history) for r in store.runs.records()] == [4]
        assert store.runs.test_scores() == {}  # its test was of other weights


def test_a_test_of_an_unknown_run_saves_nothing(tmp_path: Path) -> None:
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


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
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


def test_runs_with_damaged_files_are_found(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.runs.save(
            [record(seed=seed) for seed in range(3)], {("l2", 2): probabilities(2)}, {("l2", 2): (0.5, 1.0)}
        )
        assert store.runs.damaged() == set()
        (tmp_path / "weights" / "l2.1.npz").unlink()
        (tmp_path / "test" / "l2.2.npz").write_bytes(b"half")
        assert store.runs.damaged() == {("l2", 1), ("l2", 2)}


def test_a_full_disk_keeps_the_run_to_be_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
                with pytest.raises(StoreError, match="No space left on device; everything saved so far is kept"):
                    store.runs.save([record(epochs=4), record(seed=1)], final_states=[more])
            assert store.runs.finished() == {("l2", 0)}
            assert store.runs.test_scores() == {("l2", 0): (0.5, 1.0)}
            assert {path.name: path.read_bytes() for path in (tmp_path / "s").rglob("*.npz")} == before
            assert not list((tmp_path / "s").rglob("*.tmp"))
        assert same(store.runs.records()[0], record())


def test_a_study_is_complete_when_all_its_runs_are_finished(tmp_path: Path) -> None:
    with opened(tmp_path / "s", load_study("lab5", seeds=1)) as store:
        store.runs.save([record()])
        assert not store.runs.is_complete()
        store.runs.save([record(variant) for variant in store.metadata.study()["variants"]])
        assert store.runs.is_complete()


def test_runs_of_fewer_epochs_are_outgrown(tmp_path: Path) -> None:
    run = ("l2", 0)
    with opened(tmp_path / "s") as store:
        store.runs.save([record()], {run: probabilities(0)}, {run: (0.5, 1.0)})
        assert store.runs.outgrown() == set()
    longer = load_study("lab5", seeds=3, epochs=60)
    with opened(tmp_path / "s", longer) as store:
        assert (store.runs.outgrown(), store.runs.finished()) == ({run}, set())
        assert (store.runs.records(), store.runs.test_scores()) == ([], {})
        assert store.runs.epochs_asked() == {run: 30}
        assert store.metadata.study()["variants"]["l2"]["recipe"]["epochs"] == 60
        trained = store.runs.trained_study()["variants"]  # what it may still be called back to
        epochs = {name: variant["recipe"]["epochs"] for name, variant in trained.items()}
        assert epochs == {"baseline": 1, "l2": 30, "dropout": 1}


def test_files_are_those_of_weights_and_tested_runs(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record(), record(seed=1)], {("l2", 1): probabilities(1)}, {("l2", 1): (1, 0)})
        assert list(store.runs.files()) == ["weights/l2.0.npz", "weights/l2.1.npz", "test/l2.1.npz"]


def test_epochs_of_no_run_are_damage(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        store.runs.save([record()])
        with store.database.transaction():
            store.database.execute("UPDATE epochs SET seed = 7 WHERE epoch = 2")
        with pytest.raises(StoreUnreadableError, match="epochs of no run"):
            store.runs.records()


def test_reading_runs_takes_as_many_queries_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("rows", "each"):
        whole = getattr(Database, name)
        monkeypatch.setattr(
            Database, name, lambda self, query, *of, whole=whole: calls.append(query) or whole(self, query, *of)
        )
    counts = []
    with opened(tmp_path / "s") as store:
        for seeds in (range(1), range(1, 3)):
            store.runs.save([record(seed=seed) for seed in seeds])
            calls.clear()
            assert len(store.runs.records()) == seeds[-1] + 1
            counts.append(len(calls))
    assert counts[0] == counts[1]
