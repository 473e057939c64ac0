"""Which variants have figures of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

import detailed
import summaries
from wellfit.report import document_figures
from wellfit.report.marks.static import alt_text


def test_of_many_variants_the_first_and_the_best_on_validation_are_shown() -> None:
    summary = summaries.study()
    names = [v.name for v in summary.variants]
    best = sorted(names[1:], key=lambda n: -summary.variants[names.index(n)].mean["validation_accuracy"])[:3]
    shown = document_figures.highlighted(summary)
    assert set(shown) == {names[0], *best}
    assert list(shown) == [name for name in names if name in shown]


def test_the_test_set_has_no_say_in_what_is_shown() -> None:
    summary = summaries.study()
    turned = [replace(v, mean={**v.mean, "test_accuracy": 1 - v.mean["test_accuracy"]}) for v in summary.variants]
    other = replace(summary, variants=tuple(turned))
    assert document_figures.highlighted(other) == document_figures.highlighted(summary)


def test_a_grid_shows_validation_before_the_test_set_is_opened() -> None:
    details = replace(detailed.NOTHING, grids=(detailed.grid(("a", "b", "c", "d")),))
    ((name, caption, draw),) = document_figures.grids(details)
    assert (name, caption) == ("grid-1", "Validation accuracy by l2 and dropout.")
    assert "89.00" in alt_text(draw())


def test_nothing_is_drawn_of_a_study_that_has_not_begun() -> None:
    summary = summaries.empty()
    assert document_figures.ranking(summary) == document_figures.curves(summary) == []
    assert document_figures.weights(summary, detailed.NOTHING) == []


@pytest.mark.parametrize("classes", [2, 40])
def test_no_row_a_class_where_there_are_too_many(classes: int) -> None:
    summary = summaries.study(variants=("baseline", "l2"), classes=tuple(f"c{k}" for k in range(classes)))
    details = detailed.details(summary)
    assert bool(document_figures.classes(summary, details)) == (classes == 2)
    for _, _, draw in document_figures.confusions(summary, details):
        assert draw().axes
