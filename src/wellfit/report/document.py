"""What every written form of the report shows: sections of sentences, tables and figures, computed once.

A PDF, a Markdown file and a folder of pictures say the same because they are made from the same `Document`; what a
study has nothing of is left out. Everything is plain text here: each writer escapes it for its own form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.report import document_figures, wording
from wellfit.report.subjects.calibration import numbers as page_scores
from wellfit.report.subjects.curves.page import shown_first
from wellfit.report.subjects.data import numbers as page_data
from wellfit.report.subjects.paths import numbers as page_paths
from wellfit.report.subjects.results import numbers as rows
from wellfit.spec.study import from_resolved
from wellfit.spec.written import study_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Code", "Document", "Drawing", "Paragraph", "Part", "Section", "TableData", "make_document", "with_notice"]

SCORES: Final = 4
"""Scores in one table: as many as a page is wide for."""

RUNS_SHOWN: Final = 60
"""Runs up to which each has a row of its own; of more, the study directory and the page have them."""


@dataclass(frozen=True)
class Paragraph:
    """Sentences, with a few words in bold before them where ``head`` is not empty.

    ``kind`` is ``"text"``, ``"lead"`` (the answer, set larger), ``"notice"`` (to be read before the numbers) or
    ``"small"`` (what a table or a figure needs to be understood).
    """

    text: str
    head: str = ""
    kind: str = "text"


@dataclass(frozen=True)
class TableData:
    """A table: its headings (none: names and values), its rows, and how many columns from the left are text."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: int = 1


@dataclass(frozen=True)
class Drawing:
    """A figure: the name of its file without suffix, what it shows in a line, and what draws it."""

    name: str
    caption: str
    draw: Callable[[], Figure]


@dataclass(frozen=True)
class Code:
    """Text to be set as it stands."""

    text: str


