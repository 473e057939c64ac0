"""A terminal sees how far a report is; a pipe sees nothing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from wellfit.report.forms.writing_progress import writing_progress


def test_a_terminal_gets_a_bar_that_goes_away() -> None:
    seen = io.StringIO()
    console = Console(file=seen, force_terminal=True, width=80, color_system=None)
    with writing_progress(console) as progress:
        progress("page 1 of [2]", 0.5)
    assert "Report: page 1 of [2]" in seen.getvalue()
    assert " 50 %" in seen.getvalue()
    assert seen.getvalue().endswith("\x1b[2K")  # the last thing erases the line


@pytest.mark.parametrize("terminal", ["", "dumb"])
def test_a_pipe_and_a_dumb_terminal_get_nothing(terminal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", terminal or "xterm")
    seen = io.StringIO()
    with writing_progress(Console(file=seen, force_terminal=bool(terminal))) as progress:
        progress("page 1 of 2", 0.5)
    assert seen.getvalue() == ""
