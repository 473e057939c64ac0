from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from summaries import diverged, study
from wellfit.base import PairedEvidence
from wellfit.report.forms.terminal_tables import evidence_table, results_table, training_table
from wellfit.report.subjects.curves.sparklines import validation_sparklines


def printed(table, width=80):
    result = Console(file=StringIO(), width=width)
    result.print(table)
    return result.file.getvalue()


@pytest.mark.parametrize("width", [120, 100, 80, 60, 40])
@pytest.mark.parametrize("curves", [False, True])
def test_the_table_fits(width, curves):
    shown = printed(results_table(study(), width, validation_sparklines(study()) if curves else None), width)
    lines = shown.splitlines()
    assert len(lines) == 2 + len(study().variants)  # a row a variant: nothing wraps
    assert max(map(len, lines)) <= width
    assert "88.36 [88.26, 88.46]" in lines[2]
    assert "…" not in shown


@pytest.mark.parametrize("width", [120, 80, 60, 40])
def test_the_training_table_fits(width):
    lines = printed(training_table(study(), width), width).splitlines()
    assert len(lines) == 2 + len(study().variants)
    assert max(map(len, lines)) <= width
    assert "89.13" in lines[2]


def test_eighty_columns_hold_verdict_gap_and_curve():
    header, _, first, *rest = printed(results_table(study(), 80, validation_sparklines(study(), 12))).splitlines()
    assert header.split() == ["variant", "test", "accuracy,", "%", "vs.", "baseline", "gap", "best", "val.", "loss"]
    assert first.split()[:-1] == ["baseline", "88.36", "[88.26,", "88.46]", "b", "reference", "10.28", "10"]
    assert {line.split()[-4] for line in rest} <= {"better", "worse", "equivalent", "undecided"}
    assert all("•" in line for line in (first, *rest))


def test_a_long_name_is_folded_and_costs_no_verdict():
    summary = study()
    long = "weight-decay-and-dropout-and-early-stopping-together"
    variants = (*summary.variants[:-1], replace(summary.variants[-1], name=long))
    comparisons = tuple(replace(c, variant=long) if c.variant == "early-stopping" else c for c in summary.comparisons)
    lines = printed(results_table(replace(summary, variants=variants, comparisons=comparisons), 80)).splitlines()
    assert max(map(len, lines)) <= 80
    assert "vs. baseline" in lines[0]
    assert "".join(line[:20].strip() for line in lines[-3:]) == long
    wide = printed(results_table(replace(summary, variants=variants, comparisons=comparisons), 160), 160)
    assert f"{long} " in wide


def test_a_wide_table_has_all_columns():
    shown = printed(results_table(study(), 120, validation_sparklines(study())), 120)
    row = next(line for line in shown.splitlines() if line.startswith("dropout"))
    assert row.split()[4:9] == ["a", "better", "89.12", "89.59", "0.06"]


def test_a_wider_one_has_the_interval_of_the_gap():
    row = next(line for line in printed(results_table(study(), 140), 140).splitlines() if line.startswith("dropout"))
    low, high = study().variants[3].interval["generalization_gap"]
    assert f"[{100 * low:.2f}, {100 * high:.2f}]" in row


def test_training_is_told_with_parameters_time_and_states():
    row = next(line for line in printed(training_table(study())).splitlines() if line.startswith("dropout"))
    assert row.split() == ["dropout", "89.12", "89.59", "16", "12-21", "109,386", "56", "5", "finished"]


def test_a_very_narrow_table_folds_and_loses_nothing():
    assert "88.60" in printed(results_table(study(variants=("early-stopping",)), 24), 24)


def test_numbers_survive_every_encoding():
    shown = printed(results_table(diverged(), 120), 120) + printed(training_table(diverged()))
    body = "\n".join(line for line in shown.splitlines() if "─" not in line)
    assert body.isascii()
    assert "-0." in body


def test_a_dumb_terminal_gets_a_table_that_fits(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    result = Console(file=StringIO(), force_terminal=True)
    assert result.width == 80  # whatever is asked for
    result.print(results_table(study(), result.width, validation_sparklines(study(), 11)))
    assert len(result.file.getvalue().splitlines()) == 2 + len(study().variants)


# --- Evidence ---------------------------------------------------------------------------------------------------------

EVIDENCE = PairedEvidence(5, None, None, None, 0.01, 0.06, (0.1,) * 5, 0.934, 0.01, 12)


def evidence(summary, width: int = 80) -> str:
    table = evidence_table(summary, width)
    assert table is not None
    return printed(table, width)


def test_every_comparison_has_its_row():
    summary = study(variants=("baseline", "l2", "dropout"))
    asked = replace(summary.comparisons[0], variant="dropout", against="l2")
    summary = replace(
        summary, asked=(asked,), evidence={"dropout": EVIDENCE, "dropout/l2": EVIDENCE}, friedman_p=0.0002
    )
    output = evidence(summary, 80)
    assert max(map(len, output.splitlines())) <= 80
    rows = {line.split("  ")[0]: line for line in output.splitlines()}
    assert {"against baseline", "l2", "dropout", "dropout vs l2"} <= rows.keys()
    assert rows["dropout"].split()[-3:] == ["better", "93", "%"]
    assert rows["l2"].split()[-1] == "-"
    assert "rank alike on these test examples: p < 0.001." in " ".join(output.split())
    assert "−" not in output


@pytest.mark.parametrize("width", [30, 40, 55, 70, 120])
def test_it_fits_any_width(width):
    assert max(map(len, evidence(study(), width).splitlines())) <= width


def test_an_interval_of_all_that_is_possible_is_told_to_be_cut():
    summary = study(variants=("baseline", "l2"))
    assert "largest possible" not in evidence(summary, 80)
    cut = replace(summary.comparisons[0], interval=(0.3, 1.0))
    output = " ".join(evidence(replace(summary, comparisons=(cut,)), 80).split())
    assert "[+30.00, +100.00]" in output
    nothing = replace(summary.comparisons[0], interval=(-1.0, 1.0))  # of two seeds, which cannot tell
    assert "100.00" not in evidence(replace(summary, comparisons=(nothing,)), 80)
    assert output.endswith("Intervals are cut at 100 points, the largest possible difference.")


def test_without_two_seeds_there_is_none():
    assert evidence_table(study(variants=("baseline", "l2"), seeds=1)) is None
    assert evidence_table(study(variants=("baseline",))) is None
