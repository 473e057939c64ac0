"""``wellfit verify`` and ``merge``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Ended
from small_studies import points, small
from wellfit.study.run import run_study
from wellfit.study.session import Session

Command = Callable[..., Ended]


def test_verify_counts_what_it_checked(command: Command, study_copy: Path) -> None:
    status, out, err = command("verify", study_copy)
    assert (status, err) == (0, "")
    assert out.splitlines()[-1].startswith("38 runs, ")
    assert out.endswith(" numbers recomputed: all equal\n")
    plain = json.loads(command("verify", study_copy, "--json").out)
    assert list(plain) == ["wellfit", "directory", "runs", "files", "numbers", "problems", "notes"]
    assert (plain["runs"], plain["problems"], plain["notes"]) == (38, [], [])


def test_verify_lists_problems_and_fails(command: Command, study_copy: Path) -> None:
    (study_copy / "test" / "l2.0.npz").unlink()
    status, out, err = command("verify", study_copy)
    assert (status, err) == (2, f"wellfit: {study_copy}: 1 problem, listed on standard output\n")
    assert out.startswith("test/l2.0.npz: is missing; restore it")
    plain = json.loads(command("verify", study_copy, "--json").out)
    assert [set(problem) for problem in plain["problems"]] == [{"file", "what", "mend"}]


def test_verify_notes_a_stale_report(command: Command, study_copy: Path) -> None:
    (study_copy / "report.html").write_text("of an older wellfit")
    status, out, _ = command("verify", study_copy)
    assert status == 0
    assert out.startswith("note: report.html: ")


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
    assert out.splitlines()[-1] == "Report: both/report.html"
    plain = json.loads(command("merge", "b", "a", "--out", "again", "--json").out)
    assert list(plain) == ["wellfit", "directory", "runs", "taken", "twice", "missing", "codes", "report"]
    assert (plain["runs"], plain["taken"], plain["twice"], plain["missing"]) == (6, {"b": 4, "a": 2}, 2, 0)
