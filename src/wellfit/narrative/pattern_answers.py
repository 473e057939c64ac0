"""Answers about mistakes: which classes a network takes for which."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from wellfit.base import IntArray, Question, Sentence
from wellfit.narrative.context import AnswerContext, no_answer_yet
from wellfit.narrative.phrases import listed

__all__ = ["answer_patterns"]

_PAIRS: Final = 3  # that a sentence names


class _Pair(NamedTuple):
    """Two classes that are confused with each other: the one that is more often wrong, and what it is taken for."""

    true: int
    taken: int
    wrong: int  # both ways
    rate: float  # of the first class
    back: float  # of the second, taken for the first


def answer_patterns(question: Question, context: AnswerContext) -> list[Sentence]:
    """Which classes are confused, how much of all mistakes that is, and whether other variants differ in it.

    Args:
      question: of kind ``"patterns"``; its variant is by default the first.
      context: the evidence.

    Example: of ten shirts, four are taken for coats.
      >>> counts = {"baseline": np.array([[6, 4, 0], [1, 9, 0], [0, 0, 10]])}
      >>> context = AnswerContext({}, [], [], {}, [], [], confusion=counts, classes=("Shirt", "Coat", "Bag"))
      >>> answer_patterns(Question("?", "patterns", variant="baseline"), context)[0].text[:82]
      'baseline most often confuses Shirt and Coat (40.0 % of Shirt are taken for Coat, 1'
    """
    name = question.variant or next(iter(context.variants), "")
    counts = context.confusion.get(name)
    if counts is None:
        return [no_answer_yet([name] if name else [], context)]
    pairs = _confused(counts)
    key = (f"variants[{name}].runs",)
    if not pairs:
        return [Sentence(f"{name} makes no mistake on the test examples.", key)]
    wrong = int(counts.sum() - np.trace(counts))
    shown = [_words(pair, context.classes) for pair in pairs[:_PAIRS]]
    share = 100 * sum(pair.wrong for pair in pairs[:_PAIRS]) / wrong
    text = f"{name} most often confuses {listed(shown)}: {share:.0f} % of its mistakes."
    return [Sentence(text, key), *_spread(name, counts, context), *_others(name, pairs[0], context)]


def _confused(counts: IntArray) -> list[_Pair]:
    """Pairs of classes by their number of mistakes, the most first; ties in the order of the classes."""
    totals = np.maximum(counts.sum(axis=1), 1)  # (K,)
    pairs = []
    for i, j in zip(*np.triu_indices(len(counts), 1), strict=True):
        a, b = int(i), int(j)
        if (wrong := int(counts[a, b] + counts[b, a])) > 0:
            rates = counts[a, b] / totals[a], counts[b, a] / totals[b]
            true, taken = (a, b) if rates[0] >= rates[1] else (b, a)
            pairs.append(_Pair(true, taken, wrong, float(max(rates)), float(min(rates))))
    return sorted(pairs, key=lambda pair: -pair.wrong)


def _words(pair: _Pair, classes: tuple[str, ...]) -> str:
    true, taken = classes[pair.true], classes[pair.taken]
    back = f", {100 * pair.back:.1f} % the other way round" if pair.back else ", never the other way round"
    return f"{true} and {taken} ({100 * pair.rate:.1f} % of {true} are taken for {taken}{back})"


def _spread(name: str, counts: IntArray, context: AnswerContext) -> list[Sentence]:
    """The classes that are hardest and easiest to recognize."""
    totals = counts.sum(axis=1)
    recall = np.diag(counts) / np.maximum(totals, 1)
    known = np.flatnonzero(totals)
    if len(known) < 3:
        return []
    worst, best = known[recall[known].argmin()], known[recall[known].argmax()]
    text = (
        f"{context.classes[worst]} is recognized least often ({100 * recall[worst]:.1f} %), {context.classes[best]} "
        f"most often ({100 * recall[best]:.1f} %)."
    )
    return [Sentence(text, (f"variants[{name}].runs",))]


def _others(name: str, first: _Pair, context: AnswerContext) -> list[Sentence]:
    """Whether the same two classes lead among the mistakes of the other variants."""
    leading = {other: _confused(counts)[:1] for other, counts in context.confusion.items() if other != name}
    mistaken = {other: {pairs[0].true, pairs[0].taken} for other, pairs in leading.items() if pairs}
    if not mistaken:
        return []
    same = [other for other, pair in mistaken.items() if pair == {first.true, first.taken}]
    keys = tuple(f"variants[{other}].runs" for other in mistaken)
    pair = f"{context.classes[first.true]} and {context.classes[first.taken]}"
    if not same:
        return [Sentence(f"No other variant confuses {pair} most often.", keys)]
    if len(same) == len(mistaken):
        return [Sentence(f"Every other variant confuses {pair} most often, too.", keys)]
    return [Sentence(f"{len(same)} of {len(mistaken)} other variants also confuse {pair} most often.", keys)]
