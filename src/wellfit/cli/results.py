"""``wellfit show`` and ``report``: the results in a study directory."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Directory, Json
from wellfit.cli.output import make_console, print_json, print_line, print_lines, print_problem
from wellfit.errors import StudyFileError

if TYPE_CHECKING:
    from rich.console import Console

    from wellfit.base import StudySummary
    from wellfit.report.forms.formats import Printed

Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="html|pdf|md|ipynb|png|svg|pdf-figures",
        help="The format. png, svg, pdf-figures: only the figures, in a folder; the latter two for one column of a "
        "paper. Default: from the ending of --out, else html.",
    ),
]
TableFormat = Annotated[
    str | None,
    typer.Option("--format", metavar="latex|csv|markdown", help="Print one table so. Default with --table: markdown."),
]
TableName = Annotated[
    str | None,
    typer.Option(
        "--table",
        metavar="NAME",
        help="Which: table (the variants), runs, compare, ranking, conclusion, history, mistakes, per-class, "
        "calibration. Default with --format: table.",
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Show every comparison, variant and finding in full.")]
ReportPath = Annotated[
    Path | None, typer.Option("--out", metavar="PATH", help="A file or a folder; default: in the study directory.")
]


@app.command(epilog="Example: wellfit show wellfit-studies/regularization-digits --table compare --format latex")
def show(
    directory: Directory, json: Json = False, full: Full = False, format: TableFormat = None, table: TableName = None
) -> None:
    """Show a study's conclusion and results, or one of its tables.

    Works for finished, running and interrupted studies. LaTeX (for the package booktabs) and Markdown show numbers as
    the report does; CSV has every column in full precision, accuracies as shares of 1.
    """
    from wellfit.report.forms.terminal import print_summary
    from wellfit.study.as_json import to_json
    from wellfit.study.summarize import summarize

    if format is not None or table is not None:
        if json:
            raise StudyFileError("--json prints every table at once; leave out --json, or --format and --table")
        print_lines(_table(directory, table or "table", format or "markdown"))
        return
    summary = summarize(directory)
    if json:
        print_json(to_json(summary, __version__))
    else:
        print_summary(summary, make_console(), full=full)


Text = Annotated[
    Path | None,
    typer.Option(
        "--text",
        metavar="FILE.md",
        help="Your own words, in Markdown: a heading ## NAME for each section, before them the introduction. The study "
        "directory keeps them; an empty file removes them.",
    ),
]
Authors = Annotated[
    list[str] | None, typer.Option("--authors", metavar="NAME", help="An author's name; repeat for several.")
]
Everything = Annotated[
    bool, typer.Option("--all", help="A PDF with every section; of a lab, the sections instead of the lab's own steps.")
]
Cells = Annotated[bool, typer.Option("--code", help="In a lab's PDF, also show the code of every step.")]
Parts = Annotated[bool, typer.Option("--parts", help="For a lab's PDF, first train the parts that are missing.")]
Course = Annotated[str | None, typer.Option("--course", metavar="TEXT", help="The course.")]


@app.command(epilog="Example: wellfit report wellfit-studies/regularization-digits --format pdf")
def report(
    directory: Directory,
    format: Format = None,
    out: ReportPath = None,
    text: Text = None,
    authors: Authors = None,
    course: Course = None,
    all: Everything = False,
    code: Cells = False,
    parts: Parts = False,
) -> None:
    """Write the report as a web page, PDF, Markdown or notebook.

    The report is made from the study directory alone; the data set is not needed. The PDF of a lab is the lab, step by
    step, and shows its data too.
    """
    from wellfit.report.forms.formats import (
        PARTS,
        Printed,
        check_folder,
        font_notice,
        refuse_other_file,
        report_format,
        report_path,
    )
    from wellfit.report.notebook_steps import is_lab

    if out is not None:
        check_folder(out)
    form = report_format(format, out)
    printed = Printed(all=all, code=code, parts=parts)
    if printed != Printed() and form != "pdf":
        raise StudyFileError("--all, --code and --parts are for PDFs; add --format pdf, or leave them out")
    target = report_path(form, out, directory)
    with contextlib.suppress(OSError):  # what cannot be written is refused below, in its own words
        refuse_other_file(target, form)
    _keep_words(directory, text, authors, course)
    summary, path = _write(directory, form, target, printed)
    if notice := font_notice(summary, form):
        print_problem(f"wellfit: {notice}")
    if form == "pdf" and is_lab(summary.name) and not (all or parts or any((directory / PARTS).glob("*/study.db"))):
        print_problem(
            "wellfit: the lab's other parts are not trained, so the PDF lacks them; --parts trains them first"
        )
    print_line(path)


def _keep_words(directory: Path, text: Path | None, authors: list[str] | None, course: str | None) -> None:
    """Keep the authors' own words in the study directory, as far as they are given."""
    from wellfit.report.given_words import new_words
    from wellfit.study.own_words import keep_words, kept_words

    if text is None and authors is None and course is None:
        return
    words, name = kept_words(directory)
    keep_words(directory, new_words(words, name, text=text, authors=authors, course=course, where="wellfit report"))


def _table(directory: Path, table: str, form: str) -> str:
    from wellfit.report.forms.tables import check_names
    from wellfit.results import Results

    name, form = check_names(table, form)  # before the study is read
    return Results(directory).text(name, form).rstrip("\n")


def write_page(directory: Path) -> tuple[StudySummary, Path]:
    """Write a study's page into its directory; return the summary that it shows, and its path."""
    from wellfit.report.forms.formats import report_path

    return _write(directory, "html", report_path("html", None, directory))


def print_places(console: Console, summary: StudySummary, page: Path) -> None:
    """Print where the report is, and the fingerprint of the study."""
    console.print(f"Report: {page}", soft_wrap=True, markup=False)
    if summary.fingerprint is not None:
        console.print(f"Fingerprint: {summary.fingerprint}", soft_wrap=True, markup=False, highlight=False)


def _write(directory: Path, form: str, path: Path, printed: Printed | None = None) -> tuple[StudySummary, Path]:
    from wellfit.report.forms.formats import Printed, write_report
    from wellfit.report.forms.writing_progress import writing_progress
    from wellfit.report.notes import without_weights
    from wellfit.study.report_details import summary_and_details

    with writing_progress(make_console(stderr=True)) as report_progress:
        report_progress("reading the study", 0.0)
        summary, details = summary_and_details(directory)
        written = write_report(summary, details, form, path, directory, report_progress, printed or Printed())
    for notice in without_weights(details):
        print_problem(f"wellfit: {notice}")
    return summary, written
