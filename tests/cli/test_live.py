"""``wellfit ui``: what it serves, and when it opens a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Ended

Command = Callable[..., Ended]


@pytest.mark.parametrize(
    ("arguments", "display", "ssh", "opened"),
    [((), ":0", "", 1), (("--no-browser",), ":0", "", 0), ((), "", "", 0), ((), ":10", "10.0.0.1 5 10.0.0.2 22", 0)],
)
def test_ui_opens_a_browser_where_there_is_a_display(
    arguments: tuple[str, ...],
    display: str,
    ssh: str,
    opened: int,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    addresses: list[str] = []
    served: list[tuple[Path, int]] = []

    def serve(folder: Path, port: int, on_start: Callable[[str], None]) -> None:
        served.append((folder, port))
        on_start("http://127.0.0.1:1234/")

    monkeypatch.setattr("wellfit.report.forms.live.serve", serve)
    monkeypatch.setattr("webbrowser.open", addresses.append)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setenv("SSH_CONNECTION", ssh)
    monkeypatch.delenv("SSH_TTY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wellfit-studies").mkdir()
    out = command("ui", *arguments).out
    assert out == "Studies live at http://127.0.0.1:1234/ (press Ctrl-C to stop)\n"
    assert len(addresses) == opened
    assert served == [(Path("wellfit-studies"), 8642)]


def test_ui_serves_the_folder_that_is_named(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[tuple[Path, int]] = []
    monkeypatch.setattr("wellfit.report.forms.live.serve", lambda folder, port, _: served.append((folder, port)))
    monkeypatch.chdir(tmp_path)
    assert command("ui", "--port", "0").status == 0
    assert command("ui", tmp_path, "--no-browser").status == 0
    assert served == [(Path(), 0), (tmp_path, 8642)]
