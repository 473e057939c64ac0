from functools import partial

import pytest

from wellfit.base import Comparison, Question, RunSummary, VariantSummary
from wellfit.narrative.context import AnswerContext, RiseCause
from wellfit.narrative.epoch_answers import answer_onset, answer_stop, rise_in_short


def variant(name, onsets, best=9, epochs=30, state="finished"):
    bests = best if isinstance(best, list) else [best] * len(onsets)
    runs = tuple(
        RunSummary(seed, state, epochs, epochs, b, at, *[0.9, 0.3] * 3, 1.0)
        for seed, (at, b) in enumerate(zip(onsets, bests, strict=True))
    )
    return VariantSummary(name, {}, 1, runs, {}, {}, 1.0, {})


def context(*variants, comparisons=(), stopping=()):
    return AnswerContext({v.name: v for v in variants}, comparisons, [], {}, [], stopping)


def text(sentences):
    assert all(s.sources and s.text.endswith(".") for s in sentences)
    return " ".join(s.text for s in sentences)


def test_onsets_come_in_order_with_significant_shifts():
    answer = text(
        answer_onset(
            Question("?", "onset"),
            context(
                variant("1x128", [9, 10, 9, 11, 10]),
                variant("5x128", [5, 6, 5, 6, 5]),
                variant("10x128", [9, 11, 8, 12, 10]),
                variant("dropout", [None] * 5, best=[28, 30, 27, 28, 29]),
            ),
        )
    )
    assert answer == (
        "The smoothed validation loss begins to rise for good after epoch 10 [9, 11] for 1x128, 5 [5, 6] for 5x128 "
        "and 10 [8, 12] for 10x128 (medians over the seeds, 94 % intervals). The loss itself, unsmoothed, is lowest "
        "after epoch 9 [9, 9] for 1x128, 9 [9, 9] for 5x128 and 9 [9, 9] for 10x128; that is the epoch to stop at. "
        "dropout, trained for 30 epochs, shows no rise of the validation loss beyond noise; it is lowest after epoch "
        "28 [27, 30] for dropout (medians over the seeds, 94 % intervals). "
        "Compared with 1x128, the rise begins earlier for 5x128 (-4.4 epochs [-5.1, -3.7]); for 10x128 no "
        "shift can be separated from chance."
    )


def test_a_rise_that_is_seen_is_said_with_its_numbers():
    curves = context(variant("a", [None] * 2, best=9), variant("b", [None] * 2, best=30))
    seen = curves._replace(losses={"a": (0.274, 0.361, 9), "b": (0.3, 0.301, 29)})
    assert text(answer_onset(Question("?", "onset"), seen)) == (
        "b, trained for 30 epochs, shows no rise of the validation loss beyond noise; it is lowest after epoch 30 [30, "
        "30] for b (medians over the seeds, 50 % intervals). The mean validation loss rises for a from 0.274 after "
        "epoch 9 to 0.361, which 2 seeds cannot distinguish from noise."
    )
    many = [variant(f"v{i}", [None]) for i in range(10)]
    all_seen = context(*many)._replace(losses={v.name: (0.2, 0.3, 9) for v in many})
    answer = text(answer_onset(Question("?", "onset"), all_seen))
    assert answer.endswith("to 0.300 and 2 others, which 1 seed cannot distinguish from noise.")


def test_shifts_within_chance_are_not_claimed():
    answer = text(answer_onset(Question("?", "onset"), context(variant("a", [9, 10, 12]), variant("b", [8, 11, 11]))))
    assert "No shift from a can be separated from chance" in answer
    same = text(answer_onset(Question("?", "onset"), context(variant("a", [9, 9, 9]), variant("b", [9, 9, 9]))))
    assert "No shift from a can be separated from chance" in same


def test_equal_shifts_are_judged_by_their_signs():
    two = context(variant("a", [9, 9]), variant("b", [8, 8]))  # two signs that agree do so in every second case
    assert "No shift from a can be separated from chance" in text(answer_onset(Question("?", "onset"), two))
    ten = context(variant("a", [9] * 10), variant("b", [8] * 10))
    assert "earlier for b (-1.0 epochs [-1.0, -1.0])" in text(answer_onset(Question("?", "onset"), ten))


def test_shifts_are_relative_to_the_first_that_overfits():
    of = context(variant("a", [None] * 3, best=30), variant("b", [9, 9, 8]), variant("c", [20, 22, 21]))
    assert "Compared with b, the rise begins later for c (+12.3 epochs" in text(
        answer_onset(Question("?", "onset"), of)
    )


