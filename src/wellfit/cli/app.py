"""The Typer application, and how errors become exit statuses."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import sys
from typing import Annotated, Any

import typer

from wellfit import __version__
from wellfit.cli.signals import INTERRUPTED, LINE, ending_on_signals
from wellfit.errors import UnknownNameError, WellfitError

__all__ = ["app", "data_app", "main"]

app = typer.Typer(
    name="wellfit",
    help="Find out which regularization makes a small network generalize, with error bars.",
    epilog="Start with: wellfit run",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(
    help="Inspect and download data sets.",
    epilog="Example: wellfit data info mnist",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(data_app, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wellfit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line.

    Exits with status 0, with 2 and one line on standard error after a user's mistake, or with 130 and one line after
    Ctrl-C, SIGTERM or SIGHUP.
    """
    try:
        with ending_on_signals():
            status = _run()
    except KeyboardInterrupt:  # outside of a command
        status = INTERRUPTED
    if status == INTERRUPTED:
        _say(LINE)
    sys.exit(status)


def _say(text: str) -> None:
    """Write to standard error, if it is open."""
    with contextlib.suppress(OSError, AttributeError):
        sys.stderr.write(text)


def _run() -> int:
    """Run the command line; returns its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a character that the terminal lacks becomes a question mark
    try:
        # typer turns a KeyboardInterrupt into status 130, and ignores a closed pipe
        status = app(prog_name="wellfit", standalone_mode=False)
    except WellfitError as error:
        _say(f"wellfit: {error}\n")
        return 2
    except OSError as error:
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        _say(f"wellfit: standard output cannot be written: {error.strerror}; free disk space\n")
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  # otherwise Python fails again at its end
        return 2
    except Exception as error:  # click's usage errors; newer versions of typer bundle a click of their own
        if not hasattr(error, "format_message"):
            raise
        _say(_usage(error))
        return 2
    return status if isinstance(status, int) else 0


def _usage(error: Any) -> str:
    """One line about a usage error, or the help text if no command was given."""
    message = str(error.format_message()).strip()
    context = getattr(error, "ctx", None)
    if message.startswith("Usage:"):
        return f"{message}\n"
    unknown = re.fullmatch(r"No such command '(.*?)'\..*", message, re.DOTALL)
    if context is not None and unknown:
        message = str(UnknownNameError("command", unknown[1], context.command.commands))
    message = " ".join(message.split()).rstrip(".")
    command = context.command_path if context else "wellfit"
    return f"wellfit: {message[:1].lower()}{message[1:]} (see: {command} --help)\n"
