"""Answers about epochs: when overfitting begins, and when to stop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, isinf
from typing import Final, get_args

import numpy as np

from wellfit.analysis.comparisons import holm
from wellfit.analysis.intervals import median_interval, t_interval
from wellfit.analysis.paired import paired_t
from wellfit.base import Question, RunSummary, Sentence
from wellfit.narrative.context import (
    AnswerContext,
    OrientedComparison,
    RiseCause,
    comparison_of,
    no_answer_yet,
    runs_that_ended,
)
from wellfit.narrative.phrases import counted, listed, several

__all__ = ["answer_onset", "answer_stop", "rise_in_short"]

_SHOWN: Final = 8  # variants whose epochs a sentence gives before it counts the others
_VISIBLE: Final = 1.05  # a rise of the mean validation loss that a reader sees in its curve


def answer_onset(question: Question, context: AnswerContext) -> list[Sentence]:
    """When overfitting begins in each of the question's variants, and whether that differs from the first of them.

    Runs whose validation loss never rose for good count as later than all others.

    Args:
      question: of kind ``"onset"``.
      context: the evidence.

    Example:
      >>> from wellfit.base import RunSummary, VariantSummary
      >>> runs = tuple(RunSummary(s, "finished", 30, 30, 9, 9, *[0.9, 0.3] * 3, 1.0) for s in range(2))
      >>> variants = {"a": VariantSummary("a", {}, 1, runs, {}, {}, 1.0, {})}
      >>> answer_onset(Question("?", "onset"), AnswerContext(variants, [], [], {}, [], []))[0].text[29:]
      'begins to rise for good after epoch 9 [9, 9] for a (medians over the seeds, 50 % intervals).'
    """
    names = [name for name in question.variants or context.variants if runs_that_ended(context.variants.get(name))]
    if not names:
        return [no_answer_yet(question.variants or list(context.variants), context)]
    epochs, never, seeds = [], [], 0
    for name in names:
        runs = runs_that_ended(context.variants[name])
        onsets = [inf if run.overfit_onset is None else float(run.overfit_onset) for run in runs]
        if isinf(median_interval(onsets).median):
            never.append(name)
        else:
            epochs.append(_epoch_of(name, onsets))
            seeds = max(seeds, len(onsets))
    sentences = []
    if epochs:
        text = f"The smoothed validation loss begins to rise for good after epoch {_medians(epochs, seeds)}."
        risen = [name for name in names if name not in never]
        sentences.append(Sentence(text, _runs(risen)))
        sentences += _unsmoothed(risen, context)
    seen = _rising(never, context)
    if unseen := [name for name in never if name not in seen]:
        shows = "shows" if len(unseen) == 1 else "show"
        who, lowest = _with_epochs(unseen, context), _lowest(unseen, context)
        text = f"{who} {shows} no rise of the validation loss beyond noise{lowest}."
        sentences.append(Sentence(text, _runs(unseen)))
    return [*sentences, *_seen_rises(seen, context), *_shift(names, context)]


def _unsmoothed(names: Sequence[str], context: AnswerContext) -> list[Sentence]:
    """Where the loss itself is lowest, if that is another epoch than the one after which the smoothed loss rises."""
    other = []
    for name in names:
        runs = [run for run in runs_that_ended(context.variants[name]) if run.best_epoch and run.overfit_onset]
        best, onset = [run.best_epoch or 0 for run in runs], [run.overfit_onset or 0 for run in runs]
        if runs and median_interval(best).median != median_interval(onset).median:
            other.append((name, best))
    if not other:
        return []
    epochs = _medians([_epoch_of(name, best) for name, best in other], 0)
    text = f"The loss itself, unsmoothed, is lowest after epoch {epochs}; that is the epoch to stop at."
    return [Sentence(text, _runs(name for name, _ in other))]


def rise_in_short(names: Sequence[str], context: AnswerContext) -> list[Sentence]:
    """In which variants the validation loss rises, and from when on, as one sentence of another answer.

    Args:
      names: of variants with runs that ended.
      context: the evidence.

    Example:
      >>> rise_in_short([], AnswerContext({}, [], [], {}, [], []))
      []
    """
    begins, quiet = [], []
    for name in names:
        onsets = [inf if run.overfit_onset is None else float(run.overfit_onset) for run in _ended(name, context)]
        if not onsets:
            continue
        if isinf(median_interval(onsets).median):
            quiet.append(name)
        else:
            begins.append(_epoch_of(name, onsets))
    if not begins and not quiet:
        return []
    seen = _rising(quiet, context)
    unseen = [name for name in quiet if name not in seen]
    sentences = []
    if begins:
        text = f"The validation loss rises for good after epoch {_medians(begins, 0)}"
        text += f", and not beyond noise for {several(unseen, 'or')}" if unseen else ""
        sentences.append(Sentence(f"{text}.", _runs(names)))
    elif unseen:
        all_of_them = f"in {'neither' if len(unseen) == 2 else 'none'} of them"
        text = f"The validation loss does not rise beyond noise for {several(unseen, 'or')}"
        text = text if seen or len(unseen) == 1 else f"The validation loss rises beyond noise {all_of_them}"
        sentences.append(Sentence(f"{text}.", _runs(unseen)))
    return [*sentences, *_seen_rises(seen, context)]


def _ended(name: str, context: AnswerContext) -> Sequence[RunSummary]:
    return runs_that_ended(context.variants.get(name))


def _rising(names: Sequence[str], context: AnswerContext) -> list[str]:
    """The variants whose mean validation loss ends visibly above its lowest value, or rises for another cause."""
    ends = {name: context.losses.get(name, (1.0, 1.0, 1)) for name in names}
    return [name for name in names if ends[name][1] > _VISIBLE * ends[name][0] or name in context.other_causes]


def _seen_rises(names: Sequence[str], context: AnswerContext) -> list[Sentence]:
    """Rises that are seen but show no overfitting, and why not, with the numbers that a reader sees in the curve."""
    causes = (None, *get_args(RiseCause))
    by_cause = {cause: [name for name in names if context.other_causes.get(name) == cause] for cause in causes}
    return [_seen_rise(of, cause, context) for cause, of in by_cause.items() if of]


def _seen_rise(names: Sequence[str], cause: RiseCause | None, context: AnswerContext) -> Sentence:
    shown = []
    for name in names[:_SHOWN]:
        lowest, last, epoch = context.losses.get(name, (0.0, 0.0, 1))
        between = f" from {lowest:.3f} after epoch {epoch} to {last:.3f}"
        shown.append(f"{name}{between if f'{last:.3f}' > f'{lowest:.3f}' else ''}")
    more = [f"{len(names) - _SHOWN} others"] if len(names) > _SHOWN else []
    seeds = counted(max(len(runs_that_ended(context.variants[name])) for name in names), "seed")
    why = {
        None: f"which {seeds} cannot distinguish from noise",
        "hardly learned": "but training accuracy ends close to guessing, which is not overfitting",
        "training loss rose": "but the training loss rises too, so that this is not overfitting alone",
    }[cause]
    return Sentence(f"The mean validation loss rises for {listed([*shown, *more])}, {why}.", _runs(names))


def _runs(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"variants[{name}].runs" for name in names)


def _epoch_of(name: str, values: Sequence[float]) -> str:
    """A variant's median epoch with its interval."""
    middle = median_interval(values)
    bounds = f" [{middle.low:.0f}, {'later' if isinf(middle.high) else f'{middle.high:.0f}'}]"
    return f"{middle.median:.0f}{bounds if len(values) > 1 else ''} for {name}"


