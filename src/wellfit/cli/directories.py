"""``wellfit verify`` and ``merge``: study directories as wholes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Directory, Json, make_console, print_json, print_paragraph
from wellfit.errors import StoreUnreadableError

if TYPE_CHECKING:
    from wellfit.study.merge import Merged


@app.command(epilog="Example: wellfit verify wellfit-studies/regularization-digits")
def verify(directory: Directory, json: Json = False) -> None:
    """Check every file of a study directory, and recompute every reported number from the raw results.

    Nothing is written, and the data set is not needed. The exit status is 0, or 2 where something is wrong.
    """
    from wellfit.report.forms.freshness import stale_report
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
            typer.echo(str(line))  # a line each, its path in one piece
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
    json: Json = False,
) -> None:
    """Join directories of the same study, whose seeds or variants were run apart, into a new one, with its report."""
    from wellfit.cli.results import write_report
    from wellfit.report.forms.terminal import print_summary
    from wellfit.study.merge import merge_studies
    from wellfit.study.summary import summarize

    done = merge_studies(directories, out)
    summary = summarize(out)
    page = write_report(summary, out)
    taken = {str(place): count for place, count in zip(directories, done.taken, strict=True)}
    if json:
        counted = {"runs": done.runs, "taken": taken, "twice": done.twice, "missing": done.missing}
        print_json({"wellfit": __version__, "directory": str(out), **counted, "codes": done.codes, "report": str(page)})
        return
    console = make_console()
    for text in _merged(done, taken):
        print_paragraph(console, text)
    console.print()
    print_summary(summary, console)
    console.print(f"Report: {page}", soft_wrap=True, markup=False)


def _merged(done: Merged, taken: Mapping[str, int]) -> list[str]:
    """What a merge did, a fact a line."""
    from wellfit.report.wording import count

    told = [f"{done.directory}: {count(done.runs, 'run')}, {', '.join(f'{n} from {d}' for d, n in taken.items())}"]
    if done.twice:
        told.append(f"{done.twice} of them were in more than one directory, with the same results: taken once")
    if done.missing:
        is_, them = ("is", "it") if done.missing == 1 else ("are", "them")
        told.append(f"{done.missing} of its variants and seeds {is_} not there yet: wellfit run trains {them}")
    if done.codes > 1:
        told.append(f"note: the runs come from {done.codes} states of wellfit's code, which the report names")
    told.append(
        f"note: wellfit run, with the same study and --out {done.directory}, adds pictures of the data to its report"
    )
    return told
