"""``wellfit show`` and ``report``: what a study directory holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Directory, Json, make_console, print_json

if TYPE_CHECKING:
    from wellfit.base import StudySummary
    from wellfit.files import OnWriting

Format = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="html|pdf|md|ipynb|png", help="Its form; png: the figures alone. By default as --out ends."
    ),
]
Full = Annotated[bool, typer.Option("--full", help="All of it: every comparison, variant and finding in full.")]
ReportPath = Annotated[
    Path | None, typer.Option("--out", metavar="PATH", help="The file, or a folder; by default in the study directory.")
]


@app.command(epilog="Example: wellfit show wellfit-studies/regularization-digits --json")
def show(directory: Directory, json: Json = False, full: Full = False) -> None:
    """Show the conclusion, the table and the findings of a study: finished, running or interrupted."""
    from wellfit.report.forms.terminal import print_summary
    from wellfit.study.summary import summarize, to_json

    summary = summarize(directory)
    if json:
        print_json(to_json(summary, __version__))
    else:
        print_summary(summary, make_console(), full=full)


@app.command(epilog="Example: wellfit report wellfit-studies/regularization-digits --format pdf")
def report(directory: Directory, format: Format = None, out: ReportPath = None) -> None:
    """Write the report again, from what the study directory holds: a page, a PDF, Markdown, a notebook, or pictures."""
    from wellfit.report.forms.formats import font_notice, report_format, report_path
    from wellfit.report.forms.writing_progress import writing_progress
    from wellfit.study.summary import summarize

    form = report_format(format, out)
    with writing_progress(make_console(stderr=True)) as tell:
        tell("reading the study", 0.0)
        summary = summarize(directory)
        path = _write(summary, directory, form, report_path(form, out, directory), tell)
    if told := font_notice(summary, form):
        typer.echo(f"wellfit: {told}", err=True)
    typer.echo(path)


def write_report(summary: StudySummary, directory: Path) -> Path:
    """Write a study's page into its directory, and return its path."""
    from wellfit.report.forms.formats import report_path
    from wellfit.report.forms.writing_progress import writing_progress

    with writing_progress(make_console(stderr=True)) as tell:
        tell("reading the study", 0.0)
        return _write(summary, directory, "html", report_path("html", None, directory), tell)


def _write(summary: StudySummary, directory: Path, form: str, path: Path, tell: OnWriting) -> Path:
    from wellfit.report.forms.formats import write_report
    from wellfit.study.details import study_details

    details = study_details(directory, summary)
    return write_report(summary, details, form, path, directory, tell)
