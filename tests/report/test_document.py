"""What a document holds, of every state of a study."""

from __future__ import annotations

import pytest

import detailed
import documents
import summaries
from wellfit.report.document import Code, Drawing, Paragraph, TableData, make_document, prose
from wellfit.spec.study import load_study
from wellfit.spec.written import study_file


def test_everything_that_a_finished_study_has() -> None:
    titles = [section.title for section in documents.document().sections]
    assert titles == [
        *("The answer", "Ranking", "Results", "Comparisons", "How they learn", "Along the sweeps"),
        *("What is taken for what", "The images they get wrong", "Class by class"),
        *("Can the probabilities be believed?", "Weights", "The data", "Findings", "Published beside measured"),
        *("Every run", "To reproduce it"),
    ]


def test_the_numbers_are_those_of_the_summary() -> None:
    summary = summaries.study(variants=("baseline", "l2"))
    parts = [part for section in documents.document(summary).sections for part in section.parts]
    cells = {cell for part in parts if isinstance(part, TableData) for row in part.rows for cell in row}
    for variant in summary.variants:
        assert f"{100 * variant.mean['test_accuracy']:.2f} %" in cells
    assert parts[0] == Paragraph(prose(summary.conclusion[1].text), kind="lead")
    assert any(isinstance(p, Paragraph) and p.head == summary.answers[0].ask for p in parts)
    assert Code(study_file(load_study("lab5"))) in parts


@pytest.mark.parametrize("made", [summaries.empty, summaries.running, summaries.diverged, summaries.hostile])
def test_a_study_that_has_nothing_of_it_leaves_it_out(made: object) -> None:
    document = documents.document(made(), full=False)  # type: ignore[operator]
    assert all(section.parts for section in document.sections)
    titles = {section.title for section in document.sections}
    assert {"The answer", "Results", "Every run"} <= titles
    assert not titles & {"Class by class", "The data", "Along the sweeps", "Where they decide"}
    notices = [p for p in document.sections[0].parts if isinstance(p, Paragraph) and p.kind == "notice"]
    assert bool(notices) == (made is not summaries.hostile)


def test_many_runs_are_not_listed_one_by_one_but_those_that_failed_are() -> None:
    summary = summaries.study(seeds=15, states={("l2", 3): "diverged"})
    (runs,) = [s for s in documents.document(summary, full=False).sections if s.title == "Every run"]
    (table,) = [part for part in runs.parts if isinstance(part, TableData)]
    assert [row[:3] for row in table.rows] == [("l2", "3", "diverged")]


def test_of_many_variants_it_says_which_are_drawn() -> None:
    summary = documents.with_study(summaries.study())
    (curves,) = [s for s in make_document(summary, detailed.NOTHING).sections if s.title == "How they learn"]
    assert len(summary.variants) == 6
    assert "Drawn:" not in curves.parts[0].text  # type: ignore[union-attr]


def test_names_of_files_are_one_each_and_harmless() -> None:
    names = [drawing.name for drawing in documents.document(summaries.study()).drawings]
    assert len({name.lower() for name in names}) == len(names)
    assert not any(set(name) & set("/\\ <>$:*?\"'|") for name in names)
    assert all(isinstance(d, Drawing) and d.caption for d in documents.document().drawings)