def test_late_onsets_and_single_seeds_say_so():
    answer = text(answer_onset(Question("?", "onset"), context(variant("a", [7, 8, None, None, 9]))))
    assert "9 [7, later] for a" in answer
    assert text(answer_onset(Question("?", "onset"), context(variant("a", [7])))) == (
        "The smoothed validation loss begins to rise for good after epoch 7 for a. The loss itself, unsmoothed, is "
        "lowest after epoch 9 for a; that is the epoch to stop at."
    )
    never = context(variant("a", [None, None], epochs=20), variant("b", [None, None], best=[28, 30]))
    assert text(answer_onset(Question("?", "onset"), never)) == (
        "a and b, trained for 20 to 30 epochs, show no rise of the validation loss beyond noise; it is lowest after "
        "epoch 9 [9, 9] for a and 28 [28, 30] for b (medians over the seeds, 50 % intervals)."
    )
    pending = context(variant("a", [None], state="pending"))
    assert text(answer_onset(Question("?", "onset"), pending)).startswith("No answer yet")
    many = context(*(variant(f"v{i}", [7, 8]) for i in range(12)))
    assert " and 4 others" in text(answer_onset(Question("?", "onset"), many))


def test_when_to_stop_and_what_stopping_cost():
    better = Comparison("patient", "baseline", "test_accuracy", 0.006, (0.002, 0.01), 0.01, 0.02, "better")
    open_ = Comparison("hasty", "baseline", "test_accuracy", -0.001, (-0.004, 0.002), 0.4, 0.4, "undecided")
    answer = text(
        answer_stop(
            Question("?", "stop"),
            context(
                variant("baseline", [9] * 5, best=[8, 9, 7, 12, 9]),
                variant("patient", [None] * 5, epochs=14, state="stopped"),
                variant("hasty", [None] * 5, epochs=6, state="stopped"),
                comparisons=[better, open_],
                stopping=["patient", "hasty"],
            ),
        )
    )
    assert answer == (
        "After epoch 9 [7, 12] of 30, where the validation loss of baseline is lowest (median of 5 seeds, 94 % "
        "interval). Early stopping: patient, after 14.0 epochs on average, was better than baseline (+0.6 points "
        "[0.2, 1.0]); hasty, after 6.0 epochs on average, cannot be separated from baseline (-0.1 points [-0.4, 0.2])."
    )


def test_a_late_minimum_suggests_more_epochs():
    still = text(answer_stop(Question("?", "stop"), context(variant("a", [None] * 3, best=30))))
    assert "close to the end, so more epochs may help" in still
    assert "(one seed)" in text(answer_stop(Question("?", "stop"), context(variant("a", [None]))))
    assert text(answer_stop(Question("?", "stop", variant="b"), context(variant("a", [None])))).startswith(
        "No answer yet"
    )


def test_rises_in_short_name_those_that_rise_and_those_that_do_not():
    rising, quiet = variant("a", [9, 10, 9]), variant("b", [None] * 3)
    assert text(rise_in_short(["a", "b"], context(rising, quiet))) == (
        "The validation loss rises for good after epoch 9 [9, 10] for a, and not beyond noise for b."
    )
    assert (
        text(rise_in_short(["a"], context(rising))) == "The validation loss rises for good after epoch 9 [9, 10] for a."
    )
    none = text(rise_in_short(["b", "c"], context(quiet, variant("c", [None] * 3))))
    assert none == "The validation loss rises beyond noise in neither of them."
    assert text(rise_in_short(["b"], context(quiet))) == "The validation loss does not rise beyond noise for b."
    assert rise_in_short(["gone"], context(quiet)) == []


def test_rises_in_short_say_what_is_seen_without_being_beyond_noise():
    both = context(variant("a", [None] * 2, best=9), variant("b", [None] * 2))
    seen = both._replace(losses={"a": (0.274, 0.361, 9), "b": (0.3, 0.301, 29)})
    assert text(rise_in_short(["a", "b"], seen)) == (
        "The validation loss does not rise beyond noise for b. The mean validation loss rises for a from 0.274 after "
        "epoch 9 to 0.361, which 2 seeds cannot distinguish from noise."
    )


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        ("hardly learned", "training accuracy ends close to guessing"),
        ("training loss rose", "the training loss rises too"),
    ],
)
@pytest.mark.parametrize("answer", [partial(answer_onset, Question("?", "onset")), partial(rise_in_short, ["a"])])
def test_a_rise_beyond_noise_of_another_cause_is_not_blamed_on_noise(answer, cause: RiseCause, why: str):
    risen = context(variant("a", [None] * 5, best=4))._replace(losses={"a": (0.4, 1.1, 4)}, other_causes={"a": cause})
    said = text(answer(risen))
    assert said.startswith(f"The mean validation loss rises for a from 0.400 after epoch 4 to 1.100, but {why}")
    assert "noise" not in said
    unknown = risen._replace(losses={})  # every run diverged in some epoch, say
    assert text(answer(unknown)).startswith(f"The mean validation loss rises for a, but {why}")
