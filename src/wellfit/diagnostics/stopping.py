"""Whether early stopping stopped at once, or too soon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from wellfit.analysis.curves import falling, matrix
from wellfit.analysis.intervals import t_interval
from wellfit.analysis.noise import by_chance, smooth
from wellfit.base import FloatArray, History, Recipe
from wellfit.diagnostics.cases import Case, Seen, runs_text, setting

__all__ = ["stopped_at_once", "stopped_too_soon"]


def stopped_at_once(seen: Seen, all_seen: Sequence[Seen]) -> Case | None:
    """Early stopping that ended half of the runs or more without a single improvement.

    Args:
      seen: the variant.
      all_seen: the study's, with this one.

    Example:
      >>> from wellfit.base import EarlyStopping
      >>> rule, run = EarlyStopping(patience=1), History({"validation_loss": np.array([0.5, 0.6])})
      >>> stopped_at_once(Seen("a", Recipe(early_stopping=rule), {0: run}, {0: "stopped"}, {}), ()).fix
      'Lower the learning rate, or raise patience, now 1: --set train.early_stopping.patience=5'
    """
    rule = seen.recipe.early_stopping
    if rule is None:
        return None
    # The first epoch that is judged is the best so far; then patience runs out, after one epoch at least.
    soonest = rule.start_epoch + 1 + max(rule.patience, 1)
    soon = [len(h) for s, h in seen.sound.items() if seen.states[s] == "stopped" and len(h) <= soonest]
    if not soon or 2 * len(soon) < len(seen.sound):
        return None
    how = setting("early_stopping.patience", max(5, 2 * rule.patience), seen, _recipes(all_seen))
    also = "" if rule.min_delta == 0 else f" or min_delta, now {rule.min_delta:g}"
    low, high = min(soon), max(soon)
    return Case(
        "stopped-at-once",
        "warning",
        seen.name,
        f"{runs_text(len(soon), len(seen.sound))} stopped after {low if low == high else f'{low} to {high}'} epochs: "
        f"{_watched(rule.monitor)} never improved on epoch {rule.start_epoch + 1}",
        f"Lower the learning rate{also}, or raise patience, now {rule.patience}: {how}",
        len(soon) / len(seen.sound),
        "stopped without a single improvement",
    )


def _watched(monitor: str) -> str:
    return {"val_loss": "validation loss", "val_accuracy": "validation accuracy"}[monitor]


def _recipes(all_seen: Sequence[Seen]) -> dict[str, Recipe]:
    return {s.name: s.recipe for s in all_seen}


def stopped_too_soon(seen: Seen, all_seen: Sequence[Seen]) -> Case | None:
    """Early stopping that ended where training longer gives a clearly better validation metric.

    Best evidence: the same recipe without this stopping went further in the same seeds. Its smoothed metric at the
    epoch that is best for the *other* seeds, so that nothing is won by choosing, is better than where this one was
    read: by more than the noise (``curves.by_chance``), by 1 % of the loss or half a point of accuracy in more than
    half of the seeds, and the 95 % t interval over the seeds lies above 0 (with two seeds, both are better; one seed
    says nothing). Otherwise: the smoothed validation loss was still falling when it stopped (``curves.falling``), so
    that a dip of the noise stopped it.

    Assumes independent seeds. Source: Prechelt (1998), "Early stopping - but when?".

    Args:
      seen: the variant.
      all_seen: the study's, with this one.

    Example:
      >>> from wellfit.base import EarlyStopping
      >>> dip, loss = Recipe(early_stopping=EarlyStopping(patience=1)), np.linspace(1.0, 0.4, 30)
      >>> loss[4] = 1.0
      >>> whole = {s: History({"validation_loss": loss + s / 100}) for s in range(3)}
      >>> short = {s: History({"validation_loss": h["validation_loss"][:5]}) for s, h in whole.items()}
      >>> long = Seen("long", Recipe(), whole, dict.fromkeys(whole, "finished"), {})
      >>> stopped_too_soon(Seen("dip", dip, short, dict.fromkeys(whole, "stopped"), {}), [long]).text[:55]
      'with the same recipe, long went on and its validation l'
    """
    rule = seen.recipe.early_stopping
    stopped = {s: h for s, h in seen.sound.items() if seen.states[s] == "stopped"}
    if rule is None or not stopped or 2 * len(stopped) < len(seen.sound):
        return None
    text, strength = "", 0.0
    for other in all_seen:
        if other is not seen and _unstopped(other.recipe) == _unstopped(seen.recipe):
            gains = _later_gains(seen, stopped, other, rule.monitor, len(all_seen))
            if len(gains) and float(gains.mean()) > strength:
                text, strength = _gain_text(other, gains, rule.monitor), float(gains.mean())
    fall = falling(matrix(stopped.values(), "validation_loss"), max(1, len(all_seen))) if not text else None
    if fall is not None and len(stopped) > 1:
        text, strength = (
            (
                f"the smoothed validation loss was still falling when training stopped, by {100 * fall:.1f} % at the "
                f"end (mean of {len(stopped)} runs): a dip of the noise stopped it"
            ),
            fall,
        )
    if not text:
        return None
    how = setting("early_stopping.patience", max(5, 2 * rule.patience), seen, _recipes(all_seen))
    return Case(
        "stopped-too-soon",
        "warning",
        seen.name,
        text,
        f"Raise patience, now {rule.patience}: {how}",
        strength,
        "stopped too soon",
    )


def _unstopped(recipe: Recipe) -> Recipe:
    return replace(recipe, early_stopping=None, epochs=1)


def _later_gains(seen: Seen, stopped: Mapping[int, History], other: Seen, monitor: str, tests: int) -> FloatArray:
    """By how much each seed would have gained from going on; empty where that is not shown.  # (S,)"""
    column, sign = ("validation_loss", -1.0) if monitor == "val_loss" else ("validation_accuracy", 1.0)
    seeds = [s for s in stopped if s in other.sound and len(other.sound[s]) > len(stopped[s])]
    none: FloatArray = np.empty(0)
    if len(seeds) < 2 or 2 * len(seeds) <= len(stopped):
        return none
    longer = sign * matrix([other.sound[s] for s in seeds], column)  # (S, E), the higher the better
    curves, runs = smooth(longer), len(seeds)
    best = np.argmax(smooth((longer.sum(axis=0) - longer) / (runs - 1)), axis=1)  # (S,)
    read = [seen.rows[s].readout_epoch if s in seen.rows else None for s in seeds]
    at = np.array([min((e or len(stopped[s])), longer.shape[1]) - 1 for s, e in zip(seeds, read, strict=True)])  # (S,)
    rows = np.arange(runs)
    gains: FloatArray = curves[rows, best] - curves[rows, at]  # (S,)
    least = np.abs(curves[rows, at]) * 0.01 if monitor == "val_loss" else np.full(runs, 0.005)  # (S,)
    chance = by_chance(longer, tests)
    interval = t_interval(gains.tolist())
    sure = bool((gains > 0).all()) if runs == 2 else interval is not None and interval[0] > 0
    clear = 2 * int(np.sum(gains > least)) > runs and float(gains.mean()) > max(float(least.mean()), chance)
    return gains if sure and clear else none


def _gain_text(other: Seen, gains: FloatArray, monitor: str) -> str:
    interval = t_interval(gains.tolist())
    scale, unit = (1.0, "") if monitor == "val_loss" else (100.0, " points")
    bounds = "" if interval is None else f" [{scale * interval[0]:.3g}, {scale * interval[1]:.3g}]"
    return (
        f"with the same recipe, {other.name} went on and its {_watched(monitor)} became better by "
        f"{scale * float(gains.mean()):.3g}{unit}{bounds} ({len(gains)} seeds)"
    )
