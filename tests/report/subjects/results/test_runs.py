from __future__ import annotations

from dataclasses import replace

from detailed import NOTHING
from summaries import diverged, study
from wellfit.report.subjects.results.runs import MOST, fragment, parts


def test_every_run_is_listed_up_to_a_page_or_two():
    summary = study(variants=("baseline", "l2"), epochs=3)
    (table,) = parts(summary, NOTHING)
    assert [row[:2] for row in table.rows] == [(v.name, str(run.seed)) for v in summary.variants for run in v.runs]
    assert fragment(summary, NOTHING, {})["table"] == table


def test_of_many_runs_paper_lists_the_unusual_and_the_page_all():
    plain = diverged()
    many = replace(plain, variants=plain.variants * 5)
    total = sum(len(variant.runs) for variant in many.variants)
    assert total > MOST
    shown, table = parts(many, NOTHING)
    assert shown.text.startswith(f"{total} runs; ")
    assert {row[2] for row in table.rows} == {"diverged"}
    assert len(fragment(many, NOTHING, {})["table"].rows) == total


def test_without_runs_there_is_no_section():
    plain = study(variants=("baseline",), epochs=3)
    bare = replace(plain, variants=(replace(plain.variants[0], runs=()),))
    assert parts(bare, NOTHING) == []
    assert fragment(bare, NOTHING, {}) == {}


def test_accuracies_are_named_where_another_metric_decides():
    plain = study(variants=("baseline",), epochs=3)
    assert parts(plain, NOTHING)[0].headings[7:11] == ("Training", "Validation", "Test", "Test loss")
    table = parts(replace(plain, metric="macro_f1"), NOTHING)[0]
    assert table.headings[7:11] == ("Training accuracy", "Validation accuracy", "Test accuracy", "Test loss")
