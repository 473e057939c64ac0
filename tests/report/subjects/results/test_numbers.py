from __future__ import annotations

import math
from dataclasses import replace

import pytest

from summaries import diverged, empty, study
from wellfit.base import PairedEvidence
from wellfit.report.subjects.results import numbers as rows


def test_a_variant_s_row():
    summary = study()
    row = rows.variant_row(summary, summary.variants[1], 1, {"l2": "b"})
    mean, interval = summary.variants[1].mean, summary.variants[1].interval["test_accuracy"]
    assert interval is not None
    assert row.test.mean == f"{100 * mean['test_accuracy']:.2f} %"
    assert row.test.interval == f"[{100 * interval[0]:.2f}, {100 * interval[1]:.2f}]"
    assert (row.verdict, row.parameters.mean, row.letters, row.runs) == ("worse", "109,386", "b", "")
    assert row.test.value == mean["test_accuracy"]
    assert row.settings == ("l2 = 0.001",)


def test_the_first_variant_is_the_reference():
    summary = study()
    row = rows.variant_row(summary, summary.variants[0], 0, {})
    assert (row.verdict, row.settings) == ("reference", ("the base recipe",))


def test_diverged_runs_are_counted():
    summary = diverged()
    assert rows.variant_row(summary, summary.variants[1], 1, {}).runs == "3 finished, 2 diverged"
    nothing = rows.variant_row(summary, summary.variants[2], 2, {})
    assert (nothing.test.mean, nothing.test.interval, nothing.verdict) == ("–", "", "–")


def test_published_values_stand_beside_ours():
    summary = study(variants=("baseline", "l2"), epochs=3)
    odd = replace(summary.variants[0], published={"train_accuracy": 0.9101, "test_loss": 0.4})
    accuracy, loss, other = rows.published_rows(replace(summary, variants=(odd, summary.variants[1])))
    ours = summary.variants[0].mean
    assert (accuracy.metric, accuracy.published) == ("training accuracy", "91.01 %")
    assert accuracy.ours.mean == f"{100 * ours['train_accuracy']:.2f} %"
    assert (loss.published, loss.ours.mean) == ("0.4000", f"{ours['test_loss']:.4f}")
    assert loss.difference == f"{ours['test_loss'] - 0.4:+.4f}".replace("-", "−")
    tested = [run.test_accuracy for run in summary.variants[1].runs]
    assert other.lowest_highest == f"{100 * min(tested):.2f} % to {100 * max(tested):.2f} %"


def test_the_interval_of_a_difference_is_ours_shifted():
    summary = study(variants=("baseline", "l2"), epochs=3)
    row = rows.published_rows(summary)[1]
    low, high = summary.variants[1].interval["test_accuracy"]
    published = summary.variants[1].published["test_accuracy"]
    assert row.interval == f"[{100 * (low - published):+.2f}, {100 * (high - published):+.2f}]".replace("-", "−")


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
    row = rows.variant_row(summary, odd, 0, {})
    for cell in (row.test, row.train, row.validation, row.gap, row.loss):
        assert (cell.mean, cell.value) == ("–", None)
    assert rows.run_row(runs[0])[6:10] == ("–", "–", "–", "–")
    (published,) = rows.published_rows(summary)
    assert (published.ours.mean, published.lowest_highest, published.difference) == ("–", "–", "–")


def test_zero_is_never_negative():
    plain = study(variants=("baseline",), epochs=3).variants[0]
    odd = replace(plain, mean={"generalization_gap": -0.00001, "test_loss": -0.00001}, published={"test_loss": 0.0})
    summary = replace(study(variants=("baseline",), epochs=3), variants=(odd,))
    row = rows.variant_row(summary, odd, 0, {})
    assert (row.gap.mean, row.loss.mean) == ("0.00", "0.0000")
    assert rows.published_rows(summary)[0].difference == "+0.0000"


def test_published_values_of_what_was_not_tested_have_no_neighbor():
    row = rows.published_rows(empty())[0]
    assert (row.ours.mean, row.lowest_highest, row.difference) == ("–", "–", "–")


def test_further_evidence_is_a_row():
    known = PairedEvidence(5, (0.001, 0.009), (0.002, 0.008), 0.0004, 0.01, 0.0625, (0.01, 0.2, 0.03), 0.71, 0.04, None)
    assert rows.evidence_row(known) == (
        "5", "[+0.20, +0.80]", "< 0.001", "0.010", "0.062", "2 of 3", "71 %", "25 %", "4 %", "–"
    )  # fmt: skip
    few = PairedEvidence(1, None, None, None, None, None, (), None, None, 4)
    assert rows.evidence_row(few) == ("1", *["–"] * 8, "4")


def test_a_run_s_row():
    run = study().variants[5].runs[0]
    row = rows.run_row(run)
    assert row[:4] == ("0", "stopped early", str(run.epochs), str(run.readout_epoch))
    assert rows.run_row(diverged().variants[2].runs[0])[6:10] == ("–", "–", "–", "–")


def test_a_comparison_s_row_is_in_the_metric_s_unit():
    plain = study().comparisons[0]
    assert rows.comparison_row(plain).difference.endswith(" points")
    loss = replace(plain, metric="test_loss", difference=0.0123, interval=None, p_value=None, p_adjusted=None)
    row = rows.comparison_row(loss)
    assert (row.metric, row.difference, row.interval, row.p_value) == ("test loss", "+0.0123", "–", "–")


def test_facts_count_the_runs():
    facts = dict(rows.facts(study(seeds=12, epochs=3)))
    assert facts["Seeds"] == "12 (0 … 11)"
    assert facts["Runs"] == "72 of 72"
