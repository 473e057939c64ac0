"""``wellfit show`` and ``report``: what a study directory holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Directory, Json, make_console, print_json
from wellfit.errors import StoreError

if TYPE_CHECKING:
    from wellfit.base import StudySummary


@app.command(epilog="Example: wellfit show wellfit-studies/regularization-digits --json")
def show(directory: Directory, json: Json = False) -> None:
    """Show the table, the verdicts and the findings of a study: finished, running or interrupted."""
    from wellfit.report.terminal import print_summary
    from wellfit.study.summary import summarize, to_json

    summary = summarize(directory)
    if json:
        print_json(to_json(summary, __version__))
    else:
        print_summary(summary, make_console())


@app.command(epilog="Example: wellfit report wellfit-studies/regularization-digits")
def report(directory: Directory) -> None:
    """Write the report again, from what the study directory holds."""
    from wellfit.study.summary import summarize

    typer.echo(write_report(summarize(directory), directory))


def write_report(summary: StudySummary, directory: Path) -> Path:
    """Write a study's report into its directory, and return its path."""
    from wellfit.report.page import write_page
    from wellfit.study.details import study_details

    path = directory / "report.html"
    try:
        return write_page(summary, study_details(directory, summary), path)
    except OSError as error:
        mend = f"make room or give access, then: wellfit report {directory}"
        raise StoreError(f"{path}: the report cannot be written: {error.strerror}; {mend}") from None
