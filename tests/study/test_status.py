"""A quick look at a study, also while it trains."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

import watched
from wellfit.data.catalog import load_dataset
from wellfit.errors import StoreUnreadableError
from wellfit.store import open_existing
from wellfit.store.progress import FILE
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.status import Leader, read_status, stamp
from wellfit.study.summarize import summarize


def test_while_it_trains_each_epoch_is_there_and_runs_that_end_take_its_place(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        found = read_status(tmp_path / "s")
        assert (found.summary.state, found.share, found.leader, found.epoch) == ("running", 0.0, None, 0)
        watched.record_epochs(store, 3)
        found = read_status(tmp_path / "s", found)
        assert (found.epoch, found.epochs, found.share) == (3, 12, 3 / 12)
        assert found.active == {(variant, seed): 3 for variant in ("baseline", "l2") for seed in (0, 1)}
        assert found.leader == Leader("baseline", pytest.approx(1 - 1 / 4 - 0.005), 3)
        expected = np.array(watched.rows(3, 0.01))[:, 4]
        np.testing.assert_array_equal(found.summary.histories["baseline"][1]["validation_loss"], expected)
        assert found.summary.variants[1].runs[0].epochs == 3
        store.runs.save([watched.record("l2", 0)])
        found, before = read_status(tmp_path / "s", found), found
        assert found.key != before.key
        assert ("l2", 0) not in found.active
        assert found.share == (1 + 3 * 3 / 12) / 4
        assert found.leader == Leader("l2", pytest.approx(1 - 1 / 13), 0)
        assert [run.state for run in found.summary.variants[1].runs] == ["finished", "pending"]
        watched.finish(store)
    found = read_status(tmp_path / "s", found)
    assert (found.summary.state, found.share, found.tested, found.active) == ("finished", 1.0, 4, {})


def test_the_time_left_runs_down_between_epochs_and_ends_with_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.record_epochs(store, 3)
        assert read_status(tmp_path / "s").left is None
        now = time.time()
        monkeypatch.setattr("wellfit.store.progress.SECONDS", 0.0)
        store.progress.write(lambda: {("l2", 0): watched.rows(4)}, 90.0)
        for later, left in ((0, 90), (30, 60), (3600, 0)):
            monkeypatch.setattr("time.time", lambda later=later: now + later)
            assert read_status(tmp_path / "s").left == pytest.approx(left, abs=5)
    assert read_status(tmp_path / "s").left is None  # interrupted


def test_a_study_whose_process_was_killed_is_interrupted_and_keeps_its_curves(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.record_epochs(store, 5)
        shutil.copytree(tmp_path / "s", tmp_path / "killed")
    found = read_status(tmp_path / "killed")
    assert (found.summary.state, found.epoch) == ("interrupted", 5)
    with watched.at_work(tmp_path / "killed") as store:  # it goes on
        watched.record_epochs(store, 4)
        assert read_status(tmp_path / "killed", found).epoch == 4


def test_a_run_that_diverges_has_no_scores_and_does_not_lead(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        bad = np.full_like(watched.rows(1)[0], np.nan)
        store.progress.write(lambda: {("baseline", 0): [bad], ("l2", 0): watched.rows(1)})
        found = read_status(tmp_path / "s")
    assert found.summary.variants[0].runs[0].validation_accuracy is None
    assert found.leader == Leader("l2", 0.5, 1)


def test_it_agrees_with_the_summary(finished_study: Path) -> None:
    found, summary = read_status(finished_study), summarize(finished_study)
    assert found.summary.state == summary.state == "finished"
    assert [v.name for v in found.summary.variants] == [v.name for v in summary.variants]
    for mine, whole in zip(found.summary.variants, summary.variants, strict=True):
        assert mine.mean["validation_accuracy"] == pytest.approx(whole.mean["validation_accuracy"])
        assert [run.state for run in mine.runs] == [run.state for run in whole.runs]
    assert read_status(finished_study, found).records is found.records  # not read again


def test_the_stamp_changes_with_the_study(tmp_path: Path) -> None:
    stamps = [stamp(tmp_path / "s")]
    with watched.at_work(tmp_path / "s") as store:
        stamps.append(stamp(tmp_path / "s"))
        watched.record_epochs(store, 1)
        stamps.append(stamp(tmp_path / "s"))
        watched.record_epochs(store, 2)
        stamps.append(stamp(tmp_path / "s"))
        store.runs.save([watched.record("l2", 0)])
        stamps.append(stamp(tmp_path / "s"))
    stamps.append(stamp(tmp_path / "s"))
    assert len(set(stamps)) == len(stamps)
    assert [s.locked for s in stamps] == [False, True, True, True, True, False]


def test_what_is_no_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadableError):
        read_status(tmp_path)


def test_a_training_tells_the_epochs_that_its_records_will_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all seeds at once, to the last bit, also of runs that stop early; and nothing is left when it is done."""
    import wellfit.store.progress as progress

    monkeypatch.setattr(progress, "SECONDS", 0.0)
    directory, seen = tmp_path / "s", []

    def look(_: object) -> None:
        with open_existing(directory) as store:
            if found := store.progress.read():
                seen.append(found)

    run_study(Session(watched.study(epochs=5), load_dataset("digits"), directory), on_progress=look)
    assert [max(map(len, found.values())) for found in seen] == [1, 2, 3, 4, 5]
    told = {run: rows for found in seen for run, rows in found.items()}  # the last that was said
    with open_existing(directory) as store:
        for record in store.runs.records():
            last = told[record.spec.variant, record.spec.seed]
            for name, column in record.history.columns.items():
                np.testing.assert_array_equal(last[name], column)
    assert not (directory / FILE).exists()
    assert read_status(directory).share == 1.0
