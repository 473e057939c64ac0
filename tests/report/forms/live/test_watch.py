"""Watching a folder of studies."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import watched
from wellfit.errors import WellfitError
from wellfit.report.forms.live import tasks
from wellfit.report.forms.live import watch as module
from wellfit.report.forms.live.watch import PER_PAGE, Made, Watch


def until(ready: Callable[[], Any]) -> Any:
    for _ in range(1200):
        if value := ready():
            return value
        time.sleep(0.05)
    raise AssertionError("not after a minute")


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """A folder that is scanned by the test, and read in this process."""
    made = Watch(tmp_path)
    for worker in (made._reader, made._maker, made._reporter):
        monkeypatch.setattr(worker, "call", in_this_process)
    yield made
    made.__exit__()


def in_this_process(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


def refreshed(watch: Watch, page: int = 1) -> list[Any]:
    """The rows after a scan of the folder and a look at what is shown."""
    watch.rows(page)
    watch._next_scan = 0.0
    watch.refresh()
    return watch.rows(page)


def test_studies_appear_progress_and_disappear(tmp_path: Path, watch: Watch) -> None:
    assert refreshed(watch) == []
    assert watch.scanned
    with watched.at_work(tmp_path / "one") as store:
        (row,) = refreshed(watch)
        assert (row["place"], len(row["id"]), row["state"]) == ("one", 16, "running")
        assert refreshed(watch)[0] is row  # nothing has changed, nothing was read
        watched.record_epochs(store, 2)
        (now,) = refreshed(watch)
        assert (now["id"], now["epoch"]) == (row["id"], 2)
        assert watch.look(row["id"], [1]) is None
        watch.refresh()
        look = watch.look(row["id"], [0])
        assert look is not None
        assert list(look.curves) == [1]
        watch.refresh()
        assert sorted(watch.look(row["id"]).curves) == [0, 1]
    shutil.rmtree(tmp_path / "one")
    assert refreshed(watch) == []
    assert (watch.has(row["id"]), watch.look(row["id"]), watch.report(row["id"], 0.0)) == (False, None, None)


def test_a_damaged_study_is_one_line_among_the_others(tmp_path: Path, watch: Watch) -> None:
    for name in ("whole", "foreign"):
        with watched.at_work(tmp_path / name) as store:
            if name == "foreign":
                store.database.put("study", {"seeds": 3})
    for name, content in (("noise", b"x" * 5000), ("empty", b"")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "study.db").write_bytes(content)
    rows = {row["place"]: row for row in refreshed(watch)}
    assert len(rows) == 4
    assert [place for place, row in rows.items() if not row["trouble"]] == ["whole"]
    assert "study.db: damaged: the study" in rows["foreign"]["trouble"]
    assert [watch.has(rows[name]["id"]) for name in ("whole", "noise", "empty")] == [True, False, False]
    watch.look(rows["noise"]["id"])
    watch.refresh()
    assert watch.look(rows["noise"]["id"]) is None


def test_what_was_unreadable_is_tried_again(tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    with watched.at_work(tmp_path / "s"):
        pass

    def fail(*arguments: Any) -> Any:
        raise WellfitError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(watch._reader, "call", fail)
        assert refreshed(watch)[0]["trouble"] == "database is locked"
    assert refreshed(watch)[0]["trouble"] == "database is locked"  # not at once
    monkeypatch.setattr(module, "AGAIN", -1.0)
    with monkeypatch.context() as patched:
        patched.setattr(watch._reader, "call", fail)
        watch._rows.clear()
        refreshed(watch)
    assert refreshed(watch)[0]["trouble"] == ""


def test_a_folder_that_is_gone_is_said_and_may_come_back(tmp_path: Path, watch: Watch) -> None:
    watch.folder = tmp_path / "studies"
    assert refreshed(watch) == []
    assert watch.trouble.endswith("studies: cannot be read: No such file or directory")
    with watched.at_work(tmp_path / "studies" / "one"):
        pass
    assert len(refreshed(watch)) == 1
    assert watch.trouble == ""


def test_only_the_page_that_is_shown_is_read(tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    with watched.at_work(tmp_path / "s0"):
        pass
    for i in range(1, PER_PAGE + 5):
        shutil.copytree(tmp_path / "s0", tmp_path / f"s{i}")
    read = []

    def call(function: Callable[..., Any], study: str, *arguments: Any) -> Any:
        read.append(study)
        return function(study, *arguments)

    monkeypatch.setattr(watch._reader, "call", call)
    monkeypatch.setattr(module, "SECONDS", 60.0)
    second = refreshed(watch, 2)
    assert (watch.count(), len(second), len(read)) == (PER_PAGE + 5, 5, 5)
    assert sorted(row["id"] for row in second) == sorted(read)
    assert all("trouble" not in row for row in watch.rows(1))  # not read yet


def test_pages_and_reports_are_made_once_and_again_after_a_change(tmp_path: Path, watch: Watch) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.finish(store)
    (row,) = refreshed(watch)
    study = row["id"]
    watch.look(study)
    watch.refresh()
    page = until(lambda: watch.page(study))
    assert watch.page(study) is page
    asked = time.monotonic()
    report = until(lambda: watch.report(study, asked))
    assert b"<title>Does l2 help?</title>" in report
    assert watch.report(study, time.monotonic()) is report
    watch.refresh()  # asks for the full summary
    until(lambda: watch._made.get(("summary", study)))
    watch.refresh()
    assert "88.33 %" in watch.look(study).parts["table"]
    (tmp_path / "s" / "test" / "l2.0.npz").write_bytes(b"damaged")
    (tmp_path / "s" / "progress").write_bytes(b"changed")
    with pytest.raises(WellfitError, match="damaged"):
        until(lambda: watch.report(study, time.monotonic() + 60))


def test_two_studies_are_compared(tmp_path: Path, watch: Watch) -> None:
    for name in ("one", "two"):
        with watched.at_work(tmp_path / name) as store:
            watched.finish(store)
    with watched.at_work(tmp_path / "going"):
        pass
    refreshed(watch)
    one, two = watch.finished()
    page = until(lambda: watch.comparison(one["id"], two["id"]))
    assert b"<title>Two studies side by side</title>" in page
    assert watch.comparison(one["id"], two["id"]) is page
    assert watch.comparison(one["id"], "0" * 16) is None
    with pytest.raises(WellfitError, match="the same directory"):
        until(lambda: watch.comparison(one["id"], one["id"]))


def test_old_pages_are_forgotten_where_they_are_large(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BYTES", 150)
    for at in range(4):
        watch._made["report", str(at)] = Made(0, float(at), b"x" * 100)
    watch._drop_old(("report", "0"))
    assert sorted(study for _, study in watch._made) == ["0", "3"]


@pytest.mark.slow
def test_a_long_page_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """In processes of their own: while one works for two seconds, rows are read."""
    with watched.at_work(tmp_path / "s"):
        pass
    with Watch(tmp_path) as watch:
        until(lambda: watch.rows(1) and "title" in watch.rows(1)[0])
        watch._pool["maker"].submit(watch._maker.call, time.sleep, 20)
        (tmp_path / "s" / "progress").write_bytes(b"changed")
        began = time.monotonic()
        before = watch.rows(1)[0]
        until(lambda: watch.rows(1)[0] is not before)
        assert time.monotonic() - began < 10


def test_the_library_is_read_in_another_process(tmp_path: Path) -> None:
    with Watch(tmp_path) as watch:
        assert b"Bokeh" in until(watch.library)
        assert watch._made["library", ""].trouble == ""
        assert tasks.library() == watch.library()
