from wellfit.base import Comparison, Question, RunSummary, VariantSummary
from wellfit.narrative.epochs import onset, stop
from wellfit.narrative.facts import Facts


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


def test_onsets_are_told_in_order_and_a_shift_only_where_it_is_told_from_chance():
    told = text(
        onset(
            Question("?", "onset"),
            facts(
                variant("1x128", [9, 10, 9, 11, 10]),
                variant("5x128", [5, 6, 5, 6, 5]),
                variant("10x128", [9, 11, 8, 12, 10]),
                variant("dropout", [None] * 5, best=[28, 30, 27, 28, 29]),
            ),
        )
    )
    assert told == (
        "The smoothed validation loss turns, and rises for good, after epoch: 1x128 10 [9, 11]; 5x128 5 [5, 6]; 10x128 "
        "10 [8, 12] (medians of the seeds; 94 % brackets). For dropout, trained for 30 epochs, no rise of the "
        "validation loss beyond the noise is seen; it is lowest after epoch: dropout 28 [27, 30] (medians of the "
        "seeds; 94 % brackets). Against 1x128 that is earlier in 5x128 (-4.4 epochs [-5.1, -3.7]); for 10x128 no shift "
        "is told from chance."
    )


def test_no_shift_that_chance_could_bring_is_told():
    told = text(onset(Question("?", "onset"), facts(variant("a", [9, 10, 12]), variant("b", [8, 11, 11]))))
    assert "No shift against a is told from chance" in told
    same = text(onset(Question("?", "onset"), facts(variant("a", [9, 9, 9]), variant("b", [9, 9, 9]))))
    assert "No shift against a is told from chance" in same


def test_shifts_that_are_all_alike_are_judged_by_their_signs():
    two = facts(variant("a", [9, 9]), variant("b", [8, 8]))  # two signs that agree do so in every second case
    assert "No shift against a is told from chance" in text(onset(Question("?", "onset"), two))
    ten = facts(variant("a", [9] * 10), variant("b", [8] * 10))
    assert "earlier in b (-1.0 epochs [-1.0, -1.0])" in text(onset(Question("?", "onset"), ten))


def test_shifts_are_counted_from_the_first_in_which_it_begins():
    of = facts(variant("a", [None] * 3, best=30), variant("b", [9, 9, 8]), variant("c", [20, 22, 21]))
    assert "Against b that is later in c (+12.3 epochs" in text(onset(Question("?", "onset"), of))


def test_what_began_late_or_in_one_seed_is_told_as_such():
    told = text(onset(Question("?", "onset"), facts(variant("a", [7, 8, None, None, 9]))))
    assert "a 9 [7, later]" in told
    assert text(onset(Question("?", "onset"), facts(variant("a", [7])))).endswith("after epoch: a 7.")
    never = facts(variant("a", [None, None], epochs=20), variant("b", [None, None], best=[28, 30]))
    assert text(onset(Question("?", "onset"), never)) == (
        "For a and b, trained for 20 to 30 epochs, no rise of the validation loss beyond the noise is seen; it is "
        "lowest after epoch: a 9 [9, 9]; b 28 [28, 30] (medians of the seeds; 50 % brackets)."
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
        "After epoch 9 [7, 12] of 30, by validation loss: there that of baseline is lowest (the median of 5 seeds; "
        "94 % bracket). Stopping early: patient, after 14.0 epochs on average, was better than baseline (+0.6 points "
        "[0.2, 1.0]); hasty, after 6.0 epochs on average, cannot be told from baseline (-0.1 points [-0.4, 0.2])."
    )


def test_where_the_loss_still_falls_more_epochs_are_advised():
    still = text(stop(Question("?", "stop"), facts(variant("a", [None] * 3, best=30))))
    assert "near the end, so that more epochs may be worth their time" in still
    assert "(one seed)" in text(stop(Question("?", "stop"), facts(variant("a", [None]))))
    assert text(stop(Question("?", "stop", variant="b"), facts(variant("a", [None])))).startswith("Not yet")
