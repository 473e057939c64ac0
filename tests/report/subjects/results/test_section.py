from __future__ import annotations

from dataclasses import replace

from detailed import NOTHING
from summaries import diverged, study
from wellfit.report.subjects.results.section import fragment, parts


def test_every_variant_is_in_every_table():
    summary = study(epochs=3)
    tables = parts(summary, NOTHING)
    for table in tables:
        assert len(table.rows) == len(summary.variants)
        assert {len(row) for row in table.rows} == {len(table.headings)}
    assert tables[2].rows[1] == ("l2", "l2 = 0.001")
    assert [row.name for row in fragment(summary, NOTHING, {})["rows"]] == [v.name for v in summary.variants]


def test_letters_have_a_column_where_variants_were_compared():
    summary = study(epochs=3)
    assert parts(summary, NOTHING)[0].headings[:2] == ("", "Variant")
    assert parts(replace(summary, ranking=()), NOTHING)[0].headings[0] == "Variant"


def test_unusual_runs_are_named():
    costs = parts(diverged(), NOTHING)[1]
    assert [row[-1] for row in costs.rows[:2]] == ["all ended", "3 finished, 2 diverged"]


def test_accuracies_are_named_where_another_metric_decides():
    plain, other = study(epochs=3), replace(study(epochs=3), metric="macro_f1")
    assert parts(plain, NOTHING)[0].headings[2:6] == ("Test accuracy", "95 % interval", "Validation", "Training")
    assert parts(other, NOTHING)[0].headings[2:7] == (
        *("Test macro F1", "95 % interval"),
        *("Test accuracy", "Validation accuracy", "Training accuracy"),
    )
    shown = fragment(other, NOTHING, {})
    assert (shown["training"], shown["validation"]) == ("Training accuracy", "Validation accuracy")
