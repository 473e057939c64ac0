from __future__ import annotations

from dataclasses import replace

from detailed import NOTHING, details
from summaries import empty, study
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.confusion.section import MOST, fragment, parts


def test_the_first_matrix_comes_before_the_differences():
    summary = study(variants=("baseline", "l2", "dropout"), epochs=3)
    drawings = parts(summary, details(summary))
    assert [drawing.name for drawing in drawings] == [
        "confusion-1-baseline", "confusion-difference-2-l2", "confusion-difference-3-dropout"
    ]  # fmt: skip
    assert {drawing.width for drawing in drawings} == {"half"}
    assert alt_text(drawings[0].draw()).startswith("Confusion matrix of baseline: ")
    assert alt_text(drawings[1].draw()).startswith("Confusion matrix of l2 minus that of baseline")


def test_many_classes_have_a_wide_matrix_and_no_differences():
    summary = study(variants=("baseline", "l2"), epochs=2, classes=tuple(f"class {i}" for i in range(31)))
    (matrix,) = parts(summary, details(summary, images=2))
    assert matrix.width == "full"


def test_no_more_matrices_than_a_reader_would_print():
    summary = study(epochs=3)
    names = [f"v{i}" for i in range(12)]
    many = replace(
        summary,
        variants=tuple(replace(summary.variants[0], name=name) for name in names),
        confusion=dict.fromkeys(names, summary.confusion["l2"]),
    )
    shown = fragment(many, NOTHING, {})
    assert len(shown["matrices"]) == MOST
    assert len(shown["data"]["variants"]) == 12


def test_a_figure_of_the_page_has_no_title_of_its_own():
    summary = study(variants=("baseline",), epochs=3)
    ((matrix, drawing, confusions),) = fragment(summary, NOTHING, {})["matrices"]
    assert matrix.variant == "baseline"
    assert ">baseline<" not in drawing
    assert len(confusions) == 5


def test_before_any_test_there_is_no_section():
    assert parts(empty(), NOTHING) == []
    assert fragment(empty(), NOTHING, {}) == {}
