"""The one order of the report's sections, for every form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final, Protocol

from wellfit.base import StudyDetails, StudySummary
from wellfit.errors import escaped
from wellfit.report.legible import legible, legible_summary
from wellfit.report.marks.pictures import Sheet
from wellfit.report.notebook_steps import lab_sections
from wellfit.report.notes import notes, notices, without_weights
from wellfit.report.own_words import named_section
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

__all__ = ["Document", "Section", "brief", "left_words", "make_document", "only", "section_names", "words_about"]

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
      words: the authors' own, in Markdown; not among the parts: every form prints them before the parts.
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
    words: str = ""

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What the written forms show, made on first access."""
        return tuple(self.write())


@dataclass(frozen=True)
class Document:
    """The report of a study.

    Args:
      authors, course: who hands it in, and for which course.
      left_out: what the whole report has and this one has not: figures by their captions, sections by their titles.
      introduction: the authors' own words before the first section, in Markdown.
      notices: what readers must know before any number; not among the parts: every form prints them.
      sections: in order; the first one answers and has no title.
    """

    title: str
    name: str
    state: str
    notices: tuple[str, ...]
    sections: tuple[Section, ...]
    authors: tuple[str, ...] = ()
    course: str = ""
    introduction: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def byline(self) -> str:
        """The authors and the course in one line; empty without them."""
        return " · ".join(filter(None, (", ".join(self.authors), self.course)))

    @property
    def written(self) -> tuple[Section, ...]:
        """The sections of the written forms: those that have parts or own words."""
        return tuple(section for section in self.sections if section.parts or section.words)

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """Every figure, in order."""
        return tuple(part for section in self.sections for part in section.parts if isinstance(part, Drawing))


ORDER: Final[tuple[tuple[str, str, str, Contents | None], ...]] = (
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
    ("words", "In the authors' own words", "Own words", None),
    ("conclusion", "Conclusion", "Conclusion", None),
    ("published", "Published and measured", "Published", published),
    ("runs", "Every run", "Runs", runs),
    ("reproduce", "How to reproduce this", "Reproduce", reproduce),
    ("techniques", "The techniques in words and formulas", "Techniques", techniques),
    ("glossary", "Glossary", "Glossary", glossary),
)
"""Every section: its id, its title, its name in the page's navigation, and its contents; None: only own words."""

CHARTS: Final[Mapping[str, Charts]] = {
    "curves": curve_charts.charts,
    "paths": path_charts.charts,
    "calibration": calibration_charts.charts,
    "weights": weight_charts.charts,
}
"""The sections with interactive charts."""


LEFT_OUT: Final = ("classes", "calibration", "weights", "techniques", "runs", "glossary")
"""Sections that a printed report leaves out, unless it is asked for all."""


def make_document(summary: StudySummary, details: StudyDetails) -> Document:
    """Put together what a report shows of a study; nothing is drawn yet.

    Args:
      summary: in any state; sections without content are left out.
    """
    own = summary.settings.get("report", {})
    words = _by_section(summary)
    summary, details = legible_summary(summary), legible(details)
    sections = tuple(
        Section(
            name,
            title,
            label,
            notes(name, summary, details),
            words=words.get(name, ""),
            **_made(name, contents, summary, details),
        )
        for name, title, label, contents in ORDER
    )
    told = (*notices(summary), *without_weights(details))
    return Document(
        summary.title,
        summary.name,
        summary.state,
        told,
        sections,
        authors=tuple(map(escaped, own.get("authors", ()))),
        course=escaped(own.get("course", "")),
        introduction=words.get("introduction", ""),
    )


def _made(name: str, contents: Contents | None, summary: StudySummary, details: StudyDetails) -> dict[str, Any]:
    """How a section's parts, fragment and charts are made."""
    if contents is None:
        return {}
    return {
        "write": partial(contents.parts, summary, details),
        "fragment": partial(contents.fragment, summary, details),
        "charts": partial(CHARTS[name], summary, details) if name in CHARTS else dict,
        "template": "/".join(contents.__name__.split(".")[2:]) + ".html.j2",
    }


def brief(document: Document) -> Document:
    """A document for print, without what a reader looks up: the page and the whole document have it.

    Sections with own words stay; drawings that only add detail are left out of all.
    """
    short = only(document, [section for section in document.sections if section.id not in LEFT_OUT or section.words])
    sections = tuple(replace(section, write=partial(_without_detail, section)) for section in short.sections)
    detail = [drawing.caption.partition(". ")[0].rstrip(".") for drawing in short.drawings if drawing.detail]
    return replace(short, sections=sections, left_out=(*detail, *short.left_out))


def _without_detail(section: Section) -> list[Part]:
    return [part for part in section.parts if not (isinstance(part, Drawing) and part.detail)]


def only(document: Document, sections: Sequence[Section]) -> Document:
    """A document with other sections, which knows what it lacks."""
    kept = {section.id for section in sections}
    left = tuple(section.title for section in document.sections if section.parts and section.id not in kept)
    return replace(document, sections=tuple(sections), left_out=left)


def section_names(study: str) -> dict[str, tuple[str, ...]]:
    """What the authors of a study can write about: id -> title and label; of a lab, its own titled steps first.

    Args:
      study: its name.

    Example:
      >>> names = section_names("lab5")
      >>> names["curves"], names["look"], names["conclusion"][0]
      (('Learning curves', 'Curves'), ('1. Look at the data',), 'Conclusion')
    """
    own = lab_sections(study)
    general = {
        name: (*own.get(name, ()), *filter(None, (title, label)))
        for name, title, label, _ in ORDER
        if name not in ("answer", "words")
    }
    return {"introduction": ("Introduction",), "answer": ("Answer", "The answer"), **own, **general}


def words_about(summary: StudySummary) -> dict[str, str]:
    """The authors' own words by what they are about: a lab's step, a section, or else the name as written."""
    known = section_names(summary.name)
    found: dict[str, list[str]] = {}
    for name, text in summary.settings.get("report", {}).get("text", {}).items():
        found.setdefault(named_section(name, known) or name, []).append(text)
    return {about: "\n\n".join(texts) for about, texts in found.items()}


def left_words(words: Mapping[str, str], study: str) -> list[tuple[str, str]]:
    """Title and text of own words that no step of a notebook has shown; the conclusion is the last.

    Example:
      >>> left_words({"conclusion": "So.", "weights": "Small."}, "lab5")
      [('Weights', 'Small.'), ('Conclusion', 'So.')]
    """
    known = section_names(study)
    named = {name: (known[name][0] if name in known else escaped(name), text) for name, text in words.items()}
    return [
        *(of for name, of in named.items() if name != "conclusion"),
        *(of for n, of in named.items() if n == "conclusion"),
    ]


def _by_section(summary: StudySummary) -> dict[str, str]:
    """The authors' own words by the id of the section that shows them.

    Words about steps that only a lab's notebook has, and those whose section is unknown, stand together in one section.
    """
    known, here = section_names(summary.name), {name for name, *_ in ORDER} | {"introduction"}
    about = words_about(summary)
    found = {name: text for name, text in about.items() if name in here}
    others = {known[name][0] if name in known else name: text for name, text in about.items() if name not in here}
    texts = [f"### {title}\n\n{text}" for title, text in others.items()]
    return found | ({"words": "\n\n".join(texts)} if texts else {})
