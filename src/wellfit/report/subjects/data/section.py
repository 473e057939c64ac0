"""The data in the report."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from wellfit.base import DataOverview, StudyDetails, StudySummary
from wellfit.report.marks.pictures import Sheet
from wellfit.report.marks.svg import inline_svg
from wellfit.report.parts import Drawing, Paragraph, Part, Table
from wellfit.report.subjects.data.numbers import LARGEST, SPLITS, class_examples, describe_data
from wellfit.report.subjects.data.static import plot_data, plot_points
from wellfit.report.wording import capitalized

__all__ = ["fragment", "parts"]

DRAWN: Final = 30
"""Classes up to which each has a row of examples on paper."""


def parts(summary: StudySummary, details: StudyDetails) -> list[Part]:
    """What the data are, what was decided about them, examples of every class, and how many every split has."""
    if (data := details.data) is None:
        return []
    size = len(summary.classes)
    caption = "The first training examples of every class, and its number of examples in every split."
    drawing = Drawing("data", caption, partial(plot_data, data, summary.classes))
    headings = ("Class", *(f"{SPLITS[split].capitalize()} examples" for split in data.counts))
    counts = Table(headings, tuple((row.name, *row.counts) for row in class_examples(summary, data)))
    facts = [Table((), _facts(data), text=2)] if data.facts else []
    drawings = [*([drawing] if size <= DRAWN else []), *_points(summary, details)]
    return [Paragraph(describe_data(data), kind="small"), *facts, *drawings, *([counts] if size <= LARGEST else [])]


def _points(summary: StudySummary, details: StudyDetails) -> list[Drawing]:
    """A scatter plot of data with two features."""
    if not details.regions:
        return []
    of = next(iter(details.regions.values()))
    draw = partial(plot_points, of.points, of.labels, summary.classes, names=of.axes)
    return [Drawing("scatter", f"{len(of.labels):,} training examples by their two features.", draw)]


def _facts(data: DataOverview) -> tuple[tuple[str, str], ...]:
    return tuple((capitalized(name), text) for name, text in data.facts)


def fragment(summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    """The same for the page; of a table of features, its first rows too; of two features, a scatter plot."""
    if (data := details.data) is None:
        return {}
    rows = class_examples(summary, data, sheets.get("examples"))
    first = Table(data.rows[0], data.rows[1:], text=0) if data.rows else None
    points = [(drawing.caption, inline_svg(drawing.draw())) for drawing in _points(summary, details)]
    return {
        "gist": describe_data(data),
        "facts": _facts(data),
        "splits": tuple(SPLITS[split].capitalize() for split in data.counts),
        "rows": rows,
        "first": first,
        "points": points,
    }
