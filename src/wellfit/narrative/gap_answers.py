"""Answers about the generalization gap: which variant has the smallest, what overfits, what capacity and changes do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final

import numpy as np

from wellfit.base import Comparison, Question, Sentence, VariantSummary
from wellfit.narrative.context import AnswerContext, comparison_of, no_answer_yet, runs_that_ended, turned
from wellfit.narrative.epoch_answers import rise_in_short
from wellfit.narrative.metrics import NAMES
from wellfit.narrative.phrases import difference_with_interval, listed, points, several

__all__ = ["answer_capacity", "answer_generalizes", "answer_impact", "answer_signs", "gap_pairs"]

_GAP: Final = "generalization_gap"
_NOT_COMPARED: Final = "gaps cannot be compared, because the number of training examples behind them is not kept"
_UNCLEAR: Final = "had no clear effect on"
_SHOWN: Final = 2  # variants whose gaps a sentence gives; of more, the largest and the smallest


def gap_pairs(questions: Sequence[Question], names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The pairs of variants whose gaps the questions need compared; they follow from the questions alone.

    Args:
      questions: of the study.
      names: of its variants; the first is the one that others are compared with.

    Example:
      >>> gap_pairs([Question("?", "signs")], ["baseline", "l2"])
      (('l2', 'baseline'),)
      >>> gap_pairs([Question("?", "generalizes")], ["a", "b", "c"])
      (('b', 'a'), ('c', 'a'), ('c', 'b'))
    """
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    for question in questions:
        chosen = list(question.variants or names)
        if question.kind == "generalizes":
            wanted = [(b, a) for a, b in combinations(chosen, 2)]
        elif question.kind == "signs":
            wanted = [(name, names[0]) for name in chosen]
        elif question.kind == "capacity":
            wanted = [(name, chosen[0]) for name in chosen]
        elif question.kind == "impact":
            wanted = [(question.variant, other) for other in question.than or names[:1]]
        else:
            continue
        for pair in wanted:
            if pair[0] != pair[1]:
                pairs.setdefault(frozenset(pair), pair)
    return tuple(pairs.values())


def answer_generalizes(question: Question, context: AnswerContext) -> list[Sentence]:
    """Which variant has the smallest generalization gap, and whether its accuracy is worth having.

    Args:
      question: of kind ``"generalizes"``.
      context: the evidence.

    Example:
      >>> answer_generalizes(Question("?", "generalizes"), AnswerContext({}, [], [], {}, [], []))[0].text
      'No answer yet: there is no variant.'
    """
    asked = list(question.variants or context.variants)
    names = [name for name in asked if _gap(context, name) is not None]
    if len(names) < 2:
        return [no_answer_yet(asked, context)]
    leader = min(names, key=lambda name: _gap(context, name) or 0.0)
    keys = tuple(f"variants[{name}].mean.{_GAP}" for name in names)
    pairs = {other: pair for other in names if other != leader and (pair := _gap_of(leader, other, context))}
    has = f"{leader} has the smallest generalization gap, {_shown_gap(context, leader)}"
    if not pairs:
        return [Sentence(f"Undecided: {has}; {_NOT_COMPARED}.", keys)]
    if not any(pair.p_value is not None for pair in pairs.values()):
        text = f"Undecided: {has}, but with fewer than two seeds in common, differences cannot be separated from chance"
        return [Sentence(f"{text}.", keys)]
    smaller = [other for other, pair in pairs.items() if pair.verdict == "better"]
    alike = [other for other in names if other != leader and other not in smaller]
    if not alike:
        text = f"{has}, and pairwise comparisons separate it from {'all others' if len(smaller) > 1 else smaller[0]}"
    elif not smaller:
        text = f"Undecided: {has}, but no pairwise comparison separates it from {several(alike, 'or')}"
    else:
        text = f"{has}; pairwise comparisons separate it from {several(smaller)}, but not from {several(alike, 'or')}"
    keys += tuple(f"gaps[{pair.variant}/{pair.against}].verdict" for pair in context.gaps if leader in _names(pair))
    return [Sentence(f"{text}.", keys), *_worth(leader, context)]


def _worth(leader: str, context: AnswerContext) -> list[Sentence]:
    """Whether the variant with the smallest gap is worse or better than the first by what the study judges."""
    first = next(iter(context.variants))
    pair = comparison_of(leader, first, context)
    if pair is None or pair.comparison.verdict not in ("better", "worse"):
        return []
    what, verdict = NAMES[context.metric], pair.comparison.verdict
    text = f"In {what} it was {verdict} than {first} ({pair.text})"
    if verdict == "worse":
        text += ": a small gap alone is no merit"
    return [Sentence(f"{text}.", pair.keys)]


