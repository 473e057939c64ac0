from __future__ import annotations

from dataclasses import replace

from detailed import NOTHING
from summaries import study
from wellfit.report.subjects.results.published import fragment, parts


def test_page_and_paper_have_the_same_table():
    summary = study(epochs=3)
    (table,) = parts(summary, NOTHING)
    shown = fragment(summary, NOTHING, {})
    assert shown["table"] == table
    assert "l2" in shown["marked"]


def test_a_source_that_reports_nothing_has_no_section():
    plain = study(variants=("baseline",), epochs=3)
    summary = replace(plain, variants=(replace(plain.variants[0], published={}),))
    assert parts(summary, NOTHING) == []
    assert fragment(summary, NOTHING, {}) == {}
