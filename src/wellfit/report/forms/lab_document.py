"""A lab's report to hand in: the steps of its notebook in the lab's order, with what their cells show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from wellfit.base import OwnWords, StudyDetails, StudySummary
from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.files import OnWriting, ignore_progress
from wellfit.report import wording
from wellfit.report.document import Document, Section, left_words, make_document, only, words_about
from wellfit.report.forms.executed import Cells
from wellfit.report.forms.formats import PARTS
from wellfit.report.forms.notebook_helpers import helpers_for
from wellfit.report.legible import legible_summary
from wellfit.report.notebook_steps import Step, steps_of_lab
from wellfit.report.parts import Code, Drawing, Paragraph, Part, Words
from wellfit.spec.study import load_study
from wellfit.spec.written import study_file
from wellfit.store import open_existing

__all__ = ["lab_document"]

SETUP: Final = """
import wellfit

study = wellfit.Study.from_toml(FILE)
results = wellfit.Results(DIRECTORY)
"""

UNTRAINED: Final = "These parts of the lab are missing because they have not been trained:"
TRAINED_SO: Final = "wellfit report with --format pdf --parts trains them first."

AFTER: Final = ("results", "comparisons", "confusion", "mistakes", "models")
"""Sections of every report that follow the lab's own, unless these show the same."""

LAST: Final = ("findings", "published", "reproduce")


@dataclass(frozen=True)
class _Part:
    """Finds or trains another part of the lab: what the notebook's cells call as ``part``."""

    names: dict[str, Any]
    folder: Path
    train: bool
    progress: OnWriting
    missing: list[str] = field(default_factory=list)

    def __call__(self, name: str, full: bool = False) -> Any:
        """The results of a part, those at full settings if they are there.

        Raises:
          StoreError: they are not there, and are not to be trained.
        """
        whole = self.folder / name.replace("/", "-")
        place = whole if full or (whole / "study.db").is_file() else whole.with_name(f"{whole.name}-quick")
        quick, wellfit = place != whole, self.names["wellfit"]  # as the cells have it
        if (place / "study.db").is_file():
            found = _opened(wellfit, place)
            if found.summary.name != (expected := load_study(name, quick=quick).name):
                raise StoreError(f"{place} holds another study, {found.summary.name!r} instead of {expected!r}")
            if not self.train or found.summary.state == "finished":
                return found
        if not self.train:
            self.missing.append(name)
            raise StoreError(f"{name} is not trained yet")
        self.folder.mkdir(exist_ok=True)
        self.progress(f"training {name}", 0.0)
        return _trained(wellfit, name, quick, place)


def _opened(wellfit: Any, place: Path) -> Any:
    return wellfit.Results(place)


def _trained(wellfit: Any, name: str, quick: bool, place: Path) -> Any:
    return wellfit.Study.from_toml(name, quick=quick).run(place, progress=False)


def lab_document(
    summary: StudySummary,
    details: StudyDetails,
    directory: Path,
    *,
    code: bool = False,
    parts: bool = False,
    progress: OnWriting = ignore_progress,
) -> Document:
    """Put together the report of a lab, running the cells of its notebook.

    Args:
      summary: of the lab; its name says which.
      directory: of the study.
      code: whether the cells are shown too.
      parts: whether the lab's other parts are trained where they are missing; otherwise the report says how.

    Raises:
      StoreUnreadableError: the folder of the parts, or one of them, is a link.
    """
    _check_links(directory / PARTS)
    document = make_document(summary, details)
    words = words_about(summary)
    words.pop("introduction", None)  # the document has it
    with TemporaryDirectory() as folder:
        cells = _cells(summary, directory, Path(folder), parts, progress)
        own = list(_sections(document, legible_summary(summary), cells, words, code, progress))
    by_id = {section.id: section for section in document.sections}
    shown = {section for step in steps_of_lab(summary.name) for section in _shows(step)}
    after = [by_id[name] for name in AFTER if name not in shown]
    last = [by_id[name] for name in LAST]
    for section in (by_id["answer"], *after, *last):
        words.pop(section.id, None)
    said = [
        Section(f"words-{at}", title, words=text) for at, (title, text) in enumerate(left_words(words, summary.name))
    ]
    kept = [by_id["answer"], *(by_id[name] for name in shown if name in by_id), *after, *last]
    left = tuple(title for title in only(document, kept).left_out if title not in {section.title for section in said})
    missing = list(dict.fromkeys(cells.names["part"].missing))
    told = (*document.notices, *([f"{UNTRAINED} {', '.join(missing)}. {TRAINED_SO}"] if missing else []))
    return replace(document, notices=told, sections=(by_id["answer"], *own, *after, *said, *last), left_out=left)


