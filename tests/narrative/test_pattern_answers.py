"""Answers about confused classes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wellfit.base import Question
from wellfit.narrative.context import AnswerContext
from wellfit.narrative.pattern_answers import answer_patterns

CLASSES = ("Shirt", "Coat", "Bag", "Boot")
COUNTS = np.array([[60, 40, 0, 0], [10, 90, 0, 0], [0, 0, 99, 1], [0, 0, 0, 100]])


def answered(confusion: dict[str, np.ndarray], variant: str = "") -> list[str]:
    context = AnswerContext({}, [], [], {}, [], [], confusion=confusion, classes=CLASSES)
    sentences = answer_patterns(Question("?", "patterns", variant=variant or "a"), context)
    assert all(sentence.sources for sentence in sentences)
    return [sentence.text for sentence in sentences]


def test_the_most_frequent_confusions() -> None:
    assert answered({"a": COUNTS}) == [
        "a most often confuses Shirt and Coat (40.0 % of Shirt are taken for Coat, 10.0 % the other way round) and Bag "
        "and Boot (1.0 % of Bag are taken for Boot, never the other way round): 100 % of its mistakes.",
        "Shirt is recognized least often (60.0 %), Boot most often (100.0 %).",
    ]


def test_other_variants_are_compared() -> None:
    other = np.array([[100, 0, 0, 0], [0, 100, 0, 0], [0, 30, 70, 0], [0, 0, 0, 100]])
    assert answered({"a": COUNTS, "b": COUNTS})[-1] == ("Every other variant confuses Shirt and Coat most often, too.")
    assert answered({"a": COUNTS, "b": COUNTS, "c": other})[-1] == (
        "1 of 2 other variants also confuse Shirt and Coat most often."
    )
    assert answered({"a": COUNTS, "c": other})[-1] == "No other variant confuses Shirt and Coat most often."


def test_without_mistakes_or_runs() -> None:
    assert answered({"a": np.diag([5, 5, 5, 5])}) == ["a makes no mistake on the test examples."]
    assert answered({}) == ["No answer yet: a has no finished seed."]


@given(hnp.arrays(np.int64, (4, 4), elements=st.integers(0, 50)))
def test_shares_are_those_of_the_counts(counts: np.ndarray) -> None:
    first = answered({"a": counts})[0]
    wrong = counts.sum() - np.trace(counts)
    both = np.sort((np.triu(counts, 1) + np.tril(counts, -1).T).ravel())[::-1]
    if wrong:
        assert first.endswith(f": {100 * both[:3].sum() / wrong:.0f} % of its mistakes.")
