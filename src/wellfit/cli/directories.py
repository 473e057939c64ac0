"""``wellfit verify`` and ``merge``: study directories as wholes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Directory, Json, print_json
from wellfit.errors import StoreUnreadableError


@app.command(epilog="Example: wellfit verify wellfit-studies/regularization-digits")
def verify(directory: Directory, json: Json = False) -> None:
    """Check every file of a study directory, and recompute every reported number from the raw results.

    Nothing is written, and the data set is not needed. The exit status is 0, or 2 where something is wrong.
    """
    from wellfit.report.freshness import stale_report
    from wellfit.study.summary import summarize
    from wellfit.study.verify import verify_study

    found = verify_study(directory)
    stale = None if found.problems else stale_report(summarize(directory), directory / "report.html")
    notes = [*found.notes, *([stale] if stale else [])]
    if json:
        plain = {"files": found.files, "numbers": found.numbers, "problems": [asdict(p) for p in found.problems]}
        print_json({"wellfit": __version__, "directory": str(directory), "runs": found.runs, **plain, "notes": notes})
    else:
        for line in [*found.problems, *(f"note: {note}" for note in notes)]:
            typer.echo(str(line))
    if found.problems:
        count = f"{len(found.problems)} {'problem' if len(found.problems) == 1 else 'problems'}"
        raise StoreUnreadableError(f"{directory}: {count}, each told on standard output")
    if not json:
        counted = f"{found.runs} runs, {found.files} files: all as saved"
        typer.echo(f"{counted}; {found.numbers:,} numbers recomputed")


@app.command(epilog="Example: wellfit merge seeds-0-to-4 seeds-5-to-9 --out both")
def merge(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Study directories, two or more.")],
    out: Annotated[Path, typer.Option(help="The new study directory; it must not exist.")],
) -> None:
    """Join directories of the same study, whose seeds or variants were run apart, into a new one."""
    from wellfit.study.merge import merge_studies

    done = merge_studies(directories, out)
    told = [f"{done.runs} runs"]
    if done.twice:
        told.append(f"{done.twice} of them found more than once, with the same results")
    if done.missing:
        is_, them = ("is", "it") if done.missing == 1 else ("are", "them")
        told.append(f"{done.missing} of its variants and seeds {is_} not there yet: wellfit run trains {them}")
    typer.echo(f"{done.directory}: {'; '.join(told)}")
    if done.codes > 1:
        typer.echo(f"note: the runs come from {done.codes} states of wellfit's code, which the report names")
    typer.echo(f"See it with: wellfit show {done.directory}")
