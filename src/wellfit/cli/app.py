"""The command itself: its name, its help, and what becomes of a mistake."""

from __future__ import annotations

import io
import re
import sys
from typing import Annotated, Any

import typer

from wellfit import __version__
from wellfit.errors import UnknownNameError, WellfitError

__all__ = ["app", "data_app", "main"]

app = typer.Typer(
    name="wellfit",
    help="Find out which regularization makes a small neural network generalize, with error bars.",
    epilog="Start with: wellfit run",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
data_app = typer.Typer(help="Fetch data sets and look at them.", no_args_is_help=True, rich_markup_mode=None)
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
    """Run the command line; a user's mistake is one line on standard error.

    The exit status is 0, or 2 after such a mistake, or 130 after Ctrl-C and SIGTERM.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no such sign shows a question mark
    try:
        # typer makes exit status 130 of Ctrl-C, and is quiet where the reader of our output has gone
        status = app(prog_name="wellfit", standalone_mode=False)
    except WellfitError as error:
        sys.stderr.write(f"wellfit: {error}\n")
        sys.exit(2)
    except Exception as error:  # of click, or of the click that newer typers bring along: known by what it can do
        if not hasattr(error, "format_message"):
            raise
        sys.stderr.write(_usage(error))
        sys.exit(2)
    sys.exit(status if isinstance(status, int) else 0)


def _usage(error: Any) -> str:
    """What is wrong with a call, in one line; or the help, where nothing was called."""
    message = str(error.format_message()).strip()
    context = getattr(error, "ctx", None)
    if message.startswith("Usage:"):
        return f"{message}\n"
    unknown = re.fullmatch(r"No such command '(.*?)'\..*", message, re.DOTALL)
    if context is not None and unknown:
        message = str(UnknownNameError("command", unknown[1], context.command.commands))
    message = " ".join(message.split()).rstrip(".")
    return (
        f"wellfit: {message[:1].lower()}{message[1:]} (see: {context.command_path if context else 'wellfit'} --help)\n"
    )
