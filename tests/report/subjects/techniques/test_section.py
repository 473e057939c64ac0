"""What a report says of the techniques that its variants use: the words of the pages, folded on the page."""

from __future__ import annotations

import pytest

import detailed
from summaries import study
from wellfit.base import StudySummary
from wellfit.narrative.techniques import technique
from wellfit.report.document import make_document
from wellfit.report.forms.page_template import page_environment
from wellfit.report.parts import Code, Paragraph
from wellfit.report.subjects.results import section as results
from wellfit.report.subjects.techniques.section import fragment, parts


@pytest.fixture
def summary() -> StudySummary:
    return study(variants=("baseline", "l2", "dropout"))


def test_every_technique_has_words_and_a_formula(summary: StudySummary) -> None:
    l2, dropout = technique("l2"), technique("dropout")
    assert parts(summary, detailed.NOTHING) == [
        Paragraph(l2.summary, "L2 penalty."),
        Code(l2.formula),
        Paragraph(dropout.summary, "Dropout."),
        Code(dropout.formula),
    ]


def test_the_page_folds_them_and_the_results_link_to_them(summary: StudySummary) -> None:
    html = (
        page_environment()
        .get_template("subjects/techniques/section.html.j2")
        .render(fragment(summary, detailed.NOTHING, {}))
    )
    assert html.count("<details id=") == 2
    assert "<details open" not in html
    assert "wellfit techniques l2" in html
    table = (
        page_environment()
        .get_template("subjects/results/section.html.j2")
        .render(results.fragment(summary, detailed.NOTHING, {}), summary=summary)
    )
    for name in ("l2", "dropout"):
        assert f'id="technique-{name}"' in html
        assert f'href="#technique-{name}"' in table


def test_letters_of_a_formula_are_explained_above_it() -> None:
    object.__setattr__(chosen := study(variants=("baseline",)).variants[0], "settings", {"optimizer": "sgd"})
    summary = study(variants=("baseline",))
    object.__setattr__(summary, "variants", (chosen,))
    (words, formula) = parts(summary, detailed.NOTHING)
    assert isinstance(words, Paragraph)
    assert isinstance(formula, Code)
    assert words.text.endswith("all squares and roots per weight:")
    assert "momentum" in formula.text


def test_a_study_without_any_has_no_section() -> None:
    plain = study(variants=("baseline",))
    assert parts(plain, detailed.NOTHING) == []
    assert fragment(plain, detailed.NOTHING, {}) == {}
    assert "techniques" not in [section.id for section in make_document(plain, detailed.NOTHING).written]
