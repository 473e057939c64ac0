"""The questions that a study asks, answered from the evidence in sentences that claim no more than it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt

import numpy as np

from wellfit.analysis.crossed import t_quantile
from wellfit.base import (
    Answer,
    Question,
    Sentence,
)
from wellfit.narrative.epochs import onset, stop
from wellfit.narrative.facts import Against, Facts, against, ended, not_yet
from wellfit.narrative.words import bounded, counted, further, listed, peers, several

__all__ = ["answered", "asked_pairs", "published_winner"]


def asked_pairs(
    questions: Sequence[Question],
    first: str,
    published: Mapping[str, Mapping[str, float]],
    stopping: Sequence[str],
) -> tuple[tuple[str, str], ...]:
    """The pairs of variants that the questions need compared, beyond those with the first.

    Known before any outcome: from the questions and the published numbers.

    Args:
      questions: of the study.
      first: the variant that all are compared with anyway.
      published: variant -> metric -> value.
      stopping: names of the variants that stop early.

    Example:
      >>> both = Question("?", "beats", variant="l2+dropout", than=("baseline", "l2", "dropout"))
      >>> asked_pairs([both], "baseline", {}, ())
      (('l2+dropout', 'l2'), ('l2+dropout', 'dropout'))
    """
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    for question in questions:
        name, others = question.variant, list(question.than)
        if question.kind == "winner":
            name, *others = [name for name, _ in _published(published)[1]] or [""]
        elif question.kind == "stop":
            name, others = name or first, [v for v in question.variants or stopping if v != (name or first)]
        elif question.kind != "beats":
            continue
        for other in others:
            pair = (other, name) if question.kind == "stop" else (name, other)
            if first not in pair:
                pairs.setdefault(frozenset(pair), pair)
    return tuple(pairs.values())


def published_winner(
    questions: Sequence[Question], published: Mapping[str, Mapping[str, float]]
) -> tuple[Question, ...]:
    """The questions, and whether the published winner is one, wherever two variants have published accuracies.

    Example:
      >>> [q.kind for q in published_winner((), {"a": {"test_accuracy": 0.9}, "b": {"test_accuracy": 0.8}})]
      ['winner']
    """
    if len(_published(published)[1]) < 2 or any(question.kind == "winner" for question in questions):
        return tuple(questions)
    return (*questions, Question("Is the published winner confirmed?", "winner"))


def _published(published: Mapping[str, Mapping[str, float]]) -> tuple[str, list[tuple[str, float]]]:
    """The metric that two variants or more have published, test accuracy before validation accuracy; highest first."""
    for metric in ("test_accuracy", "validation_accuracy"):
        values = [(name, row[metric]) for name, row in published.items() if metric in row]
        if len(values) >= 2:
            return metric, sorted(values, key=lambda pair: -pair[1])
    return "test_accuracy", []


def answered(questions: Sequence[Question], facts: Facts) -> tuple[Answer, ...]:
    """An answer to each question, in order; where the runs for it are missing, that is the answer.

    Args:
      questions: of the study.
      facts: the evidence.

    Example:
      >>> from wellfit.base import Comparison
      >>> found = Comparison("l2", "baseline", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> facts = Facts({}, [found], [], {}, [], [])
      >>> answered([Question("Does L2 help?", "beats", "l2", than=("baseline",))], facts)[0].text
      'Yes: l2 was better than baseline (+0.6 points [0.2, 1.0]).'
    """
    kinds: Mapping[str, Callable[[Question, Facts], list[Sentence]]] = {
        "beats": _beats,
        "best": _best,
        "onset": onset,
        "stop": stop,
        "winner": _winner,
        "matches": _matches,
    }
    return tuple(Answer(q.ask, q.kind, tuple(kinds[q.kind](q, facts))) for q in questions)


# --- Which is better --------------------------------------------------------------------------------------------------


def _beats(question: Question, facts: Facts) -> list[Sentence]:
    found = [pair for other in question.than if (pair := against(question.variant, other, facts)) is not None]
    missing = [other for other in question.than if against(question.variant, other, facts) is None]
    if missing:
        return [not_yet([question.variant, *missing])]
    verdicts = [pair.comparison.verdict for pair in found]
    if all(verdict == "better" for verdict in verdicts):
        word = "Yes"
    elif any(verdict in ("worse", "equivalent") for verdict in verdicts):
        word = "No"
    else:
        word = "Undecided"
    return [_verdicts(word, question.variant, found), *_further(found)]


def _verdicts(word: str, name: str, found: Sequence[Against]) -> Sentence:
    """What the verdicts say of one variant against others, each group in its words."""
    told: list[str] = []
    groups = (("worse", "worse than"), ("better", "better than"), ("equivalent", "equivalent to"))  # what refutes first
    for verdict, says in groups:
        group = [pair.comparison for pair in found if pair.comparison.verdict == verdict]
        if group:
            who = "it" if told else name
            told.append(f"{who} was {says} {listed([f'{c.against} ({bounded(c)})' for c in group])}")
    open_ = [pair.comparison for pair in found if pair.comparison.verdict == "undecided"]
    if open_:
        who, others = "it" if told else name, listed([f"{c.against} ({bounded(c)})" for c in open_])
        told.append(f"the evidence does not tell {who} from {others}")
    return Sentence(f"{word}: {'; '.join(told)}.", tuple(key for pair in found for key in pair.keys))


def _further(found: Sequence[Against]) -> list[Sentence]:
    """How many further seeds would probably decide what is undecided, where any number would."""
    needed = {pair.comparison.against: pair for pair in found if pair.further_seeds is not None}
    if not needed:
        return []
    keys = tuple(f"evidence[{pair.key.partition('[')[2].removesuffix(']')}].further_seeds" for pair in needed.values())
    return [Sentence(further({name: pair.further_seeds for name, pair in needed.items()}), keys)]


def _best(question: Question, facts: Facts) -> list[Sentence]:
    ranking = [r for r in facts.ranking if not question.variants or r.variant in question.variants]
    if len(ranking) < 2:
        return [not_yet(question.variants or list(facts.variants))]
    keys = tuple(f"ranking[{r.variant}].{field}" for r in ranking for field in ("mean", "letters"))
    leader = ranking[0]
    compared = (*facts.comparisons, *facts.asked)
    if not any(c.p_value is not None for c in compared):
        text = "Undecided: without two seeds of both, nothing tells a difference from chance."
        return [Sentence(text, keys)]
    apart, alike = peers(leader.variant, ranking, compared)
    told = f"{leader.variant} has the highest mean test accuracy, {100 * leader.mean:.2f} %"
    if not alike:
        text = f"{told}, and is told apart from {'the other' if len(ranking) == 2 else 'all others'}."
    elif not apart:
        text = f"Undecided: {told}, but is not told apart from {several(alike)}."
    else:
        text = f"{told}; it is told apart from {several(apart)}, and not from {several(alike)}."
    return [Sentence(text, keys)]


def _winner(question: Question, facts: Facts) -> list[Sentence]:
    metric, values = _published({name: v.published for name, v in facts.variants.items()})
    if len(values) < 2:
        return [Sentence("Fewer than two variants have published accuracies.", ())]
    (name, best), (second, next_best) = values[:2]
    what = metric.replace("_", " ")
    reported = Sentence(
        f"The published {what} is highest for {name}, {100 * best:.2f} %, next for {second}, {100 * next_best:.2f} %.",
        tuple(f"published[{v}].{metric}" for v in (name, second)),
    )
    found = [pair for other, _ in values[1:] if (pair := against(name, other, facts)) is not None]
    if len(found) < len(values) - 1:
        return [reported, not_yet([v for v, _ in values])]
    verdicts = {pair.comparison.verdict for pair in found}
    if "worse" in verdicts:
        word = "Refuted"
    elif verdicts == {"better"}:
        word = "Confirmed"
    else:
        word = "Undecided" if "undecided" in verdicts else "Not confirmed"
    where = "" if metric == "test_accuracy" else ", on our test set"
    return [reported, _verdicts(f"{word}{where}", name, found), *_further(found)]


# --- Published values -------------------------------------------------------------------------------------------------


def _matches(question: Question, facts: Facts) -> list[Sentence]:
    """Which variants one run of which may well give the published value: Student's prediction interval over seeds.

    A value of one run on the same test images: their chance is the same for it and for us, so the seeds' alone counts.
    """
    value = question.value or 0.0
    bounds: dict[str, tuple[float, float]] = {}
    for name in question.variants or facts.variants:
        scores = [getattr(run, question.metric) for run in ended(facts.variants.get(name))]
        known = [score for score in scores if score is not None]
        if len(known) > 1:
            half = t_quantile(len(known) - 1, 0.05) * float(np.std(known, ddof=1)) * sqrt(1 + 1 / len(known))
            bounds[name] = float(np.mean(known)) - half, float(np.mean(known)) + half
    if not bounds:
        return [not_yet(question.variants or list(facts.variants))]
    keys = tuple(f"variants[{name}].runs" for name in bounds)
    fit = [name for name, (low, high) in bounds.items() if low <= value <= high]
    away = sorted(bounds, key=lambda name: max(bounds[name][0] - value, value - bounds[name][1]))
    told = [f"{name} [{100 * bounds[name][0]:.1f}, {100 * bounds[name][1]:.1f}]" for name in fit or away[:1]]
    what = f"{question.metric.replace('_', ' ')} of {100 * value:.2f} %"
    if fit:
        text = f"A {what} is what one run may give of {several(told)} (95 % prediction intervals of one run, in %)"
        rest = len(bounds) - len(fit)
        text += f"; of the other {counted(rest, 'variant')} it is not." if rest else "."
    else:
        text = f"No variant fits a {what}; the nearest is {told[0]} (95 % prediction interval of one run, in %)."
    return [Sentence(text, keys)]
