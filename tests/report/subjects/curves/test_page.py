from __future__ import annotations

from dataclasses import replace

from summaries import empty, study
from wellfit.report.marks.colors import SERIES
from wellfit.report.subjects.curves.page import FEW, MOST, curve_panels, has_epochs, overlays, shown_first


def many(count):
    summary = study(variants=("baseline", "l2"), epochs=3)
    base = summary.variants[1]
    variants = tuple(
        replace(base, name=f"v{i}", mean={**base.mean, "validation_accuracy": 0.5 + 0.01 * i}) for i in range(count)
    )
    return replace(summary, variants=variants)


def test_a_few_variants_are_all_shown():
    assert shown_first(many(FEW)) == frozenset(range(FEW))


def test_of_many_the_first_and_the_best_are_shown_each_in_its_own_color():
    shown = shown_first(many(19))
    assert 0 in shown
    assert 18 in shown
    assert len(shown) == MOST
    assert len({i % SERIES for i in shown}) == MOST


def test_a_panel_for_every_variant():
    summary = study(epochs=4)
    panels = curve_panels(summary)
    assert [panel.name for panel in panels] == [v.name for v in summary.variants]
    assert all(len(panel.figures) == 2 for panel in panels)


def test_overlays_are_drawings_with_a_label():
    drawn = overlays(study(variants=("baseline", "l2"), epochs=4))
    assert set(drawn) == {"loss", "accuracy", "gap"}
    assert all('role="img"' in drawing for drawing in drawn.values())


def test_no_epoch_is_no_curve():
    assert not has_epochs(empty())
    assert curve_panels(empty()) == []
    assert overlays(empty()) == {}
