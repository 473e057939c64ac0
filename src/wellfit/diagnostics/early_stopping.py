"""Early stopping that saw no improvement, came too early, or never came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from wellfit.analysis.curves import relative_fall, stacked
from wellfit.analysis.intervals import t_interval
from wellfit.analysis.smoothing import noise_bound, smooth
from wellfit.base import FloatArray, History, Recipe
from wellfit.diagnostics.observations import Observation, TrainedVariant
from wellfit.narrative.phrases import runs_of

__all__ = ["never_stopped", "stopped_at_once", "stopped_too_soon"]


def stopped_at_once(variant: TrainedVariant, variants: Sequence[TrainedVariant]) -> Observation | None:
    """Early stopping that ended at least half of the runs without a single improvement.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.

    Example:
      >>> from wellfit.base import EarlyStopping
      >>> rule, run = EarlyStopping(patience=1), History({"validation_loss": np.array([0.5, 0.6])})
      >>> a = TrainedVariant("a", Recipe(early_stopping=rule), {0: run}, {0: "stopped"}, {})
      >>> stopped_at_once(a, ()).fix
      'Lower the learning rate, or raise patience (now 1): --set train.early_stopping.patience=5'
    """
    rule = variant.recipe.early_stopping
    if rule is None:
        return None
    # The first epoch that counts is the best so far; then patience runs out, after at least one epoch.
    soonest = rule.start_epoch + 1 + max(rule.patience, 1)
    soon = [len(h) for s, h in variant.sound.items() if variant.states[s] == "stopped" and len(h) <= soonest]
    if not soon or 2 * len(soon) < len(variant.sound):
        return None
    low, high = min(soon), max(soon)
    evidence = (
        f"{runs_of(len(soon), len(variant.sound))} ended after {low if low == high else f'{low} to {high}'} epochs "
        f"because {_metric_name(rule.monitor)} never improved on epoch {rule.start_epoch + 1}"
    )
    threshold = "" if rule.min_delta == 0 else f" or min_delta (now {rule.min_delta:g})"
    fix = f"Lower the learning rate{threshold}, or raise patience {_more_patience(variant, variants, rule.patience)}"
    claim, strength = "stopped without a single improvement", len(soon) / len(variant.sound)
    return Observation("stopped-at-once", "warning", variant.name, claim, evidence, fix, strength)


def _metric_name(monitor: str) -> str:
    return {"val_loss": "validation loss", "val_accuracy": "validation accuracy"}[monitor]


def _more_patience(variant: TrainedVariant, variants: Sequence[TrainedVariant], patience: int) -> str:
    return f"(now {patience}): {variant.option('early_stopping.patience', max(5, 2 * patience), variants)}"


def stopped_too_soon(variant: TrainedVariant, variants: Sequence[TrainedVariant]) -> Observation | None:
    """Early stopping that ended training although longer training gives a clearly better validation metric.

    The best evidence is a variant with the same recipe without this stopping that trained longer with the same seeds.
    Its smoothed metric, at the epoch that is best for the *other* seeds so that selection gains nothing, must be better
    than where this variant was read: by more than the noise (``smoothing.noise_bound``), by 1 % of the loss or half a
    point of accuracy in more than half of the seeds, and with a 95 % t interval over the seeds above 0 (with two seeds,
    both must be better; one seed is not enough). Otherwise: the smoothed validation loss was still falling at the stop
    (``curves.relative_fall``), so noise triggered it.

    Assumes independent seeds. Source: Prechelt (1998), "Early stopping - but when?".

    Args:
      variant: the one to judge.
      variants: of the study, this one included.

    Example:
      >>> from wellfit.base import EarlyStopping
      >>> rule, loss = Recipe(early_stopping=EarlyStopping(patience=1)), np.linspace(1.0, 0.4, 30)
      >>> loss[4] = 1.0
      >>> whole = {s: History({"validation_loss": loss + s / 100}) for s in range(3)}
      >>> short = {s: History({"validation_loss": h["validation_loss"][:5]}) for s, h in whole.items()}
      >>> long = TrainedVariant("long", Recipe(), whole, dict.fromkeys(whole, "finished"), {})
      >>> stopped_too_soon(TrainedVariant("a", rule, short, dict.fromkeys(whole, "stopped"), {}), [long]).evidence[:60]
      'with the same recipe, long trained on and improved its valid'
    """
    rule = variant.recipe.early_stopping
    stopped = {s: h for s, h in variant.sound.items() if variant.states[s] == "stopped"}
    if rule is None or not stopped or 2 * len(stopped) < len(variant.sound):
        return None
    evidence, strength = "", 0.0
    for other in variants:
        if other is not variant and _without_stopping(other.recipe) == _without_stopping(variant.recipe):
            gains = _later_gains(variant, stopped, other, rule.monitor, len(variants))
            if len(gains) and float(gains.mean()) > strength:
                evidence, strength = _gain_text(other, gains, rule.monitor), float(gains.mean())
    if not evidence and len(stopped) > 1:
        fall = relative_fall(stacked(stopped.values(), "validation_loss"), max(1, len(variants)))
        if fall is not None:
            strength = fall
            evidence = (
                f"the smoothed validation loss was still falling when training stopped, by {100 * fall:.1f} % at the "
                f"end (mean of {len(stopped)} runs), so noise triggered the stop"
            )
    if not evidence:
        return None
    fix = f"Raise patience {_more_patience(variant, variants, rule.patience)}"
    return Observation("stopped-too-soon", "warning", variant.name, "stopped too early", evidence, fix, strength)


def _without_stopping(recipe: Recipe) -> Recipe:
    return replace(recipe, early_stopping=None, epochs=1)


def _later_gains(
    variant: TrainedVariant, stopped: Mapping[int, History], other: TrainedVariant, monitor: str, tests: int
) -> FloatArray:
    """How much each seed would have gained by training on; empty unless that is certain.  # (S,)"""
    column, sign = ("validation_loss", -1.0) if monitor == "val_loss" else ("validation_accuracy", 1.0)
    seeds = [s for s in stopped if s in other.sound and len(other.sound[s]) > len(stopped[s])]
    none: FloatArray = np.empty(0)
    if len(seeds) < 2 or 2 * len(seeds) <= len(stopped):
        return none
    longer = sign * stacked([other.sound[s] for s in seeds], column)  # (S, E), higher is better
    curves, runs = smooth(longer), len(seeds)
    best = np.argmax(smooth((longer.sum(axis=0) - longer) / (runs - 1)), axis=1)  # (S,)
    read = [variant.rows[s].readout_epoch if s in variant.rows else None for s in seeds]
    at = np.array([min((e or len(stopped[s])), longer.shape[1]) - 1 for s, e in zip(seeds, read, strict=True)])  # (S,)
    rows = np.arange(runs)
    gains: FloatArray = curves[rows, best] - curves[rows, at]  # (S,)
    least = np.abs(curves[rows, at]) * 0.01 if monitor == "val_loss" else np.full(runs, 0.005)  # (S,)
    interval = t_interval(gains.tolist())
    certain = bool((gains > 0).all()) if runs == 2 else interval is not None and interval[0] > 0
    relevant = float(gains.mean()) > max(float(least.mean()), noise_bound(longer, tests))
    return gains if certain and relevant and 2 * int(np.sum(gains > least)) > runs else none


