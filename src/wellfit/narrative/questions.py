"""The questions that a study asks, answered in sentences that claim no more than its verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from wellfit.analysis.intervals import prediction_interval
from wellfit.base import Answer, Question, Sentence
from wellfit.narrative.context import AnswerContext, OrientedComparison, comparison_of, no_answer_yet, runs_that_ended
from wellfit.narrative.epoch_answers import answer_onset, answer_stop
from wellfit.narrative.gap_answers import answer_capacity, answer_generalizes, answer_impact, answer_signs
from wellfit.narrative.metrics import NAMES, best
from wellfit.narrative.pattern_answers import answer_patterns
from wellfit.narrative.phrases import (
    counted,
    further_seeds_sentence,
    leader_accuracy,
    listed,
    separation,
    several,
)
from wellfit.narrative.unlike_epochs import unlike_epochs

__all__ = ["answered", "asked_pairs", "published_winner"]


def asked_pairs(
    questions: Sequence[Question],
    first: str,
    published: Mapping[str, Mapping[str, float]],
    stopping: Sequence[str],
) -> tuple[tuple[str, str], ...]:
    """The pairs of variants that the questions need compared, besides those with the first variant.

    They follow from the questions and the published numbers, before any outcome is known.

    Args:
      questions: of the study.
      first: the variant that all others are compared with anyway.
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
            name, *others = [name for name, _ in _published(published, question.variants)[1]] or [""]
        elif question.kind == "stop":
            name, others = name or first, [v for v in question.variants or stopping if v != (name or first)]
        elif question.kind == "impact":
            others = others or [first]
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
    """The questions, plus whether the published winner is confirmed if two variants have published accuracies.

    Example:
      >>> [q.kind for q in published_winner((), {"a": {"test_accuracy": 0.9}, "b": {"test_accuracy": 0.8}})]
      ['winner']
    """
    if len(_published(published)[1]) < 2 or any(question.kind == "winner" for question in questions):
        return tuple(questions)
    return (*questions, Question("Is the published winner confirmed?", "winner"))


def _published(
    published: Mapping[str, Mapping[str, float]], among: Sequence[str] = ()
) -> tuple[str, list[tuple[str, float]]]:
    """The metric that two variants have published, preferably test accuracy; values, the highest first.

    Args:
      among: names of the variants that count; empty means all.
    """
    for metric in ("test_accuracy", "validation_accuracy"):
        rows = published.items()
        values = [(name, row[metric]) for name, row in rows if metric in row and (not among or name in among)]
        if len(values) >= 2:
            return metric, sorted(values, key=lambda pair: -pair[1])
    return "test_accuracy", []


def answered(questions: Sequence[Question], context: AnswerContext) -> tuple[Answer, ...]:
    """An answer to each question, in order; "no answer yet" if the runs for it are missing.

    Args:
      questions: of the study.
      context: the evidence.

    Example:
      >>> from wellfit.base import Comparison
      >>> better = Comparison("l2", "baseline", "test_accuracy", 0.0061, (0.002, 0.01), 0.01, 0.01, "better")
      >>> context = AnswerContext({}, [better], [], {}, [], [])
      >>> answered([Question("Does L2 help?", "beats", "l2", than=("baseline",))], context)[0].text
      'Yes: l2 was better than baseline (+0.6 points [0.2, 1.0]).'
    """
    kinds: Mapping[str, Callable[[Question, AnswerContext], list[Sentence]]] = {
        "beats": _beats,
        "best": _best,
        "onset": answer_onset,
        "stop": answer_stop,
        "winner": _winner,
        "matches": _matches,
        "generalizes": answer_generalizes,
        "signs": answer_signs,
        "capacity": answer_capacity,
        "impact": answer_impact,
        "patterns": answer_patterns,
    }
    return tuple(Answer(q.ask, q.kind, (*kinds[q.kind](q, context), *_epochs(q, context))) for q in questions)


def _epochs(question: Question, context: AnswerContext) -> list[Sentence]:
    """That the variants which an answer compares trained for unlike numbers of epochs."""
    if question.kind not in ("beats", "best", "winner", "generalizes", "signs", "capacity", "impact"):
        return []
    first = next(iter(context.variants), "")
    if question.kind == "winner":
        metric, _ = _published(published := {n: v.published for n, v in context.variants.items()}, question.variants)
        names = [name for name, values in published.items() if metric in values]
    elif question.kind in ("beats", "impact"):
        names = [question.variant, *(question.than or (first,))]
    else:
        names = list(question.variants or context.variants)
    return unlike_epochs([name for name in names if runs_that_ended(context.variants.get(name))], context.epochs)


