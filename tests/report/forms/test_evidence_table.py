from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from summaries import study
from wellfit.base import PairedEvidence
from wellfit.report.forms.evidence_table import evidence_table

EVIDENCE = PairedEvidence(5, None, None, None, 0.01, 0.06, (0.1,) * 5, 0.934, 0.01, 12)


def printed(summary, width):
    console = Console(width=width, record=True, file=StringIO())
    console.print(evidence_table(summary, width))
    return console.export_text()


def test_every_comparison_has_its_row():
    summary = study(variants=("baseline", "l2", "dropout"))
    asked = replace(summary.comparisons[0], variant="dropout", against="l2")
    summary = replace(
        summary, asked=(asked,), evidence={"dropout": EVIDENCE, "dropout/l2": EVIDENCE}, friedman_p=0.0002
    )
    told = printed(summary, 80)
    assert max(map(len, told.splitlines())) <= 80
    rows = {line.split("  ")[0]: line for line in told.splitlines()}
    assert {"against baseline", "l2", "dropout", "dropout vs l2"} <= rows.keys()
    assert rows["dropout"].split()[-3:] == ["93", "%", "12"]
    assert rows["l2"].split()[-2:] == ["-", "-"]
    assert "all are alike on these images: p < 0.001." in " ".join(told.split())
    assert "−" not in told


@pytest.mark.parametrize("width", [30, 40, 55, 70, 120])
def test_it_fits_any_width(width):
    assert max(map(len, printed(study(), width).splitlines())) <= width


def test_an_interval_of_all_that_is_possible_is_told_to_be_cut():
    summary = study(variants=("baseline", "l2"))
    assert "most that is possible" not in printed(summary, 80)
    cut = replace(summary.comparisons[0], interval=(-1.0, 1.0))
    told = " ".join(printed(replace(summary, comparisons=(cut,)), 80).split())
    assert "[-100.00, +100.00]" in told
    assert told.endswith("Intervals end at 100 points, the most that is possible.")


def test_without_two_seeds_there_is_none():
    assert evidence_table(study(variants=("baseline", "l2"), seeds=1)) is None
    assert evidence_table(study(variants=("baseline",))) is None
