"""When over-fitting begins, and when to stop: epochs over the seeds, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isinf
from typing import Final

import numpy as np

from wellfit.analysis.comparisons import holm
from wellfit.analysis.facts import Against, Facts, against, ended, not_yet
from wellfit.analysis.paired import paired_t
from wellfit.analysis.words import bounded, several
from wellfit.base import Question, Sentence

__all__ = ["median_interval", "onset", "stop"]

_SHOWN: Final = 8  # variants whose onset a sentence tells before it counts the others


def median_interval(values: Sequence[float]) -> tuple[float, tuple[float, float], float]:
    """The median, and the narrowest symmetric pair of the values that holds the true median in 95 % of cases.

    With n values that pair is the k-th lowest and the k-th highest, and holds it with ``1 - 2 P(Bin(n, 1/2) < k)``.
    Where not even the lowest and the highest reach 95 %, with five values or fewer, they are given all the same, with
    what they reach: 93.75 % for five. Nothing is assumed of the distribution; infinity stands for "later than that".

    Source: Thompson (1936), Ann. Math. Stat. 7:122-128; the sign test turned round.

    Args:
      values: one a seed, at least one.

    Returns:
      The median (the lower of the two middle ones), the pair, and how often it holds the true median.

    Example:
      >>> median_interval([7, 9, 8, 12, 7])
      (8, (7, 12), 0.9375)
      >>> median_interval([1, 2, 3, 4, 5, 6, 7, 8, 9])[1]
      (2, 8)
    """
    from scipy.special import bdtr

    ordered = sorted(values)
    n = len(ordered)
    holds = [1 - 2 * float(bdtr(k - 1, n, 0.5)) if k else 1.0 for k in range((n + 1) // 2 + 1)]
    k = max([k for k in range(1, len(holds)) if holds[k] >= 0.95], default=1)
    return ordered[(n - 1) // 2], (ordered[k - 1], ordered[n - k]), max(holds[k], 0.0)


def onset(question: Question, facts: Facts) -> list[Sentence]:
    """When over-fitting begins in each of the question's variants, and whether it moves against the first of them.

    Args:
      question: of kind ``"onset"``.
      facts: the evidence; runs in which the validation loss never rose for good count as later than all others.
    """
    names = [name for name in question.variants or facts.variants if ended(facts.variants.get(name))]
    if not names:
        return [not_yet(question.variants or list(facts.variants))]
    told, never, seeds = [], [], 0
    for name in names:
        runs = ended(facts.variants[name])
        onsets = [inf if run.overfit_onset is None else float(run.overfit_onset) for run in runs]
        median, (low, high), _ = median_interval(onsets)
        if isinf(median):
            never.append(f"{name} ({sum(not isinf(epoch) for epoch in onsets)} of {len(runs)} runs)")
            continue
        seeds = max(seeds, len(runs))
        bounds = f" [{low:.0f}, {'later' if isinf(high) else f'{high:.0f}'}]" if len(runs) > 1 else ""
        told.append(f"{name} {median:.0f}{bounds}")
    rest = f"; and {len(told) - _SHOWN} others" if len(told) > _SHOWN else ""
    middle = f" (medians; brackets hold the median of new seeds, {_level(seeds)})" if seeds > 1 else ""
    if told:
        text = f"The validation loss rises for good after epoch: {'; '.join(told[:_SHOWN])}{rest}{middle}"
        text += f"; it does not in most runs of {several(never)}" if never else ""
    else:
        text = f"The validation loss does not rise for good in most runs of {several(never)}"
    keys = tuple(f"variants[{name}].runs" for name in names)
    return [Sentence(f"{text}.", keys), *_shift(names, facts)]


def _level(seeds: int) -> str:
    """How surely the bracket of that many seeds holds the median."""
    return f"{100 * median_interval(range(seeds))[2]:.0f} %"


def _shift(names: Sequence[str], facts: Facts) -> list[Sentence]:
    """Whether over-fitting begins at another epoch than in the first of them: paired t tests over the seeds, Holm's."""
    moved: dict[str, list[float]] = {}
    first = {run.seed: run.overfit_onset for run in ended(facts.variants[names[0]])}
    for name in names[1:]:
        here = {run.seed: run.overfit_onset for run in ended(facts.variants[name])}
        moved[name] = [
            epoch - start
            for seed, start in first.items()
            if start is not None and (epoch := here.get(seed)) is not None
        ]
    moved = {name: shifts for name, shifts in moved.items() if len(shifts) > 1}
    if not moved:
        return []
    adjusted = dict(zip(moved, holm([paired_t(shifts) for shifts in moved.values()]), strict=True))
    means = {name: float(np.mean(shifts)) for name, shifts in moved.items()}
    sure = {name: mean for name, mean in means.items() if (adjusted[name] or 0.0) < 0.05 and mean}
    told = []
    for word, group in (("earlier", [n for n in sure if sure[n] < 0]), ("later", [n for n in sure if sure[n] > 0])):
        if group:
            told.append(f"{word} in {several([f'{n} ({sure[n]:+.1f} epochs)' for n in group])}")
    rest = [name for name in moved if name not in sure]
    keys = tuple(f"variants[{name}].runs" for name in (names[0], *moved))
    if not told:
        text = f"No shift against {names[0]} is told from chance (paired t tests over the seeds, Holm's correction)."
        return [Sentence(text, keys)]
    unsure = f"; for {several(rest)} no shift is told from chance" if rest else ""
    return [Sentence(f"Against {names[0]} that is {', '.join(told)}{unsure}.", keys)]


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
    median, (low, high), holds = median_interval([run.best_epoch or 0 for run in runs])
    longest = max(run.epochs or 0 for run in runs)
    bounds = f" [{low}, {high}]" if len(runs) > 1 else ""
    how = f" (the median of {len(runs)} seeds; {100 * holds:.0f} % bracket)" if len(runs) > 1 else " (one seed)"
    text = f"After epoch {median}{bounds} of {longest}: there {name} has its lowest validation loss{how}"
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
