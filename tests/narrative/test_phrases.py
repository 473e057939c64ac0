import pytest

from wellfit.base import Comparison, Ranked
from wellfit.narrative.phrases import (
    difference_with_interval,
    further_seeds_sentence,
    listed,
    mean_percent,
    mean_points,
    runs_of,
    separation,
    several,
)


def compared(difference, interval, verdict="undecided", p=0.07):
    return Comparison("a", "b", "test_accuracy", difference, interval, p, p, verdict)


def test_a_difference_is_bounded_by_what_accuracies_can_be():
    assert difference_with_interval(compared(0.7, (0.3, 1.1), "better")) == "+70.0 points [30.0, 100.0]"
    assert difference_with_interval(compared(0.4, (-0.8, 1.7))) == "+40.0 points"  # tells nothing
    assert difference_with_interval(compared(0.4, None)) == "+40.0 points"


def test_an_undecided_interval_without_zero_says_why():
    text = difference_with_interval(compared(0.015, (0.0001, 0.029)))
    assert text == "+1.5 points [0.01, 2.9], adjusted p = 0.07"
    assert difference_with_interval(compared(0.015, (0.0001, 0.029), "better", 0.01)) == "+1.5 points [0.01, 2.9]"


def test_many_names_are_counted():
    assert several(["a", "b", "c", "d"]) == "a, b, c and d"
    assert several(list("abcdefg")) == "a, b, c and 4 others"


def test_letters_alone_separate_and_verdicts_say_who_is_ahead():
    ranking = [Ranked("a", 0.9, "a"), Ranked("b", 0.8, "ab"), Ranked("c", 0.7, "b"), Ranked("d", 0.6, "ab")]
    assert separation("a", ranking, []) == (("c",), ("b", "d"), ())
    assert separation("a", ranking, [compared(0.1, None, "better", 0.01)]) == (("c",), ("b", "d"), ())
    odd = Comparison("c", "a", "test_accuracy", 0.1, None, 0.01, 0.01, "better")  # over their common seeds alone
    assert separation("a", ranking, [odd]) == ((), ("b", "d"), ("c",))


def test_letters_beyond_z_are_whole_words():
    ranking = [Ranked("x", 0.9, "a,ab"), Ranked("y", 0.8, "ab,b"), Ranked("z", 0.8, "b,ac")]
    assert separation("x", ranking, []) == (("z",), ("y",), ())


MAY = "--until-decided adds them in planned interim analyses, which keep false claims at 5 %."


@pytest.mark.parametrize(
    ("needed", "text"),
    [
        ({"a": 3}, f"More seeds may decide a: {MAY}"),
        (
            {"a": 30, "b": 2, "c": 4, "d": 50, "e": 9, "f": None},
            f"More seeds may decide a, b, c and 2 others: {MAY} More seeds alone are unlikely to decide f.",
        ),
        ({"a": None}, "More seeds alone are unlikely to decide a; that would take more test examples."),
    ],
)
def test_further_seeds_are_no_promise(needed, text):
    assert further_seeds_sentence(needed) == text


def test_means_have_an_interval_from_three_seeds_on():
    assert mean_points([0.01, 0.02]) == "1.5 points"
    assert mean_percent([0.5, 0.5, 0.5]) == "50.0 % [50.0, 50.0]"
    assert mean_percent([0.9, 1.0, 1.0]) == "96.7 % [82.3, 100.0]"


def test_runs_and_names_are_counted():
    assert (runs_of(1, 2), runs_of(1, 1)) == ("1 of 2 runs", "1 of 1 run")
    assert (listed([]), listed(["a", "b"])) == ("", "a and b")
