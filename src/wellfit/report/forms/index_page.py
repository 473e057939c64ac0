"""The studies of a folder as one page: ``index.html``, with the answer of each and a link to its report."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wellfit.base import StudySummary
from wellfit.errors import StoreError, printable
from wellfit.files import replacing
from wellfit.report import wording
from wellfit.report.forms.formats import refuse_other_file
from wellfit.report.forms.live.page import Listed, list_row
from wellfit.report.forms.live.scan import Found, scan
from wellfit.report.forms.page_template import page_environment, page_source, page_styles
from wellfit.report.legible import legible_summary
from wellfit.report.subjects.answer.section import conclusion
from wellfit.study.shareable import last_part
from wellfit.study.status import read_status
from wellfit.study.summarize import summarize

__all__ = ["ANSWERED", "INDEX", "write_index"]

INDEX: Final = "index.html"

ANSWERED: Final = 100
"""Studies whose answer the page shows, the latest first; of further ones it shows the state."""


@dataclass(frozen=True)
class Entry:
    """A study on the page.

    Args:
      place: its path within the folder.
      report: the path of its report within the folder, with slashes; empty without one.
      title, data: of the study; empty where it cannot be read.
      state: ``finished``, ``running`` or ``interrupted``.
      answer: what the study shows; empty where it is not shown.
      facts: counts of variants, seeds and runs, and the time.
      trouble: why it cannot be read.
    """

    place: str
    report: str = ""
    title: str = ""
    data: str = ""
    state: str = ""
    answer: str = ""
    facts: tuple[str, ...] = ()
    trouble: str = ""


def write_index(folder: Path) -> Path:
    """Write the page of all studies in a folder, whole or not at all.

    Args:
      folder: that holds study directories; those directly in it and one level below are listed.

    Returns:
      Its path, ``index.html`` in the folder.

    Raises:
      StoreError: the page cannot be written, or would replace a file that wellfit has not written.
    """
    target = folder / INDEX
    refuse_other_file(target, "html")
    try:
        found = scan(folder)
        entries = [_entry(folder, one, number < ANSWERED) for number, one in enumerate(found)]
        with replacing(target) as temporary:
            temporary.write_text(_page(folder, entries), encoding="utf-8")
    except OSError as error:
        fix = "free disk space or fix the permissions, then run the same command again"
        raise StoreError(f"{target}: cannot be written: {error.strerror or error}; {fix}") from None
    return target


def _page(folder: Path, entries: list[Entry]) -> str:
    from markupsafe import Markup

    template = page_environment().get_template("forms/templates/index.html.j2")
    css = page_styles() + page_source("forms/styles/live.css")
    name = printable(last_part(os.path.abspath(folder)))
    return template.render(
        css=Markup(css), folder=name, entries=entries, count=wording.count(len(entries), "study", "studies")
    )


def _entry(folder: Path, found: Found, answered: bool) -> Entry:
    """What is shown of a study; why it cannot be read, where that is so."""
    place = found.place
    if found.trouble:
        return Entry(place, trouble=found.trouble)
    report = found.path / "report.html"
    address = os.path.relpath(report, folder).replace(os.sep, "/") if report.is_file() else ""
    try:
        if answered:
            return _answered(place, address, legible_summary(summarize(found.path)))
        row = list_row(Listed(found.id, place, read_status(found.path)))
    except StoreError as error:
        shown = str(error).replace(f"{folder}{os.sep}", "")  # the page is sent to others
        return Entry(place, trouble=printable(shown))
    counts = (wording.count(row["variants"], "variant"), wording.count(row["seeds"], "seed"), row["runs"])
    texts = {key: printable(str(row[key])) for key in ("title", "data", "state")}
    return Entry(place, address, facts=counts, **texts)


def _answered(place: str, address: str, summary: StudySummary) -> Entry:
    runs = [run for variant in summary.variants for run in variant.runs]
    ended = sum(run.state != "pending" for run in runs)
    facts = [
        wording.count(len(summary.variants), "variant"),
        wording.count(len(summary.seeds), "seed"),
        wording.count(len(runs), "run") if ended == len(runs) else f"{ended} of {wording.count(len(runs), 'run')}",
    ]
    if not summary.elsewhere:
        facts.append(wording.duration(summary.seconds))
    answer = " ".join(conclusion(summary)[:2])
    return Entry(place, address, summary.title, last_part(summary.data), summary.state, answer, tuple(facts))
