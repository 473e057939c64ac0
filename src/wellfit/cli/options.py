"""Options shared by the commands."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

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


def typed_command() -> str:
    """The command line as typed, for the report and for the hint on how to continue."""
    return shlex.join(["wellfit", *sys.argv[1:]])