# --- Which is better --------------------------------------------------------------------------------------------------


def _beats(question: Question, context: AnswerContext) -> list[Sentence]:
    pairs = [comparison_of(question.variant, other, context) for other in question.than]
    compared = [pair for pair in pairs if pair is not None]
    missing = [other for other, pair in zip(question.than, pairs, strict=True) if pair is None]
    diverged = _divergence(question.variant, question.than, context)
    if missing:
        return [*diverged, no_answer_yet([question.variant, *missing], context)]
    verdicts = [_verdict(pair) for pair in compared]
    if all(verdict == "better" for verdict in verdicts):
        answer = "Yes"
    elif any(verdict in ("worse", "equivalent", "identical") for verdict in verdicts):
        answer = "No"
    else:
        answer = "Undecided"
    return [
        _verdicts(f"{answer}{_in_metric(context)}", question.variant, compared),
        *diverged,
        *_further_seeds(compared),
    ]


def _in_metric(context: AnswerContext) -> str:
    """What the verdicts of an answer are about, unless it is accuracy."""
    return "" if context.metric == "test_accuracy" else f", in {NAMES[context.metric]}"


def _verdict(pair: OrientedComparison) -> str:
    """The verdict, or that the two gave the same results."""
    return "identical" if pair.comparison.identical else pair.comparison.verdict


def _divergence(name: str, others: Sequence[str], context: AnswerContext) -> list[Sentence]:
    """Whether a variant diverged clearly more or less often than others that it is compared with."""
    clauses, keys = [], []
    for d in context.divergences:
        if not d.clear or name not in (d.variant, d.against) or {d.variant, d.against}.isdisjoint(others):
            continue
        mine, theirs, other = (d.diverged, d.runs), (d.against_diverged, d.against_runs), d.against
        if d.against == name:
            mine, theirs, other = theirs, mine, d.variant
        word = "more" if mine[0] * theirs[1] > theirs[0] * mine[1] else "less"
        clauses.append(
            f"{word} often than {other} ({mine[0]} of {mine[1]} runs against {theirs[0]} of {theirs[1]}, "
            f"p = {d.p_adjusted:.2g})"
        )
        keys.append(f"divergences[{d.variant}].diverged")
    return [Sentence(f"{name} diverged {listed(clauses)}.", tuple(keys))] if clauses else []


def _verdicts(answer: str, name: str, pairs: Sequence[OrientedComparison]) -> Sentence:
    """The verdicts of one variant against others, grouped; those that refute a claim come first."""
    clauses: list[str] = []
    phrases = {
        "worse": "{} was worse than",
        "better": "{} was better than",
        "equivalent": "{} was equivalent to",
        "identical": "{} gave the same results as",
        "undecided": "the evidence does not separate {} from",
    }
    for verdict, phrase in phrases.items():
        group = [pair for pair in pairs if _verdict(pair) == verdict]
        if group:
            names = [f"{p.comparison.against}{'' if p.comparison.identical else f' ({p.text})'}" for p in group]
            others = listed(names, "or" if verdict == "undecided" else "and")
            clauses.append(f"{phrase.format('it' if clauses else name)} {others}")
    return Sentence(f"{answer}: {'; '.join(clauses)}.", tuple(key for pair in pairs for key in pair.keys))


def _further_seeds(pairs: Sequence[OrientedComparison]) -> list[Sentence]:
    """How many further seeds would probably decide the undecided pairs, if any number would."""
    undecided = [pair for pair in pairs if _verdict(pair) == "undecided"]
    needed = {pair.comparison.against: pair for pair in undecided if pair.further_seeds is not None}
    if not needed:
        return []
    keys = tuple(f"evidence[{pair.key.partition('[')[2].removesuffix(']')}].further_seeds" for pair in needed.values())
    return [Sentence(further_seeds_sentence({name: pair.further_seeds for name, pair in needed.items()}), keys)]