def answer_signs(question: Question, context: AnswerContext) -> list[Sentence]:
    """Which variants show signs of overfitting, by the gap and by the validation loss, and what helped.

    Args:
      question: of kind ``"signs"``.
      context: the evidence.

    Example:
      >>> answer_signs(Question("?", "signs"), AnswerContext({}, [], [], {}, [], []))[0].text
      'No answer yet: there is no variant.'
    """
    asked = list(question.variants or context.variants)
    names = [name for name in asked if _gap(context, name) is not None]
    if not names:
        return [no_answer_yet(asked, context)]
    return [_by_gap(names, context), *rise_in_short(names, context), *_helped(names, context)]


def _by_gap(names: Sequence[str], context: AnswerContext) -> Sentence:
    """The variants whose training accuracy exceeds test accuracy beyond chance."""
    keys = tuple(f"variants[{name}].interval.{_GAP}" for name in names)
    known = [name for name in names if _bounds(context, name) is not None]
    if not known:
        all_gaps = listed([f"{_shown_gap(context, name)} ({name})" for name in names])
        return Sentence(f"The generalization gap is {all_gaps}; one seed cannot distinguish it from chance.", keys)
    signs = [name for name in known if (_bounds(context, name) or (0.0, 0.0))[0] > 0]
    rest = [name for name in known if name not in signs]
    if not signs:
        return Sentence(f"The gap shows no overfitting: for {several(known)} it cannot be distinguished from 0.", keys)
    ordered = sorted(signs, key=lambda name: -(_gap(context, name) or 0.0))
    shown = [f"{_shown_gap(context, name)} ({name})" for name in ordered]
    by = f"by {listed(shown)}" if len(shown) <= _SHOWN else f"by {shown[0]} to {shown[-1]}"
    where = "" if len(shown) == 1 else f" in {len(shown)} variants" if rest else " in all variants"
    unclear = f"; for {several(rest)} the gap cannot be distinguished from 0" if rest else ""
    return Sentence(f"Training accuracy exceeds test accuracy beyond chance{where}, {by}{unclear}.", keys)


def _helped(names: Sequence[str], context: AnswerContext) -> list[Sentence]:
    """Which variants have a smaller gap than the first, or a larger one."""
    first = next(iter(context.variants))
    pairs = {name: pair for name in names if name != first and (pair := _gap_of(name, first, context)) is not None}
    pairs = {name: pair for name, pair in pairs.items() if pair.p_value is not None}
    if not pairs:
        return []
    keys = tuple(f"gaps[{pair.variant}/{pair.against}].verdict" for pair in context.gaps)
    clauses = []
    for verdict, words in (("better", "narrowed"), ("worse", "widened")):
        group = [f"{name} ({difference_with_interval(c)})" for name, c in pairs.items() if c.verdict == verdict]
        if group:
            clauses.append(f"{several(group)} {words} the gap")
    if not clauses:
        return [Sentence(f"No variant narrowed the gap of {first} beyond chance.", keys)]
    rest = [name for name, pair in pairs.items() if pair.verdict not in ("better", "worse")]
    unclear = f"; for {several(rest)} no difference is clear" if rest else ""
    return [Sentence(f"Compared with {first}, {' and '.join(clauses)}{unclear}.", keys)]


def answer_capacity(question: Question, context: AnswerContext) -> list[Sentence]:
    """How the gap and the beginning of overfitting change from a small network to larger ones.

    Args:
      question: of kind ``"capacity"``; its variants in order of size, the first is the reference.
      context: the evidence.

    Example:
      >>> answer_capacity(Question("?", "capacity", variants=("1", "2")), AnswerContext({}, [], [], {}, [], []))[0].text
      'No answer yet: 1 and 2 have no finished seed in common.'
    """
    names = [name for name in question.variants if _gap(context, name) is not None]
    if len(names) < 2:
        return [no_answer_yet(question.variants, context)]
    shown = [
        f"{_shown_gap(context, name)} with {context.variants[name].parameters:,} parameters ({name})" for name in names
    ]
    shown[1:] = [text.replace(" points [", " [").replace(" parameters (", " (") for text in shown[1:]]
    keys = tuple(f"variants[{name}].{what}" for name in names for what in ("parameters", f"mean.{_GAP}"))
    text = f"The generalization gap is {listed(shown)}."
    return [
        Sentence(text, keys),
        *_trend(names, context),
        *rise_in_short(names, context),
    ]


def _trend(names: Sequence[str], context: AnswerContext) -> list[Sentence]:
    """Which gaps differ from that of the first of the names."""
    first, *others = names
    pairs = {name: pair for name in others if (pair := _gap_of(name, first, context)) is not None}
    pairs = {name: pair for name, pair in pairs.items() if pair.p_value is not None}
    if not pairs:
        return []
    keys = tuple(f"gaps[{c.variant}/{c.against}].verdict" for c in context.gaps if first in _names(c))
    clauses = []
    for verdict, words in (("worse", "larger"), ("better", "smaller")):
        group = [f"{name} ({difference_with_interval(c)})" for name, c in pairs.items() if c.verdict == verdict]
        if group:
            clauses.append(f"{words} with {listed(group)}")
    rest = [name for name, pair in pairs.items() if pair.verdict not in ("better", "worse")]
    if not clauses:
        return [Sentence(f"No gap can be distinguished from that of {first}.", keys)]
    unclear = f"; for {several(rest)} no difference is clear" if rest else ""
    return [Sentence(f"Compared with {first}, it is {' and '.join(clauses)}{unclear}.", keys)]


