from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from wellfit.analysis.epochs import median_interval, onset, stop
from wellfit.analysis.facts import Facts
from wellfit.base import Comparison, Question, RunSummary, VariantSummary


def variant(name, onsets, best=9, epochs=30, state="finished"):
    bests = best if isinstance(best, list) else [best] * len(onsets)
    runs = tuple(
        RunSummary(seed, state, epochs, epochs, b, at, *[0.9, 0.3] * 3, 1.0)
        for seed, (at, b) in enumerate(zip(onsets, bests, strict=True))
    )
    return VariantSummary(name, {}, 1, runs, {}, {}, 1.0, {})


def facts(*variants, comparisons=(), stopping=()):
    return Facts({v.name: v for v in variants}, comparisons, [], {}, [], stopping)


def text(sentences):
    assert all(s.sources and s.text.endswith(".") for s in sentences)
    return " ".join(s.text for s in sentences)


@pytest.mark.parametrize("n", range(1, 40))
def test_the_bracket_of_the_median_holds_it_as_often_as_it_says(n):
    median, (low, high), holds = median_interval(range(1, n + 1))
    assert low + high == n + 1
    assert median == (n + 1) // 2
    assert holds == pytest.approx(1 - 2 * stats.binom.cdf(low - 1, n, 0.5) if n > 1 else 0)
    if n >= 6:  # and the next narrower one does not
        assert holds >= 0.95 > 1 - 2 * stats.binom.cdf(low, n, 0.5)
    else:
        assert low == 1


@given(st.integers(5, 12), st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_it_covers_the_true_median_in_simulations(n, seed):
    drawn = np.random.default_rng(seed).exponential(size=(400, n))
    found = [median_interval(row.tolist()) for row in drawn]
    held = np.mean([low <= np.log(2) <= high for _, (low, high), _ in found])
    assert held > found[0][2] - 0.06  # five standard errors of 400 draws


def test_onsets_are_told_in_order_and_a_shift_only_where_it_is_told_from_chance():
    told = text(
        onset(
            Question("?", "onset"),
            facts(
                variant("1x128", [9, 10, 9, 11, 10]),
                variant("5x128", [5, 6, 5, 6, 5]),
                variant("10x128", [9, 11, 8, 12, 10]),
                variant("dropout", [None, None, 20, None, None]),
            ),
        )
    )
    assert told == (
        "The validation loss rises for good after epoch: 1x128 10 [9, 11]; 5x128 5 [5, 6]; 10x128 10 [8, 12] (medians; "
        "brackets hold the median of new seeds, 94 %); it does not in most runs of dropout (1 of 5 runs). Against "
        "1x128 that is earlier in 5x128 (-4.4 epochs); for 10x128 no shift is told from chance."
    )


def test_no_shift_that_chance_could_bring_is_told():
    told = text(onset(Question("?", "onset"), facts(variant("a", [9, 10, 12]), variant("b", [8, 11, 11]))))
    assert "No shift against a is told from chance" in told
    same = text(onset(Question("?", "onset"), facts(variant("a", [9, 9, 9]), variant("b", [9, 9, 9]))))
    assert "No shift against a is told from chance" in same


def test_what_began_late_or_in_one_seed_is_told_as_such():
    told = text(onset(Question("?", "onset"), facts(variant("a", [7, 8, None, None, 9]))))
    assert "a 9 [7, later]" in told
    assert text(onset(Question("?", "onset"), facts(variant("a", [7])))).endswith("after epoch: a 7.")
    never = facts(variant("a", [None, None]), variant("b", [None, 9]))
    assert text(onset(Question("?", "onset"), never)) == (
        "The validation loss rises for good after epoch: b 9 [9, later] (medians; brackets hold the median of new "
        "seeds, 50 %); it does not in most runs of a (0 of 2 runs)."
    )
    assert text(onset(Question("?", "onset", variants=("a",)), never)) == (
        "The validation loss does not rise for good in most runs of a (0 of 2 runs)."
    )
    pending = facts(variant("a", [None], state="pending"))
    assert text(onset(Question("?", "onset"), pending)).startswith("Not yet")
    many = facts(*(variant(f"v{i}", [7, 8]) for i in range(12)))
    assert "; and 4 others" in text(onset(Question("?", "onset"), many))


def test_when_to_stop_and_what_stopping_cost():
    better = Comparison("patient", "baseline", "test_accuracy", 0.006, (0.002, 0.01), 0.01, 0.02, "better")
    open_ = Comparison("hasty", "baseline", "test_accuracy", -0.001, (-0.004, 0.002), 0.4, 0.4, "undecided")
    told = text(
        stop(
            Question("?", "stop"),
            facts(
                variant("baseline", [9] * 5, best=[8, 9, 7, 12, 9]),
                variant("patient", [None] * 5, epochs=14, state="stopped"),
                variant("hasty", [None] * 5, epochs=6, state="stopped"),
                comparisons=[better, open_],
                stopping=["patient", "hasty"],
            ),
        )
    )
    assert told == (
        "After epoch 9 [7, 12] of 30: there baseline has its lowest validation loss (the median of 5 seeds; 94 % "
        "bracket). Stopping early: patient, after 14.0 epochs on average, was better than baseline (+0.6 points [0.2, "
        "1.0]); hasty, after 6.0 epochs on average, cannot be told from baseline (-0.1 points [-0.4, 0.2])."
    )


def test_where_the_loss_still_falls_more_epochs_are_advised():
    still = text(stop(Question("?", "stop"), facts(variant("a", [None] * 3, best=30))))
    assert "near the end, so that more epochs may be worth their time" in still
    assert "(one seed)" in text(stop(Question("?", "stop"), facts(variant("a", [None]))))
    assert text(stop(Question("?", "stop", variant="b"), facts(variant("a", [None])))).startswith("Not yet")


def test_infinity_is_later_than_all():
    assert median_interval([3.0, inf, 5.0]) == (5.0, (3.0, inf), 0.75)
