"""Options and output helpers shared by the commands."""

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
    "DataSettings",
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
    "print_paragraph",
    "typed_command",
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
StudyName = Annotated[
    str | None, typer.Argument(metavar="STUDY", help="A built-in study (see: wellfit list) or a .toml file.")
]
DataName = Annotated[str | None, typer.Option(help="Use this data set instead: a name or a path.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, for example train.l2=1e-4. Repeatable."),
]
DataSettings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of [data], like data.label=NAME. Repeatable."),
]
SeedCount = Annotated[int | None, typer.Option("--seeds", help="Number of seeds (0, 1, 2, ...).")]
EpochCount = Annotated[int | None, typer.Option("--epochs", help="Epochs for every variant that does not set its own.")]
Out = Annotated[Path | None, typer.Option("--out", help="The study directory; created if missing.")]
PrecisionName = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="float32|mixed|auto",
        help="Precision of matrix products. mixed: bfloat16 factors, float32 sums; auto: mixed where it is faster.",
    ),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Run a smaller version: fewer epochs, seeds, sweep values and examples.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Delete the study in the directory first.")]
Directory = Annotated[Path, typer.Argument(metavar="DIR", help="A study directory.")]


def make_console(stderr: bool = False) -> Console:
    """A console that uses color in terminals only and honors NO_COLOR."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False)


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
        lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
        typer.echo(f"{indent}{name:<{width}}  " + f"\n{blank}".join(lines))


def print_json(value: Any) -> None:
    """Print plain data as JSON, in ASCII because any pipe can carry it."""
    sys.stdout.write(jsonlib.dumps(value, indent=2, allow_nan=False) + "\n")


def typed_command() -> str:
    """The command line as typed, for the report and for the hint on how to continue."""
    return shlex.join(["wellfit", *sys.argv[1:]])
