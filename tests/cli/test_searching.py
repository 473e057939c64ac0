"""A study with [search] on the command line and in Python: searched, judged, continued, refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Ended, ended, process
from wellfit import Study
from wellfit.base import Trial
from wellfit.cli.searching import _batch_line
from wellfit.errors import StudyFileError
from wellfit.spec.study import load_study
from wellfit.study.search.drive import Tried

Command = Callable[..., Ended]

FILE = """
name = "searched"
title = "Does a search pay?"
[data]
name = "digits"
train_share = 0.1
[model]
hidden = [8]
[train]
epochs = 2
seeds = 2
batch_size = 32
[variants.baseline]
[search]
trials = 4
batch = 2
halving = 2
[search.space]
l2 = { low = 1e-5, high = 1e-1, log = true }
"model.hidden" = [[8], [16]]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "searched.toml").write_text(FILE)
    return tmp_path / "searched.toml"


def test_run_searches_then_judges_and_the_same_command_trains_nothing(command: Command, file: Path) -> None:
    first = command("run", file, "--out", "study", "--search")
    assert first.status == 0, first.err
    lines = first.out.splitlines()
    assert lines[0] == "Search: 4 configurations of l2, model.hidden, 2 seeds each, 12 of 16 epochs"
    assert any(line.startswith("Search: 2 of 4 configurations; best validation accuracy ") for line in lines)
    assert any(line.startswith("Found: l2 = ") for line in lines)
    assert "Before this study, a search tried 4 configurations with 2 seeds each" in first.out
    assert "fresh seeds" in first.out
    again = command("run", file, "--out", "study")
    assert again.status == 0
    assert "Nothing to train" in again.out
    shown = json.loads(command("show", "study", "--json").out)
    assert [variant["name"] for variant in shown["variants"]] == ["baseline", "found"]
    assert len(shown["search"]["trials"]) == 4
    assert shown["search"]["curse"] == pytest.approx(shown["search"]["found"] - shown["search"]["fresh"])
    assert command("verify", "study").status == 0
    page = (file.parent / "study" / "report.html").read_text()
    assert "Before this study, a search tried 4 configurations" in page
    assert command("report", "study", "--format", "ipynb", "--out", "report.ipynb").status == 0
    cells = ["".join(cell["source"]) for cell in json.loads((file.parent / "report.ipynb").read_text())["cells"]]
    (cell,) = [cell for cell in cells if "\nSTUDY = r'''" in cell]
    (file.parent / "again.toml").write_text(cell.split("\nSTUDY = r'''")[1].split("'''")[0])
    assert list(load_study(file.parent / "again.toml").variants) == ["baseline"]


def test_plan_says_what_is_searched(command: Command, file: Path) -> None:
    out = command("plan", file).out
    assert "Search: 4 configurations of l2, model.hidden, 2 seeds each, 12 of 16 epochs; the above is the study" in out
    searched = {"keys": ["l2", "model.hidden"], "trials": 4, "seeds": 2, "name": "found", "epochs": 12, "whole": 16}
    assert json.loads(command("plan", file, "--json").out)["search"] == searched


def test_until_decided_analyzes_a_searched_study_where_its_plan_said(command: Command, file: Path) -> None:
    seven = ("--set", "train.seeds=7", "--out", "study", "--until-decided")
    told = command("plan", file, *seven)
    assert "interim analyses at 5, 10, 15 and 20 seeds" in told.out, told.err
    shown = command("run", file, *seven)
    assert shown.status == 0, shown.err
    assert "Interim analysis 1 of 4, at 5 seeds" in shown.out


@pytest.mark.parametrize("budget", [("--max-seeds", "1"), ("--max-minutes", "0"), ("--max-minutes", "1e-9")])
def test_a_budget_is_refused_before_a_search_deletes_or_trains(
    command: Command, file: Path, budget: tuple[str, str]
) -> None:
    (file.parent / "study").mkdir()
    failed = command("run", file, "--out", "study", "--fresh", "--until-decided", *budget)
    assert failed.status == 2
    assert f"{budget[0]} " in failed.err
    assert "Search:" not in failed.out
    assert list((file.parent / "study").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("digits-less", "--search"), None),
        (("regularization", "--search"), "--search: the study 'regularization' has no [search]; add [search.space]"),
        (("searched.toml", "--shard", "1/2"), "--shard 1/2: a study with [search] cannot be divided"),
        (("searched.toml", "--on", "ray"), "--on ray: a study with [search] trains on this machine"),
        (("searched.toml", "--set", "search.trials=1"), "--set search.trials=1: must be from 2 to 10000, got 1"),
        (("searched.toml", "--set", "search.batch=9"), "trials = 4 is less than batch = 9"),
    ],
)
def test_what_cannot_be_searched_is_one_line(
    command: Command, file: Path, arguments: tuple[str, ...], words: str | None
) -> None:
    failed = command("run", *arguments, "--data", "digits") if words is None else command("run", *arguments)
    assert failed.status == 2
    assert (words or "unknown study") in failed.err
    assert not (file.parent / "wellfit-studies").exists()


def test_a_killed_search_goes_on(file: Path) -> None:
    running = process("run", file, "--out", "study", "--set", "search.trials=40", cwd=file.parent)
    assert running.stdout is not None
    for line in running.stdout:
        if line.startswith("Search: 4 of 40"):
            break
    running.kill()
    running.communicate()
    again = ended(process("run", file, "--out", "study", "--set", "search.trials=40", cwd=file.parent))
    assert again.status == 0, again.err
    assert "Search: 2 of 40" not in again.out
    assert "Search: 40 of 40" in again.out


def test_the_same_from_python(tmp_path: Path) -> None:
    search = {"trials": 4, "batch": 2, "space": {"l2": {"low": 1e-5, "high": 1e-1, "log": True}}}
    settings = {"model": {"hidden": [8]}, "epochs": 2, "seeds": 2, "train_share": 0.1}
    results = Study("digits", search=search, **settings).run(tmp_path / "study", progress=False)
    assert [variant.name for variant in results.summary.variants] == ["baseline", "found"]
    assert results.summary.search is not None
    assert len(results.summary.search.trials) == 4
    with pytest.raises(StudyFileError, match="--max-seeds 1: comparing"):
        Study("digits", search=search, **settings).run(tmp_path / "none", until_decided=True, max_seeds=1)
    assert not (tmp_path / "none").exists()
    with pytest.raises(StudyFileError, match="on and a search exclude each other"):
        Study("digits", search=search, **settings).run(on="ray")
    with pytest.raises(StudyFileError, match=r"\[search\] trials: must be"):
        Study("digits", search={**search, "trials": 1}, **settings)


def test_a_batch_without_a_winner_says_how_each_ended() -> None:
    trials = (Trial(0, {}, "ended", 1, 3, (0.5,)), Trial(1, {}, "diverged", 1, 3, (None,)))
    tried = Tried(trials, 4, None, "validation_accuracy", 6, 18)
    line = "Search: 2 of 4 configurations; none was trained to the end: 1 ended early and 1 diverged"
    assert _batch_line(tried) == line
