"""The order of the sections, and what each state of a study has."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import documents
import summaries
from wellfit.base import StudySummary
from wellfit.report.document import Document, Section
from wellfit.report.forms.page_template import page_source
from wellfit.report.parts import Code, Drawing, Paragraph, Table
from wellfit.report.wording import true_minus
from wellfit.spec.study import load_study
from wellfit.spec.written import study_file


def section(document: Document, name: str) -> Section:
    return next(section for section in document.sections if section.id == name)


def test_a_finished_study_has_every_section_in_order() -> None:
    assert [section.title for section in documents.document().written] == [
        *("", "Ranking", "Results", "Comparisons", "Learning curves", "Sweeps", "Confusion matrix"),
        *("Misclassified images", "Precision, recall and F1 by class"),
        *("Calibration: are the probabilities trustworthy?", "Weights", "The data", "The networks", "Findings"),
        *("Published and measured", "Every run", "How to reproduce this"),
        *("The techniques in words and formulas", "Glossary"),
    ]


def test_every_section_has_its_own_id_and_template() -> None:
    sections = documents.document().sections
    assert len({section.id for section in sections}) == len(sections)
    assert all(page_source(section.template) for section in sections if section.template)
    assert [section.id for section in sections if not section.template] == ["words", "conclusion"]
    assert all(section.label for section in sections[1:])


def test_the_numbers_are_those_of_the_summary() -> None:
    summary = summaries.study(variants=("baseline", "l2"))
    parts = [part for section in documents.document(summary).sections for part in section.parts]
    cells = {cell for part in parts if isinstance(part, Table) for row in part.rows for cell in row}
    for variant in summary.variants:
        assert f"{100 * variant.mean['test_accuracy']:.2f} %" in cells
    assert parts[0] == Paragraph(true_minus(summary.conclusion[1].text), kind="lead")
    assert any(isinstance(p, Paragraph) and p.head == summary.answers[0].ask for p in parts)
    assert Code(study_file(load_study("lab5", epochs=summary.epochs))) in parts


@pytest.mark.parametrize("result", [summaries.empty, summaries.running, summaries.diverged, summaries.hostile])
def test_sections_with_nothing_to_show_are_left_out(result: Callable[[], StudySummary]) -> None:
    document = documents.document(result(), full=False)
    names = {section.id for section in document.written}
    assert {"answer", "results", "runs", "findings", "reproduce"} <= names
    assert not names & {"classes", "data", "paths", "regions"}
    assert document.notices
    assert not any(isinstance(p, Paragraph) and p.text in document.notices for s in document.sections for p in s.parts)


def test_of_many_runs_only_failed_ones_are_listed() -> None:
    summary = summaries.study(seeds=15, states={("l2", 3): "diverged"})
    runs = section(documents.document(summary, full=False), "runs")
    (table,) = [part for part in runs.parts if isinstance(part, Table)]
    assert [row[:3] for row in table.rows] == [("l2", "3", "diverged")]


def test_names_of_figure_files_are_unique_and_harmless() -> None:
    names = [drawing.name for drawing in documents.document(summaries.study()).drawings]
    assert len({name.lower() for name in names}) == len(names)
    assert not any(set(name) & set("/\\ <>$:*?\"'|") for name in names)
    assert all(isinstance(d, Drawing) and d.caption for d in documents.document().drawings)
