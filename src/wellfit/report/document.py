"""The one order of the report's sections, for every form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final, Protocol

from wellfit.base import StudyDetails, StudySummary
from wellfit.report.legible import legible, legible_summary
from wellfit.report.marks.pictures import Sheet
from wellfit.report.notes import notes, notices, without_weights
from wellfit.report.parts import Drawing, Part
from wellfit.report.subjects.answer import section as answer
from wellfit.report.subjects.calibration import interactive as calibration_charts
from wellfit.report.subjects.calibration import section as calibration
from wellfit.report.subjects.classes import section as classes
from wellfit.report.subjects.confusion import section as confusion
from wellfit.report.subjects.curves import interactive as curve_charts
from wellfit.report.subjects.curves import section as curves
from wellfit.report.subjects.data import section as data
from wellfit.report.subjects.findings import section as findings
from wellfit.report.subjects.glossary import section as glossary
from wellfit.report.subjects.mistakes import section as mistakes
from wellfit.report.subjects.models import section as models
from wellfit.report.subjects.paths import interactive as path_charts
from wellfit.report.subjects.paths import section as paths
from wellfit.report.subjects.ranking import section as ranking
from wellfit.report.subjects.regions import section as regions
from wellfit.report.subjects.reproduce import section as reproduce
from wellfit.report.subjects.results import comparisons, published, runs
from wellfit.report.subjects.results import section as results
from wellfit.report.subjects.techniques import section as techniques
from wellfit.report.subjects.weights import interactive as weight_charts
from wellfit.report.subjects.weights import section as weights

__all__ = ["Document", "Section", "make_document"]

Charts = Callable[[StudySummary, StudyDetails], Mapping[str, Any]]
"""Draws a section's interactive charts: id of an element of the page -> Bokeh chart."""


class Contents(Protocol):
    """A subject's module: what a section holds. The page's template has the module's name and is beside it."""

    __name__: str

    def parts(self, summary: StudySummary, details: StudyDetails) -> list[Part]:
        """What the written forms show; empty if the section has nothing."""

    def fragment(self, summary: StudySummary, details: StudyDetails, sheets: Mapping[str, Sheet]) -> Mapping[str, Any]:
        """What the page's template shows, with the page's sheets of pictures; empty if the section has nothing."""


@dataclass(frozen=True)
class Section:
    """A heading and what belongs under it.

    Args:
      id: of the page's element, and the name of the subject.
      label: in the page's navigation.
      notes: what a reader must know to read the numbers rightly; not among the parts: every form prints them.
      write: makes the parts of the written forms.
      fragment: computes what the page's template shows.
      charts: draws the page's interactive charts.
      template: of the page, below ``wellfit.report``.
    """

    id: str
    title: str
    label: str = ""
    notes: tuple[str, ...] = ()
    write: Callable[[], Sequence[Part]] = tuple
    fragment: Callable[[Mapping[str, Sheet]], Mapping[str, Any]] = lambda sheets: {}
    charts: Callable[[], Mapping[str, Any]] = dict
    template: str = ""

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What the written forms show, made on first access."""
        return tuple(self.write())


@dataclass(frozen=True)
class Document:
    """The report of a study.

    Args:
      notices: what readers must know before any number; not among the parts: every form prints them.
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


ORDER: Final[tuple[tuple[str, str, str, Contents], ...]] = (
    ("answer", "", "", answer),
    ("ranking", "Ranking", "Ranking", ranking),
    ("results", "Results", "Results", results),
    ("comparisons", "Comparisons", "Comparisons", comparisons),
    ("curves", "Learning curves", "Curves", curves),
    ("paths", "Sweeps", "Sweeps", paths),
    ("regions", "Decision regions", "Regions", regions),
    ("confusion", "Confusion matrix", "Confusion", confusion),
    ("mistakes", "Misclassified images", "Mistakes", mistakes),
    ("classes", "Precision, recall and F1 by class", "Classes", classes),
    ("calibration", "Calibration: are the probabilities trustworthy?", "Calibration", calibration),
    ("weights", "Weights", "Weights", weights),
    ("data", "The data", "Data", data),
    ("models", "The networks", "Networks", models),
    ("findings", "Findings", "Findings", findings),
    ("published", "Published and measured", "Published", published),
    ("runs", "Every run", "Runs", runs),
    ("reproduce", "How to reproduce this", "Reproduce", reproduce),
    ("techniques", "The techniques in words and formulas", "Techniques", techniques),
    ("glossary", "Glossary", "Glossary", glossary),
)
"""Every section: its id, its title, its name in the page's navigation, and its contents."""

CHARTS: Final[Mapping[str, Charts]] = {
    "curves": curve_charts.charts,
    "paths": path_charts.charts,
    "calibration": calibration_charts.charts,
    "weights": weight_charts.charts,
}
"""The sections with interactive charts."""


def make_document(summary: StudySummary, details: StudyDetails) -> Document:
    """Put together what a report shows of a study; nothing is drawn yet.

    Args:
      summary: in any state; sections without content are left out.
    """
    summary, details = legible_summary(summary), legible(details)
    sections = tuple(
        Section(
            name,
            title,
            label,
            notes(name, summary, details),
            partial(contents.parts, summary, details),
            partial(contents.fragment, summary, details),
            partial(CHARTS[name], summary, details) if name in CHARTS else dict,
            "/".join(contents.__name__.split(".")[2:]) + ".html.j2",
        )
        for name, title, label, contents in ORDER
    )
    told = (*notices(summary), *without_weights(details))
    return Document(summary.title, summary.name, summary.state, told, sections)
