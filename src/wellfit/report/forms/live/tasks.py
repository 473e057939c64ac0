"""What the server lets another process do: everything that opens a study or takes long."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from wellfit.base import StudySummary
from wellfit.errors import escaped, printable
from wellfit.report.forms.live.page import Listed, Parts, list_row, page_variables, study_parts, template
from wellfit.report.legible import legible_summary
from wellfit.study.status import Stamp, StudyStatus, read_status

__all__ = ["Look", "comparison", "library", "look", "ready", "report", "row", "study_page", "summary"]

PATIENCE: Final = 2.0
"""Seconds to wait for a database that another process has locked; the one that trains locks it for an instant."""

KEPT: Final = 4
"""Studies, of which only what has changed is read again."""


@dataclass(frozen=True)
class Look:
    """What pages show of a study at one moment.

    Args:
      stamp: of its directory.
      running: whether it is being trained.
      key: changes when a new full summary would have new content.
      parts: the contents of its page.
      curves: position of a variant -> its curves as JSON, for the variants that were asked for.
      wanted: these variants.
    """

    stamp: Stamp
    running: bool
    key: str
    parts: Parts
    curves: Mapping[int, str]
    wanted: frozenset[int]

    @property
    def version(self) -> str:
        """Changes with what a page shows."""
        return hashlib.sha256(repr((self.stamp, self.parts)).encode()).hexdigest()[:16]


_statuses: dict[Path, StudyStatus] = {}


def ready() -> None:
    """Nothing, once everything is imported."""


def row(study: str, path: Path, place: str) -> tuple[Stamp, dict[str, Any]]:
    """The row of a study in the list, and the stamp of its directory."""
    glance = _status(path)
    return glance.stamp, list_row(Listed(study, place, glance))


def look(study: str, path: Path, place: str, full: StudySummary | None, wanted: Collection[int]) -> Look:
    """A look at a study.

    Args:
      full: what `summary` has returned, as long as there is nothing newer.
      wanted: positions of the variants whose curves are wanted; others than the study has are ignored.
    """
    glance = _status(path)
    return Look(
        stamp=glance.stamp,
        running=glance.summary.state == "running",
        key=_key(glance),
        parts=study_parts(Listed(study, place, glance), full),
        curves=_curves(glance.summary, wanted),
        wanted=frozenset(wanted),
    )


def summary(study: str, path: Path, place: str) -> StudySummary:
    """The full summary of a study without its histories and predictions."""
    from wellfit.study.summarize import summarize

    return legible_summary(replace(summarize(path), histories={}, confusion={}))


def study_page(study: str, path: Path, place: str) -> tuple[str, bytes]:
    """The page of a study with all of its curves, and the hash of its structure."""
    from markupsafe import Markup

    from wellfit.report.marks.interactive import charts_json
    from wellfit.report.subjects.curves.interactive import live_charts
    from wellfit.report.subjects.curves.section import choices

    glance = _status(path)
    of_study = glance.summary
    charts = live_charts(of_study)
    for name, chart in charts.items():
        chart.name = name
    parts = study_parts(Listed(study, place, glance), None)
    text = template("study").render(
        page_variables(of_study.title),
        summary=of_study,
        directory=printable(of_study.directory),
        **choices(of_study),
        parts=parts,
        study=study,
        charts=Markup(charts_json(charts)),
        roots={f"root-{name}": chart.id for name, chart in charts.items()},
    )
    return parts["structure"], text.encode("utf-8", "replace")


def report(study: str, path: Path, place: str) -> bytes:
    """The report of a study as HTML."""
    from wellfit.report.forms.page import render_page
    from wellfit.study.report_details import summary_and_details

    return render_page(*summary_and_details(path)).encode("utf-8", "replace")


def comparison(study: str, path: Path, place: str, other: Path) -> bytes:
    """Two studies side by side, as HTML."""
    from wellfit.report.forms.side_by_side import render_side_by_side
    from wellfit.study.side_by_side import compare_studies

    return render_side_by_side(compare_studies(path, other)).encode("utf-8", "replace")


def library() -> bytes:
    """BokehJS."""
    from wellfit.report.marks.interactive import bokeh_library

    return bokeh_library().encode()


def _status(path: Path) -> StudyStatus:
    """The status of a study; what has not changed since the last time is not read again."""
    before = _statuses.pop(path, None)
    _statuses[path] = glance = read_status(path, before, patience=PATIENCE)
    while len(_statuses) > KEPT:
        del _statuses[next(iter(_statuses))]
    shown = glance.summary
    return replace(glance, summary=replace(shown, title=escaped(shown.title), data=escaped(shown.data)))


def _key(glance: StudyStatus) -> str:
    state, tested, records, seeds, variants = glance.key
    return hashlib.sha256(repr((state, tested, sorted(records), seeds, variants)).encode()).hexdigest()


def _curves(summary: StudySummary, wanted: Collection[int]) -> dict[int, str]:
    from wellfit.report.subjects.curves.interactive import live_columns

    known = [index for index in wanted if index < len(summary.variants)]
    return {index: json.dumps(live_columns(summary, index), separators=(",", ":")) for index in known}
