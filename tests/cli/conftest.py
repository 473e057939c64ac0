"""The command line in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import faults
from commands import Ended
from wellfit import cli


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Call the command and return its exit status and what it printed."""

    def call(*arguments: str | Path) -> Ended:
        monkeypatch.setattr(sys, "argv", ["wellfit", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return Ended(int(end.value.code or 0), *capsys.readouterr())

    return call


@pytest.fixture
def short_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without their figures, which take most of the time, for commands whose page nobody looks into."""
    monkeypatch.setattr("wellfit.report.forms.page.render_page", faults.short_page)
