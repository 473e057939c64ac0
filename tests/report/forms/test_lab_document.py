"""A lab to hand in: its steps in its order, with what their cells show, its parts, and the authors' own words."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pypdf import PdfReader

from pdf_texts import pdf_text, squeezed
from wellfit import Study
from wellfit.base import StudyDetails, StudySummary
from wellfit.errors import StoreUnreadableError
from wellfit.report.document import Document
from wellfit.report.forms import lab_document as labs
from wellfit.report.forms.lab_document import lab_document
from wellfit.report.forms.pdf import write_pdf
from wellfit.report.notebook_steps import steps_of_lab
from wellfit.report.parts import Code, Paragraph, Table, Words
from wellfit.study.report_details import summary_and_details

SMALL = ["train.epochs=2", "model.hidden=[8]", "data.name=digits"]
WORDS = {
    "introduction": "Before all.",
    "look": "I saw **digits**.",
    "onset": "It began late.",
    "weights": "They grow.",
    "Conclusion": "All in all.",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudySummary, StudyDetails, Path]:
    """Lab 5 on digits, small, with names and words."""
    directory = tmp_path_factory.mktemp("lab") / "lab5"
    study = Study.from_toml("lab5", seeds=2, settings=SMALL)
    study.run(directory, progress=False).report(authors=["Ada", "Bob"], course="ML", text=WORDS)
    return *summary_and_details(directory), directory


@pytest.fixture(scope="module")
def document(lab: tuple[StudySummary, StudyDetails, Path]) -> Document:
    return lab_document(*lab)


def parts_of(document: Document, name: str) -> Any:
    return next(section for section in document.sections if section.id == f"step-{name}").parts


def test_the_lab_is_in_its_own_order(document: Document) -> None:
    titles = [step.title for step in steps_of_lab("lab5") if step.title]
    shown = [section.title for section in document.written]
    assert [title for title in shown if title in titles] == titles
    assert shown[0] == ""
    assert shown[-2:] == ["Published and measured", "How to reproduce this"] or shown[-1] == "How to reproduce this"
    assert {"Weights", "Conclusion", "Comparisons"} <= {*shown}
    assert not {"Every run", "Glossary"} & {*shown}
    assert "Every run" in document.left_out
    assert not {"Ranking", "Learning curves", *shown} & {*document.left_out}
    assert document.byline == "Ada, Bob · ML"


def test_cells_show_data_layers_curves_matrices_and_answers(document: Document) -> None:
    look = parts_of(document, "look")
    texts = [step.text for step in steps_of_lab("lab5") if step.name in ("look", "counts")]
    assert [part.text for part in look if isinstance(part, Words)][:2] == texts
    assert any(
        isinstance(part, Paragraph) and part.text.startswith("Not shown: ") for part in look
    )  # row 4567 of 1,438
    assert any(isinstance(part, Table) and len(part.rows) == 10 for part in look)
    prepared = parts_of(document, "prepare")
    assert any(isinstance(part, Table) and part.rows[0][0] == "training and validation" for part in prepared)
    assert any(isinstance(part, Code) and "before:" in part.text for part in prepared)
    layers = [part for part in parts_of(document, "model") if isinstance(part, Table) and "layer" in part.headings]
    assert len(layers) == 1 + 3
    assert any(isinstance(part, Paragraph) and part.head for part in parts_of(document, "loss"))
    names = [drawing.name for drawing in document.drawings]
    assert len(set(names)) == len(names)
    assert any(name.startswith("loss-curves") for name in names)
    assert any(name.startswith("patterns-cell") for name in names)


def test_own_words_stand_where_they_belong(document: Document) -> None:
    assert document.introduction == "Before all."
    assert not [section for section in document.sections if section.words == "Before all."]
    by_title = {section.title: section for section in document.sections}
    assert by_title["1. Look at the data"].words == "I saw **digits**."
    assert Words("It began late.", own=True) in parts_of(document, "loss")
    assert by_title["Weights"].words == "They grow."
    order = [section.title for section in document.sections]
    assert order.index("Weights") < order.index("Conclusion") < order.index("Findings")


def test_code_is_shown_on_demand(lab: tuple[StudySummary, StudyDetails, Path], document: Document) -> None:
    with_code = lab_document(*lab, code=True)
    boxed = [part.text for s in with_code.sections for part in s.parts if isinstance(part, Code) and part.boxed]
    assert steps_of_lab("lab5")[0].code.strip("\n") in boxed
    assert not [part for s in document.sections for part in s.parts if isinstance(part, Code) and part.boxed]


def test_missing_parts_are_said_or_trained(
    lab: tuple[StudySummary, StudyDetails, Path], document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "lab5/combined, lab5/l2" in document.notices[-1]
    assert Paragraph("Not shown: lab5/l2 is not trained yet", kind="small") in parts_of(document, "combined")
    own = [step for step in steps_of_lab("lab5") if step.name == "look"]
    asked = labs.Step("more", "part('lab5/l2'), part('lab5/depth', full=True)", title="More")
    for name in ("lab_document", "report.forms.lab_document"):
        monkeypatch.setattr(f"wellfit.report.forms.{name.rpartition('.')[2]}.steps_of_lab", lambda _: (*own, asked))
    monkeypatch.setattr(labs, "_trained", lambda _, name, quick, place: (name, quick, place.name))
    told: list[str] = []
    trained = lab_document(*lab, parts=True, progress=lambda what, share: told.append(what))
    made = "(('lab5/l2', True, 'lab5-l2-quick'), ('lab5/depth', False, 'lab5-depth'))"
    assert parts_of(trained, "more") == (Code(made),)
    assert "training lab5/l2" in told
    for name in ("lab5-l2", "lab5-depth"):  # at full settings, where that is there
        (lab[2] / "lab-parts" / name).mkdir()
        (lab[2] / "lab-parts" / name / "study.db").touch()
    monkeypatch.setattr(labs, "_opened", lambda _, place: found(place.name))
    assert parts_of(lab_document(*lab), "more") == (Code("(<lab5-l2>, <lab5-depth>)"),)
    monkeypatch.setattr(labs, "_opened", lambda _, place: found("digits"))
    (another,) = parts_of(lab_document(*lab), "more")
    assert "lab5-l2 holds another study, 'digits' instead of 'lab5-l2'" in another.text
    monkeypatch.setattr(labs, "_opened", lambda _, place: found(place.name, "interrupted"))
    assert "'lab5-l2'" in parts_of(lab_document(*lab, parts=True), "more")[0].text  # trained on
    for link in (lab[2] / "lab-parts" / "lab5-width", lab[2] / "lab-parts"):
        if link.is_dir():
            shutil.rmtree(link)
        link.symlink_to(lab[2])
        with pytest.raises(StoreUnreadableError, match="a link; parts of a lab are folders of its directory"):
            lab_document(*lab, parts=True)
    link.unlink()


def found(name: str, state: str = "finished") -> Any:
    """The results of a part, as far as they are asked for."""

    class Found:
        summary = SimpleNamespace(name=name, state=state)

        def __repr__(self) -> str:
            return f"<{name}>"

    return Found()


def test_the_pdf_of_a_lab_has_the_names_the_words_and_every_title(document: Document, tmp_path: Path) -> None:
    path = write_pdf(document, tmp_path / "lab.pdf")
    text = pdf_text(path)
    for wanted in ("Ada, Bob · ML", "I saw digits.", "They grow.", "All in all.", "Before all.", *document.left_out):
        assert squeezed(wanted) in text
    outline = [entry.title for entry in PdfReader(path).outline]  # type: ignore[union-attr]
    assert outline == [section.title for section in document.written if section.title]


@pytest.mark.parametrize("form", ["pdf", "md"])
def test_only_the_pdf_of_a_lab_is_the_lab(
    form: str, lab: tuple[StudySummary, StudyDetails, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wellfit.report.forms.formats import Printed, write_report

    made: list[Any] = []
    note: Callable[..., Any] = lambda document, path, progress: made.append(document)  # noqa: E731
    monkeypatch.setattr("wellfit.report.forms.pdf.write_pdf", note)
    monkeypatch.setattr("wellfit.report.forms.markdown.write_markdown", note)
    monkeypatch.setattr(labs, "lab_document", lambda *given, **more: (given, more))
    monkeypatch.setattr("wellfit.report.forms.formats.font_notice", lambda *_: "")
    write_report(lab[0], lab[1], form, tmp_path / "x", lab[2], printed=Printed(code=True))
    write_report(lab[0], lab[1], form, tmp_path / "x", lab[2], printed=Printed(all=True))
    first, second = made
    assert isinstance(second, Document)
    assert "Every run" in [section.title for section in second.written]
    if form == "pdf":
        (summary, _, place), more = first
        assert (summary, place) == (lab[0], lab[2])
        assert more["code"] is True
    else:
        assert isinstance(first, Document)
