"""The Typer application, and how errors become exit statuses."""

from __future__ import annotations

import ast
import contextlib
import errno
import io
import os
import re
import shlex
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from wellfit import __version__
from wellfit.cli.output import print_line, print_problem, print_traceback, printing_warnings
from wellfit.cli.signals import INTERRUPTED, LINE, ending_on_signals
from wellfit.errors import UnknownNameError, WellfitError, nearest, printable

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
        print_problem(f"wellfit: {printable(_blamed(str(error), sys.argv[1:]), sys.maxsize)}")
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
    message = _in_our_words(message)
    unknown = re.match(r"""No such command (['"].*['"])\.""", message, re.DOTALL)
    if context is not None and unknown:
        name = ast.literal_eval(unknown[1])  # click quotes it as a string of Python
        message = _unknown_command(name, context.command.commands, context.command_path)
    missed = re.match(r"No such option: (\S+)", message)
    if context is not None and missed:
        options = [name[2:] for parameter in context.command.params for name in parameter.opts if name.startswith("--")]
        close = nearest(missed[1].lstrip("-"), options)
        message = f"no such option: {missed[1]}" + (f"; did you mean --{close}?" if close else "")
    message = " ".join(message.split()).rstrip(".")
    command = context.command_path if context else "wellfit"
    print_problem(f"wellfit: {printable(message[:1].lower() + message[1:])} (see: {command} --help)")


_OF_TYPES: Final = (
    (r"Input should be a valid integer.*", "must be a whole number"),
    (r"Input should be a valid number.*", "must be a number"),
    (r"Input should be a finite number.*", "must be finite"),
    (r"Input should be less than or equal to (\S+)", r"must be at most \1"),
    (r"Input should be greater than or equal to (\S+)", r"must be at least \1"),
    (r"Input should be", "must be"),
    (r"'.*' is not a valid int(eger)?( range)?\.?", "must be a whole number"),
    (r"'.*' is not a valid float( range)?\.?", "must be a number"),
    (r"\S+ is not in the range (\S+?)<=x<=(\S+?)\.?$", r"must be from \1 to \2"),
)
"""How versions of typer say what is wrong with a value, and how wellfit does."""


def _in_our_words(message: str) -> str:
    """A message about the value of an option, like those about settings.

    Example:
      >>> _in_our_words("Invalid value for '--seeds': Input should be a valid integer, unable ...")
      '--seeds: must be a whole number'
      >>> _in_our_words("Invalid value for '--port': 99999 is not in the range 0<=x<=65535.")
      '--port: must be from 0 to 65535'
    """
    found = re.match(r"Invalid value for '(.*?)': (.*)", message, re.DOTALL)
    if found is None:
        return message
    option, theirs = found.groups()
    text = theirs
    for pattern, ours in _OF_TYPES:
        text = re.sub(pattern, ours, text, flags=re.DOTALL)
    if text == theirs:
        return message
    given = _given(sys.argv[1:], option.split(" / ")[0])
    return f"{option}{'' if given is None else f' {given}'}: {text}"


def _given(arguments: list[str], option: str) -> str | None:
    """The value of an option on the command line.

    Example:
      >>> _given(["run", "--seeds", "x"], "--seeds"), _given(["run", "--seeds=x"], "--seeds"), _given([], "--seeds")
      ('x', 'x', None)
    """
    for argument, following in pairwise([*arguments, None]):
        if argument == option:
            return following
        if argument is not None and argument.startswith(f"{option}="):
            return argument.partition("=")[2]
    return None


def _unknown_command(name: str, commands: Iterable[str], path: str) -> str:
    """A line about a command that does not exist; what is not a command may be a study or data."""
    from wellfit.data.entries import CATALOG
    from wellfit.spec.source import builtin_studies

    known, given = sorted(commands), shlex.quote(name)
    if nearest(name, known):
        return str(UnknownNameError("command", name, known))
    is_file = len(name) < 200 and "\0" not in name and Path(name).exists()
    if path.endswith(" data") and (is_file or name in CATALOG or "." in name):
        return f"{name} is not a command; to see a data set: wellfit data info {given}"
    if name in builtin_studies() or name.endswith(".toml"):
        return f"{name} is not a command; to run a study: wellfit run {given}"
    if name in CATALOG or (is_file and not (Path(name) / "study.db").is_file()):
        return f"{name} is not a command; to train on these data: wellfit run --data {given}"
    if is_file:
        return f"{name} is not a command; to see the results in it: wellfit show {given}"
    return str(UnknownNameError("command", name, known))


def _blamed(message: str, arguments: list[str]) -> str:
    """An error about a setting, with the option that gave it if the error does not mention it.

    Example:
      >>> _blamed("batch_size = 9, but it trains on 5 examples", ["run", "--set", "train.batch_size=9"])
      '--set train.batch_size=9: batch_size = 9, but it trains on 5 examples'
      >>> _blamed("batch_size = 9, but it trains on 5 examples", ["run", "--set=train.batch_size=9"])
      '--set train.batch_size=9: batch_size = 9, but it trains on 5 examples'
    """
    if "--set" in message:
        return message
    apart = [value for option, value in pairwise(arguments) if option == "--set"]
    for text in (*apart, *(argument[6:] for argument in arguments if argument.startswith("--set="))):
        key, _, value = text.partition("=")
        if re.search(rf"\b{re.escape(key.strip().split('.')[-1])} = {re.escape(value.strip())}(?!\w)", message):
            return f"--set {text}: {message}"
    return message
