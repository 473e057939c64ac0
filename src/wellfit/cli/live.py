"""``wellfit ui``: the report, live."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from wellfit.cli.app import app


@app.command(epilog="Example: wellfit ui wellfit-studies")
def ui(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="A study, or a folder with studies: wellfit-studies, else here."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where to listen; 0: any that is free.")] = 8642,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
) -> None:
    """Show studies in the browser, live: all of a folder, and how each learns while it trains in another process.

    Only this machine can open the page. Ctrl-C ends it, with exit status 0: it has done its work.
    """
    from wellfit.report.forms.live import serve

    default = Path("wellfit-studies")

    def on_start(address: str) -> None:
        typer.echo(f"Studies live at {address} (Ctrl-C ends it)")
        sys.stdout.flush()
        if not no_browser and _has_screen():
            import webbrowser

            webbrowser.open(address)

    serve(directory or (default if default.is_dir() else Path()), port, on_start)


def _has_screen() -> bool:
    """Whether a browser would open a window; one in the terminal would take the terminal."""
    return os.name == "nt" or sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
