"""``wellfit verify`` and ``merge``: whole study directories."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wellfit import __version__
from wellfit.cli.app import app
from wellfit.cli.options import Directory, Json, study_directory
from wellfit.cli.output import make_console, print_json, print_line, print_paragraph
from wellfit.errors import StoreUnreadableError

if TYPE_CHECKING:
    from wellfit.study.merge import Merged


@app.command(epilog="Example: wellfit verify wellfit-studies/regularization-digits")
def verify(directory: Directory, json: Json = False) -> None:
    """Check every file and recompute every number of a study.

    The numbers are recomputed from the raw results in the study directory; its database is compared with its manifest,
    the page with both. Nothing is written, and the data set is not needed. The exit status is 0, or 2 if anything is
    wrong.
    """
    from wellfit.report.forms.freshness import check_page, unchecked_reports
    from wellfit.study.summarize import summarize
    from wellfit.study.verify import verify_study

    result = verify_study(directory)
    page = directory / "report.html"
    wrong, stale = (
        ((), ())
        if result.problems
        else check_page(summarize(directory, again=True), page, first_edition=result.first_edition)
    )
    found, notes = [*result.problems, *wrong], [*result.notes, *stale, *unchecked_reports(directory)]
    if json:
        problems = [{"file": p.file, "what": p.what, "fix": p.fix} for p in found]
        counts = {"runs": result.runs, "files": result.files, "numbers": result.numbers}
        print_json(
            {"wellfit": __version__, "directory": str(directory), **counts, "fingerprint": result.fingerprint}
            | {"problems": problems, "notes": notes}
        )
    else:
        for line in [*found, *(f"note: {note}" for note in notes)]:
            print_line(line)  # unwrapped, so that paths stay whole
    if found:
        count = f"{len(found)} {'problem' if len(found) == 1 else 'problems'}"
        raise StoreUnreadableError(f"{directory}: {count}, listed on standard output")
    if not json:
        print_line(
            f"{result.runs} runs, {result.files} files: all unchanged; {result.numbers:,} numbers recomputed: all equal"
        )
        if result.fingerprint is not None:
            print_line(f"Fingerprint: {result.fingerprint}")


@app.command(epilog="Example: wellfit merge seeds-0-to-4 seeds-5-to-9 --out both")
def merge(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Two or more study directories.")],
    out: Annotated[Path, typer.Option(help="The new study directory; it must not exist.", callback=study_directory)],
    json: Json = False,
) -> None:
    """Merge directories of one study into a new one.

    The directories may differ in their seeds and variants. The new directory gets a report.
    """
    from wellfit.cli.results import print_places, write_page
    from wellfit.report.forms.terminal import print_summary
    from wellfit.study.merge import merge_studies

    merged = merge_studies(directories, out)
    summary, page = write_page(out)
    taken = {str(place): count for place, count in zip(directories, merged.taken, strict=True)}
    if json:
        counts = {"runs": merged.runs, "taken": taken, "twice": merged.duplicates, "missing": merged.missing}
        print_json(
            {"wellfit": __version__, "directory": str(out), **counts, "codes": merged.codes, "report": str(page)}
            | {"fingerprint": summary.fingerprint}
        )
        return
    console = make_console()
    for text in _merged_lines(merged, taken, elsewhere=summary.elsewhere):
        print_paragraph(console, text)
    console.print()
    print_summary(summary, console)
    print_places(console, summary, page)


def _merged_lines(merged: Merged, taken: Mapping[str, int], *, elsewhere: bool) -> list[str]:
    from wellfit.report.wording import count

    sources = ", ".join(f"{n} from {directory}" for directory, n in taken.items())
    lines = [f"{merged.directory}: {count(merged.runs, 'run')}, {sources}"]
    if merged.duplicates:
        lines.append(f"{count(merged.duplicates, 'run')} in more than one directory, with the same results: kept once")
    if merged.missing:
        them = "it" if merged.missing == 1 else "them"
        lines.append(
            f"{count(merged.missing, 'run')} of its variants and seeds still missing: wellfit run trains {them}"
        )
    if merged.codes > 1:
        lines.append(f"note: the runs come from {merged.codes} versions of wellfit's code, listed in the report")
    if not elsewhere:
        command = f"wellfit run with the same study and --out {merged.directory}"
        lines.append(f"note: {command} adds pictures of the data to its report")
    return lines
