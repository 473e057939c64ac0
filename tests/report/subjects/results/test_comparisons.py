from __future__ import annotations

from dataclasses import replace

from detailed import NOTHING
from summaries import study
from wellfit.report.subjects.results.comparisons import fragment, parts


def test_page_and_paper_have_the_same_table():
    summary = study(epochs=3)
    (table,) = parts(summary, NOTHING)
    assert fragment(summary, NOTHING, {})["table"] == table
    assert [row[0] for row in table.rows] == [comparison.variant for comparison in summary.comparisons]


def test_a_study_without_comparisons_has_no_section():
    summary = replace(study(epochs=3), comparisons=(), asked=())
    assert parts(summary, NOTHING) == []
    assert fragment(summary, NOTHING, {}) == {}
