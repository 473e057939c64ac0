"""Two studies side by side, in the terminal and as a page that works offline."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from wellfit.errors import StoreError
from wellfit.files import replacing
from wellfit.narrative.metrics import is_loss
from wellfit.report import wording
from wellfit.report.forms.formats import check_folder, refuse_other_file
from wellfit.report.forms.page_template import page_environment, page_styles
from wellfit.report.forms.terminal import wrapped
from wellfit.report.forms.terminal_tables import fitting
from wellfit.report.legible import legible, legible_summary
from wellfit.report.marks.fonts import quiet
from wellfit.report.marks.svg import inline_svg
from wellfit.report.subjects.side_by_side.numbers import (
    difference_table,
    headline,
    lists,
    notes,
    pair_table,
    place,
)
from wellfit.report.subjects.side_by_side.static import plot_differences
from wellfit.study.shareable import last_part
from wellfit.study.side_by_side import SideBySide

__all__ = ["print_side_by_side", "render_side_by_side", "write_side_by_side"]

_COLUMNS = ("verdict", "difference", "interval", "p", "first", "first interval", "second", "second interval")
"""Those of ``pair_table`` after the first."""
_LAYOUTS = (
    ("first", "first interval", "second", "second interval", "difference", "interval", "p", "verdict"),
    ("first", "second", "difference", "interval", "p", "verdict"),
    ("first", "second", "difference", "interval", "verdict"),
    ("difference", "interval", "verdict"),
    ("difference", "verdict"),
    ("verdict",),
)
"""Columns, fewer and fewer; the first that fit are shown."""


def print_side_by_side(found: SideBySide, console: Console) -> None:
    """Print the headline, the table, and what else differs, wrapped to the console's width."""
    found = _legible(found)
    loss = is_loss(found.first.compared)
    headings = {"first": "A" if loss else "A, %", "second": "B" if loss else "B, %", "p": "adj. p", "verdict": "B is"}
    headings |= {"difference": "B - A" if loss else "B - A, points"}
    headings |= dict.fromkeys(("first interval", "second interval", "interval"), "95 % interval")
    rows = []
    for name, *cells in pair_table(found).rows:
        plain = [wording.ascii_only(cell.removesuffix(" points").removesuffix(" %")) for cell in cells]
        styles = {"verdict": wording.VERDICT_STYLES.get(plain[0].rstrip("*"), "dim")}
        texts = {column: Text(cell, styles.get(column, "")) for column, cell in zip(_COLUMNS, plain, strict=True)}
        rows.append((Text(name), texts))
    _print(console, f"A: {place(found.first)}", "")
    _print(console, f"B: {place(found.second)}", "")
    _print(console, headline(found), "bold")
    console.print()
    console.print(fitting(wording.compared(found.first), headings, rows, _LAYOUTS, console.width)[0])
    console.print()
    for text in (*notes(found), *lists(found)):
        _print(console, text, "dim")
    differences = difference_table(found)
    if differences.rows:
        console.print()
        _print(console, "What else differs:", "")
        for key, first, second in differences.rows:
            _print(console, f"{key}: {first} (A), {second} (B)", "dim", "  ")


def render_side_by_side(found: SideBySide) -> str:
    """The comparison as HTML that refers to nothing outside itself."""
    from markupsafe import Markup

    found = _legible(found)
    first, second = (replace(one, directory=last_part(one.directory)) for one in (found.first, found.second))
    found = replace(found, first=first, second=second)
    with quiet():
        figure = inline_svg(plot_differences(found))
    page = page_environment().get_template("forms/templates/side_by_side.html.j2")
    return page.render(
        found=found,
        places=(place(found.first), place(found.second)),
        headline=headline(found),
        notes=notes(found),
        lists=lists(found),
        pairs=pair_table(found),
        differences=difference_table(found),
        summary=found.first,
        figure=figure,
        css=Markup(page_styles()),
    )


def write_side_by_side(found: SideBySide, path: str | os.PathLike[str]) -> Path:
    """Write the comparison as one HTML file, whole or not at all.

    Raises:
      StoreError: it cannot be written, or would replace a file that wellfit has not written.
    """
    target = Path(path)
    check_folder(target)
    try:
        refuse_other_file(target, "html")
        with replacing(target) as temporary:
            temporary.write_text(render_side_by_side(found), encoding="utf-8")
    except OSError as error:
        fix = "free disk space, fix the permissions, or choose another file"
        raise StoreError(f"{target}: cannot be written: {error.strerror or error}; {fix}") from None
    return target


def _legible(found: SideBySide) -> SideBySide:
    return replace(
        found,
        first=legible_summary(found.first),
        second=legible_summary(found.second),
        **{key: legible(value) for key, value in vars(found).items() if key not in ("first", "second")},
    )


def _print(console: Console, text: str, style: str, indent: str = "") -> None:
    text = wording.ascii_only(text) if console.options.ascii_only else text
    for line in wrapped(text, console.width, indent):
        console.print(line, style=style or None, soft_wrap=True, markup=False)
