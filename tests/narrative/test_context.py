import dataclasses

import pytest

from wellfit.base import Comparison, PairedEvidence, RunSummary, VariantSummary
from wellfit.narrative.context import AnswerContext, comparison_of, no_answer_yet, runs_that_ended

FIRST = Comparison("l2", "baseline", "test_accuracy", 0.006, (0.002, 0.01), 0.01, 0.02, "better")
ASKED = Comparison("both", "l2", "test_accuracy", -0.01, (-0.02, -0.005), 0.001, 0.002, "worse")


def evidence(seeds, further):
    return PairedEvidence(seeds, None, None, None, None, None, (), None, None, further)


CONTEXT = AnswerContext({}, [FIRST], [ASKED], {"l2": evidence(5, 7), "both/l2": evidence(2, 7)}, [], [])


def test_a_comparison_is_seen_from_either_side():
    assert comparison_of("l2", "baseline", CONTEXT)[:2] == (FIRST, "comparisons[l2]")
    seen = comparison_of("l2", "both", CONTEXT)
    assert seen.key == "asked[both/l2]"
    turned = {"variant": "l2", "against": "both", "difference": 0.01, "interval": (0.005, 0.02), "verdict": "better"}
    assert seen.comparison == dataclasses.replace(ASKED, **turned)
    assert seen.keys == tuple(f"asked[both/l2].{field}" for field in ("verdict", "difference", "interval"))
    assert comparison_of("both", "baseline", CONTEXT) is None


@pytest.mark.parametrize("verdict", ["equivalent", "undecided"])
def test_equivalent_and_undecided_are_the_same_from_both_sides(verdict):
    context = CONTEXT._replace(comparisons=[dataclasses.replace(FIRST, verdict=verdict, interval=None)])
    seen = comparison_of("baseline", "l2", context).comparison
    assert (seen.verdict, seen.interval, seen.difference) == (verdict, None, -0.006)


def test_two_seeds_give_no_number_of_further_ones():
    assert comparison_of("l2", "baseline", CONTEXT).further_seeds == 7
    assert comparison_of("both", "l2", CONTEXT).further_seeds is None


def test_runs_that_diverged_or_are_pending_did_not_end():
    states = ("finished", "diverged", "pending", "stopped")
    runs = tuple(RunSummary(seed, state, *[None] * 11) for seed, state in enumerate(states))
    assert [run.seed for run in runs_that_ended(VariantSummary("a", {}, 1, runs, {}, {}, 0.0, {}))] == [0, 3]
    assert runs_that_ended(None) == []


def test_what_is_missing_is_named():
    sentence = no_answer_yet(["a", "b"])
    assert sentence.text == "No answer yet: a and b have no finished seed in common."
    assert sentence.sources == ("variants[a].runs", "variants[b].runs")
    assert no_answer_yet(["a"]).text == "No answer yet: a has no finished seed."
    assert no_answer_yet([]).sources == ("variants",)
