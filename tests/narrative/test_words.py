import pytest

from wellfit.base import Comparison, Ranked
from wellfit.narrative.words import bounded, further, peers, points, several


def test_points_have_one_decimal_and_two_where_small():
    given_and_told = [
        (0.006, "0.6"),
        (-0.006, "-0.6"),
        (0.00099, "0.10"),
        (0.0005, "0.05"),
        (0.123, "12.3"),
        (0, "0.0"),
    ]
    for difference, told in given_and_told:
        assert points(difference) == told
    assert points(0.006, signed=True) == "+0.6"
    assert points(-0.0005, signed=True) == "-0.05"
    assert points(-1e-9) == "0.00"


def compared(difference, interval, verdict="undecided", p=0.07):
    return Comparison("a", "b", "test_accuracy", difference, interval, p, p, verdict)


def test_a_difference_is_bounded_by_what_accuracies_can_be():
    assert bounded(compared(0.4, (-0.8, 1.7))) == "+40.0 points [-80.0, 100.0]"
    assert bounded(compared(0.4, None)) == "+40.0 points"


def test_an_interval_without_zero_that_decides_nothing_says_why():
    told = bounded(compared(0.015, (0.0001, 0.029)))
    assert told == "+1.5 points [0.01, 2.9], p = 0.07 after Holm's correction"
    assert bounded(compared(0.015, (0.0001, 0.029), "better", 0.01)) == "+1.5 points [0.01, 2.9]"


def test_many_names_are_counted():
    assert several(["a", "b", "c", "d"]) == "a, b, c and d"
    assert several(list("abcdefg")) == "a, b, c and 4 others"


def test_peers_share_a_letter_unless_a_verdict_tells_them_apart():
    ranking = [Ranked("a", 0.9, "a"), Ranked("b", 0.8, "ab"), Ranked("c", 0.7, "b"), Ranked("d", 0.6, "ab")]
    assert peers("a", ranking, []) == (("c",), ("b", "d"))
    assert peers("a", ranking, [compared(0.1, None, "better", 0.01)]) == (("b", "c"), ("d",))
    assert peers("a", ranking, [compared(0.1, None, "equivalent", 0.9)]) == (("c",), ("b", "d"))


def test_letters_beyond_z_are_whole_words():
    ranking = [Ranked("x", 0.9, "a,ab"), Ranked("y", 0.8, "ab,b"), Ranked("z", 0.8, "b,ac")]
    assert peers("x", ranking, []) == (("z",), ("y",))


@pytest.mark.parametrize(
    ("needed", "text"),
    [
        ({"a": 3}, "If fixed beforehand, further seeds would probably decide: 3 for a."),
        (
            {"a": 30, "b": 2, "c": 4, "d": 50, "e": 9, "f": None},
            "If fixed beforehand, further seeds would probably decide: 2 for b, 4 for c, 9 for e, and up to 50 for 2 "
            "others; more seeds alone would hardly decide f.",
        ),
        ({"a": None}, "More seeds alone would hardly decide a: that takes more test images."),
    ],
)
def test_further_seeds_are_told_smallest_first(needed, text):
    assert further(needed) == text