def _check_links(folder: Path) -> None:
    """Refuse parts that lead out of the study directory, which may come from a stranger."""
    for place in (folder, *(folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ())):
        if place.is_symlink():
            raise StoreUnreadableError(f"{place}: a link; parts of a lab are folders of its directory, so remove it")


def _shows(step: Step) -> Iterator[str]:
    """The sections of every report that a step of a lab stands for."""
    yield step.section
    if "display(study.model_summary(variant))" in step.code:
        yield "models"
    if "plot_confusion(" in step.code and "results." in step.code:
        yield "confusion"


def _cells(summary: StudySummary, directory: Path, folder: Path, parts: bool, progress: OnWriting) -> Cells:
    """The names that a notebook has after its first cells."""
    file = folder / "study.toml"
    with open_existing(directory) as store:  # the summary names no folders, so its data might not be found
        spec = store.metadata.spec()
    file.write_text(study_file(replace(spec, report=OwnWords())), encoding="utf-8")
    cells = Cells({"Path": Path, "FILE": file, "DIRECTORY": directory})
    cells.run(SETUP + helpers_for(step.code for step in steps_of_lab(summary.name)))
    show = cells.names["show"]

    def answers(*kinds: str, of: Any = None) -> None:
        for answer in (of or cells.names["results"]).summary.answers:
            if not kinds or answer.kind in kinds:
                show(Paragraph(wording.true_minus(answer.text), answer.ask))

    made = {"answers": answers, "part": _Part(cells.names, directory / PARTS, parts, progress)}
    cells.names |= {**made, "tensorboard": lambda of: None}  # it writes files
    return cells


def _sections(
    document: Document, summary: StudySummary, cells: Cells, words: dict[str, str], code: bool, progress: OnWriting
) -> Iterator[Section]:
    """The lab's steps; one with a title begins a section."""
    walk = [step for step in steps_of_lab(summary.name) if step.printed]
    title, name, own, parts = "", "", "", list[Part]()
    for number, step in enumerate(walk):
        progress(f"step {number + 1} of {len(walk)}", 0.5 * number / len(walk))
        if step.title:
            if parts:
                yield _section(name, title, own, parts)
            title, name, own, parts = step.title, step.name, "", []
        said = "\n\n".join(filter(None, (words.pop(step.name, ""), words.pop(step.section, ""))))
        own, said = (said, "") if step.title else (own, said)
        parts += _step(step, document, summary, cells, code)
        parts += [Words(said, own=True)] if said else []
    if parts:
        yield _section(name, title, own, parts)


def _section(name: str, title: str, own: str, parts: list[Part]) -> Section:
    made = tuple(parts)
    return Section(f"step-{name}", title, write=lambda: made, words=own)


def _step(step: Step, document: Document, summary: StudySummary, cells: Cells, code: bool) -> list[Part]:
    """Text, code and output of a step; nothing of one that shows nothing here."""
    drawing = next((d for d in document.drawings if d.name.startswith(step.figure)), None) if step.figure else None
    if (step.figure and drawing is None) or not step.applies(summary):
        return []
    before: list[Part] = [Words(step.text)] if step.text else []
    before += [Code(step.code.strip("\n"), boxed=True)] if code else []
    shown = [drawing] if drawing is not None and step.drawn else _numbered(step, cells.run(step.code))
    return [*before, *shown]


def _numbered(step: Step, parts: list[Part]) -> list[Part]:
    """Parts with names of figures that no other step has."""
    return [replace(part, name=f"{step.name}-{part.name}") if isinstance(part, Drawing) else part for part in parts]
