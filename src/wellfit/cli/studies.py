"""``wellfit list``, ``new`` and ``schema``: which studies there are, and how to write one."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from wellfit.cli.app import app
from wellfit.cli.options import Json, print_columns, print_json


@app.command("list", epilog="Example: wellfit list lab5")
def list_(
    study: Annotated[str | None, typer.Argument(metavar="STUDY", help="A built-in study, or a part of one.")] = None,
    json: Json = False,
) -> None:
    """List the built-in studies and data sets, each with a line or two; or a study and its parts."""
    from wellfit.data.entries import CATALOG
    from wellfit.spec.listing import Listed, find_study, list_parts, list_studies

    def shown(entry: Listed) -> dict[str, str]:
        return {"name": entry.name, "title": entry.title, "description": entry.description}

    if study is not None:
        itself, parts = find_study(study), [] if "/" in study else list_parts(study)
        if json:
            print_json({**shown(itself), "parts": [shown(part) for part in parts]})
            return
        print_columns([(entry.name, entry.title) for entry in (itself, *parts)])
        typer.echo(f"Run one with: wellfit run {(parts or [itself])[-1].name}")
        return
    studies = list_studies()
    if json:
        print_json(
            {
                "studies": [shown(entry) for entry in studies],
                "data": [{"name": e.name, "title": e.title, "description": e.description} for e in CATALOG.values()],
            }
        )
        return
    width = max(len(name) for name in [*CATALOG, *(s.name for s in studies)])
    typer.echo("Studies (wellfit run NAME; wellfit list NAME shows the parts of one)")
    print_columns([(entry.name, entry.title) for entry in studies], width)
    typer.echo("Data sets (--data NAME)")
    print_columns([(name, data.description) for name, data in CATALOG.items()], width)


@app.command(epilog="Example: wellfit new my-study")
def new(name: Annotated[str, typer.Argument(metavar="NAME", help="The study's name; its file is NAME.toml.")]) -> None:
    """Write a commented study file to start from."""
    from wellfit.spec.template import write_template

    path = write_template(name)
    typer.echo(f"{path}: change it, then: wellfit run {shlex.quote(str(path))}")


@app.command(epilog="Example: wellfit schema > wellfit.schema.json")
def schema() -> None:
    """Print the JSON Schema of study files, with which an editor completes and checks them."""
    from wellfit.spec.json_schema import json_schema

    print_json(json_schema())
