"""When over-fitting begins, and when to stop: epochs over the seeds, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, isinf
from typing import Final

import numpy as np

from wellfit.analysis.comparisons import holm
from wellfit.analysis.intervals import t_interval
from wellfit.analysis.medians import median_interval
from wellfit.analysis.paired import paired_t
from wellfit.base import Question, Sentence
from wellfit.narrative.facts import Against, Facts, against, ended, not_yet
from wellfit.narrative.words import bounded, counted, several

__all__ = ["onset", "stop"]

_SHOWN: Final = 8  # variants whose onset a sentence tells before it counts the others


def onset(question: Question, facts: Facts) -> list[Sentence]:
    """When over-fitting begins in each of the question's variants, and whether it moves against the first of them.

    Args:
      question: of kind ``"onset"``.
      facts: the evidence; runs in which the validation loss never rose for good count as later than all others.

    Example:
      >>> from wellfit.base import RunSummary, VariantSummary
      >>> runs = tuple(RunSummary(s, "finished", 30, 30, 9, 9, *[0.9, 0.3] * 3, 1.0) for s in range(2))
      >>> seen = {"a": VariantSummary("a", {}, 1, runs, {}, {}, 1.0, {})}
      >>> onset(Question("?", "onset"), Facts(seen, [], [], {}, [], []))[0].text[36:]
      'and rises for good, after epoch: a 9 [9, 9] (medians of the seeds; 50 % brackets).'
    """
    names = [name for name in question.variants or facts.variants if ended(facts.variants.get(name))]
    if not names:
        return [not_yet(question.variants or list(facts.variants))]
    told, never, seeds = [], [], 0
    for name in names:
        onsets = [inf if run.overfit_onset is None else float(run.overfit_onset) for run in ended(facts.variants[name])]
        if isinf(median_interval(onsets).median):
            never.append(name)
        else:
            told.append(_told(name, onsets))
            seeds = max(seeds, len(onsets))
    sentences = []
    if told:
        text = f"The smoothed validation loss turns, and rises for good, after epoch: {_medians(told, seeds)}."
        sentences.append(Sentence(text, _runs(name for name in names if name not in never)))
    if never:
        seen = f"no rise of the validation loss beyond the noise is seen{_lowest(never, facts)}"
        sentences.append(Sentence(f"For {_within(never, facts)} {seen}.", _runs(never)))
    return [*sentences, *_shift(names, facts)]


def _runs(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"variants[{name}].runs" for name in names)


def _told(name: str, values: Sequence[float]) -> str:
    """A variant's median epoch and its bracket."""
    middle = median_interval(values)
    bounds = f" [{middle.low:.0f}, {'later' if isinf(middle.high) else f'{middle.high:.0f}'}]"
    return f"{name} {middle.median:.0f}{bounds if len(values) > 1 else ''}"


def _medians(told: Sequence[str], seeds: int) -> str:
    """Some variants' epochs, and what they are of the seeds."""
    rest = f"; and {len(told) - _SHOWN} others" if len(told) > _SHOWN else ""
    of = f" (medians of the seeds; {_level(seeds)} brackets)" if seeds > 1 else ""
    return f"{'; '.join(told[:_SHOWN])}{rest}{of}"


def _lowest(names: Sequence[str], facts: Facts) -> str:
    """Where the loss of variants that do not over-fit is lowest."""
    best = {name: [run.best_epoch for run in ended(facts.variants[name]) if run.best_epoch] for name in names}
    told = [_told(name, epochs) for name, epochs in best.items() if epochs]
    return f"; it is lowest after epoch: {_medians(told, max(map(len, best.values())))}" if told else ""


def _within(names: Sequence[str], facts: Facts) -> str:
    """Variants and for how many epochs they were looked at."""
    epochs = [run.epochs for name in names for run in ended(facts.variants[name]) if run.epochs is not None]
    if not epochs:
        return several(names)
    least = f"{min(epochs)} to " if min(epochs) < max(epochs) else ""
    return f"{several(names)}, trained for {least}{counted(max(epochs), 'epoch')},"


def _level(seeds: int) -> str:
    """How surely the bracket of that many seeds holds the median."""
    return f"{100 * median_interval(range(seeds)).coverage:.0f} %"


