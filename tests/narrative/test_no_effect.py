from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from wellfit.base import Comparison, History, RunSummary, VariantSummary
from wellfit.narrative.no_effect import no_effect

SAME = Comparison("v", "baseline", "test_accuracy", 0.0, (0.0, 0.0), 1.0, 1.0, "undecided", identical=True)


def variant(name, reads=4, **settings):
    runs = tuple(RunSummary(seed, "finished", 4, reads, 3, None, *[None] * 7) for seed in (0, 1))
    return VariantSummary(name, settings, 1, runs, {}, {}, 0.0, {})


def history(last=0.6, length=4):
    falling = np.array([0.9, 0.8, 0.7, last])[:length]
    return History({"train_loss": falling, "validation_loss": falling + 0.1})


def reason(made, mine=None, comparison=SAME):
    histories = {"baseline": {0: history(), 1: history()}, "v": mine or {0: history(), 1: history()}}
    return no_effect([variant("baseline"), made], [comparison], histories)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"max_norm": 2.0}, "its limit never binds"),
        ({"global_clip_norm": 1.0}, "its limit never binds"),
        ({"early_stopping": {"patience": 9}}, "it reads the same epoch in every run"),
        ({"dropout": 0.0}, "in every epoch of its training"),
        ({"max_norm": 2.0, "l2": 0.1}, "in every answer"),
    ],
)
def test_equal_curves_show_why(settings, why):
    assert reason(variant("v", **settings)) == {"v": why}


def test_without_equal_curves_nothing_is_claimed():
    other = {0: history(), 1: history(0.61)}
    assert reason(variant("v", max_norm=2.0), other) == {"v": "in every answer"}
    assert no_effect([variant("baseline"), variant("v", max_norm=2.0)], [SAME], {}) == {"v": "in every answer"}
    unknown = History({"train_loss": np.zeros(4)})
    assert reason(variant("v", max_norm=2.0), {0: unknown}) == {"v": "in every answer"}


def test_early_stopping_that_reads_another_epoch_has_another_reason():
    assert reason(variant("v", reads=3, early_stopping={"patience": 1})) == {"v": "in every answer"}


def test_only_what_is_identical_to_the_first_is_explained():
    assert reason(variant("v", max_norm=2.0), comparison=replace(SAME, identical=False)) == {}
    assert reason(variant("v", max_norm=2.0), comparison=replace(SAME, against="l1")) == {}
    assert no_effect([], [SAME], {}) == {}
