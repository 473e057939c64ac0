from __future__ import annotations

from detailed import NOTHING, details
from summaries import study
from wellfit.report.marks.static import alt_text
from wellfit.report.subjects.classes.section import fragment, parts


def test_every_highlighted_variant_has_a_figure():
    summary = study(variants=("baseline", "l2"), epochs=3)
    *drawings, _, table = parts(summary, details(summary))
    assert [drawing.name for drawing in drawings] == ["classes-1-baseline", "classes-2-l2"]
    assert alt_text(drawings[1].draw()).startswith("Recall and precision by class, l2")
    assert table.headings == ("Class", "baseline", "l2")
    assert table.rows[3] == ("Dress", *(f"{100 * details(summary).by_class[v].f1[3]:.2f}" for v in ("baseline", "l2")))
    assert len(fragment(summary, details(summary), {})["panels"]) == 2


def test_paper_has_no_figure_of_more_classes_than_can_be_read():
    summary = study(variants=("baseline",), epochs=2, classes=tuple(f"class {i}" for i in range(31)))
    assert parts(summary, details(summary, images=2)) == []


def test_without_test_results_there_is_no_section():
    summary = study(variants=("baseline",), epochs=2)
    assert parts(summary, NOTHING) == []
    assert fragment(summary, NOTHING, {}) == {}


def test_the_page_shows_no_more_classes_than_it_has_room_for(monkeypatch):
    summary = study(classes=tuple(f"class {i}" for i in range(60)), epochs=1)
    assert fragment(summary, details(summary), {})["left_out"] == ""
    monkeypatch.setattr("wellfit.report.subjects.classes.numbers.MOST_ROWS", 1)
    found = fragment(summary, details(summary), {})
    assert found["left_out"].startswith("Of 60 classes, the 30 with the lowest recall, on average over the variants; ")
    assert len(found["names"]) == 30
    assert {len(panel.rows) for panel in found["panels"]} == {30}
    assert {tuple(row.name for row in panel.rows) for panel in found["panels"]} == {tuple(found["names"])}
    assert {len(gains) for _, _, gains in found["gains"]} == {30}
