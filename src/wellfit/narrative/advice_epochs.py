"""Advice on epochs: when to stop what over-fits, and what to train longer; from validation alone."""

from __future__ import annotations

import numpy as np

from wellfit.analysis.contests import Contest
from wellfit.analysis.curves import falling, matrix
from wellfit.analysis.intervals import t_interval
from wellfit.analysis.medians import median_interval
from wellfit.analysis.paths import flat_recipes
from wellfit.base import Sentence, StudySummary, VariantSummary
from wellfit.narrative.words import listed, points

__all__ = ["longer", "stop"]


def _judged(summary: StudySummary, best: Contest | None) -> list[VariantSummary]:
    """The first variant, and the one that validation prefers to it."""
    first = summary.variants[0]
    return [first, best.variant] if best is not None and best.difference > 0 else [first]


def stop(summary: StudySummary, best: Contest | None) -> list[Sentence]:
    """The epoch to stop at, where over-fitting begins in half of the runs or more and no rule stops them.

    Args:
      summary: the study.
      best: the variant that validation prefers, if it prefers any.

    Returns:
      One sentence, of the first variant and of that one, or none.
    """
    flat = flat_recipes(summary)
    told, sources, gains = [], [], []
    for variant in _judged(summary, best):
        ended = [run for run in variant.runs if run.validation_accuracy is not None and run.best_epoch is not None]
        risen = sum(run.overfit_onset is not None for run in ended)
        if not risen or 2 * risen < len(ended) or flat[variant.name].get("early_stopping.restore_best_weights"):
            continue
        middle = median_interval([run.best_epoch or 0 for run in ended])
        last = max(run.epochs or 1 for run in ended)
        if _falling(summary, variant) or middle.median > last - 1:
            continue
        bounds = f" [{middle.low:.0f}, {middle.high:.0f}]" if len(ended) > 1 else ""
        told.append(f"{variant.name} at epoch {middle.median:.0f}{bounds}")
        sources.append(f"variants[{variant.name}].runs")
        gains.append(_gain(summary, variant))
    if not told:
        return []
    its = "its" if len(told) == 1 else "their"
    text = f"Stop {listed(told)}: there {its} validation loss is lowest (median), and later it rises for good."
    if any(gains):
        text = f"{text[:-1]}; but accuracy rises on, {listed([g for g in gains if g])} by the last epoch."
    return [Sentence(text, tuple(sources))]


def _gain(summary: StudySummary, variant: VariantSummary) -> str:
    """By how much validation accuracy is higher at the last epoch than at the best one, where it is for sure."""
    histories = summary.histories.get(variant.name, {})
    gains = [
        float(columns["validation_accuracy"][-1] - columns["validation_accuracy"][run.best_epoch - 1])
        for run in variant.runs
        if run.best_epoch and run.seed in histories
        if "validation_accuracy" in (columns := histories[run.seed]).columns
    ]
    bounds = t_interval(gains) if len(gains) > 2 else None
    if bounds is None or bounds[0] <= 0:
        return ""
    return f"by {points(float(np.mean(gains)))} points [{points(bounds[0])}, {points(bounds[1])}] in {variant.name}"


def longer(summary: StudySummary, best: Contest | None) -> list[Sentence]:
    """More epochs, where validation loss was still falling at the last one, over the seeds together.

    Args:
      summary: the study.
      best: the variant that validation prefers, if it prefers any.

    Returns:
      One sentence, of the first variant and of that one, or none.
    """
    judged = [v for v in _judged(summary, best) if not _rate_is_low(summary, v)]  # which is the better mend
    improving = [(v, epochs) for v in judged if (epochs := _falling(summary, v))]
    if not improving:
        return []
    names, most = listed([variant.name for variant, _ in improving]), max(epochs for _, epochs in improving)
    own = [v for v, _ in improving if "epochs" in v.settings]
    how = f"try {2 * most}." if own else f"--epochs {2 * most}"
    text = f"Train {names} longer, for after {most} epochs the validation loss was still falling: {how}"
    return [Sentence(text, tuple(f"variants[{variant.name}].runs" for variant, _ in improving))]


def _falling(summary: StudySummary, variant: VariantSummary) -> int:
    """The last epoch, where validation loss still fell there, as the finding ``still-improving`` has it; else 0."""
    histories = summary.histories.get(variant.name, {})
    read = [histories[r.seed] for r in variant.runs if r.state == "finished" and r.seed in histories]
    if not read or 2 * len(read) < sum(run.epochs is not None for run in variant.runs):
        return 0
    losses = matrix(read, "validation_loss")  # (S, E)
    return losses.shape[1] if falling(losses, max(1, len(summary.variants))) is not None else 0


def _rate_is_low(summary: StudySummary, variant: VariantSummary) -> bool:
    """Whether a finding tells of a variant that its learning rate is too low."""
    found = [finding.message for finding in summary.findings if finding.code == "learning-rate-low"]
    return any(f" {message}".find(f" {variant.name}: ") >= 0 for message in found)
