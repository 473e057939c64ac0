"""``wellfit run --until-decided``: what the terminal shows of every analysis."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Ended
from wellfit.study.decide import METHOD

Command = Callable[..., Ended]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory, and lines that do not wrap."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")


@pytest.mark.usefixtures("here")
def test_run_until_decided(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[data]\nname = "digits"\ntrain_share = 0.1\n[model]\nkind = "logistic"\n'
        "[train]\nepochs = 6\nbatch_size = 32\nlearning_rate = 0.05\n"
        "[variants.plain]\n[variants.weak]\nclass_weights = [1e4, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
    )
    run = ("run", "mine.toml", "--until-decided")
    shown = command(*run, "--max-seeds", "10", "--max-minutes", "60")
    assert shown.status == 0
    assert "Interim analysis 1 of 2, at 5 seeds\nDecided: weak (worse)\nUndecided: none\n" in shown.out
    assert " ".join(shown.out.split()).count(METHOD) == 1
    assert "Every comparison is decided, at 5 seeds." in shown.out
    shown = json.loads(command(*run, "--json").out)
    assert shown["study"]["seeds"] == [0, 1, 2, 3, 4]
    assert [c["verdict"] for c in shown["comparisons"]] == ["worse"]
    other = command(*run, "--max-seeds", "20")
    assert (other.status, other.err.count("\n")) == (2, 1)
    assert "planned at 5, 10 seeds, and changing the plan would invalidate their levels" in other.err
    more = command("run", "mine.toml", "--seeds", "7")
    assert more.status == 2
    assert "continue with --until-decided" in more.err
