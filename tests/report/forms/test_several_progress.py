"""Several trainings in the terminal at once."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from wellfit.report.forms.several_progress import several_progress
from wellfit.study.run import Progress


def shown(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("CI", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    console = Console(width=80, file=io.StringIO(), force_terminal=terminal)
    with several_progress(console, ["lab5", "a\x1b[2Jb", "held"]) as display:
        display.update("lab5", Progress(1, 2, 30, 0, 0.5, left=100.0))
        display.update("a\x1b[2Jb", Progress(2, 2, 0, 0, 1.0))
        display.end("lab5")
        display.end("held")
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def test_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(False, monkeypatch).splitlines()
    assert lines == ["lab5: training", "a\\x1b[2Jb: training", "lab5: trained in 0.0 s"]


def test_a_bar_for_each_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(True, monkeypatch)
    for word in ("lab5", "waiting", "a\\x1b[2Jb", "lab5: trained in 0.0 s"):
        assert word in text
    assert "\x1b[2Jb" not in text
