from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summaries import study
from wellfit.report import wording


def test_nothing_is_a_dash_and_never_nan():
    for write in (wording.percent, wording.points, wording.p_value, wording.duration):
        assert write(None) == write(math.nan) == wording.NOTHING
    assert wording.interval((math.nan, 1.0)) == ""
    assert wording.difference(math.nan, None, "test_loss") == ("–", "")
    assert wording.difference(math.nan, None, "test_accuracy") == ("–", "")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.0 s"), (9.96, "10 s"), (59.7, "1 min 0 s"), (3599.7, "1 h 0 min"), (7260, "2 h 1 min")],
)
def test_durations_round_to_whole_units(seconds, text):
    assert wording.duration(seconds) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_dash_in_every_unit(value):
    for write in (wording.number, wording.percent, wording.points, wording.p_value, wording.duration):
        assert write(value) == wording.NOTHING
    assert wording.difference(value, None, "test_loss")[0] == wording.NOTHING
    assert wording.difference(value, None, "test_accuracy")[0] == wording.NOTHING
    assert wording.interval((value, 0.5)) == wording.interval((0.5, value)) == ""


@pytest.mark.parametrize("value", [-0.00001, -0.0, -1e-300])
def test_zero_is_never_negative(value):
    assert wording.percent(value) == "0.00 %"
    assert (wording.points(value), wording.points(value, signed=True)) == ("0.00", "+0.00")
    assert wording.difference(value, (value, value), "test_accuracy") == ("+0.00 points", "[+0.00, +0.00]")
    assert wording.difference(value, (value, value), "test_loss") == ("+0.0000", "[+0.0000, +0.0000]")
    assert wording.interval((value, value)) == "[0.00, 0.00]"
    assert wording.number(value, 2) == "0.00"


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 6), st.booleans())
def test_a_number_reads_back_as_it_was_rounded(value, digits, signed):
    text = wording.number(value, digits, signed=signed)
    if not math.isfinite(value):
        assert text == wording.NOTHING
        return
    assert float(text.replace("−", "-")) == round(value, digits)
    assert "-" not in text
    assert text.strip("−+0.") or text[0] != "−"


@pytest.mark.parametrize(
    ("text", "set_"),
    [
        ("It lost -0.5 points.", "It lost −0.5 points."),
        ("from -1 to -0.5, at 128-64, 1e-3", "from −1 to −0.5, at 128-64, 1e-3"),
        ("Try --set x=-3, or -3 points.", "Try --set x=-3, or −3 points."),
        ("Try --shift -3.", "Try --shift -3."),
        ('Run --set "train.x={a = -1, b = -2}" now: -4.', 'Run --set "train.x={a = -1, b = -2}" now: −4.'),
        ("l2=-3", "l2=-3"),
        ("--seeds 5", "--seeds 5"),
    ],
)
def test_a_hyphen_is_a_minus_before_a_number_and_not_in_a_command(text, set_):
    assert wording.true_minus(text) == set_


def test_memory_has_four_units():
    assert [wording.memory(10**n) for n in (2, 4, 7, 10)] == ["100 bytes", "10 kB", "10 MB", "10.0 GB"]


def test_settings_are_written_as_in_a_study_file():
    changes = {"l2": [1e-3, 0.0], "shuffle": True, "optimizer": "sgd", "epochs": 5}
    assert wording.settings(changes) == ("l2 = [0.001, 0]", "shuffle = true", 'optimizer = "sgd"', "epochs = 5")


def test_the_first_variant_has_no_verdict():
    summary = study()
    assert wording.verdict_against_first(summary, summary.variants[0]) is None
    assert wording.verdict_against_first(summary, summary.variants[1]) == summary.comparisons[0].verdict == "worse"
