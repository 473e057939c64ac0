from __future__ import annotations

import math
from dataclasses import replace

import pytest

from summaries import diverged, empty, study
from wellfit.base import PairedEvidence, Ranked
from wellfit.report.parts import Table
from wellfit.report.subjects.results import numbers as rows


def test_a_variant_has_its_means_intervals_and_verdict():
    summary = replace(study(), ranking=(Ranked("baseline", 0.89, "a"), Ranked("l2", 0.88, "b")))
    row = rows.variant_row(summary, 1)
    mean, interval = summary.variants[1].mean, summary.variants[1].interval["test_accuracy"]
    assert interval is not None
    assert row.test.mean == f"{100 * mean['test_accuracy']:.2f} %"
    assert row.test.interval == f"[{100 * interval[0]:.2f}, {100 * interval[1]:.2f}]"
    assert (row.verdict, row.parameters.mean, row.letters, row.runs) == ("worse", "109,386", "b", "")
    assert row.states == "5 finished"
    assert row.test.value == mean["test_accuracy"]
    assert row.settings == ("l2 = 0.001",)


def test_the_first_variant_is_the_reference():
    row = rows.variant_rows(study())[0]
    assert (row.verdict, row.settings) == ("reference", ("the base recipe",))


def test_diverged_runs_are_counted():
    summary = diverged()
    assert rows.variant_row(summary, 1).runs == "3 finished, 2 diverged"
    nothing = rows.variant_row(summary, 2)
    assert (nothing.test.mean, nothing.test.interval, nothing.verdict) == ("–", "", "diverged")
    assert rows.variant_row(summary, 1).verdict == "worse*"  # of the surviving runs
    assert {row[-1] for row in rows.comparison_table(summary).rows} == {"worse*", "better*"}


def published(summary):
    """Cells by heading, a row each."""
    table = rows.published_table(summary)
    return [dict(zip(table.headings, row, strict=True)) for row in table.rows]


def test_published_numbers_have_the_measured_ones_in_their_row():
    summary = study(variants=("baseline", "l2"), epochs=3)
    odd = replace(summary.variants[0], published={"train_accuracy": 0.9101, "test_loss": 0.4})
    accuracy, loss, other = published(replace(summary, variants=(odd, summary.variants[1])))
    ours = summary.variants[0].mean
    assert (accuracy["Metric"], accuracy["Published"]) == ("training accuracy", "91.01 %")
    assert accuracy["Measured"] == f"{100 * ours['train_accuracy']:.2f} %"
    assert (loss["Published"], loss["Measured"]) == ("0.4000", f"{ours['test_loss']:.4f}")
    assert loss["Measured − published"].split()[0] == f"{ours['test_loss'] - 0.4:+.4f}".replace("-", "−")
    tested = [run.test_accuracy for run in summary.variants[1].runs]
    assert other["Lowest to highest seed"] == f"{100 * min(tested):.2f} % to {100 * max(tested):.2f} %"


