"""``wellfit ui``: studies in the browser, live."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from wellfit.cli.app import app
from wellfit.cli.output import print_line

DEFAULT = Path("wellfit-studies")


@app.command(epilog="Example: wellfit ui wellfit-studies")
def ui(
    directory: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            help="A study or a folder of studies. Default: wellfit-studies if it exists, else the current folder.",
        ),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0: any free port.")] = 8642,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")] = False,
) -> None:
    """Watch studies live in the browser, also while they train.

    The page can only be opened on this machine. Press Ctrl-C to stop the server (exit status 130).
    """
    from wellfit.report.forms.live import serve

    def on_start(address: str) -> None:
        print_line(f"Studies live at {address} (press Ctrl-C to stop)")
        sys.stdout.flush()
        if not no_browser and _has_display():
            import webbrowser

            webbrowser.open(address)

    serve(directory or (DEFAULT if DEFAULT.is_dir() else Path()), port, on_start)


def _has_display() -> bool:
    """Whether a browser would open a window in front of the user, rather than take over the terminal."""
    if any(map(os.environ.get, ("SSH_CONNECTION", "SSH_TTY"))):
        return False  # the window would open there, or slowly here
    return os.name == "nt" or sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