def _best(question: Question, context: AnswerContext) -> list[Sentence]:
    ranking = [r for r in context.ranking if not question.variants or r.variant in question.variants]
    if len(ranking) < 2:
        return [no_answer_yet(question.variants or list(context.variants), context)]
    keys = tuple(f"ranking[{r.variant}].{field}" for r in ranking for field in ("mean", "letters"))
    leader = ranking[0]
    comparisons = (*context.comparisons, *context.asked)
    if not any(c.p_value is not None for c in comparisons):
        text = "Undecided: with fewer than two seeds in common, differences cannot be separated from chance."
        return [Sentence(text, keys)]
    separated, alike, ahead = separation(leader.variant, ranking, comparisons)
    expected = None if question.variants else context.leader_accuracy
    mean = leader_accuracy(leader, ranking, expected, context.variants.get(leader.variant), context.metric)
    leads = f"{leader.variant} has the {best(context.metric)} mean {NAMES[context.metric]}, {mean}"
    if ahead:
        text = f"Undecided: {leads}, but it was worse than {several(ahead)} on the seeds that both finished."
    elif not alike:
        others = separated[0] if len(separated) == 1 else "all others"
        text = f"{leads}, and pairwise comparisons separate it from {others}."
    elif not separated:
        text = f"Undecided: {leads}, but no pairwise comparison separates it from {several(alike, 'or')}."
    else:
        text = (
            f"{leads}; pairwise comparisons separate it from {several(separated)}, but not from {several(alike, 'or')}."
        )
    return [Sentence(text, keys)]


def _winner(question: Question, context: AnswerContext) -> list[Sentence]:
    metric, values = _published({name: v.published for name, v in context.variants.items()}, question.variants)
    if len(values) < 2:
        return [Sentence("Fewer than two variants have published accuracies.", ())]
    (name, best), (second, next_best) = values[:2]
    among = f"Of {several(question.variants)}, " if question.variants else ""
    published = Sentence(
        f"{among}{name} has the highest published {metric.replace('_', ' ')}, {100 * best:.2f} %, followed by "
        f"{second}, {100 * next_best:.2f} %.",
        tuple(f"published[{v}].{metric}" for v in (name, second)),
    )
    if context.published_differs:
        text = f"{context.published_differs} This study neither confirms nor refutes the published winner."
        return [published, Sentence(text, tuple(f"published[{v}].{metric}" for v in (name, second)))]
    pairs = [pair for other, _ in values[1:] if (pair := comparison_of(name, other, context)) is not None]
    if len(pairs) < len(values) - 1:
        return [published, no_answer_yet([v for v, _ in values], context)]
    verdicts = {_verdict(pair) for pair in pairs}
    if "worse" in verdicts:
        answer = "Refuted"
    elif verdicts == {"better"}:
        answer = "Confirmed"
    else:
        answer = "Undecided" if "undecided" in verdicts else "Not confirmed"
    where = _in_metric(context) or ("" if metric == "test_accuracy" else ", on our test set")
    return [published, _verdicts(f"{answer}{where}", name, pairs), *_further_seeds(pairs)]


# --- Published values -------------------------------------------------------------------------------------------------


def _matches(question: Question, context: AnswerContext) -> list[Sentence]:
    """Which variants are consistent with a published value, by the prediction interval of one run over the seeds.

    The published value is one run on the same test images, so only the variation between seeds counts.
    """
    value = question.value or 0.0
    what = f"{question.metric.replace('_', ' ')} of {100 * value:.2f} %"
    if context.published_differs:
        text = f"A {what} is not compared with runs of other settings. {context.published_differs}"
        return [Sentence(text, ("published",))]
    bounds: dict[str, tuple[float, float]] = {}
    for name in question.variants or context.variants:
        scores = [getattr(run, question.metric) for run in runs_that_ended(context.variants.get(name))]
        interval = prediction_interval([score for score in scores if score is not None])
        if interval is not None:
            bounds[name] = interval
    if not bounds:
        return [no_answer_yet(question.variants or list(context.variants), context)]
    keys = tuple(f"variants[{name}].runs" for name in bounds)
    consistent = [name for name, (low, high) in bounds.items() if low <= value <= high]
    closest = min(bounds, key=lambda name: max(bounds[name][0] - value, value - bounds[name][1]))
    shown = [f"{name} [{100 * bounds[name][0]:.1f}, {100 * bounds[name][1]:.1f}]" for name in consistent or [closest]]
    if not consistent:
        closest_text = f"{shown[0]} (95 % prediction interval of one run, in %)"
        return [Sentence(f"No variant is consistent with a {what}; the closest is {closest_text}.", keys)]
    runs = f"one run of {several(shown)} (95 % prediction intervals of one run, in %)"
    rest = len(bounds) - len(consistent)
    others = f", but not with {counted(rest, 'other variant')}" if rest else ""
    return [Sentence(f"A {what} is consistent with {runs}{others}.", keys)]
