"""Options that several commands share."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from wellfit.cli.options import study_directory, study_named, typed_command
from wellfit.errors import StudyFileError
from wellfit.spec.study import load_study, resolved
from wellfit.store import create_or_open


def test_the_typed_command_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/wellfit", "run", "my study.toml", "--seeds", "3"])
    assert typed_command() == "wellfit run 'my study.toml' --seeds 3"


def test_a_study_file_is_found_without_its_ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text("")
    Path("lab5.toml").write_text("")
    assert study_named("mine") == "mine.toml"
    assert study_named("mine/depth") == "mine.toml/depth"
    for name in (None, "mine.toml", "lab5", "lab5/depth", "other", "x" * 300, "with\0null"):
        assert study_named(name) == name


def test_a_study_directory_is_no_study(finished_study: Path, tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match=r"a study directory, which holds results\. wellfit show"):
        study_named(str(finished_study))
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "study.db").write_text("not a database")
    with pytest.raises(StudyFileError, match=r"give its study again$"):
        study_named(str(damaged))
    with pytest.raises(StudyFileError, match="a folder, not a study; for the images in it: --data"):
        study_named(str(tmp_path))


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("wellfit run lab5 --seeds 3", "wellfit run lab5 --seeds 3 --out {}"),
        ("wellfit run --out 'my studies/a' lab5 --fresh", "wellfit run lab5 --out {}"),
        ("wellfit run lab5 --out=x --seeds 9", "wellfit run lab5 --seeds 9 --out {}"),
        ("wellfit run lab5 --out 'it'\"'\"'s'", "wellfit run lab5 --out {}"),
        ("wellfit run lab5; then wellfit run 'my lab.toml' --out x", "wellfit run 'my lab.toml' --out {}"),
        ("wellfit run lab5 lab-depth --out all", ""),
        ("wellfit run --out all lab5/l2 mine.toml", ""),
        ("wellfit judge folder", ""),
        ("wellfit run 'unclosed", ""),
    ],
)
def test_a_copy_of_a_study_directory_is_named_where_it_lies(
    command: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # messages shorten a long quoted path
    directory = Path("my copy")
    create_or_open(
        directory, resolved(load_study("lab5")), provenance={"command": command, "data hash": "", "split hash": ""}
    ).close()
    advice = f", as in: {said.format(shlex.quote(str(directory)))}" if said else "give its study again"
    with pytest.raises(StudyFileError, match=re.escape(advice) + "$"):
        study_named(str(directory))


@pytest.mark.parametrize("name", ["x.png", "x.PDF", "x.csv", "results.toml"])
def test_a_study_directory_is_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match="--out is the study directory, not a file; give --out"):
        study_directory(tmp_path / name)
    (tmp_path / name).mkdir()
    assert study_directory(tmp_path / name) == tmp_path / name  # it is one


def test_other_names_of_study_directories_stay() -> None:
    for path in (None, Path("study"), Path("run.1"), Path("v0.5")):
        assert study_directory(path) == path
