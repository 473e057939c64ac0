"""The one order of the report's sections, for every form: titles, contents, and what a reader must know first."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, Final

from wellfit.base import StudyDetails, StudySummary
from wellfit.report import old
from wellfit.report.marks.pictures import Sheet
from wellfit.report.notes import notes, notices
from wellfit.report.parts import Drawing, Part

__all__ = ["Document", "Section", "make_document"]

Fragment = Callable[[Mapping[str, Sheet]], Mapping[str, Any]]
"""The page's sheets of pictures -> the variables of a template; empty where the page has nothing to show."""


@dataclass(frozen=True)
class Section:
    """A heading and what belongs under it.

    Args:
      id: of the page's element, and the name of the subject.
      label: in the page's navigation; empty where it has no entry.
      notes: what a reader must know to read the numbers rightly; not among the parts: every form prints them.
      parts: of the written forms; empty where the page alone has the section.
      fragment: computes what the page's template shows.
      charts: draws the page's interactive charts: id of an element -> chart.
      template: of the page, below ``wellfit.report``.
    """

    id: str
    title: str
    label: str = ""
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    fragment: Fragment = lambda sheets: {}
    charts: Callable[[], Mapping[str, Any]] = dict
    template: str = ""


@dataclass(frozen=True)
class Document:
    """The report of a study.

    Args:
      notices: what must be known before any number; not among the parts: every form prints them.
      sections: in order; the first one answers and has no title.
    """

    title: str
    name: str
    state: str
    notices: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def written(self) -> tuple[Section, ...]:
        """The sections of the written forms: those that have parts."""
        return tuple(section for section in self.sections if section.parts)

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """Every figure, in order."""
        return tuple(part for section in self.sections for part in section.parts if isinstance(part, Drawing))


SECTIONS: Final = (
    ("answer", "", ""),
    ("ranking", "Ranking", "Ranking"),
    ("results", "Results", "Results"),
    ("comparisons", "Comparisons", "Comparisons"),
    ("curves", "Learning curves", "Curves"),
    ("paths", "Sweeps", "Sweeps"),
    ("regions", "Decision regions", "Regions"),
    ("confusion", "Confusion matrix", "Confusion"),
    ("mistakes", "Misclassified images", "Mistakes"),
    ("classes", "Precision, recall and F1 by class", "Classes"),
    ("calibration", "Calibration: are the probabilities trustworthy?", "Calibration"),
    ("weights", "Weights", "Weights"),
    ("data", "The data", "Data"),
    ("findings", "Findings", "Findings"),
    ("published", "Published and measured", "Published"),
    ("runs", "Every run", "Runs"),
    ("reproduce", "How to reproduce this", "Reproduce"),
    ("glossary", "Glossary", "Glossary"),
)
"""Every section: its id, its title, and its name in the page's navigation."""


def make_document(summary: StudySummary, details: StudyDetails) -> Document:
    """Put together what is to be shown of a study; nothing is drawn yet.

    Args:
      summary: in any state; what it has nothing of is left out.

    Returns:
      The document.
    """
    sections = tuple(
        Section(name, title, label, notes(name, summary, details), *_subject(name, summary, details))
        for name, title, label in SECTIONS
    )
    return Document(summary.title, summary.name, summary.state, notices(summary), sections)


Contents = tuple[tuple[Part, ...], Fragment, Callable[[], Mapping[str, Any]], str]
"""Parts, fragment, charts and template of a section."""


def _subject(name: str, summary: StudySummary, details: StudyDetails) -> Contents:
    """The contents of a section that is a subject's."""
    package, module = {
        "comparisons": ("results", "comparisons"),
        "published": ("results", "published"),
        "runs": ("results", "runs"),
    }.get(name, (name, "section"))
    own, interactive = _module(f"{package}.{module}"), _module(f"{name}.interactive")
    template = f"subjects/{package}/{module}.html.j2"
    charts = getattr(interactive, "charts", partial(old.charts, name))
    if own is None:
        parts = tuple(old.parts(name, summary, details))
        fragment: Fragment = partial(old.fragment, name, summary, details)
    else:
        parts, fragment = tuple(own.parts(summary, details)), partial(own.fragment, summary, details)
    return parts, fragment, partial(charts, summary, details), template


def _module(name: str) -> ModuleType | None:
    """A module of a subject, where it is there already."""
    try:
        return importlib.import_module(f"wellfit.report.subjects.{name}")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("wellfit.report.subjects"):
            return None
        raise
