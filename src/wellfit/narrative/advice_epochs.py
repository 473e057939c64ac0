"""Advice about epochs: when to stop a variant that overfits, and which to train longer; from validation only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from wellfit.analysis.curves import relative_fall, stacked
from wellfit.analysis.intervals import median_interval, t_interval
from wellfit.analysis.selection import ValidationGain
from wellfit.analysis.settings import flat_recipes
from wellfit.base import Sentence, StudySummary, VariantSummary
from wellfit.narrative.phrases import listed, points

__all__ = ["advise_longer", "advise_stopping"]

_NOT_SHORT: Final = (
    *("learning-rate-low", "learning-rate-high", "penalty-too-strong", "dead-units", "vanishing-gradients"),
    *("majority-guess", "labels-unrelated"),
)
"""Findings with a better fix than more epochs."""


def advise_stopping(summary: StudySummary, best: ValidationGain | None) -> list[Sentence]:
    """The epoch at which to stop, if at least half of the runs overfit and no rule stops them.

    Args:
      summary: the study.
      best: the variant that validation prefers; the advice covers this variant and the first.

    Returns:
      One sentence, or none.
    """
    flat = flat_recipes(summary)
    epochs, sources, gains = [], [], []
    for variant in _covered(summary, best):
        if _has_finding(summary, variant, ("labels-unrelated",)):
            continue
        ended = [run for run in variant.runs if run.validation_accuracy is not None and run.best_epoch is not None]
        overfit = sum(run.overfit_onset is not None for run in ended)
        if not overfit or 2 * overfit < len(ended) or flat[variant.name].get("early_stopping.restore_best_weights"):
            continue
        middle = median_interval([run.best_epoch or 0 for run in ended])
        last = max(run.epochs or 1 for run in ended)
        if _falling_at(summary, variant) or middle.median > last - 1:
            continue
        bounds = f" [{middle.low:.0f}, {middle.high:.0f}]" if len(ended) > 1 else ""
        epochs.append(f"{variant.name} at epoch {middle.median:.0f}{bounds}")
        sources.append(f"variants[{variant.name}].runs")
        gains.append(_later_gain(summary, variant))
    if not epochs:
        return []
    its = "its validation loss is lowest (median) and then rises for good"
    their = "their validation losses are lowest (medians) and then rise for good"
    text = f"Stop {listed(epochs)}, where {its if len(epochs) == 1 else their}"
    if any(gains):
        what = "accuracy" if summary.metric == "accuracy" else "validation accuracy"
        text += f"; {what}, however, keeps rising, {listed([g for g in gains if g])} by the last epoch"
    return [Sentence(f"{text}.", tuple(sources))]


def _covered(summary: StudySummary, best: ValidationGain | None) -> list[VariantSummary]:
    """The first variant, and the one that validation prefers to it."""
    first = summary.variants[0]
    return [first, best.variant] if best is not None and best.difference > 0 else [first]


def _later_gain(summary: StudySummary, variant: VariantSummary) -> str:
    """How much validation accuracy rises from the best epoch to the last; empty unless its interval is above 0."""
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


def advise_longer(summary: StudySummary, best: ValidationGain | None) -> list[Sentence]:
    """More epochs, if the validation loss was still falling at the last one, judged over all seeds.

    Args:
      summary: the study.
      best: the variant that validation prefers; the advice covers this variant and the first.

    Returns:
      One sentence, or none.
    """
    covered = [v for v in _covered(summary, best) if not _has_finding(summary, v, _NOT_SHORT)]
    improving = [(v, epochs) for v in covered if (epochs := _falling_at(summary, v))]
    if not improving:
        return []
    names, numbers = listed([variant.name for variant, _ in improving]), [epochs for _, epochs in improving]
    after = dict.fromkeys(numbers) if len(set(numbers)) == 1 else numbers  # one number, or one for each
    own_epochs = any("epochs" in v.settings for v, _ in improving)
    longer = listed([str(2 * number) for number in after])
    how = f"try {longer}." if own_epochs or len(after) > 1 else f"--epochs {longer}"
    if summary.search is not None and how.startswith("--epochs"):
        how += " --out NEW, since what a search found with these epochs belongs to them"
    text = (
        f"Train {names} longer, because the validation loss was still falling after "
        f"{listed([str(number) for number in after])} epochs: {how}"
    )
    return [Sentence(text, tuple(f"variants[{variant.name}].runs" for variant, _ in improving))]


def _falling_at(summary: StudySummary, variant: VariantSummary) -> int:
    """The last epoch if the validation loss was still falling there, as for the finding ``still-improving``; else 0."""
    histories = summary.histories.get(variant.name, {})
    finished = [histories[r.seed] for r in variant.runs if r.state == "finished" and r.seed in histories]
    if not finished or 2 * len(finished) < sum(run.epochs is not None for run in variant.runs):
        return 0
    losses = stacked(finished, "validation_loss")  # (S, E)
    return losses.shape[1] if relative_fall(losses, max(1, len(summary.variants))) is not None else 0


def _has_finding(summary: StudySummary, variant: VariantSummary, codes: Collection[str]) -> bool:
    """Whether a finding with one of the codes describes a variant."""
    messages = [finding.message for finding in summary.findings if finding.code in codes]
    return any(message.startswith(f"{variant.name} ") or f" {variant.name}: " in message for message in messages)
