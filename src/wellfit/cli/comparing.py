"""``wellfit compare``: two studies side by side, or the same variants on several data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Json
from wellfit.cli.output import make_console, print_json, print_line
from wellfit.errors import OtherStudyError

Directories = Annotated[
    list[Path], typer.Argument(metavar="DIR...", help="Study directories: A and B, or one for each data set.")
]
Datasets = Annotated[bool, typer.Option("--datasets", help="The directories hold studies of different data sets.")]
Page = Annotated[
    Path | None,
    typer.Option(
        "--out", "--output", metavar="FILE",
        help="Also write the comparison as a web page (.html), or with --datasets the ranks as a figure (.svg, .pdf).",
    ),
]  # fmt: skip


@app.command(epilog="Example: wellfit compare wellfit-studies/before wellfit-studies/after --out compared.html")
def compare(directories: Directories, datasets: Datasets = False, json: Json = False, out: Page = None) -> None:
    """Compare two studies, or variants over several data sets.

    Two studies, A and B: variants of the same name, B with A. If both have the same data and the same split, they are
    paired by seed and test example. Otherwise their means are compared as independent ones, and the output says why.
    One correction covers all comparisons.

    With --datasets: mean ranks over the data sets, with verdicts on these data sets and tests for others like them.
    """
    if datasets:
        _compare_datasets(directories, json, out)
    elif len(directories) == 2:
        _compare_two(directories[0], directories[1], json, out)
    else:
        fix = "give two, or add --datasets to compare variants over several data sets"
        raise OtherStudyError(
            f"{len(directories)} study {'directory' if len(directories) == 1 else 'directories'}; {fix}"
        )


def _compare_two(first: Path, second: Path, json: bool, out: Path | None) -> None:
    from wellfit.report.forms.side_by_side import print_side_by_side, write_side_by_side
    from wellfit.study.side_by_side import compare_studies, to_json

    found = compare_studies(first, second)
    page = None if out is None else write_side_by_side(found, out)
    if json:
        print_json(to_json(found, __version__) | ({} if page is None else {"page": str(page)}))
        return
    print_side_by_side(found, make_console())
    if page is not None:
        print_line(f"Page: {page}")


def _compare_datasets(directories: list[Path], json: bool, out: Path | None) -> None:
    from wellfit.across import judge_datasets
    from wellfit.report.forms.over_datasets import print_over_datasets
    from wellfit.study.over_datasets import data_names

    found = judge_datasets(data_names(directories))
    figure = None if out is None else found.save(out)
    if json:
        print_json({"wellfit": __version__} | found.to_json() | ({} if figure is None else {"figure": str(figure)}))
        return
    print_over_datasets(found, found.sentences, make_console())
    if figure is not None:
        print_line(f"Figure: {figure}")