def _medians(epochs: Sequence[str], seeds: int) -> str:
    """The epochs of some variants, and what they are over the seeds."""
    shown = [*epochs[:_SHOWN], *([f"{len(epochs) - _SHOWN} others"] if len(epochs) > _SHOWN else [])]
    coverage = 100 * median_interval(range(max(seeds, 1))).coverage
    return listed(shown) + (f" (medians over the seeds, {coverage:.0f} % intervals)" if seeds > 1 else "")


def _lowest(names: Sequence[str], context: AnswerContext) -> str:
    """Where the loss of variants that do not overfit is lowest."""
    best = {
        name: [run.best_epoch for run in runs_that_ended(context.variants[name]) if run.best_epoch] for name in names
    }
    epochs = [_epoch_of(name, values) for name, values in best.items() if values]
    return f"; it is lowest after epoch {_medians(epochs, max(map(len, best.values())))}" if epochs else ""


def _with_epochs(names: Sequence[str], context: AnswerContext) -> str:
    """Variants and how many epochs they were trained for."""
    epochs = [run.epochs for name in names for run in runs_that_ended(context.variants[name]) if run.epochs is not None]
    if not epochs:
        return several(names)
    least = f"{min(epochs)} to " if min(epochs) < max(epochs) else ""
    return f"{several(names)}, trained for {least}{counted(max(epochs), 'epoch')},"


