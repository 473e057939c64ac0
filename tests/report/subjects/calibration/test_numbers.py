from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import NOTHING, details
from summaries import study
from wellfit.report.subjects.calibration.numbers import class_panels, gain_rows, score_columns, score_rows


def made():
    summary = study(variants=("baseline", "l2"), epochs=3)
    return summary, details(summary)


def test_a_table_for_every_variant_with_gains_for_all_but_the_first():
    summary, found = made()
    first, other = class_panels(summary, found)
    table = found.by_class["l2"]
    row = other.rows[3]
    assert row.recall == f"{100 * table.recall[3]:.2f}"
    assert row.interval == f"[{100 * table.recall_low[3]:.2f}, {100 * table.recall_high[3]:.2f}]"
    assert first.rows[3].gain is None
    assert row.gain is not None


def test_a_gain_is_told_only_where_its_interval_holds_no_zero():
    summary, found = made()
    gain = np.array([0.03, 0.02, -0.03, 0.0004, *[0.0] * 6])
    low, high = gain - np.array([0.01, 0.03, 0.01, *[0.01] * 7]), gain + np.array([0.01, 0.03, 0.01, *[0.01] * 7])
    table = replace(found.by_class["l2"], gain=gain, gain_low=low, gain_high=high)
    ((index, name, cells),) = gain_rows(summary, replace(found, by_class={"l2": table}))
    assert (index, name) == (1, "l2")
    assert [cell.kind for cell in cells[:4]] == ["up", "open", "down", "open"]
    assert [cell.text for cell in cells[:4]] == ["+3.0", "+2.0", "−3.0", "0"]
    assert cells[0].full == "l2, T-shirt/top: +3.00 points [+2.00, +4.00]"
    assert cells[0].interval == "[+2.00, +4.00]"


def test_one_seed_has_no_interval():
    summary, found = made()
    nothing = np.full(10, np.nan)
    table = replace(found.by_class["l2"], recall_low=nothing, gain_low=nothing, gain_high=nothing)
    changed = replace(found, by_class={"l2": table})
    assert class_panels(summary, changed)[0].rows[0].interval == ""
    gains = gain_rows(summary, changed)[0][2]
    assert {(gain.kind, gain.interval) for gain in gains} == {("open", "")}


def test_scores_of_the_probabilities_and_of_the_seeds_together():
    summary, found = made()
    titles = [title for _, title in score_columns(found)]
    assert titles == ["F1, mean of classes", "right among first three", "ROC AUC", "calibration error (ECE)",
                      "Brier score", "ensemble of the seeds", "gain on a single run"]  # fmt: skip
    row = score_rows(summary, found)[1]
    assert row.cells[1][1:] == ("99.00 %", "[98.50, 99.50]")
    assert row.cells[2][1:] == ("0.9910", "")
    assert row.cells[3][1:] == ("5.40 %", "[4.50, 6.10]")
    assert row.cells[6][1:] == ("+1.00 points (5 seeds)", "")


def test_what_is_missing_is_a_dash():
    summary, found = made()
    without = replace(found, ensembles={"baseline": found.ensembles["baseline"]}, calibration={})
    assert [cell[1] for cell in score_rows(summary, without)[1].cells[-2:]] == ["–", "–"]
    assert score_rows(summary, NOTHING) == []
    assert score_columns(NOTHING) == []
