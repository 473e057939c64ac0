from __future__ import annotations

from dataclasses import replace

import numpy as np

from detailed import NOTHING, details
from summaries import study
from wellfit.report.subjects.classes.numbers import class_panels, gain_rows, hardest

SUMMARY = study(variants=("baseline", "l2"), epochs=3)
DETAILS = details(SUMMARY)


def gains(**changes):
    """The gains of a variant whose table is changed."""
    table = replace(DETAILS.by_class["l2"], **changes)
    return gain_rows(class_panels(SUMMARY, replace(DETAILS, by_class={"l2": table})))


def test_every_variant_has_a_table_and_all_but_the_first_have_gains():
    first, other = class_panels(SUMMARY, DETAILS)
    table = DETAILS.by_class["l2"]
    row = other.rows[3]
    assert row.recall == f"{100 * table.recall[3]:.2f}"
    assert row.interval == f"[{100 * table.recall_low[3]:.2f}, {100 * table.recall_high[3]:.2f}]"
    assert first.rows[3].gain is None
    assert row.gain is not None
    assert [name for _, name, _ in gain_rows((first, other))] == ["l2"]
    assert class_panels(SUMMARY, NOTHING) == ()


def test_a_gain_is_clear_where_its_interval_excludes_zero():
    gain = np.array([0.03, 0.02, -0.03, 0.0004, *[0.0] * 6])
    half = np.array([0.01, 0.03, 0.01, *[0.01] * 7])
    ((index, name, cells),) = gains(gain=gain, gain_low=gain - half, gain_high=gain + half)
    assert (index, name) == (1, "l2")
    assert [cell.kind for cell in cells[:4]] == ["up", "open", "down", "open"]
    assert [cell.text for cell in cells[:4]] == ["+3.0", "+2.0", "−3.0", "0"]
    assert cells[0].full == "l2, T-shirt/top: +3.00 points [+2.00, +4.00]"
    assert cells[0].interval == "[+2.0, +4.0]"


def test_one_seed_has_no_interval():
    nothing = np.full(10, np.nan)
    ((_, _, cells),) = gains(recall_low=nothing, gain_low=nothing, gain_high=nothing)
    assert {(gain.kind, gain.interval) for gain in cells} == {("open", "")}
    table = replace(DETAILS.by_class["l2"], recall_low=nothing)
    assert class_panels(SUMMARY, replace(DETAILS, by_class={"l2": table}))[0].rows[0].interval == ""


def test_a_gain_that_is_no_number_is_a_dash():
    ((_, _, cells),) = gains(gain=np.full(10, np.nan))
    assert {(gain.text, gain.strength, gain.kind) for gain in cells} == {("–", 0, "open")}


def test_of_very_many_classes_those_with_the_lowest_recall_have_rows():
    summary = study(variants=("baseline", "l2"), epochs=1, classes=("a", "b"))
    table = details(summary).by_class["baseline"]
    one = replace(table, recall=np.r_[np.full(4000, 0.9), 0.1, 0.5])
    other = replace(table, recall=np.r_[np.full(4000, 0.9), 0.2, 1.0])
    assert hardest([table]) == [0, 1]
    assert hardest([one]) == list(range(4002))
    shown = hardest([one, other])
    assert len(shown) == 2500
    assert shown[-2:] == [4000, 4001]
    assert len(hardest([one] * 1000)) == 30
