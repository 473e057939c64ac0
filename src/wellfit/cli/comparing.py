"""``wellfit compare``: two studies side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Json
from wellfit.cli.output import make_console, print_json, print_line

First = Annotated[Path, typer.Argument(metavar="A", help="A study directory.")]
Second = Annotated[Path, typer.Argument(metavar="B", help="Another one; differences are B minus A.")]
Page = Annotated[
    Path | None, typer.Option("--out", "--output", metavar="PAGE.html", help="Also write the comparison as a web page.")
]


@app.command(epilog="Example: wellfit compare wellfit-studies/before wellfit-studies/after --out compared.html")
def compare(first: First, second: Second, json: Json = False, out: Page = None) -> None:
    """Compare two studies: variants of the same name, B with A.

    If both have the same data and the same split, they are paired by seed and test example. Otherwise their means are
    compared as independent ones, and the output says why. One correction covers all comparisons.
    """
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