Part = Paragraph | TableData | Drawing | Code


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, in order."""

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Document:
    """The report of a study: its question, its name, its state, and the sections, the first of which answers."""

    title: str
    name: str
    state: str
    sections: tuple[Section, ...]

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """Every figure, in order."""
        return tuple(part for section in self.sections for part in section.parts if isinstance(part, Drawing))


def make_document(summary: StudySummary, details: StudyDetails) -> Document:
    """Write down what is to be shown of a study.

    Args:
      summary: the study, in any state.
      details: what it looks into beyond the summary.

    Returns:
      The document; nothing is drawn yet.
    """
    found = {
        "The answer": _answer(summary),
        "Ranking": _drawings(document_figures.ranking(summary)),
        "Results": _results(summary),
        "Comparisons": _comparisons(summary),
        "How they learn": _curves(summary),
        "Along the sweeps": _sweeps(details),
        "Where they decide": _drawings(document_figures.regions(summary, details)),
        "What is taken for what": _drawings(document_figures.confusions(summary, details)),
        "The images they get wrong": _drawings(document_figures.galleries(summary, details)),
        "Class by class": _drawings(document_figures.classes(summary, details)),
        "Can the probabilities be believed?": _scores(summary, details),
        "Weights": _drawings(document_figures.weights(summary, details)),
        "The data": _data(summary, details),
        "Findings": _findings(summary),
        "Published beside measured": _published(summary),
        "Every run": _runs(summary),
        "To reproduce it": _provenance(summary),
    }
    sections = tuple(Section(title, tuple(parts)) for title, parts in found.items() if parts)
    return Document(summary.title, summary.name, summary.state, sections)


def with_notice(document: Document, told: str) -> Document:
    """A document that says one thing more below its answer; the same document where there is nothing to say."""
    first, *rest = document.sections
    changed = replace(first, parts=(*first.parts, Paragraph(told, kind="small")))
    return replace(document, sections=(changed, *rest)) if told else document


# --- Sections ---------------------------------------------------------------------------------------------------------


def _answer(summary: StudySummary) -> list[Part]:
    said = [sentence.text for sentence in summary.conclusion[1:]]
    said = said or [part for part in re.split(r"\n\s*\n", summary.verdict) if part.strip()]
    parts: list[Part] = [Paragraph(prose(text), kind="text" if at else "lead") for at, text in enumerate(said)]
    parts += [Paragraph(text, kind="notice") for text in wording.notices(summary)]
    parts += [Paragraph(prose(answer.text), answer.ask) for answer in summary.answers]
    advice = " ".join(sentence.text for sentence in summary.advice)
    parts += [Paragraph(prose(advice), "What to try next")] if advice else []
    return [*parts, TableData((), tuple(rows.facts(summary)), text=2)]


def _results(summary: StudySummary) -> list[Part]:
    letters = wording.letters(summary)
    made = [rows.variant_row(summary, v, i, letters) for i, v in enumerate(summary.variants)]
    lettered = any(row.letters for row in made)
    head = ("Variant", "test accuracy", "95 % interval", "validation", "training", "gap, points", "verdict")
    accuracy = tuple(
        (
            *((row.letters,) if lettered else ()),
            *(row.name, row.test.mean, row.test.interval or wording.NOTHING, row.validation.mean, row.train.mean),
            *(row.gap.mean, row.verdict),
        )
        for row in made
    )
    some = any(row.test.interval for row in made)
    small = "Means over the seeds. "
    small += "The interval counts the seeds and the finite test set. " if some else ""
    small += "The gap is training minus "
    small += "test accuracy; intervals of the further columns are in report.html. " if some else "test accuracy. "
    small += f"The verdict is on test accuracy against {summary.variants[0].name}."
    small += " Variants that share a letter are not told apart where every pair is compared." if lettered else ""
    more = tuple(
        (
            *(row.name, row.loss.mean, row.best_epoch.mean, row.best_epoch.interval or wording.NOTHING),
            *(row.parameters.mean, row.seconds.mean, row.runs or "all ended"),
        )
        for row in made
    )
    told = ("Variant", "test loss", "best epoch", "from – to", "parameters", "seconds", "runs")
    changes = tuple((row.name, ", ".join(row.settings).replace(":,", ":")) for row in made)
    return [
        Paragraph(small, kind="small"),
        TableData(("", *head) if lettered else head, accuracy, text=2 if lettered else 1),
        TableData(told, more),
        TableData(("Variant", "what it changes in the base recipe"), changes, text=2),
    ]


def _comparisons(summary: StudySummary) -> list[Part]:
    made = [rows.comparison_row(c) for c in (*summary.comparisons, *summary.asked)]
    table = tuple(
        (row.variant, row.against, row.difference, row.interval, row.p_value, row.p_adjusted, row.verdict)
        for row in made
    )
    small = "Differences in test accuracy, paired by seed and by test image; p is adjusted for all comparisons (Holm), "
    small += "an interval is of its one."
    head = ("Variant", "against", "difference", "95 % interval", "p", "adjusted p", "verdict")
    return [Paragraph(small, kind="small"), TableData(head, table, text=2)] if table else []


def _curves(summary: StudySummary) -> list[Part]:
    drawn = document_figures.curves(summary)
    told = (
        "Where the validation loss turns upward while the training loss goes on falling, a network begins to over-fit. "
        "Lines: mean over the runs that are still going. Bands: lowest to highest seed. Both splits are measured in "
        "inference mode, without the penalty."
    )
    if len(shown := shown_first(summary)) < len(summary.variants):
        told += f" Drawn: {', '.join(summary.variants[at].name for at in sorted(shown))}, the best on validation of "
        told += f"{len(summary.variants)} variants, and the first; report.html has all."
    return [Paragraph(told, kind="small"), *_drawings(drawn)] if drawn else []


def _sweeps(details: StudyDetails) -> list[Part]:
    parts: list[Part] = []
    for path, drawn in zip(details.paths, _drawings(document_figures.paths(details)), strict=True):
        panel = page_paths.path_panel(path)
        parts += [Paragraph(prose(" ".join(panel.said)), path.key), drawn]
    return [*parts, *_drawings(document_figures.grids(details))]


def _scores(summary: StudySummary, details: StudyDetails) -> list[Part]:
    titles = [title for _, title in page_scores.score_columns(details)]
    made = page_scores.score_rows(summary, details)
    told = (
        "A network that says 90 % should be right nine times out of ten: on the dotted diagonal. The calibration error "
        "(ECE) is how far, on average, what it says lies from how often it is right. In brackets: 95 % intervals, as "
        "far as they are known."
    )
    tables = []
    for start in range(0, len(titles), SCORES):
        which = slice(start, start + SCORES)
        cells = [tuple(f"{text} {_unbroken(bounds)}".rstrip() for _, text, bounds in row.cells[which]) for row in made]
        body = tuple((row.name, *its) for row, its in zip(made, cells, strict=True))
        tables.append(TableData(("Variant", *titles[which]), body))
    drawn = _drawings(document_figures.reliability(summary, details))
    return [Paragraph(told, kind="small"), *tables, *drawn] if made and titles else []


def _data(summary: StudySummary, details: StudyDetails) -> list[Part]:
    if details.look is None:
        return []
    splits = tuple(f"{split} examples" for split in details.look.counts)
    table = tuple((row.name, *row.counts) for row in page_data.data_rows(summary, details.look, None))
    drawn = _drawings(document_figures.data(summary, details.look))
    counted = [TableData(("Class", *splits), table)] if len(table) <= page_data.LARGEST else []
    return [Paragraph(page_data.data_facts(details.look), kind="small"), *drawn, *counted]


def _findings(summary: StudySummary) -> list[Part]:
    found = sorted(summary.findings, key=wording.urgency)
    told = [Paragraph(prose(f"{f.message} {f.fix}".strip()), f"{f.level}, {f.code}") for f in found]
    return [*told] if told else [Paragraph("The checks of data, split and training found nothing to report.")]


def _published(summary: StudySummary) -> list[Part]:
    made = rows.published_rows(summary)
    table = tuple(
        (
            *(row.variant, row.metric, row.published, row.ours.mean, row.ours.interval or wording.NOTHING),
            *(row.lowest_highest, row.difference),
        )
        for row in made
    )
    head = ("Variant", "metric", "published", "measured", "95 % interval", "lowest to highest", "difference")
    small = "What the source reports, and what was measured here, each run alone too: the source trained once."
    return [Paragraph(small, kind="small"), TableData(head, table, text=2)] if table else []


def _runs(summary: StudySummary) -> list[Part]:
    table = tuple((v.name, *rows.run_row(run)) for v in summary.variants for run in v.runs)
    epochs = ("epochs", "read at", "best", "rises after")
    head = ("Variant", "seed", "state", *epochs, "training", "validation", "test", "loss", "s")
    if len(table) > RUNS_SHOWN:
        told = f"{len(table)} runs; wellfit show --json and Results.runs() list every one."
        unusual = tuple(row for row in table if row[2] in ("diverged", "pending"))[:RUNS_SHOWN]
        return [Paragraph(told, kind="small"), *([TableData(head, unusual)] if unusual else [])]
    return [TableData(head, table)]


def _provenance(summary: StudySummary) -> list[Part]:
    command = summary.provenance.get("command", "")
    facts = tuple((key, str(value)) for key, value in summary.provenance.items() if key != "command")
    parts: list[Part] = [Code(command)] if command else []
    parts += [TableData((), facts, text=2)] if facts else []
    return [*parts, Paragraph("The whole study, as a file that wellfit run takes:", kind="small"),
            Code(study_file(from_resolved(summary.settings)))]  # fmt: skip


# --- Parts ------------------------------------------------------------------------------------------------------------


def prose(text: str) -> str:
    """Sentences as print sets them: a true minus sign before a number.

    Example:
      >>> prose("It lost -0.5 points at 128-64.")
      'It lost −0.5 points at 128-64.'
    """
    return wording.true_minus(text)


def _unbroken(bounds: str) -> str:
    """An interval that is not broken at the end of a line."""
    return bounds.replace(" ", "\u00a0")


def _drawings(found: list[document_figures.Named]) -> list[Part]:
    return [Drawing(name, caption, draw) for name, caption, draw in found]