def _shift(names: Sequence[str], context: AnswerContext) -> list[Sentence]:
    """Whether overfitting begins earlier or later than in the first variant that overfits: paired by seed, Holm."""
    onsets = {
        name: {r.seed: r.overfit_onset for r in runs_that_ended(context.variants[name]) if r.overfit_onset is not None}
        for name in names
    }
    first, *others = [name for name in names if onsets[name]] or [names[0]]
    shifts = {v: [epoch - onsets[first][s] for s, epoch in onsets[v].items() if s in onsets[first]] for v in others}
    shifts = {name: of for name, of in shifts.items() if len(of) > 1}
    if not shifts:
        return []
    adjusted = dict(zip(shifts, holm([_shift_p(of) for of in shifts.values()]), strict=True))
    clauses = []
    for word, sign in (("earlier", -1), ("later", 1)):
        group = [name for name in shifts if sign * np.mean(shifts[name]) > 0 and (adjusted[name] or 0.0) < 0.05]
        if group:
            clauses.append(f"{word} for {several([f'{name} ({_mean_shift(shifts[name])})' for name in group])}")
    rest = [name for name in shifts if np.mean(shifts[name]) == 0 or (adjusted[name] or 0.0) >= 0.05]
    keys = _runs([first, *shifts])
    if not clauses:
        text = f"No shift from {first} can be separated from chance (paired t tests over the seeds, Holm's correction)."
        return [Sentence(text, keys)]
    unclear = f"; for {several(rest)} no shift can be separated from chance" if rest else ""
    return [Sentence(f"Compared with {first}, the rise begins {' and '.join(clauses)}{unclear}.", keys)]


def _shift_p(shifts: Sequence[int]) -> float | None:
    """The p-value of a paired t test; if all shifts are equal, not rare with epochs, that of the signs alone."""
    return 2.0 ** (1 - len(shifts)) if len(set(shifts)) == 1 and shifts[0] else paired_t(shifts)


def _mean_shift(shifts: Sequence[int]) -> str:
    """The mean shift with its 95 % t interval."""
    bounds = t_interval(shifts)
    return f"{np.mean(shifts):+.1f} epochs" + ("" if bounds is None else f" [{bounds[0]:.1f}, {bounds[1]:.1f}]")


def answer_stop(question: Question, context: AnswerContext) -> list[Sentence]:
    """After which epoch a variant has its lowest validation loss, and what stopping early cost or gained.

    Args:
      question: of kind ``"stop"``.
      context: the evidence.

    Example:
      >>> answer_stop(Question("?", "stop", variant="l2"), AnswerContext({}, [], [], {}, [], []))[0].text
      'No answer yet: l2 has no finished seed.'
    """
    name = question.variant or next(iter(context.variants), "")
    ended = runs_that_ended(context.variants.get(name))
    runs = [run for run in ended if run.best_epoch is not None and run.epochs is not None]
    if not runs:
        return [no_answer_yet([name], context)]
    middle = median_interval([run.best_epoch or 0 for run in runs])
    longest = max(run.epochs or 0 for run in runs)
    bounds, how = "", "one seed"
    if len(runs) > 1:
        bounds = f" [{middle.low:.0f}, {middle.high:.0f}]"
        how = f"median of {len(runs)} seeds, {100 * middle.coverage:.0f} % interval"
    text = (
        f"After epoch {middle.median:.0f}{bounds} of {longest}, where the validation loss of {name} is lowest ({how})"
    )
    if middle.median > 0.9 * longest:
        text += "; this is close to the end, so more epochs may help"
    rules = [v for v in question.variants or context.stopping if v != name]
    pairs = [pair for rule in rules if (pair := comparison_of(rule, name, context)) is not None]
    return [Sentence(f"{text}.", (f"variants[{name}].runs",)), *_early_stopping(pairs, name, context)]


def _early_stopping(pairs: Sequence[OrientedComparison], name: str, context: AnswerContext) -> list[Sentence]:
    """What each early-stopping rule did, and whether that cost or gained test accuracy."""
    if not pairs:
        return []
    phrases = {"better": "was better than", "worse": "was worse than", "equivalent": "was equivalent to"}
    clauses = []
    for pair in pairs:
        c = pair.comparison
        epochs = [run.epochs for run in runs_that_ended(context.variants.get(c.variant)) if run.epochs is not None]
        after = f", after {np.mean(epochs):.1f} epochs on average," if epochs else ""
        if c.identical:
            clauses.append(f"{c.variant}{after} gave the same results as {name}")
        else:
            verdict = phrases.get(c.verdict, "cannot be separated from")
            clauses.append(f"{c.variant}{after} {verdict} {name} ({pair.text})")
    keys = [key for pair in pairs for key in (*pair.keys, f"variants[{pair.comparison.variant}].runs")]
    return [Sentence(f"Early stopping: {'; '.join(clauses)}.", tuple(keys))]
