"""``wellfit verify`` and ``merge``."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from commands import Ended
from small_studies import points, small
from wellfit.store import create_or_open
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize
from wellfit.study.verify import verify_study

Command = Callable[..., Ended]


def test_verify_counts_what_it_checked(command: Command, study_copy: Path) -> None:
    status, out, err = command("verify", study_copy)
    assert (status, err) == (0, "")
    counts, last = out.splitlines()
    assert counts.startswith("38 runs, ")
    assert counts.endswith(" numbers recomputed: all equal")
    shown = json.loads(command("show", study_copy, "--json").out)["fingerprint"]
    assert last == f"Fingerprint: {shown}"
    assert re.fullmatch("[0-9a-f]{16}", shown)
    assert shown in (study_copy / "report.html").read_text(encoding="utf-8")
    plain = json.loads(command("verify", study_copy, "--json").out)
    assert list(plain) == ["wellfit", "directory", "runs", "files", "numbers", "fingerprint", "problems", "notes"]
    assert (plain["runs"], plain["fingerprint"], plain["problems"], plain["notes"]) == (38, shown, [], [])


def test_verify_lists_problems_and_fails(command: Command, study_copy: Path) -> None:
    (study_copy / "test" / "l2.0.npz").unlink()
    status, out, err = command("verify", study_copy)
    assert (status, err) == (2, f"wellfit: {study_copy}: 1 problem, listed on standard output\n")
    assert out.startswith("test/l2.0.npz: is missing; restore it")
    plain = json.loads(command("verify", study_copy, "--json").out)
    assert [set(problem) for problem in plain["problems"]] == [{"file", "what", "fix"}]


def test_verify_notes_a_stale_report(command: Command, study_copy: Path) -> None:
    with create_or_open(study_copy, summarize(study_copy).settings, provenance={}) as store:
        store.metadata.write_note("new", 1)
    status, out, _ = command("verify", study_copy)
    assert status == 0
    assert out.startswith("note: report.html: was written before the study last changed; write it again: ")


@pytest.mark.parametrize("also", ["", "DELETE FROM study WHERE key LIKE 'note: inputs%'"])
def test_verify_misses_a_removed_manifest(command: Command, study_copy: Path, also: str) -> None:
    with closing(sqlite3.connect(study_copy / "study.db")) as database, database:
        database.executescript(f"DROP TABLE manifest; {also}")
    status, out, _ = command("verify", study_copy)
    assert status == 2
    line, *_ = out.splitlines()
    assert line.startswith(f"study.db: {'has no manifest, but report' if also else 'the manifest itself is missing'}")


def test_verify_refuses_a_changed_page(command: Command, study_copy: Path) -> None:
    (study_copy / "report.html").write_text("something else")
    status, out, err = command("verify", study_copy)
    assert (status, err) == (2, f"wellfit: {study_copy}: 1 problem, listed on standard output\n")
    assert out == (f"report.html: is not a page that this wellfit wrote; write it again: wellfit report {study_copy}\n")


def test_verify_says_which_reports_it_cannot_check(command: Command, study_copy: Path) -> None:
    assert command("report", study_copy, "--format", "md").status == 0
    status, out, _ = command("verify", study_copy)
    assert status == 0
    assert out.startswith("note: report.md: not compared with the numbers; only the page, report.html, is\n")


def test_merge_reports_what_it_did(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    for name, seeds in (("a", [0, 1]), ("b", [1, 2])):
        run_study(Session(small(1, seeds=seeds), points(), Path(name)))
    # alone or in company, runs of one seed are grouped alike here, so that seed 1 has the same bits
    status, out, err = command("merge", "a", "b", "--out", "both")
    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == [
        "both: 6 runs, 4 from a, 2 from b",
        "2 runs in more than one directory, with the same results: kept once",
        "note: wellfit run with the same study and --out both adds pictures of the data to its report",
    ]
    *_, report, last = out.splitlines()
    assert report == "Report: both/report.html"
    assert last == command("verify", "both").out.splitlines()[-1]
    plain = json.loads(command("merge", "b", "a", "--out", "again", "--json").out)
    assert list(plain) == [
        "wellfit",
        "directory",
        "runs",
        "taken",
        "twice",
        "missing",
        "codes",
        "report",
        "fingerprint",
    ]
    assert (plain["runs"], plain["taken"], plain["twice"], plain["missing"]) == (6, {"b": 4, "a": 2}, 2, 0)


@pytest.mark.parametrize("arguments", [("report", "--format", "html"), ("report", "--format", "png"),
                                       ("export", "--format", "onnx"), ("export", "--format", "safetensors"),
                                       ("predict",), ("refit",)])  # fmt: skip
def test_no_command_writes_there(
    command: Command, study_copy: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    study = study_copy
    np.save(tmp_path / "new.npy", np.zeros((3, 8, 8)))
    before = sorted(path.relative_to(study) for path in study.rglob("*"))
    verb, *options = arguments
    inputs = [tmp_path / "new.npy"] if verb == "predict" else []
    option = "--out" if verb in ("report", "export") else "--output"
    for name in ("ends", "test/new.safetensors", "progress", "study.db-wal"):
        ended = command(verb, study, *inputs, *options, option, study / name)
        assert ended.status == 2, (arguments, name)
        assert len(ended.err.splitlines()) == 1
    assert sorted(path.relative_to(study) for path in study.rglob("*")) == before
    assert verify_study(study).problems == ()
