"""Watching a folder of studies."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

import watched
from wellfit.errors import WellfitError
from wellfit.report.forms.live.watch import Watch


def test_studies_appear_progress_and_disappear(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    watch.scan()
    assert watch.studies() == []
    with watched.at_work(tmp_path / "one") as store:
        watch.scan()
        (listed,) = watch.studies()
        assert (listed.place, len(listed.id)) == ("one", 16)
        watch.scan()
        assert watch.studies() == [listed]  # nothing has changed, nothing was read
        watched.record_epochs(store, 2)
        watch.scan()
        (now,) = watch.studies()
        assert now.id == listed.id
        assert now.glance is not None
        assert now.glance.epoch == 2
    shutil.rmtree(tmp_path / "one")
    watch.scan()
    assert (watch.studies(), watch.get(listed.id), watch.summary(listed.id)) == ([], None, None)
    assert watch.report(listed.id) is None


@pytest.mark.parametrize("content", [b"x" * 5000, b""])
def test_an_unreadable_study_is_listed_with_its_trouble(tmp_path: Path, content: bytes) -> None:
    with watched.at_work(tmp_path / "whole"):
        pass
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "study.db").write_bytes(content)
    watch = Watch(tmp_path)
    watch.scan()
    bad, whole = watch.studies()
    assert "study" in bad.trouble
    assert (watch.get(bad.id), watch.get(whole.id)) == (None, whole)


def test_foreign_rows_are_reported(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        store.database.put("study", {"seeds": 3})
    watch = Watch(tmp_path)
    watch.scan()
    (listed,) = watch.studies()
    assert "study.db: damaged: the study" in listed.trouble


def test_summaries_are_computed_and_reports_rendered_once(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.finish(store)
    with Watch(tmp_path) as watch:
        (listed,) = watch.studies()
        for _ in range(300):
            if watch.summary(listed.id) is not None:
                break
            time.sleep(0.1)
        summary = watch.summary(listed.id)
        assert summary is not None
        assert (summary.state, len(summary.confusion)) == ("finished", 2)
        report = watch.report(listed.id)
        assert report is not None
        assert summary.title in report
        assert watch.report(listed.id) is watch.report(listed.id)
        (tmp_path / "s" / "weights" / "l2.0.npz").write_bytes(b"damaged")
        (tmp_path / "s" / "progress").write_bytes(b"changed")
        watch.scan()
        with pytest.raises(WellfitError, match="damaged"):
            watch.report(listed.id)


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyError("seeds"), ZeroDivisionError("by zero")])
def test_a_failing_report_is_a_wellfit_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(directory: Path) -> None:
        raise error

    with watched.at_work(tmp_path / "s"):
        pass
    monkeypatch.setattr("wellfit.report.forms.live.watch.summary_and_details", fail)
    watch = Watch(tmp_path)
    watch.scan()
    with pytest.raises(WellfitError, match=f"^s: cannot be read: {type(error).__name__}: "):
        watch.report(watch.studies()[0].id)


def test_a_study_that_disappears_has_no_report(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s"):
        pass
    watch = Watch(tmp_path)
    watch.scan()
    (listed,) = watch.studies()
    shutil.rmtree(tmp_path / "s")
    with pytest.raises(WellfitError):  # the next scan will show that it is gone
        watch.report(listed.id)
