"""The choice by validation beside verdicts on the test examples."""

import dataclasses

import pytest

from sweeps import FOUR, gaining, scored, tables
from wellfit.base import Comparison
from wellfit.narrative.chosen import chosen_despite_test


def verdict(name, word, p=0.01):
    return Comparison(name, "baseline", "test_accuracy", 0.01, (0.002, 0.018), p, p, word)


def said(summary, *comparisons):
    return [sentence.text for sentence in chosen_despite_test(dataclasses.replace(summary, comparisons=comparisons))]


def test_a_variant_that_only_the_test_calls_better_is_not_the_model():
    summary = scored(FOUR, gaining({}, 0.004))
    assert said(summary, verdict("dropout", "better"), verdict("l2", "worse")) == [
        "The model stays baseline, although dropout was better on the test examples: validation, which alone chooses, "
        "does not support it beyond chance."
    ]
    (both,) = said(summary, verdict("l2", "better"), verdict("dropout", "better"))
    assert "although l2 and dropout were better" in both
    assert said(summary, verdict("dropout", "undecided")) == []


@pytest.mark.parametrize(("word", "phrase"), [("worse", "worse than"), ("undecided", "undecided against"),
                                              ("equivalent", "equivalent to")])  # fmt: skip
def test_the_choice_comes_with_its_verdict_where_that_is_not_better(word, phrase):
    summary = scored(FOUR, gaining({"dropout": 0.03}, 0.002))
    assert said(summary, verdict("dropout", word)) == [
        f"The model is dropout, which validation supports; on the test examples it is {phrase} baseline, and test "
        "results do not choose."
    ]
    assert said(summary, verdict("dropout", "better")) == said(summary) == []


def test_epochs_chosen_on_validation_are_not_judged_by_it():
    stopping = tables({"baseline": {}, "stop": {"early_stopping": {"patience": 3}}})
    (text,) = said(scored(stopping, gaining({})), verdict("stop", "better"))
    assert text.endswith("better on the test examples: validation, which alone chooses, cannot judge it.")


def test_other_metrics_than_accuracy():
    summary = dataclasses.replace(scored(FOUR, gaining({})), metric="brier")
    (text,) = said(summary, verdict("l2", "better"))
    assert text.endswith(": validation accuracy, which would choose, says too little about test Brier score.")
    assert chosen_despite_test(dataclasses.replace(summary, variants=())) == ()
