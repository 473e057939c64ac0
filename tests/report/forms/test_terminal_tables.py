from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from summaries import diverged, study
from wellfit.report.forms.terminal_tables import results_table, training_table
from wellfit.report.subjects.curves.sparklines import validation_sparklines


def printed(table, width=80):
    made = Console(file=StringIO(), width=width)
    made.print(table)
    return made.file.getvalue()


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
    made = Console(file=StringIO(), force_terminal=True)
    assert made.width == 80  # whatever is asked for
    made.print(results_table(study(), made.width, validation_sparklines(study(), 11)))
    assert len(made.file.getvalue().splitlines()) == 2 + len(study().variants)
