"""The contents of the live pages: pieces of HTML, rendered again as studies progress, with every text escaped."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from wellfit.base import RunSummary, StudySummary
from wellfit.report import wording
from wellfit.report.forms.page_template import page_environment, page_source, page_styles
from wellfit.report.notes import notices
from wellfit.report.subjects.answer.section import conclusion
from wellfit.report.subjects.findings.section import by_urgency
from wellfit.report.subjects.results.numbers import variant_rows
from wellfit.study.status import StudyStatus

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = [
    "LIBRARY",
    "Listed",
    "Parts",
    "choose_page",
    "list_page",
    "list_parts",
    "list_row",
    "missing_page",
    "page_variables",
    "study_parts",
    "template",
]

LIBRARY: Final = "/bokeh.js"
"""Path of BokehJS."""

SCRIPTS: Final = ("live", "lines", "pointer")

NO_FINDINGS: Final = "The checks of the data, the split and the training have found nothing to report so far."

Parts = dict[str, str]
"""Element id -> its content, as HTML."""


@dataclass(frozen=True)
class Listed:
    """A study of the folder: its id, its path, and a glance at it, or why it cannot be read."""

    id: str
    place: str
    glance: StudyStatus | None
    trouble: str = ""


def template(name: str) -> Template:
    """A page: ``"list"`` or ``"study"``."""
    return page_environment().get_template(f"forms/live/{name}.html.j2")


@lru_cache(maxsize=1)
def _looks() -> dict[str, Any]:
    """Style, script and library of every live page."""
    from markupsafe import Markup

    css = page_styles() + page_source("forms/styles/live.css")
    js = "\n".join(page_source(f"forms/scripts/{name}.js") for name in SCRIPTS)
    return {"css": Markup(css), "js": Markup(js), "library": LIBRARY}


def page_variables(title: str) -> dict[str, Any]:
    """Title, style, script and library of every live page."""
    return {"heading": title, **_looks()}


def missing_page(heading: str, explanation: str) -> str:
    """The page for an address that does not exist."""
    return template("missing").render(**page_variables(heading), explanation=explanation)


def list_page(parts: Parts, page: int) -> str:
    """The page with a part of the list; ``page``: which, from 1."""
    return template("list").render(page_variables("wellfit, live"), parts=parts, page=page)


def choose_page(chosen: Mapping[str, Any], others: Sequence[Mapping[str, Any]]) -> str:
    """The page that asks which study to compare with.

    Args:
      chosen: the row of a study.
      others: the rows of the finished studies beside it.
    """
    return template("choose").render(page_variables("Compare with which study?"), chosen=chosen, others=others)


def list_parts(rows: Sequence[Mapping[str, Any]], folder: str, page: int = 1, pages: int = 1, count: int = 0) -> Parts:
    """The content of the list of studies.

    Args:
      rows: of this page, in order: from `list_row`, or with an id, a place, and a ``trouble``, or nothing yet.
      folder: its path, or why it cannot be read.
      page, pages: which page of how many it is, from 1.
      count: how many studies there are on all pages.
    """
    return {"studies": _part("studies", rows=rows, folder=folder, page=page, pages=pages, count=count)}


def list_row(listed: Listed) -> dict[str, Any]:
    """The row of a study in the list: texts and numbers only, for thousands of them are kept."""
    glance = listed.glance
    if glance is None:
        return {"id": listed.id, "place": listed.place, "trouble": listed.trouble}
    summary = glance.summary
    shown = {
        "title": summary.title,
        "state": summary.state,
        "data": summary.data,
        "variants": len(summary.variants),
        "seeds": len(summary.seeds),
    }
    progress = _progress(glance)
    del progress["summary"]
    return {"id": listed.id, "place": listed.place, "trouble": "", **shown, **progress}


def _progress(glance: StudyStatus) -> dict[str, Any]:
    """The variables of a line on a study's progress."""
    summary = glance.summary
    runs = [run for variant in summary.variants for run in variant.runs]
    return {
        "summary": summary,
        "percent": round(100 * glance.share, 1),
        "runs": _count_runs(runs, len(glance.active), summary.state == "running"),
        "training": bool(glance.active),
        "epoch": glance.epoch,
        "epochs": glance.epochs,
        "lead": glance.leader and (glance.leader.variant, glance.leader.epoch, wording.percent(glance.leader.accuracy)),
        "changed": round(glance.changed, 1),
        "clock": datetime.datetime.fromtimestamp(glance.changed, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "time": wording.duration(summary.seconds),
        "left": "" if glance.left is None else wording.rough(max(glance.left, 1.0)),
    }


def _count_runs(runs: Sequence[RunSummary], started: int, running: bool) -> str:
    """How many runs are training, finished and waiting, in words."""
    ended = sum(run.state != "pending" for run in runs)
    waiting = len(runs) - ended - started
    if not waiting and not started:
        return {1: "the run is finished", 2: "both runs finished"}.get(len(runs), f"all {len(runs)} runs finished")
    training = f"{wording.count(started, 'run')} {'training' if running else 'interrupted'}"
    finished = f"{ended or 'none'}{'' if started else f' of {len(runs)} runs'} finished"
    return ", ".join([*([training] if started else []), finished, *([f"{waiting} waiting"] if waiting else [])])


def study_parts(listed: Listed, full: StudySummary | None) -> Parts:
    """The content of a study's page.

    Args:
      listed: a study that can be read.
      full: its full summary, with test results and comparisons; None until it has been computed.

    Returns:
      ``progress``, ``answer``, ``table``, ``findings``, and ``structure``, a hash that changes when the page must be
      reloaded.
    """
    glance = listed.glance
    assert glance is not None
    summary = glance.summary
    latest = full or summary
    if summary.state == "running" and not _tested(full):  # a full summary would repeat this for every question
        latest = summary
    paragraphs = conclusion(latest)
    if summary.state == "running" and not paragraphs:
        paragraphs = ["No conclusion yet: the test set is opened when every run has ended."]
    structure = repr((summary.title, [v.name for v in summary.variants], summary.epochs))
    return {
        "progress": _part("progress", id=listed.id, **_progress(glance)),
        "answer": page_environment()
        .get_template("subjects/answer/text.html.j2")
        .render(summary=latest, paragraphs=paragraphs, notices=_notices(summary, full)),
        "table": _part(
            *("table",),
            rows=_rows(glance),
            tested=_tested(full),
            summary=summary,
            compared=wording.compared(summary),
        ),
        "findings": _part("findings", checked=full is not None, **_findings(full)),
        "structure": hashlib.sha256(structure.encode()).hexdigest(),
    }


def _notices(summary: StudySummary, full: StudySummary | None) -> Sequence[str]:
    """What readers must know first; while a study trains, its progress says everything."""
    if summary.state == "running":
        return ()
    fresh = full is not None and full.state == summary.state  # an older one would say that it is still running
    return notices(full if full is not None and fresh else summary)


def _findings(full: StudySummary | None) -> Mapping[str, Any]:
    """What the findings' template shows; nothing before the checks have run."""
    return {} if full is None else by_urgency(full) | {"nothing": NO_FINDINGS}


def _tested(full: StudySummary | None) -> Mapping[str, Any]:
    """Rows of the full table by variant, if the test set has been opened."""
    if full is None or not any("test_accuracy" in v.mean for v in full.variants):
        return {}
    return {row.name: row for row in variant_rows(full)}


def _rows(glance: StudyStatus) -> list[dict[str, Any]]:
    """The rows of the table: the current state of every variant's runs."""
    rows = []
    for index, variant in enumerate(glance.summary.variants):
        scored = [run for run in variant.runs if run.validation_accuracy is not None]
        validation = [run.validation_accuracy or 0.0 for run in scored]
        training = [run.train_accuracy or 0.0 for run in scored]
        losses = [run.validation_loss for run in scored if run.validation_loss is not None]
        mean, train = _mean(validation), _mean(training)
        several = (min(validation), max(validation)) if len(validation) > 1 else None
        rows.append(
            {
                "index": index,
                "name": variant.name,
                "settings": wording.settings_or_none(variant.settings, elsewhere=glance.summary.elsewhere),
                "states": _states(variant.runs, glance.epoch),
                "epochs": _epochs(variant.runs),
                "validation": wording.percent(mean),
                "validation_range": wording.interval(several).strip("[]").replace(", ", " to "),
                "training": wording.percent(train),
                "gap": wording.points(None if train is None or mean is None else train - mean, signed=True),
                "loss": wording.NOTHING if not losses else f"{sum(losses) / len(losses):.4f}",
            }
        )
    return rows


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _states(runs: Sequence[RunSummary], epoch: int) -> str:
    """How many runs ended and how; how many are training, have trained all their epochs, or wait."""
    saved = [run for run in runs if run.state != "pending"]
    started = [run.epochs for run in runs if run.state == "pending" and run.epochs is not None]
    training = sum(epochs >= epoch for epochs in started)
    counts = (
        (training, "training"),
        (len(started) - training, "trained"),
        (len(runs) - len(saved) - len(started), "waiting"),
    )
    parts = [wording.run_states(saved)] if saved else []
    return ", ".join([*parts, *(f"{count} {word}" for count, word in counts if count)])


def _epochs(runs: Sequence[RunSummary]) -> str:
    epochs = [run.epochs for run in runs if run.epochs is not None]
    if not epochs:
        return wording.NOTHING
    return str(min(epochs)) if min(epochs) == max(epochs) else f"{min(epochs)} to {max(epochs)}"


def _part(name: str, **variables: Any) -> str:
    return template(name).render(**variables)
