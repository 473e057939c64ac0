"""Answers about generalization gaps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from wellfit.base import Comparison, Question, RunSummary, VariantSummary
from wellfit.narrative.context import AnswerContext
from wellfit.narrative.gap_answers import (
    answer_capacity,
    answer_generalizes,
    answer_impact,
    answer_signs,
    gap_pairs,
)


def variant(name: str, gap: float | None, half: float | None = 0.01, parameters: int = 10):
    runs = tuple(RunSummary(s, "finished", 9, 9, 9, None, *[0.9, 0.3] * 3, 2.0) for s in range(3))
    mean = {} if gap is None else {"generalization_gap": gap}
    bounds = None if gap is None or half is None else (gap - half, gap + half)
    return VariantSummary(name, {}, parameters, runs, mean, {"generalization_gap": bounds}, 1.0, {})


def gap(name: str, against: str, difference: float, verdict: str = "undecided", p: float | None = 0.3) -> Comparison:
    bounds = (difference - 0.01, difference + 0.01)
    return Comparison(name, against, "generalization_gap", difference, bounds, p, p, verdict)  # type: ignore[arg-type]


def accuracy(name: str, against: str, difference: float, verdict: str) -> Comparison:
    bounds = (difference - 0.01, difference + 0.01)
    return Comparison(name, against, "test_accuracy", difference, bounds, 0.01, 0.01, verdict)  # type: ignore[arg-type]


def context(variants: list[VariantSummary], gaps: list[Comparison], compared: list[Comparison] = [], **more: Any):  # noqa: B006
    return AnswerContext({v.name: v for v in variants}, compared, [], {}, [], [], gaps=gaps, **more)


def texts(sentences) -> list[str]:
    assert all(sentence.sources for sentence in sentences)
    return [sentence.text for sentence in sentences]


THREE = [variant("baseline", 0.05), variant("l2", 0.02), variant("l1", 0.01)]


def test_the_pairs_follow_from_the_questions() -> None:
    names = ["a", "b", "c"]
    assert gap_pairs([Question("?", "capacity", variants=("c", "b"))], names) == (("b", "c"),)
    assert gap_pairs([Question("?", "impact", variant="c", than=("b",))], names) == (("c", "b"),)
    assert gap_pairs([Question("?", "impact", variant="c"), Question("?", "best")], names) == (("c", "a"),)
    both = [Question("?", "signs"), Question("?", "generalizes", variants=("b", "a"))]
    assert gap_pairs(both, names) == (("b", "a"), ("c", "a"))  # none twice


def test_the_smallest_gap_is_no_merit_alone() -> None:
    gaps = [gap("l2", "baseline", -0.03, "better", 0.01), gap("l1", "baseline", -0.04, "better", 0.01),
            gap("l1", "l2", -0.01)]  # fmt: skip
    found = answer_generalizes(
        Question("?", "generalizes"), context(THREE, gaps, [accuracy("l1", "baseline", -0.07, "worse")])
    )
    assert texts(found) == [
        "l1 has the smallest generalization gap, 1.0 points [0.0, 2.0]; pairwise comparisons separate it from "
        "baseline, but not from l2.",
        "In test accuracy it was worse than baseline (-7.0 points [-8.0, -6.0]): a small gap alone is no merit.",
    ]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("better", "better"), "l1 has the smallest generalization gap, 1.0 points [0.0, 2.0], and pairwise "
         "comparisons separate it from all others."),
        (("undecided", "equivalent"), "Undecided: l1 has the smallest generalization gap, 1.0 points [0.0, 2.0], but "
         "no pairwise comparison separates it from baseline or l2."),
    ],
)  # fmt: skip
def test_which_generalizes_is_claimed_as_far_as_the_verdicts_go(verdicts: tuple[str, str], expected: str) -> None:
    gaps = [gap("l1", "baseline", -0.04, verdicts[0], 0.01), gap("l1", "l2", -0.01, verdicts[1], 0.01)]
    assert texts(answer_generalizes(Question("?", "generalizes"), context(THREE, gaps))) == [expected]


def test_one_seed_tells_no_gap_from_chance() -> None:
    gaps = [gap("l2", "baseline", -0.03, p=None)]
    two = [variant("baseline", 0.05, None), variant("l2", 0.02, None)]
    (text,) = texts(answer_generalizes(Question("?", "generalizes"), context(two, gaps)))
    assert text.startswith(
        "Undecided: l2 has the smallest generalization gap, 2.0 points, but with fewer than two seeds"
    )
    first, *_ = texts(answer_signs(Question("?", "signs"), context(two, gaps)))
    assert first == (
        "The generalization gap is 5.0 points (baseline) and 2.0 points (l2); one seed cannot distinguish it from "
        "chance."
    )


def test_without_runs_there_is_no_answer_yet() -> None:
    none = context([variant("baseline", None), variant("l2", None)], [])
    for kind in ("generalizes", "signs", "capacity", "impact"):
        question = Question("?", kind, variant="l2", variants=("baseline", "l2"))  # type: ignore[arg-type]
        answer = {"generalizes": answer_generalizes, "signs": answer_signs, "capacity": answer_capacity,
                  "impact": answer_impact}[kind]  # fmt: skip
        assert texts(answer(question, none))[0].startswith("No answer yet: ")


def test_signs_of_overfitting_and_what_helped() -> None:
    gaps = [gap("l2", "baseline", -0.03, "better", 0.01), gap("l1", "baseline", 0.02, "worse", 0.01)]
    found = texts(answer_signs(Question("?", "signs"), context([*THREE[:2], variant("l1", 0.005)], gaps)))
    assert found[0] == (
        "Training accuracy exceeds test accuracy beyond chance in 2 variants, by 5.0 points [4.0, 6.0] (baseline) and "
        "2.0 points [1.0, 3.0] (l2); for l1 the gap cannot be distinguished from 0."
    )
    assert found[1] == "The validation loss rises beyond noise in none of them."
    assert found[-1] == (
        "Compared with baseline, l2 (-3.0 points [-4.0, -2.0]) narrowed the gap and l1 (+2.0 points [1.0, 3.0]) "
        "widened the gap."
    )
    none = texts(
        answer_signs(Question("?", "signs"), context([variant("a", 0.0), variant("b", 0.0)], [gap("b", "a", 0)]))
    )
    assert none[0] == "The gap shows no overfitting: for a and b it cannot be distinguished from 0."
    assert none[-1] == "No variant narrowed the gap of a beyond chance."


def test_of_many_variants_the_largest_gaps_are_given() -> None:
    many = [variant(f"v{i}", 0.1 - i / 100) for i in range(8)]
    first = texts(answer_signs(Question("?", "signs"), context(many, [])))[0]
    assert first == (
        "Training accuracy exceeds test accuracy beyond chance in all variants, by 10.0 points [9.0, 11.0] (v0) to "
        "3.0 points [2.0, 4.0] (v7)."
    )


def test_capacity_compares_with_the_smallest() -> None:
    sizes = [
        variant("1x", 0.01, parameters=1000),
        variant("2x", 0.012, parameters=2000),
        variant("9x", 0.05, parameters=9000),
    ]
    gaps = [gap("2x", "1x", 0.002), gap("9x", "1x", 0.04, "worse", 0.01)]
    found = texts(answer_capacity(Question("?", "capacity", variants=("1x", "2x", "9x")), context(sizes, gaps)))
    assert found[0] == (
        "The generalization gap is 1.0 points [0.0, 2.0] with 1,000 parameters (1x), 1.2 [0.2, 2.2] with 2,000 (2x) "
        "and 5.0 [4.0, 6.0] with 9,000 (9x)."
    )
    assert found[1] == (
        "Compared with 1x, it is larger with 9x (+4.0 points [3.0, 5.0]); for 2x no difference is clear."
    )
    assert found[2] == "The validation loss rises beyond noise in none of them."
    unclear = [gap("2x", "1x", 0.002), gap("9x", "1x", 0.04)]
    assert "No gap can be distinguished from that of 1x." in texts(
        answer_capacity(Question("?", "capacity", variants=("1x", "2x", "9x")), context(sizes, unclear))
    )


def test_the_impact_of_one_change() -> None:
    pair = [variant("baseline", 0.05), variant("l2", 0.02, parameters=20)]
    question = Question("?", "impact", variant="l2")
    gaps = [gap("baseline", "l2", 0.03, "worse", 0.01)]  # as another question asked for it
    found = texts(answer_impact(question, context(pair, gaps, [accuracy("l2", "baseline", -0.01, "worse")])))
    assert found == [
        "Compared with baseline, l2 lowered test accuracy (-1.0 points [-2.0, 0.0]) and narrowed the gap (-3.0 points "
        "[-4.0, -2.0]).",
        "Training l2 took as many epochs and 2 times the parameters as baseline: 9 epochs of 20 parameters against 9 "
        "of 10.",
    ]
    open_ = context(THREE[:2], [gap("l2", "baseline", -0.03)], [accuracy("l2", "baseline", 0.01, "undecided")])
    assert texts(answer_impact(question, open_)) == [
        "Compared with baseline, l2 had no clear effect on test accuracy (+1.0 points [0.0, 2.0]) or on the "
        "gap (-3.0 points [-4.0, -2.0], adjusted p = 0.3).",
        "Training l2 took as many epochs and as many parameters as baseline: 9 epochs of 10 parameters.",
    ]
    same = accuracy("l2", "baseline", 0.0, "undecided")
    alike = context(THREE[:2], [gap("l2", "baseline", 0.0, "equivalent", 0.9)], [replace(same, identical=True)])
    assert texts(answer_impact(question, alike))[0] == (
        "Compared with baseline, l2 left test accuracy exactly as it was and left the gap as it was, within the margin "
        "(0.0 points [-1.0, 1.0])."
    )


def test_gaps_that_were_not_compared_are_not_blamed_on_the_seeds() -> None:
    (text,) = texts(answer_generalizes(Question("?", "generalizes"), context(THREE, [])))
    assert text.endswith("gaps cannot be compared, because the number of training examples behind them is not kept.")
    none = context(THREE[:2], [], [accuracy("l2", "baseline", 0.01, "undecided")])
    first = texts(answer_impact(Question("?", "impact", variant="l2"), none))[0]
    assert first == (
        "Compared with baseline, l2 had no clear effect on test accuracy (+1.0 points [0.0, 2.0]); gaps cannot be "
        "compared, because the number of training examples behind them is not kept."
    )