def test_the_interval_of_a_difference_is_ours_shifted():
    summary = study(variants=("baseline", "l2"), epochs=3)
    difference = published(summary)[1]["Measured − published"]
    low, high = summary.variants[1].interval["test_accuracy"]
    value = summary.variants[1].published["test_accuracy"]
    assert difference.endswith(f"[{100 * (low - value):+.2f}, {100 * (high - value):+.2f}]".replace("-", "−"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_a_dash_and_sorts_nowhere(value):
    plain = study(variants=("baseline",), epochs=3)
    keys = ("test_accuracy", "train_accuracy", "validation_accuracy", "generalization_gap", "test_loss")
    runs = tuple(
        replace(run, train_accuracy=value, validation_accuracy=value, test_accuracy=value, test_loss=value)
        for run in plain.variants[0].runs
    )
    odd = replace(plain.variants[0], mean=dict.fromkeys(keys, value), runs=runs, published={"test_loss": 0.3})
    summary = replace(plain, variants=(odd,))
    row = rows.variant_row(summary, 0)
    for cell in (row.test, row.train, row.validation, row.gap, row.loss):
        assert (cell.mean, cell.value) == ("–", None)
    assert rows.run_row(runs[0])[6:10] == ("–", "–", "–", "–")
    (numbers,) = published(summary)
    assert (numbers["Measured"], numbers["Measured − published"]) == ("–", "–")
    assert numbers["Lowest to highest seed"] == "–"


def test_zero_is_never_negative():
    plain = study(variants=("baseline",), epochs=3).variants[0]
    odd = replace(plain, mean={"generalization_gap": -0.00001, "test_loss": -0.00001}, published={"test_loss": 0.0})
    summary = replace(study(variants=("baseline",), epochs=3), variants=(odd,))
    row = rows.variant_row(summary, 0)
    assert (row.gap.mean, row.loss.mean) == ("0.00", "0.0000")
    assert published(summary)[0]["Measured − published"].split()[0] == "+0.0000"


def test_before_the_test_only_the_published_number_is_known():
    assert list(published(empty())[0].values())[3:] == ["–"] * 4


def test_further_evidence_is_a_row():
    known = PairedEvidence(5, (0.001, 0.009), (0.002, 0.008), 0.0004, 0.01, 0.0625, (0.01, 0.2, 0.03), 0.71, 0.04, None)
    assert rows.evidence_row(known) == (
        "5", "[+0.20, +0.80]", "< 0.001", "0.010", "0.062", "2 of 3", "71 %", "25 %", "4 %"
    )  # fmt: skip
    few = PairedEvidence(1, None, None, None, None, None, (), None, None, 4)
    assert rows.evidence_row(few) == ("1", *["–"] * 8)
    plain = study(variants=("baseline", "l2"), epochs=3)
    asked = replace(plain.comparisons[0], variant="a", against="b")
    table = rows.evidence_table(replace(plain, asked=(asked,), evidence={"l2": known, "a/b": few}))
    assert [row[:3] for row in table.rows] == [("l2", "baseline", "5"), ("a", "b", "1")]
    assert {len(row) for row in table.rows} == {len(table.headings)}


def test_a_run_has_a_cell_for_every_heading():
    run = study().variants[5].runs[0]
    row = rows.run_row(run)
    assert len(row) == len(rows.run_columns("accuracy"))
    assert row[:4] == ("0", "stopped early", str(run.epochs), str(run.readout_epoch))
    assert rows.run_row(diverged().variants[2].runs[0])[6:10] == ("–", "–", "–", "–")


def test_a_difference_is_in_its_metric_s_unit():
    summary = study(variants=("baseline", "l2"), epochs=3)
    (plain,) = summary.comparisons
    loss = replace(plain, metric="test_loss", difference=0.0123, interval=None, p_value=None, p_adjusted=None)
    accuracy, other = rows.comparison_table(replace(summary, asked=(loss,))).rows
    assert accuracy[3].endswith(" points")
    assert other[2:6] == ("test loss", "+0.0123", "–", "–")


def test_an_interval_that_is_its_mean_is_left_out():
    summary = study()
    first = summary.variants[0]
    perfect = {
        "mean": {**first.mean, "train_accuracy": 1.0},
        "interval": {**first.interval, "train_accuracy": (1.0, 1.0)},
    }
    row = rows.variant_row(replace(summary, variants=(replace(first, **perfect), *summary.variants[1:])), 0)
    assert (row.train.mean, row.train.interval) == ("100.00 %", "")
    near = {**perfect, "interval": {**first.interval, "train_accuracy": (0.9998, 1.0)}}
    row = rows.variant_row(replace(summary, variants=(replace(first, **near), *summary.variants[1:])), 0)
    assert row.train.interval == "[99.98, 100.00]"


def test_columns_that_say_the_same_are_left_out_only_where_they_do():
    table = Table(("Variant", "Against", "Metric", "p"), (("a", "x", "m", "1"), ("b", "y", "m", "1")), 3)
    assert rows.without_constant(table, ("Against", "Metric")) == Table(
        ("Variant", "Against", "p"), (("a", "x", "1"), ("b", "y", "1")), 2
    )
    assert rows.without_constant(replace(table, rows=()), ("Against",)) == replace(table, rows=())
