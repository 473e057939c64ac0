"""What the server lets another process do, called in this one."""

from __future__ import annotations

import json
import pickle
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import watched
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.report.forms.live import tasks


def test_a_look_has_the_curves_that_are_wanted(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.record_epochs(store, 2)
        first = tasks.look("ab", tmp_path / "s", "s", None, {0, 9})
        assert (first.running, list(first.curves), first.wanted) == (True, [0], {0, 9})
        assert json.loads(first.curves[0])["chart-gap v0-gap"]["epoch"] == [1, 2]
        assert tasks.look("ab", tmp_path / "s", "s", None, {0, 9}).version == first.version
        watched.record_epochs(store, 3)
        second = tasks.look("ab", tmp_path / "s", "s", None, ())
        assert second.version != first.version
        assert (second.key, second.parts["structure"]) == (first.key, first.parts["structure"])
        watched.finish(store)
    ended = tasks.look("ab", tmp_path / "s", "s", None, ())
    assert (ended.running, ended.key != first.key) == (False, True)


def test_the_full_summary_comes_without_what_is_large(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.finish(store)
    full = tasks.summary("ab", tmp_path / "s", "s")
    assert (full.state, full.histories, full.confusion) == ("finished", {}, {})
    parts = tasks.look("ab", tmp_path / "s", "s", full, ()).parts
    assert "88.33 %" in parts["table"]  # the mean of 27 and 26 of 30
    assert "The checks are running" not in parts["findings"]


def test_a_page_holds_its_charts_and_nothing_that_ends_their_script(tmp_path: Path) -> None:
    spec = watched.study("</script><script>alert(1)</script>")
    with watched.at_work(tmp_path / "s", spec) as store:
        watched.record_epochs(store, 2)
        structure, page = tasks.study_page("ab", tmp_path / "s", "s")
    text = page.decode()
    charts = re.search(r'<script type="application/json" id="charts" data-structure="(\w+)"[^>]*>(.*?)</script>', text)
    assert charts is not None
    assert charts[1] == structure
    assert len(json.loads(charts[2])["roots"]) == 4
    assert "alert(1)</script>" not in text
    assert 'data-updates="/updates?id=ab"' in text


def test_a_row_is_small_and_what_is_no_study_is_refused(tmp_path: Path) -> None:
    with watched.at_work(tmp_path / "s") as store:
        watched.record_epochs(store, 2)
        seen, row = tasks.row("ab", tmp_path / "s", "s")
    assert seen.locked
    assert (row["title"], row["state"], row["variants"]) == ("Does l2 help?", "running", 2)
    assert len(pickle.dumps(row)) < 1000
    with pytest.raises(StoreUnreadableError):
        tasks.row("ab", tmp_path, ".")


def test_few_statuses_are_kept(tmp_path: Path) -> None:
    for i in range(tasks.KEPT + 2):
        with watched.at_work(tmp_path / str(i)):
            pass
        tasks.row("ab", tmp_path / str(i), "s")
    assert len(tasks._statuses) == tasks.KEPT


def test_reading_studies_loads_neither_jax_nor_a_plotting_library() -> None:
    code = "import sys, wellfit.report.forms.live.tasks; print({'jax', 'matplotlib', 'bokeh'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_the_library_and_the_report_are_bytes(tmp_path: Path) -> None:
    assert b"Bokeh" in tasks.library()
    with watched.at_work(tmp_path / "s") as store:
        watched.finish(store)
    assert b"<title>Does l2 help?</title>" in tasks.report("ab", tmp_path / "s", "s")


def test_a_locked_study_is_not_waited_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that reads all studies has other ones to read."""
    with watched.at_work(tmp_path / "s"):
        pass
    assert tasks.PATIENCE <= 2
    monkeypatch.setattr(tasks, "PATIENCE", 0.2)
    with closing(sqlite3.connect(tmp_path / "s" / "study.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(StoreError, match="database is locked"):
            tasks.row("ab", tmp_path / "s", "s")
        assert time.monotonic() - began < 10  # 30 s where nobody waits for it