def _shift(names: Sequence[str], facts: Facts) -> list[Sentence]:
    """Whether over-fitting begins at another epoch than in the first in which it is seen: paired by seed, Holm's."""
    onsets = {
        name: {run.seed: run.overfit_onset for run in ended(facts.variants[name]) if run.overfit_onset is not None}
        for name in names
    }
    first, *others = [name for name in names if onsets[name]] or [names[0]]
    shifts = {v: [epoch - onsets[first][s] for s, epoch in onsets[v].items() if s in onsets[first]] for v in others}
    shifts = {name: of for name, of in shifts.items() if len(of) > 1}
    if not shifts:
        return []
    adjusted = dict(zip(shifts, holm([_by_chance(of) for of in shifts.values()]), strict=True))
    told = []
    for word, sign in (("earlier", -1), ("later", 1)):
        group = [name for name in shifts if sign * np.mean(shifts[name]) > 0 and (adjusted[name] or 0.0) < 0.05]
        if group:
            told.append(f"{word} in {several([f'{name} ({_shifted(shifts[name])})' for name in group])}")
    rest = [name for name in shifts if np.mean(shifts[name]) == 0 or (adjusted[name] or 0.0) >= 0.05]
    keys = _runs([first, *shifts])
    if not told:
        text = f"No shift against {first} is told from chance (paired t tests over the seeds, Holm's correction)."
        return [Sentence(text, keys)]
    unsure = f"; for {several(rest)} no shift is told from chance" if rest else ""
    return [Sentence(f"Against {first} that is {', '.join(told)}{unsure}.", keys)]


def _by_chance(shifts: Sequence[int]) -> float | None:
    """The p-value of a paired t test; where all are equal, which is no rare thing with epochs, of the signs alone."""
    return 2.0 ** (1 - len(shifts)) if len(set(shifts)) == 1 and shifts[0] else paired_t(shifts)


def _shifted(shifts: Sequence[int]) -> str:
    """The mean shift with its 95 % t interval."""
    bounds = t_interval(shifts)
    return f"{np.mean(shifts):+.1f} epochs" + ("" if bounds is None else f" [{bounds[0]:.1f}, {bounds[1]:.1f}]")


def stop(question: Question, facts: Facts) -> list[Sentence]:
    """After how many epochs a variant has its lowest validation loss, and what stopping early cost or won.

    Args:
      question: of kind ``"stop"``.
      facts: the evidence.
    """
    name = question.variant or next(iter(facts.variants), "")
    runs = [run for run in ended(facts.variants.get(name)) if run.best_epoch is not None and run.epochs is not None]
    if not runs:
        return [not_yet([name])]
    median, low, high, holds = median_interval([run.best_epoch or 0 for run in runs])
    longest = max(run.epochs or 0 for run in runs)
    bounds = f" [{low:.0f}, {high:.0f}]" if len(runs) > 1 else ""
    how = f" (the median of {len(runs)} seeds; {100 * holds:.0f} % bracket)" if len(runs) > 1 else " (one seed)"
    text = f"After epoch {median:.0f}{bounds} of {longest}, by validation loss: there that of {name} is lowest{how}"
    if median > 0.9 * longest:
        text += ", near the end, so that more epochs may be worth their time"
    sentences = [Sentence(f"{text}.", (f"variants[{name}].runs",))]
    rules = [v for v in question.variants or facts.stopping if v != name]
    found = [pair for rule in rules if (pair := against(rule, name, facts)) is not None]
    return [*sentences, *_stopped(found, name, facts)]


def _stopped(found: Sequence[Against], name: str, facts: Facts) -> list[Sentence]:
    """What each stopping rule did, and whether that cost or won test accuracy."""
    if not found:
        return []
    says = {"better": "better than", "worse": "worse than", "equivalent": "equivalent to"}
    told = []
    for pair in found:
        c = pair.comparison
        epochs = [run.epochs for run in ended(facts.variants.get(c.variant)) if run.epochs is not None]
        after = f", after {np.mean(epochs):.1f} epochs on average," if epochs else ""
        verdict = f"was {says[c.verdict]}" if c.verdict in says else "cannot be told from"
        told.append(f"{c.variant}{after} {verdict} {name} ({bounded(c)})")
    keys = [key for pair in found for key in (*pair.keys, f"variants[{pair.comparison.variant}].runs")]
    return [Sentence(f"Stopping early: {'; '.join(told)}.", tuple(keys))]
