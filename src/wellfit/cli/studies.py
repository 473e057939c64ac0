"""``wellfit list``, ``techniques``, ``new`` and ``schema``: what there is to ask about, and your own study files."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Final

import typer

from wellfit.cli.app import app
from wellfit.cli.options import Json, study_named
from wellfit.cli.output import make_console, print_columns, print_json, print_line, print_lines

if TYPE_CHECKING:
    from wellfit.data.entries import CatalogEntry
    from wellfit.spec.listing import Listed

_WHOLE_TABLE: Final = 110  # columns of a terminal
_ABOUT_COLUMNS: Final = "An arrow leads "  # how a page begins to say what the other columns mean
_MAIN_COLUMNS: Final = (0, 1, 2, 5, 6, 9)  # study, change, difference and verdict, between the table's borders


@app.command("list", epilog="Example: wellfit list lab5")
def list_(
    study: Annotated[
        str | None, typer.Argument(metavar="STUDY", help="A built-in study, or one of its parts.", callback=study_named)
    ] = None,
    json: Json = False,
) -> None:
    """List the built-in studies and data sets, or a study's parts."""
    from wellfit.data.entries import CATALOG
    from wellfit.spec.listing import list_studies

    if study is not None:
        _list_parts(study, json)
        return
    studies, data = list_studies(), list(CATALOG.values())
    if json:
        print_json({"studies": [*map(_plain, studies)], "data": [*map(_plain, data)]})
        return
    width = max(len(name) for name in [*CATALOG, *(entry.name for entry in studies)])
    print_line("Studies (wellfit run NAME; wellfit list NAME shows the parts of a study)")
    print_columns([(entry.name, entry.title) for entry in studies], width)
    print_line("Data sets (--data NAME)")
    print_columns([(entry.name, entry.description) for entry in data], width)


def _list_parts(study: str, json: bool) -> None:
    from wellfit.spec.listing import find_study, list_parts

    itself, parts = find_study(study), [] if "/" in study else list_parts(study)
    if json:
        print_json({**_plain(itself), "parts": [*map(_plain, parts)]})
        return
    print_columns([(entry.name, entry.title) for entry in (itself, *parts)])
    print_line(f"Run one with: wellfit run {(parts or [itself])[-1].name}")


def _plain(entry: Listed | CatalogEntry) -> dict[str, str]:
    return {"name": entry.name, "title": entry.title, "description": entry.description}


@app.command(epilog="Example: wellfit techniques l2")
def techniques(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A technique, or one of its settings.")] = None,
    json: Json = False,
) -> None:
    """List the techniques, or show what one of them does."""
    from wellfit.narrative.techniques import technique, techniques

    if name is None and json:
        print_json([{"name": t.name, "title": t.title, "settings": t.settings} for t in techniques()])
    elif name is None:
        print_columns([(t.name, f"{t.summary.split('. ')[0].rstrip('.')}.") for t in techniques()])
        print_line("Show one with: wellfit techniques l2")
    elif json:
        print_json(asdict(technique(name)))
    else:
        _print_page(technique(name).text)


def _print_page(text: str) -> None:
    """Print a page: as Markdown into a file or a pipe; a narrow terminal gets the main columns of its table."""
    console = make_console()
    if not console.is_terminal:
        print_lines(text.rstrip("\n"))
        return
    from rich.markdown import Markdown

    lines = text.splitlines()
    if console.width < _WHOLE_TABLE:
        lines = [_narrow(line) for line in lines]
    console.print(Markdown("\n".join(lines)))


def _narrow(line: str) -> str:
    """A line of a page with the main columns of its table, and what they mean in place of what the others do."""
    if line.startswith("|"):
        return "|".join(line.split("|")[at] for at in _MAIN_COLUMNS)
    if line.startswith(_ABOUT_COLUMNS):
        return (
            "Differences are in test accuracy, from the variant without the change; a terminal of "
            f"{_WHOLE_TABLE} columns shows the others too."
        )
    return line


@app.command(epilog="Example: wellfit new my-study")
def new(name: Annotated[str, typer.Argument(metavar="NAME", help="The study's name; writes NAME.toml.")]) -> None:
    """Write a commented study file to start from."""
    from wellfit.spec.template import write_template

    path = write_template(name)
    print_line(f"Wrote {path}. Edit it, then: wellfit run {shlex.quote(str(path))}")


@app.command(epilog="Example: wellfit schema > wellfit.schema.json")
def schema() -> None:
    """Print the JSON Schema of study files.

    With this schema, an editor can complete and check study files.
    """
    from wellfit.spec.json_schema import json_schema

    print_json(json_schema())
