from __future__ import annotations

from detailed import NOTHING, details
from summaries import empty, study
from wellfit.report.parts import Drawing, Table
from wellfit.report.subjects.calibration.section import WIDE, fragment, parts


def test_the_scores_fit_the_page_and_no_interval_is_broken():
    summary = study(variants=("baseline", "l2"), epochs=3)
    found = parts(summary, details(summary))
    tables = [part for part in found if isinstance(part, Table)]
    assert [len(table.headings) - 1 for table in tables] == [WIDE, 3]
    assert tables[0].rows[1][4] == "5.40 % [4.50,\u00a06.10]"
    drawings = [part for part in found if isinstance(part, Drawing)]
    assert [(drawing.name, drawing.width) for drawing in drawings] == [
        ("reliability-1-baseline", "half"), ("reliability-2-l2", "half")
    ]  # fmt: skip


def test_the_page_has_a_panel_for_every_variant_shown_first():
    summary = study(variants=("baseline", "l2"), epochs=3)
    shown = fragment(summary, details(summary), {})
    assert [(index, name) for index, name, _ in shown["panels"]] == [(0, "baseline"), (1, "l2")]
    assert len(shown["rows"][0].cells) == len(shown["columns"])
    assert shown["curves"]


def test_without_test_results_there_is_no_section():
    assert parts(empty(), NOTHING) == []
    assert fragment(empty(), NOTHING, {}) == {}
