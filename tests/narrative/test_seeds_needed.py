"""The sentences of a planned comparison say what its numbers say."""

from __future__ import annotations

import re

import pytest

from wellfit.analysis.seeds_needed import power_curve
from wellfit.narrative.seeds_needed import power_sentences


def test_every_number_is_that_of_the_curve():
    curve = power_curve(0.88, 0.005, 10_000, variants=3)
    planned, needed, limit, assumed = power_sentences(curve)
    assert f"with a probability of {100 * curve.planned.power:.0f} %, as one of 2 comparisons" in planned
    assert f"differences of {100 * curve.planned.difference:.2f} points or more" in planned
    assert needed == f"Deciding 0.50 points with 80 % power takes {curve.needed} seeds."
    close = next(row for row in curve.rows if row.difference <= 1.1 * curve.endless.difference)
    assert limit.startswith(f"With {close.seeds} seeds")
    assert f"its limit, {100 * curve.endless.difference:.2f} points" in limit
    assert "on 9.00 % of the examples, on 2.25 % with every seed" in assumed


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ({"seeds": 1}, "With 1 seed and 10,000 test examples, nothing is decided"),
        ({"seeds": 2, "seed_sd": 0.2}, "80 % power is reached for no difference"),
        ({"difference": 0.003}, "No number of seeds decides 0.30 points.*only differences of 0.42 points"),
        ({"difference": 0.00421}, "takes more than 1,000 seeds"),
        ({"seed_sd": 0.03}, "More seeds lower the smallest decidable difference, to 0.42 points at best"),
    ],
)
def test_every_case_has_its_sentence(options, pattern):
    curve = power_curve(**({"accuracy": 0.88, "difference": 0.005, "examples": 10_000} | options))
    assert re.search(pattern, "\n".join(power_sentences(curve)))
