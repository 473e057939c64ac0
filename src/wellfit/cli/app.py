"""The Typer application, and how errors become exit statuses."""

from __future__ import annotations

import ast
import contextlib
import errno
import io
import os
import re
import sys
from typing import Annotated, Any, Final

import typer

from wellfit import __version__
from wellfit.cli.output import print_line, print_problem, print_traceback, printing_warnings
from wellfit.cli.signals import INTERRUPTED, LINE, ending_on_signals
from wellfit.errors import UnknownNameError, WellfitError, printable

__all__ = ["app", "data_app", "main"]

UNREAD: Final = 141
"""The exit status that shells report of a program that ends because nobody reads its output: 128 + SIGPIPE."""

_ENVIRONMENT: Final = frozenset(
    {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENAMETOOLONG, errno.ELOOP}
)
"""Errors of the system that are no defect of wellfit, wherever they occur."""

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
        print_line(f"wellfit {__version__}")
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

    Exits with status 0, with 2 and one line on standard error after a user's mistake, with 130 and one line after
    Ctrl-C, SIGTERM or SIGHUP, or with 141 and nothing where nobody reads the output any more (``| head -1``).
    """
    _occupy_streams()
    sys.excepthook = lambda _kind, error, _traceback: print_traceback(error)
    try:
        with ending_on_signals(), printing_warnings():
            status = _run()
    except KeyboardInterrupt:  # outside of a command
        status = INTERRUPTED
    if status == INTERRUPTED:
        print_problem(LINE.rstrip())
    sys.exit(status)


def _occupy_streams() -> None:
    """Open what is closed of the standard streams: the next file would get its number, and what libraries print."""
    with contextlib.suppress(OSError):
        while os.name == "posix" and (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            os.set_inheritable(number, True)
        os.close(number)


def _run() -> int:
    """Run the command line; returns its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a character that the terminal lacks becomes a question mark
    try:
        if sys.stdout is None:
            raise WellfitError("standard output is closed; redirect it, for example: wellfit list > output.txt")
        status = app(prog_name="wellfit", standalone_mode=False)  # turns a KeyboardInterrupt into status 130
        sys.stdout.flush()
    except WellfitError as error:
        print_problem(f"wellfit: {error}")
        return 2
    except SystemExit as end:
        if end.code != 1:
            raise
        return _without_output(UNREAD)  # typer and rich end so where a pipe is closed; wellfit never does
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            return _without_output(UNREAD)
        if error.filename is not None and error.errno in _ENVIRONMENT:
            fix = "fix that, and run the command again"
            print_problem(f"wellfit: {os.fsdecode(error.filename)}: {error.strerror}; {fix}")
            return 2
        if error.filename is not None or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        print_problem(f"wellfit: standard output cannot be written: {error.strerror}; free disk space")
        return _without_output(2)
    except Exception as error:  # click's usage errors; newer versions of typer bundle a click of their own
        if not hasattr(error, "format_message"):
            raise
        _print_usage(error)
        return 2
    return status if isinstance(status, int) else 0


def _without_output(status: int) -> int:
    """The status, once nothing is left that Python would write at its end, and fail again."""
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    with contextlib.suppress(OSError, AttributeError, ValueError):
        os.dup2(sys.stdout.fileno(), sys.__stdout__.fileno())  # type: ignore[union-attr]
    return status


def _print_usage(error: Any) -> None:
    """Print one line about a usage error, or the help text if no command was given."""
    message = str(error.format_message()).strip()
    context = getattr(error, "ctx", None)
    if message.startswith("Usage:"):
        sys.stderr.write(f"{message}\n")
        return
    unknown = re.match(r"""No such command (['"].*['"])\.""", message, re.DOTALL)
    if context is not None and unknown:
        name = ast.literal_eval(unknown[1])  # click quotes it as a string of Python
        message = str(UnknownNameError("command", name, context.command.commands))
    message = " ".join(message.split()).rstrip(".")
    command = context.command_path if context else "wellfit"
    print_problem(f"wellfit: {printable(message[:1].lower() + message[1:])} (see: {command} --help)")
