"""Options shared by the commands."""

from __future__ import annotations

import itertools
import shlex
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from wellfit.errors import StudyFileError

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
    "StudyNames",
    "continuing_command",
    "study_directory",
    "study_named",
    "typed_command",
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]


def study_named(name: str | None) -> str | None:
    """A study as given to a command; a file is found without its suffix, and a study directory is refused.

    Raises:
      StudyFileError: a folder.
    """
    from wellfit.spec.source import builtin_studies

    head, slash, part = (name or "").partition("/")
    if not name or head in builtin_studies():
        return name
    try:
        if Path(f"{name}.toml").is_file():
            return f"{name}.toml"
        if part and Path(f"{head}.toml").is_file() and not Path(name).exists():
            return f"{head}.toml{slash}{part}"
        if not Path(name).is_dir():
            return name
    except (OSError, ValueError):  # no valid file name, which is said later
        return name
    place = shlex.quote(name)
    if (Path(name) / "study.db").is_file():
        if _trained_elsewhere(Path(name)):
            raise StudyFileError(f"{name}: its runs were trained elsewhere. wellfit show {place} shows them; judge "
                                 "further ones into another directory, and join both with wellfit merge")  # fmt: skip
        raise StudyFileError(
            f"{name}: a study directory, which holds results. wellfit show {place} shows them; to add seeds or epochs, "
            f"give its study again{_command_of(Path(name))}"
        )
    fix = f"for the images in it: --data {place}; for the studies in it: wellfit ui {place}"
    raise StudyFileError(f"{name}: a folder, not a study; {fix}")


def _trained_elsewhere(directory: Path) -> bool:
    from wellfit.errors import StoreError
    from wellfit.store import open_existing

    try:
        with open_existing(directory) as store:
            return bool(store.metadata.spec().elsewhere)
    except StoreError:
        return False


def _command_of(directory: Path) -> str:
    """The command that made a study directory, for the end of a sentence; empty if it is not known."""
    from wellfit.errors import StoreError
    from wellfit.spec.overlay import split_part
    from wellfit.spec.source import builtin_studies
    from wellfit.store import open_existing

    try:
        with open_existing(directory) as store:
            command = str(store.metadata.provenance().get("command", ""))
    except StoreError:
        return ""
    try:
        words = shlex.split(command.rsplit("; then ", maxsplit=1)[-1])
    except ValueError:
        return ""
    known = builtin_studies()
    studies = [word for word in words[2:] if word.endswith(".toml") or split_part(word)[0] in known]
    if words[:2] != ["wellfit", "run"] or len(studies) > 1:  # of several, one directory is not a folder for all
        return ""
    kept = [
        word
        for before, word in itertools.pairwise(["", *words])
        if before != "--out" and word not in ("--out", "--fresh") and not word.startswith("--out=")
    ]
    return f", as in: {shlex.join([*kept, '--out', str(directory)])}"  # not where it was made: this may be a copy


def study_directory(path: Path | None) -> Path | None:
    """A directory for a study; a name that belongs to a file is refused.

    Raises:
      StudyFileError: it ends like a report, a picture or data.
    """
    if path is None or path.is_dir() or path.suffix.lower() not in _OF_FILES:
        return path
    place, form = shlex.quote(str(path.with_suffix(""))), path.suffix[1:].lower()
    then = f"; then: wellfit report {place} --format {form}" if form in _REPORTS else ""
    raise StudyFileError(f"--out {path}: --out is the study directory, not a file; give --out {place}{then}")


_REPORTS: Final = ("html", "ipynb", "md", "pdf", "png", "svg")
_OF_FILES: Final = frozenset({*(f".{form}" for form in _REPORTS), ".csv", ".json", ".toml", ".txt", ".zip"})

StudyName = Annotated[
    str | None,
    typer.Argument(metavar="STUDY", help="A built-in study (see: wellfit list) or a .toml file.", callback=study_named),
]
StudyNames = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="STUDY",
        help="A built-in study (see: wellfit list) or a .toml file; several are trained together.",
        callback=lambda names: [study_named(name) for name in names or ()],
    ),
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
Out = Annotated[
    Path | None, typer.Option("--out", help="The study directory; created if missing.", callback=study_directory)
]
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
    """The command line as typed, for the report."""
    return shlex.join(["wellfit", *sys.argv[1:]])


def continuing_command() -> str:
    """The command line that continues what was interrupted: as typed, but without deleting what is there."""
    return typed_command().replace(" --fresh", "")