def answer_impact(question: Question, context: AnswerContext) -> list[Sentence]:
    """What one change did to accuracy, to the gap and to the work of training: epochs and parameters.

    Args:
      question: of kind ``"impact"``; ``than`` is what the variant is compared with, by default the first.
      context: the evidence.

    Example:
      >>> answer_impact(Question("?", "impact", variant="dropout"), AnswerContext({}, [], [], {}, [], []))[0].text
      'No answer yet: dropout has no finished seed.'
    """
    sentences: list[Sentence] = []
    name, others = question.variant, question.than or tuple(context.variants)[:1]
    for other in others:
        pair, gap = comparison_of(name, other, context), _gap_of(name, other, context)
        if pair is None:
            sentences.append(no_answer_yet([name, other], context))
            continue
        what = NAMES[context.metric]
        effect = _effect(pair.comparison, "raised" if pair.comparison.difference > 0 else "lowered", what, pair.text)
        on_gap = _on_gap(gap, effect.startswith(_UNCLEAR))
        of_pair = (f"gaps[{c.variant}/{c.against}].verdict" for c in context.gaps if {name, other} == _names(c))
        text = f"Compared with {other}, {name} {effect}{on_gap}."
        sentences.append(Sentence(text, (*pair.keys, *of_pair)))
        sentences += _work(name, other, context)
    return sentences or [no_answer_yet([name], context)]


def _on_gap(gap: Comparison | None, unclear: bool) -> str:
    """What a change did to the gap, after what it did to the metric, perhaps nothing clear."""
    if gap is None:
        return f"; {_NOT_COMPARED}"
    text = difference_with_interval(gap)
    effect = _effect(gap, "narrowed" if gap.difference < 0 else "widened", "the gap", text)
    return f" or on the gap ({text})" if unclear and effect.startswith(_UNCLEAR) else f" and {effect}"


def _effect(c: Comparison, done: str, what: str, text: str) -> str:
    """What a change did, or that it did nothing that can be told."""
    if c.identical:
        return f"left {what} exactly as it was"
    if c.verdict in ("better", "worse"):
        return f"{done} {what} ({text})"
    if c.verdict == "equivalent":
        return f"left {what} as it was, within the margin ({text})"
    return f"{_UNCLEAR} {what} ({text})"


def _work(name: str, other: str, context: AnswerContext) -> list[Sentence]:
    """How much training the runs of two variants took: seconds would tell which others were trained beside them."""
    mine, theirs = (context.variants.get(v) for v in (name, other))
    epochs = [
        float(np.mean(counts))
        for v in (mine, theirs)
        if (counts := [run.epochs for run in runs_that_ended(v) if run.epochs is not None])
    ]
    if mine is None or theirs is None or len(epochs) < 2:
        return []
    longer = "as many epochs" if abs(epochs[0] - epochs[1]) < 0.05 else f"{epochs[0] / epochs[1]:.2g} times the epochs"
    sizes = mine.parameters, theirs.parameters
    larger = "as many parameters" if sizes[0] == sizes[1] else f"{sizes[0] / sizes[1]:.2g} times the parameters"
    how = f"{epochs[0]:.3g} epochs of {sizes[0]:,} parameters"
    if (longer, larger) != ("as many epochs", "as many parameters"):
        how += f" against {epochs[1]:.3g} of {sizes[1]:,}"
    keys = tuple(f"variants[{v}].{what}" for v in (name, other) for what in ("runs", "parameters"))
    return [Sentence(f"Training {name} took {longer} and {larger} as {other}: {how}.", keys)]


# --- Gaps -------------------------------------------------------------------------------------------------------------


def _gap(context: AnswerContext, name: str) -> float | None:
    variant: VariantSummary | None = context.variants.get(name)
    return None if variant is None else variant.mean.get(_GAP)


def _bounds(context: AnswerContext, name: str) -> tuple[float, float] | None:
    return context.variants[name].interval.get(_GAP)


def _shown_gap(context: AnswerContext, name: str) -> str:
    """A gap with its interval."""
    bounds = _bounds(context, name)
    text = f"{points(_gap(context, name) or 0.0)} points"
    return text if bounds is None else f"{text} [{points(bounds[0])}, {points(bounds[1])}]"


def _names(c: Comparison) -> set[str]:
    return {c.variant, c.against}


def _gap_of(name: str, other: str, context: AnswerContext) -> Comparison | None:
    """The comparison of two gaps, seen from the first."""
    for c in context.gaps:
        if _names(c) == {name, other}:
            return c if c.variant == name else turned(c)
    return None