def _gain_text(other: TrainedVariant, gains: FloatArray, monitor: str) -> str:
    interval = t_interval(gains.tolist())
    scale, unit = (1.0, "") if monitor == "val_loss" else (100.0, " points")
    bounds = "" if interval is None else f" [{scale * interval[0]:.3g}, {scale * interval[1]:.3g}]"
    return (
        f"with the same recipe, {other.name} trained on and improved its {_metric_name(monitor)} by "
        f"{scale * float(gains.mean()):.3g}{unit}{bounds} ({len(gains)} seeds)"
    )


def never_stopped(variant: TrainedVariant, variants: Sequence[TrainedVariant]) -> Observation | None:
    """An early-stopping rule that ended no run, although the monitored metric was best well before the end.

    "Well before": the runs' median best epoch leaves at least a tenth of the epochs, and 2, unused. The patience to try
    is the longest time that any run waited for an improvement before its best epoch, plus 1, but short enough to end
    half of the runs.

    Source: Prechelt (1998), "Early stopping - but when?", on the trade-off of patience.

    Args:
      variant: the one to judge.
      variants: of the study, this one included.

    Example:
      >>> from wellfit.base import EarlyStopping
      >>> stop, loss = EarlyStopping(patience=30, restore_best_weights=True), np.abs(np.arange(20) - 6) + 1.0
      >>> rule = Recipe(early_stopping=stop, epochs=20)
      >>> a = TrainedVariant("a", rule, {0: History({"validation_loss": loss})}, {0: "finished"}, {})
      >>> never_stopped(a, [a]).fix
      'Lower patience (now 30): --set train.early_stopping.patience=2'
    """
    rule, runs = variant.recipe.early_stopping, variant.sound
    if rule is None or not runs or any(variant.states[s] == "stopped" for s in runs):
        return None
    name, sign = ("validation_loss", 1.0) if rule.monitor == "val_loss" else ("validation_accuracy", -1.0)
    judged = [sign * h[name][rule.start_epoch :] for h in runs.values() if len(h) > rule.start_epoch + 1]
    if not judged:
        return None
    epochs = max(len(h) for h in runs.values())
    unused = float(np.median([len(values) - 1 - int(np.argmin(values)) for values in judged]))
    if unused < max(2, epochs // 10):
        return None
    patience = max(2, min(max(map(_longest_wait, judged)) + 1, int(unused)))
    if patience >= rule.patience:
        return None
    impossible = (
        ", which is no less than the epochs it could wait" if rule.patience >= epochs - rule.start_epoch else ""
    )
    evidence = (
        f"with patience {rule.patience}{impossible}, no run ended before epoch {epochs}, although "
        f"{_metric_name(rule.monitor)} was best {unused:g} epochs before the end (median of {len(judged)} runs)"
    )
    fix = f"Lower patience (now {rule.patience}): {variant.option('early_stopping.patience', patience, variants)}"
    if not rule.restore_best_weights:
        fix += f" {variant.option('early_stopping.restore_best_weights', True, variants)}"
    claim = "had a stopping rule that never stopped"
    return Observation("never-stopped", "warning", variant.name, claim, evidence, fix, unused / epochs)


def _longest_wait(values: FloatArray) -> int:
    """The most epochs between two improvements, up to the best value."""
    improved = np.flatnonzero(values == np.minimum.accumulate(values))[: int(np.argmin(values)) + 1]
    return int(np.diff(improved[improved <= int(np.argmin(values))]).max(initial=1))
