"""What the commands share: their options, and how they print."""

from __future__ import annotations

import json as jsonlib
import shlex
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "DataName",
    "Directory",
    "EpochCount",
    "Fresh",
    "Json",
    "Out",
    "PrecisionName",
    "Quick",
    "SeedCount",
    "Settings",
    "StudyName",
    "make_console",
    "print_columns",
    "print_json",
    "say",
    "typed_command",
]

Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON and nothing else.")]
StudyName = Annotated[
    str | None, typer.Argument(metavar="STUDY", help="A built-in study, or a .toml file; see: wellfit list")
]
DataName = Annotated[str | None, typer.Option(help="Another data set for the study: a name, or a path.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, such as train.l2=1e-4.")
]
SeedCount = Annotated[int | None, typer.Option("--seeds", help="How many seeds: 0, 1, ...")]
EpochCount = Annotated[int | None, typer.Option("--epochs", help="Epochs of every variant that does not set its own.")]
Out = Annotated[Path | None, typer.Option("--out", help="The study directory; made where it is missing.")]
PrecisionName = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="float32|mixed|auto",
        help="Of matrix products; mixed: factors in bfloat16, sums in float32; auto: mixed, where that is faster.",
    ),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="A smaller study for a first look: fewer epochs, seeds, values, examples.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Throw away what the directory holds, and start anew.")]
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="A study directory.")]


def make_console(stderr: bool = False) -> Console:
    """A console that colors only a terminal, and honors NO_COLOR."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def say(console: Console, text: str, style: str | None = None) -> None:
    """Print a paragraph, wrapped between words to the console's width, whatever the text holds."""
    from wellfit.report.forms.terminal import wrapped

    for line in wrapped(text, console.width):
        console.print(line, style=style, soft_wrap=True, markup=False)


def print_columns(rows: Sequence[tuple[str, str]], width: int = 0, indent: str = "  ") -> None:
    """Print names and, beside them, words that are wrapped to the terminal's width, or to 80 columns elsewhere."""
    width = width or max(len(name) for name, _ in rows)
    blank = " " * (len(indent) + width + 2)
    room = max(shutil.get_terminal_size().columns - len(blank), 20)
    for name, words in rows:
        lines = textwrap.wrap(words, room, break_long_words=False, break_on_hyphens=False) or [""]
        typer.echo(f"{indent}{name:<{width}}  " + f"\n{blank}".join(lines))


def print_json(value: Any) -> None:
    """Print plain data as JSON."""
    sys.stdout.write(jsonlib.dumps(value, indent=2, allow_nan=False) + "\n")  # ASCII, which every pipe can carry


def typed_command() -> str:
    """The command as it was typed, for the report and for the hint how to continue."""
    return shlex.join(["wellfit", *sys.argv[1:]])
