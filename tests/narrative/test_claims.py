"""The sentences about a published number claim what its intervals say, and no more."""

from __future__ import annotations

import pytest

from wellfit.analysis.claims import claim_evidence
from wellfit.narrative.claims import claim_sentences, run_sentence


def text(accuracy=0.8835, other=None, **options):
    return " ".join(claim_sentences(claim_evidence(accuracy, 10_000, other=other, **options)))


def test_one_number_without_a_spread_is_one_network():
    said = text()
    assert "this one network gets 87.71 to 88.97 % of such examples right (95 %)" in said
    assert "nothing is shown about the recipe" in said
    assert "against" not in said


@pytest.mark.parametrize(
    ("other", "options", "claimed"),
    [
        (0.8803, {"seed_sd": 0.003}, "That does not show which recipe is better."),
        (0.85, {"seed_sd": 0.003}, "The first recipe is better beyond chance."),
        (0.91, {"seed_sd": 0.003}, "The first recipe is worse beyond chance."),
        (0.8803, {}, "so neither network is better beyond chance; of the recipes it shows nothing."),
        (0.85, {}, "so one of these two networks is better beyond chance; of the recipes it shows nothing."),
    ],
)
def test_a_difference_is_claimed_where_its_interval_excludes_zero(other, options, claimed):
    assert claimed in text(other=other, **options)


def test_the_number_of_comparisons_is_said_once_where_it_counts():
    said = text(other=0.8803, seed_sd=0.003, variants=5)
    assert said.count("corrected for 4 comparisons") == 1
    assert "among 4 comparisons" in said
    assert "corrected for 4 comparisons, so neither" in text(other=0.8803, variants=5)


def test_one_more_run_is_consistent_or_outside():
    assert run_sentence(0.88, "l2", "x", 5, (0.87, 0.89)).endswith("88.00 % is consistent with that.")
    assert run_sentence(0.9, "l2", "x", 5, (0.87, 0.89)).endswith("90.00 % is outside.")
    assert run_sentence(0.9, "l2", "x", 1, None) == "l2 in x has 1 run, which shows no spread over seeds."
