"""``wellfit list``, ``new`` and ``schema``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import wellfit
from commands import Ended
from wellfit.cli import studies
from wellfit.report.forms.console import EscapingConsole

Command = Callable[..., Ended]


def test_list_shows_studies_and_data(command: Command) -> None:
    status, out, _ = command("list")
    assert status == 0
    assert max(map(len, out.splitlines())) <= 80
    names = [line.split()[0] for line in out.splitlines() if line.startswith("  ") and line[2] != " "]
    output = json.loads(command("list", "--json").out)
    assert {entry["name"] for entry in output["studies"]} >= {"lab5", "regularization"}
    assert {entry["name"] for entry in output["data"]} >= {"digits", "fashion-mnist", "mnist"}
    assert [entry["name"] for entry in output["studies"] + output["data"]] == names
    assert all(set(entry) == {"name", "title", "description"} for entry in output["studies"] + output["data"])


def test_list_does_not_load_numpy() -> None:
    code = (
        "import sys; from wellfit.cli import app; app(['list'], standalone_mode=False); "
        "sys.exit(', '.join({'numpy', 'scipy', 'jax'} & set(sys.modules)) or 0)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(wellfit.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_study_is_listed_with_its_parts(command: Command) -> None:
    plain = json.loads(command("list", "lab5", "--json").out)
    lines = command("list", "lab5").out.splitlines()
    assert plain["name"] == lines[0].split()[0] == "lab5"
    assert [line.split()[0] for line in lines[1:] if line[2] != " "][: len(plain["parts"])] == [
        part["name"] for part in plain["parts"]
    ]
    assert lines[-1] == f"Run one with: wellfit run {plain['parts'][-1]['name']}"


def test_the_techniques_are_listed_and_each_is_shown(command: Command) -> None:
    listed = json.loads(command("techniques", "--json").out)
    assert {"name": "l2", "title": "L2 penalty", "settings": ["l2"]} in listed
    lines = command("techniques").out.splitlines()
    assert [line.split()[0] for line in lines[:-1] if line[2] != " "] == [entry["name"] for entry in listed]
    assert max(map(len, lines)) <= 80
    page = command("techniques", "batch_norm")
    assert (page.status, page.err) == (0, "")
    assert page.out.startswith("# Batch normalization\n\n## What it does\n")
    assert json.loads(command("techniques", "l2", "--json").out)["formula"].startswith("objective = ")
    missed = command("techniques", "dropuot")
    assert (missed.status, missed.out) == (2, "")
    assert missed.err.startswith("wellfit: unknown technique 'dropuot'; did you mean 'dropout'?")


COLUMNS = ("study", "change", "against", "accuracy", "difference", "verdict", "gap", "loss")


@pytest.mark.parametrize(("width", "columns"), [(80, 4), (140, 8)])
def test_a_narrow_terminal_gets_the_main_columns(
    width: int, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = EscapingConsole(width=width, force_terminal=True, color_system=None)
    monkeypatch.setattr(studies, "make_console", lambda: terminal)
    studies.techniques("l2")
    printed = capsys.readouterr().out
    table = printed[
        printed.index("What we measured") : min(at for line in ("───", "━━━ ") if (at := printed.find(line)) >= 0)
    ]
    assert len([name for name in COLUMNS if name in table]) == columns
    assert "worse" in printed
    words = " ".join(printed.split())
    assert ("Differences are in test accuracy, from the variant without the change" in words) == (columns == 4)
    assert ("An arrow leads from" in words) == ("a gap is" in words) == (columns == 8)
    assert "…" not in printed


def test_every_page_says_what_its_columns_mean_in_one_line(command: Command) -> None:
    for listed in json.loads(command("techniques", "--json").out):
        lines = command("techniques", listed["name"]).out.splitlines()
        assert any(line.startswith("An arrow leads ") for line in lines) == any(line[:1] == "|" for line in lines)


def test_a_new_study_file_can_be_planned(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("new", "mine") == (0, "Wrote mine.toml. Edit it, then: wellfit run mine.toml\n", "")
    assert command("plan", "mine.toml", "--json").status == 0
    again = command("new", "mine")
    assert (again.status, again.out, again.err.count("\n")) == (2, "", 1)


def test_the_schema_is_json(command: Command) -> None:
    schema = json.loads(command("schema").out)
    assert {"name", "data", "train", "variants"} <= set(schema["properties"])
