"""What the commands print, and the only place where they do.

Titles, names, paths and cells may come from a stranger. What could steer a terminal or hide a part of a text is
therefore shown as in Python's strings.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import textwrap
import traceback
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import typer

from wellfit.errors import escaped, printable

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "make_console",
    "print_columns",
    "print_json",
    "print_line",
    "print_lines",
    "print_paragraph",
    "print_problem",
    "print_sentence",
    "print_traceback",
    "printing_warnings",
]


def make_console(stderr: bool = False) -> Console:
    """A console that uses color in terminals only and honors NO_COLOR."""
    from wellfit.report.forms.console import EscapingConsole

    return EscapingConsole(stderr=stderr, highlight=False, soft_wrap=False)


def print_line(text: object) -> None:
    """Print one line, unwrapped; a line break in it is shown, not made."""
    typer.echo(printable(str(text), sys.maxsize))


def print_lines(text: str) -> None:
    """Print several lines, unwrapped."""
    typer.echo(escaped(text))


def print_sentence(text: str) -> None:
    """Print a sentence in one line; a terminal gets it in lines that end between words."""
    typer.echo(_fitted(text, sys.stdout))


def print_problem(text: str) -> None:
    """Print one line to standard error, if that is open; a terminal gets it in lines that end between words."""
    _say(f"{_fitted(text, sys.stderr)}\n")


def _fitted(text: str, stream: TextIO | None) -> str:
    """One line, or lines as wide as the terminal."""
    line = printable(text, sys.maxsize)
    with contextlib.suppress(OSError, AttributeError, ValueError):  # closed
        if stream.isatty():  # type: ignore[union-attr]
            width = max(shutil.get_terminal_size().columns, 20)
            return textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return line


def print_traceback(error: BaseException) -> None:
    """Print a bug to standard error."""
    _say(escaped("".join(traceback.format_exception(error))))


@contextlib.contextmanager
def printing_warnings() -> Iterator[None]:
    """Print each warning as one line while the context lasts."""

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        label = "note" if category is UserWarning else category.__name__  # wellfit's own are notes for its user
        print_problem(f"{label}: {message}")

    before, warnings.showwarning = warnings.showwarning, show
    try:
        yield
    finally:
        warnings.showwarning = before


def _say(text: str) -> None:
    with contextlib.suppress(OSError, AttributeError, ValueError):  # closed
        sys.stderr.write(text)
        sys.stderr.flush()


def print_paragraph(console: Console, text: str, style: str | None = None, indent: str = "") -> None:
    """Print text wrapped between words to the console's width, later lines indented; markup characters are literal."""
    from wellfit.report.forms.terminal import wrapped
    from wellfit.report.wording import ascii_only

    text = ascii_only(text) if console.options.ascii_only else text
    for line in wrapped(text, console.width, indent):
        console.print(line, style=style, soft_wrap=True, markup=False)


def print_columns(rows: Sequence[tuple[str, str]], width: int = 0, indent: str = "  ") -> None:
    """Print names and texts in two columns, wrapped to the terminal's width or else to 80 columns."""
    width = width or max(len(name) for name, _ in rows)
    blank = " " * (len(indent) + width + 2)
    room = max(shutil.get_terminal_size().columns - len(blank), 20)
    for name, text in rows:
        lines = textwrap.wrap(escaped(text), room, break_long_words=False, break_on_hyphens=False) or [""]
        typer.echo(f"{indent}{printable(name):<{width}}  " + f"\n{blank}".join(lines))


def print_json(value: Any) -> None:
    """Print plain data as JSON, in ASCII because any pipe can carry it."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")
